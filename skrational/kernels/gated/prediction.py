"""Prediction of gated networks on the CPU, without torch.

Rows are projected once, for the learned gates only; a token then costs the product of
the learned gates' recurrent weights and the state. Constants cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skrational.kernels.gated.layout import Cell, GateLayout
from skrational.kernels.gated.passes import Kept, advance, forward
from skrational.kernels.recurrent.prediction import PackedStates
from skrational.kernels.recurrent.rows import Tokens
from skrational.kernels.recurrent.slots import SLOTS
from skrational.utils.compile import read_only

__all__ = ["PackedGRU", "PackedLSTM"]


@dataclass(frozen=True, eq=False)
class _PackedGates(PackedStates):
    """A gated cell, packed for the compiled passes.

    Attributes
    ----------
    layout : GateLayout
    cell : Cell
    weight : ndarray of shape (width, n_inputs)
    bias : ndarray of shape (width,)
    inputs : ndarray of shape (n_inputs,), int, or None
        The features that are read; None: all of them.
    anywhere : bool
        Whether a document scores the sum of its states, and not the last one.
    length_exponent : float
        Sums are divided by the number of tokens to this power.
    """

    layout: GateLayout
    cell: Cell
    weight: NDArray[Any]
    bias: NDArray[Any]
    inputs: NDArray[np.int64] | None
    anywhere: bool
    length_exponent: float

    @classmethod
    def of(
        cls,
        W_ih: NDArray[Any],
        W_hh: NDArray[Any],
        b: NDArray[Any],
        learned: NDArray[np.bool_],
        inputs: NDArray[Any],
        n_features: int,
        anywhere: bool,
        length_exponent: float,
    ) -> Self:
        """Pack weights.

        Parameters
        ----------
        W_ih : ndarray of shape (M, n_inputs)
            Input weights of the M learned gates, in the order of
            ``np.flatnonzero(learned)``.
        W_hh : ndarray of shape (M, H)
        b : ndarray of shape (4, H)
        learned : ndarray of shape (4, H) for an LSTM or (3, H) for a GRU, bool
        inputs : ndarray of shape (n_inputs,), int
            The feature that each column of W_ih belongs to.
        n_features : int
        anywhere : bool
        length_exponent : float
        """
        layout = GateLayout.of(learned)
        cell = layout.cell(W_hh, b)
        inputs = np.asarray(inputs, dtype=np.int64)
        return cls(
            layout,
            cell,
            layout.pack(W_ih, layout.from_x),
            cell.bias[layout.from_x],
            None if np.array_equal(inputs, np.arange(n_features)) else inputs,
            anywhere,
            float(length_exponent),
        )

    @property
    def n_scores(self) -> int:
        """Number of units (H)."""
        return self.layout.sizes.n_units

    def states(
        self, table: NDArray[Any], ids: NDArray[np.int32], offsets: NDArray[np.int64]
    ) -> NDArray[Any]:
        """Return the hidden state after every token, (n_tokens, H)."""
        states = np.empty((len(ids), self.n_scores), self.dtype)
        if self.n_scores:
            tokens = Tokens(*map(read_only, (table, ids, offsets)))
            longest_first = np.argsort(-np.diff(offsets), kind="stable")
            nothing = np.empty(0, self.dtype)
            kept = Kept(nothing, nothing, nothing)
            forward(self.cell, tokens, kept, states, longest_first)
        return states

    def _advance(
        self, rows: NDArray[Any], *states: NDArray[Any]
    ) -> tuple[NDArray[Any], ...]:
        """Take one token of each of n sequences, whose states have the shape (n, H)."""
        n, n_units = states[0].shape
        padded = np.zeros((2, -(-n // SLOTS) * SLOTS, self.layout.stride), self.dtype)
        for place, state in zip(padded, states, strict=False):
            place[:n, :n_units] = state
        if n_units:
            h, c = padded.reshape(2, -1)
            advance(self.cell, read_only(rows), h, c)
        return tuple(place[:n, :n_units].copy() for place in padded[: len(states)])

    def _read(self, features: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
        read = features[rows]
        return read if self.inputs is None else read[:, self.inputs]


class PackedLSTM(_PackedGates):
    """An LSTM, packed for predictions."""

    def step(
        self, rows: NDArray[Any], h: NDArray[Any], c: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Read one token of each of n sequences.

        Parameters
        ----------
        rows : ndarray of shape (n, width)
            The table's rows of the tokens.
        h, c : ndarray of shape (n, H)
            The states before them.

        Returns
        -------
        h, c : ndarray of shape (n, H)
        """
        h, c = self._advance(rows, h, c)
        return h, c


class PackedGRU(_PackedGates):
    """A GRU, packed for predictions."""

    def step(self, rows: NDArray[Any], h: NDArray[Any]) -> NDArray[Any]:
        """Read one token of each of n sequences.

        Parameters
        ----------
        rows : ndarray of shape (n, width)
            The table's rows of the tokens.
        h : ndarray of shape (n, H)
            The states before them.

        Returns
        -------
        ndarray of shape (n, H)
        """
        return self._advance(rows, h)[0]
