from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational.kernels import reference
from skrational.kernels.cpu import prediction
from skrational.kernels.cpu.prediction import PackedAutomata, chunks
from skrational.kernels.cpu.readout import apply_readout
from skrational.kernels.cpu.slabs import SLAB
from skrational.kernels.semirings import SEMIRINGS
from skrational.structures.automata import ScoringRule

pytestmark = pytest.mark.usefixtures("poisoned_memory")

LENGTHS = (4, 1, 3, 2, 4, 4, 2, 9, 1, 5)
TOLERANCE = {"float32": 2e-6, "float64": 1e-12}


class Problem:
    """Drawn automata and documents, ready for the kernel and for the reference."""

    def __init__(
        self,
        seed,
        sizes,
        lengths=LENGTHS,
        dtype="float64",
        anywhere=True,
        length_exponent=0.5,
        n_features=4,
        n_outputs=2,
        n_rows=None,
    ):
        rng = np.random.default_rng(seed)
        self.offsets = np.cumsum([0, *sizes], dtype=np.int64)
        n_tokens, n_states = int(self.offsets[-1]), sum(lengths)
        n_rows = n_rows or max(1, n_tokens // 2)
        self.ids = rng.integers(0, n_rows, n_tokens).astype(np.int32)
        shapes = {
            "x": (n_rows, n_features),
            "W_u": (n_states, n_features),
            "W_f": (n_states, n_features),
            "b_f": (n_states,),
            "final": (n_states,),
            "A": (n_outputs, len(lengths)),
            "a": (n_outputs,),
        }
        self.arrays = {
            name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()
        }
        self.features = self.arrays["x"]
        self.lengths = tuple(lengths)
        self.anywhere, self.length_exponent = anywhere, length_exponent
        rule = ScoringRule(
            match="anywhere" if anywhere else "end", length_exponent=length_exponent
        )
        weights = (self.arrays[name] for name in ("W_u", "W_f", "b_f", "final"))
        automata = PackedAutomata.of(self.lengths, rule, *weights)
        self.automata = replace(automata, length_exponent=length_exponent)

    def table(self):
        automata = self.automata
        table = np.full((len(self.features), automata.width), np.nan, automata.dtype)
        automata.project(self.features, np.arange(len(table)), table)
        return table

    def logits(self):
        return self.read_out(self.automata.scores(self.table(), self.ids, self.offsets))

    def logits_of_tokens(self):
        return self.read_out(
            self.automata.scores_of_tokens(self.features, self.ids, self.offsets)
        )

    def read_out(self, scores):
        return apply_readout(scores, self.arrays["A"], self.arrays["a"])

    def expected(self):
        """Logits by the reference in double precision, and the scale of their error.

        The scale is what the same sums give when no term cancels another.
        """
        x, W_u, W_f, b_f, final, A, a = (
            torch.from_numpy(array).double() for array in self.arrays.values()
        )
        scores = reference.document_scores(
            x,
            W_u,
            W_f,
            b_f,
            final,
            self.ids,
            self.offsets,
            self.lengths,
            anywhere=self.anywhere,
            length_exponent=self.length_exponent,
        )
        f = torch.sigmoid(x @ W_f.T + b_f)
        # 1 - f is off by rounding errors of 1, however small it is.
        u = (1 - f + 1 / 8) * (x.abs() @ W_u.abs().T)
        states = reference.forward_algorithm(
            f,
            u,
            self.ids,
            self.offsets,
            self.lengths,
            self.anywhere,
            SEMIRINGS["plus-times"],
        )
        wfsa = torch.from_numpy(np.repeat(np.arange(len(self.lengths)), self.lengths))
        sizes = torch.from_numpy(np.maximum(np.diff(self.offsets), 1)).double()
        scale = torch.zeros_like(scores).index_add(1, wfsa, states * final.abs())
        scale *= sizes[:, None] ** -self.length_exponent
        logits = scores @ A.T + a
        return logits.numpy(), (scale @ A.abs().T + a.abs() + 1e-2).numpy()


def assert_equals_the_reference(logits, problem):
    expected, scale = problem.expected()
    dtype = problem.features.dtype.name
    assert logits.dtype == np.float64
    assert logits.shape == expected.shape
    assert (np.abs(logits - expected) <= TOLERANCE[dtype] * scale).all()


problems = st.builds(
    Problem,
    seed=st.integers(0, 2**16),
    sizes=st.lists(st.integers(0, 12), min_size=1, max_size=8).filter(any),
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=20),
    dtype=st.sampled_from(["float32", "float64"]),
    anywhere=st.booleans(),
    length_exponent=st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    n_features=st.integers(1, 6),
    n_outputs=st.integers(1, 3),
)


