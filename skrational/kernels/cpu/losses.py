"""Losses with their gradients, in one pass over the outputs."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.utils.compile import part

__all__ = ["CLASSES", "LABELS", "VALUES", "Targets", "mean_loss"]

CLASSES, LABELS, VALUES = 0, 1, 2
"""Negative log-likelihood of exclusive classes, and of independent labels; and squared
distance."""


class Targets(NamedTuple):
    """What the outputs of a batch are held against.

    Attributes
    ----------
    kind : int
        CLASSES, LABELS or VALUES.
    values : ndarray of shape (B, 1) or (B, n_outputs)
        The number of the class, of type int64; or a value for each output.
    weights : ndarray of shape (B,)
    """

    kind: int
    values: NDArray[Any]
    weights: NDArray[Any]


@part
def mean_loss(outputs, targets, gradient):  # type: ignore[no-untyped-def]
    """Weighted mean of the losses over the examples.

    Parameters
    ----------
    outputs : ndarray of shape (B, n_outputs)
        Two classes have one, the logit of the second.
    targets : Targets
    gradient : ndarray of shape (B, n_outputs)
        Filled.

    Returns
    -------
    float
    """
    kind, values, weights = targets
    n, n_outputs = outputs.shape
    number = outputs.dtype.type
    total = 0.0
    for b in range(n):
        weight = weights[b] / number(n)
        if kind == CLASSES and n_outputs > 1:
            loss = _of_classes(outputs[b], np.int64(values[b, 0]), gradient[b])
        else:
            loss = 0.0
            for k in range(n_outputs):
                target = number(values[b, k])
                if kind == VALUES:
                    distance = outputs[b, k] - target
                    loss += distance * distance / number(n_outputs)
                    gradient[b, k] = 2 * distance / number(n_outputs)
                else:
                    loss += _of_label(outputs[b, k], target)
                    gradient[b, k] = _probability(outputs[b, k]) - target
        for k in range(n_outputs):
            gradient[b, k] *= weight
        total += weight * loss
    return total


@part
def _of_classes(logits, target, gradient):  # type: ignore[no-untyped-def]
    """Negative log-likelihood of a class; the gradient, (n_outputs,), is filled."""
    largest = logits[0]
    for k in range(1, logits.size):
        largest = max(largest, logits[k])
    partition = logits.dtype.type(0)
    for k in range(logits.size):
        gradient[k] = np.exp(logits[k] - largest)
        partition += gradient[k]
    for k in range(logits.size):
        gradient[k] /= partition
    gradient[target] -= 1
    return np.log(partition) + largest - logits[target]


@part
def _of_label(logit, target):  # type: ignore[no-untyped-def]
    """Negative log-likelihood of a label, 0 or 1."""
    return max(logit, type(logit)(0)) - logit * target + np.log1p(np.exp(-abs(logit)))


@part
def _probability(logit):  # type: ignore[no-untyped-def]
    """The logistic function; exp doesn't overflow."""
    odds = np.exp(-abs(logit))
    return (type(logit)(1) if logit > 0 else odds) / (type(logit)(1) + odds)
