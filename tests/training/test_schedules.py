import numpy as np
import pytest
import torch

from skrational.training.schedules import Schedule


def rates_of_torch(make, values):
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], lr=0.3)
    schedule = make(optimizer)
    rates = []
    for value in values:
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        plateau = isinstance(schedule, torch.optim.lr_scheduler.ReduceLROnPlateau)
        schedule.step(value) if plateau else schedule.step()
    return rates


def rates(kind, values):
    schedule = Schedule(kind, 0.3, len(values))
    found = []
    for value in values:
        found.append(schedule.learning_rate)
        schedule.end_epoch(value)
    return found


def test_cosine_is_that_of_torch():
    expected = rates_of_torch(
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 13), np.zeros(13)
    )
    np.testing.assert_allclose(rates("cosine", np.zeros(13)), expected, rtol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_plateau_is_that_of_torch(seed):
    noise = np.random.default_rng(seed).normal(size=60)
    values = 3 + 0.5 * noise + np.linspace(1, 0, 60)
    values[10:20] = values[9] * (1 - 5e-5)
    expected = rates_of_torch(
        lambda o: torch.optim.lr_scheduler.ReduceLROnPlateau(o, factor=0.5, patience=3),
        values.tolist(),
    )
    np.testing.assert_allclose(rates("plateau", values.tolist()), expected)
    assert len(set(expected)) > 3


def test_constant_stays():
    assert set(rates("constant", [3.0, 2.0, 5.0])) == {0.3}
