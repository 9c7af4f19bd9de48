"""What explanations take for the classifier's predictions is what it predicts."""

import numpy as np
import pytest
from scipy.special import logit

from skrational import SparseRationalClassifier
from skrational.datasets import make_planted_patterns
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
