"""A drawn cell, by the equations in which group variables multiply what they stand for.

The equations are those of the forerunner: inputs are multiplied by zx, preactivations
without their biases by zg, and hidden states, before anything reads them, by zh.
"""

from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from skrational.cells import variational
from skrational.cells.batches import Corpus
from skrational.cells.gru import GRUCell
from skrational.cells.lstm import LSTMCell
from skrational.cells.variational import VariationalCell
from skrational.pruning.signal_to_noise import SignalToNoise
from skrational.sequences import as_sequences
from skrational.structures.gated import StateReadout
from skrational.training.noise import Dropout

E, H, N_OUTPUTS = 3, 4, 2
ALL = ("weights", "gates", "neurons", "inputs")
READINGS = [StateReadout("anywhere", 0.5), StateReadout("last", 0.0)]
NO_DROPOUT = Dropout()


def draw_cell(kind=LSTMCell, kinds=ALL, reading=READINGS[0], seed=0):
    """A variational cell, all of whose parameters are drawn."""
    plain = kind.dense(E, H, N_OUTPUTS, reading, torch.float64)
    cell = VariationalCell(plain, kinds)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in cell.named_parameters():
            p.copy_(torch.randn(p.shape, generator=generator, dtype=torch.float64))
            if name.startswith("log_sigma"):
                p.sub_(1.5)
    return cell


def draw_corpus(sizes=(4, 0, 1, 7), seed=1):
    words = np.random.default_rng(seed).normal(size=(6, E))
    rng = np.random.default_rng(seed + 1)
    documents = [words[rng.integers(0, 6, size)] for size in sizes]
    return documents, Corpus(
        as_sequences(documents), torch.float64, torch.device("cpu")
    )


def batch_of(corpus, n=4):
    return corpus.batch(np.arange(n))


def arrays_of(cell):
    return {n.rpartition(".")[2]: v for n, v in cell.to_arrays().items()}


def values_of(cell, sigmas):
    """What is drawn if all noise is so many sigmas."""
    arrays = {n: p.detach().numpy().copy() for n, p in cell.named_parameters()}
    values = {}
    for name, value in arrays.items():
        if not name.startswith("log_sigma"):
            key = name.rpartition(".")[2]
            sigma = np.exp(arrays.get(f"log_sigma.{key}", -np.inf))
            values[key] = value + sigmas * sigma * (value != 0)
    return values


def gates_of(x, h, v, zg):
    """Preactivations without biases, (G, H), and the part of h in them."""
    from_h = v["W_hh"] @ h * zg
    total = v["W_ih"] @ x * zg + from_h
    return total.reshape(-1, H), from_h.reshape(-1, H)


def lstm_step(x, h, c, v, zg):
    a = gates_of(x, h, v, zg)[0] + v["b"]
    c = expit(a[1]) * c + expit(a[0]) * np.tanh(a[2])
    return expit(a[3]) * np.tanh(c), c


def gru_step(x, h_unscaled, h, v, zg):
    a, from_h = gates_of(x, h, v, zg)
    r, z = expit(a[0] + v["b"][0]), expit(a[1] + v["b"][1])
    inner = from_h[2] + v["b_hn"] * zg.reshape(-1, H)[2]
    n = np.tanh(a[2] - from_h[2] + v["b"][2] + r * inner)
    return (1 - z) * n + z * h_unscaled


def states_of(document, v, kind):
    zg, zh, zx = (
        v.get(name, np.ones(n))
        for name, n in (("gates", len(v["W_hh"])), ("neurons", H), ("inputs", E))
    )
    h = c = np.zeros(H)
    for x in document:
        if kind is LSTMCell:
            h, c = lstm_step(x * zx, h * zh, c, v, zg)
        else:
            h = gru_step(x * zx, h, h * zh, v, zg)
        yield h * zh


