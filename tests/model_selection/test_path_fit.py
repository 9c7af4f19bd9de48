import pickle
from copy import deepcopy

import joblib
import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import softmax
from sklearn.base import clone
from sklearn.callback import ProgressBar
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from skrational import SequenceArray, SparseRationalClassifier
from skrational.cells.batches import Corpus
from skrational.cells.rational import RationalCell
from skrational.datasets import make_planted_patterns
from skrational.model_selection import regularization_path
from skrational.model_selection._epochs import PathEpochs
from skrational.model_selection._lambdas import lambdas_to_empty, usual_lambdas
from skrational.model_selection._path_run import PathRun
from skrational.structures.automata import ScoringRule
from skrational.training.labelled import stratified_split
from skrational.training.rng import Randomness, draw_seed
from skrational.training.strength import gradient_when_empty

LAMBDAS = [0.0, 1e-3, 1e-2, 3e-2]


def quick(**params):
    defaults = {
        "n_wfsas": 4,
        "n_states": 3,
        "min_steps_per_epoch": 1,
        "warmup_epochs": 2,
        "max_epochs": 20,
        "finetune_epochs": 4,
        "feature_dropout": 0.0,
        "random_state": 0,
    }
    return SparseRationalClassifier(**(defaults | params))


# Without any noise, on all samples at once: nothing but the weights is drawn.
EXACT = {"batch_size": None, "dropout": 0.0, "word_dropout": 0.0}


@pytest.fixture(scope="module")
def data():
    return make_planted_patterns(200, random_state=0)


@pytest.fixture(scope="module")
def three_classes():
    return make_planted_patterns(
        240, patterns=(2, 2), class_of_pattern=(1, 2), random_state=0
    )


@pytest.fixture(scope="module")
def path(data):
    return regularization_path(
        quick(), data.X, data.y, lambdas=LAMBDAS, X_test=data.X[:80], y_test=data.y[:80]
    )


def follow(data, clf=None, **options):
    clf = quick() if clf is None else clf
    return regularization_path(clf, data.X, data.y, **({"lambdas": LAMBDAS} | options))


def held_out_part(clf, y):
    """Documents that a path validates on."""
    codes = np.unique(y, return_inverse=True)[1]
    split = Randomness(draw_seed(clf.random_state)).split
    return stratified_split(codes, clf.validation_fraction, split)[1]


def test_at_lambda_zero_it_is_a_network_trained_by_torch(data):
    X, y = data.X, data.y
    params = {"dtype": "float64", "max_grad_norm": None, "weight_decay": 0.01, **EXACT}
    path = regularization_path(
        quick(**params, finetune_schedule="constant"),
        X,
        y,
        lambdas=[0.0, 1e-300],
        X_val=X,
        y_val=y,
        epochs_per_lambda=3,
        finetune_epochs=2,
    )
    cell = RationalCell(X.n_features, (3,) * 4, 1, ScoringRule(), torch.float64)
    cell.initialize(Randomness(draw_seed(0)).weights)
    batch = Corpus(X, torch.float64, torch.device("cpu")).batch(np.arange(len(X)))
    targets = torch.from_numpy(y).double()

    def train(cell, n_steps, optimizer=None):
        optimizer = optimizer or torch.optim.Adam(
            cell.parameters(), lr=0.02, weight_decay=0.01
        )
        for _ in range(n_steps):
            optimizer.zero_grad()
            logits = cell(batch)[:, 0]
            torch.nn.functional.binary_cross_entropy_with_logits(
                logits, targets
            ).backward()
            optimizer.step()
        return optimizer

    run = train(cell, 2)
    for clf in path:
        run = train(cell, 3, run)
        branch = deepcopy(cell)
        train(branch, 2)
        expected = branch.to_arrays()
        np.testing.assert_allclose(clf.coef_, expected["A"], rtol=1e-8)
        np.testing.assert_allclose(clf.intercept_, expected["a"], rtol=1e-8)
        for name, weight in clf.weights_.items():
            np.testing.assert_allclose(weight, expected[name], rtol=1e-8, atol=1e-11)


