"""The estimator's contract, beyond what scikit-learn's own checks test."""

import logging
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
import torch
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.validation import check_is_fitted

from skrational import SequenceArray, SparseRationalClassifier
from skrational.datasets import make_planted_patterns
from skrational.structures import RationalStructure
from skrational.structures.rational import spread_lengths
from skrational.training.recipe import optimization


def quick(**params):
    defaults = {
        "n_wfsas": 6,
        "n_states": 3,
        "min_steps_per_epoch": 1,
        "warmup_epochs": 1,
        "max_epochs": 4,
        "finetune_epochs": 3,
        "random_state": 0,
    }
    return SparseRationalClassifier(**(defaults | params))


@pytest.fixture(scope="module")
def data():
    return make_planted_patterns(300, random_state=0)


@pytest.fixture(scope="module")
def fitted(data):
    return quick().fit(data.X, data.y)


def state_of(clf):
    return [clf.coef_, clf.intercept_, *clf.weights_.values()]


def assert_same_fit(a, b):
    assert a.learned_structure_ == b.learned_structure_
    for left, right in zip(state_of(a), state_of(b), strict=True):
        np.testing.assert_array_equal(left, right)


def test_fitted_attributes_agree_with_the_structure(data, fitted):
    structure = fitted.learned_structure_
    n_states, width = structure.n_transitions, data.X.n_features
    assert fitted.weights_["W_u"].shape == (n_states, width)
    assert fitted.weights_["W_f"].shape == (n_states, width)
    assert fitted.weights_["b_f"].shape == (n_states,)
    assert fitted.coef_.shape == (1, structure.n_wfsas)
    sizes = [array.size for array in state_of(fitted)]
    assert sum(sizes) == structure.n_parameters
    assert structure.initial_lengths == (3,) * 6
    assert all(type(array) is np.ndarray for array in state_of(fitted))


def test_the_size_is_that_of_the_structure(fitted):
    assert fitted.n_transitions_ == len(fitted.weights_["b_f"])
    assert fitted.n_transitions_ == sum(fitted.learned_structure_.lengths)
    assert "n_transitions_" not in vars(fitted)
    unfitted = clone(fitted)
    assert not hasattr(unfitted, "n_transitions_")
    with pytest.raises(NotFittedError):
        unfitted.n_transitions_  # noqa: B018


def test_history_has_a_row_for_each_epoch_of_all_phases(fitted):
    phases = [row["phase"] for row in fitted.history_]
    assert phases == ["warmup"] + ["regularize"] * 4 + ["finetune"] * 3
    assert fitted.n_iter_ == 8
    columns = {
        "phase",
        "epoch",
        "loss",
        "penalty",
        "validation_loss",
        "validation_score",
        "n_transitions",
        "learning_rate",
        "seconds",
    }
    assert all(set(row) == columns for row in fitted.history_)
    assert fitted.history_[-1]["n_transitions"] == (
        fitted.learned_structure_.n_transitions
    )
    assert fitted.history_[-1]["penalty"] == 0


def test_two_dimensional_input_is_sequences_of_one_vector():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((80, 5))
    y = (rows[:, 0] > 0).astype(int)
    clf = quick().fit(rows, y)
    assert_same_fit(quick().fit(rows[:, None, :], y), clf)
    assert_same_fit(quick().fit(torch.from_numpy(rows), y), clf)
    assert clf.n_features_in_ == 5


def test_an_unfitted_estimator_is_not_fitted_although_lambda_ends_in_underscore():
    with pytest.raises(NotFittedError):
        check_is_fitted(SparseRationalClassifier())
    with pytest.raises(NotFittedError):
        SparseRationalClassifier().predict(np.zeros((1, 2)))


def test_labels_may_be_strings_booleans_or_several_classes():
    data = make_planted_patterns(
        300, patterns=(2, 2), class_of_pattern=(1, 2), random_state=0
    )
    names = np.array(["none", "first", "second"])[data.y]
    clf = quick().fit(data.X, names)
    assert list(clf.classes_) == ["first", "none", "second"]
    assert clf.coef_.shape[0] == 3
    probabilities = clf.predict_proba(data.X)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(
        np.exp(clf.predict_log_proba(data.X)), probabilities, rtol=1e-5
    )
    assert set(clf.predict(data.X)) <= set(names)
    assert quick().fit(data.X, data.y > 0).predict(data.X).dtype == bool


