"""The Elman network with placed units that reads words: logits, masks and scores."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational.cells.batches import Corpus
from skrational.cells.placed import (
    PlacedElmanLanguageCell,
    Placement,
    dense_cell,
    place_cell,
)
from skrational.kernels.elman.next_token import NextTokenElman
from skrational.penalties.manifolds import as_manifold
from skrational.penalties.moduli import Moduli
from skrational.sequences import SequenceArray
from skrational.structures.network import EVERY_STATE, NetworkKind
from skrational.training.noise import Dropout

V, E, H = 7, 4, 5
SIZES = {"W_ih": H * E, "W_hh": H * H, "A": V * H, "Emb": V * E}
ACTIVATIONS = {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0)}


def make_cell(seed=0, activation="tanh", bias=True, pruned="all"):
    generator = torch.Generator().manual_seed(seed)
    kind = NetworkKind("elman", activation, bias, EVERY_STATE, reads_words=True)
    cell = dense_cell(kind, (E, H, V), torch.float64).initialize(generator)
    with torch.no_grad():
        for p in cell.parameters():
            p += 0.3 * torch.randn(p.shape, generator=generator, dtype=torch.float64)
    positions = as_manifold("torus").sample(H, generator)
    return cell.placed(Placement(Moduli(1.0, "torus"), pruned), positions)


def batch_of(*sequences):
    offsets = np.cumsum([0, *map(len, sequences)])
    numbers = np.arange(V, dtype=float)[:, None]
    X = SequenceArray(numbers, offsets, np.concatenate(sequences))
    corpus = Corpus(X, torch.float64, torch.device("cpu"))
    return corpus.batch(np.arange(len(sequences)))


def states_by_hand(cell, tokens):
    """State after each token, from the parameters, one by one."""
    p, h, states = cell.to_arrays(), np.zeros(H), []
    for token in tokens:
        x = p["Emb"][token]
        a = [p["W_ih"][j] @ x + p["W_hh"][j] @ h for j in range(H)]
        h = ACTIVATIONS[cell.activation](np.array(a) + p.get("b", 0))
        states.append(h)
    return np.array(states)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_logits_follow_the_equations_after_every_token(activation, bias):
    cell = make_cell(activation=activation, bias=bias)
    texts = [2, 2, 5, 0], [6], [1, 3]
    states = np.concatenate([states_by_hand(cell, text) for text in texts])
    p = cell.to_arrays()
    assert isinstance(cell, PlacedElmanLanguageCell)
    assert ("b" in p) == bias
    found = cell(batch_of(*texts)).detach()
    np.testing.assert_allclose(found, states @ p["A"].T + p["a"], atol=1e-13)


def test_embeddings_begin_small_and_uniform():
    kind = NetworkKind("elman", "tanh", True, EVERY_STATE, reads_words=True)
    cell = dense_cell(kind, (50, 2, 300), torch.float64)
    cell.initialize(torch.Generator().manual_seed(0))
    Emb = cell.Emb.detach().numpy()
    assert abs(Emb).max() <= 0.1
    assert Emb.std() == pytest.approx(0.2 / np.sqrt(12), rel=0.02)


@pytest.mark.parametrize("pruned", ["recurrent", "all"])
def test_a_cut_goes_over_what_it_says(pruned):
    cell = make_cell(pruned=pruned)
    before = cell.to_arrays()
    n_groups = cell.groups(pruned).n_groups
    cut = ("W_hh",) if pruned == "recurrent" else tuple(SIZES)
    assert n_groups == sum(SIZES[name] for name in cut)
    live = np.random.default_rng(0).random(n_groups) < 0.4
    expected = cell.live_structure(pruned, live)
    structure = cell.pruned(pruned, live)[0].structure()
    assert structure == expected
    assert {name: mask.size for name, mask in structure.masks.items()} == SIZES
    assert sum(structure.masks[name].sum() for name in cut) == live.sum()
    assert structure.n_biases == H + V
    for name, after in cell.to_arrays().items():
        mask = structure.masks.get(name, True)
        np.testing.assert_array_equal(after, before[name] * mask)
        assert name in cut or np.all(mask)


def test_new_weights_are_cut_down_to_the_mask_of_another():
    first, second = make_cell(0), make_cell(1)
    live = np.random.default_rng(0).random(first.groups("all").n_groups) < 0.3
    structure = first.pruned("all", live)[0].structure()
    cell, masks = second.masked_by(structure)
    assert cell.structure() == structure
    np.testing.assert_array_equal(masks["all"], live)


def test_a_structure_and_arrays_give_the_cell_again():
    cell = make_cell()
    cell.pruned("all", np.arange(cell.groups("all").n_groups) % 3 > 0)
    twin = place_cell(cell.kind, cell.structure(), cell.placement, torch.float64)
    twin.set_arrays(cell.to_arrays())
    assert twin.structure() == cell.structure()
    assert torch.equal(twin(batch_of([1, 5, 2])), cell(batch_of([1, 5, 2])))


def test_dropout_falls_on_embeddings_and_not_on_numbers():
    cell, batch = make_cell(), batch_of([6, 5, 6])
    outputs = cell.noisy_outputs(
        batch, Dropout(columns=0.999), torch.Generator().manual_seed(0)
    )
    with torch.no_grad():
        cell.Emb.zero_()
    torch.testing.assert_close(outputs, cell(batch))


texts = st.lists(st.lists(st.integers(0, V - 1), min_size=1, max_size=6), min_size=1)


@settings(deadline=None, max_examples=30)
@given(
    st.integers(0, 9),
    st.sampled_from(list(ACTIVATIONS)),
    st.booleans(),
    st.sampled_from([0.05, 0.6, 1.0]),
    texts,
)
def test_what_scores_texts_says_the_same_as_the_cell(
    seed, activation, bias, density, sequences
):
    cell = make_cell(seed, activation, bias)
    random = np.random.default_rng(seed)
    cell.pruned("all", random.random(cell.groups("all").n_groups) < density)
    model = NextTokenElman.of(cell.to_arrays(), activation)
    inputs = np.concatenate(sequences).astype(np.int32)
    targets = np.roll(inputs, -1)
    offsets = np.cumsum([0, *map(len, sequences)])
    logits = cell(batch_of(*map(np.array, sequences))).detach()
    expected = logits.log_softmax(1)[torch.arange(len(inputs)), targets.astype(int)]
    found = model.log_likelihoods(inputs, targets, offsets)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_texts_that_are_written_go_step_by_step(activation):
    cell = make_cell(activation=activation)
    model = NextTokenElman.of(cell.to_arrays(), activation)
    pair = [2, 2, 5, 0], [1, 3, 6, 6]
    state = model.start(2)
    for tokens in zip(*pair, strict=True):
        state = model.step(np.array(tokens), *state)
    (h,) = state
    expected = [states_by_hand(cell, text)[-1] for text in pair]
    np.testing.assert_allclose(h, expected, atol=1e-13)
    p = cell.to_arrays()
    np.testing.assert_allclose(model.logits(h), h @ p["A"].T + p["a"], atol=1e-13)
