import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.machinery import ModuleSpec
from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational import kernels
from skrational.kernels import reference
from skrational.kernels.cpu import operation as cpu
from skrational.kernels.cpu import passes, products
from skrational.kernels.semirings import SEMIRINGS
from skrational.utils.buffers import recycling
from skrational.utils.threads import single_thread

pytestmark = pytest.mark.usefixtures("poisoned_memory")

LENGTHS = (4, 1, 3, 2, 4, 4, 2, 9, 1, 5)
MAXIMA = ("max-plus", "max-times")


def every_semiring(test):
    return pytest.mark.parametrize("semiring", SEMIRINGS)(test)


def draw_problem(seed, sizes, lengths=LENGTHS, n_features=5, dtype=torch.float64):
    rng = np.random.default_rng(seed)
    offsets = np.cumsum([0, *sizes])
    n_rows, S = max(1, offsets[-1] // 2), sum(lengths)
    shapes = (n_rows, n_features), (S, n_features), (S, n_features), (S,)
    tensors = [
        torch.from_numpy(rng.normal(size=shape)).to(dtype).requires_grad_()
        for shape in shapes
    ]
    ids = rng.integers(0, n_rows, offsets[-1]).astype(np.int32)
    return *tensors, ids, offsets, tuple(lengths)


def over_tokens(problem, seed):
    """The same weights, on vectors that each belong to one token."""
    x, *weights, _, offsets, lengths = problem
    n_tokens = int(offsets[-1])
    rows = np.random.default_rng(seed).normal(size=(n_tokens, x.shape[1]))
    x = torch.from_numpy(rows).to(x.dtype).requires_grad_()
    return x, *weights, np.arange(n_tokens, dtype=np.int32), offsets, lengths


def value_and_gradients(kernel, problem, anywhere, semiring="plus-times"):
    """Scores, and the gradients of a random linear function of them."""
    scores = kernel.state_scores(*problem, anywhere=anywhere, semiring=semiring)
    noise = np.random.default_rng(0).normal(size=scores.shape)
    direction = torch.from_numpy(noise).to(scores.dtype)
    gradients = torch.autograd.grad(scores, problem[:4], direction)
    return [scores.detach(), *gradients]


def call(module, seed=9, semiring="plus-times", **options):
    """Scores of the automata, with drawn weights of the final states."""
    x, W_u, W_f, b_f, *documents = draw_problem(seed, [2, 0, 7])
    final = torch.linspace(-1, 1, len(b_f), dtype=b_f.dtype, requires_grad=True)
    inputs = x, W_u, W_f, b_f, final
    scores = module.document_scores(*inputs, *documents, semiring=semiring, **options)
    gradients = torch.autograd.grad((scores**2).sum(), inputs)
    return [scores.detach(), *gradients]


def assert_close(mine, theirs, tolerance):
    for a, b in zip(mine, theirs, strict=True):
        assert a.shape == b.shape
        assert torch.linalg.vector_norm(a - b) <= tolerance * (
            torch.linalg.vector_norm(b) + 1e-2
        )


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**16),
    sizes=st.lists(st.integers(0, 12), min_size=1, max_size=8).filter(any),
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=20),
    n_features=st.integers(1, 6),
    anywhere=st.booleans(),
    semiring=st.sampled_from(list(SEMIRINGS)),
)
def test_equals_the_reference(seed, sizes, lengths, n_features, anywhere, semiring):
    problem = draw_problem(seed, sizes, lengths, n_features)
    mine, theirs = (
        value_and_gradients(kernel, problem, anywhere, semiring)
        for kernel in (cpu, reference)
    )
    assert_close(mine, theirs, 1e-12)


@pytest.mark.parametrize("anywhere", [False, True])
@pytest.mark.parametrize("seed", range(5))
@every_semiring
def test_is_close_in_single_precision(seed, anywhere, semiring):
    sizes = [0, 1, 30, 7, 1, 60]
    problem = draw_problem(seed, sizes, dtype=torch.float32)
    exact = [p.detach().double().requires_grad_() for p in problem[:4]]
    exactly = *exact, *problem[4:]
    expected = value_and_gradients(reference, exactly, anywhere, semiring)
    mine = value_and_gradients(cpu, problem, anywhere, semiring)
    assert {m.dtype for m in mine} == {torch.float32}
    assert_close([m.double() for m in mine], expected, 2e-6)


