r"""The LSTM cell of a language model, with the groups that are learned away.

======== ==================== ============ ==========================================
paper    code                 shape        meaning
======== ==================== ============ ==========================================
w_t      ``batch.x``          (n_rows, 1)  number of a word
..       ``Emb``              (V, E)       embedding of each word, the x of the LSTM
V        row of ``Emb``       (E,)         all that a word brings; without it, the word
                                           is a step of time, and no more
..       column of ``Emb``,   (V + M,)     all that goes through a dimension of the
         W_ih                              embedding
A, a     ``A``, ``a``         (V, H)       logits of the next word = A h_t + a
======== ==================== ============ ==========================================

Weights, gates and neurons are those of `skrational.cells.lstm`; the embedding's entries
are weights too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from skrational.cells.compaction import Mask, Remains, what_remains
from skrational.cells.lstm import LSTMCell
from skrational.cells.words import EmbeddedWords
from skrational.groups import Groups, Part
from skrational.structures.gated import StateReadout
from skrational.structures.language import LSTMLanguageStructure
from skrational.structures.network import EVERY_STATE

__all__ = ["EVERY_STATE", "LSTMLanguageCell"]


@dataclass(frozen=True)
class _RemainsOfWords(Remains):
    """What is left, also of the words whose embeddings there were: (n_words,), bool."""

    words: Mask


class LSTMLanguageCell(EmbeddedWords, LSTMCell):
    """An LSTM that reads embedded words, and after each of them predicts the next."""

    structure_type: ClassVar = LSTMLanguageStructure
    weight_names: ClassVar = (*LSTMCell.weight_names, "Emb")

    _shape: LSTMLanguageStructure

    def __init__(
        self,
        structure: LSTMLanguageStructure,
        reading: StateReadout,
        dtype: torch.dtype,
    ) -> None:
        super().__init__(structure, reading, dtype)
        self.embed(structure.words)

    def _groups_of_kind(self, kind: str) -> Groups:
        n_words, n_inputs = self.Emb.shape
        if kind == "vocabulary":
            word = torch.arange(n_words, device=self.a.device)
            return Groups((Part((self.Emb,), word),), n_words)
        if kind == "inputs":
            dimension = torch.arange(n_inputs, device=self.a.device)
            return Groups((Part((self.W_ih, self.Emb), dimension, axis=1),), n_inputs)
        return super()._groups_of_kind(kind)

    def remains(self) -> _RemainsOfWords:
        """Find what computes something."""
        W_ih, W_hh, A, Emb = (
            w.detach().cpu().numpy() for w in (self.W_ih, self.W_hh, self.A, self.Emb)
        )
        heard = W_ih * (Emb != 0).any(axis=0)
        left = what_remains(
            self.varies, heard, W_hh, A, self._stirred(), self._needed, self._silent
        )
        words = (Emb[:, left.inputs] != 0).any(axis=1)
        return _RemainsOfWords(left.units, left.varies, left.inputs, words)

    def _everything(self) -> _RemainsOfWords:
        left = super()._everything()
        words = np.ones(len(self.Emb), bool)
        return _RemainsOfWords(left.units, left.varies, left.inputs, words)

    def cuts(self, left: Any) -> dict[str, Callable[[Tensor], Tensor]]:
        """How each parameter, by its name, is cut to what is left."""
        words, inputs = (
            torch.from_numpy(mask).to(self.a.device)
            for mask in (left.words, left.inputs)
        )
        return super().cuts(left) | {"Emb": lambda w: w[words][:, inputs]}

    def _described(self, left: Any) -> dict[str, Any]:
        words = tuple(np.array(self._shape.words, int)[left.words].tolist())
        return super()._described(left) | {"words": words}
