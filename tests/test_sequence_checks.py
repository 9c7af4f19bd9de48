"""The suite of checks for estimators of sequences: ours pass, broken ones fail."""

import copy
import re
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.exceptions import NotFittedError
from sklearn.preprocessing import StandardScaler

from skrational import (
    ModuliRNNClassifier,
    ModuliRNNLanguageModel,
    ModuliRNNRegressor,
    SparseGRUClassifier,
    SparseLSTMClassifier,
    SparseLSTMLanguageModel,
    SparseRationalClassifier,
    SparseRationalClassifierCV,
    TimeStepTransformer,
    WordVectorizer,
    as_sequences,
)
from skrational.testing import (
    check_sequence_estimator,
    parametrize_with_sequence_checks,
    sequence_checks,
)

EPOCHS = {"max_epochs": 2, "finetune_epochs": 1, "warmup_epochs": 1}
SMALL = EPOCHS | {"min_steps_per_epoch": 2, "batch_size": 10}
WHOLE = EPOCHS | {"batch_size": None, "dropout": 0.0, "dtype": "float64"}
AUTOMATA = {"n_wfsas": 4, "n_states": 2, "lambda_": 1e-3}
PLACED = {"n_hidden": 6, "sparsity": 0.5}
WORDS = "a the not very good bad tea book worth it".split()
VECTORS = dict(zip(WORDS, np.random.default_rng(0).normal(size=(10, 3)), strict=True))

ESTIMATORS = [
    SparseRationalClassifier(**AUTOMATA, **SMALL, word_dropout=0.1),
    SparseRationalClassifier(**AUTOMATA, **WHOLE, feature_dropout=0.0),
    SparseRationalClassifier(
        **AUTOMATA, **SMALL, semiring="max-plus", calibration="temperature"
    ),
    SparseRationalClassifier(**AUTOMATA, **SMALL, semiring="max-times", match="end"),
    SparseLSTMClassifier(n_units=3, **SMALL),
    SparseGRUClassifier(n_units=3, **SMALL),
    ModuliRNNClassifier(**PLACED, **SMALL),
    ModuliRNNRegressor(**PLACED, **SMALL),
    SparseLSTMLanguageModel(n_units=3, **SMALL),
    ModuliRNNLanguageModel(**PLACED, **SMALL),
    WordVectorizer(VECTORS),
    WordVectorizer(),
    TimeStepTransformer(StandardScaler()),
]


def expected_failures(estimator):
    if getattr(estimator, "batch_size", None) is None:
        return {}
    if not hasattr(estimator, "weight_decay") or not hasattr(estimator, "predict"):
        return {}
    return {"check_weights_as_repetitions": "mini-batches are shuffled"}


@parametrize_with_sequence_checks(ESTIMATORS, expected_failed_checks=expected_failures)
def test_sequence_checks(estimator, check):
    check(estimator)


def test_a_search_passes_them():
    """But for jobs, which tests/model_selection starts processes for."""
    search = SparseRationalClassifierCV(
        SparseRationalClassifier(**AUTOMATA, **SMALL), lambdas=[1e-3], cv=2
    )
    for estimator, check in check_sequence_estimator(search, generate_only=True):
        if check.__name__ not in ("check_n_jobs", "check_weights_as_repetitions"):
            check(estimator)


def test_only_a_mini_batch_makes_a_weight_differ_from_a_repetition():
    names = [
        type(e).__name__
        for e in ESTIMATORS
        if hasattr(e, "batch_size") and e.batch_size is None
    ]
    assert names == ["SparseRationalClassifier"]


class Means(BaseEstimator):
    """Least squares on the means of sequences: written by somebody else, in numpy."""

    def __init__(self, n_jobs=None, random_state=None, device="cpu"):
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.device = device

    def read(self, X):
        X = as_sequences(X)
        if len(X) == 0:
            raise ValueError("X holds no sequences.")
        if np.isinf(X.features).any():
            raise ValueError("X holds infinity.")
        if np.isnan(X.features).any():
            raise ValueError("X holds NaN.")
        return X

    def means(self, X):
        X = self.read(X)
        if X.n_features != self.n_features_in_:
            raise ValueError(f"{X.n_features} features, not {self.n_features_in_}")
        sums = [rows.sum(axis=0, dtype=float) / max(len(rows), 1) for rows in X]
        return np.column_stack([sums, np.ones(len(X))])

    def learn(self, X, targets, sample_weight):
        n_features = self.read(X).n_features
        if len(targets) != len(self.read(X)):
            raise ValueError("too few targets")
        twin = copy.copy(self)
        twin.n_features_in_ = n_features
        means = twin.means(X)
        weights = np.ones(len(means)) if sample_weight is None else sample_weight
        left, right = 1e-3 * np.eye(means.shape[1]), 0.0
        for mean, target, weight in zip(means, targets, weights, strict=True):
            left = left + weight * np.outer(mean, mean)
            right = right + weight * np.outer(mean, target)
        coef = np.linalg.solve(left, right)
        self.n_features_in_, self.coef_ = n_features, coef
        return self

    def outputs(self, X):
        return (self.means(X)[:, :, None] * self.coef_).sum(axis=1)