@pytest.mark.parametrize("sizes", [[], [0], [0, 0]])
@every_semiring
def test_no_tokens_and_no_documents_are_possible(sizes, semiring):
    problem = draw_problem(0, sizes)
    for anywhere in (False, True):
        scores, *gradients = value_and_gradients(cpu, problem, anywhere, semiring)
        assert scores.shape == (len(sizes), sum(LENGTHS))
        assert not scores.any()
        assert not any(g.any() for g in gradients)


@every_semiring
def test_an_empty_document_scores_zero(semiring):
    problem = draw_problem(0, [3, 0, 0, 2, 0])
    for anywhere in (False, True):
        scores = cpu.state_scores(*problem, anywhere=anywhere, semiring=semiring)
        assert not scores[[1, 2, 4]].any()
        assert scores[[0, 3]].any()


@pytest.mark.parametrize("anywhere", [False, True])
@every_semiring
def test_gradients_are_those_of_finite_differences(anywhere, semiring):
    *tensors, ids, offsets, lengths = draw_problem(1, [0, 1, 4], (2, 5), 2)

    def scores(*tensors):
        return cpu.state_scores(
            *tensors, ids, offsets, lengths, anywhere=anywhere, semiring=semiring
        )

    assert torch.autograd.gradcheck(scores, tensors)


def test_features_need_no_gradient():
    x, *rest = draw_problem(2, [4, 2])
    scores = cpu.state_scores(x.detach(), *rest)
    scores.sum().backward()
    assert x.grad is None
    assert all(w.grad.abs().sum() > 0 for w in rest[:3])


@pytest.mark.parametrize("anywhere", [False, True])
@every_semiring
def test_gives_the_same_bits_with_and_without_gradients(anywhere, semiring):
    problem = draw_problem(3, [5, 1, 0, 9], dtype=torch.float32)
    options = {"anywhere": anywhere, "semiring": semiring}
    recorded = cpu.state_scores(*problem, **options)
    with torch.no_grad():
        assert torch.equal(cpu.state_scores(*problem, **options), recorded)


@pytest.mark.parametrize("anywhere", [False, True])
@every_semiring
def test_gives_the_same_bits_when_repeated(anywhere, semiring):
    problem = draw_problem(4, [5, 1, 0, 40], dtype=torch.float32)
    first = value_and_gradients(cpu, problem, anywhere, semiring)
    for _ in range(3):
        again = value_and_gradients(cpu, problem, anywhere, semiring)
        assert all(map(torch.equal, first, again))


@pytest.fixture
def large_problem(monkeypatch):
    """A problem whose work is shared among threads."""
    lengths = (4,) * 20 + (1, 2, 9)
    monkeypatch.setattr(passes, "_LEAST_PRODUCT", 0)
    monkeypatch.setattr(passes, "_LEAST_WALK", 0)
    monkeypatch.setattr(products, "PART_ROWS", 512)
    problem = draw_problem(
        5, [50] * 80, lengths=lengths, n_features=200, dtype=torch.float32
    )
    assert len(problem[0]) > 2 * products.TILE_ROWS
    return problem


