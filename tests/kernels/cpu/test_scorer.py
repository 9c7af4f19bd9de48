"""Predictions: what they remember, and that it never shows in the results."""

import gc
import pickle
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning

from skrational import SequenceArray, SparseRationalClassifier
from skrational.datasets import make_planted_patterns
from skrational.exceptions import LargeTableWarning
from skrational.kernels.cpu import prediction
from skrational.kernels.cpu import scorer as scorer_module
from skrational.kernels.cpu.prediction import PackedAutomata
from skrational.kernels.cpu.tables import TransitionTable

METHODS = ("predict", "decision_function", "transform", "predict_proba")


def quick(**params):
    defaults = {
        "n_wfsas": 5,
        "n_states": 3,
        "lambda_": 1e-4,
        "warmup_epochs": 1,
        "max_epochs": 2,
        "finetune_epochs": 1,
        "random_state": 0,
    }
    return SparseRationalClassifier(**(defaults | params))


@pytest.fixture(scope="module")
def data():
    return make_planted_patterns(120, random_state=0)


@pytest.fixture(scope="module")
def fitted(data):
    return pickle.dumps(quick().fit(data.X, data.y))


@pytest.fixture
def clf(fitted):
    """A fitted estimator that has not predicted yet."""
    return pickle.loads(fitted)


def fresh(clf):
    """A copy that remembers nothing."""
    return pickle.loads(pickle.dumps(clf))


def with_features(X, features):
    return SequenceArray(features, X.offsets, X.indices)


def results(clf, X):
    return [getattr(clf, method)(X) for method in METHODS]


def assert_follows(clf, X):
    """What is predicted is what a copy without a past predicts."""
    for mine, expected in zip(results(clf, X), results(fresh(clf), X), strict=True):
        np.testing.assert_array_equal(mine, expected)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"match": "end"},
        {"readout": "rho", "n_states": (1, 3, 6)},
        {"readout": "last", "lambda_": 1e-6},
        {"readout": "rho_softmax", "length_exponent": 1.0},
        {"dtype": "float64"},
        {"penalty": "transitions", "lambda_": 3e-3},
    ],
    ids=str,
)
def test_every_form_and_kernel_gives_the_same_predictions(data, monkeypatch, params):
    X = data.X[:60]
    clf = quick(**params).fit(data.X, data.y)
    forms = {
        "type-level": X,
        "again": X,
        "token-level": SequenceArray(X.features[X.indices], X.offsets),
        "list": X.to_list(),
        "one by one": None,
    }
    mine = {name: results(clf, form) for name, form in forms.items() if form}
    single = [results(clf, X[i : i + 1]) for i in range(len(X))]
    mine["one by one"] = [np.concatenate(parts) for parts in zip(*single, strict=True)]
    monkeypatch.setenv("SKRATIONAL_KERNEL", "reference")
    expected = results(clf, X)
    for name, result in mine.items():
        np.testing.assert_array_equal(result[0], expected[0], err_msg=name)
        for method, values, others in zip(
            METHODS[1:], result[1:], expected[1:], strict=True
        ):
            exact = method == "decision_function"
            dtype = "float64" if exact else params.get("dtype", "float32")
            assert values.dtype == others.dtype == dtype
            np.testing.assert_allclose(
                values, others, rtol=1e-6, atol=1e-6, err_msg=name
            )


def test_several_classes_are_predicted_alike_by_both_kernels(monkeypatch):
    data = make_planted_patterns(
        120, patterns=(2, 2), class_of_pattern=(1, 2), random_state=0
    )
    clf = quick().fit(data.X, data.y)
    mine = results(clf, data.X)
    assert mine[1].shape == (120, 3)
    monkeypatch.setenv("SKRATIONAL_KERNEL", "reference")
    for values, expected in zip(mine[1:], results(clf, data.X)[1:], strict=True):
        np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-6)


