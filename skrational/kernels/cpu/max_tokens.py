"""The recurrence of max-plus and max-times with the states after every token."""

from __future__ import annotations

import numpy as np

from skrational.utils.compile import jit, part

__all__ = ["run_back", "run_tokens"]


@part
def _neutral(additive, table):  # type: ignore[no-untyped-def]
    """The semiring's zero and one, in the table's type."""
    number = table.dtype.type
    return number(-np.inf if additive else 0.0), number(0.0 if additive else 1.0)


@jit
def run_tokens(table, ids, offsets, first, states, additive):  # type: ignore[no-untyped-def]
    """Compute the states after every token.

    Parameters
    ----------
    table, ids, offsets, first
        As for `skrational.kernels.cpu.tokens.run_tokens`.
    states : ndarray of shape (n_tokens, S)
        Filled; the semiring's zero where no path has reached a state.
    additive : bool
        Whether weights along a path are added, as in max-plus.
    """
    n_states = first.size
    tiny = np.finfo(table.dtype).tiny
    zero, one = _neutral(additive, table)
    # Shifted by one, so that the state before the first one is there, too.
    before = np.empty(n_states + 1, table.dtype)
    for b in range(len(offsets) - 1):
        before[:] = zero
        for t in range(offsets[b], offsets[b + 1]):
            row = ids[t]
            for s in range(n_states):
                f, u, c = table[row, s], table[row, n_states + s], before[s + 1]
                entry = one if first[s] else before[s]
                stay = f + c if additive else f * c
                enter = u + entry if additive else u * entry
                c = enter if enter >= stay or enter != enter else stay
                # States that only decay would crawl through denormal arithmetic.
                states[t, s] = 0 if abs(c) < tiny else c
            for s in range(n_states):
                before[s + 1] = states[t, s]


@jit
def run_back(table, ids, offsets, first, states, grad, grad_table, additive):  # type: ignore[no-untyped-def]
    """Differentiate `run_tokens`: equally good ways share a gradient.

    Parameters
    ----------
    table, ids, offsets, first, states, additive
        As `run_tokens` took and left them.
    grad : ndarray of shape (n_tokens, S)
        With respect to the states; 0 where no path has reached one.
    grad_table : ndarray of shape (n_rows, 2 * S)
        Added to.
    """
    n_states = first.size
    tiny = np.finfo(table.dtype).tiny
    zero, one = _neutral(additive, table)
    half, nothing = table.dtype.type(0.5), table.dtype.type(0)
    before = np.empty(n_states + 1, table.dtype)
    adjoint = np.empty(n_states + 1, table.dtype)
    passed = np.zeros(n_states + 1, table.dtype)
    for b in range(len(offsets) - 1):
        before[:] = zero
        adjoint[:] = 0
        for t in range(offsets[b + 1] - 1, offsets[b] - 1, -1):
            row = ids[t]
            for s in range(n_states):
                before[s + 1] = states[t - 1, s] if t > offsets[b] else zero
            for s in range(n_states):
                g = adjoint[s] + grad[t, s]
                f, u, c = table[row, s], table[row, n_states + s], before[s + 1]
                entry = one if first[s] else before[s]
                stay = f + c if additive else f * c
                enter = u + entry if additive else u * entry
                to_stay = (
                    half * g if stay == enter else (g if stay > enter else nothing)
                )
                to_enter = g - to_stay
                inner = nothing if first[s] else to_enter
                grad_table[row, s] += to_stay if additive else to_stay * c
                grad_table[row, n_states + s] += (
                    to_enter if additive else to_enter * entry
                )
                adjoint[s] = to_stay if additive else f * to_stay
                passed[s] = inner if additive else u * inner
            for s in range(n_states):
                g = adjoint[s] + passed[s + 1]
                adjoint[s] = nothing if abs(g) < tiny else g
