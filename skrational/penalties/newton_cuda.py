"""The proximal step of the group lasso on a CUDA device: a program for each group."""

from __future__ import annotations

from typing import no_type_check

import torch
import triton
import triton.language as tl
from torch import Tensor

__all__ = ["shrink"]

BLOCK = 1024


def shrink(
    weights: Tensor, metric: Tensor, starts: Tensor, rows: Tensor, thresholds: Tensor
) -> None:
    """Take the proximal step, in place, as `skrational.penalties.newton.shrink` does.

    Parameters
    ----------
    weights, metric : Tensor of shape (n_rows, m)
        Contiguous.
    starts : Tensor of shape (n_groups + 1,), int64
        Where the groups begin in ``rows``.
    rows : Tensor of shape (n_rows,), int64
        Row numbers, group by group.
    thresholds : Tensor of shape (n_groups,)
        Step size times lambda times omega of each group.
    """
    if len(thresholds) and weights.numel():
        arguments = weights, metric, starts, rows, thresholds, weights.shape[1]
        with torch.cuda.device_of(weights):
            _shrink[(len(thresholds),)](*arguments, BLOCK=BLOCK)


@triton.jit(do_not_specialize=["width"])
@no_type_check
def _shrink(weights, metric, starts, rows, thresholds, width, BLOCK: tl.constexpr):
    """Take the step of a group; the parameters are those of `shrink`, and m."""
    group = tl.program_id(0)
    start = tl.load(starts + group)
    rows += start
    n = (tl.load(starts + group + 1) - start) * width
    threshold = tl.load(thresholds + group)
    squares = tl.full([BLOCK], 0.0, weights.dtype.element_ty)
    pulls = squares
    for first in tl.range(0, n, BLOCK):
        w, d, _, _ = _load(weights, metric, rows, first, n, width, BLOCK)
        squares += w * w
        pulls += (d * w) * (d * w)
    theta = tl.sqrt(_total(squares))
    is_live = (_total(pulls) > threshold * threshold) & (theta > 0)
    theta = tl.where(is_live, theta, 0.0)
    # Newton's method on phi ** -0.5 - 1, as on the CPU.
    steps_left = tl.where(is_live, 30, 0)
    while steps_left > 0:
        phis = tl.full([BLOCK], 0.0, weights.dtype.element_ty)
        slopes = phis
        for first in tl.range(0, n, BLOCK):
            w, d, _, _ = _load(weights, metric, rows, first, n, width, BLOCK)
            share = d / _positive(d * theta + threshold)
            squared = (share * w) * (share * w)
            phis += squared
            slopes += share * squared
        phi = _total(phis)
        step = (phi * tl.sqrt(phi) - phi) / _total(slopes)
        theta = tl.where(theta + step > 0, theta + step, theta / 2)
        is_close = tl.abs(step) <= _tolerance(theta) * theta
        steps_left = tl.where(is_close, 0, steps_left - 1)
    for first in tl.range(0, n, BLOCK):
        w, d, at, inside = _load(weights, metric, rows, first, n, width, BLOCK)
        pulled = d * theta
        scaled = w * (pulled / _positive(pulled + threshold))
        # A group that is free of charge stays what it is.
        scaled = tl.where(threshold > 0, scaled, w)
        tl.store(weights + at, scaled, mask=inside)


@triton.jit
@no_type_check
def _load(weights, metric, rows, first, n, width, BLOCK: tl.constexpr):
    """Weights of a block of a group, their metric, where they are, and if they are.

    Parameters
    ----------
    weights, metric : pointer to (n_rows, width)
    rows : pointer to int64
        Those of the group.
    first, n, width : int
        The first number of the block, how many the group has, and a row.
    BLOCK : int
    """
    i = first + tl.arange(0, BLOCK)
    inside = i < n
    at = tl.load(rows + i // width, mask=inside, other=0) * width + i % width
    w = tl.load(weights + at, mask=inside, other=0.0)
    d = tl.load(metric + at, mask=inside, other=0.0)
    return w, d, at, inside


@triton.jit
@no_type_check
def _positive(x):
    """Replace zeros, where a group is free of charge and empty, or rows are padded."""
    return tl.where(x > 0, x, 1.0)


@triton.jit
@no_type_check
def _total(x):
    """Sum of a block."""
    return tl.sum(x, axis=0)


@triton.jit
@no_type_check
def _tolerance(like):
    """Relative error from where on Newton's steps are rounding."""
    epsilon: tl.constexpr = 5e-7 if like.dtype == tl.float32 else 1e-15
    return epsilon