def test_rows_are_projected_by_the_first_prediction_only(clf, data, monkeypatch):
    calls = []
    original = PackedAutomata.project

    def counting(self, features, rows, out):
        calls.append(len(rows))
        return original(self, features, rows, out)

    monkeypatch.setattr(PackedAutomata, "project", counting)
    clf.predict(data.X)
    assert calls
    n_calls = len(calls)
    results(clf, data.X)
    results(clf, data.X[::2])
    clf.score(data.X, data.y)
    assert len(calls) == n_calls


@pytest.mark.parametrize(
    "change",
    [
        lambda clf: clf.coef_.__imul__(-2),
        lambda clf: clf.intercept_.__iadd__(0.5),
        lambda clf: clf.weights_["W_u"].__imul__(1.5),
        lambda clf: clf.weights_["W_f"].__setitem__(0, 0),
        lambda clf: clf.weights_["b_f"].__iadd__(1),
        lambda clf: setattr(clf, "coef_", clf.coef_[:, ::-1]),
        lambda clf: clf.weights_.update(W_u=np.asfortranarray(-clf.weights_["W_u"])),
    ],
    ids=["coef_", "intercept_", "W_u", "W_f", "b_f", "new coef_", "new W_u"],
)
@pytest.mark.parametrize("level", ["types", "tokens"])
def test_predictions_follow_a_change_of_the_weights(clf, data, change, level):
    X = data.X[:50]
    if level == "tokens":
        X = SequenceArray(X.features[X.indices], X.offsets)
    before = clf.decision_function(X)
    change(clf)
    assert_follows(clf, X)
    assert not np.array_equal(clf.decision_function(X), before)


@pytest.mark.parametrize("level", ["types", "tokens"])
def test_predictions_follow_a_change_of_the_features(clf, data, level):
    X = data.X[:50]
    if level == "tokens":
        X = SequenceArray(X.features[X.indices], X.offsets)
    features = X.features.copy()
    X = with_features(X, features)
    before = clf.decision_function(X)
    row = X.row_numbers()[7]
    features[row] *= -3
    assert_follows(clf, X)
    assert not np.array_equal(clf.decision_function(X), before)
    features[row] /= -3
    np.testing.assert_allclose(clf.decision_function(X), before, atol=1e-6)


def test_another_fit_changes_the_predictions(clf, data):
    before = clf.decision_function(data.X)
    clf.fit(data.X, 1 - data.y)
    assert not np.array_equal(clf.decision_function(data.X), before)
    expected = quick().fit(data.X, 1 - data.y)
    for mine, theirs in zip(
        results(clf, data.X), results(expected, data.X), strict=True
    ):
        np.testing.assert_array_equal(mine, theirs)


def test_a_set_parameter_changes_nothing_before_the_next_fit(clf, data):
    before = clf.decision_function(data.X)
    clf.set_params(match="end", n_states=1, readout="last", length_exponent=0.0)
    np.testing.assert_array_equal(clf.decision_function(data.X), before)


def test_predicting_leaves_the_estimator_as_it_was(clf, data):
    before, size = dict(vars(clf)), len(pickle.dumps(clf))
    arrays = {name: array.copy() for name, array in clf.weights_.items()}
    results(clf, data.X)
    assert vars(clf).keys() == before.keys()
    assert all(vars(clf)[name] is before[name] for name in before)
    assert len(pickle.dumps(clf)) == size
    for name, array in arrays.items():
        np.testing.assert_array_equal(clf.weights_[name], array)


def test_results_belong_to_the_caller(clf, data):
    for method in METHODS[1:]:
        first = getattr(clf, method)(data.X)
        expected = first.copy()
        first[:] = 7
        np.testing.assert_array_equal(getattr(clf, method)(data.X), expected)


@pytest.fixture
def little_memory(monkeypatch):
    monkeypatch.setattr(scorer_module, "available_memory", lambda: 1000)


