"""Random lives of estimators: fits, parameters, copies, and what they then predict.

Beside each estimator stands what is expected of it: the fits that have led to its
present state. A fresh one that is put through the same fits predicts the same, to the
bit; whatever else happens changes nothing.
"""

import pickle
import warnings
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import joblib
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skrational import (
    ModuliRNNClassifier,
    ModuliRNNLanguageModel,
    ModuliRNNRegressor,
    SequenceArray,
    SparseGRUClassifier,
    SparseLSTMClassifier,
    SparseLSTMLanguageModel,
    SparseRationalClassifier,
    SparseRationalClassifierCV,
    TimeStepTransformer,
    WordVectorizer,
)

SHORT = {
    "warmup_epochs": 1,
    "max_epochs": 1,
    "finetune_epochs": 1,
    "min_steps_per_epoch": 1,
    "random_state": 0,
}
rng = np.random.default_rng(0)
ROWS = rng.normal(size=(12, 3)).astype(np.float32)
IDS = rng.integers(12, size=(2, 40)).astype(np.int32)
OFFSETS = np.array([0, 0, 1, 4, 9, 12, 20, 26, 33, 40])
SEQUENCES = [SequenceArray(ROWS, OFFSETS, ids) for ids in IDS]
LABELS = [np.array([0, 1, 0, 1, 1, 0, 1, 0, 0]), np.array([1, 0, 0, 1, 0, 1, 1, 0, 1])]
VALUES = [labels + 0.25 * np.arange(9) for labels in LABELS]
TEXTS = [
    ["a good book", "a bad book a good film", "good", "a bad film"] * 3,
    ["the film", "the good the bad", "a book", "good film the end"] * 3,
]
VECTORS = dict(zip("a good bad book film the".split(), ROWS[:6], strict=True))


@dataclass(frozen=True)
class Subject:
    """A kind of estimator, and what may be done with one."""

    make: Callable[[], Any]
    data: list[tuple[Any, ...]]
    outputs: Callable[[Any, Any], list[Any]]
    bad: list[tuple[Any, ...]]
    parameters: dict[str, list[Any]] = field(default_factory=dict)
    alone: bool = True


def of_sequences(estimator, X):
    names = ("decision_function", "predict_proba", "predict_log_proba", "transform")
    found = [getattr(estimator, name)(X) for name in names if hasattr(estimator, name)]
    return [*found, estimator.predict(X)]


def of_language(model, texts):
    written = model.generate(5, random_state=0)
    return [model.score_samples(texts), np.array([written])]


def of_vectorizer(vectorizer, texts):
    X = vectorizer.transform(texts)
    rows = X.row_numbers()
    return [X.features[rows], X.offsets - X.offsets[0], np.asarray(X.labels)[rows]]


def of_steps(transformer, X):
    return [np.concatenate(list(transformer.transform(X)))]


NAN = SequenceArray(np.full((1, 3), np.nan, np.float32), [0, 1, 1])
BAD_LABELS = [
    (SEQUENCES[0], np.zeros(9, int)),
    (SEQUENCES[0], LABELS[0][:-1]),
    (SEQUENCES[0], None),
    (NAN, np.array([0, 1])),
    (SEQUENCES[0][:0], LABELS[0][:0]),
]
BAD_VALUES = [(SEQUENCES[0], np.full(9, np.nan)), (NAN, np.array([0.0, 1.0]))]
OPTIONS = {
    "lambda_": [0.0, 1e-4, 1.0],
    "random_state": [0, 1],
    "learning_rate": [0.02, 0.1],
    "dtype": ["float32", "float64"],
}
WARM = OPTIONS | {"warm_start": [True, True, False]}


def sequence_classifier(kind, **options):
    return Subject(
        lambda: kind(lambda_=1e-4, **options, **SHORT),
        [*zip(SEQUENCES, LABELS, strict=True)],
        of_sequences,
        BAD_LABELS,
        WARM,
    )


CHOSEN = {"n_units": 3, "n_embedding": 3, "min_count": 1}
SUBJECTS = {
    "rational": sequence_classifier(SparseRationalClassifier, n_wfsas=3, n_states=2),
    "max-plus": sequence_classifier(
        SparseRationalClassifier,
        n_wfsas=3,
        n_states=2,
        semiring="max-plus",
    ),
    "LSTM": sequence_classifier(SparseLSTMClassifier, n_units=3),
    "Bayesian LSTM": sequence_classifier(
        SparseLSTMClassifier, n_units=3, framework="bayes"
    ),
    "GRU": sequence_classifier(SparseGRUClassifier, n_units=3),
    "moduli": sequence_classifier(ModuliRNNClassifier, n_hidden=4),
    "regressor": Subject(
        lambda: ModuliRNNRegressor(n_hidden=4, lambda_=1e-4, **SHORT),
        [*zip(SEQUENCES, VALUES, strict=True)],
        lambda estimator, X: [estimator.predict(X), estimator.transform(X)],
        BAD_VALUES,
        OPTIONS,
    ),
    "cross-validated": Subject(
        lambda: SparseRationalClassifierCV(
            SparseRationalClassifier(n_wfsas=2, n_states=2, **SHORT),
            lambdas=[1e-4, 1e-3],
            cv=2,
            random_state=0,
        ),
        [*zip(SEQUENCES, LABELS, strict=True)],
        lambda estimator, X: [estimator.predict(X), estimator.predict_proba(X)],
        BAD_LABELS[:3],
        {"random_state": [0, 1], "refit": ["best", "one_se"]},
    ),
    "LSTM language model": Subject(
        lambda: SparseLSTMLanguageModel(lambda_=1e-4, **CHOSEN, **SHORT),
        [(texts,) for texts in TEXTS],
        of_language,
        [([],), ([1, 2],), ("a text",)],
        OPTIONS,
        alone=False,
    ),
    "moduli language model": Subject(
        lambda: ModuliRNNLanguageModel(
            n_hidden=4, n_embedding=3, min_count=1, lambda_=1e-4, **SHORT
        ),
        [(texts,) for texts in TEXTS],
        of_language,
        [([],), ([1, 2],), ("a text",)],
        OPTIONS,
        alone=False,
    ),
    "vectors": Subject(
        lambda: WordVectorizer(VECTORS),
        [(texts,) for texts in TEXTS],
        of_vectorizer,
        [([],), ([1, 2],), ("a text",)],
    ),
    "learned vectors": Subject(
        lambda: WordVectorizer(n_features=2, min_count=1),
        [(texts,) for texts in TEXTS],
        of_vectorizer,
        [([],), ([1, 2],), ("a text",)],
        {"n_features": [2, 3], "window": [2, 5]},
    ),
    "steps": Subject(
        lambda: TimeStepTransformer(scaler()),
        [(X,) for X in SEQUENCES],
        of_steps,
        [(NAN[:0],), ("a text",)],
    ),
}