def test_weight_zero_means_left_out_and_class_weight_multiplies(data):
    X, y = data.X, data.y
    params = {"early_stopping": False, "batch_size": None, "dropout": 0.0}
    weights = np.ones(len(y))
    weights[::3] = 0
    kept = np.flatnonzero(weights)
    assert_same_fit(
        quick(**params).fit(X, y, weights), quick(**params).fit(X[kept], y[kept])
    )
    double = np.where(y == 1, 2.0, 1.0)
    assert_same_fit(
        quick(**params).fit(X, y, double),
        quick(**params, class_weight={0: 1, 1: 2}).fit(X, y),
    )


@pytest.mark.parametrize("weight", [-1, np.nan, np.inf, "2", None])
def test_a_class_weight_that_is_no_weight_is_named(data, weight):
    clf = quick(class_weight={0: 1, 1: weight})
    with pytest.raises(ValueError, match=rf"class_weight has {weight!r} for class 1"):
        clf.fit(data.X, data.y)


@pytest.mark.parametrize(("weight", "held"), [(1, "only one class"), (0, "none")])
def test_classes_of_weight_zero_do_not_count(data, weight, held):
    clf = quick(class_weight={0: weight, 1: 0})
    with pytest.raises(ValueError, match=f"y holds {held}.* of positive weight"):
        clf.fit(data.X, data.y)


def test_balancing_counts_only_classes_that_have_a_weight(data):
    names = np.where(np.arange(len(data.y)) < 5, 2, data.y)
    weights = (names < 2).astype(float)
    clf = quick(class_weight="balanced").fit(data.X, names, weights)
    assert np.isfinite(clf.predict_proba(data.X)).all()


def test_lambda_zero_keeps_every_state(data):
    clf = quick(lambda_=0).fit(data.X, data.y)
    assert clf.learned_structure_.share_pruned == 0


@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_lambda_that_empties_the_model_gives_the_majority_class(data, n_classes):
    y = np.arange(len(data.X)) % (n_classes + 1) % n_classes
    with pytest.warns(ConvergenceWarning, match="lambda_=100") as caught:
        clf = quick(lambda_=100).fit(data.X, y)
    assert caught[0].filename == __file__
    assert clf.learned_structure_.n_transitions == 0
    assert repr(clf.learned_structure_) == "0 of 18 transitions in 0 of 6 WFSAs"
    assert (clf.predict(data.X) == 0).all()
    np.testing.assert_allclose(
        clf.predict_proba(data.X[:1])[0], np.bincount(y) / len(y), rtol=1e-5
    )
    assert clf.transform(data.X).shape == (len(data.X), 0)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("params", [{}, {"penalty": "wfsas"}, {"early_stopping": True}])
def test_the_penalized_phase_ends_when_the_model_is_empty(data, params):
    clf = quick(lambda_=100, max_epochs=15, **params).fit(data.X, data.y)
    penalized = [row for row in clf.history_ if row["phase"] == "regularize"]
    sizes = [row["n_transitions"] for row in penalized]
    assert len(sizes) < 15
    assert sizes[-1] == 0
    assert all(sizes[:-1])
    assert clf.n_transitions_ == 0
    assert clf.history_[-1]["phase"] == "regularize"


def test_a_threshold_does_not_end_the_penalized_phase(data):
    params = {"solver": "subgradient", "threshold": 1e9, "max_epochs": 3}
    with pytest.warns(ConvergenceWarning):
        clf = quick(**params).fit(data.X, data.y)
    sizes = [r["n_transitions"] for r in clf.history_ if r["phase"] == "regularize"]
    assert sizes == [0, 0, 0]


