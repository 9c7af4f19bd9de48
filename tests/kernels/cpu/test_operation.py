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
from skrational.utils.buffers import recycling
from skrational.utils.threads import single_thread

pytestmark = pytest.mark.usefixtures("poisoned_memory")

LENGTHS = (4, 1, 3, 2, 4, 4, 2, 9, 1, 5)


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


def value_and_gradients(kernel, problem, anywhere):
    """Scores, and the gradients of a random linear function of them."""
    scores = kernel.state_scores(*problem, anywhere=anywhere)
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
)
def test_equals_the_reference(seed, sizes, lengths, n_features, anywhere):
    problem = draw_problem(seed, sizes, lengths, n_features)
    mine = value_and_gradients(cpu, problem, anywhere)
    assert_close(mine, value_and_gradients(reference, problem, anywhere), 1e-12)


@pytest.mark.parametrize("anywhere", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_is_close_in_single_precision(seed, anywhere):
    sizes = [0, 1, 30, 7, 1, 60]
    problem = draw_problem(seed, sizes, dtype=torch.float32)
    exact = [p.detach().double().requires_grad_() for p in problem[:4]]
    expected = value_and_gradients(reference, (*exact, *problem[4:]), anywhere)
    mine = value_and_gradients(cpu, problem, anywhere)
    assert {m.dtype for m in mine} == {torch.float32}
    assert_close([m.double() for m in mine], expected, 2e-6)


@pytest.mark.parametrize("sizes", [[], [0], [0, 0]])
def test_no_tokens_and_no_documents_are_possible(sizes):
    problem = draw_problem(0, sizes)
    for anywhere in (False, True):
        scores, *gradients = value_and_gradients(cpu, problem, anywhere)
        assert scores.shape == (len(sizes), sum(LENGTHS))
        assert not scores.any()
        assert not any(g.any() for g in gradients)


def test_an_empty_document_scores_zero():
    problem = draw_problem(0, [3, 0, 0, 2, 0])
    for anywhere in (False, True):
        scores = cpu.state_scores(*problem, anywhere=anywhere)
        assert not scores[[1, 2, 4]].any()
        assert scores[[0, 3]].any()


@pytest.mark.parametrize("anywhere", [False, True])
def test_gradients_are_those_of_finite_differences(anywhere):
    *tensors, ids, offsets, lengths = draw_problem(1, [0, 1, 4], (2, 5), 2)

    def scores(*tensors):
        return cpu.state_scores(*tensors, ids, offsets, lengths, anywhere=anywhere)

    assert torch.autograd.gradcheck(scores, tensors)


def test_features_need_no_gradient():
    x, *rest = draw_problem(2, [4, 2])
    scores = cpu.state_scores(x.detach(), *rest)
    scores.sum().backward()
    assert x.grad is None
    assert all(w.grad.abs().sum() > 0 for w in rest[:3])


@pytest.mark.parametrize("anywhere", [False, True])
def test_gives_the_same_bits_with_and_without_gradients(anywhere):
    problem = draw_problem(3, [5, 1, 0, 9], dtype=torch.float32)
    recorded = cpu.state_scores(*problem, anywhere=anywhere)
    with torch.no_grad():
        assert torch.equal(cpu.state_scores(*problem, anywhere=anywhere), recorded)


@pytest.mark.parametrize("anywhere", [False, True])
def test_gives_the_same_bits_when_repeated(anywhere):
    problem = draw_problem(4, [5, 1, 0, 40], dtype=torch.float32)
    first = value_and_gradients(cpu, problem, anywhere)
    for _ in range(3):
        again = value_and_gradients(cpu, problem, anywhere)
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
def test_gives_the_same_bits_for_any_number_of_threads(
    large_problem, threads, monkeypatch, anywhere
):
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 8)
    threads(1)
    alone = value_and_gradients(cpu, large_problem, anywhere)
    for n_threads in (2, 3, 5):
        threads(n_threads)
        with single_thread():
            shared = value_and_gradients(cpu, large_problem, anywhere)
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
def test_the_readout_equals_that_of_the_reference(anywhere, length_exponent):
    options = {"anywhere": anywhere, "length_exponent": length_exponent}
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


def test_gradients_of_token_level_features_can_be_taken_twice():
    x, *weights, _, offsets, lengths = draw_problem(11, [5, 0, 3])
    x = torch.randn(8, x.shape[1], dtype=x.dtype, requires_grad=True)
    ids = np.arange(8, dtype=np.int32)
    scores = cpu.state_scores(x, *weights, ids, offsets, lengths)
    first = torch.autograd.grad(scores.sum(), [x, *weights], retain_graph=True)
    assert all(
        map(torch.equal, first, torch.autograd.grad(scores.sum(), [x, *weights]))
    )


