"""No fit ends with NaN, and no prediction returns it."""

import warnings

import numpy as np
import pytest

from skrational import (
    ModuliRNNClassifier,
    ModuliRNNRegressor,
    SequenceArray,
    SparseGRUClassifier,
    SparseLSTMClassifier,
    SparseRationalClassifier,
)
from skrational.datasets import make_planted_patterns
from skrational.exceptions import FeatureScaleWarning

SHORT = {
    "lambda_": 0.0,
    "warmup_epochs": 0,
    "max_epochs": 2,
    "finetune_epochs": 1,
    "min_steps_per_epoch": 1,
    "random_state": 0,
}
ESTIMATORS = [
    SparseRationalClassifier(n_wfsas=4, **SHORT),
    SparseRationalClassifier(n_wfsas=4, semiring="max-plus", **SHORT),
    SparseRationalClassifier(n_wfsas=4, semiring="max-times", **SHORT),
    SparseRationalClassifier(n_wfsas=4, match="end", readout="last", **SHORT),
    SparseLSTMClassifier(n_units=4, **SHORT),
    SparseGRUClassifier(n_units=4, **SHORT),
    ModuliRNNClassifier(n_hidden=4, **SHORT),
    ModuliRNNRegressor(n_hidden=4, **SHORT),
    ModuliRNNClassifier(n_hidden=4, activation="relu", **SHORT),
    ModuliRNNRegressor(n_hidden=4, activation="relu", readout="last", **SHORT),
]


@pytest.fixture(scope="module")
def data():
    return make_planted_patterns(60, random_state=0)


def scaled(X, factor):
    features = X.features.astype(np.float64)
    features[X.indices[::7]] *= factor
    return SequenceArray(features, X.offsets, X.indices)


def outputs(fitted, X):
    found = {"predict": fitted.predict(X)}
    for name in ("decision_function", "predict_proba", "predict_log_proba"):
        if hasattr(fitted, name):
            found[name] = getattr(fitted, name)(X)
    return found


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: repr(e)[:60])
def test_predictions_of_huge_features_are_those_of_double_precision(estimator, data):
    fitted = estimator.fit(data.X, data.y)
    for exponent in (10, 20, 37, 39, 60):
        X = scaled(data.X, 10.0**exponent)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FeatureScaleWarning)
            found = outputs(fitted, X)
        for name, values in found.items():
            assert np.isfinite(values).all(), (exponent, name)
        logits = found.get("decision_function", found["predict"])
        cell = fitted._fitted_cell("float64")
        corpus_scores = np.asarray(fitted._exact_scores(X))
        exact = corpus_scores @ cell.A.detach().numpy().T + fitted.intercept_
        np.testing.assert_allclose(logits, exact.ravel(), rtol=1e-3, atol=1e-3)


def test_gates_of_sums_that_pass_through_infinity_are_right(data):
    # 3e38 * w + -3e38 * w overflows both ways on its way to a small number.
    rows = np.array([[3e38, 3e38, 1.0]], np.float32)
    for cls in (SparseLSTMClassifier, SparseGRUClassifier):
        X = SequenceArray(np.eye(3, dtype=np.float32), [0, 1, 2, 3])
        clf = cls(n_units=3, **SHORT).fit(X, [0, 1, 0])
        clf.weights_["W_ih"][:] = [8.0, -8.0, 0.25]
        small = SequenceArray(np.float32([[0.0, 0.0, 1.0]]), [0, 1])
        expected = clf.decision_function(small)
        found = clf.decision_function(SequenceArray(rows, [0, 1]))
        np.testing.assert_allclose(found, expected)


def test_what_overflows_in_double_precision_names_the_sequence(data):
    clf = SparseRationalClassifier(n_wfsas=4, dtype="float64", **SHORT)
    clf.fit(data.X, data.y)
    features = data.X.features.astype(np.float64)
    features[data.X.indices[data.X.offsets[5]]] *= 1e308
    X = SequenceArray(features, data.X.offsets, data.X.indices)
    first = np.flatnonzero(
        [
            data.X.indices[data.X.offsets[5]] in data.X.indices[a:b]
            for a, b in zip(data.X.offsets[:-1], data.X.offsets[1:], strict=True)
        ]
    )
    try:
        found = clf.decision_function(X)
    except ValueError as error:
        assert "also in double precision: its features are as large as" in str(error)
        assert any(f"sequence {i} " in str(error) for i in first)
    else:
        assert np.isfinite(found).all()