def test_an_emptied_model_is_kept_also_where_warnings_are_errors(data):
    clf = quick(lambda_=100)
    with pytest.raises(ConvergenceWarning):
        clf.fit(data.X, data.y)
    assert clf.learned_structure_.n_transitions == 0
    assert clf.predict(data.X).shape == data.y.shape


def test_the_subgradient_solver_prunes_at_its_threshold(data):
    kept = [
        quick(solver="subgradient", threshold=threshold, lambda_=1e-2)
        .fit(data.X, data.y)
        .learned_structure_.n_transitions
        for threshold in (0.0, 0.5)
    ]
    assert kept[0] == 18
    assert kept[1] < 18


@pytest.mark.parametrize(
    "params",
    [
        {"penalty": "wfsas", "lambda_": 1e-2},
        {"penalty": "transitions", "lambda_": 3e-3},
        {"semiring": "max-plus"},
        {"semiring": "max-times"},
        {"readout": "last", "lambda_": 1e-5},
        {"readout": "rho"},
        {"readout": "rho_softmax"},
        {"match": "end"},
        {"n_states": (1, 2, 3)},
        {"dtype": "float64"},
        {"finetune_schedule": "plateau", "weight_decay": 1e-5},
        {"max_grad_norm": None, "finetune_epochs": 0},
        {"word_dropout": 0.1, "feature_dropout": 0.1},
    ],
    ids=str,
)
def test_every_option_fits_predicts_and_survives_pickling(data, params):
    clf = quick(**params).fit(data.X, data.y)
    again = pickle.loads(pickle.dumps(clf))
    expected = clf.predict_proba(data.X)
    np.testing.assert_array_equal(again.predict_proba(data.X), expected)
    assert expected.dtype == np.dtype(params.get("dtype", "float32"))
    structure = clf.learned_structure_
    fixed = structure.n_fixed_self_loops * (data.X.n_features + 1)
    assert sum(a.size for a in state_of(clf)) - fixed == structure.n_parameters


@pytest.mark.parametrize("semiring", ["plus-times", "max-plus", "max-times"])
@pytest.mark.parametrize("match", ["end", "anywhere"])
def test_the_reference_learns_the_same(data, monkeypatch, semiring, match):
    X, y = data.X[:60], data.y[:60]
    options = {"semiring": semiring, "match": match, "dtype": "float64"}
    clf = quick(**options, lambda_=1e-3).fit(X, y)
    monkeypatch.setenv("SKRATIONAL_KERNEL", "reference")
    other = quick(**options, lambda_=1e-3).fit(X, y)
    assert clf.learned_structure_ == other.learned_structure_
    for name, weight in clf.weights_.items():
        np.testing.assert_allclose(weight, other.weights_[name], rtol=1e-6, atol=1e-9)
    mine, theirs = (c.decision_function(X) for c in (clf, other))
    np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-9)


def test_whole_automata_go_when_the_groups_are_automata(data):
    clf = quick(penalty="wfsas", lambda_=1e-2, max_epochs=10).fit(data.X, data.y)
    structure = clf.learned_structure_
    assert 0 < structure.n_wfsas < 6
    assert set(structure.lengths) == {3}


def test_a_removed_self_loop_stays_removed(data):
    clf = quick(penalty="transitions", lambda_=3e-3, max_epochs=10).fit(data.X, data.y)
    removed = (clf.weights_["W_f"] == 0).all(axis=1) & (clf.weights_["b_f"] == 0)
    assert removed.sum() == clf.learned_structure_.n_fixed_self_loops > 0
    assert (clf.weights_["W_u"] != 0).any(axis=1).all()


def test_warm_start_prunes_within_the_structure_it_has(data):
    clf = quick(warm_start=True, lambda_=1e-3).fit(data.X, data.y)
    dense = clf.learned_structure_
    clf.set_params(lambda_=1e-2).fit(data.X, data.y)
    sparse_ = clf.learned_structure_
    assert set(sparse_.kept_states) <= set(dense.kept_states)
    assert sparse_.n_transitions_initial == 18
    with pytest.raises(ValueError, match="warm_start"):
        clf.fit(data.X, data.y + 5)
    assert clf.learned_structure_ is sparse_


