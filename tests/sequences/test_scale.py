"""The scale of features is told from where networks learn next to nothing."""

import warnings

import numpy as np
import pytest

from skrational import SequenceArray, SparseRationalClassifier
from skrational.datasets import make_planted_patterns
from skrational.exceptions import FeatureScaleWarning
from skrational.sequences.scale import extreme_value, odd_scale

LARGE, SMALL = "so large that little.* add up to", "so small that little"


@pytest.fixture(scope="module")
def data():
    return make_planted_patterns(200, random_state=0)


def scaled(X, factor, dtype=float):
    return SequenceArray((X.features * factor).astype(dtype), X.offsets, X.indices)


def fit(X, y, **params):
    defaults = {"n_wfsas": 8, "lambda_": 1e-4, "max_epochs": 25, "random_state": 0}
    defaults |= {"feature_dropout": 0.0}
    return SparseRationalClassifier(**defaults | params).fit(X, y)


@pytest.mark.parametrize("exponent", range(-4, 5))
def test_a_warning_tells_where_accuracy_suffers(data, exponent):
    X = scaled(data.X, 10.0**exponent)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        accuracy = fit(X, data.y).score(X, data.y)
    caught = [w for w in caught if w.category is FeatureScaleWarning]
    if exponent in (0, 1):
        assert accuracy > 0.95
    if exponent not in (-1, 0, 1):
        assert accuracy < 0.85
    assert len(caught) == (exponent not in (-1, 0, 1))
    for warning in caught:
        assert ("large" if exponent > 0 else "small") in str(warning.message)
        assert warning.filename == __file__


@pytest.mark.parametrize("n_features", [1, 2, 10, 50, 300, 768, 4096])
def test_rows_of_usual_lengths_are_quiet(n_features):
    rows = np.random.default_rng(0).normal(size=(99, n_features))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    for length in (1, 3):
        assert odd_scale(SequenceArray(length * unit, [0, 99])) == ""
    one_hot = np.eye(n_features)
    assert odd_scale(SequenceArray(one_hot, [0, n_features])) == ""


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_any_type_of_features(data, dtype):
    assert odd_scale(scaled(data.X, 1, dtype)) == ""
    assert "so large" in odd_scale(scaled(data.X, 1e3, dtype))
    assert "so small" in odd_scale(scaled(data.X, 1e-3, dtype))
    largest = float(np.finfo(dtype).max)
    X = SequenceArray(np.full((2, 3), largest, dtype), [0, 2])
    assert "so large" in odd_scale(X)


def test_zero_vectors_say_nothing(data):
    assert odd_scale(SequenceArray(np.zeros((9, 5)), [0, 9])) == ""
    rows = np.vstack([np.eye(5), np.zeros((50, 5))])
    assert odd_scale(SequenceArray(rows, [0, 55])) == ""


def test_rows_that_no_token_has_say_nothing():
    rows = np.vstack([np.eye(5), np.full((50, 5), 1e9)])
    X = SequenceArray(rows, [0, 5], np.arange(5))
    assert odd_scale(X) == extreme_value(X) == ""


def test_one_feature_that_dwarfs_the_others_is_named(data):
    price = np.random.default_rng(0).uniform(1e5, 2e5, len(data.X.features))
    rows = np.insert(data.X.features, 7, price, axis=1)
    X = SequenceArray(rows, data.X.offsets, data.X.indices)
    assert "nearly all of it in feature 7" in odd_scale(X)
    assert "feature" not in odd_scale(scaled(data.X, 1e9)).split("add up")[1][:60]


@pytest.mark.parametrize("one", [True, False])
def test_divergence_by_large_features_is_not_put_down_to_the_learning_rate(data, one):
    rows = data.X.features.astype(float)
    rows[data.X.indices[5] if one else slice(None)] *= 1e30
    X = SequenceArray(rows, data.X.offsets, data.X.indices)
    message = r"diverged in epoch 0 .*X holds values as large as \d\.\d+e\+(29|30)"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FeatureScaleWarning)
        with pytest.raises(ValueError, match=message) as caught:
            fit(X, data.y)
    assert "learning_rate" not in str(caught.value)
    assert not one or "sequence 0, token 5. Scale them" in str(caught.value)


@pytest.mark.parametrize("factor", [1e39, 1e300])
def test_what_overflows_in_the_dtype_is_named_before_training(data, factor):
    rows = data.X.features.astype(float)
    rows[data.X.indices[5], 2] = factor
    X = SequenceArray(rows, data.X.offsets, data.X.indices)
    message = rf"1e\+{np.log10(factor):.0f}, too large for float32: sequence 0, token 5"
    with pytest.raises(ValueError, match=message):
        fit(X, data.y)
    with pytest.raises(ValueError, match=message):
        clf = SparseRationalClassifier(early_stopping=True)
        clf.fit(data.X, data.y, X_val=X, y_val=data.y)


def test_a_table_of_many_standardised_columns_is_quiet():
    table = np.random.default_rng(0).normal(size=(50, 784))
    assert odd_scale(SequenceArray(table, np.arange(51))) == ""
    assert "so large" in odd_scale(SequenceArray(table, [0, 25, 50]))


def test_predictions_that_overflow_are_told(data):
    clf = fit(data.X, data.y)
    assert np.isfinite(clf.decision_function(scaled(data.X, 1e3))).all()
    with pytest.warns(
        FeatureScaleWarning, match=r"of 200 sequences overflow"
    ) as caught:
        clf.predict(scaled(data.X, 1e30))
    assert caught[0].filename == __file__
