"""What an explanation says of an estimator around the classifier is what that says."""

import re

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import make_pipeline

from skrational import SparseLSTMClassifier, SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_planted_patterns
from skrational.inspection import ExplanationDisplay, explain
from skrational.inspection.explaining.summands import probability_text, summarize

QUICK = {"lambda_": 0, "warmup_epochs": 0, "max_epochs": 2, "finetune_epochs": 1}
QUICK |= {"min_steps_per_epoch": 1, "random_state": 0}
AUTOMATA = SparseRationalClassifier(n_wfsas=2, n_states=2, **QUICK)
LSTM = SparseLSTMClassifier(n_units=3, **QUICK)


@pytest.fixture(scope="module")
def planted():
    return make_planted_patterns(60, n_features=5, random_state=0)


@pytest.fixture(scope="module")
def labels(planted):
    return np.array(["no", "yes"])[planted.y]


@pytest.fixture(scope="module", params=[AUTOMATA, LSTM], ids=["automata", "LSTM"])
def pipeline(request, planted, labels):
    vectorizer = WordVectorizer(planted.vectors)
    return make_pipeline(vectorizer, request.param).fit(planted.texts, labels)


def calibrated(p, **params):
    return CalibratedClassifierCV(FrozenEstimator(p), **params)


def threshold(p, value, **params):
    return FixedThresholdClassifier(p, threshold=value, pos_label="yes", **params)


AROUND = {
    "calibrated": lambda p: CalibratedClassifierCV(p, cv=2, ensemble=False),
    "isotonic": lambda p: calibrated(p, method="isotonic"),
    "temperature": lambda p: calibrated(p, method="temperature"),
    "frozen in an ensemble": lambda p: calibrated(p, ensemble=True, cv=3),
    "threshold": lambda p: threshold(p, 0.7),
    "automatic": lambda p: threshold(p, "auto"),
    "on the logit": lambda p: threshold(p, -0.3, response_method="decision_function"),
    "for the first": lambda p: FixedThresholdClassifier(
        p, threshold=0.7, pos_label="no"
    ),
    "tuned": lambda p: TunedThresholdClassifierCV(FrozenEstimator(p), cv=2),
    "threshold of calibrated": lambda p: threshold(calibrated(p), 0.3),
    "searched": lambda p: GridSearchCV(
        threshold(FrozenEstimator(p), 0.5), {"threshold": [0.8]}, cv=2
    ),
    "frozen": lambda p: FrozenEstimator(
        make_pipeline(p[0], calibrated(p[1]).fit(p[0].transform(TEXTS), CODES))
    ),
}
TEXTS, CODES = ["a b"] * 10, ["no", "yes"] * 5


@pytest.mark.parametrize("name", AROUND)
def test_verdicts_are_what_the_outer_estimator_says(name, pipeline, planted, labels):
    outer = AROUND[name](pipeline)
    if name != "frozen":
        outer.fit(planted.texts, labels)
    texts = planted.texts[:20]
    last = [e.verdicts[-1] for e in explain(outer, texts)]
    assert [v.prediction for v in last] == list(outer.predict(texts))
    np.testing.assert_allclose(
        [v.probabilities for v in last], outer.predict_proba(texts), rtol=1e-6
    )
    # Texts that have been read are read no more.
    sequences = pipeline[0].transform(texts)
    again = [e.verdicts[-1] for e in explain(outer, sequences)]
    assert [v.prediction for v in again] == [v.prediction for v in last]


def test_a_threshold_that_was_never_fitted_itself(pipeline, planted):
    outer = threshold(pipeline, 0.9)
    e = explain(outer, planted.texts[0])
    assert e.verdicts[0].prediction == outer.predict(planted.texts[:1])[0]


def test_without_a_wrapper_there_is_no_verdict(pipeline, planted):
    for outer in (pipeline, FrozenEstimator(pipeline)):
        e = explain(outer, planted.texts[0])
        assert e.verdicts == ()
        assert "verdicts" not in e.to_dict()


def both(pipeline, planted, labels):
    """A threshold that no calibrated probability reaches, and its explanation."""
    outer = threshold(calibrated(pipeline), 0.999).fit(planted.texts, labels)
    decisions = pipeline.predict(planted.texts)
    text = planted.texts[int(np.flatnonzero(decisions == "yes")[0])]
    return outer, text, explain(outer, text)


def test_every_rendering_tells_what_they_say(pipeline, planted, labels):
    outer, text, e = both(pipeline, planted, labels)
    p = outer.predict_proba([text])[0, 1]
    said = (
        f"calibrated: {probability_text(p)}"
        if p > 0.5
        else f"calibrated: predicted 'no', {probability_text(1 - p)}"
    )
    lines = [said, "threshold 0.999 on p of 'yes': predicted 'no'"]
    assert list(summarize(e).verdicts) == lines
    assert e.to_text().splitlines()[1:3] == lines
    plain = re.sub(r"<[^>]+>", "\n", e.to_html()).replace("&#x27;", "'")
    assert all(line in plain.splitlines() for line in lines)
    display = ExplanationDisplay(e).plot(ax=Figure(figsize=(8, 6)).subplots())
    assert all(line in display.ax_.get_title() for line in lines)
    listed = explain(outer, [text]).to_html().replace("&#x27;", "'")
    assert "; ".join(lines) in listed


def test_a_dictionary_holds_what_they_say(pipeline, planted, labels):
    *_, e = both(pipeline, planted, labels)
    first, second = e.to_dict()["verdicts"]
    assert first["threshold"] is None
    assert second["threshold"] == 0.999
    assert (second["prediction"], second["positive"]) == ("no", "yes")
    assert sum(first["probabilities"]) == pytest.approx(1)
    assert '"verdicts"' in e.to_json()


def test_several_classes_are_calibrated_too():
    data = make_planted_patterns(
        60, n_features=5, random_state=0, patterns=(2, 2), class_of_pattern=(1, 2)
    )
    clf = SparseRationalClassifier(n_wfsas=3, **QUICK).fit(data.X, data.y)
    outer = calibrated(clf, method="isotonic").fit(data.X, data.y)
    explained = explain(outer, data.X[:30])
    said = [e.verdicts[0] for e in explained]
    np.testing.assert_allclose(
        [v.probabilities for v in said], outer.predict_proba(data.X[:30])
    )
    assert [v.prediction for v in said] == list(outer.predict(data.X[:30]))


def test_several_copies_are_no_single_classifier(pipeline, planted, labels):
    outer = CalibratedClassifierCV(pipeline, cv=2).fit(planted.texts, labels)
    with pytest.raises(TypeError, match=r"calibrated_classifiers_\[0\].estimator"):
        explain(outer, planted.texts[0])
    first = outer.calibrated_classifiers_[0].estimator
    assert explain(first, planted.texts[0]).verdicts == ()


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.5, "p = 0.50"),
        (0.994, "p = 0.99"),
        (0.9951, "p = 0.995"),
        (0.999, "p = 0.999"),
        (0.99901, "p > .999"),
        (1.0, "p > .999"),
        (0.006, "p = 0.01"),
        (0.0049, "p = 0.005"),
        (0.001, "p = 0.001"),
        (0.00099, "p < .001"),
        (0.0, "p < .001"),
    ],
)
def test_probabilities_are_never_written_as_0_or_1(p, text):
    assert probability_text(p) == text
