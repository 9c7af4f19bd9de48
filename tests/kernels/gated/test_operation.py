from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational.kernels import gated
from skrational.kernels.cpu import products
from skrational.kernels.gated import operation, reference
from skrational.kernels.recurrent import sharing
from skrational.utils.buffers import recycling
from skrational.utils.threads import single_thread
from tests.kernels.gated.problems import assert_close, draw, loop

pytestmark = pytest.mark.usefixtures("poisoned_memory")

KINDS = pytest.mark.parametrize("kind", ["lstm", "gru"])


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**16),
    kind=st.sampled_from(["lstm", "gru"]),
    sizes=st.lists(st.integers(0, 12), max_size=20),
    n_units=st.integers(0, 20),
    share=st.sampled_from([0, 0.2, 0.7, 1]),
    n_features=st.integers(1, 6),
)
def test_equals_the_reference(seed, kind, sizes, n_units, share, n_features):
    problem = draw(seed, kind, sizes, n_units, share, n_features)
    mine = problem.value_and_gradients(operation)
    assert_close(mine, problem.value_and_gradients(reference), 1e-12)


@KINDS
@pytest.mark.parametrize("n_units", [1, 13, 37])
def test_is_close_in_single_precision(kind, n_units):
    problem = draw(1, kind, (0, 1, 30, 7, 1, 60), n_units, dtype=torch.float32)
    mine = problem.value_and_gradients(operation)
    assert {m.dtype for m in mine} == {torch.float32}
    for name in ("x", "W_ih", "W_hh", "b"):
        setattr(
            problem, name, getattr(problem, name).detach().double().requires_grad_()
        )
    expected = problem.value_and_gradients(reference)
    assert_close([m.double() for m in mine], expected, 2e-6)


@KINDS
@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_equals_the_equations(kind, share):
    problem = draw(1, kind, share=share)
    states = problem.states(operation).detach()
    assert_close([states], [torch.from_numpy(loop(problem))], 1e-13)


@KINDS
@pytest.mark.parametrize("gate", range(4))
def test_a_gate_may_be_constant_in_all_units_or_learned_in_one(kind, gate):
    for in_one in (False, True):
        problem = draw(2, kind, share=1)
        problem.learned[:] = not in_one
        problem.learned[gate % len(problem.learned), int(in_one) :] = in_one
        M = np.count_nonzero(problem.learned)
        for name in ("W_ih", "W_hh"):
            rows = getattr(problem, name).detach()[:M].clone().requires_grad_()
            setattr(problem, name, rows)
        mine = problem.value_and_gradients(operation)
        assert_close(mine, problem.value_and_gradients(reference), 1e-12)


@KINDS
def test_gradients_are_those_of_finite_differences(kind):
    problem = draw(1, kind, (0, 1, 4), 3, 0.7, 2)

    def states(*tensors):
        problem.x, problem.W_ih, problem.W_hh, problem.b = tensors
        return problem.states(operation)

    assert torch.autograd.gradcheck(states, problem.tensors)


@KINDS
def test_features_need_no_gradient(kind):
    problem = draw(2, kind)
    leaf = problem.x
    problem.x = leaf.detach()
    problem.states(operation).sum().backward()
    assert leaf.grad is None
    assert all(w.grad.abs().sum() > 0 for w in problem.tensors[1:])


@KINDS
def test_gives_the_same_bits_with_and_without_gradients(kind):
    problem = draw(3, kind, dtype=torch.float32)
    recorded = problem.states(operation)
    with torch.no_grad():
        assert torch.equal(problem.states(operation), recorded)


@KINDS
def test_gives_the_same_bits_when_repeated_and_in_memory_used_again(kind):
    problem = draw(4, kind, (5, 1, 0, 40), dtype=torch.float32)
    first = problem.value_and_gradients(operation)
    with recycling():
        for _ in range(3):
            again = problem.value_and_gradients(operation)
            assert all(map(torch.equal, first, again))


@KINDS
def test_gradients_can_be_taken_twice(kind):
    problem = draw(5, kind)
    loss = problem.states(operation).square().sum()
    first = torch.autograd.grad(loss, problem.tensors, retain_graph=True)
    again = torch.autograd.grad(loss, problem.tensors)
    assert all(map(torch.equal, first, again))


