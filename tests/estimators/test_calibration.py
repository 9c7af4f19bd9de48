"""A temperature changes how sure a classifier is, and nothing else."""

import pickle
import warnings

import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.metrics import log_loss

from skrational import (
    ModuliRNNClassifier,
    SparseGRUClassifier,
    SparseLSTMClassifier,
    SparseRationalClassifier,
    SparseRationalClassifierCV,
)
from skrational.datasets import make_planted_patterns
from skrational.inspection import explain
from skrational.model_selection import regularization_path, retrain_mask
from skrational.training.calibration import fit_temperature

THREE = {"patterns": (2, 2), "class_of_pattern": (1, 2)}
QUICK = {"min_steps_per_epoch": 1, "random_state": 0}
QUICK |= {"warmup_epochs": 1, "max_epochs": 2, "finetune_epochs": 8}
AUTOMATA = SparseRationalClassifier(n_wfsas=4, n_states=2, learning_rate=0.1, **QUICK)
ESTIMATORS = {
    "automata": AUTOMATA,
    "LSTM": SparseLSTMClassifier(n_units=4, **QUICK),
    "Bayes": SparseLSTMClassifier(n_units=4, framework="bayes", dropout=0.0, **QUICK),
    "GRU": SparseGRUClassifier(n_units=4, **QUICK),
    "Elman": ModuliRNNClassifier(n_hidden=8, **QUICK),
}


def noisy(n=200, seed=0, **params):
    """Documents of which a quarter have another label."""
    data = make_planted_patterns(n, n_features=5, random_state=seed, **params)
    rng = np.random.default_rng(seed)
    y = np.where(rng.random(n) < 0.25, rng.permutation(data.y), data.y)
    return data.X, y


@pytest.fixture(scope="module", params=[{}, THREE], ids=["two", "three"])
def data(request):
    return noisy(**request.param)


def probabilities(clf, X):
    logits = clf.decision_function(X) / clf.temperature_
    if logits.ndim == 1:
        return np.stack([expit(-logits), expit(logits)], axis=1)
    return softmax(logits, axis=1)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_what_is_learned_and_predicted_stays_the_same(name, data):
    X, y = data
    raw = clone(ESTIMATORS[name]).fit(X, y)
    clf = clone(ESTIMATORS[name]).set_params(calibration="temperature").fit(X, y)
    assert raw.temperature_ == 1
    assert clf.temperature_ != 1
    for attribute in ("coef_", "intercept_", "n_iter_"):
        np.testing.assert_array_equal(getattr(clf, attribute), getattr(raw, attribute))
    for method in ("predict", "decision_function", "transform"):
        np.testing.assert_array_equal(getattr(clf, method)(X), getattr(raw, method)(X))
    for fitted in (raw, clf):
        p = fitted.predict_proba(X)
        assert p.dtype == fitted.coef_.dtype
        np.testing.assert_allclose(p, probabilities(fitted, X), rtol=1e-5, atol=1e-30)
        np.testing.assert_array_equal(fitted.classes_[p.argmax(axis=1)], clf.predict(X))
        log_p = fitted.predict_log_proba(X)
        assert log_p.dtype == np.float64
        np.testing.assert_allclose(np.exp(log_p), p, rtol=1e-5, atol=1e-30)
    again = clone(clf).fit(X, y)
    assert again.temperature_ == clf.temperature_


def test_new_documents_are_predicted_with_less_loss():
    X, y = noisy(400)
    X_new, y_new = noisy(400, seed=1)
    # As long as it takes to learn the noise by heart.
    params = {"finetune_epochs": 60, "dropout": 0.0, "lambda_": 0, "n_wfsas": 12}
    clf = clone(AUTOMATA).set_params(calibration="temperature", **params).fit(X, y)
    assert clf.temperature_ > 1.2
    calibrated = log_loss(y_new, clf.predict_proba(X_new))
    best = fit_temperature(clf._logits(X_new), y_new)
    clf.temperature_ = 1.0
    raw = log_loss(y_new, clf.predict_proba(X_new))
    clf.temperature_ = best
    least = log_loss(y_new, clf.predict_proba(X_new))
    assert calibrated - least < 0.25 * (raw - least)


def test_the_validation_part_serves_if_there_is_one(data):
    X, y = data
    clf = clone(AUTOMATA).set_params(early_stopping=True, calibration="temperature")
    clf.fit(X[:150], y[:150], X_val=X[150:], y_val=y[150:])
    expected = fit_temperature(clf._logits(X[150:]), y[150:])
    assert clf.temperature_ == pytest.approx(expected, rel=1e-4)


