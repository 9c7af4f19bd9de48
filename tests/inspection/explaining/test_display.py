import sys
from dataclasses import replace

import numpy as np
import pytest

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_planted_patterns
from skrational.inspection.explaining.display import ExplanationDisplay
from skrational.inspection.explaining.explain import explain
from skrational.inspection.explaining.explanations import Explanation
from skrational.inspection.matching.paths import Path
from skrational.utils.figures import COLOURS, GREY

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.colors import to_hex  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.offsetbox import AnnotationBbox  # noqa: E402
from matplotlib.text import Text  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402

TOKENS = "this is not worth the money".split()


def fitted(**options):
    data = make_planted_patterns(n_documents=200, random_state=0, **options)
    clf = SparseRationalClassifier(
        n_wfsas=3,
        lambda_=0,
        max_epochs=3,
        warmup_epochs=1,
        finetune_epochs=1,
        random_state=0,
    )
    return clf.fit(data.X, data.y), data.X


@pytest.fixture(scope="module")
def model():
    return fitted()


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture
def explanation(model):
    clf, X = model
    return explain(clf, X[:1])[0]


def hand_made(tokens=TOKENS, n_wfsas=2, classes=("neg", "pos"), **changes):
    rng = np.random.default_rng(0)
    paths = tuple(
        Path(i, 1.0, (len(tokens) * i // n_wfsas, len(tokens) - 1), len(tokens))
        if len(tokens) > n_wfsas
        else None
        for i in range(n_wfsas)
    )
    contributions = rng.normal(size=(1, n_wfsas))
    weights = np.zeros((n_wfsas, len(tokens)))
    e = Explanation(
        tokens=tuple(tokens),
        classes=np.array(classes, object),
        prediction=classes[0],
        probabilities=np.array([0.93, 0.07]),
        logits=contributions.sum(axis=1) - 0.1,
        bias=np.array([-0.1]),
        contributions=contributions,
        scores=np.ones(n_wfsas),
        numbers=tuple(range(n_wfsas)),
        best=paths,
        worst=paths,
        paths=paths,
        shares=np.full(n_wfsas, 0.5),
        main_path_weights=weights,
        self_loop_weights=weights,
        effects=rng.normal(size=len(tokens)),
        probabilities_without=np.tile([0.3, 0.7], (n_wfsas, 1)),
    )
    return replace(e, **changes)


def pieces(display):
    """Texts of the line that tells what colours mean."""
    (box,) = display.ax_.findobj(AnnotationBbox)
    return box.offsetbox.findobj(Text)


def caption(display):
    return "".join(text.get_text() for text in pieces(display))


def written(ax):
    return [text.get_text() for text in ax.findobj(Text)]


def test_bars_add_up_to_the_logit_in_the_title(explanation, ax):
    display = ExplanationDisplay.from_explanation(explanation, ax=ax)
    assert len(display.bars_) == 1 + len(explanation.scores)
    total = sum(bar.get_width() for bar in display.bars_)
    sign = 1 if explanation.prediction == 1 else -1
    logit = sign * explanation.logits[0]
    np.testing.assert_allclose(total, logit, atol=1e-5)
    title = ax.get_title()
    assert f"logit of {explanation.prediction} = {logit:+.3f}" in title
    assert title.startswith(f"{explanation.prediction} (p = ")
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert display.explanation is explanation


def test_colours_tell_what_speaks_for_the_prediction(ax):
    e = hand_made()
    display = ExplanationDisplay(e).plot(ax)
    support = np.array([0.1, *e.support[e.order]])
    colours = [to_hex(bar.get_facecolor()) for bar in display.bars_]
    # "neg", the first of two classes, is predicted.
    assert colours == [COLOURS[1 if s > 0 else 0].lower() for s in support]
    dashes = [bar.get_linestyle() == "-" for bar in display.bars_]
    assert dashes == (support > 0).tolist()
    numbers = [text.get_text() for text in display.numbers_]
    assert numbers == [f"{v:+.3f}" for v in support]


def test_towards_the_second_class_numbers_turn_and_colours_stay(ax):
    e = hand_made()
    plain = ExplanationDisplay(e).plot(Figure().subplots())
    turned = ExplanationDisplay(replace(e, toward="positive")).plot(ax)
    for one, other in zip(plain.bars_, turned.bars_, strict=True):
        assert one.get_width() == -other.get_width()
        assert one.get_facecolor() == other.get_facecolor()
        assert one.get_linestyle() == other.get_linestyle()
    assert "logit of 'pos' = -0.106; positive numbers speak for 'pos'" in ax.get_title()
    line = caption(turned)
    assert line == caption(plain) == "solid: speaks for 'neg'; dashed: for 'pos'"


def test_among_many_classes_grey_speaks_against_the_prediction(ax):
    e = hand_made(classes=("a", "b", "c"), prediction="c")
    changes = {
        "contributions": np.array([[0, 0], [0, 0], [2.0, -1.0]]),
        "bias": np.zeros(3),
        "logits": np.array([0.0, 0.0, 1.0]),
        "probabilities": np.array([0.1, 0.2, 0.7]),
    }
    display = ExplanationDisplay(replace(e, **changes)).plot(ax)
    colours = [to_hex(bar.get_facecolor()) for bar in display.bars_]
    assert colours[1:] == [COLOURS[2].lower(), GREY]
    assert caption(display) == "solid: speaks for 'c'; dashed: against it"


def test_phrases_and_tokens_are_written(ax):
    e = hand_made()
    display = ExplanationDisplay(e).plot(ax)
    phrases = [" | ".join(e.paths[i].cells(e.tokens)) for i in e.order]
    labels = [f"WFSA {i}: {words}" for i, words in zip(e.order, phrases, strict=True)]
    for label, full in zip(display.phrases_, ["bias", *labels], strict=True):
        begin = label.get_text().removesuffix("…")
        assert full.startswith(begin) and len(begin) >= min(len(full), 20)
    assert [text.get_text() for text in display.tokens_] == TOKENS
    assert caption(display) == "solid: speaks for 'neg'; dashed: for 'pos'"


def test_boxes_tell_strength_by_line_and_colour(ax):
    effects = np.array([1.0, -1.0, 0.1, -0.1, 0.0, np.nan])
    display = ExplanationDisplay(hand_made(effects=effects)).plot(ax)
    boxes = [token.get_bbox_patch() for token in display.tokens_]
    edges = [to_hex(box.get_edgecolor(), keep_alpha=True) for box in boxes]
    opaque = [f"{colour}ff".lower() for colour in COLOURS[1::-1]]
    assert edges == [*opaque, *["#00000000"] * 4]
    assert boxes[0].get_linestyle() != boxes[1].get_linestyle()
    alphas = [box.get_facecolor()[3] for box in boxes]
    np.testing.assert_allclose(alphas, [0.45, 0.45, 0.045, 0.045, 0, 0])


def test_a_style_with_a_grid_adds_no_lines():
    with plt.style.context("ggplot"):
        display = ExplanationDisplay(hand_made()).plot()
    ticks = display.ax_.yaxis.get_major_ticks()
    assert not any(tick.gridline.get_visible() for tick in ticks)
    plt.close(display.figure_)


def test_text_has_the_colour_of_a_dark_style():
    with plt.style.context("dark_background"):
        display = ExplanationDisplay(hand_made()).plot(Figure().subplots())
    texts = [display.ax_.title, *display.tokens_, *display.phrases_, *display.numbers_]
    assert {to_hex(text.get_color()) for text in texts} == {"#ffffff"}


def test_plot_returns_itself_and_makes_a_figure_only_without_axes(explanation, ax):
    display = ExplanationDisplay(explanation)
    before = plt.get_fignums()
    assert display.plot(ax) is display
    assert plt.get_fignums() == before
    assert display.plot() is display
    assert display.ax_ is not ax
    plt.close(display.figure_)


@pytest.mark.parametrize("options", [{}, {"class_of_pattern": (1, 2)}])
def test_from_estimator_explains_one_document(options, ax):
    clf, X = fitted(**options)
    display = ExplanationDisplay.from_estimator(clf, X[3:4], ax=ax, max_wfsas=1)
    assert display.explanation == explain(clf, X[3:4])[0]
    assert len(display.bars_) == 3


@pytest.mark.filterwarnings("ignore:[0-9]+% of the tokens of this call")
def test_from_estimator_takes_a_text():
    vectors = {word: np.eye(6)[i] for i, word in enumerate(TOKENS)}
    pipeline = make_pipeline(
        WordVectorizer(vectors),
        SparseRationalClassifier(n_wfsas=2, max_epochs=1, lambda_=0, random_state=0),
    )
    pipeline.fit(["not worth", "the money"] * 5, ["neg", "pos"] * 5)
    text = "is it worth $1 ?"
    one, same = (
        ExplanationDisplay.from_estimator(pipeline, X, ax=Figure().subplots())
        for X in (text, [text])
    )
    assert one.explanation == same.explanation == explain(pipeline, text)


def test_from_estimator_refuses_several_documents(model):
    clf, X = model
    for n, message in ((0, "X is empty"), (2, "X holds 2 documents; expected exactly")):
        with pytest.raises(ValueError, match=message):
            ExplanationDisplay.from_estimator(clf, X[:n])


def test_other_things_are_refused(model, explanation, ax):
    clf, X = model
    with pytest.raises(TypeError, match="a string"):
        ExplanationDisplay.from_estimator(clf, "text")
    with pytest.raises(TypeError, match="is a Explanations; expected an Explanation"):
        ExplanationDisplay.from_explanation(explain(clf, X[:2]))
    for name in ("max_wfsas", "max_tokens"):
        for value in (-1, 1.5, "3", None, True):
            with pytest.raises(ValueError, match=f"{name} is .*; expected an integer"):
                ExplanationDisplay(explanation).plot(ax, **{name: value})


def test_without_matplotlib_the_error_says_what_to_install(explanation, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'skrational\[plots\]'"):
        ExplanationDisplay.from_explanation(explanation)


def test_many_wfsas_are_summed_up(ax):
    e = hand_made(TOKENS * 10, n_wfsas=24)
    display = ExplanationDisplay.from_explanation(e, ax=ax)
    assert len(display.bars_) == 10
    total = sum(bar.get_width() for bar in display.bars_)
    np.testing.assert_allclose(total, -e.logits[0])
    assert "16 others" in written(ax)


def boxes(display):
    """Extents of all texts and of the figure, in pixels."""
    display.figure_.draw_without_rendering()
    ax = display.ax_
    texts = [ax.title, *ax.texts, *display.phrases_, *pieces(display)]
    everything = ax.findobj(lambda a: isinstance(a, Text) and a.get_visible())
    assert set(texts) == {text for text in everything if text.get_text()}
    return texts, [text.get_window_extent() for text in texts], display.figure_.bbox


@pytest.mark.parametrize("n_tokens", [0, 1, 6, 120, 1000])
@pytest.mark.parametrize("own", [False, True])
def test_nothing_overlaps_or_is_cut_off(n_tokens, own, ax):
    words = ["not", "extraordinarily", "a", "worth", "money", "日本", "$", "..."]
    e = hand_made([words[t % 8] for t in range(n_tokens)], n_wfsas=9)
    display = ExplanationDisplay(e).plot(None if own else ax)
    texts, extents, figure = boxes(display)
    assert min(text.get_fontsize() for text in texts) >= 7
    for box in extents:
        assert box.x0 >= figure.x0 - 0.5
        assert box.x1 <= figure.x1 + 0.5
        assert box.y0 >= figure.y0 - 0.5
        assert box.y1 <= figure.y1 + 0.5
    # Glyphs overlap if more than the empty edges of their boxes do.
    for i, box in enumerate(extents):
        for other in extents[:i]:
            shared = box.intersection(box, other)
            if shared is not None:
                assert min(shared.width, shared.height) < 4
    assert len(display.tokens_) <= 260
    if own:
        plt.close(display.figure_)


def test_a_long_document_shows_the_surroundings_of_phrases(ax):
    e = hand_made([f"w{t}" for t in range(5000)])
    display = ExplanationDisplay(e).plot(ax, max_tokens=40)
    shown = [text.get_text() for text in display.tokens_]
    assert {"w0", "w2500", "w4999", "…"} <= set(shown)
    assert sum(word != "…" for word in shown) <= 40


def test_text_is_drawn_as_it_is(ax):
    tokens = ["$x_1$", "a$b", "\\alpha", "^", "_", "日本", "😀", "a\nb", "%", "{"]
    e = hand_made(tokens, classes=("$a$_", "日本"))
    with plt.rc_context({"svg.fonttype": "path"}):
        display = ExplanationDisplay(e).plot(ax)
        display.figure_.draw_without_rendering()
    shown = [text.get_text() for text in display.tokens_]
    assert shown[:5] == tokens[:5]
    assert len(shown) == len(tokens)
    texts = [*display.tokens_, *display.phrases_, ax.title]
    assert not any(text.get_parse_math() for text in texts)


@pytest.mark.parametrize(
    "changes",
    [
        {"contributions": np.array([[np.inf, -1.0]]), "logits": np.array([np.inf])},
        {"contributions": np.array([[np.nan, 3e38]]), "logits": np.array([np.nan])},
        {"contributions": np.zeros((1, 2)), "bias": np.zeros(1)},
        {"effects": np.array([np.inf, -np.inf, np.nan, 0, 1, 2])},
        {"shares": np.full(2, np.nan), "scores": np.zeros(2)},
        {"paths": (None, None)},
    ],
)
def test_odd_numbers_are_drawn(changes, ax):
    ExplanationDisplay(hand_made(**changes)).plot(ax)
    ax.figure.draw_without_rendering()


def test_an_empty_model_says_that_the_bias_decides(ax):
    display = ExplanationDisplay(hand_made(n_wfsas=0)).plot(ax)
    assert len(display.bars_) == 1
    assert "no WFSA is left: the bias alone decides" in " ".join(written(ax))


def test_an_empty_document_says_so(ax):
    display = ExplanationDisplay(hand_made([])).plot(ax)
    assert display.tokens_ == []
    assert {"WFSA 0: (no path)", "the document is empty"} <= set(written(ax))
