"""Scores of documents by the hidden states of a network, without torch."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.kernels.cpu.prediction import PackedNetwork, chunks
from skrational.utils.compile import jit

__all__ = ["PackedStates"]


class PackedStates(PackedNetwork):
    """A packed network whose hidden states are what a document scores.

    Attributes
    ----------
    bias : ndarray of shape (width,)
    anywhere : bool
        Whether a document scores the sum of its states, and not the last one.
    length_exponent : float
        Sums are divided by the number of tokens to this power.
    """

    bias: NDArray[Any]
    anywhere: bool
    length_exponent: float

    @abstractmethod
    def states(
        self, table: NDArray[Any], ids: NDArray[np.int32], offsets: NDArray[np.int64]
    ) -> NDArray[Any]:
        """Return the hidden state after every token, (n_tokens, H).

        Parameters
        ----------
        table : ndarray of shape (n_rows, width)
            From `project`.
        ids : ndarray of shape (n_tokens,), int32
        offsets : ndarray of shape (n_documents + 1,), int64
        """

    def _finish(self, projected: NDArray[Any]) -> None:
        projected += self.bias

    def _score(
        self,
        table: NDArray[Any],
        ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        out: NDArray[Any],
        start: int,
        stop: int,
    ) -> None:
        here, scores = offsets[start : stop + 1], out[start:stop]
        for first, last in chunks(here):
            begin, end = here[first], here[last]
            part = here[first : last + 1] - begin
            states = self.states(table, ids[begin:end], part)
            _join(states, part, self.anywhere, self.length_exponent, scores[first:last])


@jit
def _join(states, offsets, anywhere, length_exponent, out):  # type: ignore[no-untyped-def]
    """Make the scores of documents of the states after their tokens.

    Parameters
    ----------
    states : ndarray of shape (n_tokens, H)
    offsets : ndarray of shape (n_documents + 1,), int64
    anywhere : bool
    length_exponent : float
    out : ndarray of shape (n_documents, H)
        Filled.
    """
    for document in range(out.shape[0]):
        first, end = offsets[document], offsets[document + 1]
        out[document] = 0
        if anywhere:
            for t in range(first, end):
                out[document] += states[t]
            out[document] *= max(end - first, 1) ** -length_exponent
        elif first < end:
            out[document] = states[end - 1]