def test_equals_the_equations_written_out():
    for anywhere in (False, True):
        problem = Problem(0, [3, 0, 5, 1], (2, 1, 6), anywhere=anywhere)
        arrays = problem.arrays
        logits = []
        for start, stop in zip(problem.offsets, problem.offsets[1:], strict=False):
            scores, s = np.zeros(3), 0
            for i, length in enumerate(problem.lengths):
                c, joined = np.zeros(length), np.zeros(length)
                own = slice(s, s + length)
                for row in problem.ids[start:stop]:
                    x = problem.features[row]
                    z_f = arrays["W_f"][own] @ x + arrays["b_f"][own]
                    f = 1 / (1 + np.exp(-z_f))
                    u = (1 - f) * (arrays["W_u"][own] @ x)
                    c = f * c + u * np.array([1.0, *c[:-1]])
                    joined += c
                scores[i] = arrays["final"][own] @ (joined if anywhere else c)
                s += length
            scores /= max(stop - start, 1) ** 0.5
            logits.append(arrays["A"] @ scores + arrays["a"])
        np.testing.assert_allclose(problem.logits(), logits, rtol=1e-12)
        np.testing.assert_allclose(problem.logits_of_tokens(), logits, rtol=1e-12)


@settings(max_examples=60)
@given(problems)
def test_logits_from_a_table_equal_the_reference(problem):
    assert_equals_the_reference(problem.logits(), problem)


@settings(max_examples=60)
@given(problems, st.integers(1, 20))
def test_logits_token_by_token_equal_the_reference(problem, chunk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prediction, "_CHUNK_TOKENS", chunk)
        logits = problem.logits_of_tokens()
    assert_equals_the_reference(logits, problem)
    # A row's projection does not depend on what else is projected.
    np.testing.assert_array_equal(logits, problem.logits())


@pytest.mark.parametrize("n_documents", [63, 64, 65, 129])
@pytest.mark.parametrize("anywhere", [False, True])
def test_any_number_of_documents_equals_the_reference(n_documents, anywhere):
    sizes = np.random.default_rng(0).integers(0, 6, n_documents)
    problem = Problem(1, sizes, anywhere=anywhere)
    assert_equals_the_reference(problem.logits(), problem)
    assert_equals_the_reference(problem.logits_of_tokens(), problem)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("lengths", [(4, 4, 2), LENGTHS])
def test_long_documents_equal_the_reference(dtype, lengths):
    problem = Problem(2, [400, 1, 17, 0, 31], lengths, dtype, n_rows=50)
    assert_equals_the_reference(problem.logits(), problem)


@pytest.fixture
def threads(monkeypatch):
    """Set the number of torch's threads; work is shared however little it is."""
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 8)
    monkeypatch.setattr(prediction, "_SHARED_TOKENS", 1)
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("sizes", [[50] * 9, [0, 300, 0, 0, 2], [1], [0, 0], [7] * 200])
def test_gives_the_same_bits_for_any_number_of_threads(threads, monkeypatch, sizes):
    monkeypatch.setattr(prediction, "_CHUNK_TOKENS", 100)
    problem = Problem(3, sizes, dtype="float32")
    threads(1)
    alone = problem.logits()
    for n_threads in (1, 2, 3, 5):
        threads(n_threads)
        np.testing.assert_array_equal(problem.logits(), alone)
        np.testing.assert_array_equal(problem.logits_of_tokens(), alone)


def test_threads_do_share_the_documents(threads, monkeypatch):
    problem = Problem(4, [20] * 30)
    shares = []

    def run_all(tasks, n_threads):
        shares.append((len(tasks), n_threads))
        return [task() for task in tasks]

    monkeypatch.setattr(prediction, "run_all", run_all)
    threads(3)
    assert_equals_the_reference(problem.logits(), problem)
    monkeypatch.setattr(prediction, "_SHARED_TOKENS", 2**15)
    problem.logits()
    assert shares == [(3, 3), (1, 1)]


@settings(max_examples=40)
@given(problems, st.data())
def test_a_document_gives_the_same_bits_in_any_company(problem, data):
    table, logits = problem.table(), problem.logits()
    n = len(logits)
    start = data.draw(st.integers(0, n))
    stop = data.draw(st.integers(start, n))
    part = problem.offsets[start : stop + 1]
    scores = problem.automata.scores(table, problem.ids, part)
    np.testing.assert_array_equal(problem.read_out(scores), logits[start:stop])
    chosen = data.draw(st.lists(st.integers(0, n - 1), max_size=5))
    pieces = [problem.ids[slice(*problem.offsets[i : i + 2])] for i in chosen]
    ids = np.concatenate([*pieces, np.empty(0, np.int32)]).astype(np.int32)
    offsets = np.cumsum([0, *map(len, pieces)], dtype=np.int64)
    scores = problem.automata.scores(table, ids, offsets)
    np.testing.assert_array_equal(problem.read_out(scores), logits[chosen])


@settings(max_examples=20)
@given(st.integers(0, 2**16), st.integers(1, 700))
def test_a_row_has_the_same_bits_in_any_company(seed, n_chosen):
    problem = Problem(seed, [5], dtype="float32", n_features=37, n_rows=600)
    table = problem.table()
    rows = np.random.default_rng(seed).integers(0, 600, n_chosen)
    some = np.full((n_chosen, problem.automata.width), np.nan, np.float32)
    problem.automata.project(problem.features, rows, some)
    np.testing.assert_array_equal(some, table[rows])


