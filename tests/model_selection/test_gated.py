"""Paths, searches and their kin for the sparse LSTM, whose size is its gates."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV

from skrational import (
    SequenceArray,
    SparseLSTMClassifier,
    SparseRationalClassifier,
    SparseRationalClassifierCV,
)
from skrational.model_selection import (
    RegularizationPathDisplay,
    lambda_max,
    regularization_path,
    score_and_size,
    smallest_within_one_se,
    structure_stability,
)
from skrational.model_selection._epochs import PathEpochs
from skrational.model_selection._path_run import PathRun
from skrational.structures.gated import LSTMStructure
from skrational.training.strength import gradient_when_empty

LAMBDAS = [0.0, 5e-3, 2e-2, 6e-2, 2.0]


def quick(**params):
    defaults = {
        "n_units": 5,
        "learning_rate": 0.03,
        "batch_size": 32,
        "min_steps_per_epoch": 1,
        "warmup_epochs": 5,
        "max_epochs": 30,
        "finetune_epochs": 4,
        "random_state": 0,
    }
    return SparseLSTMClassifier(**(defaults | params))


@pytest.fixture(scope="module")
def data():
    """Sequences of noise; the label is the sign of the sum of feature 0."""
    rng = np.random.default_rng(0)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(4, 12, size=160))])
    rows = rng.normal(size=(offsets[-1], 4)).astype(np.float32)
    sums = np.add.reduceat(rows[:, 0], offsets[:-1])
    return SequenceArray(rows, offsets), (sums > 0).astype(int)


def follow(data, folder=None, clf=None, **options):
    X, y = data
    options = {"lambdas": LAMBDAS} | options
    return regularization_path(clf or quick(), X, y, checkpoint_dir=folder, **options)


@pytest.fixture(scope="module")
def path(data):
    X, y = data
    return follow((X[40:], y[40:]), X_val=X[:40], y_val=y[:40])


def test_the_path_goes_from_dense_to_empty(path):
    sizes = [point.size for point in path.points]
    assert sizes[0] == 20
    assert sizes[-1] == 0
    assert len(set(sizes)) > 3
    units = [point.structure.units for point in path.points]
    for before, after in pairwise(units):
        assert set(after) <= set(before)


def test_points_are_classifiers_of_the_scores_they_claim(data, path):
    X, y = data[0][:40], data[1][:40]
    for point, clf in zip(path.points, path, strict=True):
        assert type(clf) is SparseLSTMClassifier
        assert type(point.structure) is LSTMStructure
        assert clf.learned_structure_ == point.structure
        assert clf.score(X, y) == point.validation_score
        assert clf.lambda_ == point.lambda_
    again = pickle.loads(pickle.dumps(path))
    np.testing.assert_array_equal(again[2].predict_proba(X), path[2].predict_proba(X))


def test_tables_count_gates(path):
    pytest.importorskip("pandas")
    frame = path.to_frame()
    assert list(frame.columns) == [
        "lambda_",
        "n_gates",
        "n_units",
        "n_inputs",
        "n_weights",
        "n_parameters",
        "validation_score",
        "validation_error",
        "test_score",
        "seconds",
        "units",
    ]
    assert list(frame["n_gates"]) == [clf.n_gates_ for clf in path]
    assert list(frame["n_units"]) == [clf.n_units_ for clf in path]
    assert frame["units"][0] == ("ifgo",) * 5
    assert repr(path).splitlines()[1].split()[:3] == ["lambda_", "n_gates", "n_units"]
    assert path.at(size=15).n_gates_ <= 15
    with pytest.raises(ValueError, match=r"the smallest has 20 gates"):
        path[:1].at(size=3)


def test_curves_are_labelled_with_gates(path):
    pytest.importorskip("matplotlib").use("Agg")
    pytest.importorskip("pandas")
    label = "gates that are not constant"
    assert RegularizationPathDisplay.from_path(path).ax_.get_xlabel() == label
    frame = path.to_frame()
    shown = RegularizationPathDisplay.from_frame(
        frame, by=None, seed=None, size="n_gates"
    )
    assert shown.ax_.get_xlabel() == "gates"


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"dtype": "float64", "readout": "last", "sparsify": ("weights", "inputs")},
        {"solver": "subgradient", "threshold": 0.3, "warmup_epochs": 0},
        {"early_stopping": True, "n_iter_no_change": 1, "class_weight": "balanced"},
    ],
    ids=str,
)
def test_an_interrupted_path_ends_as_if_it_had_not_been(
    data, tmp_path, monkeypatch, assert_same_paths, params
):
    options = {"clf": quick(**params), "lambdas": None, "n_lambdas": 5}
    expected = follow(data, **options)
    branch = PathRun.branch

    def interrupted(self, i):
        if i == 2:
            raise KeyboardInterrupt
        return branch(self, i)

    interrupt = pytest.warns(UserWarning, match="interrupted after 2 of 5 points")
    with monkeypatch.context() as patch, interrupt:
        patch.setattr(PathRun, "branch", interrupted)
        follow(data, tmp_path, **options)
    assert len(list(tmp_path.glob("point*"))) == 2
    assert_same_paths(follow(data, tmp_path, **options), expected)


def test_a_path_of_automata_is_not_gone_on_with(data, tmp_path):
    automata = SparseRationalClassifier(
        n_wfsas=2, n_states=1, warmup_epochs=0, finetune_epochs=0, random_state=0
    )
    follow(data, tmp_path, automata, lambdas=[0.0])
    with pytest.raises(ValueError, match="holds a path of other"):
        follow(data, tmp_path, lambdas=[0.0])


@pytest.mark.parametrize("readout", ["anywhere", "last"])
def test_default_lambdas_reach_from_dense_to_empty(data, readout):
    path = follow(data, clf=quick(readout=readout), lambdas=None, n_lambdas=12)
    assert path.points[0].size >= 0.95 * path.points[0].structure.size_initial
    assert path.points[-1].size == 0


@pytest.mark.parametrize("readout", ["anywhere", "last"])
def test_the_gradient_when_empty_is_that_of_nn_lstm(data, readout):
    X, y = data
    clf = quick(dtype="float64", readout=readout, dropout=0.0)
    run = PathRun(clf, clf._read_fit(X, y, None), 0, PathEpochs(1, 1, 1, 1))
    run.fit.begin(None, {})
    run.warm_up()
    arrays = run.fit.cell.to_arrays()
    lstm = torch.nn.LSTM(4, 5).double()
    for p in lstm.parameters():
        p.data.zero_()
    lstm.bias_ih_l0.data.copy_(torch.from_numpy(arrays["b"].ravel()))
    prior = np.log(y.mean() / (1 - y.mean()))
    A = torch.from_numpy(arrays["A"][0])
    losses = []
    for document, label in zip(X, y, strict=True):
        states = lstm(torch.from_numpy(document.astype(float)))[0]
        last = states[-1], states.sum(0) / len(states) ** 0.5
        logit = A @ last[readout == "anywhere"] + prior
        losses.append(torch.nn.functional.softplus(logit) - int(label) * logit)
    torch.stack(losses).mean().backward()
    expected = lstm.weight_ih_l0.grad.norm(dim=1).max().item()
    assert expected > 1e-4
    assert gradient_when_empty(run.fit) == pytest.approx(expected, rel=1e-9)
    np.testing.assert_equal(run.fit.cell.to_arrays(), arrays)


def test_just_above_lambda_max_fits_are_empty_and_just_below_they_are_not(data):
    X, y = data
    clf = quick(max_epochs=4, finetune_epochs=0, warmup_epochs=2)
    most = lambda_max(X, y, clf, rtol=0.2)
    with pytest.warns(match="removed every unit"):
        assert clf.set_params(lambda_=most).fit(X, y).n_units_ == 0
    assert clf.set_params(lambda_=0.8 * most).fit(X, y).n_units_ > 0


def test_where_no_strength_empties_the_network_units_are_named(data):
    clf = quick(solver="subgradient", threshold=0.0, max_epochs=1, warmup_epochs=0)
    with pytest.raises(ValueError, match=r"all leave units\. A step removes"):
        lambda_max(*data, clf)


def test_cross_validation_weighs_gates(data):
    X, y = data
    search = SparseRationalClassifierCV(
        quick(), lambdas=[1e-3, 2e-2, 6e-2], cv=2, refit="max_size", max_size=12
    ).fit(X, y)
    results = search.cv_results_
    assert results["mean_n_gates"][0] > results["mean_n_gates"][-1]
    assert search.size_ == search.best_estimator_.n_gates_ <= 12
    assert type(search.learned_structure_) is LSTMStructure
    assert search.predict(X).shape == y.shape
    assert not hasattr(search, "n_transitions_")


def test_a_search_takes_the_smallest_by_gates(data):
    search = GridSearchCV(
        quick(max_epochs=10),
        {"lambda_": [1e-3, 2e-2], "n_units": [3, 5]},
        cv=2,
        scoring=score_and_size(size="n_gates_"),
        refit=smallest_within_one_se("n_gates_"),
    ).fit(*data)
    sizes = search.cv_results_["mean_test_n_gates_"]
    assert sizes[0] == 12
    assert sizes[1] == 20
    assert search.best_estimator_.n_gates_ < 12


def test_stability_compares_units_by_their_gates(data):
    X, y = data
    clf = quick(lambda_=3e-2, max_epochs=8)
    stability = structure_stability(clf, X, y, cv=2, random_states=[0, 1])
    assert stability.mean_size == np.mean([s.n_gates for s in stability.structures])
    assert 0 <= stability.agreement <= 1
    assert "gates" in repr(stability)
    assert "transitions" not in repr(stability)
    pytest.importorskip("pandas")
    assert {"n_gates", "n_units", "units"} <= set(stability.to_frame().columns)
