"""A token of the GRU, forward and backward.

Rows of the learned gates hold what the state gives to the candidate, the activations of
r and z, and what the features give to the candidate.
"""

from __future__ import annotations

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

__all__ = ["read_gru", "retreat_gru"]


@jit
def read_gru(  # type: ignore[no-untyped-def]
    sizes, blocks, singles, bias, table, i, products, k, rows, j, gates, h, at
):
    """Read one token.

    Parameters
    ----------
    sizes, blocks, singles, bias
        Of the `Cell`.
    table, i
        The projected features of the token begin at ``table[i]``.
    products, k
        What the state before gives begins at ``products[k]``.
    rows, j
        Filled with the learned gates, from ``rows[j]`` on.
    gates : ndarray of shape (4 * stride + 1,)
        The constants; the learned gates are filled in.
    h : ndarray
        The state, from entry ``at`` on, replaced.
    at : int
    """
    _activate(sizes, bias, table, i, products, k, rows, j)
    place(blocks, singles, rows, j, gates)
    _advance(gates, sizes.n_units, h, at)


@jit
def _activate(sizes, bias, table, i, products, k, rows, j):  # type: ignore[no-untyped-def]
    """Compute the learned gates of a token; see `read_gru`."""
    n_candidates, n_sigmoids = sizes.n_candidates, sizes.n_sigmoids
    for n in range(0, n_candidates, LANES):
        store(rows, j + n, load(products, k + n) + load(bias, n))
    k, j = k + n_candidates, j + n_candidates
    for n in range(0, n_sigmoids, LANES):
        store(rows, j + n, sigmoid(load(table, i + n) + load(products, k + n)))
    for n in range(n_sigmoids, n_sigmoids + n_candidates, LANES):
        store(rows, j + n, load(table, i + n))


@jit
def _advance(gates, n_units, h, at):  # type: ignore[no-untyped-def]
    """Take one step of the recurrence; see `read_gru`."""
    stride = gates.size // 4
    for u in range(0, n_units, LANES):
        r, z = load(gates, u), load(gates, stride + u)
        from_x, from_h = load(gates, 2 * stride + u), load(gates, 3 * stride + u)
        n = tanh(mul_add(r, from_h, from_x))
        store(h, at + u, mul_add(z, load(h, at + u) - n, n))


@jit
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
    one, tiny = splat(1.0, gates), splat(least, gates)
    for u in range(0, n_units, LANES):
        r, z = load(gates, u), load(gates, stride + u)
        from_x, from_h = load(gates, 2 * stride + u), load(gates, 3 * stride + u)
        n = tanh(mul_add(r, from_h, from_x))
        dh = flush(load(d_h, at + u) + load(d_through, at + u), tiny)
        through = dh * z
        store(d_through, at + u, through)
        dn = (dh - through) * (one - n * n)
        dr = dn * r
        store(d_gates, u, dr * from_h * (one - r))
        store(d_gates, stride + u, through * (load(before, j + u) - n) * (one - z))
        store(d_gates, 2 * stride + u, dn)
        store(d_gates, 3 * stride + u, dr)
