"""Documents with a number each, checked and predicted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array
from sklearn.utils.validation import column_or_1d

from skrational.inspection.explaining.summands import value_text
from skrational.inspection.model import Model
from skrational.reporting.documents import Documents, Training, read_pair, read_texts

__all__ = ["ValuedDocuments", "read_valued", "read_valued_training"]


@dataclass(frozen=True)
class ValuedDocuments(Documents):
    """Documents, and the numbers that the estimator predicts for them.

    Attributes
    ----------
    values : ndarray of shape (n,), float64, or None
        What is right.
    predicted : ndarray of shape (n,), float64
    """

    values: NDArray[np.float64] | None
    predicted: NDArray[np.float64]

    @property
    def has_targets(self) -> bool:
        """Whether there are values."""
        return self.values is not None

    @property
    def are_all_right(self) -> bool:
        """Whether all predictions are the values, to the last digit."""
        return self.values is not None and bool((self.values == self.predicted).all())

    def to_explain(self, n: int) -> list[int]:
        """The largest errors; without values, predictions far from their mean."""
        right = self.predicted.mean() if self.values is None else self.values
        off = np.abs(self.predicted - right)
        return np.argsort(-off, kind="stable")[:n].tolist()

    def told(self, i: int) -> str:
        """Say what is predicted for a document, and what its value is."""
        told = f"predicted {value_text(self.predicted[i])}"
        if self.values is not None:
            off = self.predicted[i] - self.values[i]
            side = "too high" if off > 0 else "too low"
            told += f", value {value_text(self.values[i])}"
            told += f", {value_text(abs(off))} {side}" if off else ""
        return f"{told}:"


def read_valued(estimator: Any, model: Model, texts: Any, y: Any) -> ValuedDocuments:
    """Check documents and values, and predict.

    Parameters
    ----------
    estimator : estimator
    model : Model
        The regressor in it, of one number.
    texts : sequence of documents
    y : array-like of shape (n,) or None

    Raises
    ------
    TypeError, ValueError
        If they aren't what the estimator reads, or don't fit together.
    """
    texts, n = read_texts(texts)
    return ValuedDocuments(
        texts=texts,
        sequences=model.read(texts),
        values=None if y is None else _values("y", y, n, "texts"),
        predicted=np.asarray(estimator.predict(texts), np.float64).reshape(n),
    )


def read_valued_training(train: Any, documents: ValuedDocuments) -> Training:
    """Check what was fitted on: a pair of documents and numbers."""
    texts, y, n = read_pair(train)
    return Training(texts, _values("the y of train", y, n, "the texts of train"))


def _values(name: str, y: Any, n: int, of: str) -> NDArray[np.float64]:
    """Read a finite number for each of n documents of what is named."""
    y = list(y) if isinstance(y, Iterator) else y
    try:
        values = column_or_1d(
            check_array(y, ensure_2d=False, dtype=np.float64, input_name=name)
        )
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"{name} is no number for each of the {n} documents of {of}: {error}"
        ) from error
    if len(values) != n:
        raise ValueError(f"{name} holds {len(values)} numbers and {of} {n} documents.")
    return values
