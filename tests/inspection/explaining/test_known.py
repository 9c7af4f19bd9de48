"""A document of which nothing is known says so, and says what decides then."""

import json

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_planted_patterns
from skrational.inspection import ExplanationDisplay, explain
from skrational.sequences import SequenceArray

pytestmark = pytest.mark.filterwarnings("ignore:[0-9]+ of [0-9]+ texts hold no word")

UNKNOWN = (
    "No word of this document is known: the prediction is that of the bias, the vector "
    "of unknown words and the tokens around a text."
)
UNFRAMED = UNKNOWN.replace(
    "bias, the vector of unknown words and the tokens around a text",
    "bias and the vector of unknown words",
)
NO_WORD = (
    "The document holds no known word: the prediction is that of the bias and the "
    "tokens around a text."
)
LEFT_OUT = UNKNOWN.replace("bias, the vector of unknown words", "bias")
EMPTY = "The document has no tokens: the prediction is that of the bias alone."


@pytest.fixture(scope="module")
def data():
    return make_planted_patterns(40, n_features=5, random_state=0)


@pytest.fixture(scope="module")
def clf(data):
    clf = SparseRationalClassifier(
        n_wfsas=2, n_states=2, lambda_=0, max_epochs=1, random_state=0
    )
    return clf.fit(data.X, data.y)


def reading(clf, data, **options):
    """The classifier behind a vectorizer with these options."""
    vectorizer = WordVectorizer(data.vectors, **options).fit(data.texts)
    return make_pipeline(vectorizer, clf)


def renderings(explanation):
    display = ExplanationDisplay.from_explanation(explanation)
    picture = display.ax_.get_title().replace(":\n", ": ")
    return explanation.to_text(), explanation.to_html(), picture


@pytest.mark.parametrize(
    ("options", "text", "sentence", "n_words"),
    [
        ({}, "xyzzy plugh", UNKNOWN, 2),
        ({"start_token": "(", "end_token": ")"}, "xyzzy", UNKNOWN, 1),
        ({"start_token": None, "end_token": None}, "xyzzy", UNFRAMED, 1),
        ({}, "", NO_WORD, 0),
        ({"oov": "drop"}, "xyzzy plugh", LEFT_OUT, 2),
        ({"start_token": None, "end_token": None}, "", EMPTY, 0),
    ],
)
def test_every_rendering_begins_with_it(clf, data, options, text, sentence, n_words):
    explanation = explain(reading(clf, data, **options), text)
    text, html, picture = renderings(explanation)
    assert text.startswith(f"{sentence}\n")
    assert html.index(sentence) < html.index("(p = ")
    assert picture.startswith(f"{sentence}\n")
    assert explanation.n_words == n_words
    assert explanation.n_unknown == n_words
    assert json.loads(explanation.to_json())["n_unknown"] == n_words


def test_some_unknown_words_are_counted(clf, data):
    known = data.texts[0].split()[:3]
    explanation = explain(reading(clf, data), " ".join([*known, "xyzzy"]))
    assert (explanation.n_words, explanation.n_unknown) == (4, 1)
    text, html, picture = renderings(explanation)
    for rendering in (text, html, picture):
        assert "; 1 of 4 words unknown)" in rendering.split("\n")[rendering is html]
    for rendering in (text, html, picture):
        assert "is known" not in rendering
    ax = ExplanationDisplay(explanation).plot(Figure().subplots()).ax_
    assert any("; grey: unknown" in text.get_text() for text in ax.findobj(Text))
    assert "; unknown words are pale" in html and ", ? is unknown" in text


def test_known_words_are_not_spoken_of(clf, data):
    explanation = explain(reading(clf, data), data.texts[0])
    assert explanation.n_unknown == 0
    assert explanation.n_words == len(explanation.tokens) - 2
    for rendering in renderings(explanation):
        assert "known" not in rendering


def test_sequences_tell_by_their_labels(clf, data):
    X = reading(clf, data)[0].transform(["xyzzy"])
    assert str(explain(clf, X)[0]).startswith(UNKNOWN)
    bert = SequenceArray(np.ones((3, 5)), [0, 3], labels=["[CLS]", "[UNK]", "[SEP]"])
    assert str(explain(clf, bert)[0]).startswith(UNKNOWN)
    unlabelled = SequenceArray(np.ones((3, 5)), [0, 3, 3])
    three, none = explain(clf, unlabelled)
    assert (three.n_words, three.n_unknown) == (3, 0)
    assert str(none).startswith(EMPTY)


def test_an_emptied_model_has_its_bias_only(data):
    clf = SparseRationalClassifier(
        n_wfsas=1, n_states=1, lambda_=1e3, max_epochs=5, random_state=0
    )
    with pytest.warns(match="removed every state"):
        clf.fit(data.X, data.y)
    text = str(explain(reading(clf, data), "xyzzy"))
    assert text.startswith("No word of this document is known.\n")