def test_scores_that_do_not_fit_are_no_features(data):
    clf = SparseRationalClassifier(n_wfsas=4, **SHORT).fit(data.X, data.y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FeatureScaleWarning)
        with pytest.raises(ValueError, match=r"Scores as large as .* fit in float32"):
            clf.transform(scaled(data.X, 1e60))


@pytest.mark.parametrize("estimator", ESTIMATORS[::4], ids=lambda e: repr(e)[:40])
@pytest.mark.parametrize("weight", [1e308, 1e-320])
@pytest.mark.parametrize("lambda_", [0.0, 10.0])
def test_weights_count_by_their_ratios(estimator, weight, lambda_, data):
    options = {"lambda_": lambda_} | (
        {"n_wfsas": 4} if isinstance(estimator, SparseRationalClassifier) else {}
    )
    ratios = 1.0 + (np.arange(len(data.y)) % 2)
    fits = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for scale in (1.0, weight / 2):
            fit = type(estimator)(**SHORT | options)
            fits.append(fit.fit(data.X, data.y, sample_weight=scale * ratios))
    assert np.isfinite(fits[1].intercept_).all()
    tolerance = {"rtol": 1e-3} if weight > 1 else {"rtol": 0.05, "atol": 0.05}
    np.testing.assert_allclose(fits[1].intercept_, fits[0].intercept_, **tolerance)


@pytest.mark.parametrize(
    ("class_weight", "match"),
    [
        ({0: np.nan, 1: 1}, "class_weight has nan for class 0"),
        ({0: -1, 1: 1}, "class_weight has -1 for class 0"),
        ({0: np.inf, 1: 1}, "class_weight has inf for class 0"),
        ({0: "1", 1: 1}, "class_weight has '1' for class 0"),
        ({0: 0, 1: 1}, "only one class .*class_weight may leave none"),
        ({0: 0, 1: 0}, "y holds none.*class_weight may leave none"),
        ({0: 1e308, 1: 1}, "class_weight times sample_weight is infinite"),
    ],
)
def test_weights_of_classes_are_checked_as_they_are_applied(class_weight, match, data):
    clf = SparseRationalClassifier(class_weight=class_weight, **SHORT)
    weights = np.full(len(data.y), 1e10)
    with pytest.raises(ValueError, match=match):
        clf.fit(data.X, data.y, sample_weight=weights)
    assert not hasattr(clf, "coef_")


def test_a_learning_rate_that_overflows_is_refused(data):
    for rate in (1e31, 1e38, np.inf):
        with pytest.raises(ValueError, match=r"learning_rate"):
            SparseRationalClassifier(learning_rate=rate).fit(data.X, data.y)
    for rate in (1e3, 1e30):
        clf = SparseRationalClassifier(learning_rate=rate, **SHORT)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                clf.fit(data.X, data.y)
            except ValueError as error:
                assert "diverged" in str(error)
            else:
                assert np.isfinite(clf.coef_).all()


def test_the_last_step_is_looked_at(data, monkeypatch):
    from skrational.training.adam import Adam

    move, n_steps = Adam.move, []

    def break_last(self, *args):
        move(self, *args)
        n_steps.append(1)
        if len(n_steps) == 3:  # epochs of one batch
            self._weights.fill_(np.nan)

    monkeypatch.setattr(Adam, "move", break_last)
    clf = SparseRationalClassifier(n_wfsas=4, batch_size=None, **SHORT)
    with pytest.raises(
        ValueError, match=r"diverged in epoch 0 of finetune .*no numbers"
    ):
        clf.fit(data.X, data.y)
    assert len(n_steps) == 3


def test_validation_data_beyond_all_numbers_are_named(data):
    clf = SparseRationalClassifier(n_wfsas=4, early_stopping=True, **SHORT)
    X_val = scaled(data.X, 1e30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FeatureScaleWarning)
        with pytest.raises(
            ValueError, match=r"loss of the validation data is (nan|inf)"
        ):
            clf.fit(data.X, data.y, X_val=X_val, y_val=data.y)


@pytest.mark.parametrize("size", [1e150, 1e300, 1e308])
def test_values_of_any_size_are_learned_or_refused(size, data):
    y = size * (data.y - 0.5)
    regressor = ModuliRNNRegressor(n_hidden=4, **SHORT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            found = regressor.fit(data.X, y).predict(data.X)
        except ValueError as error:
            assert "y has a standard deviation of" in str(error)
        else:
            assert np.isfinite(found).all()