@pytest.mark.parametrize("features", ["float16", "float32", "float64"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_row_holds_its_transition_weights(features, dtype):
    problem = Problem(5, [9], dtype=dtype, n_rows=7)
    x = problem.features.astype(features)
    table = np.full((7, problem.automata.width), np.nan, dtype)
    problem.automata.project(x, np.arange(7), table)
    W_u, W_f, b_f = (problem.arrays[n].astype(float) for n in ("W_u", "W_f", "b_f"))
    exact = x.astype(dtype).astype(float)
    f = 1 / (1 + np.exp(-(exact @ W_f.T + b_f)))
    u = (1 - f) * (exact @ W_u.T)
    layout = problem.automata.layout
    tolerance = 10 * TOLERANCE[dtype]
    np.testing.assert_allclose(
        table[:, layout.f_rows], f, rtol=tolerance, atol=tolerance
    )
    np.testing.assert_allclose(
        table[:, layout.u_rows], u, rtol=tolerance, atol=tolerance
    )
    used = np.concatenate([layout.f_rows, layout.u_rows])
    padding = np.setdiff1d(np.arange(problem.automata.width), used)
    padding = table[:, padding]
    # Where no state stands, a self-loop weighs 1/2 and nothing enters.
    assert np.isin(padding, [0, 0.5]).all()


def test_no_documents_give_no_logits():
    problem = Problem(6, [])
    assert problem.logits().shape == (0, 2)


def test_no_documents_give_no_logits_token_by_token():
    assert Problem(6, []).logits_of_tokens().shape == (0, 2)


@pytest.mark.parametrize("anywhere", [False, True])
@pytest.mark.parametrize("sizes", [[0], [0, 0, 0], [0, 3, 0]])
def test_an_empty_document_gets_the_intercept(sizes, anywhere):
    problem = Problem(7, sizes, anywhere=anywhere)
    intercept = problem.arrays["a"]
    for logits in (problem.logits(), problem.logits_of_tokens()):
        for size, of_document in zip(sizes, logits, strict=True):
            assert np.array_equal(of_document, intercept) == (size == 0)


@pytest.mark.parametrize("length_exponent", [0.0, 1.0])
def test_a_document_of_one_token_takes_one_step(length_exponent):
    problem = Problem(
        8, [1], (1, 4), length_exponent=length_exponent, n_outputs=1, n_rows=3
    )
    x, W_u, W_f, b_f, final, A, a = problem.arrays.values()
    x = x[problem.ids[0]]
    u = (W_u @ x) / (1 + np.exp(W_f @ x + b_f))
    expected = A[0] @ [final[0] * u[0], final[1] * u[1]] + a
    np.testing.assert_allclose(problem.logits(), [expected], rtol=1e-12)


@pytest.mark.parametrize("sizes", [[], [0], [3, 0, 2]])
@pytest.mark.parametrize("lengths", [(), (0, 0)])
def test_without_states_every_document_gets_the_intercept(sizes, lengths):
    problem = Problem(9, sizes, lengths)
    assert problem.automata.width == 0
    expected = np.broadcast_to(problem.arrays["a"], (len(sizes), 2))
    np.testing.assert_array_equal(problem.logits(), expected)
    np.testing.assert_array_equal(problem.logits_of_tokens(), expected)


def test_the_readout_adds_up_weighted_scores_in_double_precision():
    problem = Problem(10, [4, 0, 9], dtype="float32")
    scores = problem.automata.scores(problem.table(), problem.ids, problem.offsets)
    A, a = (problem.arrays[name].astype(float) for name in ("A", "a"))
    logits = problem.logits()
    assert logits.dtype == np.float64
    np.testing.assert_allclose(logits, scores.astype(float) @ A.T + a, rtol=1e-12)


def test_nothing_that_is_given_is_changed():
    problem = Problem(11, [4, 0, 9])
    table = problem.table()
    given_ = [table, problem.ids, problem.offsets, *problem.arrays.values()]
    for array in given_:
        array.flags.writeable = False
    expected = problem.logits_of_tokens()
    scores = problem.automata.scores(table, problem.ids, problem.offsets)
    logits = problem.read_out(scores)
    np.testing.assert_array_equal(logits, expected)
    assert logits.flags.writeable


def test_a_row_of_the_table_is_as_wide_as_two_entries_for_each_place():
    assert Problem(12, [1], (4,) * 9).automata.width == 2 * 2 * SLAB


@given(st.lists(st.integers(0, 30), max_size=20), st.integers(1, 40))
def test_chunks_hold_all_documents_in_order(sizes, limit):
    offsets = np.cumsum([0, *sizes])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(prediction, "_CHUNK_TOKENS", limit)
        runs = list(chunks(offsets))
    documents = [i for start, stop in runs for i in range(start, stop)]
    assert documents == list(range(len(sizes)))
    for start, stop in runs:
        assert start < stop
        assert offsets[stop] - offsets[start] <= limit or stop == start + 1
        # One more document would not fit.
        assert stop == len(sizes) or offsets[stop + 1] - offsets[start] > limit
