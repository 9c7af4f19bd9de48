"""The proximal step of the group lasso in a diagonal metric.

The norm of a group after the step is found by Newton's method: on the CPU compiled, for
one group after the other, each with as many iterations as it needs; on other devices
for all groups at once, as often as any may need.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from skrational.groups import Groups
from skrational.utils.compile import jit, part
from skrational.utils.simd import LANES, load, mul_add, splat, store, total

__all__ = ["norms_after", "shrink"]

_NEWTON_STEPS = 30


def norms_after(groups: Groups, metric: Sequence[Tensor], thresholds: Tensor) -> Tensor:
    """Norms of the groups after the step, (n_groups,), on whatever device.

    The host waits for nothing, and so doesn't know which groups have converged.

    Parameters
    ----------
    groups : Groups
    metric : sequence of Tensor of shape (n_slices, m)
    thresholds : Tensor of shape (n_groups,)
    """
    weights = [part.pack(part.parameters) for part in groups.parts]
    pulled = [d * w for d, w in zip(metric, weights, strict=True)]
    pull = groups.sum_slices([p.square() for p in pulled])
    live = pull > thresholds.square()
    theta = groups.sum_slices([w.square() for w in weights]).sqrt()
    group = [part.group_of_slices for part in groups.parts]
    for _ in range(_NEWTON_STEPS):
        shares = [
            d / (d * theta[g][:, None] + thresholds[g][:, None])
            for d, g in zip(metric, group, strict=True)
        ]
        parts = [(s * w).square() for s, w in zip(shares, weights, strict=True)]
        phi = groups.sum_slices(parts)
        slope = groups.sum_slices([s * p for s, p in zip(shares, parts, strict=True)])
        step = torch.where(live, (phi * phi.sqrt() - phi) / slope, 0.0)
        theta = torch.where(theta + step > 0, theta + step, theta / 2)
    return torch.where(live, theta, 0.0)


@jit
def shrink(weights, metric, starts, rows, thresholds):  # type: ignore[no-untyped-def]
    """Take the proximal step, in place.

    Parameters
    ----------
    weights, metric : ndarray of shape (n_rows, m)
    starts : ndarray of shape (n_groups + 1,), int64
        Where the groups begin in ``rows``.
    rows : ndarray of shape (n_rows,), int64
        Row numbers, group by group.
    thresholds : ndarray of shape (n_groups,), float64
        Step size times lambda times omega of each group.
    """
    for g in range(starts.size - 1):
        if thresholds[g] == 0:
            continue
        members = rows[starts[g] : starts[g + 1]]
        theta = _norm_after(weights, metric, members, thresholds[g])
        _scale(weights, metric, members, theta, thresholds[g])


@part
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
    squares = pulls = splat(0.0, w_flat)
    square, pull = 0.0, 0.0
    for row in members:
        rest = row * m + m // LANES * LANES
        for i in range(row * m, rest, LANES):
            w = load(w_flat, i)
            pulled = w * load(d_flat, i)
            squares = mul_add(w, w, squares)
            pulls = mul_add(pulled, pulled, pulls)
        for i in range(rest, (row + 1) * m):
            square += w_flat[i] * w_flat[i]
            pull += (w_flat[i] * d_flat[i]) ** 2
    return np.float64(total(squares)) + square, np.float64(total(pulls)) + pull


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
    phis = slopes = splat(0.0, w_flat)
    phi, slope = 0.0, 0.0
    for row in members:
        rest = row * m + m // LANES * LANES
        for i in range(row * m, rest, LANES):
            d = load(d_flat, i)
            shares = d * (one / mul_add(d, theta_, threshold_))
            parts = shares * load(w_flat, i)
            parts = parts * parts
            phis = phis + parts
            slopes = mul_add(shares, parts, slopes)
        for i in range(rest, (row + 1) * m):
            share = d_flat[i] / (d_flat[i] * theta + threshold)
            part = (share * w_flat[i]) ** 2
            phi += part
            slope += share * part
    return np.float64(total(phis)) + phi, np.float64(total(slopes)) + slope


@jit
def _scale(weights, metric, members, theta, threshold):  # type: ignore[no-untyped-def]
    """Multiply by D theta / (D theta + threshold).

    Parameters
    ----------
    weights, metric, members, threshold
        As for `_norm_after`.
    theta : float
        Norm of the group after the step.
    """
    w_flat, d_flat, m = weights.reshape(-1), metric.reshape(-1), metric.shape[1]
    theta_, threshold_ = splat(theta, d_flat), splat(threshold, d_flat)
    for row in members:
        rest = row * m + m // LANES * LANES
        for i in range(row * m, rest, LANES):
            pulled = load(d_flat, i) * theta_
            store(w_flat, i, load(w_flat, i) * (pulled / (pulled + threshold_)))
        for i in range(rest, (row + 1) * m):
            w_flat[i] *= d_flat[i] * theta / (d_flat[i] * theta + threshold)
