"""On a GPU if there is one; otherwise on the CPU, in Triton's interpreter."""

import os
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational import kernels
from skrational.kernels import reference

pytestmark = pytest.mark.usefixtures("poisoned_memory")

# cuBLAS asks for this where poisoned memory has made torch deterministic.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
TOLERANCE = {torch.float32: 2e-6, torch.float64: 1e-10}


def draw_problem(
    seed, sizes, lengths, token_level=False, dtype=torch.float64, n_rows=None
):
    rng = np.random.default_rng(seed)
    offsets = np.cumsum([0, *sizes])
    n_tokens, S, n_features = offsets[-1], sum(lengths), 5
    if token_level:
        n_rows, ids = n_tokens, np.arange(n_tokens)
    else:
        n_rows = n_rows or max(1, n_tokens // 2)
        ids = rng.integers(0, n_rows, n_tokens)
    shapes = (n_rows, n_features), (S, n_features), (S, n_features), (S,)
    tensors = [
        torch.from_numpy(rng.normal(size=shape)).to(DEVICE, dtype).requires_grad_()
        for shape in shapes
    ]
    return *tensors, ids.astype(np.int32), offsets, tuple(lengths)


def value_and_gradients(kernel, problem, anywhere):
    """Scores, and the gradients of a random linear function of them."""
    scores = kernel.state_scores(*problem, anywhere=anywhere)
    noise = np.random.default_rng(0).normal(size=scores.shape)
    direction = torch.from_numpy(noise).to(scores)
    gradients = torch.autograd.grad(scores, problem[:4], direction)
    return [scores.detach(), *gradients]


def assert_equals_reference(cuda, problem, anywhere):
    mine = value_and_gradients(cuda, problem, anywhere)
    exact = [p.detach().double().requires_grad_() for p in problem[:4]]
    theirs = value_and_gradients(reference, (*exact, *problem[4:]), anywhere)
    for a, b in zip(mine, theirs, strict=True):
        assert a.shape == b.shape
        assert a.dtype == problem[0].dtype
        if b.numel():
            bound = TOLERANCE[a.dtype] * b.abs().max()
            assert (a.double() - b).abs().max() <= bound


@pytest.mark.parametrize("anywhere", [False, True])
@pytest.mark.parametrize("token_level", [False, True])
@pytest.mark.parametrize(
    ("lengths", "dtype"),
    [
        ((1,), torch.float32),
        ((1,), torch.float64),
        ((4,) * 3, torch.float64),
        ((2,) * 40, torch.float64),
    ],
)
def test_equals_the_reference(cuda, lengths, dtype, token_level, anywhere):
    problem = draw_problem(1, [0, 3, 0, 5, 1, 0], lengths, token_level, dtype)
    assert_equals_reference(cuda, problem, anywhere)


@pytest.mark.parametrize("anywhere", [False, True])
@pytest.mark.parametrize("token_level", [False, True])
@pytest.mark.parametrize(
    ("lengths", "dtype"),
    [((1, 6, 3, 9), torch.float32), ((1, 6, 3, 13, 5), torch.float64)],
)
def test_equals_the_reference_over_slabs(cuda, lengths, dtype, token_level, anywhere):
    # A state scores 0 unless a document has as many tokens as lead to it.
    problem = draw_problem(16, [0, max(lengths) + 1, 1], lengths, token_level, dtype)
    assert_equals_reference(cuda, problem, anywhere)
    last = np.cumsum(lengths)[np.argmax(lengths)] - 1
    assert cuda.state_scores(*problem, anywhere=anywhere)[1, last] != 0


@settings(max_examples=10)
@given(
    seed=st.integers(0, 2**16),
    sizes=st.lists(st.integers(0, 5), min_size=1, max_size=4).filter(any),
    lengths=st.lists(st.integers(0, 6), max_size=5),
    token_level=st.booleans(),
    anywhere=st.booleans(),
)
def test_equals_the_reference_on_ragged_shapes(
    cuda, seed, sizes, lengths, token_level, anywhere
):
    problem = draw_problem(seed, sizes, lengths, token_level)
    assert_equals_reference(cuda, problem, anywhere)


@pytest.mark.parametrize(("token_level", "anywhere"), [(False, True), (True, False)])
def test_long_documents_keep_their_precision(cuda, token_level, anywhere):
    problem = draw_problem(2, [150, 1], (2,), token_level, torch.float32)
    assert_equals_reference(cuda, problem, anywhere)


def test_rows_that_many_tokens_share_are_summed_in_pieces(cuda, room):
    *tensors, ids, offsets, lengths = draw_problem(3, [30, 0, 60], (1, 2), n_rows=3)
    ids[:] = 1
    ids[::8], ids[5::8] = 0, 2
    assert np.bincount(ids).max() > room.batch.PIECE
    problem = *tensors, ids, offsets, lengths
    assert_equals_reference(cuda, problem, anywhere=True)


def test_states_of_many_blocks_are_summed(cuda, room):
    problem = draw_problem(4, [2, 1], (3,) * 45)
    assert sum(problem[6]) > room.sums.COLUMNS.value
    assert_equals_reference(cuda, problem, anywhere=False)


def test_rows_may_stand_in_any_order(cuda):
    *tensors, ids, offsets, lengths = draw_problem(5, [4, 3], (2, 1), token_level=True)
    problem = *tensors, ids[::-1].copy(), offsets, lengths
    assert_equals_reference(cuda, problem, anywhere=False)


@pytest.mark.parametrize("anywhere", [False, True])
@pytest.mark.parametrize("token_level", [False, True])
@pytest.mark.parametrize("sizes", [[], [0], [0, 0]])
@pytest.mark.parametrize("lengths", [(), (0,), (2, 1)])
def test_no_tokens_and_no_states_are_possible(
    cuda, lengths, sizes, token_level, anywhere
):
    problem = draw_problem(6, sizes, lengths, token_level)
    scores, *gradients = value_and_gradients(cuda, problem, anywhere)
    assert scores.shape == (len(sizes), sum(lengths))
    assert not scores.any()
    assert not any(g.any() for g in gradients)


@pytest.mark.parametrize("lengths", [(), (2, 3)])
def test_an_unused_row_has_no_gradient(cuda, lengths):
    problem = draw_problem(7, [3, 2], lengths, n_rows=40)
    gradient = value_and_gradients(cuda, problem, anywhere=False)[1]
    unused = np.setdiff1d(np.arange(40), problem[4])
    assert not gradient[unused].any()
    assert gradient.any() == bool(lengths)


@pytest.mark.parametrize("token_level", [False, True])
def test_features_need_no_gradient(cuda, token_level):
    x, *rest = draw_problem(8, [4, 2], (2, 1), token_level)
    scores = cuda.state_scores(x.detach(), *rest)
    scores.sum().backward()
    assert x.grad is None
    assert all(w.grad.abs().sum() > 0 for w in rest[:3])


@pytest.mark.parametrize("token_level", [False, True])
def test_gives_the_same_bits_when_repeated(cuda, token_level):
    problem = draw_problem(9, [5, 1, 0, 12], (3, 1), token_level, torch.float32)
    first = value_and_gradients(cuda, problem, anywhere=True)
    again = value_and_gradients(cuda, problem, anywhere=True)
    assert all(map(torch.equal, first, again))


@pytest.mark.parametrize("anywhere", [False, True])
def test_gives_the_same_scores_without_gradients(cuda, anywhere):
    problem = draw_problem(10, [5, 1, 0, 9], (3, 1), dtype=torch.float32)
    recorded = cuda.state_scores(*problem, anywhere=anywhere)
    with torch.no_grad():
        scores = cuda.state_scores(*problem, anywhere=anywhere)
    torch.testing.assert_close(scores, recorded.detach(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("why", ["no_grad", "detached"])
def test_keeps_no_history_unless_a_gradient_is_needed(cuda, monkeypatch, why):
    with_history = []
    score = cuda.score

    def spy(*args):
        with_history.append(args[-1] is not None)
        return score(*args)

    monkeypatch.setattr(cuda, "score", spy)
    *tensors, ids, offsets, lengths = draw_problem(11, [2], (2,))
    cuda.state_scores(*tensors, ids, offsets, lengths)
    if why == "detached":
        tensors = [tensor.detach() for tensor in tensors]
    with torch.set_grad_enabled(why == "detached"):
        cuda.state_scores(*tensors, ids, offsets, lengths)
    assert with_history == [True, False]


@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
@pytest.mark.parametrize("scale", [1e-20, 100.0])
def test_saturated_gates_stay_finite(cuda, scale):
    x, *rest = draw_problem(12, [30, 20], (3, 1), dtype=torch.float32)
    problem = (x.detach() * scale).requires_grad_(), *rest
    # Sums of what isn't finite aren't either.
    results = value_and_gradients(cuda, problem, anywhere=True)
    assert all(torch.isfinite(result).all() for result in results)


@pytest.mark.parametrize("semiring", ["max-plus", "max-times"])
def test_other_semirings_are_refused(cuda, semiring):
    with pytest.raises(ValueError, match=f"computes plus-times; got {semiring}"):
        cuda.state_scores(*draw_problem(13, [2], (2,)), semiring=semiring)


def test_other_types_are_refused(cuda):
    problem = draw_problem(14, [2], (2,), dtype=torch.float16)
    with pytest.raises(ValueError, match=r"float32 or float64; got torch\.float16"):
        cuda.state_scores(*problem)
    mixed = problem[0].double(), problem[1].float(), *problem[2:]
    with pytest.raises(ValueError, match=r"float16, torch\.float32, torch\.float64"):
        cuda.state_scores(*mixed)


def test_what_is_compiled_takes_cuda_tensors(compiled):
    *tensors, ids, offsets, lengths = draw_problem(15, [2], (2,))
    with pytest.raises(ValueError, match="takes CUDA tensors; got cpu"):
        compiled.operation.state_scores(
            *(tensor.cpu() for tensor in tensors), ids, offsets, lengths
        )


@pytest.mark.usefixtures("compiled")
def test_says_whether_triton_is_installed():
    assert kernels.has_triton()


def test_is_what_document_scores_dispatches_to(cuda, monkeypatch):
    *tensors, ids, offsets, lengths = draw_problem(17, [4, 2], (2, 1))
    final = torch.arange(1.0, 4.0).to(tensors[0])
    problem = *tensors, final, ids, offsets, lengths
    monkeypatch.setattr(kernels, "choose_kernel", lambda *args: "triton")
    # Imported anew it would be compiled, and refuse tensors on the CPU.
    monkeypatch.setitem(sys.modules, cuda.__name__, cuda)
    scores = kernels.document_scores(*problem, semiring="plus-times")
    exact = reference.document_scores(*problem, semiring="plus-times")
    torch.testing.assert_close(scores, exact)
