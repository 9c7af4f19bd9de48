"""All automata in one picture beside the scores that rank them."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_planted_patterns
from skrational.inspection.drawing.automata import AutomataDisplay
from skrational.inspection.drawing.automaton import AutomatonDisplay
from skrational.utils.figures import COLOURS

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.offsetbox import AnnotationBbox  # noqa: E402
from matplotlib.text import Text  # noqa: E402


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module", params=[None, (1, 2)], ids=["two", "three"])
def planted(request):
    return make_planted_patterns(
        120, n_features=6, class_of_pattern=request.param, random_state=0
    )


@pytest.fixture(scope="module")
def pipeline(planted):
    clf = SparseRationalClassifier(
        n_wfsas=4, n_states=(1, 3), lambda_=0, max_epochs=2, random_state=0
    )
    steps = WordVectorizer(planted.vectors), clf
    return make_pipeline(*steps).fit(planted.texts, planted.y)


def one(wfsa, n_states=1, **kwargs):
    words = [[("great", 1.5), ("worthless", -1.0)]] * n_states
    nothing, ones = [[]] * n_states, np.ones(n_states)
    return AutomatonDisplay(words, nothing, nothing, *[ones] * 3, wfsa=wfsa, **kwargs)


def written(display):
    return " ".join(text.get_text() for text in display.ax_.findobj(Text))


def test_with_documents_the_largest_contribution_comes_first(pipeline, planted):
    display = AutomataDisplay.from_estimator(pipeline, planted.texts)
    clf = pipeline[-1]
    scores = abs(clf.transform(pipeline[0].transform(planted.texts))).mean(axis=0)
    coef = clf.coef_.astype(float)
    if len(coef) > 1:
        coef = coef - coef.mean(axis=0)
    expected = abs(coef).max(axis=0) * scores
    order = np.argsort(-expected)
    assert [automaton.wfsa for automaton in display.automata] == order.tolist()
    np.testing.assert_allclose(display.importances, expected[order], rtol=1e-5)
    assert "mean |contribution|" in written(display)


def test_without_documents_the_strongest_path_counts(pipeline):
    display = AutomataDisplay.from_estimator(pipeline)
    automata, words = pipeline[-1].automata_, pipeline[0].vocabulary()
    u, _ = automata.transition_weights(words.features)
    coef = automata.coef.astype(float)
    if len(coef) > 1:
        coef = coef - coef.mean(axis=0)
    for automaton, importance in zip(
        display.automata, display.importances, strict=True
    ):
        states = automata.states(automaton.wfsa)
        products = np.cumprod(abs(u[:, states]).max(axis=0)) * automata.final[states]
        weight = abs(coef[:, automaton.wfsa]).max()
        assert importance == pytest.approx(weight * products.max(), rel=1e-5)
    assert (np.diff(display.importances) <= 0).all()


def test_every_state_and_arc_is_drawn(pipeline, planted):
    display = AutomataDisplay.from_estimator(pipeline, planted.texts)
    lengths = [len(automaton.final) for automaton in display.automata]
    assert [len(states) - 1 for states in display.states_] == lengths
    assert [len(arcs) for arcs in display.main_path_arcs_] == lengths
    text = written(display)
    for automaton in display.automata:
        assert f"WFSA {automaton.wfsa}" in text
        for words in automaton.main_path_words:
            assert next(word for word, u in words if u * words[0][1] > 0) in text


@pytest.mark.parametrize("style", ["default", "dark_background"])
@pytest.mark.parametrize("n", [1, 24])
def test_rows_grow_the_figure_and_nothing_overlaps(n, style):
    many = {"coef": [2.0, -1.0, 1.5], "classes": ("sport", "x" * 40, "politics")}
    with plt.style.context(style):
        automata = [one(i, n_states=1 + i % 5, **many) for i in range(n)]
        display = AutomataDisplay(automata, np.arange(n)).plot()
    figure, ax = display.figure_, display.ax_
    width, height = figure.get_size_inches()
    assert width == 9.5 and height > 0.5 * n
    figure.draw_without_rendering()
    artists = [t for t in ax.texts if t.get_text()]
    artists += ax.findobj(AnnotationBbox)
    boxes = [artist.get_window_extent() for artist in artists]
    for i, box in enumerate(boxes):
        assert box.x0 >= 0 and box.x1 <= figure.bbox.x1
        assert box.y0 >= 0 and box.y1 <= figure.bbox.y1
        inner = box.expanded(1, 0.7)
        assert not any(inner.overlaps(other.expanded(1, 0.7)) for other in boxes[:i])


def test_what_is_of_two_classes_is_said_once():
    automata = [one(i, coef=[1.5], classes=("bad", "good")) for i in range(3)]
    display = AutomataDisplay(automata, [1, 3, 2]).plot(Figure().subplots())
    text = written(display)
    assert text.count("'good'") == text.count("'bad'") == 1
    assert [automaton.wfsa for automaton in display.automata] == [1, 2, 0]
    colour = {t.get_text(): t.get_color() for t in display.ax_.texts}
    assert colour["+ great"] == COLOURS[0] and colour["− worthless"] == COLOURS[1]
    states = {circle.get_edgecolor() for row in display.states_ for circle in row}
    assert states == {matplotlib.colors.to_rgba(COLOURS[0])}


def test_all_classes_of_many_are_named_in_their_colours():
    coef, classes = [2.0, -1.0, 1.5, -2.5], ("a", "b", "c", "d")
    display = AutomataDisplay([one(0, coef=coef, classes=classes)], [1.0]).plot()
    pieces = display.ax_.findobj(AnnotationBbox)[0].offsetbox.findobj(Text)
    assert "".join(t.get_text() for t in pieces) == "high: 'a', 'c'low: 'd', 'b'"
    colour = {t.get_text(): t.get_color() for t in pieces}
    for name, expected in zip("abcd", COLOURS, strict=False):
        assert colour[f"'{name}'"] == expected


def test_norms_are_drawn_where_there_are_no_words(pipeline, planted):
    display = AutomataDisplay.from_estimator(pipeline[-1], wfsas=[2, 0])
    assert {automaton.wfsa for automaton in display.automata} == {0, 2}
    assert "the norm of the weights" in written(display)


def test_letters_shrink_with_the_axes(pipeline):
    sizes = []
    for figsize in ((12, 10), (3, 2)):
        axes = Figure(figsize=figsize).subplots()
        AutomataDisplay.from_estimator(pipeline, ax=axes)
        sizes.append(max(text.get_fontsize() for text in axes.texts))
    assert sizes[1] < 0.5 * sizes[0]


def test_what_cannot_be_drawn_is_refused(pipeline, planted):
    for automata, importances in (([], []), ([one(0)], [1, 2]), ([one(0)], 1)):
        with pytest.raises(ValueError, match="importances has the shape"):
            AutomataDisplay(automata, importances)
    with pytest.raises(ValueError, match="n_words is 0"):
        AutomataDisplay.from_estimator(pipeline, n_words=0)
    with pytest.raises(ValueError, match="wfsa is 9"):
        AutomataDisplay.from_estimator(pipeline, wfsas=[9])
    display = AutomataDisplay([one(0, n_states=6000)] * 2, [1, 2])
    with pytest.raises(ValueError, match="Too large to draw: 12,000 states"):
        display.plot()
    assert plt.get_fignums() == []
