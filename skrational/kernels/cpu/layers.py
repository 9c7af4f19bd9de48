"""Prediction on the CPU by layers of automata.

A word's transition weights in the first layer depend on the word alone, and are looked
up; each other layer projects the scores of the layer before it, token by token.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.kernels.cpu.prediction import PackedNetwork, PackedRows, chunks
from skrational.kernels.cpu.recurrences import token_runs
from skrational.kernels.cpu.tokens import first_states
from skrational.utils.compile import jit, part, read_only

__all__ = ["PackedLayers", "TokenAutomata"]


@dataclass(frozen=True, eq=False)
class TokenAutomata(PackedRows):
    """A layer of automata whose scores at every token another layer reads.

    Attributes
    ----------
    weight : ndarray of shape (2 * S, E)
        ``W_f``, then ``W_u``.
    bias, final : ndarray of shape (S,)
    first : ndarray of shape (S,)
        From `first_states`.
    wfsa : ndarray of shape (S,), int64
        The automaton of each state.
    n_wfsas : int
    semiring : str
    """

    weight: NDArray[Any]
    bias: NDArray[Any]
    final: NDArray[Any]
    first: NDArray[Any]
    wfsa: NDArray[np.int64]
    n_wfsas: int
    semiring: str

    @classmethod
    def of(
        cls,
        lengths: tuple[int, ...],
        semiring: str,
        W_u: NDArray[Any],
        W_f: NDArray[Any],
        b_f: NDArray[Any],
        final: NDArray[Any],
    ) -> TokenAutomata:
        """Pack automata; the shapes are those of `PackedAutomata.of`.

        Parameters
        ----------
        lengths : tuple of int
        semiring : str
        W_u, W_f, b_f, final : ndarray
        """
        return cls(
            np.concatenate([W_f, W_u]),
            np.ascontiguousarray(b_f),
            np.ascontiguousarray(final, b_f.dtype),
            first_states(lengths, b_f.dtype),
            np.repeat(np.arange(len(lengths)), lengths),
            len(lengths),
            semiring,
        )

    def _finish(self, projected: NDArray[Any]) -> None:
        if self.semiring == "plus-times":
            _activate(projected, self.bias)
        else:
            _activate_max(projected, self.bias, self.semiring == "max-plus")

    def token_scores(
        self, table: NDArray[Any], ids: NDArray[np.int32], offsets: NDArray[np.int64]
    ) -> NDArray[Any]:
        """Score every token, (n_tokens, d).

        Parameters
        ----------
        table : ndarray of shape (n_rows, 2 * S)
            From `project`.
        ids : ndarray of shape (n_tokens,), int32
        offsets : ndarray of shape (n_documents + 1,), int64
            From 0 on.
        """
        states = np.empty((len(ids), len(self.bias)), self.dtype)
        run = read_only(table), read_only(ids), read_only(offsets)
        run_tokens, _ = token_runs(self.semiring)
        run_tokens(*run, self.first, states)
        if self.semiring == "max-plus":
            states[np.isneginf(states)] = 0  # no path has reached them
        scores = np.zeros((len(ids), self.n_wfsas), self.dtype)
        _sum_states(states, self.final, self.wfsa, scores)
        return scores


@dataclass(frozen=True, eq=False)
class PackedLayers(PackedNetwork):
    """Layers of automata, packed for the compiled kernels.

    Attributes
    ----------
    below : tuple of TokenAutomata
        All layers but the last, from the first on.
    last : PackedNetwork
    weight : ndarray
        Of the first layer, whose projections the table holds.
    """

    below: tuple[TokenAutomata, ...]
    last: PackedNetwork

    @classmethod
    def of(cls, below: Sequence[Sequence[Any]], last: PackedNetwork) -> PackedLayers:
        """Pack layers.

        Parameters
        ----------
        below : sequence of tuple
            What `TokenAutomata.of` takes, for each layer but the last.
        last : PackedNetwork
        """
        return cls(tuple(TokenAutomata.of(*layer) for layer in below), last)

    @property
    def weight(self) -> NDArray[Any]:  # type: ignore[override]
        """Of the first layer, whose projections the table holds."""
        return self.below[0].weight

    @property
    def n_scores(self) -> int:
        """Number of automata of the last layer."""
        return self.last.n_scores

    def _finish(self, projected: NDArray[Any]) -> None:
        self.below[0]._finish(projected)

    def _score(
        self,
        table: NDArray[Any],
        ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        out: NDArray[Any],
        start: int,
        stop: int,
    ) -> None:
        if not self.width:
            out[start:stop] = 0
            return
        own = offsets[start : stop + 1]
        for i, j in chunks(own):
            tokens, here = ids[own[i] : own[j]], own[i : j + 1] - own[i]
            out[start + i : start + j] = self._scores_of(table, tokens, here)

    def _scores_of(
        self, table: NDArray[Any], ids: NDArray[np.int32], offsets: NDArray[np.int64]
    ) -> NDArray[Any]:
        """Score some documents, (n, d), layer after layer; shapes as in `scores`."""
        for layer, next_layer in zip(
            self.below, (*self.below[1:], self.last), strict=True
        ):
            scores = layer.token_scores(table, ids, offsets)
            ids = np.arange(len(scores), dtype=np.int32)
            table = np.empty((len(scores), next_layer.width), self.dtype)
            next_layer.project(scores, ids, table)
        found = np.empty((len(offsets) - 1, self.n_scores), self.dtype)
        self.last._score(table, ids, offsets, found, 0, len(found))
        return found


@jit
def _activate(rows, bias):  # type: ignore[no-untyped-def]
    """Make f and u, in place, of z_f and z_u, (n, 2 * S)."""
    n_states = bias.size
    for i in range(rows.shape[0]):
        for s in range(n_states):
            f = 1 / (1 + np.exp(-(rows[i, s] + bias[s])))
            rows[i, s] = f
            rows[i, n_states + s] *= 1 - f


@jit
def _activate_max(rows, bias, additive):  # type: ignore[no-untyped-def]
    """Make f, or its logarithm if additive, and u of max-plus and max-times."""
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
def _sum_states(states, final, wfsa, scores):  # type: ignore[no-untyped-def]
    """Add weighted states, (n_tokens, S), to scores of automata, (n_tokens, d)."""
    for t in range(states.shape[0]):
        for s in range(final.size):
            scores[t, wfsa[s]] += final[s] * states[t, s]
