"""A token of the GRU, forward and backward.

Rows of the learned gates hold what the state gives to the candidate, the activations of
r and z, and what the features give to the candidate.
"""

from __future__ import annotations

from skrational.kernels.cpu.panels import PANEL
from skrational.utils.compile import part
from skrational.utils.elementary import sigmoid, tanh
from skrational.utils.simd import flush, load_wide, mul_add, splat, store

__all__ = ["activate_gru", "advance_gru", "retreat_gru"]


@part
def activate_gru(sizes, bias, table, i, products, k, rows, j):  # type: ignore[no-untyped-def]
    """Compute the learned gates of a token.

    Parameters
    ----------
    sizes : Sizes
    bias : ndarray of shape (n_columns,)
    table, i
        The projected features of the token begin at ``table[i]``.
    products, k
        What the state before gives begins at ``products[k]``.
    rows, j
        Filled from ``rows[j]`` on.
    """
    n_candidates, n_sigmoids = sizes.n_candidates, sizes.n_sigmoids
    for n in range(0, n_candidates, PANEL):
        store(rows, j + n, load_wide(products, k + n) + load_wide(bias, n))
    k, j = k + n_candidates, j + n_candidates
    for n in range(0, n_sigmoids, PANEL):
        total = load_wide(table, i + n) + load_wide(products, k + n)
        store(rows, j + n, sigmoid(total))
    for n in range(n_sigmoids, n_sigmoids + n_candidates, PANEL):
        store(rows, j + n, load_wide(table, i + n))


@part
def advance_gru(gates, n_units, h, at):  # type: ignore[no-untyped-def]
    """Take one step of the recurrence.

    Parameters
    ----------
    gates : ndarray of shape (4 * stride + 1,)
        r, z, and what features and state give to the candidate.
    n_units : int
    h : ndarray
        The state, from entry ``at`` on, is replaced.
    at : int
    """
    stride = gates.size // 4
    for u in range(0, n_units, PANEL):
        r, z = load_wide(gates, u), load_wide(gates, stride + u)
        from_x = load_wide(gates, 2 * stride + u)
        from_h = load_wide(gates, 3 * stride + u)
        n = tanh(mul_add(r, from_h, from_x))
        store(h, at + u, mul_add(z, load_wide(h, at + u) - n, n))


@part
def retreat_gru(  # type: ignore[no-untyped-def]
    gates, n_units, before, j, d_h, d_through, at, least, d_gates
):
    """Differentiate one step of the recurrence.

    Parameters
    ----------
    gates : ndarray of shape (4 * stride + 1,)
        r, z, and what features and state give to the candidate.
    n_units : int
    before, j
        h before the token begins at ``before[j]``.
    d_h, d_through : ndarray
        From entry ``at`` on: the gradient of h as the gates of the later token and the
        loss read it; what comes through that token's z, which is replaced by what goes
        through z to the state before.
    at : int
    least : float
        Gradients below it count as 0.
    d_gates : ndarray of shape (4 * stride + 1,)
        Filled with the gradients of the preactivations of r and z, and of what features
        and state give to the candidate.
    """
    stride = gates.size // 4
    wide = load_wide(gates, 0)
    one, tiny = splat(1.0, wide), splat(least, wide)
    for u in range(0, n_units, PANEL):
        r, z = load_wide(gates, u), load_wide(gates, stride + u)
        from_x = load_wide(gates, 2 * stride + u)
        from_h = load_wide(gates, 3 * stride + u)
        n = tanh(mul_add(r, from_h, from_x))
        dh = flush(load_wide(d_h, at + u) + load_wide(d_through, at + u), tiny)
        through = dh * z
        store(d_through, at + u, through)
        dn = (dh - through) * (one - n * n)
        dr = dn * r
        store(d_gates, u, dr * from_h * (one - r))
        store(d_gates, stride + u, through * (load_wide(before, j + u) - n) * (one - z))
        store(d_gates, 2 * stride + u, dn)
        store(d_gates, 3 * stride + u, dr)
