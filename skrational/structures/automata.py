"""The automata that a fit has left, as numbers: what inspection reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, log_expit

__all__ = [
    "MATCHES",
    "READOUTS",
    "SEMIRING_NAMES",
    "ScoringRule",
    "WeightedAutomata",
    "final_weights",
]

SEMIRING_NAMES = ("plus-times", "max-plus", "max-times")
READOUTS = ("sum", "last", "rho", "rho_softmax")
MATCHES = ("anywhere", "end")

_ROWS = 256
"""Rows of a product: always as many, so that a row's bits depend on no other row."""


@dataclass(frozen=True)
class ScoringRule:
    """How the scores of an automaton's states become its score on a document.

    Attributes
    ----------
    semiring : {"plus-times", "max-plus", "max-times"}
    readout : {"sum", "last", "rho", "rho_softmax"}
        Over the states of a WFSA: their sum (all states are final), the last one, or
        weighted by learned ``sigmoid(rho)`` or ``softmax(rho)``.
    match : {"end", "anywhere"}
        Score at the last token (the paper's c_T), or of all tokens together.
    length_exponent : float
        With "anywhere" in plus-times, scores are divided by ``T ** length_exponent``.
    """

    semiring: str = "plus-times"
    readout: str = "sum"
    match: str = "anywhere"
    length_exponent: float = 0.5

    @property
    def divisor_exponent(self) -> float:
        """Power of the number of tokens by which scores are divided."""
        joined = self.match == "anywhere" and self.semiring == "plus-times"
        return self.length_exponent if joined else 0.0


def final_weights(
    readout: str, lengths: Sequence[int], weights: Mapping[str, NDArray[Any]]
) -> NDArray[np.floating]:
    """Weight of each state in its automaton's score, (S,).

    Parameters
    ----------
    readout : {"sum", "last", "rho", "rho_softmax"}
    lengths : sequence of int, length d
        States of each automaton, at least one; they sum to S.
    weights : dict of str to ndarray
        ``W_u``, ``b_f`` and, if it is learned, ``rho``; a row for each state.
    """
    dtype, starts = weights["b_f"].dtype, np.cumsum([0, *lengths])
    if readout == "sum":
        return np.ones(starts[-1], dtype)
    if readout == "last":
        final = np.zeros(starts[-1], dtype)
        empty = (weights["W_u"] == 0).all(axis=1)
        for start, stop in pairwise(starts):
            # A state behind an empty one can't be reached.
            n_reached = int(np.argmax([*empty[start:stop], True]))
            if n_reached:
                final[start + n_reached - 1] = 1
        return final
    rho = weights["rho"].astype(np.float64)
    if readout == "rho" or not lengths:
        return expit(rho).astype(dtype)
    powers = np.exp(rho)
    totals = np.repeat(np.add.reduceat(powers, starts[:-1]), lengths)
    return (powers / totals).astype(dtype)


