"""Matrix products of which every row is computed alike, wherever it stands.

A BLAS multiplies rows at the edge of a block by other sums than those within, on some
processors, so that the last bits of a row depend on its place.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite.binding import get_host_cpu_features
from numpy.typing import NDArray

from skrational.utils.compile import inlined, jit, part
from skrational.utils.simd import LANES, broadcast, load_wide, mul_add, splat, store

__all__ = ["PANEL", "ROWS", "multiply", "multiply_rows", "pack_panels"]

ROWS = 4
"""Rows that are multiplied together, sharing every number that is read."""

PANEL = 2 * LANES
"""Columns of a matrix that a product reads together, a wide vector."""

_PAIRS_PANELS = bool(get_host_cpu_features().get("avx512f"))
"""Whether there are registers for the sums of two panels at once."""


def pack_panels(matrix: NDArray[Any]) -> NDArray[Any]:
    """Store a matrix (K, N) panel by panel for `multiply`, padded to whole panels.

    Returns
    -------
    ndarray of shape (n_panels * K * PANEL,)
    """
    n_terms, n_columns = matrix.shape
    n_panels = -(-n_columns // PANEL)
    padded = np.zeros((n_terms, n_panels * PANEL), matrix.dtype)
    padded[:, :n_columns] = matrix
    panels = padded.reshape(n_terms, n_panels, PANEL).transpose(1, 0, 2)
    return np.ascontiguousarray(panels).reshape(-1)


@part
def multiply(left, panels, out):  # type: ignore[no-untyped-def]
    """Multiply a few rows by a matrix of K rows.

    Parameters
    ----------
    left : ndarray of shape (ROWS * n_left,)
        Of each row the first K numbers count.
    panels : ndarray of shape (n_panels * K * PANEL,)
    out : ndarray of shape (ROWS * n_panels * PANEL,)
        Filled.
    """
    if not out.size:
        return
    width, n_left = out.size // ROWS, left.size // ROWS
    n_terms, n_paired = panels.size // width, 0
    if _PAIRS_PANELS:
        n_paired = width - width % (2 * PANEL)
    for column in range(0, n_paired, 2 * PANEL):
        _multiply_pair(left, n_left, panels, n_terms, out, width, column)
    for column in range(n_paired, width, PANEL):
        _multiply_panel(left, n_left, panels, n_terms, out, width, column)


@inlined
def _multiply_panel(left, n_left, panels, n_terms, out, width, column):  # type: ignore[no-untyped-def]
    """Fill the columns of one panel.

    Parameters
    ----------
    left : ndarray of shape (ROWS * n_left,)
    n_left : int
    panels : ndarray of shape (n_panels * n_terms * PANEL,)
    n_terms : int
    out : ndarray of shape (ROWS * width,)
    width, column : int
        Columns, and the first one of the panel.
    """
    zero = splat(0.0, load_wide(out, 0))
    a = b = c = d = zero
    i = column * n_terms
    for k in range(n_terms):
        weight = load_wide(panels, i)
        i += PANEL
        a = mul_add(broadcast(left, k, zero), weight, a)
        b = mul_add(broadcast(left, n_left + k, zero), weight, b)
        c = mul_add(broadcast(left, 2 * n_left + k, zero), weight, c)
        d = mul_add(broadcast(left, 3 * n_left + k, zero), weight, d)
    store(out, column, a)
    store(out, width + column, b)
    store(out, 2 * width + column, c)
    store(out, 3 * width + column, d)


@inlined
def _multiply_pair(left, n_left, panels, n_terms, out, width, column):  # type: ignore[no-untyped-def]
    """Fill the columns of two panels side by side.

    A multiplication waits for the sum before it: with eight sums under way instead of
    four, the processor always has another one to go on with.

    Parameters
    ----------
    left, n_left, panels, n_terms, out, width, column
        As for `_multiply_panel`.
    """
    zero = splat(0.0, load_wide(out, 0))
    a = b = c = d = zero
    e = f = g = h = zero
    i, j = column * n_terms, (column + PANEL) * n_terms
    for k in range(n_terms):
        weight, other = load_wide(panels, i), load_wide(panels, j)
        i, j = i + PANEL, j + PANEL
        first, second = broadcast(left, k, zero), broadcast(left, n_left + k, zero)
        a, e = mul_add(first, weight, a), mul_add(first, other, e)
        b, f = mul_add(second, weight, b), mul_add(second, other, f)
        third = broadcast(left, 2 * n_left + k, zero)
        fourth = broadcast(left, 3 * n_left + k, zero)
        c, g = mul_add(third, weight, c), mul_add(third, other, g)
        d, h = mul_add(fourth, weight, d), mul_add(fourth, other, h)
    store(out, column, a)
    store(out, column + PANEL, e)
    store(out, width + column, b)
    store(out, width + column + PANEL, f)
    store(out, 2 * width + column, c)
    store(out, 2 * width + column + PANEL, g)
    store(out, 3 * width + column, d)
    store(out, 3 * width + column + PANEL, h)


@jit
def multiply_rows(left, panels, out):  # type: ignore[no-untyped-def]
    """Multiply any number of rows by a matrix of K rows.

    Parameters
    ----------
    left : ndarray of shape (n, K)
    panels : ndarray of shape (n_panels * K * PANEL,)
    out : ndarray of shape (n, N)
        Filled; N columns, at most n_panels * PANEL.
    """
    n_rows, n_terms = left.shape
    n_columns = out.shape[1]
    width = -(-n_columns // PANEL) * PANEL
    some = np.empty(ROWS * n_terms, out.dtype)
    products = np.empty(ROWS * width, out.dtype)
    for start in range(0, n_rows, ROWS):
        for i in range(ROWS):
            # Where rows end, the last one is multiplied once more.
            row = min(start + i, n_rows - 1)
            for k in range(n_terms):
                some[i * n_terms + k] = left[row, k]
        multiply(some, panels, products)
        for i in range(min(ROWS, n_rows - start)):
            for column in range(n_columns):
                out[start + i, column] = products[i * width + column]
