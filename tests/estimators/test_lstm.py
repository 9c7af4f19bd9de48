"""The sparse LSTM keeps the contract of the first estimator."""

import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrational import SequenceArray, SparseLSTMClassifier, TimeStepTransformer
from skrational.estimators._gated import check_ratios
from skrational.structures import RationalStructure
from skrational.structures.gated import LSTMStructure

KINDS = ("weights", "gates", "neurons", "inputs")


def quick(**params):
    defaults = {
        "n_units": 5,
        "lambda_": 1e-2,
        "learning_rate": 0.03,
        "batch_size": 32,
        "min_steps_per_epoch": 1,
        "warmup_epochs": 1,
        "max_epochs": 4,
        "finetune_epochs": 2,
        "random_state": 0,
    }
    return SparseLSTMClassifier(**(defaults | params))


def draw_sums(n, seed, n_features=4, sizes=(4, 12)):
    """Sequences of noise; the label is the sign of the sum of feature 0."""
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(rng.integers(*sizes, size=n))])
    rows = rng.normal(size=(offsets[-1], n_features)).astype(np.float32)
    sums = np.add.reduceat(rows[:, 0], offsets[:-1])
    return SequenceArray(rows, offsets), (sums > 0).astype(int)


@pytest.fixture(scope="module")
def data():
    return draw_sums(160, seed=0)


@pytest.fixture(scope="module")
def fitted(data):
    return quick().fit(*data)


def state_of(clf):
    return [clf.coef_, clf.intercept_, *clf.weights_.values()]


