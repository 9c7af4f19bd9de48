"""Pictures of one automaton beside its weights, computed again by hand."""

import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier
from skrational.datasets import make_planted_patterns
from skrational.inspection.drawing.automaton import AutomatonDisplay
from skrational.sequences import SequenceArray
from skrational.structures.automata import WeightedAutomata
from skrational.utils.figures import COLOURS, GREY

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.text import Text  # noqa: E402

ODD_WORDS = [
    "日本",
    "😀",
    "$5$",
    "<b>",
    '"quoted"',
    "back\\slash",
    "a_b^c",
    "&amp;",
    "new\nline",
    "\ud800",
]


class HandMade(BaseEstimator):
    """Holds automata, as a fitted classifier does."""

    def __init__(self, automata=None, classes=("neg", "pos")):
        self.automata = automata
        self.classes = classes

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return self.automata is not None

    @property
    def n_features_in_(self):
        return self.automata_.W_u.shape[1]

    @property
    def automata_(self):
        return self.automata

    @property
    def classes_(self):
        return np.array(self.classes)


class Identity(TransformerMixin, BaseEstimator):
    """A vectorizer of three words, whose vectors are unit vectors."""

    def fit(self, X, y=None):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def transform(self, X):
        return X

    def vocabulary(self):
        return documents(["not", "worth", "the"])


def documents(words):
    """A document for each word; the vectors are unit vectors."""
    return SequenceArray(
        np.eye(len(words)), np.arange(len(words) + 1), labels=np.array(words, object)
    )


def hand_made(W_u, *, n_outputs=1, classes=("neg", "pos"), **kwargs):
    W_u = np.asarray(W_u, float)
    n_states = len(W_u)
    automata = {
        "W_f": np.linspace(-2, 2, W_u.size).reshape(W_u.shape),
        "b_f": np.zeros(n_states),
        "final": np.ones(n_states),
        "lengths": (n_states,),
        "numbers": (0,),
        "coef": np.full((n_outputs, 1), -1.234),
        "intercept": np.zeros(n_outputs),
        **kwargs,
    }
    return HandMade(WeightedAutomata(W_u, **automata), classes)


@pytest.fixture(scope="module")
def planted():
    return make_planted_patterns(n_documents=200, random_state=0)


@pytest.fixture(scope="module")
def clf(planted):
    clf = SparseRationalClassifier(
        n_wfsas=3,
        lambda_=0,
        max_epochs=2,
        warmup_epochs=1,
        finetune_epochs=1,
        random_state=0,
    )
    return clf.fit(planted.X, planted.y)


@pytest.fixture
def ax():
    """Axes with room enough for letters of their full size."""
    return Figure(figsize=(20, 15)).subplots()


def test_letters_and_lines_shrink_with_the_axes(clf, planted, ax):
    small = Figure(figsize=(4, 3)).subplots()
    large, little = (
        AutomatonDisplay.from_estimator(clf, planted.X, ax=axes) for axes in (ax, small)
    )
    sizes = [{t.get_fontsize() for t in d.ax_.texts} for d in (large, little)]
    widths = [[a.get_linewidth() for a in d.main_path_arcs_] for d in (large, little)]
    scale = max(sizes[1]) / max(sizes[0])
    assert 0.2 < scale < 0.8
    np.testing.assert_allclose(widths[1], scale * np.array(widths[0]))


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def legend(display):
    lines = [text.get_text() for text in display.legend_.findobj(Text)]
    return "".join(lines)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_words_and_strengths_are_those_of_the_weights(clf, planted, ax):
    display = AutomatonDisplay.from_estimator(
        clf, planted.X, wfsa=1, n_words=4, min_count=0, ax=ax
    )
    lengths = clf.learned_structure_.lengths
    states = slice(lengths[0], lengths[0] + lengths[1])
    names = list(dict.fromkeys(map(str, planted.X.labels)))
    x = planted.X.features[[list(planted.X.labels).index(name) for name in names]]
    weights = clf.weights_
    f = sigmoid(x @ weights["W_f"][states].T + weights["b_f"][states])
    u = (1 - f) * (x @ weights["W_u"][states].T)
    assert len(display.main_path_words) == lengths[1]
    for k in range(lengths[1]):
        for words, table, key in (
            (display.main_path_words[k], u[:, k], -abs(u[:, k])),
            (display.skipped_words[k], f[:, k], -f[:, k]),
            (display.breaking_words[k], f[:, k], f[:, k]),
        ):
            np.testing.assert_allclose(
                [weight for _, weight in words], table[np.argsort(key)[:4]], rtol=1e-5
            )
            for word, weight in words:
                assert table[names.index(word)] == pytest.approx(weight, rel=1e-5)
    np.testing.assert_allclose(
        display.main_path_strengths, abs(u).max(axis=0), rtol=1e-5
    )
    np.testing.assert_allclose(display.self_loop_strengths, f.mean(axis=0), rtol=1e-5)
    np.testing.assert_array_equal(display.final, clf.automata_.final[states])
    assert display.wfsa == 1


