"""The Elman cell against its equation and against torch's network."""

import numpy as np
import pytest
import torch

from skrational.cells.batches import Corpus
from skrational.cells.elman import ElmanCell
from skrational.sequences import as_sequences
from skrational.structures.gated import StateReadout

READINGS = [
    StateReadout("last", 0.5),
    StateReadout("anywhere", 0.0),
    StateReadout("anywhere", 0.5),
    StateReadout("every", 0.0),
]
ACTIVATIONS = pytest.mark.parametrize("activation", ["tanh", "relu"])
SIZES = (5, 0, 1, 2, 9)


def draw_cell(reading=READINGS[0], activation="tanh", bias=True, n_units=6, density=1):
    cell = ElmanCell(3, n_units, 2, reading, activation, bias, torch.float64)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in cell.parameters():
            p.copy_(torch.randn(p.shape, generator=generator, dtype=torch.float64) / 3)
        cell.W_hh *= torch.rand(cell.W_hh.shape, generator=generator) < density
    return cell


def draw_corpus(sizes=SIZES):
    rng = np.random.default_rng(1)
    words = rng.normal(size=(7, 3)).astype(np.float32)
    documents = [words[rng.integers(0, 7, size)] for size in sizes]
    corpus = Corpus(as_sequences(documents), torch.float64, torch.device("cpu"))
    return documents, corpus


def loop_hidden(cell, documents):
    """What the readout reads by the equation."""
    W_ih, W_hh, b = (w.detach().numpy() for w in (cell.W_ih, cell.W_hh, cell.b))
    act = np.tanh if cell.activation == "tanh" else lambda a: np.maximum(a, 0)
    read = []
    for document in documents:
        states = [np.zeros(len(b))]
        for x in document.astype(float):
            states.append(act(W_ih @ x + W_hh @ states[-1] + b))
        if cell.reading.readout == "every":
            read += states[1:]
        elif cell.reading.readout == "last":
            read.append(states[-1])
        else:
            power = max(len(document), 1) ** cell.reading.length_exponent
            read.append(np.sum(states, axis=0) / power)
    return np.array(read)


@ACTIVATIONS
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("reading", READINGS, ids=str)
@pytest.mark.parametrize("kernel", ["", "reference"])
@pytest.mark.parametrize("density", [0.1, 1])
def test_equals_the_equation(reading, activation, bias, kernel, density, monkeypatch):
    monkeypatch.setenv("SKRATIONAL_KERNEL", kernel)
    cell = draw_cell(reading, activation, bias, density=density)
    documents, corpus = draw_corpus()
    expected = loop_hidden(cell, documents)
    outputs = expected @ cell.A.detach().numpy().T + cell.a.detach().numpy()
    batch = corpus.batch(np.arange(len(documents)))
    with torch.no_grad():
        np.testing.assert_allclose(cell.hidden(batch), expected, atol=1e-13)
        np.testing.assert_allclose(cell(batch), outputs, atol=1e-13)
    np.testing.assert_allclose(cell.predict(corpus), outputs, atol=1e-13)


def test_outputs_of_every_state_come_part_by_part(monkeypatch):
    cell, (_, corpus) = draw_cell(READINGS[-1]), draw_corpus()
    expected = cell.predict(corpus)
    monkeypatch.setattr("skrational.cells.states._MOST_OUTPUTS", 12)
    parts = list(cell.predict_parts(corpus))
    assert [(p.start, p.stop) for p, _ in parts] == [(0, 3), (3, 4), (4, 5)]
    outputs = torch.cat([o for _, o in parts])
    np.testing.assert_allclose(outputs, expected, atol=1e-13)


def test_without_bias_there_is_none_to_train():
    names = [name for name, _ in draw_cell(bias=False).named_parameters()]
    assert names == ["W_ih", "W_hh", "A", "a"]
    cell, (_, corpus) = draw_cell(bias=False), draw_corpus()
    cell(corpus.batch(np.arange(5))).square().sum().backward()
    assert not cell.b.any()
    twin = draw_cell(bias=False, density=0.5).set_arrays(cell.to_arrays())
    np.testing.assert_array_equal(twin.predict(corpus), cell.predict(corpus))


@ACTIVATIONS
def test_initial_weights(activation, untouched_generators):
    cell = ElmanCell(3, 40, 2, READINGS[0], activation, True, torch.float64)
    cell.initialize(torch.Generator().manual_seed(0))
    arrays = cell.to_arrays()
    W_hh = arrays["W_hh"]
    np.testing.assert_allclose(W_hh @ W_hh.T, np.eye(40), atol=1e-12)
    assert 0.9 < np.abs(arrays["W_ih"]).max() / np.sqrt(6 / 43) <= 1
    assert 0.9 < np.abs(arrays["A"]).max() * np.sqrt(40) <= 1
    assert not arrays["b"].any()
    assert not arrays["a"].any()
