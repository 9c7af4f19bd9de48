"""The readout of a fitted classifier, learned again while all else stays."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.validation import column_or_1d

from skrational.sequences import SequenceArray
from skrational.training.calibration import fit_temperature
from skrational.utils.callers import caller_level
from skrational.utils.checks import is_missing

__all__ = ["check_labels", "refit_readout"]

_N_FOLDS = 5


def check_labels(classifier: Any, y: Any) -> None:
    """Raise a ValueError if labels aren't those of a classifier, each at least once."""
    if classifier.coef_.shape[1] == 0:
        raise ValueError(
            f"{type(classifier).__name__} has no hidden unit left, and so no readout "
            "to fit: lambda_ removed every state."
        )
    labels = column_or_1d(np.asarray(y), warn=False).tolist()
    if any(map(is_missing, labels)):
        raise ValueError("y holds missing values; expected a label for each document.")
    classes = classifier.classes_.tolist()
    if others := [label for label in dict.fromkeys(labels) if label not in classes]:
        raise ValueError(
            f"y holds {others[:5]}, but the classes are {classes}: they can't become "
            "others. Fit a new estimator."
        )
    _check_all_there(classes, set(labels), "label")


def _check_all_there(classes: list[Any], there: set[Any], what: str) -> None:
    missing = [label for label in classes if label not in there]
    if missing:
        raise ValueError(
            f"y has no {what} of {missing[:5]}; the readout is fitted on documents of "
            f"each of the classes {classes}."
        )


def refit_readout(
    classifier: Any, X: SequenceArray, y: Any, sample_weight: Any
) -> dict[str, Any]:
    """Fit the readout of a classifier to labels of sequences.

    Parameters
    ----------
    classifier : estimator
        Fitted, a classifier of this package.
    X : SequenceArray
    y : array-like of shape (n,)
    sample_weight : array-like of shape (n,) or None

    Returns
    -------
    dict
        The fitted attributes that change.
    """
    labelled = classifier._read_training(X, y, sample_weight).with_weight()
    classes = classifier.classes_.tolist()
    there = labelled.classes[np.unique(labelled.codes)].tolist()
    _check_all_there(classes, set(there), "document of positive weight")
    scores = classifier._finite_scores(labelled.X).astype(np.float64)
    codes, weights = labelled.codes, labelled.weights
    coef, intercept = fit_readout(scores, codes, weights)
    dtype, temperature = classifier.coef_.dtype, 1.0
    if getattr(classifier, "calibration", None) == "temperature":
        temperature = _temperature(scores, codes, weights)
    return {
        "coef_": coef.astype(dtype),
        "intercept_": intercept.astype(dtype),
        "temperature_": temperature,
    }


def fit_readout(
    scores: NDArray[np.float64],
    codes: NDArray[np.intp],
    weights: NDArray[np.floating],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit a logistic regression, with an L2 penalty, to scores that are scaled alike.

    Parameters
    ----------
    scores : ndarray of shape (n, d)
    codes : ndarray of shape (n,)
        Numbers of the classes.
    weights : ndarray of shape (n,)

    Returns
    -------
    coef : ndarray of shape (n_outputs, d)
    intercept : ndarray of shape (n_outputs,)
        Of the scores as they are.
    """
    mean = np.average(scores, axis=0, weights=weights)
    deviation = np.sqrt(np.average((scores - mean) ** 2, axis=0, weights=weights))
    scale = np.where(deviation > 0, deviation, 1.0)
    regression = LogisticRegression(C=1.0, tol=1e-8, max_iter=10_000)
    regression.fit((scores - mean) / scale, codes, sample_weight=weights)
    coef = regression.coef_ / scale
    return coef, regression.intercept_ - coef @ mean


def _temperature(
    scores: NDArray[np.float64],
    codes: NDArray[np.intp],
    weights: NDArray[np.floating],
) -> float:
    """Fit the temperature to what readouts say of documents that they did not see.

    The parameters are those of `fit_readout`.
    """
    rarest = int(np.bincount(codes).min())
    if rarest < 2:
        warnings.warn(
            "calibration='temperature' needs two documents of each class: temperature_ "
            "stays 1.",
            UserWarning,
            stacklevel=caller_level(),
        )
        return 1.0
    n_classes = int(codes.max()) + 1
    logits = np.empty((len(codes), 1 if n_classes == 2 else n_classes))
    folds = StratifiedKFold(min(_N_FOLDS, rarest), shuffle=True, random_state=0)
    for fitted, left_out in folds.split(scores, codes):
        coef, intercept = fit_readout(scores[fitted], codes[fitted], weights[fitted])
        logits[left_out] = scores[left_out] @ coef.T + intercept
    return fit_temperature(logits, codes, weights)