@settings(max_examples=40)
@given(
    seed=st.integers(0, 2**16),
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=6).filter(any),
    lengths=st.lists(st.integers(1, 11), min_size=1, max_size=20),
    anywhere=st.booleans(),
)
def test_token_level_features_equal_the_reference(seed, sizes, lengths, anywhere):
    _, *weights, _, offsets, lengths = draw_problem(seed, sizes, lengths)
    n_tokens = int(offsets[-1])
    rng = np.random.default_rng(seed)
    x = torch.from_numpy(rng.normal(size=(n_tokens, 5))).requires_grad_()
    ids = np.arange(n_tokens, dtype=np.int32)
    problem = x, *weights, ids, offsets, lengths
    mine = value_and_gradients(cpu, problem, anywhere)
    assert_close(mine, value_and_gradients(reference, problem, anywhere), 1e-12)


@pytest.mark.parametrize("anywhere", [False, True])
def test_a_long_document_stays_finite(anywhere):
    problem = draw_problem(6, [3000, 1, 2500], (3, 1, 2), 4)
    mine = value_and_gradients(cpu, problem, anywhere)
    assert all(torch.isfinite(m).all() for m in mine)
    assert_close(mine, value_and_gradients(reference, problem, anywhere), 1e-11)


@pytest.mark.parametrize("anywhere", [False, True])
@pytest.mark.parametrize("scale", [1e-20, 30.0])
def test_saturated_gates_stay_finite(anywhere, scale):
    x, *weights, ids, offsets, lengths = draw_problem(
        7, [3000, 400], (3, 1, 2), 4, torch.float32
    )
    x = (x.detach() * scale).requires_grad_()
    problem = x, *weights, ids, offsets, lengths
    assert all(
        torch.isfinite(m).all() for m in value_and_gradients(cpu, problem, anywhere)
    )


@pytest.mark.parametrize("semiring", ["max-plus", "max-times"])
def test_other_semirings_are_refused(semiring):
    with pytest.raises(ValueError, match=f"computes plus-times on the CPU.*{semiring}"):
        cpu.state_scores(*draw_problem(8, [2]), semiring=semiring)


@pytest.mark.parametrize(
    ("device", "semiring", "kernel"),
    [
        ("cpu", "plus-times", "numba"),
        ("cpu", "max-times", "reference"),
        ("cpu", "max-plus", "reference"),
        ("cuda", "plus-times", "triton"),
        ("cuda", "max-plus", "reference"),
        ("mps", "plus-times", "reference"),
    ],
)
def test_the_kernel_is_chosen_by_device_and_semiring(
    monkeypatch, device, semiring, kernel
):
    monkeypatch.delenv("SKRATIONAL_KERNEL", raising=False)
    monkeypatch.setattr(kernels, "is_available", lambda: True)
    assert kernels.choose_kernel(device, semiring) == kernel


def test_without_triton_cuda_runs_the_loop(monkeypatch):
    monkeypatch.delenv("SKRATIONAL_KERNEL", raising=False)
    monkeypatch.setattr(kernels, "is_available", lambda: False)
    assert kernels.choose_kernel("cuda", "plus-times") == "reference"


@pytest.mark.parametrize(("version", "is_new"), [("3.0.0", 0), ("3.4.0+git", 1)])
def test_an_older_triton_is_none(version, is_new, monkeypatch):
    triton = ModuleType("triton")
    triton.__spec__, triton.__version__ = ModuleSpec("triton", None), version
    monkeypatch.setitem(sys.modules, "triton", triton)
    assert kernels.is_available.__wrapped__() == is_new


def test_a_forced_kernel_that_is_missing_says_how_to_get_it(monkeypatch):
    monkeypatch.setenv("SKRATIONAL_KERNEL", "triton")
    monkeypatch.setattr(kernels, "is_available", lambda: False)
    with pytest.raises(ImportError, match=r"pip install 'triton>=3\.4'"):
        kernels.choose_kernel("cuda", "plus-times")


@pytest.mark.parametrize("kernel", ["numba", "reference"])
def test_the_environment_overrides_the_choice(monkeypatch, kernel):
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
    call(kernels)
    assert called == [kernel]


def test_the_environment_cannot_name_an_unknown_kernel(monkeypatch):
    monkeypatch.setenv("SKRATIONAL_KERNEL", "fortran")
    with pytest.raises(ValueError, match=r"'fortran'; expected 'numba', 're"):
        call(kernels)


def test_a_forced_kernel_does_not_compute_something_else(monkeypatch):
    monkeypatch.setenv("SKRATIONAL_KERNEL", "numba")
    with pytest.raises(ValueError, match=r"plus-times on device='cpu'; got.*max-plus"):
        call(kernels, semiring="max-plus")
    with pytest.raises(ValueError, match="on device='cuda'"):
        kernels.choose_kernel("cuda", "plus-times")