@pytest.fixture
def threads():
    """Set the number of torch's threads; it is put back."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("anywhere", [False, True])
@every_semiring
def test_gives_the_same_bits_for_any_number_of_threads(
    large_problem, threads, monkeypatch, anywhere, semiring
):
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 8)
    threads(1)
    alone = value_and_gradients(cpu, large_problem, anywhere, semiring)
    for n_threads in (2, 3, 5):
        threads(n_threads)
        with single_thread():
            shared = value_and_gradients(cpu, large_problem, anywhere, semiring)
        assert all(map(torch.equal, alone, shared))


def test_gives_the_same_bits_in_threads_that_run_at_once(large_problem):
    def run():
        with single_thread():
            return value_and_gradients(cpu, large_problem, True)

    expected = run()
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(run) for _ in range(20)]
    assert all(all(map(torch.equal, call.result(), expected)) for call in calls)


@pytest.mark.parametrize("anywhere", [False, True])
@pytest.mark.parametrize("length_exponent", [0.0, 0.5, 1.0])
@every_semiring
def test_the_readout_equals_that_of_the_reference(anywhere, length_exponent, semiring):
    options = {"anywhere": anywhere, "length_exponent": length_exponent}
    options["semiring"] = semiring
    for seed in range(3):
        mine, theirs = (call(m, seed, **options) for m in (cpu, reference))
        assert_close(mine, theirs, 1e-12)


def test_memory_that_is_used_again_changes_nothing():
    problem = draw_problem(10, [5, 1, 0, 40], dtype=torch.float32)
    expected = value_and_gradients(cpu, problem, True)
    with recycling():
        runs = [value_and_gradients(cpu, problem, True) for _ in range(4)]
        waiting = [cpu.state_scores(*problem, anywhere=True) for _ in range(3)]
        for scores in waiting:
            gradients = torch.autograd.grad(
                scores.sum(), problem[:4], retain_graph=True
            )
            again = torch.autograd.grad(scores.sum(), problem[:4])
            assert all(map(torch.equal, gradients, again))
    for run in runs:
        assert all(map(torch.equal, run, expected))


@every_semiring
def test_gradients_of_token_level_features_can_be_taken_twice(semiring):
    problem = over_tokens(draw_problem(11, [5, 0, 3]), 11)
    scores = cpu.state_scores(*problem, semiring=semiring)
    first = torch.autograd.grad(scores.sum(), problem[:4], retain_graph=True)
    again = torch.autograd.grad(scores.sum(), problem[:4])
    assert all(map(torch.equal, first, again))


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**16),
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=6).filter(any),
    lengths=st.lists(st.integers(1, 11), min_size=1, max_size=20),
    anywhere=st.booleans(),
    semiring=st.sampled_from(list(SEMIRINGS)),
)
def test_token_level_features_equal_the_reference(
    seed, sizes, lengths, anywhere, semiring
):
    problem = over_tokens(draw_problem(seed, sizes, lengths), seed)
    mine, theirs = (
        value_and_gradients(kernel, problem, anywhere, semiring)
        for kernel in (cpu, reference)
    )
    assert_close(mine, theirs, 1e-12)


@pytest.mark.parametrize("anywhere", [False, True])
@every_semiring
def test_a_long_document_stays_finite(anywhere, semiring):
    problem = draw_problem(6, [3000, 1, 2500], (3, 1, 2), 4)
    mine, theirs = (
        value_and_gradients(kernel, problem, anywhere, semiring)
        for kernel in (cpu, reference)
    )
    assert all(torch.isfinite(m).all() for m in mine)
    assert_close(mine, theirs, 1e-11)


@pytest.mark.parametrize("anywhere", [False, True])
@pytest.mark.parametrize("scale", [1e-20, 30.0])
@every_semiring
def test_saturated_gates_stay_finite(anywhere, scale, semiring):
    x, *weights, ids, offsets, lengths = draw_problem(
        7, [3000, 400], (3, 1, 2), 4, torch.float32
    )
    x = (x.detach() * scale).requires_grad_()
    problem = x, *weights, ids, offsets, lengths
    found = value_and_gradients(cpu, problem, anywhere, semiring)
    assert all(torch.isfinite(m).all() for m in found)


# With u of 1/2 and a self-loop that changes nothing, all that a state was is as good.
SHARES = {False: [0.25, 0.25, 0.5], True: [0.5, 0.25, 0.25]}


@pytest.mark.parametrize("anywhere", [False, True])
@pytest.mark.parametrize("semiring", MAXIMA)
@pytest.mark.parametrize("kernel", [cpu, reference])
def test_equally_good_ways_halve_a_gradient(kernel, semiring, anywhere):
    x = torch.eye(3, dtype=torch.float64)
    W_u = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    b_f = torch.full((1,), 1000.0, dtype=torch.float64)
    ids, offsets = np.arange(3, dtype=np.int32), np.array([0, 3])
    score = kernel.state_scores(
        x, W_u, torch.zeros_like(W_u), b_f, ids, offsets, (1,),
        anywhere=anywhere, semiring=semiring,
    )  # fmt: skip
    score.sum().backward()
    assert score.tolist() == [[0.5]]
    slope = 0.25  # of a sigmoid at 0
    assert W_u.grad.tolist() == [[share * slope for share in SHARES[anywhere]]]


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**16),
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=6).filter(any),
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=20),
    anywhere=st.booleans(),
    semiring=st.sampled_from(MAXIMA),
    is_fresh=st.booleans(),
)
def test_ties_are_broken_as_by_the_reference(
    seed, sizes, lengths, anywhere, semiring, is_fresh
):
    """Weights are 1/2, 1 or logarithms that are integers: paths tie exactly."""
    *tensors, ids, offsets, lengths = draw_problem(seed, sizes, lengths)
    rng = np.random.default_rng(seed)
    n_rows = len(ids) if is_fresh else len(tensors[0])
    ids = np.arange(len(ids), dtype=np.int32) if is_fresh else ids
    loops = (-1000.0, 1000.0) if semiring == "max-plus" else (0.0, 1000.0)
    values = (0.0, 1.0), (0.0, 1000.0), loops
    shapes = (n_rows, 1), tensors[1].shape, tensors[2].shape
    x, W_u, W_f = map(rng.choice, values, shapes)
    x = np.eye(5)[rng.integers(0, 5, n_rows)]
    given_ = [torch.from_numpy(a).requires_grad_() for a in (x, W_u, W_f)]
    b_f = torch.zeros(len(W_u), dtype=torch.float64, requires_grad=True)
    problem = *given_, b_f, ids, offsets, lengths
    mine, theirs = (
        value_and_gradients(kernel, problem, anywhere, semiring)
        for kernel in (cpu, reference)
    )
    assert_close(mine, theirs, 1e-12)


@pytest.mark.parametrize("semiring", MAXIMA)
def test_a_weight_that_is_not_a_number_is_not_hidden(semiring):
    *tensors, ids, offsets, lengths = draw_problem(12, [4, 3], (3, 2))
    for spoiled in tensors[1:3]:
        before = spoiled.detach().clone()
        spoiled.data[1] = np.nan
        scores = cpu.state_scores(*tensors, ids, offsets, lengths, semiring=semiring)
        assert scores[:, 1].isnan().all()
        assert scores[:, 3:].isfinite().all()
        spoiled.data.copy_(before)


@pytest.mark.parametrize(
    ("device", "semiring", "kernel"),
    [
        ("cpu", "plus-times", "numba"),
        ("cpu", "max-times", "numba"),
        ("cpu", "max-plus", "numba"),
        ("cuda", "plus-times", "triton"),
        ("cuda", "max-plus", "reference"),
        ("mps", "plus-times", "reference"),
    ],
)
def test_the_kernel_is_chosen_by_device_and_semiring(
    monkeypatch, device, semiring, kernel
):
    monkeypatch.delenv("SKRATIONAL_KERNEL", raising=False)
    monkeypatch.setattr(kernels, "has_triton", lambda: True)
    assert kernels.choose_kernel(device, semiring) == kernel


def test_without_triton_cuda_runs_the_loop(monkeypatch):
    monkeypatch.delenv("SKRATIONAL_KERNEL", raising=False)
    monkeypatch.setattr(kernels, "has_triton", lambda: False)
    assert kernels.choose_kernel("cuda", "plus-times") == "reference"


@pytest.mark.parametrize(("version", "is_new"), [("3.0.0", 0), ("3.4.0+git", 1)])
def test_an_older_triton_is_none(version, is_new, monkeypatch):
    triton = ModuleType("triton")
    triton.__spec__, triton.__version__ = ModuleSpec("triton", None), version
    monkeypatch.setitem(sys.modules, "triton", triton)
    assert kernels.has_triton.__wrapped__() == is_new


def test_a_forced_kernel_that_is_missing_says_how_to_get_it(monkeypatch):
    monkeypatch.setenv("SKRATIONAL_KERNEL", "triton")
    monkeypatch.setattr(kernels, "has_triton", lambda: False)
    with pytest.raises(ImportError, match=r"pip install 'triton>=3\.4'"):
        kernels.choose_kernel("cuda", "plus-times")


@pytest.mark.parametrize("kernel", ["numba", "reference"])
@every_semiring
def test_the_environment_overrides_the_choice(monkeypatch, kernel, semiring):
    called = []
    module, name = {
        "numba": (cpu, "document_scores"),
        "reference": (reference, "state_scores"),
    }[kernel]

    def compute(*args, **options):
        called.append(kernel)
        return original(*args, **options)

    original = getattr(module, name)
    monkeypatch.setattr(module, name, compute)
    monkeypatch.setenv("SKRATIONAL_KERNEL", kernel)
    call(kernels, semiring=semiring)
    assert called == [kernel]


def test_the_environment_cannot_name_an_unknown_kernel(monkeypatch):
    monkeypatch.setenv("SKRATIONAL_KERNEL", "fortran")
    with pytest.raises(ValueError, match=r"'fortran'; expected 'numba', 're"):
        call(kernels)


def test_a_forced_kernel_does_not_compute_something_else(monkeypatch):
    monkeypatch.setattr(kernels, "has_triton", lambda: True)
    monkeypatch.setenv("SKRATIONAL_KERNEL", "triton")
    with pytest.raises(ValueError, match=r"plus-times on device='cuda'; got.*max-plus"):
        kernels.choose_kernel("cuda", "max-plus")
    monkeypatch.setenv("SKRATIONAL_KERNEL", "numba")
    with pytest.raises(ValueError, match="on device='cuda'"):
        kernels.choose_kernel("cuda", "plus-times")
