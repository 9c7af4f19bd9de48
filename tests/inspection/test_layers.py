"""Reading networks of several layers."""

import math
from itertools import combinations

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.inspection import (
    ExplanationDisplay,
    LayeredExplanation,
    StructureDisplay,
    explain,
    find_paths,
    first_layer,
    single_output,
    to_networkx,
    top_phrases,
    top_words,
)
from skrational.reporting import report

WORDS = ["the", "good", "bad", "not", "film", "end", "."]
TEXTS = [
    "not good film .", "good film .", "not bad the end .", "bad film .",
] * 12  # fmt: skip
LABELS = np.array(["-", "+", "+", "-"] * 12)


@pytest.fixture(scope="module")
def pipeline():
    rng = np.random.default_rng(0)
    vectors = {word: rng.normal(size=6) for word in WORDS}
    clf = SparseRationalClassifier(
        n_layers=2,
        n_wfsas=4,
        n_states=2,
        lambda_=2e-4,
        warmup_epochs=5,
        max_epochs=5,
        finetune_epochs=5,
        random_state=0,
        dtype="float64",
    )
    return make_pipeline(WordVectorizer(vectors, min_count=1), clf).fit(TEXTS, LABELS)


def weigh(layer, x):
    """u and f of each token and state, from the equations."""
    f = 1 / (1 + np.exp(-(x @ layer.W_f.T + layer.b_f)))
    return (1 - f) * (x @ layer.W_u.T), f


def paths_of(layer, wfsa, x, ends):
    """Every path of an automaton: its score, entries and end."""
    u, f = weigh(layer, x)
    first = layer.starts[wfsa]
    found = []
    for end in ends:
        for n in range(1, layer.lengths[wfsa] + 1):
            for entries in combinations(range(end), n):
                score = float(layer.final[first + n - 1])
                for k, t in enumerate(entries):
                    stop = entries[k + 1] if k + 1 < n else end
                    score *= u[t, first + k] * math.prod(f[t + 1 : stop, first + k])
                found.append((score, entries, end))
    return found


def scores_at(layer, x):
    """Scores of all automata after each token, from all paths."""
    return np.array(
        [
            [
                sum(p[0] for p in paths_of(layer, i, x, [t]))
                for i in range(layer.n_wfsas)
            ]
            for t in range(1, len(x) + 1)
        ]
    )


def test_an_explanation_is_that_of_all_paths(pipeline):
    clf, text = pipeline[-1], "the film not good ."
    first, last = clf.layers_
    explanation = explain(pipeline, text)
    assert isinstance(explanation, LayeredExplanation)
    x = np.asarray(pipeline[:-1].transform([text])[0], float)
    below = scores_at(first, x)
    for k in range(last.n_wfsas):
        every = paths_of(last, k, below, range(1, len(x) + 1))
        total = sum(p[0] for p in every) / len(x) ** 0.5
        assert explanation.scores[k] == pytest.approx(total)
        assert explanation.best[k].score == pytest.approx(max(every)[0])
        assert explanation.worst[k].score == pytest.approx(min(every)[0])
        lead = max(every) if total >= 0 else min(every)
        path = explanation.paths[k]
        assert (path.entries, path.end) == lead[1:]
        for state, readings in enumerate(explanation.readings[k]):
            for reading in readings:
                token, wfsa = reading.token, reading.wfsa
                assert token == path.entries[state]
                row = last.W_u[last.starts[k] + state]
                share = row[wfsa] * below[token, wfsa] / (row @ below[token])
                assert reading.share == pytest.approx(share)
                ending = paths_of(first, wfsa, x, [token + 1])
                lead = max if below[token, wfsa] >= 0 else min
                assert reading.path.score == pytest.approx(lead(ending)[0])
    logit = explanation.bias + explanation.contributions.sum(axis=1)
    np.testing.assert_allclose(logit, explanation.logits, rtol=1e-9)
    np.testing.assert_allclose(
        logit, np.atleast_1d(pipeline.decision_function([text])[0]), rtol=1e-9
    )


def test_effects_are_those_of_leaving_out_a_token(pipeline):
    text = "the film not good ."
    explanation = explain(pipeline, text)
    tokens = text.split()
    sign = 1 if explanation.prediction == explanation.classes[1] else -1
    # The vectorizer puts marks around a text.
    first = explanation.tokens.index(tokens[0])
    whole = pipeline.decision_function([text])[0]
    for i in range(len(tokens)):
        rest = " ".join(tokens[:i] + tokens[i + 1 :])
        expected = sign * (whole - pipeline.decision_function([rest])[0])
        assert explanation.effects[first + i] == pytest.approx(expected)


def test_an_explanation_is_told_in_full(pipeline):
    explanation = explain(pipeline, TEXTS[0])
    told = str(explanation)
    assert "reads of the layer below" in told and "of WFSA" in told
    known = explanation.to_dict()["wfsas"][0]["readings"]
    assert known[0][0].keys() == {"token", "wfsa", "share", "path"}
    assert explanation.to_json() == explain(pipeline, [TEXTS[0]])[0].to_json()
    assert "<" in explanation.to_html()


