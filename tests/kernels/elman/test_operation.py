from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational.kernels import elman
from skrational.kernels.cpu import products
from skrational.kernels.elman import cudnn, operation, reference
from skrational.kernels.recurrent import sharing
from skrational.utils.buffers import recycling
from tests.kernels.elman.problems import draw, loop
from tests.kernels.gated.problems import assert_close

pytestmark = pytest.mark.usefixtures("poisoned_memory")

ACTIVATIONS = pytest.mark.parametrize("activation", ["tanh", "relu"])
KERNELS = pytest.mark.parametrize("module", [reference, operation, cudnn])


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**16),
    activation=st.sampled_from(["tanh", "relu"]),
    sizes=st.lists(st.integers(0, 12), max_size=20),
    n_units=st.integers(0, 20),
    n_features=st.integers(1, 6),
)
def test_the_compiled_kernel_equals_the_reference(
    seed, activation, sizes, n_units, n_features
):
    problem = draw(seed, activation, sizes, n_units, n_features)
    mine = problem.value_and_gradients(operation)
    assert_close(mine, problem.value_and_gradients(reference), 1e-12)


@ACTIVATIONS
@KERNELS
def test_equals_the_equation(activation, module):
    problem = draw(1, activation, n_units=13)
    states = problem.states(module).detach()
    assert_close([states], [torch.from_numpy(loop(problem))], 1e-13)


@ACTIVATIONS
@KERNELS
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-12)], ids=str
)
def test_is_the_network_of_torch(activation, module, dtype, tolerance):
    problem = draw(2, activation, (5, 1, 0, 9, 2), 13, 4, dtype)
    torch.manual_seed(0)
    network = torch.nn.RNN(4, 13, nonlinearity=activation, dtype=dtype)
    problem.W_ih, problem.W_hh = network.weight_ih_l0, network.weight_hh_l0
    problem.b = network.bias_ih_l0 + network.bias_hh_l0
    rows = torch.from_numpy(problem.ids).long()
    documents = [rows[a:b] for a, b in pairwise(problem.offsets)]
    expected = torch.cat([network(problem.x[d])[0] for d in documents if len(d)])
    states = problem.states(module)
    weights = torch.linspace(-1, 1, states.numel(), dtype=dtype).view_as(states)
    inputs = problem.x, *network.parameters()
    mine, theirs = (
        torch.autograd.grad((result * weights).sum(), inputs)
        for result in (states, expected)
    )
    assert_close([states, *mine], [expected, *theirs], tolerance)


@ACTIVATIONS
@pytest.mark.parametrize("n_units", [3, 17])
def test_gradients_are_those_of_finite_differences(activation, n_units):
    problem = draw(1, activation, (0, 1, 4), n_units, 2)

    def states(*tensors):
        problem.x, problem.W_ih, problem.W_hh, problem.b = tensors
        return problem.states(operation)

    assert torch.autograd.gradcheck(states, problem.tensors)


@ACTIVATIONS
def test_gives_the_same_bits_when_repeated_and_in_memory_used_again(activation):
    problem = draw(4, activation, (5, 1, 0, 40), dtype=torch.float32)
    first = problem.value_and_gradients(operation)
    with torch.no_grad():
        assert torch.equal(problem.states(operation), first[0])
    with recycling():
        for _ in range(3):
            again = problem.value_and_gradients(operation)
            assert all(map(torch.equal, first, again))


def test_gradients_can_be_taken_twice():
    problem = draw(5)
    loss = problem.states(operation).square().sum()
    first = torch.autograd.grad(loss, problem.tensors, retain_graph=True)
    again = torch.autograd.grad(loss, problem.tensors)
    assert all(map(torch.equal, first, again))


def test_states_that_the_way_back_reads_cannot_be_written_to():
    problem = draw(5, n_units=16)
    states = problem.states(operation)
    loss = states.sum()
    with torch.no_grad():
        states.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_features_and_a_constant_bias_need_no_gradient():
    problem = draw(2)
    problem.x, problem.b = problem.x.detach(), problem.b.detach()
    problem.states(operation).sum().backward()
    assert problem.W_ih.grad.abs().sum() > 0
    assert problem.W_hh.grad.abs().sum() > 0


@ACTIVATIONS
def test_gives_the_same_bits_for_any_number_of_threads(activation, monkeypatch):
    monkeypatch.setattr(sharing, "_LEAST_WORK", 0)
    monkeypatch.setattr(products, "PART_ROWS", 100)
    monkeypatch.setattr(sharing, "TILE_ROWS", 100)
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 8)
    sizes = np.random.default_rng(0).integers(0, 60, 30)
    problem = draw(6, activation, sizes, 20, n_features=40, dtype=torch.float32)
    before = torch.get_num_threads()
    try:
        results = []
        for n_threads in (1, 2, 5):
            torch.set_num_threads(n_threads)
            results.append(problem.value_and_gradients(operation))
            assert torch.get_num_threads() == n_threads
    finally:
        torch.set_num_threads(before)
    for shared in results[1:]:
        assert all(map(torch.equal, results[0], shared))


@pytest.mark.parametrize("scale", [1e-20, 1e3])
def test_a_long_document_stays_finite(scale):
    problem = draw(7, sizes=(3000, 1), dtype=torch.float32)
    problem.x = (problem.x.detach() * scale).requires_grad_()
    for result in problem.value_and_gradients(operation):
        assert torch.isfinite(result).all()


@ACTIVATIONS
@KERNELS
def test_nan_spoils_the_states_of_its_document_alone(activation, module):
    problem = draw(8, activation, (3, 4, 5))
    problem.ids = np.arange(12, dtype=np.int32)
    problem.x = torch.randn(12, 3, dtype=torch.float64)
    problem.x[4] = np.nan
    spoilt = problem.states(module).isnan().any(1)
    assert spoilt.tolist() == [False] * 4 + [True] * 3 + [False] * 5


@pytest.mark.parametrize("name", ["numba", "reference"])
def test_the_environment_chooses_the_kernel(monkeypatch, name):
    module = {"numba": operation, "reference": reference}[name]
    called = []
    monkeypatch.setenv("SKRATIONAL_KERNEL", name)
    monkeypatch.setattr(module, "elman_states", lambda *args: called.append(name))
    draw().states(elman)
    assert called == [name]


def test_the_compiled_kernel_refuses_other_devices():
    problem = draw()
    problem.x = torch.empty(0, 3, device="meta")
    with pytest.raises(ValueError, match="computes on the CPU; got x on meta"):
        problem.states(operation)
