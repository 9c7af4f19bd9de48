from math import exp, log

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import norm

from skrational.groups import Groups
from skrational.penalties.base import PriorPenalty, ProximalPenalty
from skrational.penalties.bayes import LogUniformKL

LOG_ALPHAS = np.linspace(-12, 12, 25)


def groups_of(mean, log_sigma):
    tensors = (torch.tensor(v, dtype=torch.float64) for v in (mean, log_sigma))
    return Groups.of_entries(*(t.requires_grad_() for t in tensors))


def price(mean, log_sigma):
    return float(LogUniformKL(1.0).value(groups_of([mean], [log_sigma])).detach())


def divergence(log_alpha):
    """E log q(w) - E log p(w) of w ~ N(1, alpha), p(w) being 1 / |w|.

    The constant makes it 0 for infinite alpha, where E log |w| is that of a normal
    variable around 0: -(Euler's constant + log 2) / 2.
    """
    sigma = exp(log_alpha / 2)
    pole = max(0.0, 1 - 12 * sigma)
    log_size = sum(
        quad(lambda w: norm.pdf(w, 1, sigma) * log(abs(w)), *limits, limit=500)[0]
        for limits in ((1 - 12 * sigma, pole), (pole, 1), (1, 1 + 12 * sigma))
    )
    return log_size - log_alpha / 2 + (np.euler_gamma + log(2)) / 2


@pytest.mark.parametrize("log_alpha", LOG_ALPHAS)
def test_it_is_the_divergence_to_the_error_of_the_approximation(log_alpha):
    assert price(1.0, log_alpha / 2) == pytest.approx(divergence(log_alpha), abs=0.01)


def test_it_falls_to_zero_as_noise_rises():
    prices = [price(1.0, log_alpha / 2) for log_alpha in LOG_ALPHAS]
    assert (np.diff(prices) <= 0).all()
    assert prices[-1] > 0
    assert price(1.0, 20.0) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("scale", [1e-6, 30.0, -1.0])
def test_only_the_ratio_of_noise_and_mean_counts(scale):
    assert price(0.3 * scale, -1 + log(abs(scale))) == pytest.approx(price(0.3, -1.0))


def test_it_adds_up_over_groups_at_its_strength():
    matrix = groups_of([[0.3, -2.0], [1e-3, 5.0]], [[-1.0, 0.5], [-3.0, -3.0]])
    vector = groups_of([1.0], [-3.0])
    total = LogUniformKL(0.25).scaled(0.5).value(Groups.joined([matrix, vector]))
    single = price(0.3, -1) + price(-2, 0.5) + price(1e-3, -3) + price(5, -3)
    assert total.item() == pytest.approx((single + price(1, -3)) / 8)


def test_its_gradient_is_that_of_differences():
    mean, log_sigma = [0.3, -2.0, 1e-3, 5.0], [-1.0, 0.5, -3.0, -3.0]
    groups = groups_of(mean, log_sigma)
    LogUniformKL(2.0).value(groups).backward()
    step = 1e-6
    for i, (m, s) in enumerate(zip(mean, log_sigma, strict=True)):
        h = step * abs(m)
        by_mean = (price(m + h, s) - price(m - h, s)) / (2 * h)
        by_noise = (price(m, s + step) - price(m, s - step)) / (2 * step)
        found = [float(p.grad[i]) for p in groups.parameters]
        np.testing.assert_allclose(found, [2 * by_mean, 2 * by_noise], rtol=1e-6)


def test_what_was_removed_is_free_and_stays():
    groups = groups_of([0.0, 1.0], [0.0, -3.0])
    value = LogUniformKL(1.0).value(groups)
    value.backward()
    assert value.item() == pytest.approx(price(1.0, -3.0))
    for p in groups.parameters:
        assert p.grad[0] == 0
        assert p.grad[1] != 0


def test_it_is_a_prior_without_proximal_operator():
    assert isinstance(LogUniformKL(1.0), PriorPenalty)
    assert not isinstance(LogUniformKL(1.0), ProximalPenalty)


@pytest.mark.parametrize("mean", [1e-30, 1e-8, 1.0])
@pytest.mark.parametrize("log_sigma", [0.0, 40.0])
def test_drowned_means_and_their_noise_are_left_alone(mean, log_sigma):
    values = [torch.tensor([v], requires_grad=True) for v in (mean, log_sigma)]
    groups = Groups.of_entries(*values)
    LogUniformKL(1.0).value(groups).backward()
    drowned = 2 * (log_sigma - np.log(mean)) > 8
    for value in values:
        assert bool(value.grad == 0) == drowned
