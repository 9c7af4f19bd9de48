"""The classifier in whatever was handed over: what it reads, and what it predicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import _check_feature_names, check_is_fitted

from skrational.sequences import SequenceArray, as_sequences, check_finite
from skrational.structures.automata import WeightedAutomata
from skrational.utils.checks import is_integer

__all__ = ["Model", "Scored", "check_wfsa", "log_odds", "open_model", "token_names"]


class Scored(NamedTuple):
    """What a classifier computes of n documents, as its own methods return it.

    Attributes
    ----------
    scores : ndarray of shape (n, d)
        Of each WFSA, in the classifier's precision.
    logits : ndarray of shape (n, n_outputs), float64
    probabilities : ndarray of shape (n, n_classes)
    predictions : ndarray of shape (n,)
        The most probable classes.
    """

    scores: NDArray[np.floating]
    logits: NDArray[np.float64]
    probabilities: NDArray[np.floating]
    predictions: NDArray[Any]


@dataclass(frozen=True)
class Model:
    """A fitted classifier, and what turns raw input into its sequences.

    Attributes
    ----------
    classifier : estimator
        Whose ``automata_`` are read.
    vectorizers : tuple of transformers
        The steps before it, in order; empty without a pipeline.
    automata : WeightedAutomata
    """

    classifier: Any
    vectorizers: tuple[Any, ...]
    automata: WeightedAutomata

    def read(self, X: Any) -> SequenceArray:
        """Turn documents into what the classifier reads.

        A SequenceArray is that already, also where the classifier ends a pipeline.
        """
        if not isinstance(X, SequenceArray):
            if isinstance(X, str):
                raise TypeError(
                    "X is a string; expected a sequence of documents: put it in a list."
                )
            for vectorizer in self.vectorizers:
                X = vectorizer.transform(X)
            if hasattr(self.classifier, "feature_names_in_"):
                _check_feature_names(self.classifier, X, reset=False)
        sequences = as_sequences(X)
        expected = self.automata.W_u.shape[1]
        if sequences.n_features != expected:
            raise ValueError(
                f"X has {sequences.n_features} features, but "
                f"{type(self.classifier).__name__} was fitted with {expected}."
            )
        if len(sequences) == 0:
            raise ValueError("X is empty: found 0 documents, expected at least 1.")
        check_finite(sequences)
        return sequences

    def predict(self, X: SequenceArray) -> Scored:
        """Score documents once, and derive from the scores all that is predicted.

        These are the steps of the classifier's public methods, less their checks, which
        `read` has made.
        """
        classifier = self.classifier
        scores = classifier._scores(X)
        logits = classifier._readout(scores)
        return Scored(
            scores,
            logits,
            classifier._probabilities(logits),
            classifier._most_probable(logits),
        )

    def require_automata(self) -> None:
        """Raise a ValueError if no automaton is left."""
        if self.automata.n_wfsas == 0:
            raise ValueError(
                f"{type(self.classifier).__name__} has no WFSA left to read: lambda_ "
                "removed every state. Fit with a lower lambda_."
            )


def open_model(estimator: Any) -> Model:
    """Find the classifier in an estimator.

    Parameters
    ----------
    estimator : SparseRationalClassifier, Pipeline or search
        A fitted classifier with ``automata_``, a pipeline that ends with one, or a
        search (``best_estimator_``) over either.

    Returns
    -------
    Model

    Raises
    ------
    NotFittedError
        If it isn't fitted.
    TypeError
        If there is no such classifier in it.
    """
    steps: list[Any] = []
    inner = estimator
    while not hasattr(type(inner), "automata_"):
        if isinstance(inner, Pipeline):
            # A step may be None or "passthrough".
            steps += [
                step for _, step in inner.steps[:-1] if hasattr(step, "transform")
            ]
            inner = inner.steps[-1][1]
        elif hasattr(inner, "best_estimator_"):
            inner = inner.best_estimator_
        else:
            if hasattr(inner, "fit") and hasattr(inner, "estimator"):
                check_is_fitted(inner)  # a search says that it isn't fitted
                raise TypeError(
                    f"estimator is a {type(inner).__name__} without best_estimator_; "
                    "expected a search with refit=True, or another estimator."
                )
            raise TypeError(
                f"estimator is a {type(estimator).__name__}; expected a fitted "
                "SparseRationalClassifier, a Pipeline that ends with one, or a search "
                "over either."
            )
    check_is_fitted(inner)
    return Model(inner, tuple(steps), inner.automata_)


def check_wfsa(model: Model, wfsa: Any) -> int:
    """Return the position of a WFSA among those that are left, if there is one.

    Raises
    ------
    ValueError
        If the number is out of range, or no WFSA is left.
    TypeError
        If it isn't an integer.
    """
    model.require_automata()
    if not is_integer(wfsa):
        raise TypeError(f"wfsa is {wfsa!r}; expected an integer.")
    if not 0 <= wfsa < model.automata.n_wfsas:
        raise ValueError(
            f"wfsa is {wfsa}; expected 0 to {model.automata.n_wfsas - 1}, a column of "
            "coef_."
        )
    return int(wfsa)


def log_odds(
    logits: NDArray[np.float64], classes: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Return the log-odds of a class against all others.

    Parameters
    ----------
    logits : ndarray of shape (n, n_outputs)
        Of the second class where there are two classes, else of each class.
    classes : ndarray of shape (n,)
        Number of the class, for each row.

    Returns
    -------
    ndarray of shape (n,)
    """
    if logits.shape[1] == 1:
        return np.where(classes == 1, logits[:, 0], -logits[:, 0])
    places = np.arange(len(logits))
    others = logits.copy()
    others[places, classes] = -np.inf
    return logits[places, classes] - logsumexp(others, axis=1)


def token_names(X: SequenceArray) -> Callable[[int], list[str]]:
    """Names of the tokens of a document: labels or, without them, positions.

    Returns
    -------
    callable
        From the number of a document to its tokens as str.
    """

    def of_labels(i: int) -> list[str]:
        return [str(label) for label in X.labels[X.rows(i)]]  # type: ignore[index]

    def of_positions(i: int) -> list[str]:
        return [f"#{t}" for t in range(int(X.lengths[i]))]

    return of_positions if X.labels is None else of_labels
