from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational.penalties.manifolds import (
    Custom,
    Euclidean,
    Klein,
    Sphere,
    Torus,
    as_manifold,
    bring_onto_,
    draw_positions,
    pairwise_distances,
)

NAMES = ("circle", "klein", "r3", "s3", "sphere", "torus", "torus6")
MANIFOLDS = [*map(as_manifold, NAMES), Torus(1), Torus(3), Sphere(5), Euclidean(2)]


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def draw(manifold, n=1000, seed=0):
    return draw_positions(manifold, n, generator(seed))


def by_shifts(a, b):
    """The shortest of the ways to all shifted images of b."""
    shifts = np.array(list(product((-10, 0, 10), repeat=a.shape[1])))
    return min_over(np.linalg.norm(a - b - shift, axis=1) for shift in shifts)


def min_over(ways):
    return np.minimum.reduce(list(ways))


def by_flips(a, b):
    """The shortest of the ways to all images of b, which two moves generate."""
    images = []
    for n_flips, n_up in product(range(-2, 3), repeat=2):
        x, y = b.T
        for _ in range(abs(n_flips)):
            x, y = x + 10 * np.sign(n_flips), 10 - y
        images.append(np.column_stack([x, y + 10 * n_up]))
    return min_over(np.linalg.norm(a - image, axis=1) for image in images)


def by_arc_cosine(a, b):
    return 5 * np.arccos(np.clip(np.sum(a * b, axis=1), -1, 1))


@pytest.mark.parametrize(
    ("manifold", "geodesic"),
    [
        *((Torus(dim), by_shifts) for dim in (1, 2, 3, 6)),
        (Klein(), by_flips),
        *((Sphere(dim), by_arc_cosine) for dim in (1, 2, 3)),
        (Euclidean(3), lambda a, b: np.linalg.norm(a - b, axis=1)),
    ],
)
def test_distances_are_those_of_brute_force(manifold, geodesic):
    a, b = draw(manifold), draw(manifold, seed=1)
    expected = geodesic(a.numpy(), b.numpy())
    np.testing.assert_allclose(manifold.distance(a, b), expected, atol=1e-7)


@settings(max_examples=100)
@given(x=st.floats(0, 10), y=st.floats(0, 10))
def test_the_seams_of_the_klein_bottle(x, y):
    def distance(a, b):
        a, b = (torch.tensor(p, dtype=torch.float64) for p in (a, b))
        return float(Klein().distance(a, b))

    assert distance((10, y), (0, 10 - y)) == pytest.approx(0, abs=1e-7)
    assert distance((x, 0), (x, 10)) == pytest.approx(0, abs=1e-7)
    near = distance((9.75, y), (0.25, 10 - y))
    assert near == pytest.approx(0.5, abs=1e-7)
    if 0.1 < y % 5 < 4.9:
        # Without the flip it is another point.
        assert distance((10, y), (0, y)) > 0.1


@settings(max_examples=60)
@given(manifold=st.sampled_from(MANIFOLDS), seed=st.integers(0, 2**16))
def test_a_distance_is_a_metric(manifold, seed):
    distances = pairwise_distances(manifold, draw(manifold, 7, seed)).numpy()
    np.testing.assert_array_equal(np.diag(distances), 0)
    np.testing.assert_allclose(distances, distances.T, atol=1e-12)
    by_way_of = distances[:, :, None] + distances[None]
    assert (distances <= by_way_of.min(axis=1) + 1e-9).all()


@pytest.mark.parametrize("manifold", MANIFOLDS, ids=lambda m: m.name)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_are_finite_everywhere(manifold, dtype):
    """On the diagonal, between equal and opposite points, and at seams."""
    drawn = draw(manifold, 4).to(dtype)
    corners = torch.zeros(2, drawn.shape[1], dtype=dtype)
    corners[1] = 5.0
    if isinstance(manifold, Sphere):
        corners = -drawn[:1]
    positions = torch.cat([drawn, drawn[:1], corners]).requires_grad_()
    pairwise_distances(manifold, positions).square().sum().backward()
    assert positions.grad.isfinite().all()
    positions.grad = None
    pairwise_distances(manifold, positions).sum().backward()
    assert positions.grad.isfinite().all()
    assert positions.grad.any()


@pytest.mark.parametrize("manifold", MANIFOLDS, ids=lambda m: m.name)
def test_the_gradient_is_that_of_differences(manifold):
    positions = draw(manifold, 5).requires_grad_()
    torch.autograd.gradcheck(lambda p: pairwise_distances(manifold, p).sin(), positions)


@pytest.mark.parametrize("manifold", MANIFOLDS, ids=lambda m: m.name)
def test_what_left_the_manifold_is_brought_back_to_the_same_place(manifold):
    step = 12 * torch.randn(50, draw(manifold, 1).shape[1], generator=generator(3))
    moved = draw(manifold, 50) + step
    back = moved.clone()
    manifold.project_(back)
    if isinstance(manifold, Sphere):
        expected = moved.numpy() / np.linalg.norm(moved, axis=1, keepdims=True)
        np.testing.assert_allclose(back, expected, rtol=1e-12)
        return
    np.testing.assert_allclose(manifold.distance(back, moved), 0, atol=1e-6)
    if isinstance(manifold, Torus | Klein):
        assert ((back >= 0) & (back <= 10)).all()
        assert not torch.equal(back, moved)


