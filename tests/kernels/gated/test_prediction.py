import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational import SequenceArray
from skrational.kernels.cpu import prediction as cpu_prediction
from skrational.kernels.cpu.panels import PANEL
from skrational.kernels.cpu.scorer import Scorer
from skrational.kernels.gated import reference
from skrational.kernels.gated.prediction import PackedGRU, PackedLSTM
from tests.kernels.gated.problems import draw

PACKED = {"lstm": PackedLSTM, "gru": PackedGRU}
KINDS = pytest.mark.parametrize("kind", PACKED)


def pack(problem, anywhere=False, length_exponent=0.0):
    n_features = problem.x.shape[1]
    return PACKED[problem.kind].of(
        *problem.arrays[1:],
        problem.learned,
        np.arange(n_features),
        n_features,
        anywhere,
        length_exponent,
    )


def table_of(packed, features):
    table = np.full((len(features), packed.width), np.nan, packed.dtype)
    packed.project(features, np.arange(len(features)), table)
    return table


def documents_of(problem, indices=True):
    x = problem.arrays[0]
    if indices:
        return SequenceArray(x, problem.offsets, problem.ids)
    return SequenceArray(x[problem.ids], problem.offsets)


def expected_scores(problem, anywhere, length_exponent):
    states = problem.states(reference).detach().numpy()
    documents = np.split(states, problem.offsets[1:-1])
    if not anywhere:
        return np.stack([s[-1] if len(s) else 0 * s.sum(0) for s in documents])
    return np.stack([s.sum(0) / max(len(s), 1) ** length_exponent for s in documents])


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**16),
    kind=st.sampled_from(["lstm", "gru"]),
    sizes=st.lists(st.integers(0, 12), min_size=1, max_size=12),
    n_units=st.integers(0, 20),
    share=st.sampled_from([0, 0.2, 0.7, 1]),
    anywhere=st.booleans(),
    length_exponent=st.sampled_from([0.0, 0.5, 1.0]),
    indices=st.booleans(),
)
def test_equals_the_reference(
    seed, kind, sizes, n_units, share, anywhere, length_exponent, indices
):
    problem = draw(seed, kind, sizes, n_units, share)
    packed = pack(problem, anywhere, length_exponent)
    states = packed.states(
        table_of(packed, problem.arrays[0]), problem.ids, problem.offsets
    )
    expected = problem.states(reference).detach().numpy()
    np.testing.assert_allclose(states, expected, rtol=0, atol=1e-13)
    scores = Scorer({}, None, packed).scores(documents_of(problem, indices))
    expected = expected_scores(problem, anywhere, length_exponent)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-12)


@KINDS
def test_is_close_in_single_precision(kind):
    problem = draw(1, kind, (30, 2, 0, 50), 20, dtype=torch.float32)
    scores = Scorer({}, None, pack(problem)).scores(documents_of(problem))
    assert scores.dtype == np.float32
    expected = expected_scores(problem, False, 0.0)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=2e-6)


@KINDS
@pytest.mark.parametrize("anywhere", [False, True])
@pytest.mark.parametrize("indices", [False, True])
def test_the_bits_of_a_document_do_not_depend_on_the_others(
    kind, anywhere, indices, monkeypatch
):
    problem = draw(2, kind, [7, 30, 0, 1, 12, 3, 25, 8, 2], 11, dtype=torch.float32)
    X = documents_of(problem, indices)
    packed = pack(problem, anywhere, 0.5)
    scores = Scorer({}, None, packed).scores(X)
    one_by_one = [Scorer({}, None, packed).scores(X[i : i + 1]) for i in range(len(X))]
    np.testing.assert_array_equal(np.concatenate(one_by_one), scores)
    monkeypatch.setattr(cpu_prediction, "_CHUNK_TOKENS", 10)
    np.testing.assert_array_equal(
        Scorer({}, None, packed).scores(X[::-1])[::-1], scores
    )


