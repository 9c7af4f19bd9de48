"""What "auto" stands for: the number of automata, and the strength of the penalty."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skrational import SparseRationalClassifier, SparseRationalRegressor
from skrational.datasets import make_planted_patterns
from skrational.model_selection import regularization_path


def quick(**params):
    params = {"warmup_epochs": 3, "max_epochs": 20, "finetune_epochs": 6, **params}
    return SparseRationalClassifier(
        n_wfsas=8, **{"lambda_": "auto", "random_state": 0, **params}
    )


@pytest.fixture(scope="module")
def data():
    return make_planted_patterns(800, random_state=0)


@pytest.fixture(scope="module")
def fitted(data):
    return quick().fit(data.X[:400], data.y[:400])


@pytest.mark.parametrize(
    ("n_classes", "n_wfsas"), [(2, 24), (3, 24), (24, 24), (30, 30), (120, 96)]
)
def test_there_are_as_many_automata_as_classes(n_classes, n_wfsas):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(2 * n_classes, 3, 4)), np.arange(2 * n_classes) % n_classes
    params = {"n_states": 1, "lambda_": 0, "warmup_epochs": 0, "max_epochs": 1}
    clf = SparseRationalClassifier(**params, finetune_epochs=0)
    assert clf.fit(X, y).learned_structure_.n_wfsas_initial == n_wfsas
    labels = np.eye(n_classes, dtype=int)[y]
    assert clf.fit(X, labels).learned_structure_.n_wfsas_initial == n_wfsas
    regressor = SparseRationalRegressor(**params, finetune_epochs=0)
    values = rng.normal(size=(len(y), n_classes))
    assert regressor.fit(X, values).learned_structure_.n_wfsas_initial == n_wfsas


def test_lengths_are_spread_over_as_many(data):
    clf = quick(lambda_=0.0, n_states=(1, 2, 3)).set_params(n_wfsas="auto")
    assert clf.fit(data.X, data.y).learned_structure_.n_transitions_initial == 48


def test_a_strength_is_chosen_that_leaves_what_is_planted(data, fitted):
    assert fitted.score(data.X[400:], data.y[400:]) >= 0.9
    assert 0 < fitted.n_transitions_ < 32
    assert fitted.lambda_ == "auto"
    assert fitted.lambda_used_ > 0
    again = quick().fit(data.X[:400], data.y[:400])
    np.testing.assert_array_equal(again.coef_, fitted.coef_)


def test_the_least_loss_of_what_is_held_out_chooses(data, caplog):
    with caplog.at_level("DEBUG", logger="skrational"):
        clf = quick().fit(data.X[:200], data.y[:200])
    told = [r.args for r in caplog.records if str(r.msg).startswith("lambda_")]
    *trials, chosen = told
    assert len(trials) >= 3
    assert chosen == min(trials, key=lambda args: args[1])
    assert clf.lambda_used_ == chosen[0]
    headings = [r.args for r in caplog.records if str(r.msg).startswith("tries")]
    assert headings == [args[:1] for args in trials]
    strengths = [args[0] for args in trials]
    np.testing.assert_allclose(np.diff(np.log(strengths)), np.log(2))


def test_something_is_left_where_the_signal_is_weak():
    rng = np.random.default_rng(0)
    X, y = 0.2 * rng.normal(size=(400, 6, 5)), rng.integers(2, size=400)
    X[y == 1, 2, 0] += 0.2
    with pytest.warns(ConvergenceWarning, match="removed every state"):
        assert quick(lambda_=0.1).fit(X, y).n_transitions_ == 0
    clf = quick().fit(X, y)
    assert clf.n_transitions_ > 0
    assert clf.score(X, y) > 0.55


def test_it_goes_with_other_parameters(data):
    weight = np.random.default_rng(0).random(400)
    for params in (
        {"early_stopping": True},
        {"solver": "subgradient"},
        {"warm_start": True},
        {"calibration": "temperature"},
        {"penalty": "wfsas", "readout": "rho"},
    ):
        clf = quick(max_epochs=3, finetune_epochs=2, **params)
        clf.fit(data.X[:400], data.y[:400], sample_weight=weight)
        assert clf.lambda_used_ > 0
        assert clf.n_iter_ == len(clf.history_)
        copy = pickle.loads(pickle.dumps(clf))
        assert copy.lambda_used_ == clf.lambda_used_
        assert clone(clf).lambda_ == "auto"


def test_a_path_has_strengths_of_its_own(data):
    paths = [
        regularization_path(quick(lambda_=strength), data.X, data.y, [1e-3, 1e-2])
        for strength in ("auto", 0.5)
    ]
    for a, b in zip(*paths, strict=True):
        np.testing.assert_array_equal(a.coef_, b.coef_)
        assert a.lambda_used_ == a.lambda_


def test_a_killed_fit_goes_on(data, fitted, tmp_path):
    class Killed(BaseException):
        pass

    clf = quick()
    from skrational.training.checkpoints import KeptEpochs

    save, n_saved = KeptEpochs.save, []

    def save_and_die(self, record):
        save(self, record)
        n_saved.append(1)
        if len(n_saved) == 3:
            raise Killed

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(KeptEpochs, "save", save_and_die)
        clf.fit(data.X[:400], data.y[:400], checkpoint_dir=tmp_path)
    clf.fit(data.X[:400], data.y[:400], checkpoint_dir=tmp_path)
    np.testing.assert_array_equal(clf.coef_, fitted.coef_)
    assert clf.lambda_used_ == fitted.lambda_used_
    assert len(clf.history_) == len(fitted.history_)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"lambda_": "best"}, "lambda_"),
        ({"n_wfsas": "many"}, "n_wfsas"),
        ({"n_wfsas": 0}, "n_wfsas"),
    ],
)
def test_other_words_are_refused(data, params, message):
    with pytest.raises(ValueError, match=message):
        quick().set_params(**params).fit(data.X, data.y)


def test_too_few_sequences_to_hold_out():
    X, y = np.ones((2, 3, 4)), [0, 1]
    with pytest.raises(ValueError, match="lambda_='auto' chooses on sequences"):
        quick().fit(X, y)


def test_the_history_has_the_strength_that_was_in_force(fitted):
    rows = fitted.history_
    by_phase = {
        name: [row["lambda_"] for row in rows if row["phase"] == name]
        for name in ("warmup", "regularize", "finetune")
    }
    assert by_phase["warmup"] == [0.0] * 3
    assert by_phase["finetune"] == [0.0] * 6
    tried = by_phase["regularize"]
    assert tried == sorted(tried) and tried[-1] == fitted.lambda_used_
    # Two epochs of each, a tenth of max_epochs.
    np.testing.assert_allclose(np.diff(np.log(tried[::2])), np.log(2))


@pytest.mark.parametrize("estimator", [quick(), SparseRationalRegressor(n_wfsas=8)])
def test_a_network_that_nothing_is_left_of_may_be_chosen(data, estimator):
    params = {"max_epochs": 2, "solver": "subgradient", "threshold": 10.0}
    params |= {"warmup_epochs": 1, "random_state": 0, "lambda_": "auto"}
    estimator = clone(estimator).set_params(**params)
    with pytest.warns(ConvergenceWarning, match=r"removed every.*'auto' chose it"):
        estimator.fit(data.X[:60], data.y[:60])
    assert estimator.n_transitions_ == 0
    assert [row["phase"] for row in estimator.history_] == ["warmup", "regularize"]
    assert estimator.lambda_used_ == estimator.history_[-1]["lambda_"] > 0
    mean = data.y[:60].mean()
    expected = np.log(mean / (1 - mean)) if hasattr(estimator, "classes_") else mean
    assert estimator.intercept_[0] == pytest.approx(expected)


@pytest.mark.filterwarnings("ignore::skrational.exceptions.FeatureScaleWarning")
def test_the_emptied_network_wins_over_worse_ones():
    rng = np.random.default_rng(0)
    X = [100 * rng.normal(size=(t, 5)) for t in rng.integers(1, 9, size=60)]
    clf = quick(n_states=2, max_epochs=2, warmup_epochs=1, min_steps_per_epoch=5)
    with pytest.warns(ConvergenceWarning, match="no network did better"):
        clf.set_params(n_wfsas=4).fit(X, np.arange(60) % 3 % 2)
    rows = clf.history_
    assert clf.n_transitions_ == 0 < rows[-2]["n_transitions"]
    assert rows[-2]["phase"] == rows[-1]["phase"] == "regularize"


def test_what_is_empty_stays_empty(data):
    clf = quick(lambda_=50.0, warm_start=True, max_epochs=1, warmup_epochs=0)
    with pytest.warns(ConvergenceWarning, match="lambda_=50.0 removed"):
        clf.fit(data.X[:60], data.y[:60])
    with pytest.warns(ConvergenceWarning, match="The fit before this one removed"):
        clf.set_params(lambda_="auto").fit(data.X[:60], data.y[:60])
    assert clf.n_transitions_ == clf.lambda_used_ == 0


@pytest.mark.parametrize("lambda_", [3e-3, "auto"])
def test_the_strength_is_that_of_the_fit(data, lambda_):
    clf = quick(lambda_=lambda_, max_epochs=2, finetune_epochs=1)
    clf.fit(data.X[:100], data.y[:100])
    used = clf.lambda_used_
    assert used == lambda_ if lambda_ != "auto" else used > 0
    clf.set_params(lambda_=7)
    assert clf.lambda_used_ == used
    assert pickle.loads(pickle.dumps(clf)).lambda_used_ == used
    # A file of an earlier version has no such attribute.
    state = vars(clf).copy() | {"lambda_": lambda_}
    del state["lambda_used_"]
    old = SparseRationalClassifier.__new__(SparseRationalClassifier)
    old.__setstate__(state)
    assert old.lambda_used_ == used
