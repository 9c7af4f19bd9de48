"""Pictures of structures beside their counts."""

import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrational import SparseRationalClassifier
from skrational.inspection.drawing.structure import StructureDisplay
from skrational.structures import RationalStructure
from skrational.utils.figures import COLOURS

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.colors import to_hex  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.offsetbox import AnnotationBbox  # noqa: E402
from matplotlib.text import Text  # noqa: E402


class HandMade(BaseEstimator):
    """Has a structure, as a fitted classifier does."""

    def __init__(self, structure=None):
        self.structure = structure

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    @property
    def automata_(self):
        d = self.structure.n_wfsas
        return SimpleNamespace(
            n_wfsas=d,
            lengths=self.structure.lengths,
            numbers=self.structure.survivors,
            coef=np.linspace(-1, 1, 3 * d).reshape(3, d),
            semiring="plus-times",
        )

    @property
    def classes_(self):
        return np.array(["a", "b", "c"])

    @property
    def learned_structure_(self):
        return self.structure


def test_lines_have_the_colour_of_text_in_dark_figures():
    with plt.style.context("dark_background"):
        display = StructureDisplay(structure((2, 2), (1, 0))).plot()
    shapes = display.kept_states_ + display.removed_arcs_
    assert {shape.get_edgecolor()[:3] for shape in shapes} == {(1.0, 1.0, 1.0)}


def test_letters_shrink_with_the_axes():
    sizes = []
    for figsize in ((12, 10), (3, 2)):
        axes = Figure(figsize=figsize).subplots()
        StructureDisplay(structure((4,) * 24, (2,) * 24)).plot(axes)
        sizes.append(max(text.get_fontsize() for text in axes.texts))
    assert sizes[1] < 0.5 * sizes[0]


def structure(initial, kept, **kwargs):
    return RationalStructure(initial, kept, n_features=5, n_outputs=1, **kwargs)


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def n_circles(ax):
    return sum(isinstance(patch, matplotlib.patches.Circle) for patch in ax.patches)


@pytest.mark.parametrize(("all_final", "n_final"), [(True, 6), (False, 2)])
def test_what_is_kept_is_solid_and_the_rest_dashed(ax, all_final, n_final):
    value = structure((4, 4, 4), (2, 0, 4), all_final=all_final)
    display = StructureDisplay(value).plot(ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert len(display.kept_states_) == 6 + 2  # with their starts
    assert len(display.removed_states_) == 6 + 1
    assert len(display.kept_arcs_) == len(display.removed_arcs_) == 2 * 6
    assert n_circles(ax) == 15 + n_final
    kept = display.kept_states_ + display.kept_arcs_
    assert {artist.get_linestyle() for artist in kept} == {"solid"}
    removed = display.removed_states_ + display.removed_arcs_
    assert {artist.get_linestyle() for artist in removed} == {"dashed"}
    assert max(a.get_linewidth() for a in removed) < min(
        a.get_linewidth() for a in kept
    )


def test_rows_are_named_before_and_after(ax):
    display = StructureDisplay(structure((2, 2, 2), (1, 0, 2))).plot(ax)
    assert ax.get_title() == repr(display.structure)
    names = [text for text in texts(ax) if text.startswith(("WFSA", "–"))]
    assert names == ["WFSA 0", "–", "WFSA 1"]
    assert texts(ax)[:2] == ["before", "after"]


@pytest.mark.parametrize(
    ("initial", "kept"),
    [
        ((4,) * 24, (0,) * 24),
        ((1,), (0,)),
        ((1,), (1,)),
        ((6,) * 100, (6, 0, 3, 0) * 25),
        ((4, 3, 2, 1, 2), (0, 3, 1, 0, 2)),
    ],
)
def test_any_structure_is_drawn_with_nothing_cut_off(initial, kept, tmp_path):
    display = StructureDisplay(structure(initial, kept)).plot()
    display.figure_.savefig(tmp_path / "structure.png")
    states = len(display.kept_states_), len(display.removed_states_)
    starts = sum(n > 0 for n in kept)
    assert states == (
        sum(kept) + starts,
        sum(initial) + len(initial) - sum(kept) - starts,
    )
    page, axes = display.figure_.bbox, display.ax_.bbox
    for artist in [*display.ax_.texts, display.ax_.title]:
        box = artist.get_window_extent()
        assert page.x0 <= box.x0 <= box.x1 <= page.x1
        assert page.y0 <= box.y0 <= box.y1 <= page.y1
        assert artist.get_fontsize() >= 7
    for state in display.kept_states_ + display.removed_states_:
        box = state.get_window_extent()
        assert axes.x0 < box.x0 < box.x1 < axes.x1
        assert axes.y0 < box.y0 < box.y1 < axes.y1


def test_rows_do_not_touch():
    display = StructureDisplay(structure((4,) * 24, (2,) * 24)).plot()
    display.figure_.canvas.draw()
    boxes = [circle.get_window_extent() for circle in display.kept_states_]
    centres = np.array([[box.x0, box.y0] for box in boxes])
    apart = np.linalg.norm(centres[:, None] - centres, axis=-1)
    np.fill_diagonal(apart, np.inf)
    assert apart.min() > 1.3 * boxes[0].width


def test_columns_are_of_even_height(ax):
    StructureDisplay(structure((4,) * 8, (2,) * 8)).plot(ax)
    assert texts(ax).count("before") == 2
    tops = {text.xy[1] for text in ax.texts if text.get_text().startswith("WFSA")}
    assert len(tops) == 4


def test_an_estimator_or_a_pipeline_is_opened(ax):
    clf = HandMade(structure((2, 2), (1, 0)))
    for estimator in (clf, make_pipeline(FunctionTransformer(), clf)):
        display = StructureDisplay.from_estimator(estimator, ax=ax)
        assert display.structure is clf.structure


def test_an_emptied_classifier_is_drawn(ax):
    clf = HandMade(structure((2, 2), (0, 0)))
    display = StructureDisplay.from_estimator(clf, ax=ax)
    assert display.kept_states_ == display.kept_arcs_ == []
    ax.figure.canvas.draw()


def test_axes_that_are_given_keep_what_they_show(ax):
    (line,) = ax.plot([0, 1], [0, 1])
    StructureDisplay(structure((2,), (1,))).plot(ax)
    assert line in ax.lines
    assert plt.get_fignums() == []


@pytest.mark.parametrize("lengths", [(10_001,), (2,) * 5001])
def test_what_is_too_large_to_draw_is_refused_before_a_figure_is_made(lengths):
    display = StructureDisplay(RationalStructure(lengths, lengths, 1, 1))
    with pytest.raises(ValueError, match=r"Too large to draw: 10,00\d states"):
        display.plot()
    assert not plt.get_fignums()


def test_something_else_is_refused():
    with pytest.raises(TypeError, match="structure is a tuple; expected a Rational"):
        StructureDisplay((4, 4))
    with pytest.raises(NotFittedError):
        StructureDisplay.from_estimator(SparseRationalClassifier())
    with pytest.raises(TypeError, match="estimator is a FunctionTransformer"):
        StructureDisplay.from_estimator(FunctionTransformer())


def test_drawing_without_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"skrational\[plots\]"):
        StructureDisplay(structure((2,), (1,))).plot()


