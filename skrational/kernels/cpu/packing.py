"""Weights between the order of the states and their places in the slabs."""

from __future__ import annotations

from skrational.utils.compile import jit

__all__ = ["pack", "unpack"]


@jit
def pack(W_u, W_f, b_f, sources, columns, weight, bias):  # type: ignore[no-untyped-def]
    """Put the weights of all transitions in their places.

    Parameters
    ----------
    W_u, W_f : ndarray of shape (S, E)
    b_f : ndarray of shape (S,)
    sources : ndarray of shape (n_slabs * 64,), int64
        Row of ``[W_f, W_u, 0]`` for each row of ``weight``.
    columns : ndarray of shape (S,), int64
        Place of each state in ``bias``.
    weight : ndarray of shape (n_slabs * 64, E)
        Filled.
    bias : ndarray of shape (n_slabs * 32,)
        Filled; 0 where there is no state.
    """
    n_states = b_f.size
    for row in range(sources.size):
        source = sources[row]
        for j in range(weight.shape[1]):
            if source < n_states:
                weight[row, j] = W_f[source, j]
            elif source < 2 * n_states:
                weight[row, j] = W_u[source - n_states, j]
            else:
                weight[row, j] = 0
    for place in range(bias.size):
        bias[place] = 0
    for s in range(n_states):
        bias[columns[s]] = b_f[s]


@jit
def unpack(weight, bias, sources, columns, W_u, W_f, b_f):  # type: ignore[no-untyped-def]
    """Add what stands in the slabs to what belongs to the states: the way back.

    Parameters
    ----------
    weight, bias, sources, columns
        As for `pack`, read only.
    W_u, W_f, b_f
        Added to.
    """
    n_states = b_f.size
    for row in range(sources.size):
        source = sources[row]
        for j in range(weight.shape[1]):
            if source < n_states:
                W_f[source, j] += weight[row, j]
            elif source < 2 * n_states:
                W_u[source - n_states, j] += weight[row, j]
    for s in range(n_states):
        b_f[s] += bias[columns[s]]
