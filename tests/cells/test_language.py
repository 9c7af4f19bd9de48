"""The cell of the language model: its groups, and that pruning changes no output."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational.cells.batches import Batch, Corpus
from skrational.cells.language import EVERY_STATE, LSTMLanguageCell
from skrational.kernels.gated.next_token import NextTokenLSTM
from skrational.sequences import SequenceArray
from skrational.training.noise import Dropout

HOME = "skrational.kernels.recurrent.next_token"

V, E, H = 7, 4, 3
KINDS = ("weights", "gates", "neurons", "inputs", "vocabulary")


def make_cell(seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    cell = LSTMLanguageCell.dense(E, H, V, EVERY_STATE, dtype).initialize(generator)
    with torch.no_grad():
        for p in cell.parameters():
            p += 0.7 * torch.randn(p.shape, generator=generator, dtype=dtype)
    return cell


def corpus_of(sequences, dtype=torch.float64):
    offsets = np.cumsum([0, *map(len, sequences)])
    numbers = np.arange(V, dtype=float)[:, None]
    X = SequenceArray(numbers, offsets, np.concatenate(sequences))
    return Corpus(X, dtype, torch.device("cpu"))


def batch_of(*sequences):
    return corpus_of(sequences).batch(np.arange(len(sequences)))


def equations(cell, tokens):
    """Logits after each token, from the parameters of a dense cell, one by one."""
    p = cell.to_arrays()
    W, U, b = p["W_ih"].reshape(4, H, E), p["W_hh"].reshape(4, H, H), p["b"]
    h = c = np.zeros(H)
    logits = []
    for token in tokens:
        a = [W[k] @ p["Emb"][token] + U[k] @ h + b[k] for k in range(4)]
        i, f, o = (1 / (1 + np.exp(-a[k])) for k in (0, 1, 3))
        c = f * c + i * np.tanh(a[2])
        h = o * np.tanh(c)
        logits.append(p["A"] @ h + p["a"])
    return np.array(logits)


def test_logits_follow_the_equations_after_every_token():
    cell, texts = make_cell(), ([2, 2, 5, 0], [6], [1, 3])
    expected = np.concatenate([equations(cell, text) for text in texts])
    np.testing.assert_allclose(cell(batch_of(*texts)).detach(), expected, atol=1e-13)


def test_stretches_of_a_prediction_are_the_whole(monkeypatch):
    monkeypatch.setattr("skrational.cells.states._MOST_OUTPUTS", 3 * V)
    cell, corpus = make_cell(), corpus_of([[2, 2, 5, 0], [6], [1, 3]])
    parts = list(cell.predict_parts(corpus))
    assert [part for part, _ in parts] == [slice(0, 1), slice(1, 3)]
    whole = cell(corpus.batch(np.arange(3))).detach()
    torch.testing.assert_close(torch.cat([outputs for _, outputs in parts]), whole)
    torch.testing.assert_close(cell.predict(corpus), whole)


def test_groups_are_what_the_glossary_says():
    cell = make_cell()
    squares = {name: p.detach().square() for name, p in cell.named_parameters()}

    def norms(kind):
        return cell.groups(kind).norms().detach()

    outgoing = squares["W_hh"].sum(0) + squares["A"].sum(0)
    entering = squares["W_ih"].sum(1) + squares["W_hh"].sum(1)
    through = squares["W_ih"].sum(0) + squares["Emb"].sum(0)
    torch.testing.assert_close(norms("neurons"), outgoing.sqrt())
    torch.testing.assert_close(norms("gates"), entering.sqrt())
    torch.testing.assert_close(norms("inputs"), through.sqrt())
    torch.testing.assert_close(norms("vocabulary"), squares["Emb"].sum(1).sqrt())
    n_weights = 4 * H * (E + H) + V * H + V * E
    assert cell.groups("weights").n_groups == n_weights
    assert cell.structure().n_weights_initial == n_weights


@st.composite
def sparse_cells(draw):
    cell = make_cell(draw(st.integers(0, 9)))
    for kind in draw(st.lists(st.sampled_from(KINDS), unique=True)):
        groups = cell.groups(kind)
        share = draw(st.floats(0, 1))
        random = np.random.default_rng(draw(st.integers(0, 99)))
        groups.zero_(random.random(groups.n_groups) >= share)
    return cell


texts = st.lists(st.lists(st.integers(0, V - 1), min_size=1, max_size=6), min_size=1)


@settings(deadline=None, max_examples=60)
@given(sparse_cells(), texts)
def test_a_compact_cell_computes_the_same(cell, sequences):
    batch = batch_of(*map(np.array, sequences))
    small, cut = cell.compacted()
    np.testing.assert_allclose(small(batch).detach(), cell(batch).detach(), atol=1e-12)
    # Nothing is left to be dropped, and moments are cut as the parameters are.
    assert small.compacted()[0].structure() == small.structure()
    assert small.structure() == cell.live_structure(
        "weights", np.ones(cell.groups("weights").n_groups, bool)
    )
    shapes = [value.shape for value in cut(list(cell.parameters()))]
    assert shapes == [p.shape for p in small.parameters()]
    # A cell that is built again from its structure and its arrays is the same one.
    again = small.blank(small.structure()).set_arrays(small.to_arrays())
    assert torch.equal(again(batch), small(batch))


@settings(deadline=None, max_examples=40)
@given(sparse_cells(), texts)
def test_what_scores_texts_says_the_same_as_the_cell(cell, sequences):
    cell = cell.compacted()[0]
    model = NextTokenLSTM.of(cell.to_arrays(), cell.structure())
    inputs = np.concatenate(sequences)
    targets = np.roll(inputs, -1)
    offsets = np.cumsum([0, *map(len, sequences)])
    logits = cell(batch_of(*map(np.array, sequences))).detach()
    expected = logits.log_softmax(1)[torch.arange(len(inputs)), targets]
    found = model.log_likelihoods(inputs, targets, offsets)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_few_states_and_logits_at_once_change_nothing(monkeypatch):
    cell = make_cell()
    model = NextTokenLSTM.of(cell.to_arrays(), cell.structure())
    tokens = np.random.default_rng(0).integers(0, V, 40)
    offsets = np.array([0, 1, 15, 18, 40])
    whole = model.log_likelihoods(tokens, tokens[::-1], offsets)
    monkeypatch.setattr("skrational.kernels.cpu.prediction._CHUNK_TOKENS", 16)
    monkeypatch.setattr(f"{HOME}._MOST_LOGITS", 3 * V)
    again = model.log_likelihoods(tokens, tokens[::-1], offsets)
    np.testing.assert_allclose(again, whole, rtol=1e-13)


def test_the_number_of_threads_changes_no_bit(monkeypatch):
    cell = make_cell()
    model = NextTokenLSTM.of(cell.to_arrays(), cell.structure())
    tokens = np.random.default_rng(0).integers(0, V, 400)
    offsets = np.array([0, 1, 150, 180, 400])
    monkeypatch.setattr(f"{HOME}._MOST_LOGITS", 9 * V)
    found = []
    for n_threads in (1, 3):
        monkeypatch.setattr(
            f"{HOME}.given_threads",
            lambda n=n_threads: n,
        )
        found.append(model.log_likelihoods(tokens, tokens[::-1], offsets))
    np.testing.assert_array_equal(*found)


def test_a_dimension_without_embedding_or_without_reader_goes():
    cell = make_cell()
    with torch.no_grad():
        cell.Emb[:, 0] = 0
        cell.W_ih[:, 1] = 0
        cell.Emb[[2, 4]] = 0
        cell.Emb[3, 2:] = 0  # what is left of this word, nobody reads
    structure = cell.compacted()[0].structure()
    assert structure.inputs == (2, 3)
    assert structure.words == (0, 1, 5, 6)
    assert structure.counts()["words"] == 4


def test_a_word_that_is_gone_is_still_a_step_of_time():
    cell = make_cell()
    with torch.no_grad():
        cell.Emb[4] = 0
    small = cell.compacted()[0]
    with_it, without = (small(batch_of(text)).detach() for text in ([2, 4], [2]))
    assert not torch.allclose(with_it[-1], without[-1])


def test_dropout_falls_on_embeddings_and_not_on_numbers():
    cell, batch = make_cell(), batch_of([6, 5, 6])
    outputs = cell.noisy_outputs(
        batch, Dropout(columns=0.999), torch.Generator().manual_seed(0)
    )
    with torch.no_grad():
        cell.Emb.zero_()
    torch.testing.assert_close(outputs, cell(batch))
    assert torch.equal(batch.x[:, 0], torch.tensor([6.0, 5.0]).double())


def test_gradients_reach_the_embeddings_that_occur():
    cell = make_cell()
    cell(batch_of([2, 5])).sum().backward()
    rows = cell.Emb.grad.abs().sum(1).nonzero()[:, 0]
    assert rows.tolist() == [2, 5]


@pytest.mark.parametrize("kind", KINDS)
def test_live_structure_is_that_of_the_pruned_cell(kind):
    cell = make_cell()
    live = np.random.default_rng(1).random(cell.groups(kind).n_groups) < 0.6
    pruned, _ = cell.pruned(kind, live)
    assert pruned.structure() == cell.live_structure(kind, live)


def test_a_batch_may_hold_no_repeated_word():
    cell = make_cell()
    batch = Batch(
        torch.arange(V).double()[:, None],
        np.arange(V, dtype=np.int32),
        np.array([0, V]),
    )
    np.testing.assert_allclose(
        cell(batch).detach(), equations(cell, range(V)), atol=1e-13
    )
