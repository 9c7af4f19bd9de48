import numpy as np
import pytest
from sklearn.base import clone

from skrational import SparseRationalClassifier
from skrational.datasets import make_planted_patterns
from skrational.model_selection import lambda_max

DATA = make_planted_patterns(n_documents=150, random_state=0)


def small(**params):
    quick = {
        "n_wfsas": 3,
        "n_states": 2,
        "min_steps_per_epoch": 1,
        "warmup_epochs": 2,
        "max_epochs": 3,
        "finetune_epochs": 0,
        "random_state": 0,
    }
    return SparseRationalClassifier(**(quick | params))


def n_left(estimator, lambda_):
    clf = clone(estimator).set_params(lambda_=lambda_)
    return clf.fit(DATA.X, DATA.y).n_transitions_


@pytest.mark.filterwarnings("ignore:lambda_=:sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"match": "end"},
        {"readout": "rho", "dtype": "float64"},
        {"penalty": "wfsas", "random_state": 3},
        {"ramp_epochs": 2},
        {"early_stopping": True},
        {"warmup_epochs": 0},
    ],
)
def test_just_above_fits_are_empty_and_just_below_they_are_not(params):
    estimator = small(**params)
    most = lambda_max(DATA.X, DATA.y, estimator=estimator, rtol=0.05)
    assert n_left(estimator, most) == 0
    assert n_left(estimator, most * 0.95) > 0


def test_a_solver_that_reaches_no_zeros_is_named():
    estimator = small(solver="subgradient", max_epochs=1)
    with pytest.raises(ValueError, match=r"all leave states.*solver='subgradient'"):
        lambda_max(DATA.X, DATA.y, estimator=estimator)


def test_a_finer_answer_lies_below_a_coarse_one():
    coarse, fine = (
        lambda_max(DATA.X, DATA.y, estimator=small(), rtol=rtol) for rtol in (0.3, 0.01)
    )
    assert fine <= coarse <= fine / 0.7


@pytest.mark.usefixtures("untouched_generators")
def test_nothing_is_changed_by_asking():
    estimator = small(lambda_=0.5)
    first = lambda_max(DATA.X, DATA.y, estimator=estimator, rtol=0.3)
    assert estimator.lambda_ == 0.5
    assert not hasattr(estimator, "classes_")
    assert lambda_max(DATA.X, DATA.y, estimator=estimator, rtol=0.3) == first


def test_weights_count():
    weights = np.where(np.arange(len(DATA.y)) < 75, 1.0, 0.0)
    of_half, of_weights = (
        lambda_max(X, y, estimator=small(batch_size=None), sample_weight=w, rtol=0.1)
        for X, y, w in (
            (DATA.X[:75], DATA.y[:75], None),
            (DATA.X, DATA.y, weights),
        )
    )
    assert of_half == of_weights


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"rtol": 0}, ValueError, "rtol must be a number between 0 and 1; got 0"),
        ({"estimator": "rnn"}, TypeError, "SparseRationalRegressor; got str"),
        ({"estimator": small(n_wfsas=0)}, ValueError, "n_wfsas"),
        ({"y": np.zeros(150)}, ValueError, "only one class"),
    ],
)
def test_what_cannot_be_is_refused(arguments, error, message):
    given = {"X": DATA.X, "y": DATA.y, "estimator": small(), **arguments}
    with pytest.raises(error, match=message):
        lambda_max(given.pop("X"), given.pop("y"), **given)
