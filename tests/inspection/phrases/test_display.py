"""The figure of phrases: what it shows, and that nothing overlaps."""

import itertools
import sys

import numpy as np
import pytest

from skrational import SparseRationalClassifier
from skrational.datasets import make_planted_patterns
from skrational.inspection.phrases import Phrase, Phrases, top_phrases
from skrational.inspection.phrases import display as display_module
from skrational.inspection.phrases.display import PhraseDisplay
from skrational.utils.figures import COLOURS, GREY

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def phrase(wfsa, side, rank, score, *split):
    return Phrase(
        wfsa,
        side,
        rank,
        score,
        count=rank,
        document=0,
        main_path=tuple(token for token, _ in split),
        cells=tuple(f"{token} {loops}".strip() for token, loops in split),
    )


@pytest.fixture
def phrases():
    return Phrases(
        rows=(
            phrase(0, "top", 1, 2.5, ("not", ""), ("worth", "(the) (big) ...")),
            phrase(0, "top", 2, 1.5, ("not", "(at)"), ("W" * 60, "(x)")),
            phrase(0, "bottom", 1, -12.5, ("$x^2$", "")),
            phrase(1, "top", 1, 0.0, ("日本", "")),
        ),
        wfsas=(0, 1, 2),
        lengths=(2, 1, 1),
        numbers=(0, 1, 2),
        coef=np.array([[-1.0, 0.5, 0.25]]),
        classes=("neg", "pos"),
    )


def boxes(display):
    display.figure_.canvas.draw()
    return [text.get_window_extent() for text in display.texts_ if text.get_text()]


def assert_readable(display):
    """No text overlaps another one or leaves the axes."""
    extents = boxes(display)
    for a, b in itertools.combinations(extents, 2):
        width = min(a.x1, b.x1) - max(a.x0, b.x0)
        height = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert width <= 0 or height <= 0
    page = display.ax_.get_window_extent()
    for box in extents:
        assert page.x0 <= box.x0 and box.x1 <= page.x1
        assert page.y0 <= box.y0 and box.y1 <= page.y1


@pytest.mark.parametrize("dpi", [72, 100, 300])
def test_nothing_overlaps(phrases, dpi):
    display = PhraseDisplay(phrases).plot()
    display.figure_.set_dpi(dpi)
    assert_readable(display)


@pytest.mark.parametrize("figsize", [(4, 2), (3, 8), (14, 9)])
def test_letters_shrink_to_the_axes_that_are_given(phrases, figsize):
    ax = Figure(figsize=figsize, dpi=300).subplots()
    display = PhraseDisplay(phrases)
    assert display.plot(ax, fontsize=9) is display
    assert display.ax_ is ax and display.figure_ is ax.figure
    (size,) = {text.get_fontsize() for text in display.texts_}
    assert (size < 9) == (figsize != (14, 9))
    assert_readable(display)


def test_the_figure_grows_with_its_rows(phrases):
    few = PhraseDisplay(phrases).plot().figure_.get_size_inches()
    more = Phrases(**vars(phrases) | {"rows": phrases.rows[:3] * 4 + phrases.rows[3:]})
    many = PhraseDisplay(more).plot().figure_.get_size_inches()
    np.testing.assert_allclose(many - few, [0, 9 * 16 / 72], atol=1e-9)
    larger = PhraseDisplay(phrases).plot(fontsize=20).figure_.get_size_inches()
    np.testing.assert_allclose(larger, 2 * few)


def test_what_is_too_large_to_draw_is_refused(phrases):
    more = Phrases(**vars(phrases) | {"rows": phrases.rows[:3] * 5000})
    with pytest.raises(ValueError, match=r"Too large to draw: \d+,\d+ words"):
        PhraseDisplay(more).plot()


@pytest.fixture
def four():
    """Of WFSA 0 the weight is large and scores low, that of WFSA 1 is for no class."""
    scores = [(0, 1.0), (1, 90.0), (2, -9.0), (2, 2.0), (3, 2.0)]
    coef = np.array([[4.0, 50.0, 1.0, 2.0], [0, 50, 0, 1], [-4, 50, -1, 0]])
    return Phrases(
        rows=tuple(
            phrase(w, "top" if s > 0 else "bottom", 1, s, (f"word{w}", ""))
            for w, s in scores
        ),
        wfsas=(0, 1, 2, 3),
        lengths=(1, 1, 1, 1),
        numbers=(0, 1, 2, 3),
        coef=coef,
        classes=("a", "b", "c"),
    )


@pytest.mark.parametrize("dpi", [72, 300])
def test_of_many_wfsas_the_strongest_are_drawn_and_the_others_counted(four, dpi):
    # By hand: 1.0 * 4 = 4, 90 * 0 = 0, 9.0 * 1 = 9, 2.0 * 1 = 2.
    for most, wfsas in ((1, (2,)), (2, (2, 0)), (3, (2, 0, 3))):
        display = PhraseDisplay(four).plot(max_wfsas=most)
        shown = [text.get_text() for text in display.texts_]
        assert display.wfsas_ == wfsas
        named = [after for text, after in itertools.pairwise(shown) if text == "WFSA"]
        assert named == [f"{w}:" for w in wfsas]
        assert shown[0].startswith(f"{most} of 4 WFSAs")
        assert shown[0].endswith(f"{4 - most} are not shown")
        assert {t for t in shown if t.startswith("word")} == {f"word{w}" for w in wfsas}
        assert display.phrases is four
        display.figure_.set_dpi(dpi)
        assert_readable(display)


