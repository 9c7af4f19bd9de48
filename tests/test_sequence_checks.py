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
from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    RegressorMixin,
    TransformerMixin,
)
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfVectorizer,
)
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline, make_union
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
    SparseRationalRegressor,
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
    SparseRationalClassifier(**AUTOMATA, **WHOLE, feature_dropout=0.0, n_layers=2),
    SparseRationalClassifier(
        **AUTOMATA, **SMALL, semiring="max-plus", calibration="temperature"
    ),
    SparseRationalClassifier(**AUTOMATA, **SMALL, semiring="max-times", match="end"),
    SparseRationalRegressor(**AUTOMATA, **SMALL, readout="rho", early_stopping=True),
    SparseRationalRegressor(**AUTOMATA, **WHOLE, feature_dropout=0.0),
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
    assert set(names) == {"SparseRationalClassifier", "SparseRationalRegressor"}


def solved(left, right):
    """Solve by elimination: that of some BLAS depends on the number of threads."""
    rows = np.column_stack([left, right])
    for i in range(len(rows)):
        rows[i] /= rows[i, i]
        others = np.arange(len(rows)) != i
        rows[others] -= rows[others, i, None] * rows[i]
    return rows[:, len(rows) :]


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
        self.n_features_in_, self.coef_ = n_features, solved(left, right)
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
        def predict(self, X):
            found = super().predict(X)
            return [rows[:1] for rows in found] if self.of_tokens_ else found

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
    assert any(
        "check_order failed for check_order: X in" in str(w.message) for w in caught
    )
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


class Sums(TransformerMixin, Means):
    """Turns sequences into a table."""

    form = staticmethod(np.asarray)

    def fit(self, X, y=None):
        self.n_features_in_ = self.read(X).n_features
        return self

    def transform(self, X):
        return self.form(self.means(X))

    def get_feature_names_out(self, input_features=None):
        return np.array([f"mean {i}" for i in range(self.n_features_in_ + 1)], object)


class SparseSums(Sums):
    form = staticmethod(sparse.csr_matrix)


class SparseArraySums(Sums):
    form = staticmethod(sparse.csc_array)


class SparseByCompany(Sums):
    """Wrong: what it says of a sequence depends on how many there are."""

    def form(self, means):
        return sparse.csr_array(means * (1 + 1e-6 * (len(means) == 1)))


class SparseOrDense(Sums):
    """Wrong: the type of what it returns follows that of X."""

    def transform(self, X):
        means = self.means(X)
        return means if isinstance(X, tuple) else sparse.csr_array(means)


def statuses(estimator, **options):
    results = check_sequence_estimator(estimator, on_fail=None, **options)
    return {r["check_name"]: r["exception"] for r in results if r["exception"]}


@pytest.mark.parametrize(
    "transformer",
    [
        SparseSums(),
        SparseArraySums(),
        Sums().set_output(transform="pandas"),
        Sums().set_output(transform="polars"),
    ],
    ids=["csr_matrix", "csc_array", "pandas", "polars"],
)
def test_tables_of_all_kinds_are_compared(transformer):
    assert statuses(transformer) == {}


def test_sparse_outputs_that_differ_are_found():
    error = statuses(SparseByCompany())["check_every_sequence_alone"]
    assert re.search(r"Sequence 0: \{0: .* sparse row .* differ by", str(error))
    assert not statuses(SparseByCompany(), rtol=1e-5)
    assert set(statuses(SparseOrDense())) == {"check_list_of_arrays"}


def test_frames_that_differ_are_found():
    class Named(Sums):
        def transform(self, X):
            return super().transform(X) + 1e-6 * (len(X) == 1)

    found = statuses(Named().set_output(transform="pandas"))
    assert "'mean 0': " in str(found["check_every_sequence_alone"])
    assert "check_large_batch" not in found


