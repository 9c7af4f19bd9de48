"""The recurrences over documents: forward, and backward through time."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.kernels.gated.gru import activate_gru, advance_gru, retreat_gru
from skrational.kernels.gated.lstm import activate_lstm, advance_lstm, retreat_lstm
from skrational.kernels.gated.slots import SLOTS, multiply, take_seats
from skrational.utils.compile import jit
from skrational.utils.simd import LANES, load, store

__all__ = ["Kept", "Tokens", "advance", "backward", "forward", "scatter"]


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
def forward(cell, tokens, documents, kept, states):  # type: ignore[no-untyped-def]
    """Compute the state after every token of some documents.

    Parameters
    ----------
    cell : Cell
    tokens : Tokens
    documents : ndarray of shape (n,), int64
        Which documents, the longest first.
    kept : Kept
        Filled.
    states : ndarray of shape (n_tokens, H)
        Filled.
    """
    stride, n_columns = cell.constants.size // 4, cell.places.size
    table, width = tokens.table.reshape(-1), tokens.table.shape[1]
    n_products = cell.ahead.size // cell.n_units
    products = np.empty(SLOTS * n_products, table.dtype)
    h, c = np.zeros(SLOTS * stride, table.dtype), np.zeros(SLOTS * stride, table.dtype)
    gates = cell.constants.copy()
    keep = kept.before.size > 0
    rows = kept.rows if keep else np.empty(n_columns, table.dtype)
    token, stop = np.zeros(SLOTS, np.int64), np.zeros(SLOTS, np.int64)
    n_taken, n_running = 0, SLOTS
    while n_running:
        n_taken, n_running = take_seats(
            documents, n_taken, tokens.offsets, False, token, stop, (h, c)
        )
        multiply(h, cell.ahead, products)
        for slot in range(SLOTS):
            t, at = token[slot], slot * stride
            if t == stop[slot]:
                continue
            token[slot] += 1
            if keep:
                _copy(h, at, kept.before, t * stride, stride)
            row = t * n_columns if keep else 0
            i = np.int64(tokens.ids[t]) * width
            _step(cell, table, i, products, slot * n_products, rows, row, gates, h, c, at)
            if kept.cells.size:
                _copy(c, at, kept.cells, t * stride, stride)
            for u in range(cell.n_units):
                states[t, u] = h[at + u]


@jit
def _step(  # type: ignore[no-untyped-def]
    cell, table, i, products, k, rows, j, gates, h, c, at
):
    """Read one token.

    Parameters
    ----------
    cell : Cell
    table, i, products, k, rows, j
        As for `activate_lstm`.
    gates : ndarray of shape (4 * stride + 1,)
        The constants; the learned gates are filled in.
    h, c, at
        As for `advance_lstm`.
    """
    if cell.gru:
        activate_gru(cell, table, i, products, k, rows, j)
        _place(cell.places, rows, j, gates)
        advance_gru(gates, cell.n_units, h, at)
    else:
        activate_lstm(cell, table, i, products, k, rows, j)
        _place(cell.places, rows, j, gates)
        advance_lstm(gates, cell.n_units, h, c, at)


@jit
def _place(places, rows, j, gates):  # type: ignore[no-untyped-def]
    """Carry the row that begins at ``rows[j]`` to the places of its gates."""
    for n in range(places.size):
        gates[places[n]] = rows[j + n]


@jit
def _copy(source, i, target, j, n):  # type: ignore[no-untyped-def]
    """Copy n numbers, whole vectors, from ``source[i]`` to ``target[j]``."""
    for k in range(0, n, LANES):
        store(target, j + k, load(source, i + k))


@jit
def backward(  # type: ignore[no-untyped-def]
    cell, offsets, documents, kept, gradient, least, d_bias
):
    """Differentiate `forward`.

    Parameters
    ----------
    cell : Cell
    offsets : ndarray of shape (n_documents + 1,), int64
    documents : ndarray of shape (n,), int64
        Which documents, the longest first.
    kept : Kept
        From `forward`.
    gradient : ndarray of shape (n_tokens, H)
        Of the states.
    least : float
        Gradients below it count as 0.
    d_bias : ndarray of shape (4 * stride + 1,)
        The gradients of all biases are added.
    """
    stride, n_columns = cell.constants.size // 4, cell.places.size
    n_left = cell.n_candidates + cell.n_sigmoids
    dtype = kept.rows.dtype
    d_h, d_state = np.zeros(SLOTS * stride, dtype), np.zeros(SLOTS * stride, dtype)
    left = np.zeros(SLOTS * n_left, dtype)
    gates, d_gates = cell.constants.copy(), np.zeros_like(cell.constants)
    # Summed document by document, many tokens lose fewer digits.
    sums = np.zeros(SLOTS * 4 * stride, dtype)
    token, stop = np.zeros(SLOTS, np.int64), np.zeros(SLOTS, np.int64)
    n_taken, n_running = 0, SLOTS
    while n_running:
        n_taken, n_running = take_seats(
            documents, n_taken, offsets, True, token, stop, (d_h, d_state)
        )
        for slot in range(SLOTS):
            t, at, row = token[slot], slot * stride, token[slot] * n_columns
            if t == stop[slot]:
                continue
            token[slot] -= 1
            is_first = token[slot] == stop[slot]
            for u in range(cell.n_units):
                d_h[at + u] += gradient[t, u]
            _place(cell.places, kept.rows, row, gates)
            if cell.gru:
                retreat_gru(
                    gates,
                    cell.n_units,
                    kept.before,
                    t * stride,
                    d_h,
                    d_state,
                    at,
                    least,
                    d_gates,
                )
            else:
                retreat_lstm(
                    gates,
                    cell.n_units,
                    kept.cells,
                    t * stride,
                    is_first,
                    d_h,
                    d_state,
                    at,
                    least,
                    d_gates,
                )
            for n in range(n_columns):
                kept.rows[row + n] = d_gates[cell.places[n]]
            _copy(kept.rows, row, left, slot * n_left, n_left)
            _add(d_gates, 0, sums, 4 * at, 4 * stride)
            if is_first:
                _add(sums, 4 * at, d_bias, 0, 4 * stride)
                sums[4 * at : 4 * (at + stride)] = 0
        multiply(left, cell.back, d_h)


@jit
def _add(source, i, target, j, n):  # type: ignore[no-untyped-def]
    """Add n numbers, whole vectors, from ``source[i]`` on to those at ``target[j]``."""
    for k in range(0, n, LANES):
        store(target, j + k, load(target, j + k) + load(source, i + k))


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
        _add(source, t * n_columns + first, target, np.int64(ids[t]) * width, width)


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
    stride, width = cell.constants.size // 4, rows.shape[1]
    table = rows.reshape(-1)
    n_products = cell.ahead.size // cell.n_units
    products = np.empty(SLOTS * n_products, table.dtype)
    learned = np.empty(cell.places.size, table.dtype)
    gates = cell.constants.copy()
    for first in range(0, h.size // stride, SLOTS):
        multiply(h[first * stride : (first + SLOTS) * stride], cell.ahead, products)
        for slot in range(min(SLOTS, rows.shape[0] - first)):
            i, at = (first + slot) * width, (first + slot) * stride
            k = slot * n_products
            _step(cell, table, i, products, k, learned, 0, gates, h, c, at)
