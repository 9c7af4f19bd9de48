"""Matrix products of which every row is computed alike, wherever it stands.

A BLAS multiplies rows at the edge of a block by other sums than those within, on some
processors, so that the last bits of a row depend on its place.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.utils.compile import jit
from skrational.utils.simd import LANES, load_wide, mul_add, splat, store

__all__ = ["PANEL", "ROWS", "multiply", "multiply_rows", "pack_panels"]

ROWS = 4
"""Rows that are multiplied together, sharing every number that is read."""

PANEL = 2 * LANES
"""Columns of a matrix that a product reads together, a wide vector."""


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


@jit
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
    n_terms = panels.size // width
    zero = splat(0.0, load_wide(out, 0))
    i = 0
    for column in range(0, width, PANEL):
        a = b = c = d = zero
        for k in range(n_terms):
            weight = load_wide(panels, i)
            i += PANEL
            a = mul_add(splat(left[k], zero), weight, a)
            b = mul_add(splat(left[n_left + k], zero), weight, b)
            c = mul_add(splat(left[2 * n_left + k], zero), weight, c)
            d = mul_add(splat(left[3 * n_left + k], zero), weight, d)
        store(out, column, a)
        store(out, width + column, b)
        store(out, 2 * width + column, c)
        store(out, 3 * width + column, d)


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