def outputs_of(documents, v, kind, reading):
    scores = np.zeros((len(documents), H))
    for score, document in zip(scores, documents, strict=True):
        states = list(states_of(document, v, kind))
        if states and reading.readout == "last":
            score[:] = states[-1]
        elif states:
            score[:] = sum(states) / len(states) ** reading.length_exponent
    return scores, scores @ v["A"].T + v["a"]


def constant_noise(value):
    """Let all noise be one value, so that what is drawn is known."""
    return patch.object(
        variational, "_normal", lambda like, _: torch.full_like(like, value)
    )


def noisy(cell, corpus, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return cell.noisy_outputs(batch_of(corpus), NO_DROPOUT, generator)


each_cell = pytest.mark.parametrize("kind", [LSTMCell, GRUCell])
each_reading = pytest.mark.parametrize("reading", READINGS)


@each_cell
@each_reading
@pytest.mark.parametrize("kinds", [ALL, ("weights",), ("gates",), ("neurons",)])
def test_the_means_are_the_equations_with_group_variables(kind, reading, kinds):
    cell = draw_cell(kind, kinds, reading)
    documents, corpus = draw_corpus()
    _, expected = outputs_of(documents, values_of(cell, 0), kind, reading)
    np.testing.assert_allclose(cell(batch_of(corpus)).detach(), expected, atol=1e-12)
    np.testing.assert_allclose(cell.predict(corpus), expected, atol=1e-12)


@each_cell
@each_reading
@pytest.mark.parametrize("kinds", [ALL, ("gates", "inputs"), ("weights", "neurons")])
def test_a_draw_is_the_equations_with_what_was_drawn(kind, reading, kinds):
    cell = draw_cell(kind, kinds, reading)
    documents, corpus = draw_corpus()
    v = values_of(cell, 0.7)
    v["A"] = cell.cell.A.detach().numpy()
    scores, expected = outputs_of(documents, v, kind, reading)
    if "weights" in kinds:
        variance = np.exp(2 * cell.log_sigma["A"].detach().numpy())
        expected = expected + 0.7 * np.sqrt(scores**2 @ variance.T)
    with constant_noise(0.7):
        np.testing.assert_allclose(noisy(cell, corpus).detach(), expected, atol=1e-12)


@each_cell
def test_without_noise_it_is_the_plain_cell_in_value_and_gradient(kind):
    cell = draw_cell(kind)
    with torch.no_grad():
        for p in cell.z.parameters():
            p.fill_(1)
        for p in cell.log_sigma.parameters():
            p.fill_(-60)
    _, corpus = draw_corpus()
    plain = cell.mean_cell()
    for a_cell, outputs in (
        (cell, noisy(cell, corpus)),
        (plain, plain(batch_of(corpus))),
    ):
        outputs.square().sum().backward()
        a_cell.outputs = outputs
    torch.testing.assert_close(cell.outputs, plain.outputs, atol=1e-13, rtol=0)
    for name, p in plain.named_parameters():
        mine = cell.cell.get_parameter(name).grad
        torch.testing.assert_close(mine, p.grad, atol=1e-12, rtol=1e-10)


@pytest.mark.usefixtures("untouched_generators")
def test_noise_comes_of_the_generator_only():
    cell, (_, corpus) = draw_cell(), draw_corpus()
    first, same, other = (noisy(cell, corpus, seed) for seed in (0, 0, 1))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_weights_are_drawn_once_a_batch_as_products_of_their_groups():
    """Moments of products of independent normals; a row shares its factor."""
    cell = draw_cell()
    batch = batch_of(draw_corpus(sizes=(1,))[1], 1)
    seen = []

    def record(x, W_ih, *_):
        seen.append(W_ih.numpy())
        return x.new_zeros(1, H)

    generator = torch.Generator().manual_seed(0)
    with patch.object(LSTMCell, "states_of", staticmethod(record)), torch.no_grad():
        for _ in range(600):
            cell.noisy_outputs(batch, NO_DROPOUT, generator)
    drawn = np.array(seen)
    assert len(drawn) == 600
    mean = values_of(cell, 0)
    sigma = {n: np.exp(p.detach().numpy()) for n, p in cell.log_sigma.items()}
    square = {n: mean[n] ** 2 + sigma[n] ** 2 for n in sigma}
    expected = mean["W_ih"] * np.outer(mean["gates"], mean["inputs"])
    of_squares = square["W_ih"] * np.outer(square["gates"], square["inputs"])
    of_neighbours = (
        mean["W_ih"][:, 0] * mean["W_ih"][:, 1] * square["gates"]
        * mean["inputs"][0] * mean["inputs"][1]
    )  # fmt: skip
    for sample, moment in (
        (drawn, expected),
        (drawn**2, of_squares),
        (drawn[:, :, 0] * drawn[:, :, 1], of_neighbours),
    ):
        error = sample.std(axis=0) / 600**0.5
        assert (abs(sample.mean(axis=0) - moment) < 4.5 * error).all()


def test_outputs_have_the_mean_and_variance_that_drawn_readouts_give_them():
    cell = draw_cell(kinds=("weights",))
    with torch.no_grad():
        for name in ("W_ih", "W_hh"):
            cell.log_sigma[name].fill_(-60)
    n = 3000
    (document,), _ = draw_corpus(sizes=(7,))
    corpus = Corpus(as_sequences([document] * n), torch.float64, torch.device("cpu"))
    v = values_of(cell, 0)
    scores, mean = outputs_of([document], v, LSTMCell, READINGS[0])
    variance = scores**2 @ np.exp(2 * cell.log_sigma["A"].detach().numpy()).T
    generator = torch.Generator().manual_seed(0)
    drawn = cell.noisy_outputs(batch_of(corpus, n), NO_DROPOUT, generator)
    drawn = drawn.detach().numpy()
    assert (abs(drawn.mean(axis=0) - mean) < 4 * np.sqrt(variance / n)).all()
    np.testing.assert_allclose(drawn.var(axis=0)[None], variance, rtol=0.15)
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 4 / n**0.5


def test_an_empty_document_has_finite_gradients():
    cell = draw_cell()
    _, corpus = draw_corpus(sizes=(0, 0, 0, 0))
    noisy(cell, corpus).sum().backward()
    grads = [p.grad for p in cell.parameters() if p.grad is not None]
    assert all(torch.isfinite(g).all() for g in grads)


@st.composite
def pruned_cells(draw):
    kind = draw(st.sampled_from([LSTMCell, GRUCell]))
    kinds = draw(
        st.sampled_from([ALL, ("weights",), ("gates", "neurons"), ("inputs",)])
    )
    cell = draw_cell(kind, kinds, draw(st.sampled_from(READINGS)), seed=3)
    kind_names = "+".join(kinds)
    n_groups = cell.groups(kind_names).n_groups
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    share = draw(st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]))
    return cell, kind_names, rng.random(n_groups) >= share