def test_a_table_that_does_not_fit_is_done_without_and_that_is_said_once(
    clf, data, little_memory, monkeypatch
):
    monkeypatch.setattr(prediction, "_CHUNK_TOKENS", 100)
    with pytest.warns(LargeTableWarning, match=r"would take .* MiB are free") as caught:
        mine = results(clf, data.X)
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        again = results(clf, data.X[::-1])
    monkeypatch.undo()
    expected = results(fresh(clf), data.X)
    for a, b, c in zip(mine, again, expected, strict=True):
        np.testing.assert_array_equal(a, c)
        np.testing.assert_array_equal(b[::-1], c)


def test_after_another_fit_it_is_said_again(clf, data, little_memory):
    with pytest.warns(LargeTableWarning):
        clf.predict(data.X)
    clf.fit(data.X, data.y[::-1])
    with pytest.warns(LargeTableWarning):
        clf.predict(data.X)


def test_token_level_features_need_no_table(clf, data, little_memory):
    X = data.X
    clf.predict(SequenceArray(X.features[X.indices], X.offsets))


def test_a_table_that_is_there_is_used_although_memory_has_run_short(
    clf, data, monkeypatch
):
    expected = clf.decision_function(data.X)
    monkeypatch.setattr(scorer_module, "available_memory", lambda: 0)
    np.testing.assert_array_equal(clf.decision_function(data.X), expected)


@pytest.mark.parametrize(
    "method",
    [
        "predict",
        "predict_proba",
        "transform",
        pytest.param(
            "decision_function",
        ),
    ],
)
def test_the_warning_points_to_the_caller(clf, data, little_memory, method):
    with pytest.warns(LargeTableWarning) as caught:
        getattr(clf, method)(data.X)
    assert caught[0].filename == __file__


def spoiled(X, kind, level):
    """Sequence 4, token 2 is not finite, and no token before it."""
    rows = X.row_numbers().copy()
    features = np.concatenate([X.features, X.features[:1]])
    token = X.offsets[4] + 2
    rows[token] = len(X.features)
    features[-1, 3] = {"NaN": np.nan, "infinity": np.inf}[kind]
    if level == "types":
        return SequenceArray(features, X.offsets, rows)
    return SequenceArray(features[rows], X.offsets)


@pytest.mark.parametrize("level", ["types", "tokens", "types without a table"])
@pytest.mark.parametrize("kind", ["NaN", "infinity"])
@pytest.mark.filterwarnings("ignore::skrational.exceptions.LargeTableWarning")
def test_what_is_not_finite_is_named_every_time(clf, data, monkeypatch, kind, level):
    if level == "types without a table":
        monkeypatch.setattr(scorer_module, "available_memory", lambda: 0)
    X = spoiled(data.X[:20], kind, level.split()[0])
    for method in (*METHODS, *METHODS):
        with pytest.raises(ValueError, match=f"contains {kind}: sequence 4, token 2"):
            getattr(clf, method)(X)
    np.testing.assert_array_equal(clf.predict(X[:4]), clf.predict(data.X[:4]))


def test_what_is_not_finite_matters_only_where_it_is_read(clf, data):
    X = spoiled(data.X[:20], "NaN", "types")
    expected = clf.decision_function(data.X[:20])
    np.testing.assert_array_equal(clf.decision_function(X[5:]), expected[5:])
    with pytest.raises(ValueError, match="sequence 0, token 2"):
        clf.predict(X[4:])
    np.testing.assert_array_equal(clf.decision_function(X[5:]), expected[5:])


def test_a_row_that_becomes_nan_after_a_prediction_is_found(clf, data):
    X = data.X[:10]
    features = X.features.copy()
    X = with_features(X, features)
    clf.predict(X)
    features[X.indices[X.offsets[3]]] = np.nan
    with pytest.raises(ValueError, match="NaN: sequence"):
        clf.predict(X)


