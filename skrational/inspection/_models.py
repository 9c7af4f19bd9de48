"""The classifier in whatever was handed over, and what it reads of the input."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import _check_feature_names, check_is_fitted

from skrational.sequences import SequenceArray, as_sequences, check_finite
from skrational.structures.automata import WeightedAutomata

__all__ = ["Model", "check_count", "check_wfsa", "open_model", "token_names"]


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

    @contextmanager
    def without_names(self) -> Iterator[None]:
        """Let the classifier predict from sequences without a word on column names.

        `read` has compared them.
        """
        with warnings.catch_warnings():
            if hasattr(self.classifier, "feature_names_in_"):
                warnings.filterwarnings("ignore", "X does not have valid feature names")
            yield

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
    found = estimator
    while not hasattr(type(found), "automata_"):
        if isinstance(found, Pipeline):
            # A step may be None or "passthrough".
            steps += [
                step for _, step in found.steps[:-1] if hasattr(step, "transform")
            ]
            found = found.steps[-1][1]
        elif hasattr(found, "best_estimator_"):
            found = found.best_estimator_
        else:
            if hasattr(found, "fit") and hasattr(found, "estimator"):
                check_is_fitted(found)  # a search says that it isn't fitted
                raise TypeError(
                    f"estimator is a {type(found).__name__} without best_estimator_; "
                    "expected a search with refit=True, or another estimator."
                )
            raise TypeError(
                f"estimator is a {type(estimator).__name__}; expected a fitted "
                "SparseRationalClassifier, a Pipeline that ends with one, or a search "
                "over either."
            )
    check_is_fitted(found)
    return Model(found, tuple(steps), found.automata_)


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
    if not isinstance(wfsa, int | np.integer) or isinstance(wfsa, bool):
        raise TypeError(f"wfsa is {wfsa!r}; expected an integer.")
    if not 0 <= wfsa < model.automata.n_wfsas:
        raise ValueError(
            f"wfsa is {wfsa}; expected 0 to {model.automata.n_wfsas - 1}, a column of "
            "coef_."
        )
    return int(wfsa)


def check_count(name: str, value: Any, least: int = 1) -> int:
    """Return a parameter if it is an integer from ``least`` upwards.

    Raises
    ------
    ValueError
        If it isn't.
    """
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least:
        raise ValueError(
            f"{name} is {value!r}; expected an integer from {least} upwards."
        )
    return int(value)


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
