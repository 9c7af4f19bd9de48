"""Checks for estimators of sequences and of texts: what scikit-learn's never try."""

from skrational.testing._suite import (
    check_sequence_estimator,
    parametrize_with_sequence_checks,
    sequence_checks,
)
from skrational.utils.lazy import listing

__all__ = [
    "check_sequence_estimator",
    "parametrize_with_sequence_checks",
    "sequence_checks",
]

__dir__ = listing(__all__)
