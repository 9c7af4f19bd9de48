"""Which estimators paths can be fitted for: those whose structure is learned."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone

from skrational.estimators._sparse import SparseSequenceEstimator
from skrational.estimators._sparse_classifier import SparseSequenceClassifier
from skrational.estimators.rational_regressor import SparseRationalRegressor

__all__ = ["FAMILY", "check_estimator", "template_of"]

FAMILY = (SparseSequenceClassifier, SparseRationalRegressor)
"""What learns its structure, and predicts one thing of a whole sequence."""


def check_estimator(estimator: Any, hint: str = "") -> SparseSequenceEstimator:
    """Return the estimator if it is of the family, and lambda_ decides its size.

    Raises
    ------
    TypeError
        If it isn't; the message ends with the hint.
    ValueError
        If something else decides how large it becomes.
    """
    if not isinstance(estimator, FAMILY):
        raise TypeError(
            "estimator must be a classifier that learns its structure, such as a "
            "SparseRationalClassifier, or a SparseRationalRegressor; got "
            f"{type(estimator).__name__}.{hint}"
        )
    if reason := estimator._fixed_size():
        raise ValueError(f"There is no path over lambda_: {reason}")
    return estimator


def template_of(estimator: SparseSequenceEstimator) -> SparseSequenceEstimator:
    """Clone an estimator that is going to be fitted anew each time."""
    template = clone(estimator)
    if "warm_start" in template.get_params():
        template.set_params(warm_start=False)
    return template