def test_validation_data_can_be_given(data):
    X, y = data.X, data.y
    clf = quick(early_stopping=True).fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])
    finetuning = [row for row in clf.history_ if row["phase"] == "finetune"]
    best = min(finetuning, key=lambda row: row["validation_loss"])
    assert clf.score(X[200:], y[200:]) == pytest.approx(best["validation_score"])
    with pytest.raises(ValueError, match="X_val and y_val"):
        quick(early_stopping=True).fit(X, y, X_val=X)
    with pytest.raises(ValueError, match="y_val holds labels"):
        quick(early_stopping=True).fit(X, y, X_val=X, y_val=y + 7)


def test_masks_are_gone_the_pruned_model_is_small_on_disk(tmp_path):
    rng = np.random.default_rng(0)
    words = rng.standard_normal((50, 300)).astype(np.float32) / 300**0.5
    ids = rng.integers(0, 50, size=10_000)
    X = SequenceArray(words, np.arange(0, 10_001, 10), ids)
    y = np.array([(ids[10 * i : 10 * i + 10] < 4).any() for i in range(1000)])
    clf = SparseRationalClassifier(
        lambda_=3e-3, max_epochs=10, finetune_epochs=2, random_state=0
    ).fit(X, y)
    assert 0 < clf.learned_structure_.n_transitions <= 20
    joblib.dump(clf, tmp_path / "clf.joblib")
    assert (tmp_path / "clf.joblib").stat().st_size < 100_000


