"""What cells with hidden states have in common: which of them the readout reads."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from skrational.cells.base import ReadoutCell
from skrational.cells.batches import Batch, Corpus
from skrational.kernels.recurrent import choose_kernel
from skrational.structures.gated import StateReadout

__all__ = ["StatesCell"]

_MOST_OUTPUTS = 2**24
"""Outputs after every token that are held at once in a prediction."""


class StatesCell(ReadoutCell):
    """A network with a linear readout of its hidden states.

    Parameters
    ----------
    reading : StateReadout
    """

    def __init__(self, reading: StateReadout) -> None:
        super().__init__()
        self.reading = reading

    @abstractmethod
    def initialize(self, generator: torch.Generator) -> Self:
        """Draw the weights by a generator on the CPU, and return this cell."""

    @abstractmethod
    def states(self, batch: Batch) -> Tensor:
        """Hidden state after every token, (n_tokens, H)."""

    @abstractmethod
    def packed(self) -> Any:
        """Pack the network for prediction on the CPU."""

    def hidden(self, batch: Batch) -> Tensor:
        """What the readout reads: of each document, (B, H), or every state."""
        states = self.states(batch)
        if self.reading.readout == "every":
            return states
        lengths = torch.from_numpy(np.diff(batch.offsets)).to(states.device)
        if self.reading.readout == "last":
            last = torch.from_numpy(batch.offsets[1:] - 1).to(states.device)
            filled = lengths > 0
            read = states.new_zeros(len(lengths), states.shape[1])
            return read.index_copy(
                0, filled.nonzero()[:, 0], states.index_select(0, last[filled])
            )
        total = _sum_documents(states, lengths)
        scale = lengths.clamp_min(1).to(states.dtype) ** -self.reading.length_exponent
        return total * scale[:, None]

    @torch.no_grad()
    def predict(self, corpus: Corpus) -> Tensor:
        """Outputs of a whole corpus by the fastest way there is.

        Returns
        -------
        Tensor of shape (n, n_outputs), or (n_tokens, n_outputs) if every state is read
        """
        if self.reading.readout == "every":
            return torch.cat([outputs for _, outputs in self.predict_parts(corpus)])
        if choose_kernel(self.A.device.type) != "numba":
            return super().predict(corpus)
        return self.readout(torch.from_numpy(corpus.scored_by(self.packed())))

    @torch.no_grad()
    def predict_parts(self, corpus: Corpus) -> Iterator[tuple[slice, Tensor]]:
        """Yield stretches of documents with their outputs.

        If every state is read, these are the outputs after each of their tokens, and
        only so many are held at once.
        """
        if self.reading.readout != "every":
            yield from super().predict_parts(corpus)
            return
        start = 0
        for batch in corpus.batches(max(1, _MOST_OUTPUTS // len(self.a))):
            stop = start + len(batch.offsets) - 1
            yield slice(start, stop), self(batch)
            start = stop


def _sum_documents(states: Tensor, lengths: Tensor) -> Tensor:
    """Add up the states of each document: (n_tokens, H) and (B,) to (B, H)."""
    document = torch.repeat_interleave(
        torch.arange(len(lengths), device=lengths.device), lengths
    )
    return states.new_zeros(len(lengths), states.shape[1]).index_add(
        0, document, states
    )
