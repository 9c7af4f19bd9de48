"""The Bayesian framework of the gated classifiers."""

import pickle

import numpy as np
import pytest

from skrational import (
    SparseGRUClassifier,
    SparseLSTMClassifier,
    SparseRationalClassifierCV,
)
from skrational.model_selection import lambda_max, regularization_path
from skrational.model_selection._path_run import PathRun

ALL = ("weights", "gates", "neurons", "inputs")


def draw_sums(n, seed=0):
    """Documents of noise; the label is the sign of the sum of their first feature."""
    rng = np.random.default_rng(seed)
    X = [rng.normal(size=(size, 4)) for size in rng.integers(2, 6, size=n)]
    return X, np.array([x[:, 0].sum() > 0 for x in X])


X, y = draw_sums(100)


def quick(kind=SparseLSTMClassifier, **params):
    defaults = {
        "n_units": 3,
        "framework": "bayes",
        "learning_rate": 0.1,
        "batch_size": None,
        "warmup_epochs": 5,
        "max_epochs": 20,
        "finetune_epochs": 2,
        "dropout": 0.0,
        "random_state": 0,
    }
    return kind(**(defaults | params))


@pytest.fixture(scope="module", params=[SparseLSTMClassifier, SparseGRUClassifier])
def summing(request):
    clf = quick(request.param, sparsify=ALL, max_epochs=100, finetune_epochs=20)
    return clf.fit(X, y)


def test_of_a_running_sum_one_feature_and_no_output_gate_are_left(summing):
    structure = summing.learned_structure_
    assert structure.inputs == (0,)
    assert structure.n_units <= 2
    assert structure.gates_by_kind().get("o", 0) == 0
    assert summing.score(*draw_sums(300, seed=1)) > 0.93


def test_what_was_removed_amid_the_phase_stays_removed(summing):
    """The network is cut on the way, and nothing grows again from then on."""
    sizes = [row["n_gates"] for row in summing.history_]
    cut = np.flatnonzero(np.array(sizes) <= sizes[0] * 2 / 3)[0]
    assert max(sizes[cut:]) == sizes[cut]


@pytest.fixture(scope="module")
def clf():
    return quick().fit(X, y)


@pytest.mark.usefixtures("untouched_generators")
def test_a_seed_gives_the_same_model_wherever_it_goes(clf):
    again = quick().fit(X, y)
    loaded = pickle.loads(pickle.dumps(clf))
    for other in (again, loaded):
        np.testing.assert_array_equal(other.predict_proba(X), clf.predict_proba(X))
        assert other.learned_structure_ == clf.learned_structure_
    assert set(clf.weights_) == {"W_ih", "W_hh", "b"}


def test_what_is_kept_is_what_was_finetuned(clf):
    """A cell of the kept arrays predicts as the network that training ended with."""
    last = clf.history_[-1]
    assert last["phase"] == "finetune"
    assert last["n_gates"] == clf.n_gates_
    dense = quick(lambda_=0.0).fit(X, y)
    assert dense.n_gates_ == 12
    assert clf.learned_structure_.n_weights < dense.learned_structure_.n_weights


def test_a_stronger_prior_leaves_less():
    left = [
        quick(lambda_=lambda_, max_epochs=30).fit(X, y).learned_structure_.n_weights
        for lambda_ in (0.01, 1.0)
    ]
    assert left[0] > left[1]


def test_a_ratio_of_zero_leaves_a_kind_alone():
    ratios = {"weights": 0.0, "inputs": 1.0}
    clf = quick(sparsify=("weights", "inputs"), lambda_ratios=ratios, max_epochs=60)
    structure = clf.fit(X, y).learned_structure_
    n_rows, n_units = structure.n_gates, structure.n_units
    n_full = n_rows * (len(structure.inputs) + n_units) + n_units
    assert structure.n_weights == n_full
    clf.set_params(lambda_ratios={"weights": 1.0, "inputs": 0.0}).fit(X, y)
    assert clf.learned_structure_.n_weights < n_full


def test_early_stopping_goes_back_to_the_best_epoch():
    clf = quick(early_stopping=True, n_iter_no_change=3, max_epochs=60).fit(X, y)
    rows = [row for row in clf.history_ if row["phase"] == "regularize"]
    monitored = [row["validation_loss"] + row["penalty"] for row in rows]
    best = int(np.argmin(monitored))
    assert len(rows) in (best + 4, 60)
    assert clf.n_gates_ == rows[best]["n_gates"]


def test_a_warm_start_goes_on_with_what_is_left():
    clf = quick(warm_start=True).fit(X, y)
    units, n_gates = clf.learned_structure_.units, clf.n_gates_
    clf.fit(X, y)
    assert set(clf.learned_structure_.units) <= set(units)
    assert clf.n_gates_ <= n_gates


def test_a_second_prior_is_refused():
    with pytest.raises(ValueError, match=r"weight_decay=0\.1 with framework='bayes'"):
        quick(weight_decay=0.1).fit(X, y)


def test_a_path_lies_around_the_evidence_lower_bound():
    path = regularization_path(quick(), X, y, n_lambdas=4)
    np.testing.assert_allclose(path.points[0].lambda_, 0.02)
    sizes = [clf.learned_structure_.n_weights for clf in path]
    assert (np.diff(sizes) <= 0).all()
    assert sizes[-1] < sizes[0]


@pytest.mark.parametrize("kind", [SparseLSTMClassifier, SparseGRUClassifier])
def test_an_interrupted_path_ends_as_if_it_had_not_been(kind, tmp_path, monkeypatch):
    arguments = {"lambdas": [0.0, 0.1, 1.0, 3.0], "checkpoint_dir": tmp_path}
    expected = regularization_path(quick(kind), X, y, lambdas=arguments["lambdas"])
    branch = PathRun.branch

    def interrupted(self, i):
        if i == 2:
            raise KeyboardInterrupt
        return branch(self, i)

    cut_short = pytest.warns(UserWarning, match="interrupted after 2 of 4")
    with monkeypatch.context() as patch, cut_short:
        patch.setattr(PathRun, "branch", interrupted)
        regularization_path(quick(kind), X, y, **arguments)
    path = regularization_path(quick(kind), X, y, **arguments)
    assert len(path) == len(expected)
    for one, other in zip(path, expected, strict=True):
        assert one.learned_structure_ == other.learned_structure_
        np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


def test_cross_validation_chooses_a_strength():
    cv = SparseRationalClassifierCV(quick(), n_lambdas=3, cv=2, random_state=0)
    cv.fit(X, y)
    np.testing.assert_allclose(cv.lambdas_[[0, -1]], [0.02, 10])
    assert cv.best_estimator_.framework == "bayes"
    assert cv.score(X, y) > 0.6


def test_the_strength_that_leaves_nothing_is_found():
    clf = quick(n_units=2, max_epochs=60, finetune_epochs=0)
    most = lambda_max(X, y, clf, rtol=0.5)
    with pytest.warns(UserWarning, match="removed every unit"):
        assert clf.set_params(lambda_=most).fit(X, y).n_units_ == 0
