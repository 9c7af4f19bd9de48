"""Learned gates, carried between their columns in a row and all gates of a cell."""

from __future__ import annotations

from skrational.utils.compile import part
from skrational.utils.simd import load, store

__all__ = ["collect", "place"]


@part
def place(blocks, singles, rows, j, gates):  # type: ignore[no-untyped-def]
    """Carry the row of learned gates at ``rows[j]`` to their numbers among all gates.

    Parameters
    ----------
    blocks, singles : ndarray of shape (n, 2), int64
        A column and a number: of eight gates in a row, and of one.
    rows, j
    gates : ndarray of shape (4 * stride + 1,)
    """
    for n in range(blocks.shape[0]):
        store(gates, blocks[n, 1], load(rows, j + blocks[n, 0]))
    for n in range(singles.shape[0]):
        gates[singles[n, 1]] = rows[j + singles[n, 0]]


@part
def collect(blocks, singles, gates, rows, j):  # type: ignore[no-untyped-def]
    """Carry learned gates to the row at ``rows[j]``: the reverse of `place`."""
    for n in range(blocks.shape[0]):
        store(rows, j + blocks[n, 0], load(gates, blocks[n, 1]))
    for n in range(singles.shape[0]):
        rows[j + singles[n, 0]] = gates[singles[n, 1]]
