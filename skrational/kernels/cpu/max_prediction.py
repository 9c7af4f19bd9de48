"""Prediction on the CPU in semirings whose plus is the maximum.

Every number of a document follows from its own rows in an order that is always the
same: its score is the same to the bit in any company.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.kernels.cpu.prediction import PackedAutomata, PackedNetwork
from skrational.structures.automata import ScoringRule
from skrational.utils.compile import jit, part, read_only

__all__ = ["PackedMaxAutomata", "activate_max", "pack_automata"]


def pack_automata(
    lengths: tuple[int, ...], rule: ScoringRule, *weights: NDArray[Any]
) -> PackedNetwork:
    """Pack automata of any semiring.

    Parameters
    ----------
    lengths : tuple of int
    rule : ScoringRule
    *weights : ndarray
        W_u, W_f, b_f and final, as `PackedAutomata.of` takes them.
    """
    if rule.semiring == "plus-times":
        return PackedAutomata.of(lengths, rule, *weights)
    return PackedMaxAutomata.of(lengths, rule, *weights)


@dataclass(frozen=True, eq=False)
class PackedMaxAutomata(PackedNetwork):
    """Automata of max-plus or max-times, packed for the compiled kernels.

    Attributes
    ----------
    weight : ndarray of shape (2 * S, E)
        ``W_f``, then ``W_u``.
    bias, final : ndarray of shape (S,)
    wfsa : ndarray of shape (S,), int64
        The automaton of each state.
    n_wfsas : int
    additive : bool
        Whether weights along a path are added, as in max-plus.
    anywhere : bool
    """

    weight: NDArray[Any]
    bias: NDArray[Any]
    final: NDArray[Any]
    wfsa: NDArray[np.int64]
    n_wfsas: int
    additive: bool
    anywhere: bool

    @classmethod
    def of(
        cls,
        lengths: tuple[int, ...],
        rule: ScoringRule,
        W_u: NDArray[Any],
        W_f: NDArray[Any],
        b_f: NDArray[Any],
        final: NDArray[Any],
    ) -> PackedMaxAutomata:
        """Pack automata.

        Parameters
        ----------
        lengths : tuple of int, length d
            States of each automaton; they sum to S.
        rule : ScoringRule
        W_u, W_f : ndarray of shape (S, E)
        b_f, final : ndarray of shape (S,)
        """
        return cls(
            np.concatenate([W_f, W_u]),
            np.ascontiguousarray(b_f),
            np.ascontiguousarray(final, b_f.dtype),
            np.repeat(np.arange(len(lengths)), lengths),
            len(lengths),
            rule.semiring == "max-plus",
            rule.match == "anywhere",
        )

    @property
    def n_scores(self) -> int:
        """Number of automata (d)."""
        return self.n_wfsas

    def _finish(self, projected: NDArray[Any]) -> None:
        activate_max(projected, self.bias, self.additive)

    def _score(
        self,
        table: NDArray[Any],
        ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        out: NDArray[Any],
        start: int,
        stop: int,
    ) -> None:
        _score_documents(
            read_only(table),
            read_only(ids),
            read_only(offsets[start : stop + 1]),
            (self.final, self.wfsa),
            self.additive,
            self.anywhere,
            out[start:stop],
        )


@jit
def activate_max(rows, bias, additive):  # type: ignore[no-untyped-def]
    """Turn projected rows (z_f, z_u) into transition weights (f, u), in place.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, 2 * S)
    bias : ndarray of shape (S,)
    additive : bool
        Whether f is to be the logarithm of the sigmoid.
    """
    n_states, zero = bias.size, rows.dtype.type(0)
    for i in range(rows.shape[0]):
        for s in range(n_states):
            z = rows[i, s] + bias[s]
            if additive:
                rows[i, s] = min(z, zero) - math.log1p(math.exp(-abs(z)))
            else:
                rows[i, s] = _sigmoid(z)
            rows[i, n_states + s] = _sigmoid(rows[i, n_states + s])


@part
def _sigmoid(z):  # type: ignore[no-untyped-def]
    e = math.exp(-abs(z))
    return (1 if z >= 0 else e) / (1 + e)


@jit
def _score_documents(table, ids, offsets, readers, additive, anywhere, out):  # type: ignore[no-untyped-def]
    """Score documents.

    Parameters
    ----------
    table : ndarray of shape (n_rows, 2 * S)
    ids : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (n_documents + 1,), int64
    readers : tuple of ndarray of shape (S,)
        The weight of each state in the score of its automaton, and the automaton.
    additive, anywhere : bool
    out : ndarray of shape (n_documents, d)
        Filled with the scores.
    """
    final, wfsa = readers
    n_states = final.size
    zero = -np.inf if additive else 0.0
    one = 0.0 if additive else 1.0
    c, best = np.empty(n_states, table.dtype), np.empty(n_states, table.dtype)
    for b in range(out.shape[0]):
        c[:] = best[:] = zero
        for t in range(offsets[b], offsets[b + 1]):
            row = table[ids[t]]
            # From the last state on, so that each finds the one before as it was.
            for s in range(n_states - 1, -1, -1):
                is_first = s == 0 or wfsa[s] != wfsa[s - 1]
                before = table.dtype.type(one) if is_first else c[s - 1]
                f, u = row[s], row[n_states + s]
                stay = f + c[s] if additive else f * c[s]
                enter = u + before if additive else u * before
                c[s] = max(stay, enter)
                best[s] = max(best[s], c[s])
        out[b] = 0
        for s in range(n_states):
            state = best[s] if anywhere else c[s]
            if not np.isinf(state):
                out[b, wfsa[s]] += final[s] * state
