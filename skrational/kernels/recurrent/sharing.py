"""Work on the CPU in pieces that are the same for any number of threads."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.cpu.products import TILE_ROWS, cut
from skrational.kernels.recurrent.slots import SLOTS
from skrational.utils.threads import given_threads, run_all

__all__ = ["LEAST_GRADIENT", "check_on_cpu", "deal", "project", "threads_for"]

LEAST_GRADIENT = {torch.float32: 1e-30, torch.float64: 1e-290}
"""Gradients below it count as 0: they would crawl through denormal arithmetic."""

_MOST_PARTS = 4
_LEAST_WORK = 2**26
"""Multiplications below which sharing them among threads costs more than it saves."""


def check_on_cpu(x: Tensor) -> None:
    """Refuse a tensor that isn't on the CPU with a ValueError."""
    if x.device.type != "cpu":
        raise ValueError(
            f"the numba kernel computes on the CPU; got x on {x.device.type}."
        )


def threads_for(n_products: int) -> int:
    """How many threads are to share so many multiplications."""
    return given_threads() if n_products >= _LEAST_WORK else 1


def deal(offsets: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Deal documents to parts of about as many tokens, the longest ones first."""
    longest_first = np.argsort(-np.diff(offsets), kind="stable")
    n_parts = max(1, min(_MOST_PARTS, len(longest_first) // SLOTS))
    return [longest_first[i::n_parts].copy() for i in range(n_parts)]


def project(
    x: Tensor, weight: Tensor, bias: NDArray[Any], out: Tensor, n_threads: int
) -> None:
    """Fill ``out`` with projected rows, tile by tile.

    Parameters
    ----------
    x : Tensor of shape (n_rows, E)
    weight : Tensor of shape (width, E)
    bias : ndarray of shape (width,)
    out : Tensor of shape (n_rows, width)
    n_threads : int
    """
    added = torch.from_numpy(bias)

    def multiply(tile: slice) -> None:
        torch.addmm(added, x[tile], weight.T, out=out[tile])

    tiles = cut(len(x), TILE_ROWS)
    run_all([partial(multiply, tile) for tile in tiles], n_threads)
