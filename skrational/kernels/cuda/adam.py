"""A step of Adam on all weights of a network, in one pass over them on the device."""

from __future__ import annotations

from typing import no_type_check

import torch
import triton
import triton.language as tl
from torch import Tensor

__all__ = ["descend"]

BLOCK = 1024


def descend(
    weights: Tensor,
    gradient: Tensor,
    mean: Tensor,
    square: Tensor,
    metric: Tensor,
    decay: Tensor,
    constants: Tensor,
) -> None:
    """Update weights and moments, in place.

    Parameters
    ----------
    weights, gradient, mean, square, metric, decay : Tensor of shape (n_weights,)
        As for `skrational.kernels.cpu.adam.descend`.
    constants : Tensor of shape (6,)
        Likewise, on the device: as arguments they would lose half of their digits.
    """
    vectors = weights, gradient, mean, square, metric, decay
    n = weights.numel()
    if n:
        with torch.cuda.device_of(weights):
            _descend[(triton.cdiv(n, BLOCK),)](*vectors, constants, n, BLOCK=BLOCK)


@triton.jit
@no_type_check
def _descend(
    weights,
    gradient,
    mean,
    square,
    metric,
    decay,
    constants,
    n,
    BLOCK: tl.constexpr,
):
    """Update a block of weights.

    Parameters
    ----------
    weights, gradient, mean, square, metric, decay : pointer to (n,)
    constants : pointer to (6,)
    n : int
    BLOCK : int
    """
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    inside = i < n
    share = tl.load(constants + 1)
    beta_2 = tl.load(constants + 2)
    w = tl.load(weights + i, mask=inside)
    g = tl.load(gradient + i, mask=inside) + w * tl.load(decay + i, mask=inside)
    m = tl.load(mean + i, mask=inside)
    v = tl.load(square + i, mask=inside)
    m += share * (g - m)
    v = v * beta_2 + (1.0 - beta_2) * g * g
    d = tl.sqrt(v) / tl.load(constants + 3) + tl.load(constants + 4)
    tl.store(mean + i, m, mask=inside)
    tl.store(square + i, v, mask=inside)
    tl.store(metric + i, d, mask=inside)
    tl.store(weights + i, w - tl.load(constants + 5) * (m / d), mask=inside)
