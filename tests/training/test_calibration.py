"""The temperature is the one that a search over all of them finds."""

import numpy as np
import pytest
from scipy.special import expit, log_softmax, softmax
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from skrational.training.calibration import fit_temperature, log_probabilities


def drawn(n_classes, n=4000, scale=1.0, seed=0):
    """Logits, and classes of the probabilities of the logits over ``scale``."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, n_classes)) * 2
    p = softmax(logits, axis=1)
    codes = (rng.random((n, 1)) > p.cumsum(axis=1)).sum(axis=1)
    logits = logits[:, 1:] - logits[:, :1] if n_classes == 2 else logits
    return logits * scale, codes


def loss(logits, codes, temperature, weights=None):
    """By plain probabilities, with the prior."""
    z = logits / temperature
    if z.shape[1] == 1:
        p = expit(np.where(codes == 1, z[:, 0], -z[:, 0]))
    else:
        p = softmax(z, axis=1)[np.arange(len(codes)), codes]
    weights = np.ones(len(codes)) if weights is None else weights / weights.mean()
    return np.log(temperature) ** 2 / 8 - np.sum(weights * np.log(p))


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("scale", [0.3, 1.0, 4.0])
def test_logits_get_back_the_scale_that_they_were_given(n_classes, scale):
    assert fit_temperature(*drawn(n_classes, scale=scale)) == pytest.approx(
        scale, rel=0.1
    )


@pytest.mark.parametrize("n_classes", [2, 3])
def test_no_other_temperature_has_less_loss(n_classes):
    logits, codes = drawn(n_classes, n=60, scale=3.0)
    weights = np.random.default_rng(0).random(60)
    found = fit_temperature(logits, codes, weights)
    grid = np.geomspace(0.1, 20, 400)
    losses = [loss(logits, codes, t, weights) for t in grid]
    assert loss(logits, codes, found, weights) <= min(losses) + 1e-9


def test_it_is_that_of_scikit_learn_when_samples_are_many():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, 4))
    y = (X[:, 0] + rng.logistic(size=3000) > 0).astype(int)
    clf = LogisticRegression().fit(X[:1000], y[:1000])
    clf.coef_ *= 3
    peer = CalibratedClassifierCV(FrozenEstimator(clf), method="temperature")
    peer.fit(X[1000:], y[1000:])
    logits = clf.decision_function(X[1000:])[:, None]
    temperature = fit_temperature(logits, y[1000:])
    np.testing.assert_allclose(
        expit(clf.decision_function(X) / temperature),
        peer.predict_proba(X)[:, 1],
        atol=1e-3,
    )


def test_a_weight_counts_samples_and_its_scale_does_not_matter():
    logits, codes = drawn(3, n=50, scale=2.0)
    weights = np.arange(50) % 3 + 0.0
    found = fit_temperature(logits, codes, weights)
    assert fit_temperature(logits, codes, 7 * weights) == pytest.approx(found)
    used = weights > 0
    assert fit_temperature(logits[used], codes[used], weights[used]) == pytest.approx(
        found
    )
    often = np.repeat(np.arange(50), weights.astype(int) * 40)
    many = fit_temperature(logits[often], codes[often])
    assert fit_temperature(
        np.tile(logits, (40, 1)), np.tile(codes, 40), np.tile(weights, 40)
    ) == pytest.approx(many, rel=0.01)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("n", [1, 5, 200])
@pytest.mark.parametrize("right", [True, False])
def test_it_stays_away_from_0_and_infinity(n_classes, n, right):
    """Whether all is right, and surer would be better, or all is wrong."""
    codes = np.arange(n) % n_classes
    logits = 9 * np.eye(n_classes)[codes if right else codes - 1]
    logits = logits[:, 1:] - logits[:, :1] if n_classes == 2 else logits
    found = fit_temperature(logits, codes)
    assert 0.01 < found < 100
    if right:
        assert 0.25 < found <= 1


def test_without_a_sample_that_counts_it_is_1():
    assert fit_temperature(np.empty((0, 1)), np.empty(0, int)) == 1
    assert fit_temperature(np.ones((2, 1)), np.array([0, 1]), np.zeros(2)) == 1
    logits = np.array([[np.nan, 0], [np.inf, 0]])
    assert fit_temperature(logits, np.array([0, 1])) == 1


def test_logits_that_are_no_numbers_are_left_out():
    logits, codes = drawn(3, n=40)
    found = fit_temperature(logits, codes)
    worse = np.vstack([logits, [[np.nan, 1, 2]]])
    assert fit_temperature(worse, np.append(codes, 1)) == found


def test_log_probabilities_are_finite_where_probabilities_are_0():
    two = log_probabilities(np.array([[-1e4], [0.0], [1e4]]), 2.0)
    np.testing.assert_allclose(two[:, 1], [-5000, -np.log(2), 0])
    np.testing.assert_allclose(two[:, 0], [0, -np.log(2), -5000])
    three = np.random.default_rng(0).normal(size=(4, 3)) * 1e4
    found = log_probabilities(three, 2.0)
    np.testing.assert_array_equal(found, log_softmax(three / 2, axis=1))
    assert np.isfinite(found).all()