def test_another_process_predicts_the_same_bits(data, fitted, tmp_path):
    joblib.dump(fitted, tmp_path / "clf.joblib")
    joblib.dump(data.X, tmp_path / "X.joblib")
    script = (
        "import joblib, numpy as np, sys; d = sys.argv[1]; "
        "clf = joblib.load(d + '/clf.joblib'); X = joblib.load(d + '/X.joblib'); "
        "np.save(d + '/p.npy', clf.predict_proba(X))"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    np.testing.assert_array_equal(
        np.load(tmp_path / "p.npy"), fitted.predict_proba(data.X)
    )


def test_skops_loads_what_it_dumped(data, fitted):
    sio = pytest.importorskip("skops.io", reason="needs the extra [safe]")
    text = sio.dumps(fitted)
    trusted = sio.get_untrusted_types(data=text)
    assert all(name.startswith("skrational.") for name in trusted)
    again = sio.loads(text, trusted=trusted)
    np.testing.assert_array_equal(
        again.predict_proba(data.X), fitted.predict_proba(data.X)
    )


def test_scores_come_from_transform_and_name_their_columns(data, fitted):
    scores = fitted.transform(data.X)
    n_wfsas = fitted.learned_structure_.n_wfsas
    assert scores.shape == (len(data.X), n_wfsas)
    logits = scores @ fitted.coef_[0] + fitted.intercept_
    np.testing.assert_allclose(
        logits, fitted.decision_function(data.X), rtol=1e-5, atol=1e-7
    )
    names = fitted.get_feature_names_out()
    assert list(names) == [f"sparserationalclassifier{i}" for i in range(n_wfsas)]


def test_empty_sequences_score_zero(data, fitted):
    empty = SequenceArray(data.X.features, [0, 0], [])
    np.testing.assert_array_equal(fitted.transform(empty), 0)
    mixed = [np.empty((0, data.X.n_features)), data.X[0]]
    assert fitted.predict(mixed).shape == (2,)


def test_a_document_of_a_million_tokens(data, fitted):
    ids = np.resize(data.X.indices, 1_000_000)
    X = SequenceArray(data.X.features, [0, len(ids)], ids)
    assert np.isfinite(fitted.predict_proba(X)).all()
    both = SequenceArray.concatenate([X, data.X])
    params = {"max_epochs": 1, "finetune_epochs": 0, "n_wfsas": 1, "n_states": 2}
    clf = quick(**params, early_stopping=False).fit(both, np.append(data.y, 1))
    assert isinstance(clf.learned_structure_, RationalStructure)


def bad_inputs(data):
    X, y = data.X, data.y
    rows = X.features.copy()
    rows[X.indices[7]] = np.nan
    infinite = X.features.copy()
    infinite[X.indices[7], 0] = np.inf
    texts = data.texts
    strings = (TypeError, "WordVectorizer")
    return {
        "NaN in a row": ({}, SequenceArray(rows, X.offsets, X.indices), y, "NaN"),
        "inf": ({}, SequenceArray(infinite, X.offsets, X.indices), y, "infinity"),
        "NaN, 2-D": ({}, np.full((9, 2), np.nan), np.arange(9) % 2, "NaN"),
        "short y": ({}, X, y[:-1], "inconsistent"),
        "one class": ({}, X, np.zeros(len(y)), "one class"),
        "NaN in y": ({}, X, np.where(y, np.nan, 0), "NaN"),
        "no y": ({}, X, None, "requires y"),
        "continuous y": ({}, X, np.linspace(0, 1, len(y)), "continuous"),
        "empty corpus": ({}, X[:0], y[:0], "0 sequences"),
        "no tokens": ({}, [np.empty((0, 3)), np.empty((0, 3))], [0, 1], "token"),
        "texts": ({}, texts, y, strings),
        "array of texts": ({}, np.array(texts), y, strings),
        "tokens": ({}, data.documents, y, strings),
        "sparse": (
            {},
            sparse.eye_array(4).tocsr(),
            [0, 1, 0, 1],
            (TypeError, "sparse"),
        ),
        "1-D": ({}, np.zeros(4), [0, 1, 0, 1], "2D|dimension"),
        "4-D": ({}, np.zeros((4, 1, 1, 1)), [0, 1, 0, 1], "dim"),
        "negative weight": ({}, X, y, "[Nn]egative"),
        "lambda_ < 0": ({"lambda_": -1}, X, y, "lambda_"),
        "lambda_ NaN": ({"lambda_": np.nan}, X, y, "lambda_"),
        "n_states=0": ({"n_states": 0}, X, y, "n_states"),
        "n_states=()": ({"n_states": ()}, X, y, "n_states"),
        "n_states=(1, 0)": ({"n_states": (1, 0)}, X, y, "n_states"),
        "too many n_states": ({"n_states": (1,) * 9}, X, y, "n_states"),
        "n_wfsas=0": ({"n_wfsas": 0}, X, y, "n_wfsas"),
        "unknown device": ({"device": "abacus"}, X, y, "device='abacus'"),
        "no such CUDA": ({"device": "cuda:99"}, X, y, "device='cuda:99'"),
        "unknown penalty": ({"penalty": "weights"}, X, y, "penalty"),
        "learning_rate=0": ({"learning_rate": 0}, X, y, "learning_rate"),
        "too fast": (
            {"learning_rate": 1e30, "lambda_": 0},
            X,
            y,
            "diverged.*learning_rate",
        ),
    }


BAD_INPUTS = list(bad_inputs(make_planted_patterns(20, random_state=0)))


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("name", BAD_INPUTS)
def test_bad_input_gets_a_clear_error_and_leaves_the_fit_as_it_was(data, name):
    params, X, y, expected = bad_inputs(data)[name]
    error, message = expected if isinstance(expected, tuple) else (ValueError, expected)
    clf = quick(max_epochs=1, finetune_epochs=0).fit(data.X, data.y)
    before = dict(vars(clf))
    weights = -np.ones(len(data.y)) if name == "negative weight" else None
    with pytest.raises(error, match=message):
        clf.set_params(**params).fit(X, y, weights)
    after = dict(vars(clf)) | {name: before[name] for name in params}
    assert after.keys() == before.keys()
    assert all(after[key] is before[key] for key in before)


@pytest.mark.parametrize(
    "X", [np.zeros((2, 3)), [np.zeros((1, 3))]], ids=["2-D", "list"]
)
def test_wrong_width_at_predict_names_both_widths(fitted, X):
    with pytest.raises(ValueError, match=r"has 3 features.* expecting 50 features"):
        fitted.predict(X)


def test_an_interrupted_fit_leaves_the_estimator_as_it_was(data, monkeypatch):
    clf = quick().fit(data.X, data.y)
    before = dict(vars(clf))
    expected = clf.predict_proba(data.X)

    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr("skrational.training.loop.PhaseRun.run_epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        clf.set_params(lambda_=0.5).fit(data.X[:50], data.y[:50])
    assert vars(clf) == before | {"lambda_": 0.5}
    np.testing.assert_array_equal(clf.predict_proba(data.X), expected)


def test_verbose_logs_and_silence_is_the_default(data, caplog):
    quick().fit(data.X, data.y)
    assert not caplog.records
    clf = quick(verbose=1).fit(data.X, data.y)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == len(clf.history_)
    left = clf.learned_structure_
    assert lines[-1].startswith("finetune ")
    assert f"; {left.size} of {left.size_initial} transitions; " in lines[-1]
    assert f"loss {clf.history_[-1]['loss']:.4f}" in lines[-1]
    assert logging.getLogger("skrational").level == logging.NOTSET


def test_verbose_writes_to_the_error_stream_where_no_handler_is_set_up(data):
    script = (
        "from skrational import SparseRationalClassifier as C; "
        "C(verbose=1, n_wfsas=1, lambda_=0, warmup_epochs=0, max_epochs=1, "
        "finetune_epochs=1)"
        ".fit([[0.0], [1.0]] * 9, [0, 1] * 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 2


def test_lengths_are_spread_evenly():
    assert spread_lengths(4, 3) == (4, 4, 4)
    assert spread_lengths((1, 2, 3, 4), 24) == (1,) * 6 + (2,) * 6 + (3,) * 6 + (4,) * 6


@pytest.mark.parametrize(
    ("n_sequences", "n_features", "expected"),
    [
        (100, 300, 0.5),
        (900, 300, 0.5),
        (1800, 300, 0.25),
        (2700, 300, 0.0),
        (9999, 300, 0.0),
        (100, 50, 0.5),
        (30, 10, 0.1),
        (60, 10, 0.05),
        (1, 0, 0.0),
    ],
)
def test_features_are_dropped_where_sequences_are_few(
    n_sequences, n_features, expected
):
    auto = SparseRationalClassifier()
    dropout = optimization(auto, n_sequences, n_features).dropout
    assert dropout.columns == pytest.approx(expected)
    given = SparseRationalClassifier(feature_dropout=0.1)
    assert optimization(given, n_sequences, n_features).dropout.columns == 0.1


def test_a_fit_counts_its_sequences_for_each_feature(data):
    E = data.X.n_features
    auto, given, none = (
        quick(feature_dropout=p, max_epochs=2).fit(data.X[: 3 * E], data.y[: 3 * E])
        for p in ("auto", 0.5 * E / 50, 0.0)
    )
    np.testing.assert_array_equal(auto.coef_, given.coef_)
    assert not np.array_equal(auto.coef_, none.coef_)


def test_all_phases_keep_to_the_most_steps(data):
    def fitted(**params):
        return quick(batch_size=8, warmup_epochs=2, max_epochs=2, **params).fit(
            data.X, data.y
        )

    parts, whole = fitted(max_steps_per_epoch=1), fitted()
    assert len(parts.history_) == len(whole.history_)
    # After a step of Adam an epoch no weight has moved by more than the rate allows.
    assert np.abs(parts.coef_).max() < np.abs(whole.coef_).max()
    with pytest.raises(ValueError, match=r"max_steps_per_epoch is 2 and min_steps.* 3"):
        fitted(min_steps_per_epoch=3, max_steps_per_epoch=2)


def test_only_the_penalty_takes_more_steps(data):
    def epochs(**params):
        fitted = quick(max_epochs=2, **params).fit(data.X, data.y).history_
        return [{**row, "seconds": 0} for row in fitted]

    once, often = epochs(lambda_=0), epochs(lambda_=0, min_steps_per_epoch=50)
    assert once == often
