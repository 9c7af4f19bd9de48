import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.optimize import minimize_scalar

from skrational.penalties.inhibitors import as_inhibitor, difference_of_gaussians
from skrational.penalties.manifolds import (
    as_manifold,
    draw_positions,
    pairwise_distances,
)

DISTANCES = torch.linspace(0, 30, 3001, dtype=torch.float64)
NAMES = ("constant", "diffusion", "dog", "gauss", "ripple")


def gain(d):
    return 100 * (np.exp(-(d**2) / 5) - np.exp(-4 * d**2))


PEAK = minimize_scalar(lambda d: -gain(d), (0.5, 1.5), tol=1e-12)


def test_the_offset_is_the_maximum_of_the_gain():
    expected = -PEAK.fun - gain(DISTANCES.numpy())
    costs = difference_of_gaussians(DISTANCES)
    np.testing.assert_allclose(costs, expected, atol=1e-9)
    assert PEAK.x == pytest.approx(0.888, abs=5e-4)
    assert float(costs[-1]) == pytest.approx(81.1425, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("constant", lambda d: np.ones_like(d)),
        ("diffusion", lambda d: d**2),
        ("gauss", lambda d: 100 - 100 * np.exp(-(d**2) / 3)),
        ("ripple", lambda d: 50 + 50 * np.cos(2 * d)),
    ],
)
def test_costs_are_those_of_the_formula(name, expected):
    costs = as_inhibitor(name)(DISTANCES)
    np.testing.assert_allclose(
        costs, expected(DISTANCES.numpy()), rtol=1e-12, atol=1e-13
    )


@pytest.mark.parametrize("name", NAMES)
def test_no_cost_is_negative_in_single_precision(name):
    distances = torch.cat([DISTANCES.float(), torch.linspace(0.887, 0.889, 10001)])
    assert (as_inhibitor(name)(distances) >= 0).all()


def mean_over_angles(dim, radius):
    """Mean cost between two points of a sphere, by quadrature over their angle."""

    def weight(t):
        return np.sin(t) ** (dim - 1)

    total, _ = quad(weight, 0, np.pi)
    gained, _ = quad(lambda t: gain(radius * t) * weight(t), 0, np.pi, limit=200)
    return -PEAK.fun - gained / total


def mean_over_torus(dim):
    """The mean of a Gaussian over a torus is a power of that over a circle."""
    wide, narrow = (
        quad(lambda x, c=c: np.exp(-c * x**2) / 5, 0, 5)[0] for c in (0.2, 4)
    )
    return -PEAK.fun - 100 * (wide**dim - narrow**dim)


PUBLISHED = {
    "torus": (66.3, mean_over_torus(2)),
    "klein": (66.3, mean_over_torus(2)),
    "circle": (71.4, mean_over_angles(1, 5)),
    "sphere": (76.6, mean_over_angles(2, 5)),
    "torus6": (80.8, mean_over_torus(6)),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_mean_costs_are_the_published_ones(name):
    published, by_quadrature = PUBLISHED[name]
    manifold = as_manifold(name)
    positions = draw_positions(manifold, 1000, torch.Generator().manual_seed(0))
    mean = float(
        difference_of_gaussians(pairwise_distances(manifold, positions)).mean()
    )
    assert by_quadrature == pytest.approx(published, abs=0.1)
    assert mean == pytest.approx(by_quadrature, rel=0.01)


def test_the_published_mean_on_s3_is_of_twice_our_radius():
    manifold = as_manifold("s3")
    positions = draw_positions(manifold, 1000, torch.Generator().manual_seed(0))
    distances = pairwise_distances(manifold, positions)
    for scale, published in ((1, None), (2, 80.8)):
        mean = float(difference_of_gaussians(scale * distances).mean())
        expected = mean_over_angles(3, 5 * scale)
        assert mean == pytest.approx(expected, rel=0.01)
        assert published is None or expected == pytest.approx(published, abs=0.1)


@pytest.mark.parametrize("wrong", ["DoG", "sinusoid", None, True, 3.0, int])
def test_the_known_inhibitors_are_listed(wrong):
    with pytest.raises(ValueError, match="expected 'constant', 'diffusion', 'dog', "):
        as_inhibitor(wrong)
