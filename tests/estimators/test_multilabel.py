"""Classifiers fitted to an indicator matrix: labels that hold independently."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from scipy.special import expit
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV

from skrational import SparseRationalClassifier, SparseRationalClassifierCV
from skrational.estimators._multilabel import read_indicators
from skrational.model_selection import regularization_path
from skrational.training.calibration import fit_temperature
from skrational.training.losses import LabelLoss
from skrational.training.multilabel import MultiLabelled, rarest_labels

QUICK = {
    "n_wfsas": 4,
    "warmup_epochs": 1,
    "max_epochs": 3,
    "finetune_epochs": 3,
    "min_steps_per_epoch": 20,
    "random_state": 0,
}


def made(n=120, n_labels=3, seed=0):
    rng = np.random.default_rng(seed)
    X = [rng.normal(size=(k, 4)) for k in rng.integers(1, 6, size=n)]
    y = np.array([x.sum(axis=0)[:n_labels] > 0.3 for x in X]).astype(int)
    return X, y


@pytest.fixture(scope="module")
def fitted():
    X, y = made()
    return SparseRationalClassifier(**QUICK).fit(X, y), X, y


def test_predictions_follow_the_conventions_of_scikit_learn(fitted):
    clf, X, y = fitted
    logits = clf.decision_function(X)
    assert logits.shape == y.shape
    np.testing.assert_array_equal(clf.classes_, [0, 1, 2])
    np.testing.assert_allclose(clf.predict_proba(X), expit(logits), rtol=1e-5)
    log_p = clf.predict_log_proba(X)
    np.testing.assert_allclose(log_p, -np.log1p(np.exp(-logits)), rtol=1e-6, atol=1e-7)
    predicted = clf.predict(X)
    assert predicted.dtype == np.int64
    np.testing.assert_array_equal(predicted, logits > 0)
    assert clf.score(X, y) == accuracy_score(y, predicted)
    assert clf.score(X, y) > 0.7


def test_two_labels_are_not_two_classes():
    X, y = made(n_labels=2)
    clf = SparseRationalClassifier(**QUICK).fit(X, y)
    assert clf.coef_.shape[0] == 2
    assert clf.decision_function(X).shape == y.shape
    assert clf.predict(X).shape == y.shape


def test_the_loss_is_the_sum_of_logistic_losses():
    rng = np.random.default_rng(0)
    logits, y = rng.normal(size=(5, 3)), rng.integers(0, 2, (5, 3))
    found = LabelLoss()(torch.from_numpy(logits), torch.from_numpy(y.astype(float)))
    expected = [
        sum(
            log_loss([t], [[1 - p, p]], labels=[0, 1])
            for t, p in zip(row, expit(z), strict=True)
        )
        for row, z in zip(y, logits, strict=True)
    ]
    np.testing.assert_allclose(found, expected)


def test_an_empty_model_has_the_frequency_of_each_label():
    X, y = made()
    weights = 1.0 + np.arange(len(y)) % 2
    clf = SparseRationalClassifier(**QUICK, lambda_=100.0)
    with pytest.warns(UserWarning, match="removed every state"):
        clf.fit(X, y, sample_weight=weights)
    shares = np.average(y, axis=0, weights=weights)
    np.testing.assert_allclose(clf.predict_proba(X[:1])[0], shares, rtol=1e-5)


@pytest.mark.parametrize(
    "form",
    [
        sparse.csr_matrix,
        sparse.coo_array,
        pd.DataFrame,
        np.ndarray.tolist,
        torch.tensor,
        lambda y: y.astype(bool),
        lambda y: y.astype(float),
        lambda y: y.astype(object),
    ],
)
def test_all_forms_of_the_matrix_are_read_alike(form):
    y = made(20)[1]
    np.testing.assert_array_equal(read_indicators(form(y), "y"), y == 1)


def test_what_is_no_matrix_of_labels_is_left_to_others():
    for y in ([0, 1], [[0], [1]], ["a", "b"], [[1, 0], [1]], np.zeros((2, 2, 2))):
        assert read_indicators(y, "y") is None


def test_a_label_that_never_varies_is_warned_of_and_predicted_the_same():
    X, y = made()
    y[:, 0], y[:, 2] = 0, 1
    clf = SparseRationalClassifier(**QUICK)
    with pytest.warns(
        UserWarning,
        match=r"label 0 holds for none, label 2 holds for all\. .*says nothing",
    ):
        clf.fit(X, y)
    np.testing.assert_array_equal(clf.predict(X)[:, [0, 2]], [[0, 1]] * len(X))
    with pytest.raises(ValueError, match="the same labels for all samples"):
        clf.fit(X, np.ones_like(y))
    with pytest.raises(ValueError, match="the same labels for all samples of positive"):
        clf.fit(X, y, sample_weight=np.arange(len(y)) == 0)


def test_a_model_of_one_kind_is_no_warm_start_for_the_other():
    X, y = made()
    clf = SparseRationalClassifier(**QUICK, warm_start=True).fit(X, y)
    classes = y.argmax(axis=1)
    with pytest.raises(ValueError, match="an indicator matrix; got one label for each"):
        clf.fit(X, classes)
    assert clf.predict(X).shape == y.shape
    clf.fit(X, y)
    clf.set_params(warm_start=False).fit(X, classes)
    assert clf.predict(X).shape == classes.shape
    np.testing.assert_allclose(clf.predict_proba(X).sum(axis=1), 1, rtol=1e-5)


def test_class_weights_are_refused():
    X, y = made()
    for class_weight in ("balanced", {0: 2.0}):
        with pytest.raises(ValueError, match="weigh sequences by sample_weight"):
            SparseRationalClassifier(class_weight=class_weight).fit(X, y)


def test_validation_data_are_checked():
    X, y = made()
    clf = SparseRationalClassifier(**QUICK, early_stopping=True)
    for other in (y[:9, :2], y[:9, 0], y[:8]):
        with pytest.raises(ValueError, match=r"an indicator matrix of shape \(9, 3\)"):
            clf.fit(X, y, X_val=X[:9], y_val=other)
    clf.fit(X, y, X_val=X[:9], y_val=sparse.csr_matrix(y[:9]))
    held = [row["validation_score"] for row in clf.history_]
    assert {round(9 * score, 4) % 1 for score in held} == {0.0}


def test_one_temperature_is_fitted_on_all_labels():
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=2, size=(4000, 2))
    y = (rng.logistic(size=logits.shape) < logits).astype(float)
    assert fit_temperature(3 * logits, y) == pytest.approx(3, rel=0.1)
    X, y = made()
    clf = SparseRationalClassifier(**QUICK, calibration="temperature").fit(X, y)
    assert clf.temperature_ != 1
    scaled = expit(clf.decision_function(X) / clf.temperature_)
    np.testing.assert_allclose(clf.predict_proba(X), scaled, rtol=1e-5)


def test_a_rare_label_is_on_both_sides_of_a_split():
    X, y = made(200)
    y[:, 2] = 0
    y[::20, 2] = 1
    assert set(rarest_labels(y == 1)[::20]) == {2}
    data = MultiLabelled(X_of(X), y == 1, np.ones(len(y)))
    training, held_out = data.split(0.3, np.random.default_rng(0))
    assert (training.y[:, 2].sum(), held_out.y[:, 2].sum()) == (7, 3)
    assert len(training) + len(held_out) == len(y)


def X_of(X):
    from skrational import as_sequences

    return as_sequences(X)


def test_paths_and_searches_score_by_exact_match():
    X, y = made()
    clf = SparseRationalClassifier(**QUICK)
    path = regularization_path(
        clf, X[:80], y[:80], [1e-3, 1e-2], X_val=X[80:], y_val=y[80:]
    )
    for point, model in zip(path.points, path, strict=True):
        assert point.validation_score == pytest.approx(model.score(X[80:], y[80:]))
    search = SparseRationalClassifierCV(clf, lambdas=[1e-3, 1e-2], cv=2).fit(X, y)
    assert search.predict(X).shape == y.shape
    fold = search.cv_results_["split0_test_score"]
    assert fold[0] == pytest.approx(search.paths_[0][0].score(X[:60], y[:60]))
    grid = GridSearchCV(clf, {"n_wfsas": [1, 4]}, scoring="f1_micro", cv=2).fit(X, y)
    assert grid.best_score_ > 0.6


def test_what_is_printed_names_labels(fitted):
    clf = fitted[0]
    told = str(clf)
    assert told.splitlines()[-1].startswith("bias: ")
    assert "for 0" in told or "against 0" in told


@pytest.mark.parametrize("dtype", [object, bool, "Int64", "boolean", "float"])
@pytest.mark.parametrize("is_searched", [False, True])
def test_whatever_fit_takes_is_scored(fitted, dtype, is_searched):
    clf, X, y = fitted
    if is_searched:
        clf = SparseRationalClassifierCV(clf, lambdas=[1e-3], cv=2, random_state=0)
        clf.fit(X, y)
    as_given = pd.DataFrame(y).astype(dtype)
    expected = accuracy_score(y, clf.predict(X))
    assert clf.score(X, as_given) == clf.score(X, as_given.to_numpy()) == expected
    with pytest.raises(ValueError, match=r"y has the shape .* holds 2"):
        clf.score(X, 2 * y)