@pytest.fixture
def large_problem(monkeypatch):
    """Make a problem whose work is shared among threads."""
    monkeypatch.setattr(sharing, "_LEAST_WORK", 0)
    monkeypatch.setattr(products, "PART_ROWS", 100)
    monkeypatch.setattr(products, "TILE_ROWS", 100)
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 8)

    def make(kind):
        sizes = np.random.default_rng(0).integers(0, 60, 30)
        return draw(6, kind, sizes, 20, n_features=40, dtype=torch.float32)

    return make


@pytest.fixture
def threads():
    """Set the number of torch's threads; it is put back."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@KINDS
def test_gives_the_same_bits_for_any_number_of_threads(kind, large_problem, threads):
    problem = large_problem(kind)
    threads(1)
    alone = problem.value_and_gradients(operation)
    for n_threads in (2, 3, 5):
        threads(n_threads)
        shared = problem.value_and_gradients(operation)
        assert torch.get_num_threads() == n_threads
        assert all(map(torch.equal, alone, shared))


@KINDS
def test_gives_the_same_bits_in_threads_that_run_at_once(kind, large_problem):
    problem = large_problem(kind)

    def run():
        with single_thread():
            return problem.value_and_gradients(operation)

    expected = run()
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(run) for _ in range(10)]
    assert all(all(map(torch.equal, call.result(), expected)) for call in calls)


@KINDS
@pytest.mark.parametrize("scale", [1e-20, 1e3])
def test_a_long_document_and_saturated_gates_stay_finite(kind, scale):
    problem = draw(7, kind, (3000, 1), dtype=torch.float32)
    problem.x = (problem.x.detach() * scale).requires_grad_()
    for result in problem.value_and_gradients(operation):
        assert torch.isfinite(result).all()


@KINDS
def test_nan_spoils_the_states_of_its_document_alone(kind):
    problem = draw(8, kind, (3, 4, 5), share=1)
    problem.ids = np.arange(12, dtype=np.int32)
    x = torch.randn(12, 3, dtype=torch.float64)
    x[4] = np.nan
    problem.x = x
    spoilt = problem.states(operation).isnan().any(1)
    assert spoilt.tolist() == [False] * 4 + [True] * 3 + [False] * 5


@pytest.mark.parametrize(
    ("device", "kernel"),
    [("cpu", "numba"), ("cuda", "cudnn"), ("mps", "reference")],
)
def test_the_kernel_is_chosen_by_device(monkeypatch, device, kernel):
    monkeypatch.delenv("SKRATIONAL_KERNEL", raising=False)
    assert gated.choose_kernel(device) == kernel


@KINDS
@pytest.mark.parametrize("module", [operation, reference])
def test_the_environment_overrides_the_choice(monkeypatch, kind, module):
    problem = draw(kind=kind)
    expected = problem.states(module)
    name = "numba" if module is operation else "reference"
    monkeypatch.setenv("SKRATIONAL_KERNEL", name)
    called = []
    original = getattr(module, f"{kind}_states")

    def compute(*args):
        called.append(name)
        return original(*args)

    monkeypatch.setattr(module, f"{kind}_states", compute)
    assert torch.equal(problem.states(gated), expected)
    assert called == [name]


@pytest.mark.parametrize("name", ["fortran", "triton"])
def test_the_environment_cannot_name_another_kernel(monkeypatch, name):
    monkeypatch.setenv("SKRATIONAL_KERNEL", name)
    with pytest.raises(
        ValueError, match=f"'{name}'; hidden states expect 'cudnn', 'numba', 're"
    ):
        draw().states(gated)


def test_a_forced_kernel_does_not_compute_elsewhere(monkeypatch):
    monkeypatch.setenv("SKRATIONAL_KERNEL", "numba")
    with pytest.raises(ValueError, match=r"on device='cpu'; got device='cuda'"):
        gated.choose_kernel("cuda")
    problem = draw()
    problem.x = torch.empty(0, 3, device="meta")
    with pytest.raises(ValueError, match="computes on the CPU; got x on meta"):
        problem.states(operation)
