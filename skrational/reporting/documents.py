"""The documents that a report is about, with their labels, checked and predicted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import _safe_indexing
from sklearn.utils.validation import _num_samples, column_or_1d

from skrational.inspection.model import Model
from skrational.sequences import UNKNOWN, SequenceArray
from skrational.utils.cached import cached_property
from skrational.utils.checks import is_missing

__all__ = ["Documents", "Training", "read_documents", "read_training"]

_UNKNOWN = (UNKNOWN, "[UNK]")


@dataclass(frozen=True)
class Documents:
    """Documents, and what the estimator predicts for them.

    Attributes
    ----------
    texts : sequence
        In the form that the estimator reads.
    sequences : SequenceArray
        What the classifier in it reads.
    classes : list
        Those of the estimator, then others that the labels hold.
    n_known : int
        How many of them the estimator knows.
    labels : ndarray of shape (n,), integer, or None
        Numbers of classes.
    predicted : ndarray of shape (n,), integer
    probabilities : ndarray of shape (n, n_known) or None
    """

    texts: Any
    sequences: SequenceArray
    classes: list[Any]
    n_known: int
    labels: NDArray[np.intp] | None
    predicted: NDArray[np.intp]
    probabilities: NDArray[Any] | None

    def __len__(self) -> int:
        return len(self.predicted)

    @property
    def names(self) -> tuple[str, ...]:
        """The classes as text."""
        return tuple(str(label) for label in self.classes)

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

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Probability of what is predicted; 1 where there are none."""
        if self.probabilities is None:
            return np.ones(len(self))
        chosen = self.probabilities[np.arange(len(self)), self.predicted]
        return chosen.astype(np.float64)

    def take(self, positions: Sequence[int]) -> Any:
        """Return some documents, in the form that the estimator reads."""
        if isinstance(self.texts, SequenceArray):
            return self.texts[np.asarray(positions, dtype=np.intp)]
        return _safe_indexing(self.texts, list(positions))


@dataclass(frozen=True)
class Training:
    """What the estimator was fitted on, as far as a report needs it."""

    texts: Any
    labels: NDArray[np.intp]

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


def read_documents(estimator: Any, model: Model, texts: Any, y: Any) -> Documents:
    """Check documents and labels, and predict.

    Parameters
    ----------
    estimator : estimator
    model : Model
        The classifier in it.
    texts : sequence of documents
    y : array-like of shape (n,) or None

    Raises
    ------
    TypeError, ValueError
        If they aren't what the estimator reads, or don't fit together.
    """
    texts = _listed("texts", texts)
    n = _num_samples(texts)
    if n == 0:
        raise ValueError("texts is empty; expected at least one document.")
    known = np.asarray(getattr(estimator, "classes_", model.classes))
    classes = known.tolist()
    labels = None if y is None else _codes("y", y, n, classes, "texts")
    if labels is not None and (labels >= len(known)).all():
        raise ValueError(
            f"y holds none of the classes {known.tolist()}, but "
            f"{classes[len(known) :][:5]}; expected labels as they were in fit."
        )
    sequences = model.read(texts)
    proba = getattr(estimator, "predict_proba", None)
    predictions = np.asarray(estimator.predict(texts)).tolist()
    number = {label: i for i, label in enumerate(classes)}
    return Documents(
        texts=texts,
        sequences=sequences,
        classes=classes,
        n_known=len(known),
        labels=labels,
        predicted=np.array([number[label] for label in predictions], dtype=np.intp),
        probabilities=None if proba is None else np.asarray(proba(texts)),
    )


def read_training(train: Any, classes: list[Any]) -> Training | None:
    """Check what was fitted on: a pair of documents and labels, or None."""
    if train is None:
        return None
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
    labels = _codes("the y of train", y, n, list(classes), "the texts of train")
    if labels.max() >= len(classes):
        raise ValueError(
            f"the y of train holds a class that is neither the model's nor in y; the "
            f"model knows {classes}."
        )
    return Training(texts, labels)


def _listed(name: str, texts: Any) -> Any:
    """Return documents that can be gone through twice."""
    if isinstance(texts, (str, bytes)):
        raise TypeError(f"{name} is a string; expected a sequence of documents.")
    return list(texts) if isinstance(texts, Iterator) else texts


def _codes(name: str, y: Any, n: int, classes: list[Any], of: str) -> NDArray[np.intp]:
    """Number labels by their place in ``classes``, which takes in others.

    Parameters
    ----------
    name : str
        Of the parameter, for messages.
    y : array-like of shape (n,)
    n : int
    classes : list
        Extended in place.
    of : str
        What the labels are of, for messages.
    """
    listed = list(y) if isinstance(y, Iterator) else y
    try:
        labels = column_or_1d(np.asarray(listed), warn=False).tolist()
    except ValueError as error:
        raise ValueError(
            f"{name} is no label for each of the {n} documents of {of}: {error}"
        ) from error
    if len(labels) != n:
        raise ValueError(f"{name} holds {len(labels)} labels and {of} {n} documents.")
    missing = [i for i, label in enumerate(labels) if is_missing(label)]
    if missing:
        raise ValueError(
            f"{name} holds {len(missing)} missing labels, the first at {missing[0]}; "
            "expected a class for each document."
        )
    number = {label: i for i, label in enumerate(classes)}
    for label in labels:
        if label not in number:
            number[label] = len(classes)
            classes.append(label)
    return np.array([number[label] for label in labels], dtype=np.intp)


def _are_texts(texts: Any) -> bool:
    # A data frame would yield the names of its columns.
    if isinstance(texts, SequenceArray) or hasattr(texts, "columns"):
        return False
    return all(isinstance(text, str) for text in texts)