class Labels(ClassifierMixin, Means):
    def fit(self, X, y, sample_weight=None):
        classes, codes = np.unique(y, return_inverse=True)
        self.learn(X, np.eye(len(classes))[codes], sample_weight)
        self.classes_ = classes
        return self

    def decision_function(self, X):
        scores = self.outputs(X)
        return scores[:, 1] - scores[:, 0]

    def predict(self, X):
        return self.classes_[(self.decision_function(X) > 0).astype(int)]


class Numbers(RegressorMixin, Means):
    def fit(self, X, y, sample_weight=None):
        self.of_tokens_ = np.asarray(y).dtype == object
        if self.of_tokens_:
            rows = [row for rows in self.read(X) for row in rows]
            X, y = [np.atleast_2d(row) for row in rows], np.concatenate(y)
        self.shape_ = np.shape(y)[1:]
        y = np.asarray(y, dtype=float).reshape(len(y), -1)
        return self.learn(X, y, sample_weight)

    def predict(self, X):
        if self.of_tokens_:
            X = self.read(X)
            found = np.empty(len(X), dtype=object)
            for i, rows in enumerate(X):
                found[i] = self.outputs([row[None] for row in rows])
            return found
        found = self.outputs(X)
        return found.reshape(len(found), *self.shape_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


class Lengths(BaseEstimator):
    """Something of texts."""

    def fit(self, X, y=None):
        self.mean_ = np.mean(self.read(X))
        return self

    def read(self, X):
        if not isinstance(X, (list, tuple, np.ndarray)):
            raise TypeError("no texts")
        if len(X) == 0 or any(not isinstance(text, str) for text in X):
            raise ValueError("no texts")
        return np.array([float(len(text)) for text in X])

    def score_samples(self, X):
        if not hasattr(self, "mean_"):
            raise NotFittedError
        return self.read(X) - self.mean_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        return tags


@pytest.mark.parametrize("honest", [Labels(), Numbers(), Lengths()])
def test_an_estimator_of_somebody_else_passes(honest):
    results = check_sequence_estimator(honest)
    assert {result["status"] for result in results} == {"passed"}
    assert len(results) > 20


class Broken:
    """Estimators that are wrong in one way, by the name of the check that finds it."""

    class check_list_of_arrays(Labels):
        def outputs(self, X):
            return super().outputs(X) + isinstance(X, (list, tuple)) * [0, 0.1]

    class check_object_array(Labels):
        def outputs(self, X):
            return super().outputs(list(X) if len(X) < 3 else np.asarray(X))[:20]

        def read(self, X):
            if isinstance(X, np.ndarray) and X.dtype == object:
                raise TypeError("an object array")
            return super().read(X)

    class check_padded_array(Labels):
        def read(self, X):
            return super().read(np.nan_to_num(X) if np.ndim(X) == 3 else X)

    class check_token_level_features(Labels):
        def means(self, X):
            means = super().means(X)
            return means if getattr(X, "indices", 0) is not None else means + 1e-9

    class check_type_level_features(Labels):
        def means(self, X):
            by_type = getattr(X, "indices", None) is not None
            shift = X.features[0, 0] * 1e-9 if by_type else 0
            return super().means(X) + shift

    class check_sliced_sequences(Labels):
        def outputs(self, X):
            return super().outputs(X) + getattr(X, "offsets", [0])[0] + self.excess(X)

        def excess(self, X):
            n_rows = len(getattr(X, "features", ()))
            return [0, 1e-6] if n_rows > getattr(X, "n_tokens", n_rows) else [0, 0]

    class check_memory_layouts(Labels):
        def means(self, X):
            rows = X.features if hasattr(X, "features") else X[0]
            return super().means(X) * (1 if rows.flags.c_contiguous else 1 + 1e-9)

    class check_float_types(Labels):
        def means(self, X):
            rows = X.features if hasattr(X, "features") else X[0]
            return super().means(X) * (1 + 1e-9 * (rows.dtype == np.float16))

    class check_read_only_memmap(Labels):
        def read(self, X):
            X = super().read(X)
            if isinstance(X.features.base, np.memmap):
                raise ValueError("not from a file")
            return X

    class check_fits_of_all_forms(Labels):
        def fit(self, X, y, sample_weight=None):
            super().fit(X, y, sample_weight)
            self.coef_ += 0.01 * isinstance(X, list) * [0, 1]
            return self

    class check_order(Labels):
        def outputs(self, X):
            return super().outputs(X) + np.arange(len(X))[:, None] * [0, 1e-12]

    class check_subset(Labels):
        def outputs(self, X):
            return super().outputs(X) + 1e-12 * np.array([0, len(X)])

    class check_every_sequence_alone(Labels):
        def outputs(self, X):
            return super().outputs(X) + (len(X) == 1) * np.array([0, 1e-12])

    class check_large_batch(Labels):
        def outputs(self, X):
            return super().outputs(X) + (len(X) > 500) * np.array([0, 1e-12])

    class check_sequences_of_length_one(Labels):
        def fit(self, X, y, sample_weight=None):
            if max(map(len, X)) == 1:
                raise ValueError("no order to learn from")
            return super().fit(X, y, sample_weight)

    class check_empty_sequences(Labels):
        def means(self, X):
            lengths = [len(rows) for rows in X]
            with np.errstate(all="ignore"):
                empty = np.array(lengths)[:, None] == 0
                return super().means(X) / np.where(empty, 0.0, 1.0)

    class check_refit(Labels):
        def fit(self, X, y, sample_weight=None):
            before = getattr(self, "coef_", 0)
            super().fit(X, y, sample_weight)
            self.coef_ = self.coef_ + 1e-6 * before
            return self

    class check_failed_refit(Labels):
        def fit(self, X, y, sample_weight=None):
            if hasattr(self, "coef_"):
                self.coef_ = 0 * self.coef_
            return super().fit(X, y, sample_weight)

    class check_clone(Labels):
        def __sklearn_clone__(self):
            twin = type(self)(**self.get_params())
            twin.was_fitted = hasattr(self, "coef_")
            return twin

        def outputs(self, X):
            return super().outputs(X) + getattr(self, "was_fitted", 0) * [[0, 1]]

    class check_pickle(Labels):
        def __getstate__(self):
            state = super().__getstate__()
            return state | {"coef_": 0 * self.coef_} if "coef_" in state else state

    class check_joblib_memmap(Labels):
        def outputs(self, X):
            self.coef_ *= 1
            return super().outputs(X)

    class check_pickle_between_devices(Labels):
        def outputs(self, X):
            if self.device != "cpu":
                raise RuntimeError("no such device")
            return super().outputs(X)

    class check_input_is_left_alone(Labels):
        def outputs(self, X):
            if isinstance(X, list):
                X[0][0, 0] += 1e-9
            return super().outputs(X)

    class check_predictions_bind_nothing(Labels):
        def outputs(self, X):
            self.last_ = super().outputs(X)
            return self.last_

    class check_global_generators_stay(Labels):
        def outputs(self, X):
            torch.rand(1)
            return super().outputs(X)

    class check_global_generators_change_nothing(Labels):
        def fit(self, X, y, sample_weight=None):
            super().fit(X, y, sample_weight)
            state = np.random.get_state()  # noqa: NPY002
            self.coef_ = self.coef_ + 1e-6 * np.random.rand(*self.coef_.shape)  # noqa: NPY002
            np.random.set_state(state)  # noqa: NPY002
            return self

    class check_number_of_threads(Labels):
        def outputs(self, X):
            n_threads = torch.get_num_threads()
            return super().outputs(X) * (1 + 1e-9 * n_threads)

    class check_n_jobs(Labels):
        def fit(self, X, y, sample_weight=None):
            super().fit(X, y, sample_weight)
            self.coef_ = self.coef_ * (self.n_jobs or 1)
            return self

    class check_fits_at_once(Labels):
        def outputs(self, X):
            in_main = threading.current_thread() is threading.main_thread()
            return super().outputs(X) + np.array([0, 0 if in_main else 1e-9])

    class check_no_sequences(Labels):
        def predict(self, X):
            return super().predict(X) if len(X) else np.empty(0)

    class check_wrong_number_of_features(Labels):
        def means(self, X):
            if as_sequences(X).n_features != self.n_features_in_:
                raise ValueError("wrong shape")
            return super().means(X)

    class check_infinite_features(Labels):
        def read(self, X):
            return as_sequences(X) if len(X) else super().read(X)

    class check_nan_features(Labels):
        def read(self, X):
            X = as_sequences(X) if len(X) else super().read(X)
            if np.isinf(X.features).any():
                raise ValueError("infinity")
            return X

    class check_string_labels(Labels):
        def fit(self, X, y, sample_weight=None):
            return super().fit(X, np.asarray(y, dtype=int), sample_weight)

    class check_vector_targets(Numbers):
        def predict(self, X):
            return super().predict(X)[..., 0] if self.shape_ else super().predict(X)

    class check_targets_of_tokens(Numbers):
        def fit(self, X, y, sample_weight=None):
            return super().fit(X, np.asarray(y, dtype=float), sample_weight)

    class check_zero_weights_as_removal(Labels):
        def fit(self, X, y, sample_weight=None):
            if sample_weight is not None:
                sample_weight = sample_weight + 1e-6
            return super().fit(X, y, sample_weight)

    class check_weights_as_repetitions(Labels):
        def fit(self, X, y, sample_weight=None):
            if sample_weight is not None:
                sample_weight = np.sqrt(sample_weight)
            return super().fit(X, y, sample_weight)

    class check_text_containers(Lengths):
        def read(self, X):
            return super().read(X if isinstance(X, list) else list(X)[::-1])

    class check_missing_texts(Lengths):
        def read(self, X):
            if X is None or isinstance(X, int):
                raise TypeError("no texts")
            return np.array([float(len(str(text))) for text in X])


BROKEN = {name: made for name, made in vars(Broken).items() if name.startswith("check")}


def test_each_check_has_an_estimator_that_fails_it():
    named = {
        check.__name__
        for estimator in (Labels(), Numbers(), Lengths())
        for check in sequence_checks(estimator)
    }
    assert named == set(BROKEN)


@pytest.mark.parametrize("name", BROKEN)
def test_an_estimator_that_is_wrong_fails_the_check_of_it(name):
    checks = check_sequence_estimator(BROKEN[name](), generate_only=True)
    by_name = {check.__name__: (estimator, check) for estimator, check in checks}
    estimator, check = by_name[name]
    with pytest.raises((AssertionError, TypeError, ValueError, RuntimeError)):
        check(estimator)


def test_failures_can_be_expected_warned_of_or_collected():
    broken = BROKEN["check_order"]()
    with pytest.raises(AssertionError, match=r"X in another order: decision_function"):
        check_sequence_estimator(broken)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        told = check_sequence_estimator(broken, on_fail="warn")
    assert any("check_order failed for check_order()" in str(w.message) for w in caught)
    failed = {r["check_name"]: r for r in told if r["status"] == "failed"}
    assert "check_order" in failed and "check_list_of_arrays" not in failed
    known = dict.fromkeys(failed, "it counts")
    results = check_sequence_estimator(broken, expected_failed_checks=known)
    assert {r["check_name"] for r in results if r["status"] == "xfail"} == set(failed)
    assert all(
        r["expected_to_fail_reason"] == "it counts"
        for r in results
        if r["expected_to_fail"]
    )
    assert check_sequence_estimator(broken, on_fail=None, rtol=1e-6)[0]["status"] == (
        "passed"
    )


def test_tests_of_pytest_are_named_and_marked():
    mark = parametrize_with_sequence_checks(
        [Labels()],
        expected_failed_checks=lambda _: {"check_order": "it counts"},
        xfail_strict=True,
    ).mark
    cases = {case.id: case for case in mark.args[1]}
    marked = cases["0-Labels-check_order"].marks[0]
    assert (marked.name, marked.kwargs) == (
        "xfail",
        {"reason": "it counts", "strict": True},
    )
    assert not cases["0-Labels-check_subset"].marks


def test_the_page_s_estimator_passes_without_torch():
    page = Path(__file__).parents[1] / "docs" / "howto" / "own_estimators.md"
    blocks = re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.M | re.S)
    blocks = [block for block in blocks if "parametrize" not in block]  # needs pytest
    assert len(blocks) == 4
    script = "import sys\n" + "".join(blocks) + "assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_mistakes_in_its_own_arguments_are_told():
    with pytest.raises(TypeError, match=r"such as Labels\(\)"):
        check_sequence_estimator(Labels)
    with pytest.raises(ValueError, match="names check_all, which isn't among"):
        check_sequence_estimator(Labels(), expected_failed_checks={"check_all": ""})
    with pytest.raises(ValueError, match="on_fail must be"):
        check_sequence_estimator(Labels(), on_fail="ignore")