@pytest.mark.parametrize("shared", [False, True])
def test_threads_that_predict_at_once_get_what_one_gets(clf, data, monkeypatch, shared):
    monkeypatch.setattr("numba.config.NUMBA_NUM_THREADS", 4)
    monkeypatch.setattr(prediction, "_SHARED_TOKENS", 50)
    rng = np.random.default_rng(0)
    features = [data.X.features + rng.normal(size=1).astype("f4") for _ in range(8)]
    inputs = [with_features(data.X, features[0 if shared else i]) for i in range(8)]
    inputs = [X[rng.permutation(120)] for X in inputs]
    expected = [fresh(clf).decision_function(X) for X in inputs]
    before = torch.get_num_threads()
    with ThreadPoolExecutor(8) as pool:
        for _ in range(5):
            for mine, theirs in zip(
                pool.map(clf.decision_function, inputs), expected, strict=True
            ):
                np.testing.assert_array_equal(mine, theirs)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("n_classes", [2, 3])
def test_an_emptied_model_predicts_its_intercept(data, n_classes):
    y = np.arange(120) % (n_classes + 1) % n_classes
    with pytest.warns(ConvergenceWarning):
        clf = quick(lambda_=100).fit(data.X, y)
    X = data.X[:7]
    tokens = SequenceArray(X.features[X.indices], X.offsets)
    for form in (X, tokens, X.to_list()):
        logits = clf.decision_function(form)
        expected = np.broadcast_to(clf.intercept_, (7, len(clf.intercept_)))
        np.testing.assert_array_equal(logits.reshape(7, -1), expected)
        assert clf.transform(form).shape == (7, 0)
        assert (clf.predict(form) == 0).all()
    with pytest.raises(ValueError, match="NaN: sequence 4, token 2"):
        clf.predict(spoiled(data.X[:20], "NaN", "types"))


def test_the_results_of_an_emptied_model_belong_to_the_caller(data):
    with pytest.warns(ConvergenceWarning):
        clf = quick(lambda_=100).fit(data.X, data.y)
    clf.decision_function(data.X)[:] = 7


def test_a_table_lives_as_long_as_its_estimator(fitted, data):
    clf = pickle.loads(fitted)
    gc.collect()
    n_before = len(scorer_module._scorers)
    clf.predict(data.X)
    assert len(scorer_module._scorers) == n_before + 1
    table = weakref.ref(scorer_module._scorers[clf]._tables[0])
    assert isinstance(table(), TransitionTable)
    del clf
    gc.collect()
    assert table() is None
    assert len(scorer_module._scorers) == n_before


def test_another_fit_drops_the_old_tables(clf, data):
    clf.predict(data.X)
    table = weakref.ref(scorer_module._scorers[clf]._tables[0])
    clf.fit(data.X, 1 - data.y)
    clf.predict(data.X)
    gc.collect()
    assert table() is None


def test_few_tables_are_kept_and_none_keeps_features_alive(clf, data):
    inputs = [with_features(data.X, data.X.features + i) for i in range(5)]
    expected = [clf.decision_function(X) for X in inputs]
    assert len(scorer_module._scorers[clf]._tables) == scorer_module._MOST_TABLES
    for _ in range(2):
        for X, logits in zip(inputs, expected, strict=True):
            np.testing.assert_array_equal(clf.decision_function(X), logits)
    memory = weakref.ref(inputs[-1].features.base)
    assert memory() is not None
    del X, inputs
    gc.collect()
    assert memory() is None


