"""Results don't depend on the state that torch is in, and leave it as it was."""

import contextlib
import pickle

import numpy as np
import pytest
import torch

from skrational import (
    ModuliRNNClassifier,
    ModuliRNNRegressor,
    SparseGRUClassifier,
    SparseLSTMClassifier,
    SparseLSTMLanguageModel,
    SparseRationalClassifier,
    SparseRationalClassifierCV,
    as_sequences,
)
from skrational.model_selection import lambda_max, regularization_path, retrain_mask
from skrational.utils.torch_state import in_own_state


@contextlib.contextmanager
def default_dtype():
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextlib.contextmanager
def deterministic_algorithms():
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


@contextlib.contextmanager
def reduced_precision():
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


STATES = {
    "float64 by default": default_dtype,
    "another device": lambda: torch.device("meta"),
    "without gradients": torch.no_grad,
    "inference": torch.inference_mode,
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "deterministic": deterministic_algorithms,
    "reduced precision": reduced_precision,
}


def state():
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.get_default_dtype(),
        torch.empty(0).device,
        torch.are_deterministic_algorithms_enabled(),
        torch.get_float32_matmul_precision(),
        torch.get_num_threads(),
        torch.get_rng_state().device,
    )


RNG = np.random.default_rng(0)
X = as_sequences([*RNG.normal(size=(40, 5, 6)), RNG.normal(size=(2, 6))])
Y = np.arange(41) % 2
VALUES = RNG.normal(size=(41, 2))
TEXTS = ["a good book", "a bad book", "good tea", "not a good tea"] * 3
SMALL = {
    "warmup_epochs": 1,
    "max_epochs": 1,
    "finetune_epochs": 1,
    "min_steps_per_epoch": 2,
    "batch_size": 20,
    "random_state": 0,
}
AUTOMATA = SMALL | {"n_wfsas": 3, "n_states": 2, "lambda_": 1e-4}


def bits(estimator, X=X):
    outputs = [estimator.coef_, estimator.intercept_, *estimator.weights_.values()]
    if hasattr(estimator, "decision_function"):
        return [*outputs, estimator.decision_function(X), estimator.transform(X)]
    return [*outputs, estimator.predict(X)]


def fit_automata(**parameters):
    clf = SparseRationalClassifier(**AUTOMATA, **parameters)
    return bits(clf.fit(X, Y))


def fit_language_model():
    model = SparseLSTMLanguageModel(n_units=4, **SMALL).fit(TEXTS)
    return [*model.weights_.values(), model.score_samples(TEXTS)]


def search():
    search = SparseRationalClassifierCV(
        SparseRationalClassifier(**AUTOMATA, calibration="temperature"),
        lambdas=[1e-4],
        cv=2,
        random_state=0,
    )
    return bits(search.fit(X, Y).best_estimator_)


def follow_a_path():
    path = regularization_path(
        SparseRationalClassifier(**AUTOMATA), X, Y, lambdas=[1e-4, 1e-3]
    )
    return [value for point in path for value in bits(point)]


def retrain():
    clf = ModuliRNNClassifier(n_hidden=8, sparsity=0.5, **SMALL).fit(X, Y)
    found = retrain_mask(clf, X, Y, random_state=0)
    return bits(found.estimators[0])


WORK = {
    "automata": fit_automata,
    "dropout": lambda: fit_automata(word_dropout=0.2, feature_dropout=0.2),
    "max-plus": lambda: fit_automata(semiring="max-plus"),
    "calibrated": lambda: fit_automata(
        calibration="temperature", early_stopping=True, dtype="float64"
    ),
    "LSTM": lambda: bits(SparseLSTMClassifier(n_units=3, **SMALL).fit(X, Y)),
    "GRU": lambda: bits(SparseGRUClassifier(n_units=3, **SMALL).fit(X, Y)),
    "regressor": lambda: bits(
        ModuliRNNRegressor(n_hidden=8, sparsity=0.5, **SMALL).fit(X, VALUES)
    ),
    "language model": fit_language_model,
    "path": follow_a_path,
    "search": search,
    "retrained": retrain,
    "lambda_max": lambda: [
        np.array(lambda_max(X, Y, SparseRationalClassifier(**AUTOMATA), rtol=0.5))
    ],
}


@pytest.fixture(scope="module")
def expected():
    return {name: work() for name, work in WORK.items()}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("work", WORK)
@pytest.mark.parametrize("name", STATES)
def test_results_do_not_depend_on_it_and_leave_it_as_it_was(name, work, expected):
    with STATES[name]():
        before = state()
        found = WORK[work]()
        assert state() == before
    for mine, right in zip(found, expected[work], strict=True):
        assert mine.dtype == right.dtype
        np.testing.assert_array_equal(mine, right)


@pytest.mark.parametrize("name", STATES)
def test_a_model_that_is_loaded_predicts_the_same(name):
    clf = SparseRationalClassifier(**AUTOMATA, semiring="max-times").fit(X, Y)
    saved, right = pickle.dumps(clf), clf.predict_proba(X)
    with STATES[name]():
        np.testing.assert_array_equal(pickle.loads(saved).predict_proba(X), right)


def test_gradients_and_threads_are_put_back_whatever_happens():
    @in_own_state
    def fail():
        torch._C._set_grad_enabled(False)
        torch.set_num_threads(n_threads + 1)
        raise KeyboardInterrupt

    n_threads = torch.get_num_threads()
    with pytest.raises(KeyboardInterrupt):
        fail()
    assert torch.is_grad_enabled()
    assert torch.get_num_threads() == n_threads