@pytest.mark.usefixtures("untouched_generators")
@pytest.mark.parametrize("manifold", MANIFOLDS, ids=lambda m: m.name)
def test_positions_are_drawn_on_the_manifold(manifold):
    positions = draw(manifold, 20)
    assert positions.dtype is torch.float64
    assert torch.equal(positions, draw(manifold, 20))
    assert not torch.equal(positions, draw(manifold, 20, seed=1))
    again = positions.clone()
    manifold.project_(again)
    torch.testing.assert_close(again, positions)


@pytest.mark.parametrize("manifold", MANIFOLDS, ids=lambda m: m.name)
def test_what_a_user_gives_is_brought_onto_the_manifold(manifold):
    expected = draw(manifold, 20)
    given = expected.clone()
    bring_onto_(manifold, given)
    torch.testing.assert_close(given, expected)


@pytest.mark.parametrize("length", [0.0, 1e-13, 1e-200, 1e300])
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_a_row_without_a_direction_has_no_place_on_a_sphere(length, dim):
    positions = draw(Sphere(dim), 5)
    positions[3] *= length
    with pytest.raises(ValueError, match=r"positions\[3\] is \[.*manifold '"):
        bring_onto_(Sphere(dim), positions)


def test_a_users_own_projection_may_find_no_place():
    class Half(Euclidean):
        def project_(self, positions):
            positions.sqrt_()

    with pytest.raises(ValueError, match=r"positions\[1\] is \[1\.0, -4\.0\]"):
        bring_onto_(Half(2), torch.tensor([[4.0, 9.0], [1.0, -4.0]]))


def test_manifolds_have_names():
    assert [as_manifold(name).name for name in NAMES] == list(NAMES)
    others = [Torus(3), Sphere(5), Euclidean(2)]
    assert [m.name for m in others] == ["torus3", "s5", "r2"]
    assert as_manifold(Torus(3)) == Torus(3)


@pytest.mark.parametrize("wrong", ["Torus", "", None, 3, Torus, ["torus"]])
def test_the_known_manifolds_are_listed(wrong):
    with pytest.raises(ValueError, match=r"manifold is .* 'circle', 'klein', 'r3', "):
        as_manifold(wrong)


@pytest.mark.parametrize("make", [Torus, Sphere, Euclidean])
def test_a_dimension_is_a_positive_integer(make):
    for wrong in (0, 2.0, True, "2"):
        with pytest.raises(ValueError, match="dim is "):
            make(wrong)


def test_coordinates_are_those_of_their_unit():
    """Labelled positions: unit k is at (k, 3 k)."""
    k = torch.arange(5.0, dtype=torch.float64)
    distances = pairwise_distances(Euclidean(2), torch.stack([k, 3 * k], dim=1))
    expected = 10**0.5 * np.abs(np.subtract.outer(range(5), range(5)))
    np.testing.assert_allclose(distances, expected, rtol=1e-14)


def city_blocks(a, b):
    return (a - b).abs().sum(-1)


def test_a_distance_of_ones_own_is_one_function():
    positions = torch.tensor([[0.0, 1.0], [2.0, 5.0]])
    own = as_manifold(city_blocks)
    assert own.name == "custom"
    assert pairwise_distances(own, positions).tolist() == [[0, 6], [6, 0]]
    with pytest.raises(ValueError, match="give their positions"):
        draw(own)
    drawn = draw(Custom(city_blocks, lambda n, _: torch.ones(n, 2)), 3)
    assert drawn.shape == (3, 2)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda a, b: a - b, r"returned the shape \(3, 3, 2\); expected \(3, 3\)"),
        (lambda a, b: torch.tensor(1.0), r"returned the shape \(\); expected"),
        (lambda a, b: 1.0, r"returned float; expected a Tensor of shape \(3, 3\)"),
        (lambda a, b: city_blocks(a, b) * torch.nan, "returned nan; expected"),
        (lambda a, b: city_blocks(a, b) / 0, "returned inf|returned nan"),
        (lambda a, b: (a - b).sum(-1), r"returned -1\.0; expected numbers from 0"),
    ],
)
def test_what_a_distance_returns_is_checked(returned, message):
    positions = torch.tensor([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    with pytest.raises(ValueError, match=r"The distance of 'custom' " + message):
        pairwise_distances(Custom(returned), positions)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (torch.ones(3), r"returned Tensor of shape \(3,\); expected a Tensor"),
        (torch.ones(2, 3), r"\(2, 3\); expected a Tensor of shape \(3, n_coord"),
        (None, r"returned NoneType of shape \(\)"),
        (np.ones((3, 1)), r"returned ndarray of shape \(3, 1\); expected a Tensor"),
        (torch.full((3, 2), torch.nan), "returned NaN"),
    ],
)
def test_what_a_sampler_returns_is_checked(returned, message):
    with pytest.raises(ValueError, match=r"The sampler of 'custom' .*" + message):
        draw(Custom(city_blocks, lambda n, _: returned), 3)
