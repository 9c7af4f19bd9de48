"""Losses of classes with their gradients, in one pass over the outputs."""

from __future__ import annotations

import numpy as np

from skrational.utils.compile import jit

__all__ = ["label_loss", "log_loss"]


@jit
def log_loss(outputs, targets, weights, gradient):  # type: ignore[no-untyped-def]
    """Negative log-likelihood of the classes, the weighted mean over the examples.

    Parameters
    ----------
    outputs : ndarray of shape (n, n_outputs)
        Logits; of two classes one, that of the second.
    targets : ndarray of shape (n,), int64
    weights : ndarray of shape (n,)
    gradient : ndarray of shape (n, n_outputs)
        Filled.

    Returns
    -------
    float
    """
    total = 0.0
    n, n_outputs = outputs.shape
    for b in range(n):
        weight = weights[b] / n
        if n_outputs == 1:
            target = outputs.dtype.type(targets[b])
            total += weight * _logistic(outputs, b, 0, target, weight, gradient)
            continue
        largest = outputs[b, 0]
        for k in range(1, n_outputs):
            largest = max(largest, outputs[b, k])
        partition = outputs.dtype.type(0)
        for k in range(n_outputs):
            gradient[b, k] = np.exp(outputs[b, k] - largest)
            partition += gradient[b, k]
        for k in range(n_outputs):
            gradient[b, k] *= weight / partition
        gradient[b, targets[b]] -= weight
        total += weight * (np.log(partition) + largest - outputs[b, targets[b]])
    return total


@jit
def label_loss(outputs, targets, weights, gradient):  # type: ignore[no-untyped-def]
    """Negative log-likelihood of independent labels, summed over them.

    Parameters
    ----------
    outputs, weights, gradient
        As for `log_loss`; an output for each label.
    targets : ndarray of shape (n, n_outputs)
        0 or 1.
    """
    total = 0.0
    n = len(outputs)
    for b in range(n):
        weight = weights[b] / n
        for k in range(outputs.shape[1]):
            target = outputs.dtype.type(targets[b, k])
            total += weight * _logistic(outputs, b, k, target, weight, gradient)
    return total


@jit
def _logistic(outputs, b, k, target, weight, gradient):  # type: ignore[no-untyped-def]
    """Negative log-likelihood of one label; the gradient of it, weighted, is stored.

    Parameters
    ----------
    outputs, gradient : ndarray of shape (n, n_outputs)
    b, k : int
        Which logit.
    target, weight : float
    """
    z = outputs[b, k]
    odds = np.exp(-abs(z))  # of the less probable value
    one = outputs.dtype.type(1)
    probability = (one if z > 0 else odds) / (one + odds)
    gradient[b, k] = weight * (probability - target)
    return max(z, outputs.dtype.type(0)) - z * target + np.log1p(odds)
