"""Which estimators paths can be fitted for: those whose structure is learned."""

from __future__ import annotations

from typing import Any

from sklearn.base import clone

from skrational.estimators._sparse_classifier import SparseSequenceClassifier

__all__ = ["check_estimator", "template_of"]


def check_estimator(estimator: Any, hint: str = "") -> SparseSequenceClassifier:
    """Return the estimator if it is of the family, and lambda_ decides its size.

    Raises
    ------
    TypeError
        If it isn't; the message ends with the hint.
    ValueError
        If something else decides how large it becomes.
    """
    if not isinstance(estimator, SparseSequenceClassifier):
        raise TypeError(
            "estimator must be a classifier that learns its structure, such as a "
            f"SparseRationalClassifier; got {type(estimator).__name__}.{hint}"
        )
    if reason := estimator._fixed_size():
        raise ValueError(f"There is no path over lambda_: {reason}")
    return estimator


def template_of(estimator: SparseSequenceClassifier) -> SparseSequenceClassifier:
    """Clone an estimator that is going to be fitted anew each time."""
    template = clone(estimator)
    if "warm_start" in template.get_params():
        template.set_params(warm_start=False)
    return template
