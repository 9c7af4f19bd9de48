"""Documents side by side: a few at a time, each in a slot, one token of each a step.

Together they share every weight that a matrix product reads. A slot whose document has
ended takes the next one, so that nothing is padded. What is computed for a document
doesn't depend on those beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.utils.compile import jit
from skrational.utils.simd import LANES, load, load_wide, mul_add, splat, store

__all__ = [
    "PANEL",
    "SLOTS",
    "collect",
    "multiply",
    "pack_panels",
    "place",
    "take_seats",
]

SLOTS = 4

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
    """Multiply a row of each slot by a matrix of K rows.

    Parameters
    ----------
    left : ndarray of shape (SLOTS * n_left,)
        Of each row the first K numbers count.
    panels : ndarray of shape (n_panels * K * PANEL,)
    out : ndarray of shape (SLOTS * n_panels * PANEL,)
        Filled.
    """
    if not out.size:
        return
    width, n_left = out.size // SLOTS, left.size // SLOTS
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
def take_seats(  # type: ignore[no-untyped-def]
    documents, n_taken, offsets, back, token, stop, h, c
):
    """Let every slot whose document has ended take the next one that has tokens.

    Parameters
    ----------
    documents : ndarray of shape (n,), int64
        In the order in which they are taken.
    n_taken : int
        How many of them have been taken so far.
    offsets : ndarray of shape (n_documents + 1,), int64
    back : bool
        Whether documents are read from their last token to the first one.
    token, stop : ndarray of shape (SLOTS,), int64
        The next token of each slot, and the one where its document has ended.
    h, c : ndarray of shape (SLOTS * stride,)
        States, or their gradients, which are 0 for a new document.

    Returns
    -------
    n_taken, n_running : int
    """
    n_running, stride = 0, h.size // SLOTS
    for slot in range(SLOTS):
        while token[slot] == stop[slot] and n_taken < documents.size:
            document = documents[n_taken]
            n_taken += 1
            first, end = offsets[document], offsets[document + 1]
            token[slot] = end - 1 if back else first
            stop[slot] = first - 1 if back else end
            for at in range(slot * stride, (slot + 1) * stride):
                h[at] = c[at] = 0
        n_running += token[slot] != stop[slot]
    return n_taken, n_running


@jit
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


@jit
def collect(blocks, singles, gates, rows, j):  # type: ignore[no-untyped-def]
    """Carry learned gates to the row at ``rows[j]``: the reverse of `place`."""
    for n in range(blocks.shape[0]):
        store(rows, j + blocks[n, 0], load(gates, blocks[n, 1]))
    for n in range(singles.shape[0]):
        rows[j + singles[n, 0]] = gates[singles[n, 1]]