@pytest.mark.parametrize(
    ("vectorizer", "known"),
    [
        (CountVectorizer(), set()),
        (TfidfVectorizer(), {"check_failed_refit"}),  # forgets its vocabulary
        (
            HashingVectorizer(),  # learns nothing, so that it fits whatever there is
            {"check_failed_refit", "check_predictions_bind_nothing"},
        ),
    ],
)
def test_vectorizers_of_scikit_learn_are_compared(vectorizer, known):
    """They take an empty X, and None is an AttributeError."""
    known = known | {"check_no_sequences", "check_missing_texts"}
    assert set(statuses(vectorizer)) <= known


TEXT_PIPELINE = make_pipeline(TfidfVectorizer(), LogisticRegression())


@pytest.mark.parametrize(
    "of_texts",
    [
        TEXT_PIPELINE,
        make_pipeline("passthrough", WordVectorizer(), SparseRationalClassifier()),
        make_pipeline(
            make_union(TfidfVectorizer(), CountVectorizer()), LogisticRegression()
        ),
        make_pipeline(make_pipeline(TfidfVectorizer()), LogisticRegression()),
        GridSearchCV(TEXT_PIPELINE, {"logisticregression__C": [1.0]}),
    ],
)
def test_pipelines_and_searches_read_what_their_first_step_reads(of_texts):
    names = {check.__name__ for check in sequence_checks(of_texts)}
    assert "check_text_containers" in names and "check_padded_array" not in names


def test_other_pipelines_read_sequences():
    steps = TimeStepTransformer(StandardScaler()), SparseRationalClassifier()
    names = {check.__name__ for check in sequence_checks(make_pipeline(*steps))}
    assert "check_text_containers" not in names and "check_padded_array" in names


@pytest.mark.parametrize(
    "pipeline",
    [
        TEXT_PIPELINE,
        make_pipeline(
            WordVectorizer(VECTORS), SparseRationalClassifier(**AUTOMATA, **SMALL)
        ),
    ],
    ids=["tfidf", "words"],
)
def test_pipelines_of_texts_are_checked(pipeline):
    """A pipeline fits its steps in place, so that a fit that fails changes them."""
    found = statuses(pipeline, rtol=1e-6)
    known = {"check_failed_refit", "check_no_sequences", "check_missing_texts"}
    assert set(found) <= known


class HalfUpdate(Labels):
    """Wrong: sets what it has seen before it knows that it can fit."""

    def fit(self, X, y, sample_weight=None):
        self.classes_ = np.unique(y)
        return super().fit(X, y, sample_weight)


class HalfWidth(Labels):
    def fit(self, X, y, sample_weight=None):
        self.n_features_in_ = np.shape(X[0])[1]
        return super().fit(X, y, sample_weight)


class Unseen(Labels):
    """Wrong, though no prediction tells of it."""

    def fit(self, X, y, sample_weight=None):
        self.n_targets_ = len(y)
        return super().fit(X, y, sample_weight)


class HalfTexts(ClassifierMixin, Lengths):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return super().fit(X)

    def predict(self, X):
        return self.classes_[(self.score_samples(X) > 0).astype(int)]


@pytest.mark.parametrize(
    ("half", "told"),
    [
        (HalfUpdate(), "predict differs"),
        (HalfWidth(), "raised ValueError: 5 features"),
        (Unseen(), "changed are n_targets_"),
        (HalfTexts(), "a number for texts failed: predict differs"),
    ],
)
def test_a_fit_that_fails_halfway_is_found(half, told):
    assert told in str(statuses(half)["check_failed_refit"])


class OtherObject(Labels):
    """Wrong: fits a copy."""

    def fit(self, X, y, sample_weight=None):
        return Labels.fit(copy.deepcopy(self), X, y, sample_weight)


class Forgetful(Labels):
    """Wrong: returns nothing."""

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)


def test_fit_must_return_the_estimator_itself():
    with pytest.raises(AssertionError, match=r"fit returned another object .*Other"):
        check_sequence_estimator(OtherObject())
    with pytest.raises(AssertionError, match="fit returned None; it must return"):
        check_sequence_estimator(Forgetful())


