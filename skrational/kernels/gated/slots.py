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
from skrational.utils.simd import LANES, load, mul_add, splat, store

__all__ = ["PANEL", "SLOTS", "multiply", "pack_panels", "take_seats"]

SLOTS = 4

PANEL = 2 * LANES
"""Columns of a matrix that a product reads together: with as many sums in each slot, the
sums of all slots fit into the registers."""


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
    zero = splat(0.0, panels)
    i = 0
    for column in range(0, width, PANEL):
        a, b, c, d = zero, zero, zero, zero
        a_, b_, c_, d_ = zero, zero, zero, zero
        for k in range(n_terms):
            weight, weight_ = load(panels, i), load(panels, i + LANES)
            i += PANEL
            x = splat(left[k], zero)
            a, a_ = mul_add(x, weight, a), mul_add(x, weight_, a_)
            x = splat(left[n_left + k], zero)
            b, b_ = mul_add(x, weight, b), mul_add(x, weight_, b_)
            x = splat(left[2 * n_left + k], zero)
            c, c_ = mul_add(x, weight, c), mul_add(x, weight_, c_)
            x = splat(left[3 * n_left + k], zero)
            d, d_ = mul_add(x, weight, d), mul_add(x, weight_, d_)
        j = column
        for low, high in ((a, a_), (b, b_), (c, c_), (d, d_)):
            store(out, j, low)
            store(out, j + LANES, high)
            j += width


@jit
def take_seats(  # type: ignore[no-untyped-def]
    documents, n_taken, offsets, back, token, stop, state
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
    state : tuple of two ndarray of shape (SLOTS * stride,)
        Set to 0 for a new document.

    Returns
    -------
    n_taken, n_running : int
    """
    n_running = 0
    for slot in range(SLOTS):
        while token[slot] == stop[slot] and n_taken < documents.size:
            document = documents[n_taken]
            n_taken += 1
            first, end = offsets[document], offsets[document + 1]
            token[slot] = end - 1 if back else first
            stop[slot] = first - 1 if back else end
            stride = state[0].size // SLOTS
            for array in state:
                array[slot * stride : (slot + 1) * stride] = 0
        n_running += token[slot] != stop[slot]
    return n_taken, n_running
