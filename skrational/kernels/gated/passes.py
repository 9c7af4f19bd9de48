"""The recurrences over documents: forward, and backward through time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.kernels.cpu.panels import multiply
from skrational.kernels.gated.carrying import collect, place
from skrational.kernels.gated.gru import activate_gru, advance_gru, retreat_gru
from skrational.kernels.gated.lstm import activate_lstm, advance_lstm, retreat_lstm
from skrational.kernels.recurrent.rows import add, copy, prefetch_row
from skrational.kernels.recurrent.slots import SLOTS, take_seats
from skrational.utils.compile import jit

__all__ = ["Kept", "advance", "backward", "forward"]


class Kept(NamedTuple):
    """What the way back needs of each token; of size 0 where there is none.

    Attributes
    ----------
    rows : ndarray of shape (n_tokens * n_columns,)
        The learned gates; on the way back, their gradients take their places.
    before : ndarray of shape (n_tokens * stride,)
        h before the token.
    cells : ndarray of shape (n_tokens * stride,)
        c after the token, of an LSTM.
    """

    rows: NDArray[Any]
    before: NDArray[Any]
    cells: NDArray[Any]


@jit
def forward(cell, tokens, kept, states, documents):  # type: ignore[no-untyped-def]
    """Compute the state after every token of some documents.

    Parameters
    ----------
    cell : Cell
    tokens : Tokens
    kept : Kept
        Filled.
    states : ndarray of shape (n_tokens, H)
        Filled.
    documents : ndarray of shape (n,), int64
        Which documents, the longest first.
    """
    sizes, blocks, singles, constants, bias, ahead, _ = cell
    table, ids, offsets = tokens.table.reshape(-1), tokens.ids, tokens.offsets
    before, cells, keep = kept.before, kept.cells, kept.before.size > 0
    width, stride = tokens.table.shape[1], constants.size // 4
    n_columns = bias.size
    products, n_products = _products(ahead, sizes.n_units)
    h, c = np.zeros(SLOTS * stride, table.dtype), np.zeros(SLOTS * stride, table.dtype)
    carried = h, c
    rows = kept.rows if keep else np.empty(n_columns, table.dtype)
    gates = constants.copy()
    token, stop = np.zeros(SLOTS, np.int64), np.zeros(SLOTS, np.int64)
    n_taken, n_running = 0, SLOTS
    while n_running:
        n_taken, n_running = take_seats(
            documents, n_taken, offsets, False, token, stop, carried
        )
        multiply(h, ahead, products)
        for slot in range(SLOTS):
            t, at, k = token[slot], slot * stride, slot * n_products
            if t == stop[slot]:
                continue
            token[slot] += 1
            if keep:
                copy(h, at, before, t * stride, stride)
            i, j = np.int64(ids[t]) * width, t * n_columns if keep else 0
            if sizes.gru:
                activate_gru(sizes, bias, table, i, products, k, rows, j)
            else:
                activate_lstm(sizes, table, i, products, k, rows, j)
            place(blocks, singles, rows, j, gates)
            if sizes.gru:
                advance_gru(gates, sizes.n_units, h, at)
            else:
                advance_lstm(gates, sizes.n_units, h, c, at)
            if t + 1 < stop[slot]:
                prefetch_row(table, np.int64(ids[t + 1]) * width, width)
            if cells.size:
                copy(c, at, cells, t * stride, stride)
            for u in range(sizes.n_units):
                states[t, u] = h[at + u]


@jit
def _products(ahead, n_units):  # type: ignore[no-untyped-def]
    """Make room for what the states of all slots give; return it and its width."""
    width = ahead.size // n_units
    return np.empty(SLOTS * width, ahead.dtype), width


@jit
def backward(  # type: ignore[no-untyped-def]
    cell, offsets, kept, gradient, least, documents, d_bias
):
    """Differentiate `forward`.

    Parameters
    ----------
    cell : Cell
    offsets : ndarray of shape (n_documents + 1,), int64
    kept : Kept
        From `forward`.
    gradient : ndarray of shape (n_tokens, H)
        Of the states.
    least : float
        Gradients below it count as 0.
    documents : ndarray of shape (n,), int64
        Which documents, the longest first.
    d_bias : ndarray of shape (4 * stride + 1,)
        The gradients of all biases are added.
    """
    sizes, blocks, singles, constants, bias, _, back = cell
    rows, before, cells = kept
    n_columns, stride = bias.size, constants.size // 4
    n_left = sizes.n_candidates + sizes.n_sigmoids
    left = np.zeros(SLOTS * n_left, rows.dtype)
    d_h = np.zeros(SLOTS * stride, rows.dtype)
    d_state = np.zeros(SLOTS * stride, rows.dtype)
    carried = d_h, d_state
    gates, d_gates = constants.copy(), np.zeros(constants.size, rows.dtype)
    # Summed document by document, many tokens lose fewer digits.
    sums = np.zeros(SLOTS * 4 * stride, rows.dtype)
    token, stop = np.zeros(SLOTS, np.int64), np.zeros(SLOTS, np.int64)
    n_taken, n_running = 0, SLOTS
    while n_running:
        n_taken, n_running = take_seats(
            documents, n_taken, offsets, True, token, stop, carried
        )
        for slot in range(SLOTS):
            t, at = token[slot], slot * stride
            if t == stop[slot]:
                continue
            token[slot] -= 1
            is_first = token[slot] == stop[slot]
            for u in range(sizes.n_units):
                d_h[at + u] += gradient[t, u]
            row, j, n = t * n_columns, t * stride, sizes.n_units
            place(blocks, singles, rows, row, gates)
            if sizes.gru:
                retreat_gru(gates, n, before, j, d_h, d_state, at, least, d_gates)
            else:
                retreat_lstm(
                    gates, n, cells, j, is_first, d_h, d_state, at, least, d_gates
                )
            collect(blocks, singles, d_gates, rows, row)
            copy(rows, row, left, slot * n_left, n_left)
            add(d_gates, 0, sums, 4 * at, 4 * stride)
            if is_first:
                add(sums, 4 * at, d_bias, 0, 4 * stride)
                for k in range(4 * at, 4 * (at + stride)):
                    sums[k] = 0
        multiply(left, back, d_h)


@jit
def advance(cell, rows, h, c):  # type: ignore[no-untyped-def]
    """Take one token of each of some sequences.

    Parameters
    ----------
    cell : Cell
    rows : ndarray of shape (n, width)
        The projected features of the tokens.
    h, c : ndarray of shape (n * stride,)
        The states, which are replaced; n is a multiple of SLOTS.
    """
    sizes, blocks, singles, constants, bias, ahead, _ = cell
    table, width, stride = rows.reshape(-1), rows.shape[1], constants.size // 4
    products, n_products = _products(ahead, sizes.n_units)
    learned, gates = np.empty(bias.size, table.dtype), constants.copy()
    for first in range(0, rows.shape[0], SLOTS):
        multiply(h[first * stride : (first + SLOTS) * stride], ahead, products)
        for slot in range(min(SLOTS, rows.shape[0] - first)):
            i, k = (first + slot) * width, slot * n_products
            at = (first + slot) * stride
            if sizes.gru:
                activate_gru(sizes, bias, table, i, products, k, learned, 0)
            else:
                activate_lstm(sizes, table, i, products, k, learned, 0)
            place(blocks, singles, learned, 0, gates)
            if sizes.gru:
                advance_gru(gates, sizes.n_units, h, at)
            else:
                advance_lstm(gates, sizes.n_units, h, c, at)