@KINDS
def test_gives_the_same_bits_for_any_number_of_threads(kind, monkeypatch):
    problem = draw(3, kind, [40] * 20, 11, dtype=torch.float32)
    X, packed = documents_of(problem), pack(problem, True)
    scores = Scorer({}, None, packed).scores(X)
    monkeypatch.setattr(cpu_prediction, "_SHARED_TOKENS", 50)
    for n_threads in (2, 3):
        monkeypatch.setattr(cpu_prediction, "given_threads", lambda n=n_threads: n)
        np.testing.assert_array_equal(Scorer({}, None, packed).scores(X), scores)


@KINDS
def test_only_the_inputs_of_the_network_are_read(kind):
    problem = draw(4, kind, n_features=2)
    wide = np.random.default_rng(0).normal(size=(len(problem.x), 5))
    inputs = np.array([3, 1])
    wide[:, inputs] = problem.arrays[0]
    packed = PACKED[kind].of(
        *problem.arrays[1:], problem.learned, inputs, 5, False, 0.0
    )
    X = SequenceArray(wide, problem.offsets, problem.ids)
    np.testing.assert_allclose(
        Scorer({}, None, packed).scores(X), expected_scores(problem, False, 0.0)
    )


@KINDS
@pytest.mark.parametrize("n", [1, 4, 7])
@pytest.mark.parametrize("share", [0, 0.6])
def test_steps_lead_where_whole_documents_lead(kind, n, share):
    problem = draw(5, kind, [6] * n, 9, share)
    packed = pack(problem)
    table = table_of(packed, problem.arrays[0])
    expected = packed.states(table, problem.ids, problem.offsets).reshape(n, 6, 9)
    state = [np.zeros((n, 9))] * (2 if kind == "lstm" else 1)
    for t, ids in enumerate(problem.ids.reshape(n, 6).T):
        before = [s.copy() for s in state]
        after = packed.step(table[ids], *state)
        for mine, copy in zip(state, before, strict=True):
            np.testing.assert_array_equal(mine, copy)
        state = list(after) if kind == "lstm" else [after]
        np.testing.assert_array_equal(state[0], expected[:, t])


@KINDS
def test_a_step_of_no_units_is_possible(kind):
    packed = pack(draw(0, kind, n_units=0))
    state = [np.zeros((3, 0))] * (2 if kind == "lstm" else 1)
    after = packed.step(np.zeros((3, packed.width)), *state)
    assert np.shape(after)[-2:] == (3, 0)


@KINDS
@pytest.mark.parametrize("share", [0, 1])
@pytest.mark.parametrize("indices", [False, True])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_not_finite_are_named(kind, share, indices, value):
    problem = draw(6, kind, (3, 4), share=share)
    problem.x.data[problem.ids[4]] = value
    with pytest.raises(ValueError, match=r"Input X contains (NaN|inf)"):
        Scorer({}, None, pack(problem)).scores(documents_of(problem, indices))


@KINDS
def test_a_network_of_constants_knows_the_length_alone(kind):
    problem = draw(7, kind, (4, 4, 2), share=0)
    packed = pack(problem)
    assert packed.width == 0
    a, b, c = Scorer({}, None, packed).scores(documents_of(problem))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


@KINDS
def test_only_learned_gates_have_columns(kind):
    packed = pack(draw(8, kind, n_units=64, share=0.1))
    n_learned = np.count_nonzero(draw(8, kind, n_units=64, share=0.1).learned)
    assert n_learned <= packed.width < n_learned + 2 * PANEL


@KINDS
def test_without_room_for_a_table_predictions_are_the_same(kind, monkeypatch):
    problem = draw(9, kind, (5, 3, 8), dtype=torch.float32)
    X, packed = documents_of(problem), pack(problem)
    expected = Scorer({}, None, packed).scores(X)
    monkeypatch.setattr("skrational.kernels.cpu.scorer.available_memory", lambda: 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_array_equal(Scorer({}, None, packed).scores(X), expected)


def test_settings_can_be_replaced():
    problem = draw(10)
    packed = replace(pack(problem), anywhere=True, length_exponent=1.0)
    np.testing.assert_allclose(
        Scorer({}, None, packed).scores(documents_of(problem)),
        expected_scores(problem, True, 1.0),
    )
