"""Fitted language models, without torch and in double precision."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import gen_batches

from skrational.kernels.cpu.panels import multiply_rows, pack_panels
from skrational.kernels.cpu.prediction import chunks
from skrational.kernels.recurrent.prediction import PackedStates
from skrational.utils.cached import cached_property
from skrational.utils.threads import given_threads, run_all

__all__ = ["NextToken"]

_MOST_LOGITS = 2**18
"""Numbers that a thread holds at once: 2 MiB, few enough for a cache."""


@dataclass(frozen=True)
class NextToken(ABC):
    """What comes next, after each token that a network is told.

    Parameters
    ----------
    network : PackedStates
    table : ndarray of shape (V, width)
        What each word gives to the network.
    A : ndarray of shape (V, H)
    a : ndarray of shape (V,)
    """

    network: PackedStates
    table: NDArray[np.float64]
    A: NDArray[np.float64]
    a: NDArray[np.float64]

    n_states: ClassVar[int] = 1
    """Arrays that a text's state is made of; the readout reads the first."""

    def start(self, n: int) -> tuple[NDArray[np.float64], ...]:
        """Return the state before the first token of n texts, of (n, H) each."""
        return tuple(np.zeros((n, self.A.shape[1])) for _ in range(self.n_states))

    @abstractmethod
    def step(
        self, tokens: NDArray[np.integer], *state: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], ...]:
        """Read a token of each text.

        Parameters
        ----------
        tokens : ndarray of shape (n,), int
        *state : ndarrays of shape (n, H)
            As of `start`.

        Returns
        -------
        tuple of ndarrays of shape (n, H)
            The state after it.
        """

    def logits(self, h: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logits of the next token, (n, V), from the states, (n, H)."""
        logits = np.empty((len(h), len(self.a)))
        multiply_rows(np.ascontiguousarray(h), self._panels, logits)
        logits += self.a
        return logits

    @cached_property
    def _panels(self) -> NDArray[np.float64]:
        """The readout as `multiply_rows` takes it.

        A BLAS would multiply a single row by other sums than one of several.
        """
        return pack_panels(self.A.T)

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
        size = max(1, _MOST_LOGITS // len(self.a))
        for first, last in chunks(offsets):
            here = slice(offsets[first], offsets[last])
            places = offsets[first : last + 1] - offsets[first]
            states = self.network.states(self.table, inputs[here], places)
            tell = partial(self._tell, states, targets[here], found[here])
            parts = [partial(tell, part) for part in gen_batches(len(states), size)]
            run_all(parts, given_threads())
        return found

    def _tell(
        self,
        states: NDArray[np.float64],
        targets: NDArray[np.int32],
        out: NDArray[np.float64],
        part: slice,
    ) -> None:
        """Write the log-likelihoods of some targets.

        Parameters
        ----------
        states : ndarray of shape (n_tokens, H)
        targets : ndarray of shape (n_tokens,), int
        out : ndarray of shape (n_tokens,)
        part : slice
            Which tokens to tell.
        """
        logits = self.logits(states[part])
        logits -= logits.max(axis=1, keepdims=True)
        out[part] = logits[np.arange(len(logits)), targets[part]]
        np.exp(logits, out=logits)
        out[part] -= np.log(logits.sum(axis=1))
