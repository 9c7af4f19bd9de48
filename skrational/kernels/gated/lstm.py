"""A token of the LSTM, forward and backward.

Rows of the learned gates hold the activations of i, f and o, then those of g.
"""

from __future__ import annotations

import numpy as np

from skrational.kernels.cpu.panels import PANEL
from skrational.utils.compile import part
from skrational.utils.elementary import sigmoid, tanh
from skrational.utils.simd import flush, load_wide, mul_add, splat, store

__all__ = ["activate_lstm", "advance_lstm", "retreat_lstm"]


@part
def activate_lstm(sizes, table, i, products, k, rows, j):  # type: ignore[no-untyped-def]
    """Compute the learned gates of a token.

    Parameters
    ----------
    sizes : Sizes
    table, i
        The projected features of the token begin at ``table[i]``.
    products, k
        What the state before gives begins at ``products[k]``.
    rows, j
        Filled from ``rows[j]`` on.
    """
    n_sigmoids, end = sizes.n_sigmoids, sizes.n_sigmoids + sizes.n_candidates
    for n in range(0, n_sigmoids, PANEL):
        total = load_wide(table, i + n) + load_wide(products, k + n)
        store(rows, j + n, sigmoid(total))
    for n in range(n_sigmoids, end, PANEL):
        total = load_wide(table, i + n) + load_wide(products, k + n)
        store(rows, j + n, tanh(total))


@part
def advance_lstm(gates, n_units, h, c, at):  # type: ignore[no-untyped-def]
    """Take one step of the recurrence.

    Parameters
    ----------
    gates : ndarray of shape (4 * stride + 1,)
        i, f, g and o.
    n_units : int
    h, c : ndarray
        The states, from entry ``at`` on, are replaced.
    at : int
    """
    stride = gates.size // 4
    # A state that only decays would crawl through denormal arithmetic.
    least = splat(np.finfo(gates.dtype).tiny, load_wide(gates, 0))
    for u in range(0, n_units, PANEL):
        i, f = load_wide(gates, u), load_wide(gates, stride + u)
        g, o = load_wide(gates, 2 * stride + u), load_wide(gates, 3 * stride + u)
        after = flush(mul_add(f, load_wide(c, at + u), i * g), least)
        store(c, at + u, after)
        store(h, at + u, o * tanh(after))


@part
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
    wide = load_wide(gates, 0)
    zero, one, tiny = splat(0.0, wide), splat(1.0, wide), splat(least, wide)
    for u in range(0, n_units, PANEL):
        i, f = load_wide(gates, u), load_wide(gates, stride + u)
        g, o = load_wide(gates, 2 * stride + u), load_wide(gates, 3 * stride + u)
        before = zero if is_first else load_wide(cells, j - stride + u)
        squashed = tanh(load_wide(cells, j + u))
        dh = flush(load_wide(d_h, at + u), tiny)
        do = dh * o
        dc = mul_add(do, one - squashed * squashed, load_wide(d_c, at + u))
        store(d_c, at + u, flush(dc * f, tiny))
        di = dc * i
        store(d_gates, u, di * g * (one - i))
        store(d_gates, stride + u, dc * before * f * (one - f))
        store(d_gates, 2 * stride + u, di * (one - g * g))
        store(d_gates, 3 * stride + u, do * squashed * (one - o))
