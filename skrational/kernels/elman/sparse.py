"""The Elman recurrence with few recurrent weights: documents are the lanes.

States are stored unit by unit, those of some documents side by side, so that a weight
that is left costs one vector multiplication for eight documents, and one that is gone
costs nothing. A seat whose document has ended takes the next one.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from skrational.kernels.elman.passes import activate
from skrational.utils.compile import jit, part
from skrational.utils.simd import LANES, load, mul_add, splat, store, transposed

__all__ = ["SparseRecurrence", "forward_sparse"]

_SEATS = 4 * LANES
"""Documents side by side: as many as keep the processor from waiting for a sum."""


class SparseRecurrence(NamedTuple):
    """Recurrent weights that aren't 0, row by row.

    Attributes
    ----------
    weights : ndarray of shape (n,)
    units : ndarray of shape (n,), int64
        The unit whose state each weight reads.
    starts : ndarray of shape (H + 1,), int64
        Where the weights into each unit begin.
    relu : bool
        Else the activation is tanh.
    """

    weights: NDArray[Any]
    units: NDArray[np.int64]
    starts: NDArray[np.int64]
    relu: bool

    @classmethod
    def of(cls, W_hh: NDArray[Any], activation: str) -> Self:
        """Pack recurrent weights, (H, H)."""
        rows, units = np.nonzero(W_hh)
        starts = np.searchsorted(rows, np.arange(len(W_hh) + 1))
        # Numpy's two answers lie interleaved; the compiled pass knows one layout.
        units = np.ascontiguousarray(units)
        return cls(W_hh[rows, units], units, starts, activation == "relu")


@jit
def forward_sparse(recurrence, tokens, states, documents):  # type: ignore[no-untyped-def]
    """Compute the state after every token of some documents.

    Parameters
    ----------
    recurrence : SparseRecurrence
    tokens : Tokens
        With a table of width stride.
    states : ndarray of shape ((n_tokens + 1) * stride,)
        Filled; the last row is that of seats without a document.
    documents : ndarray of shape (n,), int64
        Which documents, the longest first.
    """
    table, ids, offsets = tokens.table.reshape(-1), tokens.ids, tokens.offsets
    stride = tokens.table.shape[1]
    n_seats = LANES if documents.size <= LANES else _SEATS
    h, after = np.zeros((2, stride * n_seats), table.dtype)
    token, stop = np.zeros(n_seats, np.int64), np.zeros(n_seats, np.int64)
    source, target = np.zeros(n_seats, np.int64), np.zeros(n_seats, np.int64)
    units = np.arange(LANES) * n_seats
    n_taken, n_running = 0, n_seats
    while n_running:
        n_running = 0
        for seat in range(n_seats):
            while token[seat] == stop[seat] and n_taken < documents.size:
                document = documents[n_taken]
                token[seat], stop[seat] = offsets[document], offsets[document + 1]
                n_taken += 1
                h[seat::n_seats] = 0
            is_running = token[seat] < stop[seat]
            target[seat] = (token[seat] if is_running else ids.size) * stride
            if is_running:
                source[seat] = np.int64(ids[token[seat]]) * stride
                token[seat] += 1
                n_running += 1
        for seat in range(0, n_seats if n_running else 0, LANES):
            for u in range(0, stride, LANES):
                _turn(table, source[seat:], u, after, units, u * n_seats + seat)
        _advance(recurrence, h, after, n_seats)
        h, after = after, h
        for seat in range(0, n_seats, LANES):
            for u in range(0, stride, LANES):
                _turn(h, units, u * n_seats + seat, states, target[seat:], u)


@part
def _turn(source, i, first, target, j, at):  # type: ignore[no-untyped-def]
    """Copy a square of eight rows, so that its columns become rows.

    Parameters
    ----------
    source : ndarray
    i, first
        Its rows begin at ``source[i[k] + first]``.
    target : ndarray
    j, at
        Its columns are written from ``target[j[k] + at]`` on.
    """
    a, b, c, d, e, f, g, h = transposed(
        load(source, i[0] + first),
        load(source, i[1] + first),
        load(source, i[2] + first),
        load(source, i[3] + first),
        load(source, i[4] + first),
        load(source, i[5] + first),
        load(source, i[6] + first),
        load(source, i[7] + first),
    )
    store(target, j[0] + at, a)
    store(target, j[1] + at, b)
    store(target, j[2] + at, c)
    store(target, j[3] + at, d)
    store(target, j[4] + at, e)
    store(target, j[5] + at, f)
    store(target, j[6] + at, g)
    store(target, j[7] + at, h)


@part
def _advance(recurrence, h, out, n_seats):  # type: ignore[no-untyped-def]
    """Take one token of each seat.

    Parameters
    ----------
    recurrence : SparseRecurrence
    h : ndarray of shape (H * n_seats,)
        The states before it.
    out : ndarray of shape (H * n_seats,)
        What the features give, which is replaced by the states after it.
    n_seats : int
        LANES or _SEATS.
    """
    weights, units, starts, relu = recurrence
    zero, least = splat(0.0, out), splat(np.finfo(out.dtype).tiny, out)
    for u in range(starts.size - 1):
        at = u * n_seats
        a = b = c = d = zero
        if n_seats == LANES:
            for n in range(starts[u], starts[u + 1]):
                a = mul_add(splat(weights[n], zero), load(h, units[n] * LANES), a)
        else:
            for n in range(starts[u], starts[u + 1]):
                weight, k = splat(weights[n], zero), units[n] * _SEATS
                a = mul_add(weight, load(h, k), a)
                b = mul_add(weight, load(h, k + LANES), b)
                c = mul_add(weight, load(h, k + 2 * LANES), c)
                d = mul_add(weight, load(h, k + 3 * LANES), d)
            for i, total in ((1, b), (2, c), (3, d)):
                j = at + i * LANES
                store(out, j, activate(load(out, j) + total, relu, least))
        store(out, at, activate(load(out, at) + a, relu, least))