def test_an_empty_document_reads_nothing(pipeline):
    explanation = explain(pipeline[-1], [np.empty((0, 6))])[0]
    assert explanation.paths == (None,) * len(explanation.scores)
    assert explanation.readings == ((),) * len(explanation.scores)


def test_the_first_layer_can_be_read(pipeline):
    first = first_layer(pipeline)
    layer = pipeline[-1].layers_[0]
    assert first[-1].n_layers == 1 and first[0] is pipeline[0]
    np.testing.assert_array_equal(first[-1].automata_.W_u, layer.W_u)
    x = np.asarray(pipeline[:-1].transform(TEXTS[:1])[0], float)
    # Where a path may end at any token, an automaton's score is that of all of them.
    expected = scores_at(layer, x).sum(axis=0)
    np.testing.assert_allclose(first.transform(TEXTS[:1])[0], expected, rtol=1e-9)
    assert (first.decision_function(TEXTS) == 0).all()
    best, worst = find_paths(first, TEXTS)
    assert best.scores.shape == worst.scores.shape == (48, layer.n_wfsas)
    assert len(top_phrases(first, TEXTS, 2)) and len(top_words(first, n=1))
    assert first_layer(pipeline[-1]).automata_.lengths == layer.lengths


@pytest.mark.parametrize(
    "read",
    [
        lambda e: find_paths(e, TEXTS),
        lambda e: top_phrases(e, TEXTS),
        top_words,
        to_networkx,
        lambda e: StructureDisplay.from_estimator(e),
    ],
)
def test_what_reads_one_layer_says_so(pipeline, read):
    with pytest.raises(TypeError, match=r"n_layers=2.*first_layer"):
        read(pipeline)


def test_one_layer_needs_no_first_layer():
    clf = SparseRationalClassifier(
        n_wfsas=2, warmup_epochs=1, max_epochs=1, finetune_epochs=0, random_state=0,
        lambda_=0,
    )  # fmt: skip
    with pytest.raises(TypeError, match="single layer"):
        first_layer(clf.fit(np.eye(4), [0, 1, 0, 1]))


def test_a_report_tells_of_both_layers(pipeline):
    page = report(pipeline, TEXTS, LABELS).to_html()
    assert "Layer 2" in page and "of 2 layers" in page


QUICK = {
    "n_wfsas": 3,
    "n_states": 2,
    "warmup_epochs": 1,
    "max_epochs": 2,
    "finetune_epochs": 1,
    "min_steps_per_epoch": 5,
    "random_state": 0,
}


@pytest.mark.parametrize("n_layers", [2, 3])
@pytest.mark.parametrize("semiring", ["plus-times", "max-plus"])
def test_an_emptied_network_is_explained_by_its_bias(n_layers, semiring):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(30, 4, 5)), np.arange(30) % 3
    clf = SparseRationalClassifier(
        **QUICK, n_layers=n_layers, lambda_=50, semiring=semiring
    )
    with pytest.warns(ConvergenceWarning, match="removed every state"):
        clf.fit(X, y)
    explanation = explain(clf, X[:1])[0]
    np.testing.assert_array_equal(explanation.logits, clf.intercept_)
    assert (explanation.effects == 0).all() and explanation.contributions.size == 0
    assert explanation.paths == explanation.readings == ()
    assert "the bias alone decides" in str(explanation)
    ExplanationDisplay(explanation).plot()
    assert f"of {n_layers} layers" in report(clf, X, y).to_html()
    assert first_layer(clf).automata_.n_wfsas == 0


@pytest.fixture(scope="module")
def of_labels():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 4, 5)), np.arange(40) % 2
    clf = SparseRationalClassifier(**QUICK, n_layers=2, lambda_=1e-4)
    return clf.fit(X, np.column_stack([y, y == 0, rng.integers(2, size=40)])), X


@pytest.mark.parametrize("label", range(3))
def test_a_label_of_several_layers_is_a_classifier_of_two_classes(of_labels, label):
    clf, X = of_labels
    with pytest.raises(ValueError, match=r"single_output\(estimator, 0\)"):
        explain(clf, X[:1])
    single = single_output(clf, label)
    logits = clf.decision_function(X)[:, label]
    np.testing.assert_array_equal(single.decision_function(X), logits)
    assert single.predict(X).tolist() == clf.predict(X)[:, label].tolist()
    explanation = explain(single, X[:1])[0]
    assert isinstance(explanation, LayeredExplanation)
    assert explanation.logits[0] == pytest.approx(logits[0])
    assert single.learned_structure_.n_outputs == 1
    assert single.learned_structure_.layers[0] == clf.learned_structure_.layers[0]
    assert "of 2 layers" in report(single, X, single.predict(X)).to_html()


def test_the_first_layer_of_several_labels_is_of_as_many(of_labels):
    clf, X = of_labels
    first = first_layer(clf)
    assert first.predict(X).shape == first.predict_proba(X).shape == (40, 3)
    assert single_output(first, 1).predict_proba(X).shape == (40, 2)
    assert clf.n_layers == 2 and clf.predict(X).shape == (40, 3)
