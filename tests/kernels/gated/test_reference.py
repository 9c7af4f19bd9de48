from itertools import pairwise

import numpy as np
import pytest
import torch

from skrational.kernels.gated import reference
from tests.kernels.gated.problems import assert_close, draw, loop

KINDS = pytest.mark.parametrize("kind", ["lstm", "gru"])


def torch_states(problem, network):
    """The states by torch's module, document by document."""
    x, ids, offsets = problem.x, torch.from_numpy(problem.ids).long(), problem.offsets
    documents = [ids[a:b] for a, b in pairwise(offsets)]
    return torch.cat([network(x[rows])[0] for rows in documents if len(rows)])


def with_weights_of(problem, network):
    """The problem with the weights of torch's module, all of whose gates are learned.

    Torch has two biases for each gate, which are added but for the GRU's candidate.
    """
    b_ih, b_hh = network.bias_ih_l0, network.bias_hh_l0
    n_units = network.hidden_size
    if problem.kind == "lstm":
        b = (b_ih + b_hh).view(4, n_units)
    else:
        cut = 2 * n_units
        b = torch.cat([(b_ih + b_hh)[:cut], b_ih[cut:], b_hh[cut:]]).view(4, n_units)
    problem.W_ih, problem.W_hh = network.weight_ih_l0, network.weight_hh_l0
    problem.b = b
    return problem


@KINDS
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-12)], ids=str
)
def test_with_all_gates_learned_it_is_the_cell_of_torch(kind, dtype, tolerance):
    problem = draw(kind=kind, share=1, n_units=6, n_features=4, dtype=dtype)
    torch.manual_seed(0)
    network = getattr(torch.nn, kind.upper())(4, 6, dtype=dtype)
    problem = with_weights_of(problem, network)
    states, expected = problem.states(reference), torch_states(problem, network)
    weights = torch.linspace(-1, 1, states.numel(), dtype=dtype).view_as(states)
    inputs = problem.x, *network.parameters()
    mine, theirs = (
        torch.autograd.grad((result * weights).sum(), inputs)
        for result in (states, expected)
    )
    assert_close([states, *mine], [expected, *theirs], tolerance)


@KINDS
@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_equals_the_equations(kind, share):
    problem = draw(1, kind, share=share)
    states = problem.states(reference).detach()
    assert_close([states], [torch.from_numpy(loop(problem))], 1e-13)


@KINDS
def test_a_constant_gate_is_a_gate_with_weights_of_zero(kind):
    problem = draw(2, kind, share=0.5)
    if kind == "gru":
        # A bias of the state would be multiplied by r: it isn't there in a constant.
        problem.b.data[3] *= torch.from_numpy(problem.learned[2])
    whole = draw(2, kind, share=1)
    for name in ("W_ih", "W_hh"):
        rows = torch.zeros_like(getattr(whole, name))
        rows[torch.from_numpy(problem.learned.ravel())] = getattr(
            problem, name
        ).detach()
        setattr(whole, name, rows)
    whole.x, whole.b, whole.ids = problem.x, problem.b, problem.ids
    assert_close([problem.states(reference)], [whole.states(reference)], 1e-14)


@KINDS
@pytest.mark.parametrize("sizes", [[], [0], [0, 0]])
def test_no_tokens_and_no_documents_are_possible(kind, sizes):
    assert draw(0, kind, sizes).states(reference).shape == (0, 5)


@KINDS
def test_documents_know_nothing_of_each_other(kind):
    problem = draw(3, kind, (4, 0, 7, 1))
    states = problem.states(reference)
    start, end = problem.offsets[2:4]
    problem.ids, problem.offsets = problem.ids[start:end], np.array([0, end - start])
    assert_close([problem.states(reference)], [states[start:end]], 1e-15)
