"""Words that are left out of texts, whatever is known of them."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np

from skrational.text.vectors.canonical import canonical
from skrational.text.words.encoded_texts import EncodedTexts
from skrational.text.words.lexicon import Lexicon

__all__ = ["StopWords"]


@dataclass(frozen=True)
class StopWords:
    """Words, in the spelling of `canonical`, as texts are read.

    Examples
    --------
    >>> words = StopWords.of(["Film"], lowercase=True)
    >>> "film" in words, "Film" in words, "pan" in words
    (True, False, False)
    """

    forms: frozenset[str]

    @classmethod
    def of(
        cls,
        words: Iterable[str],
        lowercase: bool,
        framing: tuple[str | None, ...] = (),
    ) -> Self:
        """Read words as they are given.

        Parameters
        ----------
        words : iterable of str
        lowercase : bool
            Whether texts are read in lower case.
        framing : tuple of str or None, default=()
            The tokens around each text, which can't be among them.

        Raises
        ------
        TypeError, ValueError
            If one of them isn't a str, or is put around each text.
        """
        forms = set()
        for word in words:
            if not isinstance(word, str):
                raise TypeError(
                    f"stop_words holds {word!r}; expected words (str), got a "
                    f"{type(word).__name__}."
                )
            if word in framing:
                raise ValueError(
                    f"stop_words holds {word!r}, which is put around each text as "
                    "start_token or end_token; set that to None instead."
                )
            forms.add(canonical(word.lower() if lowercase else word))
        return cls(frozenset(forms))

    def __bool__(self) -> bool:
        return bool(self.forms)

    def __contains__(self, word: object) -> bool:
        return bool(self.forms) and canonical(str(word)) in self.forms

    def left_out_of(self, encoded: EncodedTexts, lexicon: Lexicon) -> EncodedTexts:
        """Return texts without these words.

        Parameters
        ----------
        encoded : EncodedTexts
        lexicon : Lexicon
            Which numbered their words.

        Examples
        --------
        >>> from functools import partial
        >>> from skrational.text.words.encoded_texts import encode_texts
        >>> from skrational.text.words.spans import Frame, split_by
        >>> split = partial(split_by, str.split, frame=Frame(), lowercase=True)
        >>> lexicon = Lexicon()
        >>> encoded = encode_texts(["a b A", "a", "b"], split, lexicon)
        >>> left = StopWords.of(["A"], lowercase=True).left_out_of(encoded, lexicon)
        >>> left.tokens.tolist(), left.offsets.tolist()
        ([1, 1], [0, 1, 1, 2])
        """
        if not self.forms:
            return encoded
        met = np.unique(encoded.tokens)
        words = lexicon.words(met)
        gone = met[np.fromiter((word in self for word in words), bool, len(words))]
        stays = ~np.isin(encoded.tokens, gone)
        before = np.concatenate([[0], np.cumsum(stays)])
        return EncodedTexts(encoded.tokens[stays], before[encoded.offsets])

    def others(self, known: Container[str] | None) -> Container[str] | None:
        """Return the words that are no stop words, of those known; None: of all."""
        return _Others(self, known) if self.forms else known


@dataclass(frozen=True)
class _Others(Container[str]):
    """Words that aren't stop words.

    Attributes
    ----------
    stop_words : StopWords
    known : container of str or None
        What they have to be in; None: nothing.
    """

    stop_words: StopWords
    known: Container[str] | None

    def __contains__(self, word: object) -> bool:
        return word not in self.stop_words and (
            self.known is None or word in self.known
        )
