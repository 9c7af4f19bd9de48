from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational import kernels
from skrational.kernels import cpu, reference
from skrational.kernels.layout import Layout

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


def assert_close(mine, theirs, tolerance):
    for a, b in zip(mine, theirs, strict=True):
        assert a.shape == b.shape
        assert torch.linalg.vector_norm(a - b) <= tolerance * (
            torch.linalg.vector_norm(b) + 1e-300
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
def scores_of_table():
    """A recurrence whose table is fixed."""
    x, *weights, ids, offsets, lengths = draw_problem(5, [50] * 40, dtype=torch.float32)
    layout = Layout.of(lengths)
    with torch.no_grad():
        table, _ = cpu.transition_table(x, *layout.pack(*weights), layout.n_blocks)
    return lambda: cpu.score_table(table, ids, offsets, layout, anywhere=True)


def test_gives_the_same_bits_for_any_number_of_threads(scores_of_table):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = scores_of_table()
        torch.set_num_threads(2)
        assert torch.equal(scores_of_table(), alone)
    finally:
        torch.set_num_threads(before)


def test_gives_the_same_bits_in_threads_that_run_at_once(scores_of_table):
    expected = scores_of_table()
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(scores_of_table) for _ in range(40)]
    assert all(torch.equal(call.result(), expected) for call in calls)


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
        ("cuda", "plus-times", "reference"),
    ],
)
def test_the_kernel_is_chosen_by_device_and_semiring(
    monkeypatch, device, semiring, kernel
):
    monkeypatch.delenv("SKRATIONAL_KERNEL", raising=False)
    assert kernels.choose_kernel(device, semiring) == kernel


@pytest.mark.parametrize("kernel", ["numba", "reference"])
def test_the_environment_overrides_the_choice(monkeypatch, kernel):
    called = []
    module = {"numba": cpu, "reference": reference}[kernel]
    monkeypatch.setattr(module, "state_scores", lambda *_, **__: called.append(kernel))
    monkeypatch.setenv("SKRATIONAL_KERNEL", kernel)
    kernels.state_scores(*draw_problem(9, [2]), semiring="plus-times")
    assert called == [kernel]


def test_the_environment_cannot_name_an_unknown_kernel(monkeypatch):
    monkeypatch.setenv("SKRATIONAL_KERNEL", "fortran")
    with pytest.raises(ValueError, match=r"'fortran'; expected one of \['numba', 're"):
        kernels.state_scores(*draw_problem(9, [2]), semiring="plus-times")


def test_a_forced_kernel_does_not_compute_something_else(monkeypatch):
    monkeypatch.setenv("SKRATIONAL_KERNEL", "numba")
    with pytest.raises(ValueError, match="max-plus"):
        kernels.state_scores(*draw_problem(9, [2]), semiring="max-plus")
