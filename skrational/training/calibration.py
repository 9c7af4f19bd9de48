"""Temperature scaling: one number that makes probabilities of logits honest.

Guo, Pleiss, Sun, Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_expit, log_softmax

__all__ = ["fit_temperature", "log_probabilities"]

_MOST = 100.0
"""Of a temperature; the least is the inverse."""
_DEVIATION = 2.0
"""Of the prior of its logarithm: temperatures from 1 to 30 were the best on dev."""


def log_probabilities(
    logits: NDArray[np.float64], temperature: float = 1.0
) -> NDArray[np.float64]:
    """Logarithms of the probabilities of classes.

    Parameters
    ----------
    logits : ndarray of shape (n, n_outputs)
        Of the second class where there are two classes, else of each class.
    temperature : float, default=1.0
        Logits are divided by it.

    Returns
    -------
    ndarray of shape (n, n_classes)

    Examples
    --------
    >>> log_probabilities(np.array([[0.0], [-1000.0]]))[:, 1].round(2).tolist()
    [-0.69, -1000.0]
    """
    scaled = logits / temperature
    if scaled.shape[1] == 1:
        return np.asarray(log_expit(np.hstack([-scaled, scaled])))
    return np.asarray(log_softmax(scaled, axis=1))


def fit_temperature(
    logits: NDArray[np.float64],
    codes: NDArray[np.intp],
    weights: NDArray[np.floating] | None = None,
) -> float:
    """Find the temperature of the least log loss on samples that were held out.

    The logarithm of the temperature has a normal prior of mean 0 and deviation 2:
    without it, samples that are all classified rightly would ask for 0.

    Parameters
    ----------
    logits : ndarray of shape (n, n_outputs)
        Of the second class where there are two classes, else of each class or label.
        Rows that aren't finite are left out.
    codes : ndarray of shape (n,) or (n, n_outputs)
        Numbers of the classes; or 0 and 1 for labels that hold independently.
    weights : ndarray of shape (n,), default=None
        Of the samples, at least 0; their scale doesn't matter. None: all alike.

    Returns
    -------
    float
        From .01 to 100; 1.0 if there is no sample of positive weight.

    Examples
    --------
    Logits that are twice as large as they should be:

    >>> rng = np.random.default_rng(0)
    >>> logits = rng.normal(scale=2, size=(5000, 1))
    >>> codes = (rng.logistic(size=5000) < logits[:, 0]).astype(int)
    >>> round(fit_temperature(2 * logits, codes), 1)
    2.0
    """
    weights = np.ones(len(codes)) if weights is None else np.asarray(weights, float)
    if codes.ndim == 2:
        weights = np.repeat(weights, codes.shape[1])
        logits, codes = logits.reshape(-1, 1), codes.ravel().astype(np.intp)
    used = np.isfinite(logits).all(axis=1) & (weights > 0)
    if not used.any():
        return 1.0
    logits, codes, weights = logits[used], codes[used], weights[used]
    weights = weights / weights.mean()
    rows = np.arange(len(codes))

    def loss(log_temperature: float) -> float:
        found = log_probabilities(logits, math.exp(log_temperature))[rows, codes]
        prior = (log_temperature / _DEVIATION) ** 2 / 2
        return float(prior - weights @ found)

    bound = math.log(_MOST)
    best = minimize_scalar(loss, bounds=(-bound, bound), method="bounded")
    return math.exp(float(best.x))
