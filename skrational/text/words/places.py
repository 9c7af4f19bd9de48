"""Where the words of a document stand in it, found when the document is shown."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.sequences import NOWHERE, Original
from skrational.text.tokenize import tokenize
from skrational.text.words.characters import text_of
from skrational.text.words.searching import find_in_order
from skrational.text.words.spans import Frame, split_compiled

__all__ = ["Place", "WordFinder", "arrange", "without_spaces"]

Place = tuple[int, int]
"""Where a word begins and ends in a text."""


@dataclass(frozen=True)
class WordFinder:
    """Finds the tokens that a `WordVectorizer` makes of a document.

    Parameters
    ----------
    tokenizer : callable or None
    frame : Frame
    lowercase : bool
    kept : container of str or None, default=None
        The words that are tokens; others are left out. None: all are.

    Examples
    --------
    >>> find = WordFinder(None, Frame("<s>"), lowercase=True)
    >>> found = find("It's  NOT good.")
    >>> found.read(["<s>", "it", "'s", "not", "<unk>", "."])
    ('<s>', 'It', "'s", 'NOT', 'good', '.')
    >>> find(["New York", "Is"]).text
    'New York Is'
    """

    tokenizer: Callable[[Any], Iterable[str]] | None
    frame: Frame
    lowercase: bool
    kept: Container[str] | None = None

    def __call__(self, document: Any) -> Original | None:
        """Return a text with the places of its tokens; None if they aren't found."""
        found = self._find(document)
        if found is None:
            return None
        text, words, places = found
        numbers = self.frame.truncate(list(range(len(words))))
        return arrange(
            text,
            [places[i] for i in numbers],
            [self.kept is not None and words[i] not in self.kept for i in numbers],
            *self.frame.sizes,
        )

    def _find(self, document: Any) -> tuple[str, list[str], list[Place]] | None:
        """Return a text, the words that are looked up, and their places."""
        if not isinstance(document, str):
            if self.tokenizer not in (None, tokenize):
                return None
            tokens = list(map(str, document))
            words = [token.lower() for token in tokens] if self.lowercase else tokens
            return " ".join(tokens), words, _places_of_joined(tokens)
        if self.tokenizer in (None, tokenize):
            return document, *_compiled_places(document, self.lowercase)
        assert self.tokenizer is not None
        read = document.lower() if self.lowercase else document
        words = list(self.tokenizer(read))
        places = find_in_order(document, words)
        return None if places is None else (document, words, places)


def arrange(
    text: str,
    places: list[Place],
    left_out: list[bool],
    n_before: int = 0,
    n_behind: int = 0,
) -> Original:
    """Arrange the places of words as the tokens of a sequence.

    Parameters
    ----------
    text : str
    places : list of (int, int)
        Of the words that were read.
    left_out : list of bool
        Whether a word is no token.
    n_before, n_behind : int, default=0
        How many tokens are put around the words.

    Returns
    -------
    Original

    Examples
    --------
    >>> arrange("a b", [(0, 1), (2, 3)], [True, False], n_before=1).spans.tolist()
    [[-1, -1], [2, 3]]
    """
    spans = np.array(places, np.int64).reshape(-1, 2)
    is_out = np.array(left_out, bool)
    before, behind = (np.full((n, 2), NOWHERE, np.int64) for n in (n_before, n_behind))
    tokens = np.concatenate([before, spans[~is_out], behind])
    return Original(text, tokens, spans[is_out], n_before)


def without_spaces(text: str, places: Iterable[Place]) -> list[Place]:
    """Return places without white space at their ends, which no word has.

    Examples
    --------
    >>> without_spaces("a good pan", [(0, 1), (1, 6), (6, 7)])
    [(0, 1), (2, 6), (7, 7)]
    """
    bare = []
    for begin, end in places:
        part = text[begin:end]
        begin += len(part) - len(part.lstrip())
        bare.append((begin, begin + len(part.strip())))
    return bare


def _places_of_joined(tokens: list[str]) -> list[Place]:
    """Where tokens stand in them all, joined by spaces."""
    places, begin = [], 0
    for token in tokens:
        places.append((begin, begin + len(token)))
        begin += len(token) + 1
    return places


def _compiled_places(text: str, lowercase: bool) -> tuple[list[str], list[Place]]:
    """Tokenise a text; return the tokens and where they stand in it."""
    spans = split_compiled([text], Frame(), lowercase=lowercase)
    bounds = list(zip(spans.starts.tolist(), spans.ends.tolist(), strict=True))
    words = [text_of(spans.data[start:end]) for start, end in bounds]
    # Bytes that go on with a character begin with the bits 10.
    begins = np.cumsum((spans.data & 0xC0) != 0x80)
    before = np.concatenate([[0], begins])
    origin = _origins(text, lowercase)
    firsts, afters = origin[before[spans.starts]], origin[before[spans.ends] - 1] + 1
    return words, list(zip(firsts.tolist(), afters.tolist(), strict=True))


def _origins(text: str, lowercase: bool) -> NDArray[np.intp]:
    """Which character of a text each one is from that the tokenizer reads."""
    numbers = np.arange(len(text))
    if not lowercase or text.isascii():
        return numbers
    # A capital of Turkish becomes two characters.
    return np.repeat(numbers, [len(character.lower()) for character in text])
