"""Words of single transitions beside a sort of all weights."""

import pickle

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_planted_patterns
from skrational.inspection.transitions.words import top_words
from skrational.sequences import SequenceArray
from skrational.structures.automata import WeightedAutomata

WORDS = ["so", "good", "bad", "not", "fine"]


class Fitted(BaseEstimator):
    """A classifier of two automata over five words."""

    def __init__(self, semiring="plus-times"):
        self.semiring = semiring

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    @property
    def n_features_in_(self):
        return self.automata_.W_u.shape[1]

    @property
    def automata_(self):
        return WeightedAutomata(
            W_u=np.array([[0, 4, -4, 1, 4.0], [1, 2, 3, 4, 5], [0, 0, 0, 0, -1]]),
            W_f=np.array([[0, 0, 0, 0, 0.0], [0, 1, 2, 3, 4], [-1, -1, 0, 0, 0]]),
            b_f=np.zeros(3),
            final=np.ones(3),
            lengths=(2, 1),
            numbers=(4, 9),
            coef=np.array([[1.0, -2.0]]),
            intercept=np.zeros(1),
            semiring=self.semiring,
        )

    @property
    def classes_(self):
        return np.array(["neg", "pos"])


@pytest.fixture
def X():
    return SequenceArray(np.eye(5), [0, 2, 4], [0, 1, 2, 0], WORDS)


def listed(words, *where):
    """Words and weights of one list of (wfsa, transition, kind, side)."""
    rows = [r for r in words if (r.wfsa, r.transition, r.kind, r.side) == where]
    assert [row.rank for row in rows] == list(range(1, len(rows) + 1))
    return [row.word for row in rows], [row.weight for row in rows]


@pytest.mark.parametrize("semiring", ["plus-times", "max-times", "max-plus"])
@pytest.mark.parametrize("n", [1, 3, 5, 9])
def test_lists_equal_a_sort_of_all_weights(X, semiring, n):
    estimator = Fitted(semiring)
    found = top_words(estimator, X, n)
    u, f = estimator.automata_.transition_weights(np.eye(5))
    if semiring == "plus-times":  # the weight of the second WFSA is negative
        u[:, 2] = 0.0 - u[:, 2]
    assert len(found) == 3 * 4 * min(n, 5)
    for state, (wfsa, transition) in enumerate([(0, 1), (0, 2), (1, 1)]):
        for kind, weights in (("main path", u), ("self-loop", f)):
            for side, sign in (("top", -1), ("bottom", 1)):
                column = weights[:, state]
                order = sorted(range(5), key=lambda i: (sign * column[i], i))[:n]
                words, values = listed(found, wfsa, transition, kind, side)
                assert words == [WORDS[i] for i in order]
                assert values == column[order].tolist()


def test_the_words_of_the_vectorizer_need_no_documents():
    data = make_planted_patterns(200, random_state=0)
    classifier = SparseRationalClassifier(n_wfsas=8, max_epochs=5, random_state=0)
    pipeline = make_pipeline(WordVectorizer(data.vectors), classifier)
    pipeline.fit(data.texts, data.y)
    found = top_words(pipeline, n=2, wfsas=[0])
    known = pipeline[0].vocabulary()
    assert {row.word for row in found} <= set(known.labels.tolist())
    assert found.rows == top_words(pipeline, known, 2, wfsas=[0]).rows


def test_without_labels_rows_are_shown(X):
    X = SequenceArray(X.features, X.offsets, X.indices)
    words, _ = listed(top_words(Fitted(), X, 2), 0, 1, "main path", "top")
    assert words == ["#1", "#4"]


def test_without_words_there_are_no_lists():
    X = SequenceArray(np.zeros((0, 5)), [0, 0])
    found = top_words(Fitted(), X)
    assert len(found) == 0 and found.to_frame().empty
    assert found.to_text().count("No words.") == 2


def test_the_frame_has_a_row_for_each_word(X):
    found = top_words(Fitted(), X, 1, wfsas=[1])
    assert found.to_frame().to_dict("list") == {
        "wfsa": [1] * 4,
        "transition": [1] * 4,
        "kind": ["main path", "main path", "self-loop", "self-loop"],
        "side": ["top", "bottom"] * 2,
        "rank": [1] * 4,
        "word": ["fine", "so", "bad", "so"],
        "weight": [0.5, 0.0, 0.5, pytest.approx(1 / (1 + np.e))],
    }


def test_text_has_a_block_for_each_transition(X):
    text = str(top_words(Fitted(), X, 2, wfsas=[0]))
    assert text.splitlines() == [
        "WFSA 0 (number 4 before pruning): 2 transitions, weight 1.00: high scores "
        "speak for 'pos', negative ones for 'neg'",
        "  transition  main path, top      u  main path, bottom       u"
        "  self-loop, top      f  self-loop, bottom      f",
        "           1  good             2.00  bad                 -2.00"
        "  so              0.500  so                 0.500",
        "              fine             2.00  so                   0.00"
        "  good            0.500  good               0.500",
        "           2  good            0.538  fine               0.0899"
        "  fine            0.982  so                 0.500",
        "              so              0.500  not                 0.190"
        "  not             0.953  good               0.731",
    ]


def test_words_that_are_paths_stand_on_the_colour_of_their_class(X):
    html = top_words(Fitted(), X, 1).to_html()
    long, short = html.split("WFSA 1 ")
    assert long.count("rgba(0,114,178") == 1  # in the heading only
    assert short.count("rgba(0,114,178") == 2
    assert '">0.500</span>' in short


def test_markup_in_words_is_escaped():
    labels = ["<script>alert(1)</script>", *WORDS[1:]]
    html = top_words(
        Fitted(), SequenceArray(np.eye(5), [0, 5], labels=labels)
    ).to_html()
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_words_survive_pickling(X):
    found = top_words(Fitted(), X, 2)
    assert pickle.loads(pickle.dumps(found)).rows == found.rows


@pytest.mark.parametrize(
    ("estimator", "arguments", "error", "message"),
    [
        (SparseRationalClassifier(), {}, NotFittedError, "not fitted"),
        (Fitted(), {"n": "2"}, ValueError, "n is '2'; expected an integer"),
        (Fitted(), {"wfsas": [2]}, ValueError, "wfsa is 2; expected 0 to 1"),
        (Fitted(), {}, ValueError, "X is None, and there is no vectorizer"),
        (Fitted(), {"X": "word"}, TypeError, "X is a string"),
    ],
)
def test_what_cannot_be_read_is_refused(estimator, arguments, error, message):
    with pytest.raises(error, match=message):
        top_words(estimator, **arguments)
