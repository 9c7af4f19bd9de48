"""What explanations take for the classifier's predictions is what it predicts."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import logit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.semi_supervised import SelfTrainingClassifier

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_planted_patterns
from skrational.inspection import explain, top_words
from skrational.inspection.model import log_odds, open_model

THREE = {"patterns": (2, 2), "class_of_pattern": (1, 2)}


@pytest.fixture(scope="module", params=[{}, THREE], ids=["two", "three"])
def data(request):
    return make_planted_patterns(60, n_features=5, random_state=0, **request.param)


@pytest.fixture(scope="module", params=["float32", "float64"])
def clf(data, request):
    classes = np.array(["zero", "one", "two"])
    clf = SparseRationalClassifier(
        n_wfsas=3, lambda_=0, max_epochs=2, dtype=request.param, random_state=0
    )
    return clf.fit(data.X, classes[data.y])


def test_predictions_are_the_classifier_s_to_the_bit(clf, data):
    scored = open_model(clf).predict(data.X)
    logits = clf.decision_function(data.X).reshape(len(data.X), -1)
    for value, expected in (
        (scored.scores, clf.transform(data.X)),
        (scored.logits, logits),
        (scored.probabilities, clf.predict_proba(data.X)),
        (scored.predictions, clf.predict(data.X)),
    ):
        assert value.dtype == expected.dtype
        np.testing.assert_array_equal(value, expected)


def test_log_odds_are_those_of_the_probabilities(clf, data):
    scored = open_model(clf).predict(data.X)
    classes = np.arange(len(data.X)) % len(clf.classes_)
    odds = log_odds(scored.logits, classes)
    of_class = scored.probabilities[np.arange(len(classes)), classes]
    np.testing.assert_allclose(odds, logit(of_class.astype(float)), rtol=1e-4)


@pytest.fixture(scope="module")
def planted():
    return make_planted_patterns(40, n_features=5, random_state=0)


def small():
    return SparseRationalClassifier(
        n_wfsas=2,
        n_states=2,
        lambda_=0,
        warmup_epochs=0,
        max_epochs=1,
        finetune_epochs=1,
        random_state=0,
    )


@pytest.fixture(scope="module")
def pipeline(planted):
    vectorizer = WordVectorizer(planted.vectors)
    return make_pipeline(vectorizer, small()).fit(planted.texts, planted.y)


def as_list(X):
    return list(X)


def searched(pipeline):
    return GridSearchCV(pipeline, {"sparserationalclassifier__lambda_": [0]}, cv=2)


def frozen_at_once(pipeline):
    return FrozenEstimator(make_pipeline(*map(FrozenEstimator, pipeline)))


AROUND = {
    "frozen": FrozenEstimator,
    "frozen twice": lambda p: FrozenEstimator(FrozenEstimator(p)),
    "frozen at once": frozen_at_once,
    "nested": lambda p: make_pipeline(make_pipeline(p)),
    "vectorizer in a pipeline": lambda p: make_pipeline(make_pipeline(p[0]), p[-1]),
    "frozen pipeline of the vectorizer": lambda p: make_pipeline(
        FrozenEstimator(make_pipeline(p[0], "passthrough")), p[-1]
    ),
    "steps that do nothing": lambda p: Pipeline(
        [("a", None), ("b", p[0]), ("c", "passthrough"), ("d", p[1]), ("e", None)]
    ),
    "another step": lambda p: make_pipeline(FunctionTransformer(as_list), *p),
    "search": searched,
    "search in a pipeline": lambda p: make_pipeline(
        p[0], GridSearchCV(p[1], {"lambda_": [0]}, cv=2)
    ),
    "tuned": lambda p: TunedThresholdClassifierCV(p, cv=2, random_state=0),
    "fixed": lambda p: FixedThresholdClassifier(FrozenEstimator(p), threshold=0.9),
    "calibrated": lambda p: CalibratedClassifierCV(p, cv=2, ensemble=False),
    "calibrated and frozen": lambda p: CalibratedClassifierCV(FrozenEstimator(p)),
    "everything": lambda p: FrozenEstimator(
        make_pipeline(make_pipeline(p[0]), FixedThresholdClassifier(p[1]))
    ),
}


@pytest.mark.parametrize("name", sorted(AROUND))
def test_the_classifier_is_found_in_whatever_holds_it(name, pipeline, planted):
    outer = AROUND[name](pipeline)
    if name == "everything":
        outer.estimator.fit(planted.texts, planted.y)
    elif name not in {"frozen", "frozen twice", "frozen at once"}:
        outer.fit(planted.texts, planted.y)
    text = planted.texts[0]
    assert replace(explain(outer, text), verdicts=()) == explain(pipeline, text)
    assert top_words(outer, n=2).rows == top_words(pipeline, n=2).rows


def test_a_classifier_trained_on_its_own_labels(planted):
    X, y = np.eye(6, 5), np.array([0, 1, 0, 1, -1, -1])
    outer = SelfTrainingClassifier(small()).fit(X, y)
    expected = explain(outer.estimator_, X)
    assert explain(outer, X) == expected


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda p: CalibratedClassifierCV(p, cv=2),
            r"its calibrated_classifiers_\[0\]",
        ),
        (OneVsRestClassifier, r"such as its estimators_\[0\]"),
        (lambda p: VotingClassifier([("a", p)]), r"a VotingClassifier; .*estimators_"),
        (lambda p: searched(p).set_params(refit=False), "refit=True"),
        (lambda p: Pipeline([("a", p[0])]), "a Pipeline that holds a WordVectorizer"),
        (lambda p: make_pipeline(p, LogisticRegression()), "the part that ends with"),
    ],
)
def test_what_holds_no_single_classifier_is_named(make, message, pipeline, planted):
    outer = make(pipeline).fit(planted.texts, planted.y)
    with pytest.raises(TypeError, match=message):
        explain(outer, planted.texts[0])


@pytest.mark.parametrize("other", ["text", None, LogisticRegression(), Pipeline([])])
def test_what_is_no_estimator_of_ours_is_named(other):
    with pytest.raises(TypeError, match="expected a fitted SparseRationalClassifier"):
        explain(other, ["good"])


@pytest.mark.parametrize(
    "make",
    [
        FrozenEstimator,
        TunedThresholdClassifierCV,
        CalibratedClassifierCV,
        make_pipeline,
        OneVsRestClassifier,
    ],
)
def test_what_is_not_fitted_says_so(make, planted):
    unfitted = make_pipeline(WordVectorizer(planted.vectors), small())
    with pytest.raises(NotFittedError):
        explain(make(unfitted), planted.texts[0])
