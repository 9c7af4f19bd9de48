"""The Elman recurrence over documents: forward, and backward through time."""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from skrational.kernels.cpu.panels import PANEL, multiply, pack_panels
from skrational.kernels.recurrent.rows import add_any, prefetch_row
from skrational.kernels.recurrent.slots import SLOTS, take_seats
from skrational.utils.compile import jit, part
from skrational.utils.elementary import tanh
from skrational.utils.simd import flush, load_wide, splat, store, where_positive

__all__ = ["Recurrence", "activate", "backward", "forward", "pad_units"]


class Recurrence(NamedTuple):
    """What the compiled passes know of a network.

    Units lie in whole panels, and those that only fill the last one stay at 0.

    Attributes
    ----------
    ahead, back : ndarray of shape (H * stride,)
        Recurrent weights as panels: from h to the units, and back.
    n_units : int
    relu : bool
        Else the activation is tanh.
    """

    ahead: NDArray[Any]
    back: NDArray[Any]
    n_units: int
    relu: bool

    @classmethod
    def of(cls, W_hh: NDArray[Any], activation: str) -> Self:
        """Pack recurrent weights, (H, H)."""
        panels = pack_panels(W_hh.T), pack_panels(W_hh)
        return cls(*panels, len(W_hh), activation == "relu")


def pad_units(array: NDArray[Any]) -> NDArray[Any]:
    """Add rows of zeros for the units that fill the last panel."""
    missing = -len(array) % PANEL
    return np.pad(array, [(0, missing)] + [(0, 0)] * (array.ndim - 1))


@part
def activate(a, relu, least):  # type: ignore[no-untyped-def]
    """Take a vector of preactivations to states; those below ``least`` count as 0."""
    return flush(where_positive(a, a) if relu else tanh(a), least)


@jit
def forward(recurrence, tokens, states, documents):  # type: ignore[no-untyped-def]
    """Compute the state after every token of some documents.

    Parameters
    ----------
    recurrence : Recurrence
    tokens : Tokens
        With a table of width stride.
    states : ndarray of shape (n_tokens * stride,)
        Filled.
    documents : ndarray of shape (n,), int64
        Which documents, the longest first.
    """
    ahead, _, _, relu = recurrence
    table, ids, offsets = tokens.table.reshape(-1), tokens.ids, tokens.offsets
    stride = tokens.table.shape[1]
    h = np.zeros(SLOTS * stride, table.dtype)
    carried = (h,)
    # A state that only decays would crawl through denormal arithmetic.
    least = splat(np.finfo(table.dtype).tiny, load_wide(h, 0))
    products = np.empty(SLOTS * stride, table.dtype)
    token, stop = np.zeros(SLOTS, np.int64), np.zeros(SLOTS, np.int64)
    n_taken, n_running = 0, SLOTS
    while n_running:
        n_taken, n_running = take_seats(
            documents, n_taken, offsets, False, token, stop, carried
        )
        multiply(h, ahead, products)
        for slot in range(SLOTS):
            t, at = token[slot], slot * stride
            if t == stop[slot]:
                continue
            token[slot] += 1
            i, j = np.int64(ids[t]) * stride, t * stride
            for u in range(0, stride, PANEL):
                a = load_wide(table, i + u) + load_wide(products, at + u)
                after = activate(a, relu, least)
                store(h, at + u, after)
                store(states, j + u, after)
            if t + 1 < stop[slot]:
                prefetch_row(table, np.int64(ids[t + 1]) * stride, stride)


@jit
def backward(  # type: ignore[no-untyped-def]
    recurrence, offsets, states, gradient, least, documents, rows
):
    """Differentiate `forward`.

    Parameters
    ----------
    recurrence : Recurrence
    offsets : ndarray of shape (n_documents + 1,), int64
    states : ndarray of shape (n_tokens * stride,)
        From `forward`.
    gradient : ndarray of shape (n_tokens * H,)
        Of the states.
    least : float
        Gradients below it count as 0.
    documents : ndarray of shape (n,), int64
        Which documents, the longest first.
    rows : ndarray of shape (n_tokens * stride,)
        Filled with the gradients of the preactivations.
    """
    _, back, n_units, relu = recurrence
    stride = back.size // max(n_units, 1)
    d_h = np.zeros(SLOTS * stride, rows.dtype)
    carried = (d_h,)
    left = np.zeros(SLOTS * stride, rows.dtype)
    wide = load_wide(left, 0)
    one, tiny = splat(1.0, wide), splat(least, wide)
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
            add_any(gradient, t * n_units, d_h, at, n_units)
            for u in range(0, stride, PANEL):
                h, d = load_wide(states, t * stride + u), load_wide(d_h, at + u)
                d = where_positive(d, h) if relu else d * (one - h * h)
                d = flush(d, tiny)
                store(left, at + u, d)
                store(rows, t * stride + u, d)
            if token[slot] != stop[slot]:
                prefetch_row(states, (t - 1) * stride, stride)
                prefetch_row(gradient, (t - 1) * n_units, n_units)
        multiply(left, back, d_h)
