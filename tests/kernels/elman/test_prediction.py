import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational import SequenceArray
from skrational.kernels.cpu import prediction as cpu_prediction
from skrational.kernels.cpu.scorer import Scorer
from skrational.kernels.elman.prediction import PackedElman
from tests.kernels.elman.problems import draw, loop

SPARSE = pytest.mark.parametrize("sparse", [False, True])


def pack(problem, readout="last", length_exponent=0.0, sparse=None):
    return PackedElman.of(
        *problem.arrays[1:],
        problem.activation,
        readout,
        length_exponent,
        sparse=sparse,
    )


def states_of(packed, problem):
    features = problem.arrays[0]
    table = np.full((len(features), packed.width), np.nan, packed.dtype)
    packed.project(features, np.arange(len(features)), table)
    return packed.states(table, problem.ids, problem.offsets)


def documents_of(problem):
    return SequenceArray(problem.arrays[0], problem.offsets, problem.ids)


def expected_scores(problem, readout, length_exponent):
    documents = np.split(loop(problem), problem.offsets[1:-1])
    if readout == "last":
        return np.stack([s[-1] if len(s) else 0 * s.sum(0) for s in documents])
    return np.stack([s.sum(0) / max(len(s), 1) ** length_exponent for s in documents])


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**16),
    activation=st.sampled_from(["tanh", "relu"]),
    sizes=st.lists(st.integers(0, 12), min_size=1, max_size=50),
    n_units=st.integers(0, 20),
    density=st.sampled_from([0, 0.1, 1]),
    sparse=st.booleans(),
    readout=st.sampled_from(["last", "anywhere"]),
    length_exponent=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_equals_the_equation(
    seed, activation, sizes, n_units, density, sparse, readout, length_exponent
):
    problem = draw(seed, activation, sizes, n_units, density=density)
    packed = pack(problem, readout, length_exponent, sparse)
    states = states_of(packed, problem)
    expected = loop(problem)
    scale = 1 + np.abs(expected).max(initial=0)
    np.testing.assert_allclose(states, expected, rtol=0, atol=1e-13 * scale)
    scores = Scorer({}, None, packed).scores(documents_of(problem))
    expected = expected_scores(problem, readout, length_exponent)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-12 * scale)


@pytest.mark.parametrize("activation", ["tanh", "relu"])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-12)], ids=str
)
def test_the_sparse_pass_computes_what_the_dense_one_does(activation, dtype, tolerance):
    problem = draw(1, activation, [9, 0, 30] * 15, 70, density=0.1, dtype=dtype)
    dense, sparse = (states_of(pack(problem, sparse=s), problem) for s in (0, 1))
    scale = np.abs(dense).max()
    np.testing.assert_allclose(sparse, dense, rtol=0, atol=tolerance * scale)


@SPARSE
@pytest.mark.parametrize("readout", ["last", "anywhere"])
def test_the_bits_of_a_document_do_not_depend_on_the_others(
    sparse, readout, monkeypatch
):
    sizes = [7, 30, 0, 1, 12, 3, 25, 8, 2, 4, 4]
    problem = draw(2, sizes=sizes, n_units=11, dtype=torch.float32)
    X, packed = documents_of(problem), pack(problem, readout, 0.5, sparse)
    scores = Scorer({}, None, packed).scores(X)
    one_by_one = [Scorer({}, None, packed).scores(X[i : i + 1]) for i in range(len(X))]
    np.testing.assert_array_equal(np.concatenate(one_by_one), scores)
    monkeypatch.setattr(cpu_prediction, "_CHUNK_TOKENS", 10)
    backwards = Scorer({}, None, packed).scores(X[::-1])
    np.testing.assert_array_equal(backwards[::-1], scores)


@SPARSE
def test_gives_the_same_bits_for_any_number_of_threads(sparse, monkeypatch):
    problem = draw(3, sizes=[40] * 20, n_units=11, dtype=torch.float32)
    X, packed = documents_of(problem), pack(problem, "anywhere", sparse=sparse)
    scores = Scorer({}, None, packed).scores(X)
    monkeypatch.setattr(cpu_prediction, "_SHARED_TOKENS", 50)
    for n_threads in (2, 3):
        monkeypatch.setattr(cpu_prediction, "given_threads", lambda n=n_threads: n)
        np.testing.assert_array_equal(Scorer({}, None, packed).scores(X), scores)


@SPARSE
def test_nan_spoils_the_states_of_its_document_alone(sparse):
    problem = draw(8, sizes=(3, 4, 5), density=0.5)
    problem.ids = np.arange(12, dtype=np.int32)
    problem.x = torch.randn(12, 3, dtype=torch.float64)
    problem.x[4] = np.nan
    spoilt = np.isnan(states_of(pack(problem, sparse=sparse), problem)).any(1)
    assert not spoilt[:3].any()
    assert spoilt[4]
    assert not spoilt[7:].any()


@pytest.mark.parametrize(
    ("density", "sparse"), [(1, False), (0.2, False), (0.05, True)]
)
def test_few_weights_are_packed_as_such(density, sparse):
    assert pack(draw(n_units=64, density=density)).is_sparse is sparse
