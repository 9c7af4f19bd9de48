"""Rows of numbers, one for each token, as the compiled passes handle them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.kernels.cpu.panels import PANEL
from skrational.utils.compile import jit, part
from skrational.utils.simd import LANES, load, prefetch, store

__all__ = ["Tokens", "add", "add_any", "copy", "prefetch_row", "scatter"]


class Tokens(NamedTuple):
    """The tokens of documents.

    Attributes
    ----------
    table : ndarray of shape (n_rows, width)
        Projected features, with biases.
    ids : ndarray of shape (n_tokens,), int32
        The row of each token.
    offsets : ndarray of shape (n_documents + 1,), int64
        Where documents begin in ``ids``.
    """

    table: NDArray[Any]
    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]


@part
def copy(source, i, target, j, n):  # type: ignore[no-untyped-def]
    """Copy n numbers, whole vectors, from ``source[i]`` to ``target[j]``."""
    for k in range(0, n, LANES):
        store(target, j + k, load(source, i + k))


@part
def add(source, i, target, j, n):  # type: ignore[no-untyped-def]
    """Add n numbers, whole vectors, from ``source[i]`` on to those at ``target[j]``."""
    for k in range(0, n, LANES):
        store(target, j + k, load(target, j + k) + load(source, i + k))


@part
def add_any(source, i, target, j, n):  # type: ignore[no-untyped-def]
    """Add n numbers, as `add`, but not beyond the last one."""
    n_whole = n - n % LANES
    add(source, i, target, j, n_whole)
    for k in range(n_whole, n):
        target[j + k] += source[i + k]


@part
def prefetch_row(table, i, n):  # type: ignore[no-untyped-def]
    """Have n numbers of a table fetched into the cache."""
    for k in range(i, i + n, PANEL):
        prefetch(table, k)


@jit
def scatter(rows, first, ids, out):  # type: ignore[no-untyped-def]
    """Add the gradients of tokens to those of the rows of the table that they read.

    Parameters
    ----------
    rows : ndarray of shape (n_tokens, n_columns)
    first : int
        The column where the gradients of the table begin.
    ids : ndarray of shape (n_tokens,), int32
    out : ndarray of shape (n_rows, width)
        Set to 0, then added to.
    """
    n_columns, width = rows.shape[1], out.shape[1]
    source, target = rows.reshape(-1), out.reshape(-1)
    out[:] = 0
    for t in range(ids.size):
        add(source, t * n_columns + first, target, np.int64(ids[t]) * width, width)