def test_states_arcs_and_loops_are_drawn(ax):
    clf = hand_made(np.ones((3, 4)), final=np.array([0.0, 0.5, 1.0]))
    X = documents(["a", "b", "c", "d"])
    display = AutomatonDisplay.from_estimator(clf, X, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert len(display.states_) == 4
    circles = [p for p in ax.patches if isinstance(p, matplotlib.patches.Circle)]
    assert len(circles) == 4 + 2  # two are final
    assert len(display.main_path_arcs_) == 3
    assert len(display.self_loop_arcs_) == 4
    assert texts(ax)[:4] == ["q0", "q1\n0", "q2\n0.5", "q3\n1"]


def test_widths_are_in_proportion_to_strengths(ax):
    display = AutomatonDisplay(
        [[], []], [[], []], [[], []], [1.0, 4.0], [0.5, 0.25], [1, 1]
    ).plot(ax)
    widths = [arc.get_linewidth() for arc in display.main_path_arcs_]
    np.testing.assert_allclose(widths, [0.8 + 3.2 / 4, 4.0])
    widths = [arc.get_linewidth() for arc in display.self_loop_arcs_]
    np.testing.assert_allclose(widths, [0.8, 4.0, 0.8 + 3.2 / 2])


def test_strengths_of_zero_are_drawn_thin(ax):
    display = AutomatonDisplay([[]], [[]], [[]], [0.0], [0.0], [1]).plot(ax)
    assert display.main_path_arcs_[0].get_linewidth() == 0.8


def test_signs_are_written_and_dashed(ax):
    X = documents(["good", "bad", "so"])
    W_u = [[2.0, 1.0, 3.0], [-2.0, -1.0, -3.0], [2.0, -1.0, 3.0]]
    clf = hand_made(W_u, W_f=np.zeros((3, 3)), coef=np.ones((1, 1)))
    display = AutomatonDisplay.from_estimator(clf, X, n_words=2, ax=ax)
    assert texts(ax)[4:8] == ["+1.50 so", "+1.00 good", "−1.50 so", "−1.00 good"]
    looks = [(a.get_linestyle(), a.get_edgecolor()) for a in display.main_path_arcs_]
    text = matplotlib.colors.to_rgba(matplotlib.rcParams["text.color"])
    assert looks[:2] == [("solid", text), ("dashed", text)]
    display = AutomatonDisplay.from_estimator(clf, X, n_words=3, ax=Figure().subplots())
    mixed = display.main_path_arcs_[2]
    assert (mixed.get_linestyle(), mixed.get_edgecolor()) == ("dashdot", text)
    lines = texts(display.ax_)[10:13]
    assert lines == ["+1.50 so", "+1.00 good", "−0.50 bad"]  # negative ones last


@pytest.mark.parametrize("weight", [1.5, -1.5])
def test_the_sign_of_the_readout_is_folded_into_the_first_transition(weight, ax):
    X = documents(["good", "bad"])
    coef = np.full((1, 1), weight)
    clf = hand_made([[2.0, -3.0], [4.0, -5.0]], W_f=np.zeros((2, 2)), coef=coef)
    display = AutomatonDisplay.from_estimator(clf, X, ax=ax)
    sign = np.sign(weight)
    assert display.main_path_words[0] == [("bad", -1.5 * sign), ("good", 1.0 * sign)]
    assert display.main_path_words[1] == [("bad", -2.5), ("good", 2.0)]
    np.testing.assert_array_equal(display.coef, [1.5])
    # The product of any path's weights times the weight in the logit is unchanged.
    (_, u), (_, v) = (words[0] for words in display.main_path_words)
    assert u * v * display.coef[0] == pytest.approx(-1.5 * -2.5 * weight)
    assert "Scores above 0 speak for 'pos', below 0 for 'neg'" in legend(display)


def test_words_that_are_paths_have_the_colour_of_their_class(ax):
    X = documents(["good", "bad"])
    clf = hand_made([[-2.0, 3.0]], W_f=np.zeros((1, 2)))  # its weight is negative
    display = AutomatonDisplay.from_estimator(clf, X, ax=ax)
    colour = {t.get_text(): t.get_color() for t in ax.texts}
    assert (colour["+1.00 good"], colour["−1.50 bad"]) == COLOURS[:2]
    (arc,) = display.main_path_arcs_
    assert arc.get_edgecolor() == matplotlib.colors.to_rgba(GREY)
    dot = display.to_dot()
    assert f'color="{GREY}"' in dot
    one = AutomatonDisplay.from_estimator(clf, X, n_words=1, ax=Figure().subplots())
    (arc,) = one.main_path_arcs_
    assert arc.get_edgecolor() == matplotlib.colors.to_rgba(COLOURS[1])
    assert arc.get_linestyle() == "dashed"


def test_of_many_classes_all_are_named(ax):
    coef = np.array([[-2.0], [1.0], [0.9], [0.1]])
    names = ("a", "b", "c", "d")
    clf = hand_made([[1.0, -2.0]], coef=coef, n_outputs=4, classes=names)
    display = AutomatonDisplay.from_estimator(clf, documents(["x", "y"]), ax=ax)
    # Without the mean, 0: the first weighs most, and against what it is of.
    assert display.title == "WFSA 0: high scores speak for 'a' (+2.00)"
    assert "below 0 for 'b' (-1.00), 'c' (-0.900)" in legend(display)
    assert "'d'" not in legend(display)


def test_maxima_are_not_multiplied(ax):
    clf = hand_made(np.ones((1, 2)), semiring="max-times")
    display = AutomatonDisplay.from_estimator(clf, documents(["a", "b"]), ax=ax)
    assert all(u > 0 for _, u in display.main_path_words[0])
    np.testing.assert_array_equal(display.coef, [-1.234])
    assert display.title == "WFSA 0: high scores speak for 'neg' (weight -1.23)"


def test_the_legend_tells_what_is_drawn(ax):
    clf = hand_made([[1.0, -2.0], [1.0, 1.0]], coef=np.ones((1, 1)))
    X = documents(["a", "b"])
    text = legend(AutomatonDisplay.from_estimator(clf, X, ax=ax))
    assert "u under an arc, f over a loop; a path multiplies them." in text
    assert "Width: the largest |u|, the mean f." in text
    assert "Dashed: u < 0, which turns the sign of a score." in text
    bare = legend(AutomatonDisplay.from_estimator(clf, ax=Figure().subplots()))
    assert "Width: the norm of the weights." in bare and "u < 0" not in bare


def test_a_dark_ground_has_light_states_and_words():
    clf = hand_made([[1.0, -2.0]])
    for style in ("dark_background", {"figure.facecolor": "none", "text.color": "w"}):
        with plt.style.context(style):
            display = AutomatonDisplay.from_estimator(clf, documents(["a", "b"]))
        marks = [state.get_edgecolor() for state in display.states_]
        marks += [text.get_color() for text in display.ax_.texts if text.get_text()]
        for mark in marks:
            red, green, blue = matplotlib.colors.to_rgb(mark)
            assert 0.3 * red + 0.6 * green + 0.1 * blue > 0.4


def test_a_display_that_was_pickled_without_classes_is_read():
    display = AutomatonDisplay([[("a", 1.0)]], [[]], [[]], [1], [1], [1])
    state = vars(display).copy()
    del state["coef"], state["classes"]
    old = AutomatonDisplay.__new__(AutomatonDisplay)
    old.__setstate__(state)
    assert old.to_dot() == display.to_dot()
    assert old.plot(Figure().subplots()).states_


@pytest.mark.parametrize(
    ("coef", "classes"), [([1.0], None), ([1, 2], ["a", "b"]), (None, ["a", "b"])]
)
def test_weights_and_classes_go_together(coef, classes):
    with pytest.raises(ValueError, match=r"coef has \d weights, and there are \d"):
        AutomatonDisplay([[]], [[]], [[]], [1], [1], [1], coef=coef, classes=classes)


def test_without_negative_weights_no_sign_is_written(ax):
    clf = hand_made(np.ones((1, 2)), semiring="max-times")
    AutomatonDisplay.from_estimator(clf, documents(["a", "b"]), n_words=1, ax=ax)
    assert "0.73 a" in texts(ax)


def test_max_plus_shows_logarithms_and_draws_the_mean_of_weights(ax):
    clf = hand_made(np.ones((1, 2)), semiring="max-plus")
    X = documents(["a", "b"])
    display = AutomatonDisplay.from_estimator(clf, X, n_words=1, ax=ax)
    f = sigmoid(np.array([-2.0, 2.0]))
    assert display.skipped_words[0] == [("b", pytest.approx(np.log(f[1])))]
    assert display.breaking_words[0] == [("a", pytest.approx(np.log(f[0])))]
    np.testing.assert_allclose(display.self_loop_strengths, [f.mean()])
    assert "log f over a loop; a path adds up" in legend(display)


def test_no_word_is_both_skipped_and_breaking(ax):
    clf, X = hand_made(np.ones((1, 3))), documents(["a", "b", "c"])
    display = AutomatonDisplay.from_estimator(clf, X, n_words=2, ax=ax)
    assert [word for word, _ in display.skipped_words[0]] == ["c", "b"]
    assert [word for word, _ in display.breaking_words[0]] == ["a"]
    display = AutomatonDisplay.from_estimator(clf, X, n_words=9, ax=ax)
    assert len(display.skipped_words[0]) == len(display.main_path_words[0]) == 3
    assert display.breaking_words == [[]]


def test_a_bare_classifier_is_drawn_with_norms(clf, ax):
    display = AutomatonDisplay.from_estimator(clf, wfsa=2, ax=ax)
    states = clf.automata_.states(2)
    norms = np.linalg.norm(clf.weights_["W_u"][states], axis=1)
    np.testing.assert_allclose(display.main_path_strengths, norms, rtol=1e-6)
    np.testing.assert_allclose(
        display.self_loop_strengths,
        np.linalg.norm(clf.weights_["W_f"][states], axis=1),
        rtol=1e-6,
    )
    assert not any(display.main_path_words)
    assert f"‖W_u‖ = {norms[0]:.2g}" in texts(ax)


def test_documents_without_a_word_leave_norms(ax):
    X = SequenceArray(np.empty((0, 2)), [0, 0])
    display = AutomatonDisplay.from_estimator(hand_made(np.ones((1, 2))), X, ax=ax)
    np.testing.assert_allclose(display.main_path_strengths, [2**0.5])


def test_a_pipeline_brings_its_vocabulary(ax):
    pipeline = make_pipeline(Identity(), hand_made([[1.0, 2.0, 3.0]]))
    display = AutomatonDisplay.from_estimator(pipeline, n_words=3, ax=ax)
    words = {word for word, _ in display.main_path_words[0]}
    assert words == {"not", "worth", "the"}


def test_the_title_tells_the_class_of_high_scores(ax):
    display = AutomatonDisplay.from_estimator(hand_made(np.ones((1, 2))), ax=ax)
    assert display.title == "WFSA 0: high scores speak for 'pos' (weight 1.23)"
    assert ax.get_title() == display.title


def test_the_title_tells_the_class_of_the_largest_weight(ax):
    coef = np.array([[0.5], [-2.0], [1.0]])
    clf = hand_made(np.ones((1, 2)), coef=coef, n_outputs=3, classes=(10, 20, 30))
    display = AutomatonDisplay.from_estimator(clf, ax=ax)
    assert display.title == "WFSA 0: high scores speak for 20 (+1.83)"


def test_axes_that_are_given_keep_what_they_show(ax):
    (line,) = ax.plot([0, 1], [0, 1])
    AutomatonDisplay.from_estimator(hand_made(np.ones((1, 2))), ax=ax)
    assert line in ax.lines
    assert plt.get_fignums() == []


@pytest.mark.parametrize("n_states", [1, 4])
def test_labels_stay_apart_and_in_a_figure_of_its_own(n_states):
    words = [("unattractively"[:14], -1.0), ("inexperienced…", -0.5)] * 3
    each = [words] * n_states
    ones = np.ones(n_states)
    display = AutomatonDisplay(each, each, each, ones, ones, ones).plot()
    figure = display.figure_
    figure.canvas.draw()
    artists = [*display.ax_.texts, display.ax_.title]
    boxes = [artist.get_window_extent() for artist in artists if artist.get_text()]
    for i, box in enumerate(boxes):
        assert box.x0 >= 0 and box.y0 >= 0
        assert box.x1 <= figure.bbox.x1 and box.y1 <= figure.bbox.y1
        # Lines of one label may touch.
        inner = box.expanded(1, 0.7)
        assert not any(inner.overlaps(other.expanded(1, 0.7)) for other in boxes[:i])


def odd_display():
    odd = [(word, weight) for weight, word in enumerate(ODD_WORDS, -4)]
    return AutomatonDisplay(
        [odd], [odd], [odd], [1], [1], [1], title=r"$x_1$ \frac \$ 日"
    )


def test_what_is_too_large_to_draw_is_refused_before_a_figure_is_made():
    words = [[]] * 10_001
    display = AutomatonDisplay(words, words, words, *np.ones((3, 10_001)))
    for draw in (display.plot, display.to_dot):
        with pytest.raises(ValueError, match="Too large to draw: 10,001 states"):
            draw()
    assert not plt.get_fignums()


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_odd_words_are_drawn_as_they_are(suffix, tmp_path):
    display = odd_display().plot()
    display.figure_.savefig(tmp_path / f"odd.{suffix}")
    drawn = texts(display.ax_)
    for word in ("$5$", "<b>", '"quoted"', "back\\slash", "a_b^c", "&amp;"):
        assert any(line.endswith(f" {word}") for line in drawn), word
    assert r"−4.00 \u65e5\u672c" in drawn  # matplotlib's own font has no glyphs
    assert r"+4.00 new\nline" in drawn


def test_long_words_are_cut_in_the_picture_only(ax):
    word = "uncharacteristically"
    display = AutomatonDisplay([[(word, -1)]], [[]], [[]], [1], [1], [1]).plot(ax)
    assert "−1.00 uncharacteris…" in texts(ax)
    assert word in display.to_dot()


def test_keywords_go_to_the_words(ax):
    words = [[("a", 1.0)]]
    display = AutomatonDisplay(words, words, words, [1], [1], [1])
    display.plot(ax, fontsize=11, fontfamily="monospace")
    (label,) = (text for text in ax.texts if text.get_text() == "1.00 a")
    assert label.get_fontsize() == 11
    assert label.get_fontfamily() == ["monospace"]


def unquoted(dot):
    """The strings of DOT text, by the language's own rules."""
    return [
        re.sub(r"\\(.)", lambda m: {"n": "\n", "l": "\n"}.get(m[1], m[1]), quoted)
        for quoted in re.findall(r'"((?:[^"\\]|\\.)*)"', dot)
    ]


def test_dot_holds_states_arcs_and_looks():
    clf = hand_made(
        [[1.0, 2.0], [-1.0, -2.0]], final=np.array([0.0, 1.0]), coef=np.ones((1, 1))
    )
    display = AutomatonDisplay.from_estimator(
        clf, documents(["a", "b"]), n_words=1, ax=Figure().subplots()
    )
    dot = display.to_dot()
    assert re.findall(r"(q\d) -> (q\d)", dot) == [
        *[("q0", "q1"), ("q1", "q2")],
        *[("q0", "q0"), ("q1", "q1"), ("q2", "q2")],
    ]
    assert re.findall(r"(q\d) \[.*doublecircle", dot) == ["q2"]
    assert re.findall(r"style=(\w+)", dot)[:2] == ["solid", "dashed"]
    widths = [float(width) for width in re.findall(r"penwidth=([\d.]+)", dot)]
    assert widths[0] == 4
    assert widths[2] == 0.8
    assert dot.count("{") == dot.count("}") == 1


def test_dot_escapes_what_graphviz_would_read():
    strings = unquoted(odd_display().to_dot())
    assert strings[0] == r"$x_1$ \frac \$ 日"
    main_path = strings[3]
    lines = main_path.rstrip("\n").split("\n")
    assert [line.split(" ", 1)[1] for line in lines] == [
        *ODD_WORDS[4:7],
        "&amp;amp;",
        r"new\nline",
        r"\ud800",
        *ODD_WORDS[:4],  # of negative weights
    ]


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz's dot is not installed")
def test_graphviz_draws_the_words():
    svg = subprocess.run(
        ["dot", "-Tsvg"],
        input=odd_display().to_dot().encode(),
        capture_output=True,
        check=True,
    )
    assert svg.stderr == b""
    drawn = svg.stdout.decode()
    for word in ("日本", "😀", "$5$", "&lt;b&gt;", "&quot;quoted&quot;", "&amp;amp;"):
        assert f" {word}</text>" in drawn.replace("&#160;", " "), word
    assert " back\\slash</text>" in drawn


def test_what_cannot_be_drawn_is_refused(clf, planted):
    draw = AutomatonDisplay.from_estimator
    with pytest.raises(NotFittedError):
        draw(SparseRationalClassifier())
    with pytest.raises(ValueError, match="wfsa is 3; expected 0 to 2"):
        draw(clf, planted.X, wfsa=3)
    with pytest.raises(ValueError, match="n_words is 0; expected an integer from 1"):
        draw(clf, planted.X, n_words=0)
    with pytest.raises(ValueError, match=r"n_words is 2\.0; expected an integer"):
        draw(clf, planted.X, n_words=2.0)
    emptied = hand_made(np.empty((0, 2)), lengths=(), numbers=(), coef=np.empty((1, 0)))
    with pytest.raises(ValueError, match="no WFSA left"):
        draw(emptied)
    assert plt.get_fignums() == []


def test_parameters_have_as_many_states():
    with pytest.raises(ValueError, match="skipped_words has 1 states and final has 2"):
        AutomatonDisplay([[], []], [[]], [[], []], [1, 1], [1, 1], [1, 1])


def test_drawing_without_matplotlib_says_what_to_install(monkeypatch, clf):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"skrational\[plots\]"):
        AutomatonDisplay.from_estimator(clf)
