from functools import partial

import numpy as np
import pytest
import torch

from skrational.cells.rational import RationalCell
from skrational.structures.automata import ScoringRule
from skrational.training.adam import Adam


def draw_parameters(dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    shapes = (3, 4), (5,), (1, 2), (0,)
    return [
        torch.nn.Parameter(torch.randn(s, generator=generator, dtype=dtype))
        for s in shapes
    ]


def loss(parameters, k):
    return sum(((p - k) ** 2 * (i + 1)).sum() for i, p in enumerate(parameters))


@pytest.mark.parametrize("weight_decay", [0.0, 0.03])
@pytest.mark.parametrize("max_grad_norm", [None, 2.0, 1e6])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_steps_are_those_of_torch(weight_decay, max_grad_norm, dtype):
    mine, theirs = draw_parameters(dtype), draw_parameters(dtype)
    ours = Adam(mine, 0.05, weight_decay, max_grad_norm)
    reference = torch.optim.Adam(theirs, lr=0.05, weight_decay=weight_decay)
    for k in range(20):
        rate = 0.05 / (k + 1)
        ours.learning_rate = reference.param_groups[0]["lr"] = rate
        ours.zero_grad()
        reference.zero_grad()
        loss(mine, k % 3).backward()
        loss(theirs, k % 3).backward()
        if max_grad_norm is not None:
            torch.nn.utils.clip_grad_norm_(theirs, max_grad_norm)
        ours.step()
        reference.step()
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(
            a, b, rtol=1e-5 if dtype.itemsize == 4 else 1e-11, atol=1e-7
        )


def test_the_metric_is_that_of_the_last_step():
    parameters = draw_parameters()
    optimizer = Adam(parameters, 0.1)
    loss(parameters, 0).backward()
    gradients = [p.grad.clone() for p in parameters]
    optimizer.step()
    # In the first step v_hat = g ** 2.
    for metric, g in zip(
        optimizer.metric(parameters[::-1]), gradients[::-1], strict=True
    ):
        torch.testing.assert_close(metric, g.abs() + 1e-8)


def test_a_parameter_without_gradient_stays():
    parameters = draw_parameters()
    before = parameters[1].detach().clone()
    optimizer = Adam(parameters, 0.1)
    parameters[0].sum().backward()
    optimizer.step()
    assert torch.equal(parameters[1], before)
    assert not np.array_equal(parameters[0].detach(), draw_parameters()[0].detach())


@pytest.mark.parametrize("n_before", [0, 1, 7])
def test_with_its_moments_it_goes_on_as_if_never_stopped(n_before):
    mine, theirs = draw_parameters(), draw_parameters()
    ours, reference = Adam(mine, 0.05), torch.optim.Adam(theirs, lr=0.05)
    for k in range(12):
        if k == n_before:
            moments = ours.moments()
            assert moments.n_steps == k
            mine = [torch.nn.Parameter(p.detach().clone()) for p in mine]
            ours = Adam(mine, 0.05, moments=moments)
        ours.zero_grad()
        reference.zero_grad()
        loss(mine, k % 3).backward()
        loss(theirs, k % 3).backward()
        ours.step()
        reference.step()
    for a, b in zip(mine, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-12)
    state = [reference.state[p] for p in theirs]
    for name, values in (("mean", "exp_avg"), ("square", "exp_avg_sq")):
        for a, b in zip(getattr(ours.moments(), name), state, strict=True):
            torch.testing.assert_close(a, b[values], rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("n_parameters", [1, 4])
def test_moments_are_copies(n_parameters):
    parameters = draw_parameters()[:n_parameters]
    optimizer = Adam(parameters, 0.1)

    def step(optimizer):
        loss(parameters, 1).backward()
        optimizer.step()

    step(optimizer)
    moments = optimizer.moments()
    before = [v.clone() for v in (*moments.mean, *moments.square)]
    step(optimizer)
    step(Adam(parameters, 0.1, moments=moments))
    for value, expected in zip((*moments.mean, *moments.square), before, strict=True):
        assert torch.equal(value, expected)


@pytest.mark.parametrize("readout", ["sum", "rho"])
@pytest.mark.parametrize("kept", [(2, 0, 1), (3, 2, 1), (0, 1, 0), (0, 0, 0)])
def test_the_moments_of_what_is_kept_are_those_of_the_whole(readout, kept):
    cell = RationalCell(4, (3, 2, 1), 2, ScoringRule(readout=readout), torch.float64)
    cell.initialize(torch.Generator().manual_seed(0))

    def steps(cell, optimizer, n):
        # A loss in which every number of the network stands by itself.
        for _ in range(n):
            optimizer.zero_grad()
            sum(((p - 1) ** 4).sum() for p in cell.parameters()).backward()
            optimizer.step()

    whole = Adam(cell.parameters(), 0.05, weight_decay=0.1)
    steps(cell, whole, 5)
    small = cell.compacted(kept)
    moments = whole.moments().cut_by(partial(cell.sliced, kept))
    steps(small, Adam(small.parameters(), 0.05, 0.1, moments=moments), 5)
    steps(cell, whole, 5)
    expected = cell.compacted(kept).to_arrays()
    for name, array in small.to_arrays().items():
        np.testing.assert_allclose(array, expected[name], rtol=1e-12)


def test_what_is_spared_does_not_decay():
    decayed, spared = (draw_parameters()[0] for _ in range(2))
    before = spared.detach().clone()
    optimizer = Adam([decayed, spared], 0.1, weight_decay=0.5, undecayed=[spared])
    for _ in range(3):
        optimizer.zero_grad()
        optimizer.step()
    assert torch.equal(spared, before)
    assert (decayed.abs() < before.abs()).all()
