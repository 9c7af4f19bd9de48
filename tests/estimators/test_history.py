"""What estimators tell of their epochs."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skrational import (
    ModuliRNNClassifier,
    ModuliRNNLanguageModel,
    ModuliRNNRegressor,
    SparseGRUClassifier,
    SparseLSTMClassifier,
    SparseLSTMLanguageModel,
    SparseRationalClassifier,
    SparseRationalClassifierCV,
)
from skrational.datasets import make_planted_patterns
from skrational.model_selection import regularization_path

SHORT = {
    "min_steps_per_epoch": 1,
    "warmup_epochs": 1,
    "max_epochs": 2,
    "finetune_epochs": 1,
    "random_state": 0,
}
CLASSIFIERS = [
    SparseRationalClassifier(n_wfsas=2, **SHORT),
    SparseLSTMClassifier(n_units=2, **SHORT),
    SparseGRUClassifier(n_units=2, **SHORT),
    ModuliRNNClassifier(n_hidden=4, **SHORT),
]
LANGUAGE_MODELS = [
    SparseLSTMLanguageModel(level="character", n_units=4, **SHORT),
    ModuliRNNLanguageModel(level="character", n_hidden=8, **SHORT),
]


@pytest.fixture(scope="module")
def data():
    return make_planted_patterns(n_documents=100, random_state=0)


@pytest.fixture(scope="module")
def fitted(data):
    return clone(CLASSIFIERS[0]).fit(data.X, data.y)


def check_frame(estimator):
    frame = estimator.history_frame()
    assert list(frame.columns) == list(estimator.history_[0])
    for name in frame:
        values = [row[name] for row in estimator.history_]
        np.testing.assert_array_equal(frame[name], values)


@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=lambda e: type(e).__name__)
def test_classifiers_have_a_frame_of_their_epochs(estimator, data):
    with pytest.raises(NotFittedError):
        estimator.history_frame()
    fitted = clone(estimator).fit(data.X, data.y)
    check_frame(fitted)
    assert len(fitted.history_frame()) == fitted.n_iter_ == 4


def test_so_do_regressors_language_models_and_searches(data):
    y = np.arange(len(data.y), dtype=float)
    check_frame(ModuliRNNRegressor(n_hidden=4, **SHORT).fit(data.X, y))
    for model in LANGUAGE_MODELS:
        check_frame(clone(model).fit(["abcd" * 5] * 4))
    search = SparseRationalClassifierCV(
        clone(CLASSIFIERS[0]), lambdas=[0.0, 1e-3], cv=2, random_state=0
    )
    with pytest.raises(NotFittedError):
        search.history_frame()
    frame = search.fit(data.X, data.y).history_frame()
    assert len(frame) == search.best_estimator_.n_iter_


def test_the_history_prints_in_a_line(fitted):
    shown = repr(fitted.history_)
    assert shown.startswith(
        "History of 4 epochs: warmup 1, regularize 2, finetune 1; loss "
    )
    assert shown.endswith(f", {fitted.n_transitions_} transitions")
    assert repr(fitted.history_[:0]) == "[]"
    assert repr(type(fitted.history_)()) == "History of 0 epochs"


def test_a_pickle_holds_plain_rows(fitted):
    assert type(vars(fitted)["history_"]) is list
    again = pickle.loads(pickle.dumps(fitted))
    assert repr(again.history_) == repr(fitted.history_)
    assert not hasattr(clone(fitted), "history_")


def test_automata_and_points_print_in_a_line(fitted, data):
    structure = fitted.learned_structure_
    assert repr(fitted.automata_) == (
        f"WeightedAutomata({structure.n_transitions} transitions in "
        f"{structure.n_wfsas} WFSAs of {data.X.n_features} features, plus-times, "
        "anywhere)"
    )
    path = regularization_path(
        clone(fitted), data.X, data.y, [1e-3], X_test=data.X, y_test=data.y
    )
    (point,) = path.points
    shown = repr(point)
    assert shown.startswith(f"PathPoint(lambda_=0.001: {point.structure}, validation")
    assert f"test score {point.test_score:.3f}, " in shown


def test_verbose_tells_each_point_of_a_path_or_its_epochs_too(data, caplog):
    clf = clone(CLASSIFIERS[0]).set_params(verbose=1)
    path = regularization_path(clf, data.X, data.y, [1e-4, 1e-3])
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [f"point {i + 1} of 2: {p!r}" for i, p in enumerate(path.points)]
    caplog.clear()
    path = regularization_path(clf.set_params(verbose=2), data.X, data.y, [1e-4, 1e-3])
    lines = [record.getMessage() for record in caplog.records]
    assert sum(line.startswith("point ") for line in lines) == 2
    assert sum(line.startswith("regularize ") for line in lines) == 2
    assert sum(line.startswith("finetune ") for line in lines) >= 2