def test_validation_data_serve_without_early_stopping_too(data):
    X, y = data
    raw = clone(AUTOMATA).fit(X[:150], y[:150])
    clf = clone(AUTOMATA).set_params(calibration="temperature")
    clf.fit(X[:150], y[:150], X_val=X[150:], y_val=y[150:])
    expected = fit_temperature(raw._logits(X[150:]), y[150:])
    assert clf.temperature_ == pytest.approx(expected, rel=1e-4)
    np.testing.assert_array_equal(clf.coef_, raw.coef_)
    with pytest.raises(ValueError, match="a classifier's calibration; got early_stop"):
        raw.fit(X, y, X_val=X, y_val=y)


def test_log_probabilities_are_finite_where_probabilities_are_0(data):
    X, y = data
    clf = clone(AUTOMATA).fit(X, y)
    clf.coef_ = clf.coef_ * 1e5
    assert (clf.predict_proba(X) == 0).any()
    log_p = clf.predict_log_proba(X)
    assert np.isfinite(log_p).all()
    assert log_p.min() < -100
    p = clf.predict_proba(X).astype(float)
    seen = p > 1e-30
    np.testing.assert_allclose(log_p[seen], np.log(p[seen]), rtol=1e-5, atol=1e-6)


def test_weights_count_for_the_temperature(data):
    """A sample of weight 0 is as good as none, and the scale doesn't matter."""
    X, y = data
    clf = clone(AUTOMATA).set_params(calibration="temperature")
    weights = np.random.default_rng(0).integers(0, 4, len(y)).astype(float)
    weighted = clone(clf).fit(X, y, sample_weight=weights)
    scaled = clone(clf).fit(X, y, sample_weight=weights * 8)
    used = np.flatnonzero(weights)
    fewer = clone(clf).fit(X[used], y[used], sample_weight=weights[used])
    assert scaled.temperature_ == pytest.approx(weighted.temperature_, rel=1e-6)
    assert fewer.temperature_ == weighted.temperature_
    plain = clone(clf).fit(X, y)
    assert weighted.temperature_ != plain.temperature_


def test_weights_of_classes_are_weights_of_their_samples(data):
    X, y = data
    clf = clone(AUTOMATA).set_params(calibration="temperature")
    of_class = {label: 1.0 + label for label in np.unique(y)}
    one = clone(clf).set_params(class_weight=of_class).fit(X, y)
    other = clone(clf).fit(X, y, sample_weight=1.0 + y)
    assert one.temperature_ == other.temperature_


def test_a_class_of_one_document_stays_in_what_is_trained_on(data):
    X, y = data
    y = np.append(y[:-1], 7)
    clf = clone(AUTOMATA).set_params(calibration="temperature").fit(X, y)
    assert 0.01 < clf.temperature_ < 100
    assert np.isfinite(clf.predict_proba(X)).all()


