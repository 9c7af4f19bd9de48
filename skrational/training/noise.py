"""Dropout that leaves the distinct rows of a batch distinct.

Dropping elements of every token's embedding would cost more than the network and give
each token a vector of its own. Dropped here are words, embedding columns, and scores.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from skrational.cells.batches import Batch
from skrational.utils.uploads import upload

__all__ = ["Dropout"]


@dataclass(frozen=True)
class Dropout:
    """Probabilities of dropping parts of a batch while training.

    Attributes
    ----------
    scores : float
        Each WFSA's score on each document.
    words : float
        Each distinct feature row of the batch, wherever it occurs.
    columns : float
        Each feature, for the whole batch.
    """

    scores: float = 0.0
    words: float = 0.0
    columns: float = 0.0

    def on_features(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Zero words and feature columns of a batch, in place; scale up the rest."""
        x = batch.x
        if self.words:
            x.mul_(_mask((len(x), 1), self.words, generator, x))
        if self.columns:
            x.mul_(_mask((1, x.shape[1]), self.columns, generator, x))
        return batch

    def on_scores(self, scores: Tensor, generator: torch.Generator) -> Tensor:
        """Zero scores, (B, d); the rest is scaled up."""
        if not self.scores:
            return scores
        shape = (scores.shape[0], scores.shape[1])
        return scores * _mask(shape, self.scores, generator, scores)


def _mask(
    shape: tuple[int, int], p: float, generator: torch.Generator, like: Tensor
) -> Tensor:
    """Draw 0 with probability p, else 1 / (1 - p).

    Parameters
    ----------
    shape : tuple of two ints
    p : float
    generator : torch.Generator
        On the CPU.
    like : Tensor
        Of the device and type of the result.
    """
    stays = torch.rand(shape, generator=generator, dtype=torch.float32) >= p
    return upload(stays, like.device).to(like.dtype) / (1 - p)