@pytest.mark.parametrize(
    "params",
    [
        {"lambda_": 2e-2},
        {"lambda_": 2e-2, "penalty": "wfsas"},
        {"lambda_": 2e-2, "penalty": "transitions", "dtype": "float64"},
        {"lambda_": 1e-2, "solver": "subgradient", "threshold": 0.6},
        {"lambda_": 3e-3, "readout": "rho", "match": "end"},
        {"lambda_": 2e-2, "readout": "rho_softmax", "n_states": (1, 2, 3)},
        {"lambda_": 3e-4, "readout": "last", "finetune_schedule": "plateau"},
        {"lambda_": 1e-2, "semiring": "max-plus", "n_wfsas": 2, "n_states": 2},
        {"lambda_": 100.0},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_single_lambda_without_warm_up_is_a_fit(data, params):
    X, y = data.X[:60], data.y[:60]
    clf = quick(**params, **EXACT, warmup_epochs=0, max_epochs=15)
    path = regularization_path(
        clf,
        X,
        y,
        lambdas=[params["lambda_"]],
        X_val=X,
        y_val=y,
        epochs_per_lambda=15,
        finetune_epochs=4,
    )
    clf.fit(X, y)
    assert path.points[0].structure == clf.learned_structure_
    assert clf.n_transitions_ < sum(clf.learned_structure_.initial_lengths)
    assert (clf.n_transitions_ == 0) == (params["lambda_"] == 100)
    np.testing.assert_array_equal(path[0].predict_proba(X), clf.predict_proba(X))
    np.testing.assert_equal(path[0].weights_, clf.weights_)
    assert path.points[0].validation_score == pytest.approx(clf.score(X, y))
    assert len(path[0].history_) == len(clf.history_)


def test_the_optimizer_goes_on_from_one_lambda_to_the_next(data):
    clf = quick(**EXACT, dtype="float64")
    tiny = 1e-6
    halves = follow(data, clf, lambdas=[tiny, tiny * (1 + 1e-9)], epochs_per_lambda=3)
    whole = follow(data, clf, lambdas=[tiny], epochs_per_lambda=6)
    assert halves.points[1].structure == whole.points[0].structure
    for name, weight in whole[0].weights_.items():
        np.testing.assert_allclose(halves[1].weights_[name], weight, rtol=1e-6)


def test_branches_leave_the_run_as_it_is(data, path, assert_same_paths):
    bare = follow(data, finetune_epochs=0)
    long = follow(data, finetune_epochs=5)
    structures = [point.structure for point in bare.points]
    assert [point.structure for point in long.points] == structures
    assert [point.structure for point in path.points] == structures
    for short, more in zip(bare, long, strict=True):
        run = [{**row, "seconds": 0} for row in short.history_]
        assert {row["phase"] for row in run} == {"warmup", "regularize"}
        after = [{**row, "seconds": 0} for row in more.history_]
        np.testing.assert_equal(after[: len(run)], run)
        assert [row["phase"] for row in after[len(run) :]] == ["finetune"] * 5
    assert_same_paths(follow(data, lambdas=LAMBDAS[:2], finetune_epochs=5), long[:2])


def test_the_path_gets_sparser(data):
    for params in ({}, {"penalty": "transitions"}, {"penalty": "wfsas"}):
        path = follow(
            data, quick(**params), lambdas=None, n_lambdas=15, epochs_per_lambda=4
        )
        for before, after in zip(path.points, path.points[1:], strict=False):
            assert set(after.structure.kept_states) <= set(before.structure.kept_states)
        assert path.points[-1].n_transitions < path.points[0].n_transitions


def test_a_removed_self_loop_does_not_come_back(data):
    path = follow(data, quick(penalty="transitions"), lambdas=None, n_lambdas=15)
    fixed = [
        {
            state
            for state, row in zip(
                clf.learned_structure_.kept_states, clf.weights_["W_f"], strict=True
            )
            if not row.any()
        }
        for clf in path
    ]
    assert any(fixed)
    for before, after, clf in zip(fixed, fixed[1:], path[1:], strict=False):
        assert before & set(clf.learned_structure_.kept_states) <= after


def test_predictions_reproduce_the_scores(data, path):
    held_out = held_out_part(quick(), data.y)
    assert len(held_out) == 20
    for point, clf in zip(path.points, path, strict=True):
        score = clf.score(data.X[held_out], data.y[held_out])
        assert point.validation_score == pytest.approx(score)
        assert point.validation_error == pytest.approx(
            (score * (1 - score) / 20) ** 0.5
        )
        assert point.test_score == pytest.approx(clf.score(data.X[:80], data.y[:80]))
        assert point.structure == clf.learned_structure_
        assert point.n_transitions == clf.n_transitions_
    assert len({point.test_score for point in path.points}) > 1


def test_several_classes_with_names_and_weights(three_classes):
    X, y = three_classes.X, np.array(["none", "first", "second"])[three_classes.y]
    weights = np.random.default_rng(0).uniform(0.5, 3, len(y))
    clf = quick(class_weight={"none": 1.0, "first": 2.0, "second": 0.5})
    path = regularization_path(clf, X, y, lambdas=LAMBDAS, sample_weight=weights)
    held_out = held_out_part(clf, y)
    of_class = weights * pd.Series(y).map(clf.class_weight).to_numpy()
    right = of_class[held_out]
    for point, fitted in zip(path.points, path, strict=True):
        assert list(fitted.classes_) == ["first", "none", "second"]
        assert fitted.coef_.shape == (3, point.n_wfsas)
        p = fitted.score(X[held_out], y[held_out], right)
        assert point.validation_score == pytest.approx(p, rel=1e-6)
        error = np.sqrt(p * (1 - p) * (right**2).sum()) / right.sum()
        assert point.validation_error == pytest.approx(error, rel=1e-5)


def test_samples_of_no_weight_are_left_out(data, assert_same_paths):
    weights = np.ones(len(data.y))
    weights[::3] = 0
    kept = np.flatnonzero(weights)
    assert_same_paths(
        follow(data, sample_weight=weights),
        regularization_path(quick(), data.X[kept], data.y[kept], lambdas=LAMBDAS),
    )


def test_validation_data_may_be_given_and_stop_the_finetuning(data):
    X, y = data.X, data.y
    path = regularization_path(
        quick(early_stopping=True, n_iter_no_change=2, learning_rate=0.2),
        X[:150],
        y[:150],
        lambdas=[1e-3, 1e-2],
        X_val=X[150:],
        y_val=y[150:],
        finetune_epochs=30,
    )
    for point, clf in zip(path.points, path, strict=True):
        rows = [row for row in clf.history_ if row["phase"] == "finetune"]
        best = min(rows, key=lambda row: row["validation_loss"])
        assert len(rows) == best["epoch"] + 1 + 2 < 30
        assert point.validation_score == pytest.approx(clf.score(X[150:], y[150:]))
        assert point.validation_score == pytest.approx(best["validation_score"])
        assert np.isnan(point.test_score)


def test_data_frames_name_the_features_of_the_points():
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.standard_normal((90, 3)), columns=["a", "b", "c"])
    y = X["a"] > 0
    path = regularization_path(quick(), X, y, lambdas=[0.0, 1e-3], X_val=X, y_val=y)
    for point, clf in zip(path.points, path, strict=True):
        assert list(clf.feature_names_in_) == ["a", "b", "c"]
        assert clf.score(X, y) == pytest.approx(point.validation_score)
        with pytest.raises(ValueError, match="feature names"):
            clf.predict(X[["c", "b", "a"]])


def test_every_way_of_packing_gives_the_same_bits(data, path, assert_same_paths):
    X = data.X
    for form in (
        X.to_list(),
        SequenceArray(X.features[X.indices], X.offsets),
        SequenceArray(X.features[::-1], X.offsets, len(X.features) - 1 - X.indices),
    ):
        again = regularization_path(
            quick(), form, data.y, lambdas=LAMBDAS, X_test=form[:80], y_test=data.y[:80]
        )
        assert_same_paths(again, path)


@pytest.mark.usefixtures("untouched_generators")
def test_threads_and_global_seeds_do_not_matter(data, assert_same_paths):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        expected = [follow(data, quick(random_state=seed)) for seed in (0, 1)]
        torch.set_num_threads(2)
        assert_same_paths(follow(data), expected[0])
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    # Two paths at once in the threads of a process.
    paths = joblib.Parallel(2, backend="threading")(
        joblib.delayed(follow)(data, quick(random_state=seed)) for seed in (0, 1)
    )
    for one, alone in zip(paths, expected, strict=True):
        assert_same_paths(one, alone)
    follow(data, quick(random_state=None))


def test_the_estimator_is_left_as_it_was(data):
    generator = np.random.RandomState(0)
    state = generator.get_state()
    clf = quick(random_state=generator, warm_start=True).fit(data.X, data.y)
    generator.set_state(state)
    before = dict(vars(clf))
    path = follow(data, clf, lambdas=LAMBDAS[:2])
    assert vars(clf) == before
    np.testing.assert_equal(generator.get_state(), state)
    assert not any(point.warm_start for point in path)
    again = follow(data, clone(clf), lambdas=LAMBDAS[:2])
    np.testing.assert_equal(path[1].weights_, again[1].weights_)


def test_a_path_survives_pickling(path, data, tmp_path, assert_same_paths):
    assert_same_paths(pickle.loads(pickle.dumps(path)), path)
    joblib.dump(path, tmp_path / "path")
    again = joblib.load(tmp_path / "path")
    assert repr(again) == repr(path)
    for a, b in zip(again, path, strict=True):
        np.testing.assert_array_equal(a.predict_proba(data.X), b.predict_proba(data.X))


def test_only_what_was_left_is_kept_in_memory():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((60, 2000)).astype(np.float32) / 40
    y = X[:, 0] > 0
    path = regularization_path(quick(n_wfsas=8), X, y, n_lambdas=8, X_val=X, y_val=y)
    kept = sum(4 * point.n_parameters for point in path.points)
    history = len(pickle.dumps([clf.history_ for clf in path]))
    dense = 4 * path.points[0].structure.n_parameters_initial
    assert len(pickle.dumps(path)) < kept + history + 2000 * len(path)
    assert kept < 0.6 * dense * len(path)
    for fitted in path._fitted:
        for array in (fitted["coef_"], *fitted["weights_"].values()):
            assert array.base is None


class Recorder:
    """A callback that notes the tasks, and may interrupt at one of them."""

    def __init__(self, interrupt_at=None):
        self.begun, self.ended, self.interrupt_at = [], [], interrupt_at

    def setup(self, estimator, context):
        self.n_phases = context.max_subtasks

    def teardown(self, estimator, context):
        self.torn_down = True

    def on_fit_task_begin(self, estimator, context, *, metadata):
        self.begun.append(context.task_name)
        self.metadata = metadata

    def on_fit_task_end(self, estimator, context):
        self.ended.append(context.task_name)
        if len(self.ended) == self.interrupt_at:
            raise KeyboardInterrupt


def test_callbacks_see_the_phases_and_stay_with_the_estimator(data):
    recorder, weights = Recorder(), np.ones(len(data.y))
    clf = quick().set_callbacks(recorder)
    path = follow(data, clf, sample_weight=weights, lambdas=LAMBDAS[:3])
    phases = ["warmup"] + 3 * ["regularize", "finetune"]
    assert [name for name in recorder.begun if name != "epoch"] == ["fit", *phases]
    assert recorder.n_phases == len(phases)
    assert recorder.ended.count("epoch") == 2 + 3 * (2 + 1)
    assert sorted(recorder.begun) == sorted(recorder.ended)
    assert recorder.metadata["sample_weight"] is weights
    assert recorder.torn_down
    assert clf._skl_callbacks == [recorder]
    assert not any("callback" in name for name in vars(path[0]))
    assert b"Recorder" not in pickle.dumps(path)


def test_callbacks_are_torn_down_after_an_interrupt(data):
    recorder = Recorder(interrupt_at=7)
    clf = quick().set_callbacks(recorder)
    with pytest.raises(KeyboardInterrupt):
        follow(data, clf)
    assert recorder.torn_down
    assert vars(clf) == vars(quick()) | {"_skl_callbacks": [recorder]}


def test_a_progress_bar_follows_the_path(data, capsys):
    pytest.importorskip("rich", reason="needs the extra [progress]")
    clf = quick().set_callbacks(ProgressBar())
    follow(data, clf)
    # The second ends early, without states.
    follow(data, clf, lambdas=[1e-3, 100, 200])
    printed = capsys.readouterr().out
    for phase in ("warmup", "regularize", "finetune"):
        assert phase in printed


def test_it_ends_at_the_first_point_without_states(data):
    path = follow(data, lambdas=[1e-3, 100.0, 200.0])
    assert [point.lambda_ for point in path.points] == [1e-3, 100.0]
    empty = path[-1]
    assert path.points[-1].n_transitions == empty.n_transitions_ == 0
    training = np.delete(data.y, held_out_part(quick(), data.y))
    np.testing.assert_allclose(
        empty.predict_proba(data.X[:1])[0], np.bincount(training) / len(training), 1e-6
    )
    assert path.points[-1].validation_score == 0.5
    assert [row["phase"] for row in empty.history_].count("regularize") < 4


def empty_gradient(clf, readout, match, X, y, prior, A, rho):
    """From the equations: with all weights 0 a self-loop weighs 1/2."""
    total = np.zeros((A.shape[1], X.n_features))
    for document, label in zip(X, y, strict=True):
        n = len(document)
        after = np.arange(n)[::-1]  # tokens that follow
        if match == "end":
            weights = 0.5 ** (after + 1)
        else:
            weights = (1 - 0.5 ** (after + 1)) / n**0.5
        of_score = weights @ document.astype(np.float64)
        target = np.eye(len(prior))[label]
        slope = A.T @ (prior - target)[-len(A) :]
        total += slope[:, None] * of_score / len(y)
    if readout == "rho":
        total /= 1 + np.exp(-rho[:, :1])
    if readout == "rho_softmax":
        total *= softmax(rho, axis=1)[:, :1]
    return np.linalg.norm(total, axis=1).max()


@pytest.mark.parametrize("match", ["anywhere", "end"])
@pytest.mark.parametrize("readout", ["sum", "last", "rho", "rho_softmax"])
def test_the_gradient_when_empty_is_that_of_the_equations(
    three_classes, readout, match
):
    for data in (three_classes, make_planted_patterns(70, random_state=1)):
        clf = quick(dtype="float64", readout=readout, match=match)
        run = PathRun(
            clf, clf._read_fit(data.X, data.y, None), 0, PathEpochs(1, 1, 1, 1)
        )
        run.fit.begin(None, {})
        run.warm_up()
        before = run.fit.cell.to_arrays()
        rho = before.get("rho", np.zeros(12)).reshape(4, 3)
        prior = np.bincount(data.y) / len(data.y)
        expected = empty_gradient(
            clf, readout, match, data.X, data.y, prior, before["A"], rho
        )
        assert gradient_when_empty(run.fit) == pytest.approx(expected, rel=1e-9)
        assert expected > 1e-4
        np.testing.assert_equal(run.fit.cell.to_arrays(), before)
        assert run.fit.cell.rule.readout == readout


@pytest.mark.parametrize("readout", ["sum", "last", "rho"])
def test_default_lambdas_reach_from_dense_to_empty(data, readout):
    clf = quick(readout=readout, n_wfsas=6, warmup_epochs=5, word_dropout=0.1)
    path = follow(data, clf, lambdas=None, n_lambdas=20, epochs_per_lambda=6)
    dense = path.points[0].structure.size_initial
    assert path.points[0].size >= 0.95 * dense
    assert path.points[-1].size == 0


def test_data_without_signal_have_default_lambdas_too():
    X, y = np.zeros((40, 3)), np.arange(40) % 2
    path = regularization_path(quick(), X, y, n_lambdas=3)
    assert all(0 < point.lambda_ for point in path.points)


def test_strengths_rise_from_the_first_one_to_one_that_empties():
    np.testing.assert_allclose(usual_lambdas(2.0, 2), [0.04, 20])
    assert lambdas_to_empty(1.0, 0.02, 1) == [0.02]
    assert lambdas_to_empty(1.0, 0.01, 2) == [0.01, 1000]
    for first in (0.02, 0.001):
        for n in range(3, 30):
            lambdas = lambdas_to_empty(1.0, first, n)
            assert len(lambdas) == n
            assert lambdas[0] == pytest.approx(first)
            assert lambdas[-2] == pytest.approx(10)
            assert (np.diff(lambdas) > 0).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lambdas": []}, "at least one number"),
        ({"lambdas": 0.1}, "sequence of at least one"),
        ({"lambdas": [[0.1]]}, "sequence of at least one"),
        ({"lambdas": [0.1, 0.01]}, "must rise"),
        ({"lambdas": [0.1, 0.1]}, "none of them twice"),
        ({"lambdas": [-0.1, 0.1]}, "at least 0"),
        ({"lambdas": [0.1, np.nan]}, "finite"),
        ({"lambdas": [0.1, np.inf]}, "finite"),
        ({"lambdas": "many"}, "sequence of numbers"),
        ({"lambdas": {0.1, 0.2}}, "sequence of numbers"),
        ({"n_lambdas": 0}, "n_lambdas is 0; expected an integer from 1 upwards"),
        ({"n_lambdas": 2.5}, "n_lambdas"),
        ({"epochs_per_lambda": 0}, "epochs_per_lambda"),
        ({"finetune_epochs": -1}, "finetune_epochs"),
        ({"finetune_epochs": True}, "finetune_epochs"),
        ({"y": np.zeros(200)}, "one class"),
        ({"sample_weight": -np.ones(200)}, "[Nn]egative"),
        ({"X_val": [[1.0]]}, "X_val and y_val go together"),
        ({"y_test": [1]}, "X_test and y_test go together"),
        ({"X_test": [np.ones((2, 7))], "y_test": [1]}, "7.* features.*expected"),
        ({"X_val": [np.ones((2, 50))], "y_val": [5]}, "y_val holds labels"),
    ],
    ids=str,
)
def test_bad_input_is_named_before_training(data, monkeypatch, options, message):
    monkeypatch.setattr(PathRun, "warm_up", None)
    options = {"X": data.X, "y": data.y} | options
    with pytest.raises(ValueError, match=message):
        regularization_path(quick(), **options)


