import numpy as np
import pytest
import torch

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
