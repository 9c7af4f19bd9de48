"""Matrix products in pieces that are the same for any number of threads."""

from __future__ import annotations

from functools import partial
from itertools import pairwise, starmap

import torch
from torch import Tensor

from skrational.utils.buffers import empty
from skrational.utils.threads import run_all

__all__ = ["PART_ROWS", "TILE_ROWS", "cut", "multiply_transposed"]

TILE_ROWS, PART_ROWS = 512, 512
"""Rows of a product that stay apart, and rows of the parts of one that adds them up."""

_MOST_TILES, _MOST_PARTS = 4, 2
"""Each part more makes a product of a few thousand rows some hundredths slower."""


def cut(length: int, least: int, most: int = _MOST_TILES) -> list[slice]:
    """Cut a length into at most so many equal parts of about ``least`` or more."""
    n_parts = min(max(1, length // least), most)
    borders = [length * i // n_parts for i in range(n_parts + 1)]
    return list(starmap(slice, pairwise(borders)))


def multiply_transposed(left: Tensor, right: Tensor, n_threads: int) -> Tensor:
    """Multiply ``left.T @ right``, part by part of their many rows.

    Parameters
    ----------
    left : Tensor of shape (n_rows, m)
    right : Tensor of shape (n_rows, n)
    n_threads : int

    Returns
    -------
    Tensor of shape (m, n)
    """
    rows = cut(len(left), PART_ROWS, _MOST_PARTS)
    parts = empty(len(rows), left.shape[1], right.shape[1], dtype=left.dtype)

    def multiply(i: int) -> None:
        torch.mm(left[rows[i]].T, right[rows[i]], out=parts[i])

    run_all([partial(multiply, i) for i in range(len(rows))], n_threads)
    total = parts[0]
    for part in parts[1:]:
        total += part
    return total