def test_too_few_samples_to_hold_some_out(data):
    with pytest.raises(ValueError, match=r"X holds 4 .*give X_val and y_val"):
        regularization_path(quick(), data.X[:4], [0, 1, 0, 1])
    path = regularization_path(
        quick(), data.X[:4], [0, 1, 0, 1], X_val=data.X, y_val=data.y, lambdas=[0]
    )
    assert len(path) == 1


@pytest.mark.parametrize("estimator", [LogisticRegression(), "clf", None])
def test_other_estimators_are_refused(data, estimator):
    with pytest.raises(
        TypeError, match="SparseRationalClassifier, or a SparseRationalRegressor; got"
    ):
        regularization_path(estimator, data.X, data.y)


def test_a_bad_parameter_of_the_estimator_is_named(data):
    with pytest.raises(ValueError, match="n_wfsas"):
        follow(data, quick(n_wfsas=0))
    with (
        pytest.raises(ValueError, match=r"diverged.*learning_rate"),
        np.errstate(all="ignore"),
    ):
        follow(data, quick(learning_rate=1e30))


def test_an_emptied_point_does_not_warn(data, recwarn):
    follow(data, lambdas=[100.0])
    assert not [w for w in recwarn if issubclass(w.category, ConvergenceWarning)]


def test_small_networks_are_finetuned_longer_by_default():
    clf = SparseRationalClassifier(n_wfsas=10, n_states=2, finetune_epochs=20)
    epochs = PathEpochs.of(clf)
    assert [epochs.of_point(n, 20) for n in (0, 1, 2, 4, 10, 20)] == [
        10,
        10,
        10,
        5,
        2,
        2,
    ]
    assert PathEpochs.of(clf, 3, 0).of_point(1, 20) == 0
    data = make_planted_patterns(60, random_state=1)
    X, y = data.X, data.y
    path = regularization_path(
        clf.set_params(warmup_epochs=1, max_epochs=10, random_state=0),
        X,
        y,
        lambdas=[0.0, 1e-2, 3e-2, 1e-1],
        X_val=X,
        y_val=y,
    )
    for point, fitted in zip(path.points, path, strict=True):
        rows = [row for row in fitted.history_ if row["phase"] == "finetune"]
        expected = (
            epochs.of_point(point.n_transitions, 20) if point.n_transitions else 0
        )
        assert len(rows) == expected
