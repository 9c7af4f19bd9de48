"""Maps of manifolds, and the links that are drawn on them."""

import itertools
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import cdist
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrational import SparseLSTMClassifier
from skrational.datasets import make_planted_patterns
from skrational.inspection import GateDisplay, ManifoldDisplay, explain
from skrational.inspection.drawing.charts import chart
from skrational.structures import MaskStructure

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

N_DIMENSIONS = {
    "torus": 2,
    "torus6": 6,
    "klein": 2,
    "circle": 2,
    "sphere": 3,
    "s3": 4,
    "r1": 1,
    "r3": 3,
    "custom": 2,
}
ON_SPHERES = {"circle", "sphere", "s3"}
COORDINATES = st.floats(0, 10, exclude_max=True, width=32)


@pytest.fixture
def axes():
    return Figure(figsize=(9, 4)).subplots(ncols=2)


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def drawn(manifold="torus", n_units=24, n_gates=1, density=0.1, **changes):
    """A structure, and weights that are zero where nothing is left."""
    rng = np.random.default_rng(0)
    positions = rng.uniform(0, 10, (n_units, N_DIMENSIONS[manifold]))
    if manifold in ON_SPHERES:
        positions -= 5
        positions /= np.linalg.norm(positions, axis=1, keepdims=True)
    n_rows = n_gates * n_units
    mask = rng.random((n_rows, n_units)) < density
    masks = {"W_ih": np.ones((n_rows, 3), bool), "W_hh": mask}
    masks["A"] = rng.random((1, n_units)) < 0.3
    values = {"positions": positions, "distances": cdist(positions, positions)}
    structure = MaskStructure(masks, manifold=manifold, **values | changes)
    return structure, rng.normal(size=mask.shape) * mask


class MaskEstimator(BaseEstimator):
    """What an estimator has that learned a mask."""

    def fit(self, X, y=None):
        self.learned_structure_, W_hh = drawn()
        self.weights_ = {"W_hh": W_hh}
        return self

    @property
    def n_links_(self):
        return self.learned_structure_.n_links


def copies(point, flipped):
    """Nine copies of a point of the square in the plane that it tiles."""
    for i, j in itertools.product((-1, 0, 1), repeat=2):
        x, y = point
        yield np.array([x + 10 * i, (10 - y if flipped and i else y) + 10 * j])


def lengths(lines, n_links):
    steps = [np.linalg.norm(np.diff(p, axis=0), axis=1).sum() for p in lines.pieces]
    return np.bincount(lines.owners, steps, minlength=n_links)


@pytest.mark.parametrize("manifold", ["torus", "klein"])
@given(positions=arrays(float, (2, 2), elements=COORDINATES))
def test_links_in_a_square_are_as_long_as_the_shortest_way(manifold, positions):
    flipped = manifold == "klein"
    a, b = positions
    lines = chart(positions, manifold).draw_links(np.array([0]), np.array([1]))
    distance = min(np.linalg.norm(a - copy) for copy in copies(b, flipped))
    np.testing.assert_allclose(lengths(lines, 1), distance, atol=1e-9)
    for piece in lines.pieces:
        assert (piece >= -1e-9).all()
        assert (piece <= 10 + 1e-9).all()
    # It begins and ends in the units, and goes on where the sides are glued.
    ends = [a, *(point for piece in lines.pieces for point in piece), b]
    for left, entered in zip(ends[::2], ends[1::2], strict=True):
        gaps = [np.abs(copy - left).max() for copy in copies(entered, flipped)]
        assert min(gaps) < 1e-9


def test_the_left_side_of_a_klein_bottle_is_glued_upside_down():
    positions = np.array([[9.5, 2.0], [0.5, 8.0], [5.0, 9.5], [5.0, 0.5]])
    sources, targets = np.array([0, 2]), np.array([1, 3])
    pieces = chart(positions, "klein").draw_links(sources, targets).pieces
    expected = [[(9.5, 2), (10, 2)], [(0, 8), (0.5, 8)]]
    expected += [[(5, 9.5), (5, 10)], [(5, 0), (5, 0.5)]]
    np.testing.assert_allclose(pieces, expected)


