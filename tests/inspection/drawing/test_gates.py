"""Pictures of gates beside the tables that they show."""

import sys

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrational import SparseGRUClassifier, SparseLSTMClassifier
from skrational.datasets import make_planted_patterns
from skrational.inspection import GateDisplay
from skrational.structures import GRUStructure, LSTMStructure

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402


def drawn(n_units, kind=LSTMStructure, *, n_outputs=1, seed=0):
    """A structure with every second gate constant, and weights of a readout."""
    rng = np.random.default_rng(seed)
    values = rng.uniform(-1, 1, (n_units, len(kind.gate_names))).tolist()
    rows = [[None if rng.random() < 0.5 else v for v in row] for row in values]
    units, n_initial = range(0, 2 * n_units, 2), max(2 * n_units, 1)
    structure = kind(n_initial, 5, n_outputs, units, rows, range(5), n_weights=0)
    return structure, rng.normal(size=(n_outputs, n_units))


@pytest.fixture
def ax():
    return Figure(figsize=(8, 8)).subplots()


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def texts(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("kind", [LSTMStructure, GRUStructure])
def test_cells_show_the_table(ax, kind):
    structure, coef = drawn(9, kind, n_outputs=3)
    display = GateDisplay(structure, coef).plot(ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert sorted(display.order_) == list(range(9))
    assert len(display.varying_) == structure.n_gates
    assert all(cell.get_hatch() for cell in display.varying_)
    assert not any(cell.get_hatch() for cell in display.constant_)
    constants = [
        value
        for unit in display.order_
        for value in structure.constants[unit]
        if value is not None
    ]
    written = [text.get_text().replace("−", "-") for text in display.values_]
    assert written == [f"{value:.2f}" for value in constants]
    darkness = [cell.get_facecolor()[3] for cell in display.constant_]
    np.testing.assert_array_equal(np.argsort(darkness), np.argsort(np.abs(constants)))
    blue = [cell.get_facecolor()[2] > 0.5 for cell in display.constant_]
    assert blue == [value > 0 for value in constants]


def test_no_zero_has_a_sign(ax):
    rows = ((None, 0.5, -0.001, 0.5),)
    structure = LSTMStructure(1, 5, 1, (0,), rows, (0,), n_weights=1)
    GateDisplay(structure, [[-0.004]]).plot(ax)
    assert {"0.00", "+0.00"} < set(texts(ax))


def test_rows_are_numbers_values_and_weights(ax):
    rows = ((0.9, 0.99, None, 0.7), (None, None, None, 0.5), (0.25, None, None, 0.5))
    structure = LSTMStructure(9, 5, 2, (1, 4, 8), rows, (0,), n_weights=3)
    coef = np.array([[0.5, 0.25, 1.0], [-2.0, 0.1, 0.75]])
    GateDisplay(structure, coef).plot(ax)
    titles = "i: input gate · f: forget gate · g: information flow · o: output gate"
    head, body, caption = texts(ax)[:6], texts(ax)[6:-1], texts(ax)[-1]
    assert head == ["unit", "i", "f", "g", "o", "weight"]
    assert body == [
        *("4", "0.50", "+0.25"),
        *("8", "0.25", "0.50", "+1.00"),
        *("1", "0.90", "0.99", "0.70", "−2.00"),
    ]
    assert caption.startswith(titles)
    assert ax.get_title() == "6 of 36 gates vary, in 3 of 9 units"


def test_units_of_the_same_gates_stand_together_the_heaviest_first():
    structure, coef = drawn(64)
    order = GateDisplay(structure, coef).plot(Figure().subplots()).order_
    parts = [structure.parts()[unit] for unit in order]
    seen = list(dict.fromkeys(parts))
    assert parts == sorted(parts, key=seen.index)
    sizes = [len(part.strip("-")) for part in parts]
    assert sizes == sorted(sizes, reverse=True)
    for part in seen:
        weights = [abs(coef[0, u]) for u in order if structure.parts()[u] == part]
        assert weights == sorted(weights, reverse=True)


def test_without_weights_the_numbers_order(ax):
    structure, _ = drawn(20)
    display = GateDisplay(structure).plot(ax)
    assert "weight" not in "".join(texts(ax))
    for part in set(structure.parts()):
        same = [u for u in display.order_ if structure.parts()[u] == part]
        assert same == sorted(same)


@pytest.mark.parametrize("n_units", [0, 1, 7, 64])
@pytest.mark.parametrize("kind", [LSTMStructure, GRUStructure])
def test_any_structure_is_drawn_with_nothing_cut_off(n_units, kind):
    display = GateDisplay(*drawn(n_units, kind)).plot()
    display.figure_.draw_without_rendering()
    page = display.figure_.bbox
    for artist in [*display.ax_.texts, display.ax_.title]:
        box = artist.get_window_extent()
        assert page.x0 <= box.x0 <= box.x1 <= page.x1
        assert page.y0 <= box.y0 <= box.y1 <= page.y1
        assert artist.get_fontsize() >= 7
    boxes = [cell.get_window_extent() for cell in display.constant_]
    for text, box in zip(display.values_, boxes, strict=True):
        extent = text.get_window_extent()
        assert box.x0 < extent.x0 < extent.x1 < box.x1
    cells = display.constant_ + display.varying_
    assert len({tuple(cell.get_xy()) for cell in cells}) == len(cells)
    width, height = display.figure_.get_size_inches()
    assert height < 1.2 * width


def test_text_has_the_colour_of_the_style():
    with plt.style.context("dark_background"):
        display = GateDisplay(*drawn(7)).plot()
        assert {text.get_color() for text in display.ax_.texts} == {"white"}


def test_an_emptied_network_is_drawn_as_a_sentence(ax):
    display = GateDisplay(*drawn(0)).plot(ax)
    assert display.varying_ == display.constant_ == display.order_ == []
    assert texts(ax) == ["no unit is left: only the intercept decides"]
    assert ax.get_title() == "0 of 4 gates vary, in 0 of 1 units"


def test_letters_shrink_with_the_axes():
    sizes = []
    for figsize in ((12, 10), (3, 2)):
        axes = Figure(figsize=figsize).subplots()
        GateDisplay(*drawn(24)).plot(axes)
        sizes.append(max(text.get_fontsize() for text in axes.texts))
    assert sizes[1] < 0.5 * sizes[0]


def test_axes_that_are_given_keep_what_they_show(ax):
    (line,) = ax.plot([0, 1], [0, 1])
    GateDisplay(*drawn(3)).plot(ax)
    assert line in ax.lines
    assert plt.get_fignums() == []


@pytest.mark.parametrize("estimator", [SparseLSTMClassifier, SparseGRUClassifier])
def test_an_estimator_or_a_pipeline_is_opened(ax, estimator):
    data = make_planted_patterns(20, n_features=5, random_state=0)
    clf = estimator(n_units=2, lambda_=0, max_epochs=1, finetune_epochs=0)
    clf.set_params(min_steps_per_epoch=1, warmup_epochs=0, random_state=0)
    clf.fit(data.X, data.y)
    for fitted in (clf, make_pipeline(FunctionTransformer(), clf)):
        display = GateDisplay.from_estimator(fitted, ax=ax)
        assert display.structure is clf.learned_structure_
        np.testing.assert_array_equal(display.coef, clf.coef_)


def test_what_is_too_large_to_draw_is_refused_before_a_figure_is_made():
    rows = ((None,) * 4,) * 2501
    structure = LSTMStructure(2501, 5, 1, range(2501), rows, range(5), n_weights=0)
    with pytest.raises(ValueError, match=r"Too large to draw: 10,004 gates"):
        GateDisplay(structure).plot()
    assert not plt.get_fignums()


def test_something_else_is_refused():
    with pytest.raises(TypeError, match="structure is a tuple; expected a Gated"):
        GateDisplay((4, 4))
    structure, coef = drawn(3)
    with pytest.raises(ValueError, match=r"coef has shape \(3, 1\); expected \(1, 3\)"):
        GateDisplay(structure, coef.T)
    with pytest.raises(NotFittedError):
        GateDisplay.from_estimator(SparseLSTMClassifier())
    with pytest.raises(TypeError, match="expected a fitted SparseLSTMClassifier"):
        GateDisplay.from_estimator(FunctionTransformer())


def test_drawing_without_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"skrational\[plots\]"):
        GateDisplay(*drawn(3)).plot()
