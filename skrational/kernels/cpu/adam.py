"""A step of Adam on all weights of a network, in one pass over them."""

from __future__ import annotations

import numpy as np

from skrational.utils.compile import jit

__all__ = ["descend"]


@jit
def descend(weights, gradient, mean, square, metric, decay, constants):  # type: ignore[no-untyped-def]
    """Update weights and moments, in place.

    Parameters
    ----------
    weights, gradient, mean, square : ndarray of shape (n_weights,)
        The gradient is left as it is.
    metric : ndarray of shape (n_weights,)
        Filled with ``sqrt(v_hat) + eps``.
    decay : ndarray of shape (n_weights,)
        Weight of the L2 penalty of each weight.
    constants : ndarray of shape (6,)
        Whether weights decay, ``1 - beta_1``, beta_2, the square root of
        ``1 - beta_2 ** n``, eps, and the rate divided by ``1 - beta_1 ** n``.
    """
    decays, share, beta_2, correction, eps, rate = constants
    rest = weights.dtype.type(1) - beta_2
    for i in range(weights.size):
        g = gradient[i]
        if decays:
            g += weights[i] * decay[i]
        m = mean[i] + share * (g - mean[i])
        v = square[i] * beta_2 + rest * g * g
        d = np.sqrt(v) / correction + eps
        mean[i], square[i], metric[i] = m, v, d
        weights[i] -= rate * (m / d)
