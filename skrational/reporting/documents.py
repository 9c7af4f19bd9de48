"""The documents that a report is about, and those that the estimator learned from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples

from skrational.reporting.markup import short
from skrational.sequences import UNKNOWN, SequenceArray
from skrational.utils.cached import cached_property

__all__ = ["Documents", "Training", "read_pair", "read_texts"]

_UNKNOWN = (UNKNOWN, "[UNK]")


@dataclass(frozen=True)
class Documents(ABC):
    """Documents; what is predicted for them, and what is right, are a subclass's.

    Attributes
    ----------
    texts : sequence
        In the form that the estimator reads.
    sequences : SequenceArray
        What the classifier in it reads.
    """

    texts: Any
    sequences: SequenceArray

    def __len__(self) -> int:
        return len(self.sequences)

    @property
    @abstractmethod
    def has_targets(self) -> bool:
        """Whether it is known what is right."""

    @property
    @abstractmethod
    def are_all_right(self) -> bool:
        """Whether all predictions are known to be right."""

    @abstractmethod
    def to_explain(self, n: int) -> list[int]:
        """Return the documents to be explained, n at most."""

    @abstractmethod
    def told(self, i: int) -> str:
        """Say what is predicted for a document, and what is right."""

    @cached_property
    def are_texts(self) -> bool:
        """Whether each document is a string."""
        return _are_texts(self.texts)

    @property
    def share_unknown(self) -> float:
        """Share of the tokens that have no vector of their own."""
        X = self.sequences
        if X.labels is None or not X.n_tokens:
            return 0.0
        return float(np.isin(X.labels.astype(str), _UNKNOWN)[X.row_numbers()].mean())

    def take(self, positions: Sequence[int]) -> Any:
        """Return some documents, in the form that the estimator reads."""
        if isinstance(self.texts, SequenceArray):
            return self.texts[np.asarray(positions, dtype=np.intp)]
        return _safe_indexing(self.texts, list(positions))

    def first_words(self, i: int) -> str:
        """Return the beginning of a document, or how long it is."""
        if self.are_texts:
            return short(next(iter(self.take([i]))))
        return f"document {i}, {self.sequences.lengths[i]:,} tokens"


@dataclass(frozen=True)
class Training:
    """What the estimator was fitted on, as far as a report needs it.

    Attributes
    ----------
    texts : sequence
    targets : ndarray of shape (n,)
        Numbers of classes, or values.
    """

    texts: Any
    targets: NDArray[Any]

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def are_texts(self) -> bool:
        """Whether each document is a string."""
        return _are_texts(self.texts)

    def share_of(self, documents: Documents) -> float:
        """Share of the documents that were learned from, if all are texts."""
        if not (documents.are_texts and self.are_texts):
            return 0.0
        known = set(self.texts)
        return float(np.mean([text in known for text in documents.texts]))


def read_texts(texts: Any) -> tuple[Any, int]:
    """Read documents that can be gone through twice, and how many there are.

    Raises
    ------
    TypeError, ValueError
        If they are a single string, no sequence, or none.
    """
    texts = _listed("texts", texts)
    n = _num_samples(texts)
    if n == 0:
        raise ValueError("texts is empty; expected at least one document.")
    return texts, n


def read_pair(train: Any) -> tuple[Any, Any, int]:
    """Read what was fitted on: documents and targets, and how many documents.

    Raises
    ------
    TypeError, ValueError
        If it is no pair of these.
    """
    try:
        texts, y = train
    except (TypeError, ValueError):
        raise ValueError(
            f"train is a {type(train).__name__}; expected a pair (texts, y)."
        ) from None
    texts = _listed("the texts of train", texts)
    try:
        n = _num_samples(texts)
    except TypeError as error:
        raise ValueError(
            f"the texts of train are a {type(texts).__name__}; expected a sequence of "
            "documents."
        ) from error
    if n == 0:
        raise ValueError("train is empty; expected at least one document.")
    return texts, y, n


def _listed(name: str, texts: Any) -> Any:
    if isinstance(texts, (str, bytes)):
        raise TypeError(f"{name} is a string; expected a sequence of documents.")
    return list(texts) if isinstance(texts, Iterator) else texts


def _are_texts(texts: Any) -> bool:
    # A data frame would yield the names of its columns.
    if isinstance(texts, SequenceArray) or hasattr(texts, "columns"):
        return False
    return all(isinstance(text, str) for text in texts)
