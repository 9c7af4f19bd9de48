"""How good predictions are, and what to hold them against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

__all__ = ["Baseline", "Calibration", "Scores", "score"]

_BINS = 10
_LEAST_PROBABILITY = 1e-15


@dataclass(frozen=True)
class Baseline:
    """What another model reaches on the same documents, and what it is."""

    name: str
    accuracy: float
    macro_f1: float
    about: str


@dataclass(frozen=True)
class Calibration:
    """Whether probabilities are what they say.

    Attributes
    ----------
    log_loss : float
    error : float
        Expected calibration error of the predicted class, in ten bins of equal width.
    counts, confidences, accuracies : ndarray of shape (10,)
        Of each bin; NaN where a bin is empty.
    """

    log_loss: float
    error: float
    counts: NDArray[np.int64]
    confidences: NDArray[np.float64]
    accuracies: NDArray[np.float64]


@dataclass(frozen=True)
class Scores:
    """Scores of predictions on n documents.

    Attributes
    ----------
    names : tuple of str
        The classes, those of the model before others that the labels hold.
    n_known : int
        How many of them the model knows.
    accuracy, macro_f1 : float
        The mean of F1 is over the classes that occur among labels or predictions.
    error : float
        Standard error of the accuracy.
    precision, recall, f1 : ndarray of shape (n_classes,)
        0 where nothing is predicted, or there is nothing to find.
    support : ndarray of shape (n_classes,)
        How many documents are of each class.
    confusion : ndarray of shape (n_classes, n_classes)
        Rows are the labels, columns what was predicted.
    calibration : Calibration or None
    baselines : tuple of Baseline
    """

    names: tuple[str, ...]
    n_known: int
    accuracy: float
    macro_f1: float
    error: float
    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: NDArray[np.int64]
    confusion: NDArray[np.int64]
    calibration: Calibration | None
    baselines: tuple[Baseline, ...]

    @property
    def n(self) -> int:
        """Number of documents."""
        return int(self.support.sum())

    @property
    def told(self) -> str:
        """What a line says of them."""
        return f"accuracy {self.accuracy:.3f}"

    @property
    def headline(self) -> list[tuple[str, str]]:
        """Numbers for the head of a page, and what they are."""
        best = max(self.baselines, key=lambda baseline: baseline.accuracy)
        return [(f"{self.accuracy:.1%}", "right"), (f"{best.accuracy:.1%}", best.name)]

    @property
    def metrics(self) -> list[tuple[str, str, str]]:
        """Metrics of the Hugging Face hub: type, name and value."""
        return [
            ("accuracy", "Accuracy", f"{self.accuracy:.4f}"),
            ("f1", "Macro F1", f"{self.macro_f1:.4f}"),
        ]

    @property
    def tables(self) -> list[tuple[list[str], list[list[str]]]]:
        """Heads and rows of the tables of a model card."""
        models = [("this model", self.accuracy, self.macro_f1)]
        models += [(b.name, b.accuracy, b.macro_f1) for b in self.baselines]
        by_model = [[name, f"{a:.3f}", f"{f:.3f}"] for name, a, f in models]
        by_class = [
            [name, f"{p:.3f}", f"{r:.3f}", f"{f:.3f}", str(n)]
            for name, p, r, f, n in zip(
                self.names,
                self.precision,
                self.recall,
                self.f1,
                self.support,
                strict=True,
            )
        ]
        of_classes = ["class", "precision", "recall", "F1", "documents"]
        return [(["", "accuracy", "macro F1"], by_model), (of_classes, by_class)]


def score(
    names: Sequence[str],
    n_known: int,
    labels: NDArray[np.intp],
    predicted: NDArray[np.intp],
    probabilities: NDArray[Any] | None,
    baselines: Sequence[Baseline] = (),
) -> Scores:
    """Score predictions.

    Parameters
    ----------
    names : sequence of str
        Of the classes.
    n_known : int
        How many of them, the first ones, the model knows.
    labels, predicted : ndarray of shape (n,)
        Numbers of classes.
    probabilities : ndarray of shape (n, n_known) or None
    baselines : sequence of Baseline, default=()

    Returns
    -------
    Scores

    Examples
    --------
    >>> scores = score("ab", 2, np.array([0, 0, 1]), np.array([0, 1, 1]), None)
    >>> round(scores.accuracy, 3), scores.precision.tolist()
    (0.667, [1.0, 0.5])
    """
    numbers = np.arange(len(names))
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, predicted, labels=numbers, zero_division=0
    )
    accuracy = float(np.mean(labels == predicted))
    return Scores(
        names=tuple(names),
        n_known=n_known,
        accuracy=accuracy,
        macro_f1=float(f1_score(labels, predicted, average="macro", zero_division=0)),
        error=float(np.sqrt(accuracy * (1 - accuracy) / len(labels))),
        precision=precision,
        recall=recall,
        f1=f1,
        support=support,
        confusion=confusion_matrix(labels, predicted, labels=numbers),
        calibration=_calibration(labels, predicted, probabilities),
        baselines=tuple(baselines),
    )


def _calibration(
    labels: NDArray[np.intp],
    predicted: NDArray[np.intp],
    probabilities: NDArray[Any] | None,
) -> Calibration | None:
    """Compare confidence with accuracy, if every label has a probability."""
    if probabilities is None or labels.max() >= probabilities.shape[1]:
        return None
    rows = np.arange(len(labels))
    given = probabilities[rows, labels].astype(np.float64)
    confidence = probabilities[rows, predicted].astype(np.float64)
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    counts = np.bincount(bins, minlength=_BINS)
    with np.errstate(invalid="ignore"):
        confidences = np.bincount(bins, confidence, _BINS) / counts
        accuracies = np.bincount(bins, labels == predicted, _BINS) / counts
    gaps = np.abs(confidences - accuracies)[counts > 0]
    return Calibration(
        log_loss=float(-np.log(np.maximum(given, _LEAST_PROBABILITY)).mean()),
        error=float(gaps @ counts[counts > 0] / len(labels)),
        counts=counts,
        confidences=confidences,
        accuracies=accuracies,
    )