def assert_same_fit(a, b):
    assert a.learned_structure_ == b.learned_structure_
    for left, right in zip(state_of(a), state_of(b), strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("seed", range(3))
def test_a_running_sum_is_learned_by_two_units_with_constant_output_gates(seed):
    X, y = draw_sums(400, seed=10 + seed, n_features=5, sizes=(5, 21))
    clf = SparseLSTMClassifier(
        n_units=6,
        lambda_=0.06,
        sparsify=KINDS,
        readout="last",
        learning_rate=0.02,
        batch_size=32,
        min_steps_per_epoch=1,
        warmup_epochs=5,
        max_epochs=20,
        dropout=0.0,
        random_state=seed,
    ).fit(X, y)
    structure = clf.learned_structure_
    assert 0 < structure.n_units <= 2
    assert structure.gates_by_kind()["o"] == 0
    assert 0 in structure.inputs
    fresh = draw_sums(1000, seed=99, n_features=5, sizes=(5, 21))
    assert clf.score(*fresh) > 0.94


def test_fitted_attributes_agree_with_the_structure(data, fitted):
    structure = fitted.learned_structure_
    assert type(structure) is LSTMStructure
    assert 0 < structure.n_gates < 20
    n_units, n_inputs = structure.n_units, len(structure.inputs)
    assert fitted.weights_["W_ih"].shape == (structure.n_gates, n_inputs)
    assert fitted.weights_["W_hh"].shape == (structure.n_gates, n_units)
    assert fitted.weights_["b"].shape == (4, n_units)
    assert fitted.coef_.shape == (1, n_units)
    weights = [fitted.coef_, fitted.weights_["W_ih"], fitted.weights_["W_hh"]]
    assert sum(map(np.count_nonzero, weights)) == structure.n_weights
    assert all(type(array) is np.ndarray for array in state_of(fitted))
    assert fitted.n_gates_ == fitted.size_ == structure.n_gates
    assert fitted.n_units_ == n_units
    assert structure.itemsize == 4
    n_listed = 4 * n_units + 4 * n_inputs
    assert structure.n_bytes == sum(a.nbytes for a in state_of(fitted)) + n_listed


def test_an_unfitted_estimator_has_no_size():
    for name in ("n_gates_", "n_units_"):
        assert not hasattr(SparseLSTMClassifier(), name)
        with pytest.raises(NotFittedError):
            getattr(SparseLSTMClassifier(), name)
    with pytest.raises(NotFittedError):
        SparseLSTMClassifier().predict(np.zeros((1, 2)))


def test_history_has_a_row_for_each_epoch_of_all_phases(fitted):
    phases = [row["phase"] for row in fitted.history_]
    assert phases == ["warmup"] + ["regularize"] * 4 + ["finetune"] * 2
    columns = {
        "phase",
        "epoch",
        "loss",
        "penalty",
        "validation_loss",
        "validation_score",
        "n_gates",
        "learning_rate",
        "seconds",
    }
    assert all(set(row) == columns for row in fitted.history_)
    assert fitted.history_[-1]["n_gates"] == fitted.learned_structure_.n_gates


def test_fit_gives_the_same_bits_for_every_form_of_input(data, fitted):
    X, y = data
    padded = np.full((len(X), X.lengths.max(), X.n_features), np.nan, np.float32)
    for row, sequence in zip(padded, X, strict=True):
        row[: len(sequence)] = sequence
    for form in (X.to_list(), padded, SequenceArray.concatenate([X, X])[: len(X)]):
        clf = quick().fit(form, y)
        assert_same_fit(clf, fitted)
        np.testing.assert_array_equal(clf.predict_proba(form), fitted.predict_proba(X))


@pytest.mark.usefixtures("untouched_generators")
def test_global_generators_are_left_untouched(data):
    for random_state in (0, None):
        quick(random_state=random_state, word_dropout=0.1).fit(*data)


def test_results_do_not_depend_on_the_number_of_threads(data, fitted):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert_same_fit(quick().fit(*data), fitted)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_labels_may_be_strings_booleans_or_several_classes(data):
    X, y = data
    names = np.array(["none", "first", "second"])[y + (np.arange(len(y)) % 3 == 0)]
    clf = quick(lambda_=1e-3).fit(X, names)
    assert list(clf.classes_) == ["first", "none", "second"]
    assert clf.coef_.shape[0] == clf.intercept_.shape[0] == 3
    probabilities = clf.predict_proba(X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    logits = clf.decision_function(X)
    assert logits.shape == (len(X), 3)
    np.testing.assert_array_equal(clf.predict(X), clf.classes_[logits.argmax(axis=1)])
    assert quick().fit(X, y > 0).predict(X).dtype == bool


def test_weight_zero_means_left_out_and_class_weight_multiplies(data):
    X, y = data
    full = {"batch_size": None, "dropout": 0.0}
    weights = np.ones(len(y))
    weights[::3] = 0
    kept = np.flatnonzero(weights)
    assert_same_fit(
        quick(**full).fit(X, y, weights), quick(**full).fit(X[kept], y[kept])
    )
    assert_same_fit(
        quick(**full).fit(X, y, np.where(y == 1, 2.0, 1.0)),
        quick(**full, class_weight={0: 1, 1: 2}).fit(X, y),
    )


def test_lambda_zero_keeps_every_weight(data):
    structure = quick(lambda_=0).fit(*data).learned_structure_
    assert structure.n_gates == structure.n_gates_initial == 20
    assert structure.n_weights == structure.n_weights_initial


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_lambda_that_empties_the_model_gives_the_majority_class(data, n_classes):
    X, _ = data
    y = np.arange(len(X)) % (n_classes + 1) % n_classes
    with pytest.warns(ConvergenceWarning, match=r"lambda_=100 removed every unit"):
        clf = quick(lambda_=100, max_epochs=9).fit(X, y)
    assert clf.learned_structure_.is_empty
    assert clf.n_iter_ < 1 + 9
    assert (clf.predict(X) == 0).all()
    np.testing.assert_allclose(
        clf.predict_proba(X[:1])[0], np.bincount(y) / len(y), rtol=1e-5
    )
    assert clf.transform(X).shape == (len(X), 0)
    assert clf.get_feature_names_out().shape == (0,)


@pytest.mark.parametrize("readout", ["last", "anywhere"])
def test_if_every_gate_is_constant_predictions_depend_on_the_length_alone(
    data, readout
):
    X, y = data
    clf = quick(sparsify="gates", lambda_=100, readout=readout)
    with pytest.warns(ConvergenceWarning, match="every feature.* length"):
        clf.fit(X, y)
    structure = clf.learned_structure_
    assert structure.n_gates == 0
    assert structure.n_units == 5
    other = SequenceArray(X.features[::-1], X.offsets)
    logits = clf.decision_function(X)
    np.testing.assert_array_equal(clf.decision_function(other), logits)
    for length in np.unique(X.lengths):
        assert len(np.unique(logits[X.lengths == length])) == 1
    assert len(np.unique(logits)) == len(np.unique(X.lengths))


@pytest.mark.parametrize(
    "params",
    [
        {"sparsify": ("weights",), "lambda_": 0.1},
        {"sparsify": ["weights", "neurons"]},
        {"sparsify": KINDS, "lambda_ratios": (0.1, 1, 1, 2)},
        {"sparsify": "neurons", "lambda_ratios": [2]},
        {"sparsify": np.array(["gates", "weights"]), "lambda_ratios": np.ones(2)},
        {"sparsify": ("gates", "weights"), "lambda_ratios": {"weights": 0, "gates": 3}},
        {"readout": "last"},
        {"length_exponent": 1},
        {"length_exponent": np.float32(0)},
        {"n_units": np.int64(1), "lambda_": 0},
        {"n_units": True, "lambda_": 0},
        {"dtype": "float64"},
        {"solver": "subgradient", "sparsify": "gates"},
        {"solver": "subgradient", "threshold": 0.05, "sparsify": KINDS},
        {"finetune_schedule": "plateau", "weight_decay": 1e-5},
        {"max_grad_norm": None, "finetune_epochs": 0, "warmup_epochs": 0},
        {"word_dropout": 0.1, "feature_dropout": 0.1, "ramp_epochs": 3},
        {"early_stopping": True, "n_iter_no_change": 1},
        {"lambda_": None},
    ],
    ids=str,
)
def test_every_option_fits_predicts_and_survives_pickling(data, params):
    X, y = data
    clf = quick(**params).fit(X, y)
    again = pickle.loads(pickle.dumps(clf))
    expected = clf.predict_proba(X)
    np.testing.assert_array_equal(again.predict_proba(X), expected)
    assert expected.dtype == np.dtype(params.get("dtype", "float32"))
    assert again.learned_structure_ == clf.learned_structure_
    scores = clf.transform(X)
    np.testing.assert_allclose(
        scores @ clf.coef_[0] + clf.intercept_, clf.decision_function(X), atol=1e-5
    )


def test_the_kinds_that_are_charged_are_those_that_go(data):
    X, y = data
    params = {"lambda_": 0.1, "max_epochs": 6}
    weights, gates, neurons, inputs = (
        quick(**params, sparsify=kind).fit(X, y).learned_structure_ for kind in KINDS
    )
    n_room = 5 + weights.n_gates * (weights.n_units + len(weights.inputs))
    assert weights.n_weights < n_room
    assert gates.n_gates < 4 * gates.n_units == 20
    assert neurons.n_gates == 4 * neurons.n_units < 20
    assert len(inputs.inputs) < 4
    for structure in (gates, neurons, inputs):
        assert len(structure.inputs) == 4 or structure is inputs
        assert structure.n_weights == structure.n_units + structure.n_gates * (
            structure.n_units + len(structure.inputs)
        )


def test_the_subgradient_solver_prunes_at_its_threshold(data):
    params = {"solver": "subgradient", "sparsify": ("gates", "neurons")}
    none, some, all_ = (
        quick(**params, threshold=t).fit(*data).n_gates_ if t < 9 else 0
        for t in (0.0, 0.5, 9)
    )
    assert none == 20 > some > all_


def test_single_weights_that_went_stay_zero_in_finetuning(data):
    params = {"sparsify": "weights", "lambda_": 0.1, "max_epochs": 6}
    before, after = (quick(**params, finetune_epochs=n).fit(*data) for n in (0, 3))
    assert before.learned_structure_.n_weights == after.learned_structure_.n_weights
    for name in ("W_ih", "W_hh"):
        weights, trained = before.weights_[name], after.weights_[name]
        assert 0 < np.count_nonzero(weights == 0) < weights.size
        np.testing.assert_array_equal(trained == 0, weights == 0)
        assert (trained != weights)[weights != 0].any()


def test_warm_start_prunes_within_the_structure_it_has(data):
    X, y = data
    clf = quick(warm_start=True, lambda_=3e-3).fit(X, y)
    first = clf.learned_structure_
    clf.set_params(lambda_=3e-2).fit(X, y)
    second = clf.learned_structure_
    assert second.n_gates < first.n_gates
    assert set(second.units) <= set(first.units)
    assert second.n_gates_initial == 20
    with pytest.raises(ValueError, match="warm_start"):
        clf.fit(X, y + 5)
    assert clf.learned_structure_ is second


def test_a_warm_start_with_nothing_is_told_apart_from_a_strong_penalty(data):
    clf = quick(warm_start=True, lambda_=100, max_epochs=9)
    with pytest.warns(ConvergenceWarning, match=r"lambda_=100 removed every unit"):
        clf.fit(*data)
    with pytest.warns(ConvergenceWarning, match=r"fit before .*Set warm_start=False"):
        clf.set_params(lambda_=0).fit(*data)


def test_validation_data_can_be_given(data):
    X, y = data
    val = draw_sums(60, seed=1)
    clf = quick(early_stopping=True).fit(X, y, X_val=val[0], y_val=val[1])
    finetuning = [row for row in clf.history_ if row["phase"] == "finetune"]
    best = min(finetuning, key=lambda row: row["validation_loss"])
    assert clf.score(*val) == pytest.approx(best["validation_score"])
    with pytest.raises(ValueError, match="early_stopping"):
        quick().fit(X, y, X_val=val[0], y_val=val[1])


def test_another_process_predicts_the_same_bits(data, fitted, tmp_path):
    joblib.dump((fitted, data[0]), tmp_path / "clf.joblib")
    script = (
        "import joblib, numpy as np, sys; d = sys.argv[1]; "
        "clf, X = joblib.load(d + '/clf.joblib'); "
        "np.save(d + '/p.npy', clf.predict_proba(X))"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    np.testing.assert_array_equal(
        np.load(tmp_path / "p.npy"), fitted.predict_proba(data[0])
    )


def test_skops_loads_what_it_dumped(data, fitted):
    sio = pytest.importorskip("skops.io", reason="needs the extra [safe]")
    text = sio.dumps(fitted)
    trusted = sio.get_untrusted_types(data=text)
    assert all(name.startswith("skrational.") for name in trusted)
    again = sio.loads(text, trusted=trusted)
    np.testing.assert_array_equal(
        again.predict_proba(data[0]), fitted.predict_proba(data[0])
    )


def test_a_model_of_a_missing_device_predicts_on_the_cpu(data, fitted):
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    elsewhere = clone(fitted)
    elsewhere.__dict__.update(fitted.__dict__, device="cuda")
    np.testing.assert_array_equal(elsewhere.predict(data[0]), fitted.predict(data[0]))


def test_scores_name_their_columns_and_may_be_a_frame(data, fitted):
    pytest.importorskip("pandas")
    X, _ = data
    names = [f"sparselstmclassifier{i}" for i in range(fitted.n_units_)]
    assert list(fitted.get_feature_names_out()) == names
    framed = pickle.loads(pickle.dumps(fitted)).set_output(transform="pandas")
    frame = framed.transform(X)
    assert list(frame.columns) == names
    np.testing.assert_array_equal(frame.to_numpy(), fitted.transform(X))


def test_empty_sequences_score_zero(data, fitted):
    X, _ = data
    empty = SequenceArray(X.features, [0, 0], [])
    np.testing.assert_array_equal(fitted.transform(empty), 0)
    assert fitted.predict([np.empty((0, X.n_features)), X[0]]).shape == (2,)


def test_the_estimator_is_shown_by_its_parameters(fitted):
    expected = "SparseLSTMClassifier(lambda_=0.1, n_units=8, sparsify=('gates',))"
    clf = SparseLSTMClassifier(n_units=8, lambda_=0.1, sparsify=("gates",))
    assert repr(clf) == expected
    assert "SparseLSTMClassifier" in fitted._repr_html_()
    assert clone(fitted).get_params() == fitted.get_params()
    assert not hasattr(clone(fitted), "classes_")


def test_a_pipeline_is_searched_for_lambda(data):
    X, y = data
    pipeline = make_pipeline(
        TimeStepTransformer(StandardScaler()), quick(max_epochs=2, finetune_epochs=1)
    )
    grid = {"sparselstmclassifier__lambda_": [1e-3, 1e-1]}
    search = GridSearchCV(pipeline, grid, cv=2, error_score="raise").fit(X, y)
    assert search.best_params_["sparselstmclassifier__lambda_"] == 1e-3
    assert search.predict(X.to_list()).shape == y.shape


def test_callbacks_follow_a_fit(data, capsys):
    monitor = ScoringMonitor(scoring="accuracy")
    clf = quick().set_callbacks(monitor, ProgressBar(max_propagation_depth=None))
    clf.fit(*data)
    rows = monitor.get_logs().data
    assert sum(row["task_name"] == "epoch" for row in rows) == clf.n_iter_
    assert rows[-1]["accuracy"] == clf.score(*data)
    printed = capsys.readouterr().out
    assert "regularize" in printed
    assert "finetune" in printed


def test_an_interrupted_fit_leaves_the_estimator_as_it_was(data, monkeypatch):
    X, y = data
    clf = quick().fit(X, y)
    before = dict(vars(clf))

    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("skrational.training.loop.PhaseRun.run_epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        clf.set_params(lambda_=0.5).fit(X[:50], y[:50])
    assert vars(clf) == before | {"lambda_": 0.5}


NAMED = r"sparsify must name some of \('weights', 'gates', 'neurons', 'inputs'\)"
BAD_PARAMETERS = {
    "n_units=0": ({"n_units": 0}, "n_units.*Got 0"),
    "n_units=2.5": ({"n_units": 2.5}, "n_units.*Got 2.5"),
    "n_units='64'": ({"n_units": "64"}, "n_units.*Got '64'"),
    "huge": ({"n_units": 10**9}, "n_units.*Got 1000000000"),
    "lambda_ < 0": ({"lambda_": -1}, "lambda_.*Got -1"),
    "lambda_ NaN": ({"lambda_": np.nan}, "lambda_.*Got nan"),
    "unknown kind": ({"sparsify": ("weights", "layers")}, f"{NAMED}.*got .*layers"),
    "unknown string": ({"sparsify": "units"}, f"{NAMED}.*got 'units'"),
    "no kind": ({"sparsify": ()}, f"{NAMED}.*got \\(\\)"),
    "a kind twice": ({"sparsify": ("gates", "gates")}, f"{NAMED}, each once; got"),
    "nested": ({"sparsify": [["gates"], "weights"]}, f"{NAMED}.*got"),
    "no name": ({"sparsify": (1,)}, f"{NAMED}.*got"),
    "sparsify=None": ({"sparsify": None}, "sparsify.*Got None"),
    "too few": ({"lambda_ratios": (1, 1)}, r"lambda_ratios .*got \(1, 1\)"),
    "negative": ({"lambda_ratios": (1, -1, 1)}, r"lambda_ratios .*got \(1, -1, 1\)"),
    "NaN": ({"lambda_ratios": (1, np.nan, 1)}, r"lambda_ratios .*got \(1, nan, 1\)"),
    "infinite": ({"lambda_ratios": np.full(3, np.inf)}, "lambda_ratios .*got array"),
    "all zero": ({"lambda_ratios": (0, 0, 0)}, "lambda_ratios .*not all of them 0"),
    "strings": ({"lambda_ratios": "abc"}, "lambda_ratios"),
    "no numbers": ({"lambda_ratios": ("1", "1", "1")}, "lambda_ratios .*got"),
    "a number": ({"lambda_ratios": 0.5}, "lambda_ratios"),
    "0-D": ({"lambda_ratios": np.array(0.5)}, "lambda_ratios"),
    "2-D": ({"lambda_ratios": np.ones((3, 3))}, "lambda_ratios .*got"),
    "other keys": ({"lambda_ratios": {"gates": 1}}, "lambda_ratios .*keys of sparsify"),
    "readout": ({"readout": "first"}, "readout.*Got 'first'"),
    "exponent": ({"length_exponent": -1}, "length_exponent.*Got -1"),
    "framework": ({"framework": "lasso"}, "framework.*Got 'lasso'"),
    "solver": ({"solver": "sgd"}, "solver.*Got 'sgd'"),
    "device": ({"device": "abacus"}, "device='abacus'"),
}


@pytest.mark.parametrize("name", BAD_PARAMETERS)
def test_a_bad_parameter_is_named_and_leaves_the_fit_as_it_was(data, fitted, name):
    params, message = BAD_PARAMETERS[name]
    clf = pickle.loads(pickle.dumps(fitted))
    before = dict(vars(clf))
    with pytest.raises(ValueError, match=message):
        clf.set_params(**params).fit(*data)
    after = dict(vars(clf)) | {name: before[name] for name in params}
    assert after.keys() == before.keys()
    assert all(after[key] is before[key] for key in before)


@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        (["a text", "another"], [0, 1], TypeError, "WordVectorizer"),
        (sparse.eye_array(4).tocsr(), [0, 1, 0, 1], TypeError, "sparse"),
        (np.full((9, 2), np.nan), np.arange(9) % 2, ValueError, "NaN"),
        (np.zeros((4, 3)), [0, 0, 0, 0], ValueError, "one class"),
        (np.zeros((4, 3)), [0, 1, 0], ValueError, "inconsistent"),
        ([np.empty((0, 3))] * 2, [0, 1], ValueError, "token"),
    ],
    ids=["texts", "sparse", "NaN", "one class", "short y", "no tokens"],
)
def test_bad_data_get_a_clear_error(X, y, error, message):
    with pytest.raises(error, match=message):
        quick().fit(X, y)


def test_ratios_are_ordered_by_the_size_of_the_groups():
    assert check_ratios(("neurons", "weights"), None) == {"weights": 0.02, "neurons": 1}
    ratios = check_ratios(("neurons", "gates", "weights"), (3, 0, 1))
    assert list(ratios.items()) == [("weights", 1.0), ("neurons", 3.0)]


def test_a_structure_of_another_type_is_refused(fitted):
    other = RationalStructure((2,), (2,), n_features=3, n_outputs=1).to_json()
    with pytest.raises(ValueError, match=r"RationalStructure.*LSTMStructure"):
        LSTMStructure.from_json(other)
    with pytest.raises(ValueError, match=r"LSTMStructure.*RationalStructure"):
        RationalStructure.from_json(fitted.learned_structure_.to_json())


def test_raw_validation_texts_name_the_step_of_the_pipeline(data):
    with pytest.raises(TypeError, match=r"y, sparselstmclassifier__X_val=vectorizer"):
        quick(early_stopping=True).fit(*data, X_val=["a text"], y_val=[1])
