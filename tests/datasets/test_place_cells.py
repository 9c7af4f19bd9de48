import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational.datasets import PlaceCells

CENTERS = np.random.RandomState(0).uniform(-1.1, 1.1, (512, 2))


def by_hand(position, cells):
    """The code of one position, straight from the formula."""

    def activities(variance):
        a = [
            np.exp(-((position - c) ** 2).sum() / (2 * variance)) for c in cells.centers
        ]
        return np.array(a) / sum(a)

    code = activities(cells.width**2)
    if cells.surround is not None:
        code = code - activities(cells.surround * cells.width**2)
        code = (code - code.min()) / (code - code.min()).sum()
    return code


@pytest.mark.parametrize("surround", [None, 1.5, 2.0])
@pytest.mark.parametrize("width", [0.12, 0.3])
def test_codes_are_those_of_the_formula(surround, width):
    cells = PlaceCells(CENTERS[:40], width, surround)
    positions = np.random.RandomState(1).uniform(-1.1, 1.1, (4, 3, 2))
    codes = cells.encode(positions)
    assert codes.dtype == np.float32
    assert codes.shape == (4, 3, 40)
    for i in np.ndindex(4, 3):
        np.testing.assert_allclose(codes[i], by_hand(positions[i], cells), atol=1e-7)


@settings(max_examples=40)
@given(
    st.integers(3, 200),
    st.lists(st.integers(0, 3), max_size=2),
    st.floats(0.1, 1),
    st.sampled_from([None, 1.2, 2.0, 10.0]),
)
def test_codes_are_distributions(n_places, shape, width, surround):
    rng = np.random.RandomState(n_places)
    cells = PlaceCells(rng.uniform(-1, 1, (n_places, 2)), width, surround)
    codes = cells.encode(rng.uniform(-1, 1, (*shape, 2)))
    assert codes.shape == (*shape, n_places)
    assert (codes >= 0).all()
    np.testing.assert_allclose(codes.sum(axis=-1), 1, rtol=1e-5)
    assert cells.decode(codes).shape == (*shape, 2)


def test_the_three_most_active_cells_are_averaged():
    cells = PlaceCells([[0, 0], [3, 0], [0, 3], [9, 9]])
    codes = np.array([[0.2, 0.4, 0.3, 0.1], [0.2, 0.1, 0.4, 0.3]])
    for ranks_them in (codes, np.log(codes)):
        np.testing.assert_allclose(cells.decode(ranks_them), [[1, 1], [3, 4]])


@pytest.mark.parametrize("surround", [None, 2.0])
def test_decoding_returns_about_the_position(surround):
    cells = PlaceCells(CENTERS, surround=surround)
    positions = np.random.RandomState(1).uniform(-1, 1, (500, 2))
    decoded = cells.decode(cells.encode(positions))
    distances = np.linalg.norm(decoded - positions, axis=1)
    assert distances.mean() < 0.045
    assert np.quantile(distances, 0.95) < 0.1


def test_plain_gaussians_decode_by_the_nearest_cells():
    cells = PlaceCells(CENTERS, surround=None)
    for position in np.random.RandomState(1).uniform(-1, 1, (20, 2)):
        order = np.argsort(((CENTERS - position) ** 2).sum(axis=1))
        np.testing.assert_allclose(
            cells.decode(cells.encode(position)), CENTERS[order[:3]].mean(axis=0)
        )


def test_centers_are_a_copy_that_cannot_be_changed():
    centers = CENTERS.copy()
    cells = PlaceCells(centers)
    centers[:] = 0
    np.testing.assert_array_equal(cells.centers, CENTERS)
    with pytest.raises(ValueError, match="read-only"):
        cells.centers[0] = 0


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"centers": CENTERS[:2]}, "at least 3 places"),
        ({"centers": CENTERS.T}, r"centers has shape \(2, 512\)"),
        ({"centers": np.full((4, 2), np.nan)}, "centers must be finite"),
        ({"width": 0}, "width must be above 0 metres; got 0"),
        ({"width": np.nan}, "width must be above 0"),
        ({"surround": 1}, "surround must be above 1, or None; got 1"),
        ({"surround": np.inf}, "surround must be above 1"),
    ],
)
def test_invalid_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        PlaceCells(**{"centers": CENTERS, **params})


def test_invalid_positions_and_codes():
    cells = PlaceCells(CENTERS)
    with pytest.raises(
        ValueError, match=r"of shape \(\.\.\., 2\); got the shape \(3,\)"
    ):
        cells.encode([1, 2, 3])
    with pytest.raises(ValueError, match="must be finite"):
        cells.encode([1, np.nan])
    with pytest.raises(ValueError, match=r"codes has shape \(7,\); .* one activity"):
        cells.decode(np.ones(7))
    with pytest.raises(ValueError, match="codes must be numbers; got NaN"):
        cells.decode(np.where(np.arange(512) == 7, np.nan, 1))
    with pytest.raises(ValueError, match=r"a width of 0\.001 metres is too small"):
        PlaceCells(CENTERS, width=0.001).encode([5, 5])
