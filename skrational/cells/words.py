r"""Cells that read embedded words, and after each of them predict the next.

======== ============= =========== ==================================================
symbol   code          shape       meaning
======== ============= =========== ==================================================
w_t      ``batch.x``   (n_rows, 1) number of a word
x_t      row of        (E,)        embedding of a word, which the network reads; zeros
         ``Emb``                   if the word is gone
A, a     ``A``, ``a``  (V, H)      logits of the next word = A h_t + a
======== ============= =========== ==================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn

from skrational.cells.base import Noise
from skrational.cells.batches import Batch
from skrational.cells.states import StatesCell

__all__ = ["EmbeddedWords"]


class EmbeddedWords(StatesCell):
    """What a network gets that reads words and predicts them; comes before its class.

    Its readout reads every state. A subclass calls `embed` once it has its parameters.
    """

    W_ih: nn.Parameter
    Emb: nn.Parameter
    rows: Tensor

    def embed(self, words: Sequence[int]) -> None:
        """Make embeddings of zeros for the words that are there, by their numbers."""
        self.Emb = nn.Parameter(self.W_ih.new_zeros(len(words), self.W_ih.shape[1]))
        # Words that are gone share the row of zeros behind the embeddings.
        rows = torch.full((len(self.a),), len(words))
        rows[list(words)] = torch.arange(len(words))
        self.register_buffer("rows", rows, persistent=False)

    @torch.no_grad()
    def initialize(self, generator: torch.Generator, *args: Any, **kwargs: Any) -> Self:
        """Draw the weights of a dense cell; embeddings are uniform from -.1 to .1.

        What else there is goes to the network.
        """
        super().initialize(generator, *args, **kwargs)  # type: ignore[safe-super]
        drawn = torch.empty(self.Emb.shape, dtype=torch.float64)
        self.Emb.copy_(drawn.uniform_(-0.1, 0.1, generator=generator))
        return self

    def embedded(self, batch: Batch) -> Batch:
        """Put the embeddings of words in the place of their numbers."""
        rows = self.rows.index_select(0, batch.x[:, 0].long())
        # torch 2.4 can't pad what has no columns.
        unknown = self.Emb.new_zeros(1, self.Emb.shape[1])
        embeddings = torch.cat([self.Emb, unknown])
        return Batch(embeddings.index_select(0, rows), batch.ids, batch.offsets)

    def hidden(self, batch: Batch) -> Tensor:
        """State after each token of all documents, (n_tokens, H)."""
        return self.states(self.embedded(batch))

    def noisy_outputs(
        self, batch: Batch, dropout: Noise, generator: torch.Generator
    ) -> Tensor:
        """Logits after each token with dropout, (n_tokens, V)."""
        embedded = dropout.on_features(self.embedded(batch), generator)
        return self.readout(dropout.on_scores(self.states(embedded), generator))
