"""A token of the LSTM, forward and backward.

Rows of the learned gates hold the activations of i, f and o, then those of g.
"""

from __future__ import annotations

import numpy as np

from skrational.kernels.gated.slots import place
from skrational.utils.compile import jit
from skrational.utils.simd import (
    LANES,
    flush,
    load,
    mul_add,
    sigmoid,
    splat,
    store,
    tanh,
)

__all__ = ["read_lstm", "retreat_lstm"]


@jit
def read_lstm(  # type: ignore[no-untyped-def]
    sizes, blocks, singles, table, i, products, k, rows, j, gates, h, c, at
):
    """Read one token.

    Parameters
    ----------
    sizes, blocks, singles
        Of the `Cell`.
    table, i
        The projected features of the token begin at ``table[i]``.
    products, k
        What the state before gives begins at ``products[k]``.
    rows, j
        Filled with the learned gates, from ``rows[j]`` on.
    gates : ndarray of shape (4 * stride + 1,)
        The constants; the learned gates are filled in.
    h, c : ndarray
        The states, from entry ``at`` on, replaced.
    at : int
    """
    _activate(sizes, table, i, products, k, rows, j)
    place(blocks, singles, rows, j, gates)
    _advance(gates, sizes.n_units, h, c, at)


@jit
def _activate(sizes, table, i, products, k, rows, j):  # type: ignore[no-untyped-def]
    """Compute the learned gates of a token; see `read_lstm`."""
    n_sigmoids, end = sizes.n_sigmoids, sizes.n_sigmoids + sizes.n_candidates
    for n in range(0, n_sigmoids, LANES):
        store(rows, j + n, sigmoid(load(table, i + n) + load(products, k + n)))
    for n in range(n_sigmoids, end, LANES):
        store(rows, j + n, tanh(load(table, i + n) + load(products, k + n)))


@jit
def _advance(gates, n_units, h, c, at):  # type: ignore[no-untyped-def]
    """Take one step of the recurrence; see `read_lstm`."""
    stride = gates.size // 4
    # A state that only decays would crawl through denormal arithmetic.
    least = splat(np.finfo(gates.dtype).tiny, gates)
    for u in range(0, n_units, LANES):
        i, f = load(gates, u), load(gates, stride + u)
        g, o = load(gates, 2 * stride + u), load(gates, 3 * stride + u)
        after = flush(mul_add(f, load(c, at + u), i * g), least)
        store(c, at + u, after)
        store(h, at + u, o * tanh(after))


@jit
def retreat_lstm(  # type: ignore[no-untyped-def]
    gates, n_units, cells, j, is_first, d_h, d_c, at, least, d_gates
):
    """Differentiate one step of the recurrence.

    Parameters
    ----------
    gates : ndarray of shape (4 * stride + 1,)
        i, f, g and o.
    n_units : int
    cells, j
        c after the token begins at ``cells[j]``, and c before it a stride earlier.
    is_first : bool
        Whether c before it is 0 instead.
    d_h, d_c : ndarray
        From entry ``at`` on: the gradient of h; that of c as later tokens read it,
        which is replaced by that of c before the token.
    at : int
    least : float
        Gradients below it count as 0.
    d_gates : ndarray of shape (4 * stride + 1,)
        Filled with the gradients of the preactivations of all gates.
    """
    stride = gates.size // 4
    zero, one, tiny = splat(0.0, gates), splat(1.0, gates), splat(least, gates)
    for u in range(0, n_units, LANES):
        i, f = load(gates, u), load(gates, stride + u)
        g, o = load(gates, 2 * stride + u), load(gates, 3 * stride + u)
        before = zero if is_first else load(cells, j - stride + u)
        squashed = tanh(load(cells, j + u))
        dh = flush(load(d_h, at + u), tiny)
        do = dh * o
        dc = mul_add(do, one - squashed * squashed, load(d_c, at + u))
        store(d_c, at + u, flush(dc * f, tiny))
        di = dc * i
        store(d_gates, u, di * g * (one - i))
        store(d_gates, stride + u, dc * before * f * (one - f))
        store(d_gates, 2 * stride + u, di * (one - g * g))
        store(d_gates, 3 * stride + u, do * squashed * (one - o))
