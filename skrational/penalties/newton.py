"""The proximal step of the group lasso in a diagonal metric, compiled.

Groups are found by Newton's method one by one, each with as many iterations as it
needs, and all in one call.
"""

from __future__ import annotations

import numpy as np

from skrational.utils.compile import jit
from skrational.utils.simd import LANES, load, mul_add, splat, store, total

__all__ = ["shrink"]

_NEWTON_STEPS = 30


@jit
def shrink(weights, metric, starts, rows, thresholds, factors):  # type: ignore[no-untyped-def]
    """Compute the factors by which the proximal step shrinks every weight.

    Parameters
    ----------
    weights, metric : ndarray of shape (n_rows, m)
        m is a multiple of 8; rows are padded by weights of 0.
    starts : ndarray of shape (n_groups + 1,), int64
        Where the groups begin in ``rows``.
    rows : ndarray of shape (n_rows,), int64
        Row numbers, group by group.
    thresholds : ndarray of shape (n_groups,), float64
        Step size times lambda times omega of each group.
    factors : ndarray of shape (n_rows, m)
        Filled; 0 where the step empties a group.
    """
    for g in range(starts.size - 1):
        members = rows[starts[g] : starts[g + 1]]
        theta = _norm_after(weights, metric, members, thresholds[g])
        _factors(metric, members, theta, thresholds[g], factors)


@jit
def _norm_after(weights, metric, members, threshold):  # type: ignore[no-untyped-def]
    """Norm of a group after the step: the root of phi(theta) = 1, or 0.

    Newton's method on ``phi ** -0.5 - 1``, which is nearly linear: from the norm before
    the step it converges in a few iterations.

    Parameters
    ----------
    weights, metric : ndarray of shape (n_rows, m)
    members : ndarray of shape (n_members,), int64
        Rows of the group.
    threshold : float
    """
    square, pull = _sizes(weights, metric, members)
    theta = np.sqrt(square)
    if pull <= threshold * threshold or theta == 0:
        return weights.dtype.type(0)
    tolerance = 4 * np.finfo(weights.dtype).eps
    for _ in range(_NEWTON_STEPS):
        phi, slope = _phi(weights, metric, members, theta, threshold)
        step = (phi * np.sqrt(phi) - phi) / slope
        theta = theta + step if theta + step > 0 else theta / 2
        if not abs(step) > tolerance * theta:
            break
    return weights.dtype.type(theta)


@jit
def _sizes(weights, metric, members):  # type: ignore[no-untyped-def]
    """Sums of w ** 2 and (D w) ** 2."""
    w_flat, d_flat, m = weights.reshape(-1), metric.reshape(-1), weights.shape[1]
    square = pull = splat(0.0, w_flat)
    for row in members:
        for i in range(row * m, (row + 1) * m, LANES):
            w = load(w_flat, i)
            pulled = w * load(d_flat, i)
            square = mul_add(w, w, square)
            pull = mul_add(pulled, pulled, pull)
    return np.float64(total(square)), np.float64(total(pull))


@jit
def _phi(weights, metric, members, theta, threshold):  # type: ignore[no-untyped-def]
    """Sum phi of (D w / (D theta + threshold)) ** 2, and -1/2 of its derivative.

    Parameters
    ----------
    weights, metric, members, threshold
        As for `_norm_after`.
    theta : float
    """
    w_flat, d_flat, m = weights.reshape(-1), metric.reshape(-1), weights.shape[1]
    one, threshold_ = splat(1.0, w_flat), splat(threshold, w_flat)
    theta_ = splat(theta, w_flat)
    phi = slope = splat(0.0, w_flat)
    for row in members:
        for i in range(row * m, (row + 1) * m, LANES):
            d = load(d_flat, i)
            share = d * (one / mul_add(d, theta_, threshold_))
            part = share * load(w_flat, i)
            part = part * part
            phi = phi + part
            slope = mul_add(share, part, slope)
    return np.float64(total(phi)), np.float64(total(slope))


@jit
def _factors(metric, members, theta, threshold, factors):  # type: ignore[no-untyped-def]
    """D theta / (D theta + threshold).

    Parameters
    ----------
    metric, members, threshold
        As for `_norm_after`.
    theta : float
        Norm of the group after the step.
    factors : ndarray of shape (n_rows, m)
        Filled at the rows of the group.
    """
    d_flat, out, m = metric.reshape(-1), factors.reshape(-1), metric.shape[1]
    theta_, threshold_ = splat(theta, d_flat), splat(threshold, d_flat)
    for row in members:
        for i in range(row * m, (row + 1) * m, LANES):
            pulled = load(d_flat, i) * theta_
            store(out, i, pulled / (pulled + threshold_))
