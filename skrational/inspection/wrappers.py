"""Estimators around a classifier that decide otherwise, and what they make of it."""

from __future__ import annotations

from copy import copy
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import (
    FixedThresholdClassifier,
    TunedThresholdClassifierCV,
)

__all__ = ["Predicted", "Verdict", "inner_of", "verdicts"]

_THRESHOLDS = (FixedThresholdClassifier, TunedThresholdClassifierCV)


class Verdict(NamedTuple):
    """What an estimator around the classifier says of a document.

    Attributes
    ----------
    prediction : object
        The class that it predicts.
    probabilities : ndarray of shape (n_classes,)
    threshold : float or None
        What ``response`` has to reach for the class ``positive``; None of an estimator
        that calibrates.
    positive : object
    response : str
        "p", "logit" or empty.
    """

    prediction: Any
    probabilities: NDArray[np.floating]
    threshold: float | None = None
    positive: Any = None
    response: str = ""


class Predicted(ClassifierMixin, BaseEstimator):
    """A classifier in whose place its predictions for some documents stand.

    Parameters
    ----------
    classes_ : ndarray of shape (n_classes,)
    logits : ndarray of shape (n, n_outputs)
    probabilities : ndarray of shape (n, n_classes)
    predictions : ndarray of shape (n,)
    """

    def __init__(
        self,
        classes_: NDArray[Any],
        logits: NDArray[np.float64],
        probabilities: NDArray[np.floating],
        predictions: NDArray[Any],
    ) -> None:
        self.classes_ = classes_
        self.logits = logits
        self.probabilities = probabilities
        self.predictions = predictions

    def fit(self, X: Any, y: Any = None) -> Predicted:
        """Do nothing: it is fitted."""
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the logits, whatever X is."""
        return self.logits[:, 0] if self.logits.shape[1] == 1 else self.logits

    def predict_proba(self, X: Any) -> NDArray[np.floating]:
        """Return the probabilities, whatever X is."""
        return self.probabilities

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the predictions, whatever X is."""
        return self.predictions


def inner_of(outer: Any) -> Any | None:
    """Return what an estimator that calibrates, or has a threshold, is fitted around.

    None of any other estimator, and of one that holds several.
    """
    if isinstance(outer, _THRESHOLDS):
        if isinstance(outer, FixedThresholdClassifier):
            return getattr(outer, "estimator_", outer.estimator)
        return getattr(outer, "estimator_", None)
    if isinstance(outer, CalibratedClassifierCV):
        fitted = getattr(outer, "calibrated_classifiers_", [])
        # One that was frozen is the same in every fold.
        if len({id(one.estimator) for one in fitted}) == 1:
            return fitted[0].estimator
    return None


def verdicts(
    wrappers: tuple[Any, ...], classifier: Predicted
) -> list[tuple[Verdict, ...]]:
    """What each of several estimators around a classifier says of each document.

    Parameters
    ----------
    wrappers : tuple of estimators
        As `inner_of` knows them, the outermost first.
    classifier : Predicted
        n documents.

    Returns
    -------
    list of tuple of Verdict
        One tuple for each document, that of the innermost estimator first.
    """
    inner: Any = classifier
    n, of_wrappers = len(classifier.predictions), []
    nothing = np.empty((n, 1))
    for wrapper in reversed(wrappers):
        inner = _around(wrapper, inner)
        threshold = _threshold(inner) if isinstance(inner, _THRESHOLDS) else ()
        predictions, probabilities = (
            inner.predict(nothing),
            inner.predict_proba(nothing),
        )
        of_wrappers.append(
            [Verdict(predictions[i], probabilities[i], *threshold) for i in range(n)]
        )
    return list(zip(*of_wrappers, strict=True)) if of_wrappers else [()] * n


def _around(wrapper: Any, inner: Any) -> Any:
    """Copy an estimator, with another one inside."""
    outer = copy(wrapper)
    if isinstance(wrapper, _THRESHOLDS):
        outer.estimator_ = inner
        return outer
    outer.calibrated_classifiers_ = [copy(c) for c in wrapper.calibrated_classifiers_]
    for calibrated in outer.calibrated_classifiers_:
        calibrated.estimator = inner
    return outer


def _threshold(outer: Any) -> tuple[float, Any, str]:
    """The threshold, the class that it's for, and what is held against it."""
    inner = outer.estimator_
    by_logit = outer.response_method == "decision_function"
    threshold = getattr(outer, "best_threshold_", None)
    if threshold is None:
        threshold = outer.threshold
    if threshold == "auto":
        threshold = 0.0 if by_logit else 0.5
    positive = getattr(outer, "pos_label", None)
    scorer = getattr(outer, "_curve_scorer", None)
    if scorer is not None:
        positive = scorer._get_pos_label()
    positive = inner.classes_[1] if positive is None else positive
    return float(threshold), positive, "logit" if by_logit else "p"
