"""The plus-times recurrence with the states after every token, for the CPU.

What reads these is another layer of automata. Documents are run one after the other,
all states of a token side by side.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.utils.compile import jit

__all__ = ["first_states", "run_back", "run_tokens"]


def first_states(lengths: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Return 1 for each state that is the first of its automaton, else 0, (S,).

    Parameters
    ----------
    lengths : tuple of int
    dtype : data type
    """
    first = np.zeros(sum(lengths), dtype)
    starts = np.cumsum([0, *lengths])[:-1]
    first[starts[np.asarray(lengths, int) > 0]] = 1
    return first


@jit
def run_tokens(table, ids, offsets, first, states):  # type: ignore[no-untyped-def]
    """Compute the states after every token.

    Parameters
    ----------
    table : ndarray of shape (n_rows, 2 * S)
        Weights of self-loops, f, then of main-path transitions, u.
    ids : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (n_documents + 1,), int64
    first : ndarray of shape (S,)
        From `first_states`.
    states : ndarray of shape (n_tokens, S)
        Filled.
    """
    n_states = first.size
    tiny = np.finfo(table.dtype).tiny
    # Shifted by one, so that the state before the first one is there, too.
    before = np.zeros(n_states + 1, table.dtype)
    for b in range(len(offsets) - 1):
        before[:] = 0
        for t in range(offsets[b], offsets[b + 1]):
            row = ids[t]
            for s in range(n_states):
                entry = (1 - first[s]) * before[s] + first[s]
                c = table[row, s] * before[s + 1] + table[row, n_states + s] * entry
                # States that only decay would crawl through denormal arithmetic.
                states[t, s] = 0 if abs(c) < tiny else c
            for s in range(n_states):
                before[s + 1] = states[t, s]


@jit
def run_back(table, ids, offsets, first, states, grad, grad_table):  # type: ignore[no-untyped-def]
    """Differentiate `run_tokens`.

    Parameters
    ----------
    table, ids, offsets, first, states
        As `run_tokens` took and left them.
    grad : ndarray of shape (n_tokens, S)
        With respect to the states.
    grad_table : ndarray of shape (n_rows, 2 * S)
        Added to.
    """
    n_states = first.size
    tiny = np.finfo(table.dtype).tiny
    before = np.zeros(n_states + 1, table.dtype)
    adjoint = np.zeros(n_states + 1, table.dtype)
    passed = np.zeros(n_states + 1, table.dtype)
    for b in range(len(offsets) - 1):
        adjoint[:] = 0
        for t in range(offsets[b + 1] - 1, offsets[b] - 1, -1):
            row = ids[t]
            for s in range(n_states):
                before[s + 1] = states[t - 1, s] if t > offsets[b] else 0
            for s in range(n_states):
                g = adjoint[s] + grad[t, s]
                entry = (1 - first[s]) * before[s] + first[s]
                grad_table[row, s] += g * before[s + 1]
                grad_table[row, n_states + s] += g * entry
                adjoint[s] = g * table[row, s]
                passed[s] = g * table[row, n_states + s] * (1 - first[s])
            for s in range(n_states):
                g = adjoint[s] + passed[s + 1]
                adjoint[s] = 0 if abs(g) < tiny else g