def test_what_was_removed_can_be_left_out(ax):
    value = structure((4, 4, 4), (2, 0, 3))
    display = StructureDisplay(value).plot(ax, removed=False)
    assert display.removed_states_ == display.removed_arcs_ == []
    assert len(display.kept_states_) == 5 + 2
    names = [text for text in texts(ax) if text.startswith(("WFSA", "–"))]
    assert names == ["WFSA 0", "WFSA 1"]
    assert [text for text in texts(ax) if text in ("0", "2")][::3] == ["0", "2"]
    captions = " ".join(text.get_text() for text in ax.findobj(Text))
    assert "removed" not in captions and "double circle: final" in captions


def test_nothing_left_and_nothing_removed_is_said(ax):
    StructureDisplay(structure((2, 2), (0, 0))).plot(ax, removed=False)
    assert "no WFSA is left" in [text.get_text() for text in ax.findobj(Text)]


def test_automata_have_the_colour_of_the_class_of_high_scores(ax):
    coef = np.array([[1.0, -1.0], [-0.9, 0.3], [-0.1, 0.7]])
    value = structure((2, 2, 2), (1, 0, 2))
    display = StructureDisplay(value, coef=coef, classes=("a", "b", "c")).plot(ax)
    colours = [to_hex(s.get_edgecolor()).upper() for s in display.kept_states_]
    assert colours == [COLOURS[0]] * 2 + [COLOURS[2]] * 3
    boxes = [b.offsetbox.findobj(Text) for b in ax.findobj(AnnotationBbox)]
    assert [t.get_text() for t in boxes[0]] == ["'a'"]
    assert [t.get_text() for t in boxes[1]] == ["'c'", ", ", "'b'"]
    assert boxes[1][2].get_color() == COLOURS[1]


def test_two_classes_are_named_in_the_caption(ax):
    value = structure((2, 2), (1, 2))
    StructureDisplay(value, coef=[[1.0, 2.0]], classes=("bad", "good")).plot(ax)
    shown = "".join(text.get_text() for text in ax.findobj(Text))
    assert "high scores speak for 'good', negative ones for 'bad'" in shown
    with pytest.raises(ValueError, match=r"shape \(1, 1\); expected \(1, 2\)"):
        StructureDisplay(value, coef=[[1.0]], classes=("bad", "good"))


def test_text_pictures_can_leave_out_what_was_removed():
    value = structure((4, 4, 4), (2, 0, 3))
    svg, dot = value.to_svg(removed=False), value.to_dot(removed=False)
    assert svg.count('class="start"') == 2 and "dashed" not in svg
    assert re.findall(r'data-wfsa="(\d)"', svg) == ["0", "2"]
    assert 'class="removed"' not in svg and 'class="removed"' in value.to_svg()
    assert re.findall(r'label="WFSA (\d)"', dot) == ["0", "2"]
    assert "dashed" not in dot and dot.count('label="q') == 7
    empty = structure((2,), (0,))
    assert "none left" in empty.to_svg(removed=False)
    assert "subgraph" not in empty.to_dot(removed=False)
