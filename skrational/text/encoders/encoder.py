"""An encoder of transformers with its tokenizer, run on pieces of texts."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.text.encoders.pieces import TokenizedText
from skrational.utils.cached import cached_property

__all__ = ["Encoder", "tokenize"]


@dataclass(frozen=True, eq=False)
class Encoder:
    """A model and its tokenizer.

    Parameters
    ----------
    model, tokenizer : object of transformers
    device : torch.device
        Where the model is.
    prefix, suffix : list of int
        The special tokens around each piece.
    limit : int
        The most tokens of a piece, with the special ones.
    process : int
        Where it was loaded.
    """

    model: Any
    tokenizer: Any
    device: Any
    prefix: list[int]
    suffix: list[int]
    limit: int
    process: int

    @cached_property
    def pads(self) -> bool:
        """Whether a piece has the same features beside a longer one."""
        piece = [*self.prefix, *self.suffix] or [0]
        longer = (piece * 3)[: self.limit]
        layers = range(self.model.config.num_hidden_layers + 1)
        (alone,) = self.embed([piece], layers, 1.0)
        padded, _ = self.embed([piece, longer], layers, 1.0)
        return bool(np.allclose(alone, padded, rtol=1e-3, atol=1e-3))

    @property
    def n_special(self) -> int:
        """Number of special tokens around a piece."""
        return len(self.prefix) + len(self.suffix)

    def tokenize(self, texts: Sequence[str]) -> list[TokenizedText]:
        """Cut texts into subwords, however long they are."""
        return tokenize(self.tokenizer, texts)

    def names(self, ids: Sequence[int]) -> list[str]:
        """Return subwords as the tokenizer writes them."""
        return list(self.tokenizer.convert_ids_to_tokens(list(ids)))

    def embed(
        self, pieces: Sequence[list[int]], layers: Sequence[int], scale: float
    ) -> list[NDArray[np.float32]]:
        """Run the model on pieces of similar length.

        Parameters
        ----------
        pieces : sequence of list of int
            Ids, with special tokens.
        layers : sequence of int
            The hidden states to add up, 0 for the embeddings.
        scale : float
            What their sum is multiplied by.

        Returns
        -------
        list of ndarray of shape (len(piece), n_features), float32
        """
        import torch

        # Where there are no special tokens, an empty text has no token at all.
        longest = max(1, *map(len, pieces))
        ids = np.full((len(pieces), longest), self.tokenizer.pad_token_id or 0)
        mask = np.zeros_like(ids)
        for i, piece in enumerate(pieces):
            ids[i, : len(piece)] = piece
            mask[i, : len(piece)] = 1
        if os.getpid() != self.process:
            # In a fork OpenMP would wait for threads that aren't there.
            torch.set_num_threads(1)
        with (
            torch.inference_mode(),
            torch.autocast(self.device.type, enabled=False),
        ):
            states = self.model(
                input_ids=torch.from_numpy(ids).to(self.device),
                attention_mask=torch.from_numpy(mask).to(self.device),
                output_hidden_states=True,
            ).hidden_states
            total = sum(states[layer] for layer in layers) * scale
            rows = total.float().cpu().numpy()
        return [row[: len(piece)] for row, piece in zip(rows, pieces, strict=True)]


def tokenize(tokenizer: Any, texts: Sequence[str]) -> list[TokenizedText]:
    """Cut texts into subwords, however long they are, by a tokenizer of transformers.

    Parameters
    ----------
    tokenizer : object of transformers
    texts : sequence of str

    Returns
    -------
    list of TokenizedText
        Without special tokens.
    """
    fast = tokenizer.is_fast
    # A lone surrogate is no character to a tokenizer.
    known = [re.sub("[\ud800-\udfff]", "\ufffd", text) for text in texts]
    encoded = tokenizer(
        known,
        add_special_tokens=False,
        padding=False,
        truncation=False,
        return_attention_mask=False,
        return_token_type_ids=False,
        return_offsets_mapping=fast,
        verbose=False,
    )
    if not fast:
        return [
            TokenizedText(text, ids)
            for text, ids in zip(texts, encoded["input_ids"], strict=True)
        ]
    return [
        TokenizedText(
            text,
            encoded["input_ids"][i],
            np.array(encoded["offset_mapping"][i], dtype=np.int64).reshape(-1, 2),
            encoded.word_ids(i),
        )
        for i, text in enumerate(texts)
    ]
