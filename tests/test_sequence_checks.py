"""The suite of checks for estimators of sequences: ours pass, broken ones fail."""

import copy
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import StandardScaler

from skrational import (
    ModuliRNNClassifier,
    ModuliRNNLanguageModel,
    ModuliRNNRegressor,
    SparseGRUClassifier,
    SparseLSTMClassifier,
    SparseLSTMLanguageModel,
    SparseRationalClassifier,
    SparseRationalClassifierCV,
    TimeStepTransformer,
    WordVectorizer,
    as_sequences,
)
from skrational.testing import (
    check_sequence_estimator,
    parametrize_with_sequence_checks,
    sequence_checks,
)

EPOCHS = {"max_epochs": 2, "finetune_epochs": 1, "warmup_epochs": 1}
SMALL = EPOCHS | {"min_steps_per_epoch": 2, "batch_size": 10}
WHOLE = EPOCHS | {"batch_size": None, "dropout": 0.0, "dtype": "float64"}
AUTOMATA = {"n_wfsas": 4, "n_states": 2, "lambda_": 1e-3}
PLACED = {"n_hidden": 6, "sparsity": 0.5}
WORDS = "a the not very good bad tea book worth it".split()
VECTORS = dict(zip(WORDS, np.random.default_rng(0).normal(size=(10, 3)), strict=True))

ESTIMATORS = [
    SparseRationalClassifier(**AUTOMATA, **SMALL, word_dropout=0.1),
    SparseRationalClassifier(**AUTOMATA, **WHOLE, feature_dropout=0.0),
    SparseRationalClassifier(
        **AUTOMATA, **SMALL, semiring="max-plus", calibration="temperature"
    ),
    SparseRationalClassifier(**AUTOMATA, **SMALL, semiring="max-times", match="end"),
    SparseLSTMClassifier(n_units=3, **SMALL),
    SparseGRUClassifier(n_units=3, **SMALL),
    ModuliRNNClassifier(**PLACED, **SMALL),
    ModuliRNNRegressor(**PLACED, **SMALL),
    SparseLSTMLanguageModel(n_units=3, **SMALL),
    ModuliRNNLanguageModel(**PLACED, **SMALL),
    WordVectorizer(VECTORS),
    WordVectorizer(),
    TimeStepTransformer(StandardScaler()),
]


def expected_failures(estimator):
    if getattr(estimator, "batch_size", None) is None:
        return {}
    if not hasattr(estimator, "weight_decay") or not hasattr(estimator, "predict"):
        return {}
    return {"check_weights_as_repetitions": "mini-batches are shuffled"}


@parametrize_with_sequence_checks(ESTIMATORS, expected_failed_checks=expected_failures)
def test_sequence_checks(estimator, check):
    check(estimator)


def test_a_search_passes_them():
    """But for jobs, which tests/model_selection starts processes for."""
    search = SparseRationalClassifierCV(
        SparseRationalClassifier(**AUTOMATA, **SMALL), lambdas=[1e-3], cv=2
    )
    for estimator, check in check_sequence_estimator(search, generate_only=True):
        if check.__name__ not in ("check_n_jobs", "check_weights_as_repetitions"):
            check(estimator)