@settings(max_examples=30)
@given(pruned_cells())
def test_what_is_left_computes_the_same_in_fewer_numbers(case):
    cell, kinds, live = case
    masked = type(cell)(cell.cell, cell._kinds).set_parameters(cell.parameters())
    masked.groups(kinds).zero_(live)
    _, corpus = draw_corpus()
    small, cut = cell.pruned(kinds, live)
    for a_cell in (small, small.settled(), masked.settled()):
        np.testing.assert_allclose(
            a_cell.predict(corpus), masked.predict(corpus), atol=1e-12
        )
    with constant_noise(0.7):
        torch.testing.assert_close(
            noisy(small, corpus), noisy(masked, corpus), atol=1e-12, rtol=0
        )
    structure = cell.live_structure(kinds, live)
    assert small.structure() == structure == small.settled().structure()
    assert small.cell.W_ih.shape == (structure.size, len(structure.inputs))
    assert small.cell.W_hh.shape == (structure.size, structure.n_units)
    for value, p in zip(
        cut(list(masked.parameters())), small.parameters(), strict=True
    ):
        assert torch.equal(value, p)


def test_moments_of_what_was_removed_are_zero():
    cell = draw_cell()
    live = np.random.default_rng(0).random(cell.groups("weights").n_groups) > 0.3
    small, cut = cell.pruned("weights", live)
    moments = dict(
        zip(
            (name for name, _ in small.named_parameters()),
            cut([torch.ones_like(p) for p in cell.parameters()]),
            strict=True,
        )
    )
    for name in ("W_ih", "W_hh", "A"):
        removed = small.cell.get_parameter(name) == 0
        assert removed.any()
        for moment in (moments[f"cell.{name}"], moments[f"log_sigma.{name}"]):
            assert torch.equal(moment == 0, removed)
    assert moments["cell.b"].all()


