"""Documents with labels, checked and predicted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import column_or_1d

from skrational.inspection.model import Model
from skrational.reporting.documents import Documents, Training, read_pair, read_texts
from skrational.utils.checks import is_missing

__all__ = ["LabelledDocuments", "read_labelled", "read_labelled_training"]


@dataclass(frozen=True)
class LabelledDocuments(Documents):
    """Documents, and the classes that the estimator predicts for them.

    Attributes
    ----------
    classes : list
        Those of the estimator, then others that the labels hold.
    n_known : int
        How many of them the estimator knows.
    labels : ndarray of shape (n,), integer, or None
        Numbers of classes.
    predicted : ndarray of shape (n,), integer
    probabilities : ndarray of shape (n, n_known) or None
    """

    classes: list[Any]
    n_known: int
    labels: NDArray[np.intp] | None
    predicted: NDArray[np.intp]
    probabilities: NDArray[Any] | None

    @property
    def names(self) -> tuple[str, ...]:
        """The classes as text."""
        return tuple(str(label) for label in self.classes)

    @property
    def confidence(self) -> NDArray[np.float64]:
        """Probability of what is predicted; 1 where there are none."""
        if self.probabilities is None:
            return np.ones(len(self))
        chosen = self.probabilities[np.arange(len(self)), self.predicted]
        return chosen.astype(np.float64)

    @property
    def has_targets(self) -> bool:
        """Whether there are labels."""
        return self.labels is not None

    @property
    def are_all_right(self) -> bool:
        """Whether all predictions are the labels."""
        if self.labels is None:
            return False
        return bool((self.labels == self.predicted).all())

    def to_explain(self, n: int) -> list[int]:
        """The most confident mistakes; without labels, the least confident ones."""
        confidence = self.confidence
        if self.labels is None:
            return np.argsort(confidence, kind="stable")[:n].tolist()
        wrong = np.flatnonzero(self.labels != self.predicted)
        return wrong[np.argsort(-confidence[wrong], kind="stable")][:n].tolist()

    def told(self, i: int) -> str:
        """Say what is predicted for a document, and what its label is."""
        told = f"predicted {self.names[self.predicted[i]]}"
        if self.probabilities is not None:
            told += f" ({_probability(self.confidence[i])})"
        if self.labels is not None:
            told += f", labelled {self.names[self.labels[i]]}"
        return f"{told}:"


def read_labelled(
    estimator: Any, model: Model, texts: Any, y: Any
) -> LabelledDocuments:
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
    texts, n = read_texts(texts)
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
    return LabelledDocuments(
        texts=texts,
        sequences=sequences,
        classes=classes,
        n_known=len(known),
        labels=labels,
        predicted=np.array([number[label] for label in predictions], dtype=np.intp),
        probabilities=None if proba is None else np.asarray(proba(texts)),
    )


def read_labelled_training(train: Any, documents: LabelledDocuments) -> Training:
    """Check what was fitted on: a pair of documents and labels."""
    texts, y, n = read_pair(train)
    classes = documents.classes
    labels = _codes("the y of train", y, n, list(classes), "the texts of train")
    if labels.max() >= len(classes):
        raise ValueError(
            f"the y of train holds a class that is neither the model's nor in y; the "
            f"model knows {classes}."
        )
    return Training(texts, labels)


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
    y = list(y) if isinstance(y, Iterator) else y
    try:
        labels = column_or_1d(np.asarray(y), warn=False).tolist()
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


def _probability(p: float) -> str:
    return "p > .999" if p > 0.999 else f"p = {p:.3f}"
