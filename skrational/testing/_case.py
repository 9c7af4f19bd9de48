"""What an estimator is tried on: a few sequences, or texts, with fitting targets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier, is_regressor
from sklearn.utils import get_tags

from skrational.sequences import SequenceArray

__all__ = ["Case", "fresh", "is_of_texts", "named_random_state"]

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

    def fit(self, estimator: Any, X: Any = None, y: Any = None, **options: Any) -> Any:
        """Fit an untouched copy of an estimator; ``X`` and ``y`` may be others."""
        X = self.X if X is None else X
        y = self.y if y is None else y
        return fresh(estimator).fit(X, y, **options)

    def take(self, positions: Any) -> Any:
        """Take some of X, by their positions."""
        if isinstance(self.X, SequenceArray):
            return self.X[np.asarray(positions)]
        return [self.X[i] for i in positions]

    def __len__(self) -> int:
        return _N


def is_of_texts(estimator: Any) -> bool:
    """Whether an estimator reads texts, by its tag ``input_tags.string``."""
    return bool(get_tags(estimator).input_tags.string)


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