@pytest.mark.parametrize("most", [4, 5, None])
def test_where_all_wfsas_are_drawn_nothing_is_said_and_they_keep_their_order(
    four, most
):
    display = PhraseDisplay(four).plot(max_wfsas=most)
    assert display.wfsas_ == (0, 1, 2, 3)
    assert "not shown" not in " ".join(t.get_text() for t in display.texts_)


def test_what_is_drawn_of_too_many_words_may_be_few(four):
    several = [phrase(1, "top", i, 1.0, ("w", "")) for i in range(10_001)]
    many = Phrases(**vars(four) | {"rows": (*several, *four.rows)})
    assert PhraseDisplay(many).plot(max_wfsas=1).wfsas_ == (2,)
    with pytest.raises(ValueError, match="Too large to draw"):
        PhraseDisplay(many).plot(max_wfsas=4)


@pytest.mark.parametrize("most", [0, -1, 1.5, "all"])
def test_a_limit_that_is_no_count_is_refused(four, most):
    with pytest.raises(ValueError, match=f"max_wfsas is {most!r}; expected an integer"):
        PhraseDisplay(four).plot(max_wfsas=most)


def test_texts_say_all_that_the_table_says(phrases):
    display = PhraseDisplay(phrases).plot()
    shown = [text.get_text() for text in display.texts_]
    written = " ".join(shown)
    for wfsa in range(3):
        assert f"WFSA {wfsa}: " in written
    assert "2 transitions, weight -1.00: high scores speak for 'neg'" in written
    assert {"score", "count", "speaks for", "transition 1", "transition 2"} <= {*shown}
    assert {"top", "bottom", "-12.5", "(the) (big) ...", "W" * 23 + "…"} <= {*shown}
    assert "$x^2$" in shown and "none" in shown
    assert shown[-1] == "No document has a path."


def test_colours_stand_for_classes_and_never_alone(phrases):
    display = PhraseDisplay(phrases).plot()
    colour = {text.get_text(): text.get_color() for text in display.texts_}
    # Weight -1: high scores speak for "neg".
    assert colour["2.50"] == colour["'neg'"] == COLOURS[1]
    assert colour["-12.5"] == colour["'pos'"] == COLOURS[0]
    assert colour["0.00"] == colour["none"] == GREY
    loops = [text for text in display.texts_ if text.get_text().startswith("(")]
    assert len(loops) == 2
    assert {(t.get_style(), t.get_color()) for t in loops} == {("italic", GREY)}


def test_several_classes_have_a_colour_each(phrases):
    several = {"coef": np.array([[1.0], [0.0], [-1.0]]), "classes": (3, 5, 7)}
    rows = {"rows": phrases.rows[:3], "wfsas": (0,), "lengths": (2,), "numbers": (0,)}
    display = PhraseDisplay(Phrases(**vars(phrases) | several | rows)).plot()
    colour = {text.get_text(): text.get_color() for text in display.texts_}
    assert (colour["3"], colour["7"]) == (COLOURS[0], COLOURS[2])


def test_from_estimator_draws_what_top_phrases_finds():
    data = make_planted_patterns(100, random_state=0)
    classifier = SparseRationalClassifier(n_wfsas=8, max_epochs=5, random_state=0)
    classifier.fit(data.X, data.y)
    ax = Figure(figsize=(12, 12)).subplots()
    choice = {"wfsas": [1, 0], "n": 2, "merge": False}
    display = PhraseDisplay.from_estimator(classifier, data.X, **choice, ax=ax)
    assert display.ax_ is ax
    assert display.phrases.rows == top_phrases(classifier, data.X, **choice).rows
    assert_readable(display)
    with pytest.raises(ValueError, match="n is 0"):
        PhraseDisplay.from_estimator(classifier, data.X, n=0)


def test_from_estimator_takes_a_limit_and_has_one_by_default():
    data = make_planted_patterns(100, random_state=0)
    classifier = SparseRationalClassifier(n_wfsas=10, max_epochs=1, random_state=0)
    classifier.fit(data.X, data.y)
    assert classifier.coef_.shape == (1, 10)
    drawn = {
        most: PhraseDisplay.from_estimator(classifier, data.X, n=1, **most_of).wfsas_
        for most, most_of in (
            (8, {}),
            (3, {"max_wfsas": 3}),
            (10, {"max_wfsas": None}),
        )
    }
    assert [len(wfsas) for wfsas in drawn.values()] == [8, 3, 10]
    assert drawn[8][:3] == drawn[3]


def test_without_matplotlib_it_says_what_to_install(monkeypatch, phrases):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"skrational\[plots\]"):
        PhraseDisplay(phrases).plot()


def test_no_word_is_measured_twice(phrases, monkeypatch):
    from matplotlib.textpath import text_to_path

    measured, measure = [], text_to_path.get_text_width_height_descent

    def noted(text, properties, ismath):
        measured.append((text, hash(properties)))
        return measure(text, properties, ismath)

    monkeypatch.setattr(text_to_path, "get_text_width_height_descent", noted)
    display_module._width_of.cache_clear()
    display = PhraseDisplay(phrases).plot()
    assert 0 < len(measured) == len(set(measured)) < len(display.texts_)