@pytest.mark.parametrize("honest", [Labels(), Numbers(), Lengths()])
def test_no_check_changes_what_it_is_given(honest):
    before = repr(vars(honest))
    for check in sequence_checks(honest):
        check(honest)
        assert repr(vars(honest)) == before, check.__name__


def test_errors_name_the_check_the_call_and_the_form():
    class Refuses(Labels):
        def predict(self, X):
            if isinstance(X, tuple):
                raise KeyError("no tuples")
            return super().predict(X)

    class RefusesToFit(Labels):
        def fit(self, X, y, sample_weight=None):
            if isinstance(X, list):
                raise KeyError("no lists")
            return super().fit(X, y, sample_weight)

    error = statuses(Refuses())["check_list_of_arrays"]
    assert str(error) == (
        "check_list_of_arrays failed for Refuses: X as a tuple: predict raised "
        "KeyError: 'no tuples'"
    )
    assert isinstance(error.__cause__, KeyError)
    error = statuses(RefusesToFit())["check_fits_of_all_forms"]
    assert "X as a list of arrays: fit raised KeyError: 'no lists'" in str(error)

    error = statuses(Refuses())["check_pickle"]  # the class is local
    assert re.match(r"check_pickle failed for Refuses: \w+Error: Can't", str(error))
    assert error.__cause__ is not None


@pytest.mark.parametrize(
    "known", [{"check_order": "it counts"}, lambda _: {"check_order": "it counts"}]
)
def test_expected_failures_are_a_dict_or_a_callable(known):
    """For several estimators a dict may name what only some of them are tried on."""
    broken = BROKEN["check_order"]()
    results = check_sequence_estimator(
        broken, expected_failed_checks=known, on_fail=None
    )
    assert [r["check_name"] for r in results if r["expected_to_fail"]] == [
        "check_order"
    ]
    mark = parametrize_with_sequence_checks(broken, expected_failed_checks=known).mark
    marked = [case.id for case in mark.args[1] if case.marks]
    assert marked == ["0-check_order-check_order"]


def test_a_dict_may_name_checks_of_some_of_the_estimators():
    known = {"check_text_containers": "lists only", "check_padded_array": "lists only"}
    both = [Labels(), Lengths()]
    mark = parametrize_with_sequence_checks(both, expected_failed_checks=known).mark
    marked = [case.id for case in mark.args[1] if case.marks]
    assert marked == [
        "0-Labels-check_padded_array",
        "1-Lengths-check_text_containers",
    ]


def test_one_estimator_stands_for_a_list_of_it():
    for one in (Labels(), TEXT_PIPELINE):
        cases = parametrize_with_sequence_checks(one).mark.args[1]
        listed = parametrize_with_sequence_checks([one]).mark.args[1]
        assert [case.id for case in cases] == [case.id for case in listed]


def test_mistakes_in_its_own_arguments_are_told():
    for wrong in (["check_order"], {"check_order": None}, lambda _: ["check_order"]):
        for call in (check_sequence_estimator, parametrize_with_sequence_checks):
            with pytest.raises(TypeError, match="expected_failed_checks must be a"):
                call(Labels(), expected_failed_checks=wrong)
    for wrong in (3, "Labels"):
        with pytest.raises(TypeError, match="estimators must be an estimator or an"):
            parametrize_with_sequence_checks(wrong)
    with pytest.raises(TypeError, match=r"such as Labels\(\)"):
        parametrize_with_sequence_checks(Labels)
    with pytest.raises(TypeError, match="Expected an estimator, with fit and"):
        check_sequence_estimator([Labels()])
    with pytest.raises(TypeError, match=r"such as Labels\(\)"):
        check_sequence_estimator(Labels)
    with pytest.raises(ValueError, match="names check_all, which isn't among"):
        check_sequence_estimator(Labels(), expected_failed_checks={"check_all": ""})
    with pytest.raises(ValueError, match="on_fail must be"):
        check_sequence_estimator(Labels(), on_fail="ignore")