@dataclass(frozen=True, eq=False, repr=False)
class WeightedAutomata:
    """Weighted finite-state automata (WFSAs) with a linear readout of their scores.

    State k of a WFSA is entered by its main-path transition from state k - 1, of weight
    u, or by its self-loop, of weight f. Rows of the weights are the states of the first
    WFSA in order, from state 1 on, then of the second, and so on: S in all, of d WFSAs.

    Parameters
    ----------
    W_u, W_f : ndarray of shape (S, n_features)
        Main-path and self-loop weights.
    b_f : ndarray of shape (S,)
        Self-loop biases.
    final : ndarray of shape (S,)
        Weight, at least 0, of a path that ends in a state.
    lengths : tuple of int, length d
        States of each WFSA, without its start.
    numbers : tuple of int, length d
        Number, from 0, that each WFSA had before pruning.
    coef : ndarray of shape (n_outputs, d)
    intercept : ndarray of shape (n_outputs,)
        ``logits = coef @ scores + intercept``.
    semiring : {"plus-times", "max-plus", "max-times"}, default="plus-times"
    match : {"anywhere", "end"}, default="anywhere"
        Whether a path may end at any token, or at the last one only.
    length_exponent : float, default=0.0
        Scores are divided by the number of tokens to this power.

    References
    ----------
    Dodge, Schwartz, Peng, Smith (2019), "RNN architecture learning with sparse
    regularization", arXiv:1909.03011, section 2.

    Examples
    --------
    >>> automata = WeightedAutomata(
    ...     W_u=np.array([[1.0, 0.0], [0.0, 2.0]]),
    ...     W_f=np.zeros((2, 2)),
    ...     b_f=np.zeros(2),
    ...     final=np.ones(2),
    ...     lengths=(2,),
    ...     numbers=(0,),
    ...     coef=np.ones((1, 1)),
    ...     intercept=np.zeros(1),
    ... )
    >>> automata
    WeightedAutomata(2 transitions in 1 WFSA of 2 features, plus-times, anywhere)
    >>> u, f = automata.transition_weights(np.eye(2))
    >>> u.tolist(), f.tolist()
    ([[0.5, 0.0], [0.0, 1.0]], [[0.5, 0.5], [0.5, 0.5]])
    """

    W_u: NDArray[np.floating]
    W_f: NDArray[np.floating]
    b_f: NDArray[np.floating]
    final: NDArray[np.floating]
    lengths: tuple[int, ...]
    numbers: tuple[int, ...]
    coef: NDArray[np.floating]
    intercept: NDArray[np.floating]
    semiring: str = "plus-times"
    match: str = "anywhere"
    length_exponent: float = 0.0

    def __repr__(self) -> str:
        plural = "" if self.n_wfsas == 1 else "s"
        return (
            f"WeightedAutomata({self.n_transitions} transitions in {self.n_wfsas} "
            f"WFSA{plural} of {self.W_u.shape[1]} features, {self.semiring}, "
            f"{self.match})"
        )

    @property
    def n_wfsas(self) -> int:
        """Number of WFSAs (d)."""
        return len(self.lengths)

    @property
    def n_transitions(self) -> int:
        """Number of main-path transitions, one for each state (S)."""
        return len(self.b_f)

    @property
    def starts(self) -> NDArray[np.int64]:
        """First row of each WFSA, and the number of rows: ndarray of shape (d + 1,)."""
        return np.cumsum([0, *self.lengths], dtype=np.int64)

    def states(self, wfsa: int) -> slice:
        """Rows of a WFSA, counted from 0 among those that are left."""
        return slice(int(self.starts[wfsa]), int(self.starts[wfsa + 1]))

    def transition_weights(
        self, features: ArrayLike
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Weigh the transitions that feature rows would take.

        Parameters
        ----------
        features : array-like of shape (n_rows, n_features)

        Returns
        -------
        main_path : ndarray of shape (n_rows, S), float64
            u, which is ``(1 - f) * (W_u @ x)`` in plus-times and ``sigmoid(W_u @ x)``
            in the other semirings.
        self_loop : ndarray of shape (n_rows, S), float64
            f, which is ``sigmoid(W_f @ x + b_f)``, in max-plus its logarithm.
        """
        rows: NDArray[Any] = np.asarray(features)
        shape = len(rows), self.n_transitions
        main_path, self_loop = np.empty(shape), np.empty(shape)
        W_u, W_f = (np.asarray(W, np.float64).T for W in (self.W_u, self.W_f))
        x = np.zeros((_ROWS, rows.shape[1]))
        for start in range(0, len(rows), _ROWS):
            block = slice(start, start + _ROWS)
            n = len(rows[block])
            x[:n] = rows[block]
            z_u, z_f = (x @ W_u)[:n], (x @ W_f)[:n] + self.b_f
            if self.semiring == "plus-times":
                main_path[block] = expit(-z_f) * z_u
            else:
                main_path[block] = expit(z_u)
            activate = log_expit if self.semiring == "max-plus" else expit
            self_loop[block] = activate(z_f)
        return main_path, self_loop

    def scale(self, lengths: ArrayLike) -> NDArray[np.float64]:
        """Factor of the scores of documents of so many tokens."""
        tokens = np.maximum(np.asarray(lengths, np.float64), 1.0)
        return tokens**-self.length_exponent