@pytest.mark.parametrize("kind", [LSTMCell, GRUCell])
def test_no_gradient_brings_back_what_was_removed(kind):
    cell = draw_cell(kind)
    live = np.random.default_rng(0).random(cell.groups("+".join(ALL)).n_groups) > 0.2
    cell.groups("+".join(ALL)).zero_(live)
    _, corpus = draw_corpus()
    outputs = cell.noisy_outputs(
        batch_of(corpus), NO_DROPOUT, torch.Generator().manual_seed(0)
    )
    outputs.square().sum().backward()
    for name in cell.log_sigma:
        mean = cell._mean(name)
        removed = mean == 0
        assert removed.any() or name in cell.z
        for p in (mean, cell.log_sigma[name]):
            assert not p.grad[removed].any()
            assert p.grad[~removed].any()


def test_what_noise_drowns_is_what_the_pruner_drops():
    cell = draw_cell()
    with torch.no_grad():
        cell.log_sigma["neurons"][1] = 10.0
        cell.log_sigma["inputs"][2] = 10.0
    groups = cell.groups("neurons+inputs")
    structure = cell.live_structure(
        "neurons+inputs", SignalToNoise(3.0).survivors(groups)
    )
    assert structure.units == (0, 2, 3)
    assert structure.inputs == (0, 1)


def test_an_empty_copy_has_the_gradient_by_which_units_grow():
    cell = draw_cell()
    _, corpus = draw_corpus()
    empty, entrance = cell.emptied()
    assert not empty.settled().structure().size
    outputs = empty.readout(empty.hidden(batch_of(corpus)))
    (gradient,) = torch.autograd.grad(outputs.sum(), entrance)
    assert gradient.shape == (4 * H, E)
    assert gradient.any()


def test_it_begins_with_variables_of_one_and_little_noise():
    plain = LSTMCell.dense(E, H, N_OUTPUTS, READINGS[0], torch.float32)
    cell = VariationalCell(plain, ALL)
    assert all((p == 1).all() for p in cell.z.parameters())
    assert all((p == -3).all() for p in cell.log_sigma.parameters())
    assert set(cell.log_sigma) == {"W_ih", "W_hh", "A", "gates", "neurons", "inputs"}
    cell.set_prior(np.array([0.5, -0.5]))
    assert plain.a.tolist() == [0.5, -0.5]


def test_state_goes_into_a_blank_cell_of_its_structure():
    cell = draw_cell(GRUCell)
    live = np.random.default_rng(0).random(cell.groups("gates").n_groups) > 0.5
    small, _ = cell.pruned("gates", live)
    again = cell.blank(small.structure()).set_arrays(small.to_arrays())
    twin = cell.blank(small.structure())
    twin.load_state_dict(small.state_dict())
    for other in (again, twin):
        for one, two in zip(small.parameters(), other.parameters(), strict=True):
            assert torch.equal(one, two)