def test_positions_beyond_the_square_are_brought_back():
    points = chart(np.array([[12.0, 3.0], [-1.0, 21.0]]), "klein").points
    np.testing.assert_allclose(points, [[2, 7], [9, 9]])
    points = chart(np.array([[12.0, 3.0], [-1.0, 21.0]]), "torus").points
    np.testing.assert_allclose(points, [[2, 3], [9, 1]])


def test_links_on_a_sphere_are_great_circles_cut_at_the_rim():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(200, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    a, b = np.arange(100), np.arange(100, 200)
    lines = chart(points, "sphere").draw_links(a, b)
    for k in range(100):
        mine = np.flatnonzero(lines.owners == k)
        is_near = points[[k, k + 100], 2] >= 0
        assert len(mine) == 1 + (is_near[0] != is_near[1])
        np.testing.assert_allclose(lines.pieces[mine[0]][0], points[k, :2])
        np.testing.assert_allclose(lines.pieces[mine[-1]][-1], points[k + 100, :2])
        np.testing.assert_array_equal(
            lines.shades[mine] == 1, is_near[[0, -1][: len(mine)]]
        )
        # All of a great circle is at a right angle to its axis.
        axis = np.cross(points[k], points[k + 100])
        for i in mine:
            xy = lines.pieces[i][1:-1]
            z = np.sqrt(1 - (xy**2).sum(axis=1)) * (1 if lines.shades[i] == 1 else -1)
            np.testing.assert_allclose(np.column_stack([xy, z]) @ axis, 0, atol=1e-6)


def test_links_of_a_circle_stay_inside_and_those_through_the_middle_are_straight():
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    zero = np.zeros(11, int)
    lines = chart(5 * points, "circle").draw_links(zero, np.arange(1, 12))
    for target, piece in enumerate(lines.pieces, start=1):
        assert (np.linalg.norm(piece[1:-1], axis=1) < 1).all()
        np.testing.assert_allclose(piece[[0, -1]], points[[0, target]], atol=1e-12)
    np.testing.assert_allclose(lines.pieces[5][:, 1], 0, atol=1e-6)
    as_torus = chart(10 * angles[:, None] / (2 * np.pi), "torus1").points
    np.testing.assert_allclose(as_torus, points, atol=1e-12)


def test_a_projection_keeps_what_lies_in_a_plane():
    rng = np.random.default_rng(0)
    flat = rng.normal(size=(30, 2))
    rotation = np.linalg.qr(rng.normal(size=(5, 5)))[0]
    projected = chart(np.pad(flat, [(0, 0), (0, 3)]) @ rotation, "r5")
    np.testing.assert_allclose(cdist(*[projected.points] * 2), cdist(flat, flat))
    assert projected.labels[0] == "1st principal coordinate"
    assert projected.title == "space of 5 dimensions, projected on two"


@pytest.mark.parametrize("manifold", N_DIMENSIONS)
@pytest.mark.parametrize("n_units", [1, 24])
def test_any_manifold_is_drawn_without_a_warning(manifold, n_units):
    structure, weights = drawn(manifold, n_units)
    display = ManifoldDisplay(structure, weights).plot()
    display.figure_.draw_without_rendering()
    assert len(display.units_.get_offsets()) == n_units
    sources, targets = structure.links()
    pairs = {p for p in zip(sources, targets, strict=True) if p[0] != p[1]}
    assert set(map(tuple, display.drawn_)) == pairs


def texts(axes):
    """All that is written under, over and beside axes."""
    legends = [ax.get_legend() for ax in axes if ax.get_legend()]
    own = [(ax.title, ax.xaxis.label, ax.yaxis.label) for ax in axes]
    return [text for text in itertools.chain(*own) if text.get_text()] + legends


@pytest.mark.parametrize("dpi", [80, 100])
@pytest.mark.parametrize("manifold", N_DIMENSIONS)
def test_text_of_a_figure_of_its_own_is_on_the_page(manifold, dpi):
    structure, weights = drawn(manifold, 120, density=0.5)
    with plt.rc_context({"figure.dpi": dpi}):
        display = ManifoldDisplay(structure, weights).plot()
        display.figure_.draw_without_rendering()
        map_, histogram = display.axes_
        page = display.figure_.bbox
        for text in texts(display.axes_):
            box = text.get_window_extent()
            assert page.x0 <= box.x0 <= box.x1 <= page.x1
            assert page.y0 <= box.y0 <= box.y1 <= page.y1
        beside = histogram.get_tightbbox().x0
        assert all(text.get_window_extent().x1 < beside for text in texts([map_]))


@pytest.mark.parametrize("manifold", N_DIMENSIONS)
def test_text_of_axes_without_a_layout_stays_off_the_neighbour(manifold):
    structure, weights = drawn(manifold, 60, density=0.5, inhibitor="diffusion")
    figure = Figure((6.4, 4.8))
    axes = figure.subplots(1, 2)
    ManifoldDisplay(structure, weights, max_links=50).plot(axes)
    figure.draw_without_rendering()
    boxes = [[text.get_window_extent() for text in texts([ax])] for ax in axes]
    for box, other in itertools.product(*boxes):
        assert not box.overlaps(other)
    for box in itertools.chain(*boxes):
        assert 0 <= box.x0 <= box.x1 <= figure.bbox.x1


@pytest.mark.parametrize(
    ("manifold", "title"),
    [
        ("torus", "torus, unrolled"),
        ("torus6", "6-torus, first two coordinates"),
        ("klein", "Klein bottle, unrolled"),
        ("circle", "circle"),
        ("sphere", "sphere, seen from far away: the back is pale"),
        ("s3", "3-sphere in 4 dimensions, projected on two"),
        ("r1", "a line"),
        ("r3", "space of 3 dimensions, projected on two"),
        ("custom", "custom manifold in a plane"),
    ],
)
def test_the_title_says_which_manifold_it_is(axes, manifold, title):
    ManifoldDisplay(*drawn(manifold)).plot(axes)
    assert axes[0].get_title().splitlines()[1:] == [title]


def test_names_of_any_kind_are_drawn_as_they_are(axes):
    structure, _ = drawn("custom", inhibitor="$\\no")
    ManifoldDisplay(replace(structure, manifold="$x_")).plot(axes)
    axes[0].figure.draw_without_rendering()
    assert axes[0].get_title().endswith("$x_ manifold in a plane")
    assert axes[1].get_xlabel().endswith('inhibitor: "$\\no"')


@pytest.mark.parametrize("inhibitor", [None, "custom", "dog"])
def test_an_inhibitor_that_has_a_name_is_named(axes, inhibitor):
    ManifoldDisplay(*drawn(inhibitor=inhibitor)).plot(axes)
    said = ' · inhibitor: "dog"' if inhibitor == "dog" else ""
    assert axes[1].get_xlabel() == "distance of two units" + said


def test_lines_show_the_weights(axes):
    structure, weights = drawn()
    display = ManifoldDisplay(structure, weights).plot(axes)
    lines = chart(structure.positions, "torus").draw_links(*display.drawn_.T)
    of_lines = np.array([weights[t, s] for s, t in display.drawn_])[lines.owners]
    sizes = np.abs(of_lines)
    shades = display.links_.get_colors()[:, 3]
    for looks in (display.links_.get_linewidths(), shades):
        assert (np.diff(np.asarray(looks)[np.argsort(sizes)]) >= 0).all()
    blue = display.links_.get_colors()[:, 2] > 0.5
    np.testing.assert_array_equal(blue, of_lines > 0)
    of_drawn = [abs(weights[t, s]) for s, t in display.drawn_]
    assert of_drawn == sorted(of_drawn)


def test_of_many_links_the_strongest_are_drawn(axes):
    structure, weights = drawn(density=0.5)
    display = ManifoldDisplay(structure, weights, max_links=10).plot(axes)
    np.fill_diagonal(weights, 0)
    strongest = np.argsort(np.abs(weights), axis=None)[-10:]
    targets, sources = np.unravel_index(strongest, weights.shape)
    np.testing.assert_array_equal(display.drawn_, np.stack([sources, targets], 1))
    n_pairs = np.count_nonzero(weights)
    caption = axes[0].get_xlabel()
    assert f"the 10 strongest of {n_pairs} linked pairs of units" in caption
    assert "blue: positive" in caption


def test_without_weights_links_from_all_over_are_drawn(axes):
    structure, weights = drawn(density=0.5)
    display = ManifoldDisplay(structure, max_links=10).plot(axes)
    assert display.drawn_[0, 1] == 0
    assert display.drawn_[-1, 1] == 23
    assert len(np.unique(display.links_.get_linewidths())) == 1
    caption = axes[0].get_xlabel()
    np.fill_diagonal(weights, 0)
    assert f"the 10 of {np.count_nonzero(weights)} linked pairs" in caption
    assert "blue" not in caption


def test_a_pair_of_a_gated_network_shows_the_largest_of_its_gates(axes):
    structure, weights = drawn(n_units=5, n_gates=4, density=0.4)
    display = ManifoldDisplay(structure, weights, max_links=1).plot(axes)
    ((source, target),) = display.drawn_
    gates = weights.reshape(4, 5, 5) * ~np.eye(5, dtype=bool)
    _, row, column = np.unravel_index(np.abs(gates).argmax(), gates.shape)
    assert (source, target) == (column, row)


def test_rings_and_hollow_points(axes):
    masks = {"W_ih": np.ones((3, 1), bool), "W_hh": np.diag([False, True, False])}
    structure = MaskStructure(
        masks | {"A": [[True, True, False]]}, positions=np.ones((3, 2))
    )
    display = ManifoldDisplay(structure).plot(axes)
    filled = display.units_.get_facecolors()[:, 3] > 0
    np.testing.assert_array_equal(filled, [True, True, False])
    rings = axes[0].collections[-1]
    assert len(rings.get_offsets()) == 1
    assert display.drawn_.shape == (0, 2)
    assert not axes[1].axison
    caption = axes[0].get_xlabel()
    assert "ring: linked to itself" in caption
    assert "hollow: never reaches the readout" in caption


def test_rings_and_hollow_points_are_explained_only_where_there_are_any(axes):
    masks = {"W_ih": np.ones((3, 1), bool), "W_hh": np.eye(3, k=1, dtype=bool)}
    structure = MaskStructure(
        masks | {"A": np.ones((1, 3), bool)}, positions=np.eye(3, 2)
    )
    ManifoldDisplay(structure).plot(axes)
    caption = axes[0].get_xlabel()
    assert "2 linked pairs of units" in caption
    assert "ring" not in caption
    assert "hollow" not in caption


def test_the_histogram_is_a_density_of_what_is_left_and_gone(axes):
    structure, weights = drawn(n_gates=3)
    ManifoldDisplay(structure, weights).plot(axes)
    labels = [text.get_text() for text in axes[1].get_legend().get_texts()]
    for patch, distances, label in zip(
        axes[1].patches, structure.link_distances(), labels, strict=True
    ):
        assert f"{len(distances):,}, mean {distances.mean(dtype=float):.3g}" in label
        bins = np.linspace(0, structure.distances.max(), 41)
        expected = np.histogram(distances, bins, density=True)[0]
        np.testing.assert_allclose(np.unique(patch.get_xy()[:, 1])[-1], expected.max())


@pytest.mark.parametrize("density", [0.0, 1.1])
def test_nothing_left_and_nothing_gone(axes, density):
    structure, weights = drawn(density=density)
    ManifoldDisplay(structure, weights).plot(axes)
    assert len(axes[1].patches) == 1


def test_text_and_units_have_the_colour_of_the_style():
    with plt.style.context("dark_background"):
        display = ManifoldDisplay(*drawn()).plot()
        assert display.axes_[0].title.get_color() == "white"
        np.testing.assert_array_equal(display.units_.get_edgecolors(), 1)


@pytest.mark.parametrize("ground", ["axes", "figure", "text"])
def test_on_a_dark_ground_fills_and_weak_links_are_as_plain_as_on_a_light_one(ground):
    def contrasts(ground, **style):
        # Of the histogram's fills and the weakest link with what is behind them.
        with plt.rc_context(style):
            display = ManifoldDisplay(*drawn(density=0.5)).plot()
        fills = [patch.get_facecolor() for patch in display.axes_[1].patches]
        links = display.links_.get_colors()
        weakest = links[links[:, 3].argmin()]
        for *colour, opacity in (*fills, weakest):
            mixed = opacity * np.array(colour) + (1 - opacity) * ground
            bright = luminance(mixed), luminance(np.full(3, ground))
            yield (max(bright) + 0.05) / (min(bright) + 0.05)

    dark = {
        "axes": {"axes.facecolor": "black"},
        "figure": {"axes.facecolor": "none", "figure.facecolor": "black"},
        "text": {
            "axes.facecolor": "none",
            "figure.facecolor": "none",
            "text.color": "white",
        },
    }
    on_light = list(contrasts(1.0))
    for found, expected in zip(contrasts(0.0, **dark[ground]), on_light, strict=True):
        assert found > 0.95 * expected


def luminance(rgb):
    linear = np.where(rgb < 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_axes_that_are_given_keep_what_they_show(axes):
    (line,) = axes[0].plot([0, 1], [0, 1])
    display = ManifoldDisplay(*drawn()).plot(axes)
    assert line in axes[0].lines
    assert display.figure_ is axes[0].figure
    assert plt.get_fignums() == []


def test_an_estimator_or_what_holds_one_is_opened(axes):
    fitted = MaskEstimator().fit(None)
    for holder in (
        fitted,
        make_pipeline(FunctionTransformer(), fitted),
        FrozenEstimator(fitted),
    ):
        display = ManifoldDisplay.from_estimator(holder, max_links=3, axes=axes)
        assert display.structure is fitted.learned_structure_
        np.testing.assert_array_equal(display.weights, fitted.weights_["W_hh"])
        assert len(display.drawn_) == 3
    with pytest.raises(NotFittedError):
        ManifoldDisplay.from_estimator(MaskEstimator())
    with pytest.raises(TypeError, match="expected a fitted ModuliRNNClassifier"):
        ManifoldDisplay.from_estimator(FunctionTransformer())


def test_what_reads_other_networks_names_the_display():
    fitted = MaskEstimator().fit(None)
    for read in (GateDisplay.from_estimator, lambda it: explain(it, ["a"])):
        with pytest.raises(
            TypeError, match=r"MaskEstimator, a network of pruned.*Manif"
        ):
            read(fitted)


def test_a_gated_network_is_refused():
    data = make_planted_patterns(20, n_features=5, random_state=0)
    clf = SparseLSTMClassifier(n_units=2, lambda_=0, max_epochs=1, finetune_epochs=0)
    clf.set_params(min_steps_per_epoch=1, warmup_epochs=0, random_state=0)
    clf.fit(data.X, data.y)
    with pytest.raises(TypeError, match="a SparseLSTMClassifier, a gated network; wh"):
        ManifoldDisplay.from_estimator(clf)
    with pytest.raises(TypeError, match="GateDisplay draws a GatedStructure"):
        ManifoldDisplay(clf.learned_structure_)


def test_bad_input_is_refused_before_a_figure_is_made(axes):
    structure, weights = drawn()
    with pytest.raises(ValueError, match="structure has no positions"):
        ManifoldDisplay(MaskStructure(structure.masks))
    with pytest.raises(ValueError, match=r"weights has shape \(3, 24\); expected \(24"):
        ManifoldDisplay(structure, weights[:3])
    with pytest.raises(ValueError, match="max_links is 0; expected an integer"):
        ManifoldDisplay(structure, max_links=0)
    with pytest.raises(ValueError, match="axes holds 1 Axes; expected two"):
        ManifoldDisplay(structure).plot(axes[0])
    assert not plt.get_fignums()


def test_drawing_without_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"skrational\[plots\]"):
        ManifoldDisplay(*drawn()).plot()
