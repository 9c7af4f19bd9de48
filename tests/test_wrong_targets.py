"""Targets of the wrong kind are refused by every estimator before any training."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from skrational import (
    ModuliRNNClassifier,
    ModuliRNNRegressor,
    SparseGRUClassifier,
    SparseLSTMClassifier,
    SparseRationalClassifier,
    SparseRationalClassifierCV,
    SparseRationalRegressor,
    SparseRationalRegressorCV,
)
from skrational.model_selection import lambda_max, regularization_path
from skrational.training.fit import SparseFit

N = 12
X = [np.full((1 + i % 3, 2), float(i)) for i in range(N)]
CLASSES = np.arange(N) % 2
NUMBERS = np.arange(N) / 4
LABELS = np.column_stack([CLASSES, np.arange(N) % 3 == 0]).astype(int)

CLASSIFIERS = [
    SparseRationalClassifier(),
    SparseLSTMClassifier(),
    SparseGRUClassifier(),
    ModuliRNNClassifier(),
    SparseRationalClassifierCV(cv=2),
]
OF_ONE_LABEL = CLASSIFIERS[1:4]
REGRESSORS = [
    SparseRationalRegressor(),
    ModuliRNNRegressor(),
    SparseRationalRegressorCV(cv=2),
]


def named(estimators):
    return pytest.mark.parametrize(
        "estimator", estimators, ids=lambda e: type(e).__name__
    )


@pytest.fixture(autouse=True)
def no_training(monkeypatch):
    def refuse(*args, **kwargs):
        raise RuntimeError("trained")

    monkeypatch.setattr(SparseFit, "run", refuse)


def with_one(value, y=NUMBERS, dtype=None):
    y = np.array(y, dtype or float)
    y[3] = value
    return y


WRONG_CLASSES = {
    "numbers": (NUMBERS, "Unknown label type: continuous"),
    "a NaN": (with_one(np.nan, CLASSES), "y contains NaN"),
    "an infinity": (with_one(np.inf, CLASSES), "y contains infinity"),
    "None": (with_one(None, CLASSES, object), "label 3 is None"),
    "several classes each": (LABELS + 1, "y .*shape .12, 2."),
    "several numbers each": (LABELS / 2, "y .*shape .12, 2."),
    "labels as texts": (LABELS.astype(str), "y .*shape .12, 2."),
    "labels with NaN": (np.where(LABELS, np.nan, 0), "y .*(NaN|shape)"),
    "sets of labels": ([{"a"}, {"a", "b"}] * 6, "y holds sets.*MultiLabelBinarizer"),
    "lists of labels": ([["a"], ["a", "b"]] * 6, "y holds lists.*MultiLabelBinarizer"),
    "one class": (np.zeros(N), "only one class"),
    "three dimensions": (np.zeros((N, 2, 2)), "1d array"),
    "too few": (CLASSES[:-1], "12 sequences, y has 11"),
    "nothing": (None, "requires y"),
}


@named(CLASSIFIERS)
@pytest.mark.parametrize("name", WRONG_CLASSES)
def test_a_classifier_refuses(estimator, name):
    y, match = WRONG_CLASSES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with pytest.raises(ValueError, match=match):
            estimator.fit(X, y)


WRONG_NUMBERS = {
    "texts": (["good", "bad"] * 6, "y holds .*'good'.*expected numbers"),
    "a NaN": (with_one(np.nan), "y contains NaN"),
    "an infinity": (with_one(-np.inf), "y contains infinity"),
    "a NaN among several": (np.c_[NUMBERS, with_one(np.nan)], "y contains NaN"),
    "too few": (NUMBERS[:-1], "12 sequences, y has 11"),
    "rows of no number": (np.empty((N, 0)), "shape"),
    "a sparse matrix": (sparse.csr_matrix(LABELS), "[Ss]parse"),
    "dates": (pd.date_range("2020", periods=N), "expected numbers"),
    "texts that look like numbers": (np.array(["1", "2"] * 6), "expected numbers"),
    "objects, one a text": (with_one("3", dtype=object), "expected numbers"),
    "nothing": (None, "requires y"),
}


@named(REGRESSORS)
@pytest.mark.parametrize("name", WRONG_NUMBERS)
def test_a_regressor_refuses(estimator, name):
    y, match = WRONG_NUMBERS[name]
    with pytest.raises((ValueError, TypeError), match=match):
        estimator.fit(X, y)


@named(OF_ONE_LABEL)
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, pd.DataFrame])
def test_an_indicator_matrix_is_refused_by_who_takes_one_label(estimator, form):
    with pytest.raises(ValueError, match="SparseRationalClassifier takes"):
        estimator.fit(X, form(LABELS))


@pytest.mark.parametrize("y", [NUMBERS, ["a", "b", "c"] * 4, CLASSES])
def test_a_class_weight_for_a_class_without_samples(y):
    wrong = SparseRationalClassifier(class_weight={"absent": 2.0})
    with pytest.raises(ValueError, match=r"not in class_weight|continuous"):
        wrong.fit(X, y)


def test_a_class_whose_samples_have_no_weight():
    wrong = SparseRationalClassifier(class_weight={0: 1.0, 1: 0.0})
    with pytest.raises(ValueError, match="class_weight may leave none"):
        wrong.fit(X, CLASSES)


def test_paths_and_lambda_max_refuse_the_same():
    for estimator, y in (
        (SparseRationalClassifier(), NUMBERS),
        (SparseRationalClassifier(), LABELS / 2),
        (SparseRationalRegressor(), with_one(np.nan)),
        (SparseRationalRegressor(), ["a", "b"] * 6),
    ):
        with pytest.raises(ValueError, match=r"y|Unknown"):
            regularization_path(estimator, X, y)
        with pytest.raises(ValueError, match=r"y|Unknown"):
            lambda_max(X, y, estimator=estimator)
    with pytest.raises(TypeError, match="or a SparseRationalRegressor"):
        regularization_path(ModuliRNNRegressor(), X, NUMBERS)


@named([SparseRationalClassifier(), SparseRationalRegressor()])
def test_what_was_fitted_stays_after_a_refusal(estimator, monkeypatch):
    monkeypatch.undo()
    y = CLASSES if isinstance(estimator, SparseRationalClassifier) else NUMBERS
    short = {"n_wfsas": 2, "max_epochs": 1, "finetune_epochs": 0, "warmup_epochs": 0}
    estimator.set_params(**short, random_state=0, min_steps_per_epoch=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(X, y)
    before = estimator.predict(X)
    with pytest.raises(ValueError, match="y"):
        estimator.fit(X, with_one(np.nan, y))
    np.testing.assert_array_equal(estimator.predict(X), before)
