"""Texts checked and turned into numbered words."""

from __future__ import annotations

import itertools
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from operator import length_hint
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.text.words.documents import check_documents
from skrational.text.words.lexicon import Lexicon
from skrational.text.words.spans import Spans
from skrational.utils.threads import given_threads, run_all

__all__ = ["EncodedTexts", "encode_texts"]

# Characters, or tokens, that are worked on at a time: few enough for a cache.
_CHUNK = 2**16
# Chunks that threads share out, before the words that are new to them are numbered.
_AT_ONCE = 16
# Of fewer chunks a thread alone is done before another one has woken up.
_WORTH_SHARING = 4


class EncodedTexts(NamedTuple):
    """Tokenised texts.

    Parameters
    ----------
    tokens : ndarray of shape (n_tokens,), int32
        The number of each word.
    offsets : ndarray of shape (n_texts + 1,), int64
        Text i holds the tokens ``offsets[i]`` to ``offsets[i + 1]``.
    """

    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]

    def count_words(self, n_words: int) -> NDArray[np.int64]:
        """Count how often each of the first n_words words occurs."""
        return np.bincount(self.tokens, minlength=n_words)


def encode_texts(
    texts: Iterable[Any],
    split: Callable[[Sequence[Any]], Spans],
    lexicon: Lexicon,
    check: Callable[[Iterable[Any]], Iterator[Any]] = check_documents,
    is_compiled: bool = False,
) -> EncodedTexts:
    """Tokenise texts and number their words.

    Parameters
    ----------
    texts : iterable
        At least one.
    split : callable
        Takes a sequence of texts and returns their tokens.
    lexicon : Lexicon
        Numbers the words.
    check : callable, default=`check_documents`
        Iterates over texts and raises at what isn't one.
    is_compiled : bool, default=False
        Whether compiled code splits a str, so that several threads do it. Numbers don't
        depend on how many there are.

    Returns
    -------
    EncodedTexts

    Raises
    ------
    ValueError, TypeError
        If there is no text, or a text or a token isn't a str.

    Examples
    --------
    >>> from functools import partial
    >>> from skrational.text.words.spans import Frame, split_by
    >>> split = partial(split_by, str.split, frame=Frame(), lowercase=True)
    >>> encoded = encode_texts(["a b A", "", "b"], split, Lexicon())
    >>> encoded.tokens.tolist(), encoded.offsets.tolist()
    ([0, 1, 0, 1], [0, 3, 3, 4])
    """
    # These grow in place, so that the numbers are never held twice.
    tokens, offsets = array("i"), array("q", [0])
    chunks = _chunks(texts, check)
    while some := list(itertools.islice(chunks, _AT_ONCE)):
        is_many = len(some) >= _WORTH_SHARING
        is_shared = is_compiled and is_many and isinstance(some[0][0], str)
        number = _number_shared if is_shared else _number_each
        for numbers, ends in number(some, split, lexicon):
            offsets.frombytes((ends + len(tokens)).tobytes())
            tokens.frombytes(numbers.tobytes())
    if len(offsets) == 1:
        raise ValueError("X holds no texts; expected at least one.")
    return EncodedTexts(
        np.frombuffer(tokens, np.int32), np.frombuffer(offsets, np.int64)
    )


_Split = Callable[[Sequence[Any]], Spans]
_Numbered = tuple[NDArray[np.int32], NDArray[np.int64]]
"""The numbers of a chunk's words, and where in them its texts end."""


def _number_each(
    chunks: list[Sequence[Any]], split: _Split, lexicon: Lexicon
) -> Iterator[_Numbered]:
    """Split chunks and number their words, one chunk after the other."""
    for chunk in chunks:
        spans = split(chunk)
        yield lexicon.number(*spans[:3]), spans.offsets[1:]


def _number_shared(
    chunks: list[Sequence[Any]], split: _Split, lexicon: Lexicon
) -> Iterator[_Numbered]:
    """Do the same in several threads, but for the words that are new, in order."""

    def find(chunk: Sequence[Any]) -> Any:
        data, starts, ends, offsets = split(chunk)
        numbers, rest = lexicon.find(data, starts, ends)
        return numbers, offsets[1:], rest, (data, starts[rest], ends[rest])

    n_threads = given_threads()
    # In an empty lexicon there is nothing to find.
    n_first = len(chunks) if n_threads == 1 else int(len(lexicon) == 0)
    yield from _number_each(chunks[:n_first], split, lexicon)
    tasks = [partial(find, chunk) for chunk in chunks[n_first:]]
    for numbers, ends, rest, words in run_all(tasks, n_threads):
        numbers[rest] = lexicon.number(*words)
        yield numbers, ends


def _chunks(
    texts: Iterable[Any], check: Callable[[Iterable[Any]], Iterator[Any]]
) -> Iterator[Sequence[Any]]:
    if isinstance(texts, (list, tuple)) and set(map(type, texts)) == {str}:
        yield from _slices(texts)
        return
    chunk: list[Any] = []
    n_characters = 0
    for text in check(texts):
        chunk.append(text)
        n_characters += length_hint(text, 1)
        if n_characters >= _CHUNK:
            yield chunk
            chunk, n_characters = [], 0
    if chunk:
        yield chunk


def _slices(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut texts that are known to be such: some 0.2 us a text faster than to look."""
    ends = np.cumsum(np.fromiter(map(len, texts), np.int64, len(texts)))
    cuts = np.searchsorted(ends, np.arange(_CHUNK, ends[-1], _CHUNK)) + 1
    bounds = [0, *cuts.tolist(), len(texts)]
    for begin, end in itertools.pairwise(bounds):
        if begin < end:
            yield texts[begin:end]
