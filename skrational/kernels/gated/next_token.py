"""A fitted language model by an LSTM, in numpy and in double precision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp

from skrational.kernels.gated.steps import steps_of
from skrational.structures.language import LSTMLanguageStructure

__all__ = ["NextTokenLSTM"]

_MOST_STATES, _MOST_LOGITS = 2**21, 2**21
"""Numbers that are held at once: 16 MiB."""


@dataclass(frozen=True)
class NextTokenLSTM:
    """What comes next, after each token that it is told.

    Parameters
    ----------
    projected : ndarray of shape (V, M)
        What each word adds to the gates that vary.
    W_hh : ndarray of shape (M, H)
    b : ndarray of shape (4 * H,)
    rows : ndarray of shape (M,), int
        Places of the gates that vary among all gates.
    A : ndarray of shape (V, H)
    a : ndarray of shape (V,)
    """

    projected: NDArray[np.float64]
    W_hh: NDArray[np.float64]
    b: NDArray[np.float64]
    rows: NDArray[np.intp]
    A: NDArray[np.float64]
    a: NDArray[np.float64]

    @classmethod
    def of(
        cls, arrays: Mapping[str, NDArray[Any]], structure: LSTMLanguageStructure
    ) -> Self:
        """Take the parameters of an `LSTMLanguageCell` of a structure."""
        p = {name: array.astype(np.float64) for name, array in arrays.items()}
        rows = np.flatnonzero(structure.varies)
        projected = np.zeros((structure.n_words_initial, len(rows)))
        projected[list(structure.words)] = p["Emb"] @ p["W_ih"].T
        return cls(projected, p["W_hh"], p["b"].ravel(), rows, p["A"], p["a"])

    def start(self, n: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return h and c before the first token of n texts, (n, H) each."""
        n_units = self.W_hh.shape[1]
        return np.zeros((n, n_units)), np.zeros((n, n_units))

    def step(
        self,
        tokens: NDArray[np.integer],
        h: NDArray[np.float64],
        c: NDArray[np.float64],
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Read a token of each text.

        Parameters
        ----------
        tokens : ndarray of shape (n,), int
        h, c : ndarray of shape (n, H)

        Returns
        -------
        h, c : ndarray of shape (n, H)
        """
        entering = np.tile(self.b, (len(tokens), 1))
        entering[:, self.rows] += self.projected[tokens] + h @ self.W_hh.T
        i, f, g, o = np.split(entering, 4, axis=1)
        c = expit(f) * c + expit(i) * np.tanh(g)
        return expit(o) * np.tanh(c), c

    def logits(self, h: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logits of the next token, (n, V), from the states, (n, H)."""
        return h @ self.A.T + self.a

    def log_likelihoods(
        self,
        inputs: NDArray[np.int32],
        targets: NDArray[np.int32],
        offsets: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Log-likelihood of each target, given its text so far.

        Parameters
        ----------
        inputs, targets : ndarray of shape (n_tokens,), int
        offsets : ndarray of shape (n_texts + 1,), int64
            Where texts begin in these.

        Returns
        -------
        ndarray of shape (n_tokens,)
        """
        found = np.empty(len(inputs))
        for first, last in _stretches(offsets, _MOST_STATES // max(1, len(self.b))):
            begin, end = offsets[first], offsets[last]
            states = self._states(inputs[begin:end], offsets[first : last + 1] - begin)
            size = max(1, _MOST_LOGITS // len(self.a))
            for k in range(0, end - begin, size):
                logits = self.logits(states[k : k + size])
                at = slice(begin + k, begin + k + len(logits))
                of_targets = logits[np.arange(len(logits)), targets[at]]
                found[at] = of_targets - logsumexp(logits, axis=1)
        return found

    def _states(
        self, inputs: NDArray[np.int32], offsets: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """State after each token of some texts, (n_tokens, H)."""
        steps = steps_of(offsets)
        h, c = self.start(len(offsets) - 1)
        states = np.empty((len(inputs), h.shape[1]))
        for start, stop in pairwise(steps.starts.tolist()):
            tokens, n = steps.tokens[start:stop], stop - start
            h, c = self.step(inputs[tokens], h[:n], c[:n])
            states[tokens] = h
        return states


def _stretches(offsets: NDArray[np.int64], most: int) -> Iterator[tuple[int, int]]:
    """Yield first and last + 1 of consecutive texts that hold so many tokens."""
    first, n = 0, len(offsets) - 1
    while first < n:
        last = int(np.searchsorted(offsets, offsets[first] + most, side="right")) - 1
        last = min(max(last, first + 1), n)
        yield first, last
        first = last
