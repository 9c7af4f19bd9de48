"""The tokens that a language model knows, and their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from skrational.sequences import UNKNOWN
from skrational.text.words.encoded_texts import EncodedTexts, encode_texts
from skrational.text.words.lexicon import Lexicon
from skrational.text.words.spans import (
    Frame,
    Spans,
    split_by,
    split_documents,
    split_tokens,
)
from skrational.utils.cached import cached_property, lasting_state

__all__ = ["END", "END_NUMBER", "UNKNOWN_NUMBER", "Vocabulary"]

END = "</s>"
END_NUMBER, UNKNOWN_NUMBER = 0, 1


@dataclass(frozen=True)
class Vocabulary:
    """Tokens, with their numbers: the end of a text, the unknown one, then the others.

    Attributes
    ----------
    words : list of str
        By number. A token that isn't among them is read as number 1.
    level : {"word", "character"}
        What a text is split into. Lists of tokens are taken as they are.
    lowercase : bool

    Examples
    --------
    >>> texts = ["a b a", "a c"]
    >>> vocabulary, tokens = Vocabulary.learn(texts, "word", True, None, 2)
    >>> vocabulary.words, tokens.tokens.tolist(), tokens.offsets.tolist()
    (['</s>', '<unk>', 'a'], [2, 1, 2, 2, 1], [0, 3, 5])
    >>> vocabulary.join([2, 1])
    'a <unk>'
    """

    words: list[str]
    level: str
    lowercase: bool

    @classmethod
    def learn(
        cls,
        texts: Iterable[Any],
        level: str,
        lowercase: bool,
        most: int | None,
        min_count: int,
    ) -> tuple[Vocabulary, EncodedTexts]:
        """Find the commonest tokens of texts, and number these.

        Parameters
        ----------
        texts : iterable of str, or of lists of str
        level : {"word", "character"}
        lowercase : bool
        most : int or None
            Tokens to keep beside the two marks; of equally frequent ones those that
            occur first. None: all.
        min_count : int
            How often a token that is kept occurs at least.

        Returns
        -------
        vocabulary : Vocabulary
        encoded : EncodedTexts
            The texts.
        """
        encoded, found = _split(texts, level, lowercase)
        counts = encoded.count_words(len(found))
        is_mark = np.isin(found, [END, UNKNOWN])
        counts[is_mark] = 0
        chosen = np.argsort(-counts, kind="stable")[:most]
        chosen = chosen[counts[chosen] >= max(1, min_count)]
        words = [END, UNKNOWN, *(found[i] for i in chosen)]
        vocabulary = cls(words, level, lowercase)
        return vocabulary, vocabulary._renumbered(encoded, found)

    def __len__(self) -> int:
        """Count the tokens, the two marks not among them."""
        return len(self.words) - 2

    def encode(self, texts: Iterable[Any]) -> EncodedTexts:
        """Split texts and number their tokens."""
        return self._renumbered(*_split(texts, self.level, self.lowercase))

    def join(self, numbers: Iterable[int]) -> str:
        """Return the text of some tokens: words stand between spaces."""
        between = " " if self.level == "word" else ""
        return between.join(self.words[number] for number in numbers)

    def _renumbered(self, encoded: EncodedTexts, found: list[str]) -> EncodedTexts:
        """Replace the numbers of the tokens that were found by those here."""
        if END in found:
            raise ValueError(
                f"A text holds the token {END!r}, which marks the end of a text: each "
                "text gets one. Split the text there, or leave the token out."
            )
        known = self._numbers
        number = [known.get(word, UNKNOWN_NUMBER) for word in found]
        tokens = np.array(number, np.int32)[encoded.tokens]
        return EncodedTexts(tokens, encoded.offsets)

    def __getstate__(self) -> dict[str, Any]:
        return lasting_state(self)

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words)}


def _split(
    texts: Iterable[Any], level: str, lowercase: bool
) -> tuple[EncodedTexts, list[str]]:
    """Return the tokens of texts, by numbers, and what the numbers stand for."""
    lexicon, split = (
        Lexicon(),
        split_documents if level == "word" else _split_characters,
    )
    of_level = partial(split, None, frame=Frame(), lowercase=lowercase)
    encoded = encode_texts(texts, of_level, lexicon)
    return encoded, lexicon.words(np.arange(len(lexicon)))


def _split_characters(
    _: None, documents: Sequence[Any], frame: Frame, *, lowercase: bool
) -> Spans:
    """Split texts into characters; lists of tokens stay as they are."""
    if isinstance(documents[0], str):
        return split_by(list, documents, frame, lowercase=lowercase)
    return split_tokens(documents, frame, lowercase=lowercase)