@pytest.mark.parametrize("n", [4, 6, 12])
def test_few_documents_get_a_temperature_that_is_finite(n):
    planted = make_planted_patterns(200, n_features=5, random_state=0)
    X, y = planted.X, planted.y
    chosen = np.concatenate([np.flatnonzero(y == k)[: n // 2] for k in (0, 1)])
    clf = clone(AUTOMATA).set_params(calibration="temperature", finetune_epochs=40)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clf.fit(X[chosen], y[chosen])
    assert 0.1 < clf.temperature_ < 100
    assert np.isfinite(clf.predict_log_proba(X)).all()


def test_too_few_to_hold_any_out_say_so():
    planted = make_planted_patterns(200, n_features=5, random_state=0)
    X, y = planted.X, planted.y
    chosen = [int(np.flatnonzero(y == k)[0]) for k in (0, 1)]
    clf = clone(AUTOMATA).set_params(calibration="temperature")
    with pytest.warns(UserWarning, match="2 are too few for it: temperature_ stays 1"):
        clf.fit(X[chosen], y[chosen])
    assert clf.temperature_ == 1


def test_a_warm_start_is_calibrated_anew(data):
    X, y = data
    clf = clone(AUTOMATA).set_params(calibration="temperature", warm_start=True)
    first = clf.fit(X, y).temperature_
    assert clf.fit(X, y).temperature_ == first  # as a fit from the beginning has it
    clf.set_params(calibration=None).fit(X, y)
    assert clf.temperature_ == 1


def test_an_empty_model_is_calibrated_too(data):
    X, y = data
    clf = clone(AUTOMATA).set_params(calibration="temperature", lambda_=1e3)
    with pytest.warns(match="removed every state"):
        clf.fit(X, y)
    assert 0.1 < clf.temperature_ < 100


def test_a_pickle_keeps_it_and_an_old_one_has_1(data):
    X, y = data
    clf = clone(AUTOMATA).set_params(calibration="temperature").fit(X, y)
    again = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(again.predict_proba(X), clf.predict_proba(X))
    state = clf.__getstate__()
    del state["temperature_"], state["calibration"]
    old = SparseRationalClassifier.__new__(SparseRationalClassifier)
    old.__setstate__(state)
    assert old.temperature_ == 1
    assert old.calibration is None
    assert not hasattr(AUTOMATA, "temperature_")


@pytest.mark.parametrize("value", ["platt", True, 1.0])
def test_other_ways_are_refused(value, data):
    clf = clone(AUTOMATA).set_params(calibration=value)
    with pytest.raises(ValueError, match="'calibration' parameter"):
        clf.fit(*data)


def test_points_of_a_path_are_calibrated_on_validation(data, tmp_path):
    X, y = data
    clf = clone(AUTOMATA).set_params(calibration="temperature")
    lambdas = {"lambdas": [1e-4, 1e-3], "checkpoint_dir": tmp_path}
    parts = {"X_val": X[120:], "y_val": y[120:]}
    path = regularization_path(clf, X[:120], y[:120], **lambdas, **parts)
    for point in path:
        expected = fit_temperature(point._logits(X[120:]), y[120:])
        assert point.temperature_ == pytest.approx(expected, rel=1e-4)
        np.testing.assert_allclose(
            point.predict_proba(X), probabilities(point, X), rtol=1e-5
        )
    best = path.at(lambda_=1e-3)
    assert best.temperature_ == path[1].temperature_ != 1
    resumed = regularization_path(clf, X[:120], y[:120], **lambdas, **parts)
    assert [p.temperature_ for p in resumed] == [p.temperature_ for p in path]
    path._fitted[0].pop("temperature_")  # as a path of an earlier version
    assert path[0].temperature_ == 1


def test_a_search_is_calibrated_on_what_its_folds_left_out(data):
    X, y = data
    clf = clone(AUTOMATA).set_params(calibration="temperature")
    folds = [
        (np.arange(100), np.arange(100, 200)),
        (np.arange(100, 200), np.arange(100)),
    ]
    params = {"lambdas": [1e-4, 1e-3], "cv": folds, "random_state": 0}
    search = SparseRationalClassifierCV(clf, **params).fit(X, y)
    at = search.best_index_
    logits = [
        path[at]._logits(X[test])
        for path, (_, test) in zip(search.paths_, folds, strict=True)
    ]
    expected = fit_temperature(np.concatenate(logits), np.roll(y, 100))
    assert search.best_estimator_.temperature_ == pytest.approx(expected)
    np.testing.assert_allclose(
        search.predict_proba(X), probabilities(search.best_estimator_, X), rtol=1e-5
    )
    without = SparseRationalClassifierCV(clone(AUTOMATA), **params).fit(X, y)
    assert without.best_estimator_.temperature_ == 1
    np.testing.assert_array_equal(
        without.best_estimator_.coef_, search.best_estimator_.coef_
    )


def test_a_mask_that_is_trained_anew_is_calibrated_too(data):
    X, y = data
    clf = clone(ESTIMATORS["Elman"]).set_params(calibration="temperature").fit(X, y)
    found = retrain_mask(clf, X, y, random_state=1).estimators[0]
    plain = retrain_mask(
        clone(clf).set_params(calibration=None).fit(X, y), X, y, random_state=1
    ).estimators[0]
    assert found.temperature_ != 1
    assert plain.temperature_ == 1
    np.testing.assert_array_equal(found.coef_, plain.coef_)


@pytest.mark.parametrize("name", ["automata", "LSTM"])
def test_explanations_agree_with_the_probabilities(name, data):
    X, y = data
    clf = clone(ESTIMATORS[name]).set_params(calibration="temperature").fit(X, y)
    explained = explain(clf, X[:5])
    np.testing.assert_array_equal(
        [e.probabilities for e in explained], clf.predict_proba(X[:5])
    )
    e = explained[0]
    assert e.temperature == clf.temperature_
    note = f"(divided by the temperature {clf.temperature_:.3g} for p)"
    assert note in " ".join(e.to_text().split())
    np.testing.assert_allclose(
        e.bias + e.contributions.sum(axis=1), clf._logits(X[:1])[0], atol=1e-5
    )
    if name == "automata":
        start, stop = e.paths[0].span
        rows = np.delete(X[0], slice(start, stop), axis=0)
        expected = clf.predict_proba([rows])[0]
        np.testing.assert_allclose(e.probabilities_without[0], expected, rtol=1e-5)
