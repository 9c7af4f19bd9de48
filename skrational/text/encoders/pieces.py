"""Long documents cut into pieces, and the features of pieces put together again."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "PieceFeatures",
    "Span",
    "TokenizedText",
    "cut_into_pieces",
    "find_words",
    "word_bounds",
]

# Just before the white space that ends a sentence. Whatever a tokenizer makes of white
# space thus belongs to the next one.
_ENDS = re.compile(
    r"(?<=[.!?…])[\"'”’»›)\]}]*(?=\s)|(?=[\n\r\x0b\x0c\x85\u2028\u2029])"
)
_NOTHING = np.empty((0, 0), dtype=np.float32)


class Span(NamedTuple):
    """The subwords ``start`` to ``stop`` of a text."""

    start: int
    stop: int


class TokenizedText(NamedTuple):
    """A text and its subwords.

    Parameters
    ----------
    text : str
    ids : list of int
        The subwords, without special tokens.
    offsets : ndarray of shape (n_subwords, 2) or None
        Where each begins and ends in the text; None if the tokenizer doesn't know.
    words : list of (int or None), or None
        The number of each subword's word.
    """

    text: str
    ids: list[int]
    offsets: NDArray[np.int64] | None = None
    words: list[int | None] | None = None


def cut_into_pieces(
    document: TokenizedText, window: int, overlap: int, long: str
) -> list[Span]:
    """Cut a document into pieces that an encoder can read.

    Parameters
    ----------
    document : TokenizedText
    window : int
        The most subwords of a piece.
    overlap : int
        How many subwords a window shares with the one before.
    long : {"windows", "sentences", "every_sentence"}
        As the parameter of `BertVectorizer`.

    Returns
    -------
    list of Span
        At least one; together they cover every subword.

    Examples
    --------
    >>> document = TokenizedText("", [7] * 10)
    >>> [tuple(span) for span in cut_into_pieces(document, 6, 2, "windows")]
    [(0, 6), (4, 10)]
    """
    whole = Span(0, len(document.ids))
    if long == "windows" or (long == "sentences" and whole.stop <= window):
        return _windows(whole, window, overlap)
    sentences = _sentences(document)
    if long == "sentences":
        sentences = _packed(sentences, window)
    return [part for span in sentences for part in _windows(span, window, overlap)]


def _windows(span: Span, window: int, overlap: int) -> list[Span]:
    last = max(span.stop - overlap, span.start + 1)
    starts = range(span.start, last, window - overlap)
    return [Span(start, min(start + window, span.stop)) for start in starts]


def _sentences(document: TokenizedText) -> Iterator[Span]:
    """Yield the sentences, none of them empty unless the document is."""
    n = len(document.ids)
    if document.offsets is None:
        raise ValueError("document has no offsets, by which sentences are found.")
    ends = [match.end() for match in _ENDS.finditer(document.text)]
    # Subwords of one character may share their offsets, but never go back.
    starts = np.maximum.accumulate(document.offsets[:, 0])
    bounds = np.unique([0, *np.searchsorted(starts, ends), n]).tolist()
    return itertools.starmap(Span, itertools.pairwise(bounds if n else [0, 0]))


def _packed(sentences: Iterator[Span], window: int) -> Iterator[Span]:
    """Join neighbours as long as they fit."""
    piece = next(sentences)
    for sentence in sentences:
        if sentence.stop - piece.start > window:
            yield piece
            piece = sentence
        piece = Span(piece.start, sentence.stop)
    yield piece


def find_words(document: TokenizedText) -> NDArray[np.int64]:
    """Return the first subword of each word; one without a word is a word.

    Examples
    --------
    >>> words = [0, 0, 1, None, None]
    >>> find_words(TokenizedText("", [7] * 5, words=words)).tolist()
    [0, 2, 3, 4]
    """
    words = document.words or []
    return np.array(
        [
            i
            for i, word in enumerate(words)
            if i == 0 or word is None or word != words[i - 1]
        ],
        dtype=np.int64,
    )


def word_bounds(document: TokenizedText) -> list[tuple[int, int]]:
    """Return where each word begins and ends in the text.

    Examples
    --------
    >>> offsets = np.array([(0, 2), (2, 4), (5, 6)])
    >>> word_bounds(TokenizedText("good!", [7] * 3, offsets, [0, 0, 1]))
    [(0, 4), (5, 6)]
    """
    assert document.offsets is not None
    starts = find_words(document)
    if not len(starts):
        return []
    begins = document.offsets[starts, 0]
    ends = np.maximum.reduceat(document.offsets[:, 1], starts)
    return list(zip(begins.tolist(), ends.tolist(), strict=True))


class PieceFeatures:
    """The features of a document's pieces, and what they make together.

    Parameters
    ----------
    document : TokenizedText
    spans : sequence of Span
        Its pieces.
    """

    def __init__(self, document: TokenizedText, spans: Sequence[Span]) -> None:
        self.document = document
        self.spans = spans
        self._parts: list[NDArray[np.float32]] = [_NOTHING] * len(spans)
        self._n_missing = len(spans)
        self._n_prefix = 0

    def ids(self, i: int) -> list[int]:
        """Return the subwords of piece i."""
        return self.document.ids[slice(*self.spans[i])]

    def add(self, i: int, features: NDArray[np.float32], n_prefix: int) -> bool:
        """Take the features of piece i, of which the first n_prefix are special.

        Returns whether all pieces are there.
        """
        self._parts[i] = features
        self._n_prefix = n_prefix
        self._n_missing -= 1
        return not self._n_missing

    def finish(self, tokens: str, special_tokens: bool) -> NDArray[np.float32]:
        """Average over pieces and pool over words, once all pieces are there."""
        features = self._average()
        if tokens != "subwords":
            features = self._pool(features, tokens)
        if not special_tokens:
            return features
        last = self._n_prefix + len(self.ids(-1))
        prefix, suffix = self._parts[0][: self._n_prefix], self._parts[-1][last:]
        return np.concatenate([prefix, features, suffix])

    def _average(self) -> NDArray[np.float32]:
        n = len(self.document.ids)
        sums = np.zeros((n, self._parts[0].shape[1]), dtype=np.float32)
        counts = np.zeros((n, 1), dtype=np.float32)
        for span, part in zip(self.spans, self._parts, strict=True):
            own = slice(*span)
            sums[own] += part[self._n_prefix :][: span.stop - span.start]
            counts[own] += 1
        return np.asarray(sums / counts, dtype=np.float32)

    def _pool(self, features: NDArray[Any], tokens: str) -> NDArray[np.float32]:
        starts = find_words(self.document)
        if tokens == "first" or not len(starts):
            return features[starts]
        lengths = np.diff(starts, append=len(features))[:, None]
        sums = np.add.reduceat(features, starts, axis=0)
        return np.asarray(sums / lengths, dtype=np.float32)