@pytest.mark.parametrize("narrow", [np.float16, np.int16])
@pytest.mark.parametrize("level", ["types", "tokens"])
def test_narrow_features_fit_and_predict_as_wide_ones_do(narrow, level):
    rng = np.random.default_rng(0)
    drawn = rng.normal(size=(30, 6))
    rows = (10 * drawn if narrow is np.int16 else drawn).astype(narrow)
    ids = rng.integers(0, 30, 600)
    offsets = np.arange(0, 601, 10)
    y = (np.isin(ids, [1, 2, 3]).reshape(60, 10)).any(axis=1)

    def sequences(dtype):
        features = rows.astype(dtype)
        if level == "tokens":
            return SequenceArray(features[ids], offsets)
        return SequenceArray(features, offsets, ids)

    clf = quick().fit(sequences(narrow), y)
    for wide in (np.float32, np.float64):
        expected = quick().fit(sequences(wide), y)
        for dtype in (narrow, wide):
            for mine, theirs in zip(
                results(clf, sequences(dtype)),
                results(expected, sequences(wide)),
                strict=True,
            ):
                np.testing.assert_allclose(mine, theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("semiring", ["plus-times", "max-plus"])
def test_the_numba_kernel_can_be_asked_for(data, monkeypatch, semiring):
    clf = quick(semiring=semiring).fit(data.X, data.y)
    expected = clf.decision_function(data.X)
    monkeypatch.setenv("SKRATIONAL_KERNEL", "numba")
    np.testing.assert_array_equal(clf.decision_function(data.X), expected)


def test_a_readout_of_another_type_or_layout_predicts_the_same(clf, data):
    expected = clf.decision_function(data.X)
    for coef in (clf.coef_.astype(np.float64), np.asfortranarray(clf.coef_)):
        clf.coef_ = coef
        clf.coef_.flags.writeable = False
        np.testing.assert_array_equal(clf.decision_function(data.X), expected)


def test_tables_of_features_that_are_gone_are_dropped(clf, data):
    def copy():
        return SequenceArray(data.X.features.copy(), data.X.offsets, data.X.indices)

    for _ in range(3):
        clf.predict(copy())
        gc.collect()
    clf.predict(data.X)
    assert len(scorer_module._scorers[clf]._tables) == 1


@pytest.mark.parametrize("semiring", ["plus-times", "max-plus"])
def test_a_prediction_costs_its_own_tokens_not_all_rows(data, monkeypatch, semiring):
    clf = quick(semiring=semiring).fit(data.X, data.y)
    features = np.random.default_rng(0).normal(size=(50_000, data.X.n_features))
    features = features.astype(np.float32)
    features.flags.writeable = False
    X = SequenceArray(features, [0, 3, 5], [40_000, 7, 7, 9, 40_001])
    expected = results(clf, SequenceArray(features[X.indices], X.offsets))
    clf = fresh(clf)
    clf.predict(X[:1])
    sizes = []
    for name in ("zeros", "full", "arange", "flatnonzero", "bincount", "array_equal"):
        function = getattr(np, name)

        def counting(first, *args, function=function, **options):
            out = function(first, *args, **options)
            sizes.append(max(np.size(out), np.size(first)))
            return out

        monkeypatch.setattr(np, name, counting)
    for mine, others in zip(results(clf, X), expected, strict=True):
        np.testing.assert_allclose(mine, others, rtol=1e-6, atol=1e-6)
    SequenceArray.concatenate([X, X[::-1]])
    assert sizes
    # Of rows, however few they are, 256 are projected at a time.
    assert max(sizes) <= 256 * X.n_features


def test_a_large_table_that_has_repaid_goes_on_being_used(clf, data, monkeypatch):
    monkeypatch.setattr(scorer_module, "_LARGE_TABLE", 2**10)
    projected = []
    original = PackedAutomata.project

    def counting(self, features, rows, out):
        projected.append(len(rows))
        return original(self, features, rows, out)

    monkeypatch.setattr(PackedAutomata, "project", counting)
    features = np.array(data.X.features)
    features.flags.writeable = False
    X = with_features(data.X, features)
    for _ in range(2):
        for i in range(len(X)):
            clf.predict(X[i : i + 1])
    # Each row once, but for those of the first few documents, which hardly repeat.
    assert sum(projected) < len(np.unique(X.indices)) + 200
