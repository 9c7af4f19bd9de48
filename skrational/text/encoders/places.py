"""Where the subwords or words that an encoder reads stand in a text."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from skrational.sequences import Original
from skrational.text.encoders.encoder import tokenize
from skrational.text.encoders.loading import load_tokenizer
from skrational.text.encoders.pieces import word_bounds
from skrational.text.words.places import arrange, without_spaces

__all__ = ["EncodedFinder"]


@dataclass(frozen=True)
class EncodedFinder:
    """Finds the tokens that a `BertVectorizer` makes of a text.

    Parameters
    ----------
    model, revision
        As for `load_encoder`.
    tokens : {"subwords", "first", "mean"}
    special_tokens : bool
        Whether those around a text are tokens.
    """

    model: str | os.PathLike[str]
    revision: str
    tokens: str
    special_tokens: bool

    def __call__(self, text: Any) -> Original | None:
        """Return a text with the places of its tokens; None if nothing tells them."""
        try:
            tokenizer, prefix, suffix = load_tokenizer(self.model, self.revision)
        except (ImportError, OSError, ValueError):
            return None  # the features of the cache need no tokenizer
        (document,) = tokenize(tokenizer, [text])
        if document.offsets is None:
            return None
        subwords = map(tuple, document.offsets.tolist())
        found = subwords if self.tokens == "subwords" else word_bounds(document)
        places = without_spaces(text, found)
        n_around = (len(prefix), len(suffix)) if self.special_tokens else (0, 0)
        return arrange(text, places, [False] * len(places), *n_around)
