"""What an estimator is tried on: a few sequences, or texts, with fitting targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.utils import get_tags

from skrational.sequences import SequenceArray

__all__ = ["Case", "fit", "form_of", "fresh", "is_of_texts", "named_random_state"]

_WORDS = "a the not very good bad tea book worth it".split()
_N = 24


@dataclass(frozen=True)
class Case:
    """Data for an estimator.

    Attributes
    ----------
    X : SequenceArray or list of str
        Numbers are exact in half precision. Every second sequence holds what tells the
        classes apart; lengths are 1 to 6.
    y : ndarray of shape (n,) or None
        Classes 0 and 1, numbers, or None where nothing is learned from targets.
    """

    X: Any
    y: NDArray[Any] | None

    @classmethod
    def of(cls, estimator: Any) -> Case:
        """Choose data by the tags of an estimator."""
        is_positive = np.arange(_N) % 2
        X = _texts(is_positive) if is_of_texts(estimator) else _sequences(is_positive)
        if is_classifier(estimator):
            return cls(X, is_positive)
        if is_regressor(estimator) or get_tags(estimator).target_tags.required:
            return cls(X, is_positive + np.arange(_N) / 16)
        return cls(X, None)

    def fit(
        self,
        estimator: Any,
        X: Any = None,
        y: Any = None,
        told: str | None = None,
        **options: Any,
    ) -> Any:
        """Fit an untouched copy of an estimator.

        ``X`` and ``y`` may be others; ``told`` says in messages what is done, and
        ``options`` (``sample_weight``) go to ``fit``.
        """
        X = self.X if X is None else X
        y = self.y if y is None else y
        return fit(fresh(estimator), X, y, told, **options)

    def take(self, positions: Any) -> Any:
        """Take some of X, by their positions."""
        if isinstance(self.X, SequenceArray):
            return self.X[np.asarray(positions)]
        return [self.X[i] for i in positions]

    def __len__(self) -> int:
        return _N


def fit(estimator: Any, X: Any, y: Any, told: str | None = None, **options: Any) -> Any:
    """Fit an estimator itself, and ask that ``fit`` returns it."""
    told = told or form_of(X)
    try:
        returned = estimator.fit(X, y, **options)
    except Exception as error:
        raise AssertionError(
            f"{told}: fit raised {type(error).__name__}: {error}"
        ) from error
    if returned is not estimator:
        kind = type(returned).__name__
        what = "None" if returned is None else f"another object (of type {kind})"
        raise AssertionError(
            f"{told}: fit returned {what}; it must return the estimator itself."
        )
    return estimator


def form_of(X: Any) -> str:
    """Say in a message what X is, where nothing more is known."""
    return f"X as {type(X).__name__}"


def is_of_texts(estimator: Any) -> bool:
    """Whether an estimator reads texts, by the tag ``input_tags.string``.

    Not all that pass X on to others have their tags: those are asked, too.
    """
    if get_tags(estimator).input_tags.string:
        return True
    return any(map(is_of_texts, _readers(estimator)))


def _readers(estimator: Any) -> list[Any]:
    """Return the parts of an estimator that read X as it gets it."""
    if isinstance(estimator, Pipeline):
        parts = [step for _, step in estimator.steps if hasattr(step, "fit")][:1]
    elif isinstance(estimator, FeatureUnion):
        parts = [part for _, part in estimator.transformer_list]
    else:
        parts = [getattr(estimator, "estimator", None)]
    return [p for p in parts if hasattr(p, "fit") and not isinstance(p, type)]


def named_random_state(estimator: Any) -> dict[str, int]:
    """Return parameters with which all that is drawn follows from a number."""
    return {
        name: 0
        for name, value in estimator.get_params(deep=True).items()
        if name.split("__")[-1] == "random_state" and value is None
    }


def fresh(estimator: Any) -> Any:
    """Copy an estimator without what it has learned."""
    twin = clone(estimator)
    return twin.set_params(**named_random_state(twin))


def _sequences(is_positive: NDArray[Any]) -> SequenceArray:
    rng = np.random.default_rng(0)
    features = np.round(8 * rng.normal(size=(12, 5))) / 8
    features[:3, 0] = 3.0
    documents = [rng.integers(3, 12, 1 + i % 6) for i in range(_N)]
    for document, positive in zip(documents, is_positive, strict=True):
        if positive:
            document[rng.integers(len(document))] = rng.integers(3)
    offsets = np.cumsum([0, *map(len, documents)])
    return SequenceArray(features, offsets, np.concatenate(documents))


def _texts(is_positive: NDArray[Any]) -> list[str]:
    rng = np.random.default_rng(0)
    texts = []
    for i, positive in enumerate(is_positive):
        words = [_WORDS[k] for k in rng.integers(0, len(_WORDS), 1 + i % 6)]
        texts.append(" ".join([*words, "good" if positive else "bad"]))
    return texts