def scaler():
    from sklearn.preprocessing import StandardScaler

    return StandardScaler()


def same(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.asarray(a).dtype == np.asarray(b).dtype


class Life(RuleBasedStateMachine):
    """What happens to an estimator."""

    subject: Subject

    @initialize(number=st.sampled_from([0, 1, None]))
    def begin(self, number):
        self.estimator = self.subject.make()
        self.fits: list[tuple[dict[str, Any], tuple[Any, ...]]] = []
        self.expected: list[list[Any]] = []
        if number is not None:
            self.fit(number)

    def seen(self, estimator):
        return [self.subject.outputs(estimator, data[0]) for data in self.subject.data]

    @rule(number=st.integers(0, 1))
    def fit_anew(self, number):
        self.fit(number)

    @precondition(lambda self: "warm_start" in self.subject.parameters)
    @rule(number=st.integers(0, 1), warm_start=st.booleans())
    def fit_on(self, number, warm_start):
        self.estimator.set_params(warm_start=warm_start)
        self.fit(number)

    def fit(self, number):
        data = self.subject.data[number]
        params = self.estimator.get_params(deep=False)
        goes_on = params.get("warm_start") and self.fits
        self.estimator.fit(*data)
        self.fits = [*(self.fits if goes_on else []), (params, data)]
        fresh = self.subject.make()
        for params, data in self.fits:
            fresh.set_params(**params).fit(*data)
        self.expected = self.seen(fresh)

    @rule(data=st.data())
    def set_a_parameter(self, data):
        if self.subject.parameters:
            name = data.draw(st.sampled_from(sorted(self.subject.parameters)))
            value = data.draw(st.sampled_from(self.subject.parameters[name]))
            self.estimator.set_params(**{name: value})
            assert self.estimator.get_params()[name] == value

    @rule(number=st.integers(0, 9))
    def fail(self, number):
        bad = self.subject.bad[number % len(self.subject.bad)]
        before = set(vars(self.estimator))
        with pytest.raises((ValueError, TypeError)):
            self.estimator.fit(*bad)
        assert set(vars(self.estimator)) == before

    @precondition(lambda self: self.subject.parameters)
    @rule()
    def fail_by_a_parameter(self):
        name = min(self.subject.parameters)
        value = self.estimator.get_params()[name]
        self.estimator.set_params(**{name: "no such thing"})
        with pytest.raises((ValueError, TypeError)):
            self.estimator.fit(*self.subject.data[0])
        self.estimator.set_params(**{name: value})

    @rule()
    def interrupt(self):
        class Stopped(Exception):
            pass

        class Stops:
            def __getattr__(self, name):
                raise Stopped

        with pytest.raises(Exception):  # noqa: B017
            self.estimator.fit(Stops(), *self.subject.data[0][1:])

    @rule(how=st.sampled_from(["pickle", "joblib", "copy"]))
    def copy(self, how):
        if how == "copy":
            self.estimator = deepcopy(self.estimator)
        elif how == "pickle":
            self.estimator = pickle.loads(pickle.dumps(self.estimator))
        else:
            joblib.hash(self.estimator)
            self.estimator = pickle.loads(pickle.dumps(self.estimator, 2))

    @rule()
    def clone(self):
        twin = clone(self.estimator)
        assert repr(twin) == repr(self.estimator)
        with pytest.raises((NotFittedError, AttributeError)):
            self.seen(twin)

    @precondition(lambda self: self.fits and self.subject.alone)
    @rule(i=st.integers(0, 8), number=st.integers(0, 1))
    def predict_one(self, i, number):
        X = self.subject.data[number][0]
        found = self.subject.outputs(self.estimator, X[i : i + 1])
        if self.subject.outputs is of_sequences:
            same(found, [values[i : i + 1] for values in self.expected[number]])

    @invariant()
    def predicts_what_is_expected(self):
        if self.fits:
            for found, expected in zip(
                self.seen(self.estimator), self.expected, strict=True
            ):
                same(found, expected)
                for values in found:
                    if np.asarray(values).dtype.kind == "f":
                        assert np.isfinite(values).all()


def live(subject: Subject, n_lives: int, n_steps: int) -> None:
    """Put estimators of a kind through so many lives."""
    kind = type("Life", (Life,), {"subject": subject})
    run_state_machine_as_test(
        kind,
        settings=settings(
            max_examples=n_lives,
            stateful_step_count=n_steps,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("name", SUBJECTS)
def test_lives(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        live(SUBJECTS[name], n_lives=6, n_steps=10)
