"""The feature rows of the words that a vectorizer has met."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.sequences import SequenceArray
from skrational.text.bits import memory
from skrational.text.corpus import Corpus
from skrational.text.lexicon import Lexicon
from skrational.text.vector_tables import Table
from skrational.utils.compile import jit

__all__ = ["SharedRows", "WordRows", "WordSource", "scale_rows"]

# A vectorizer that has met more words starts anew, lest it grow for ever.
MAX_WORDS = 2_000_000

_UNKNOWN = "<unk>"
# What stands in place of a row: the word is left out; it has not been looked up yet.
_NONE, _PENDING = -1, -2


@dataclass(frozen=True, eq=False)
class WordSource:
    """Where the vectors of words come from.

    Parameters
    ----------
    table : VectorTable or VectorDict
        The vectors of most words.
    special : mapping from str to ndarray of shape (n_features,)
        The vectors of words that the table lacks.
    unknown : ndarray of shape (n_features,) or None
        The vector of all others; None if they are left out.
    unit_norm : bool
        Whether to scale the vectors of the table to Euclidean length 1.
    """

    table: Table
    special: Mapping[str, NDArray[np.float32]]
    unknown: NDArray[np.float32] | None
    unit_norm: bool

    def __contains__(self, word: object) -> bool:
        return word in self.table or word in self.special

    def same_as(self, other: WordSource) -> bool:
        """Whether the other one gives the same vectors."""
        return (
            self.table.vectors is other.table.vectors
            and self.special is other.special
            and self.unknown is other.unknown
            and self.unit_norm == other.unit_norm
        )

    def take(self, words: list[str | None]) -> NDArray[np.float32]:
        """Return the vectors of known words, and of None that of all others.

        Parameters
        ----------
        words : list of str or None

        Returns
        -------
        ndarray of shape (len(words), n_features), float32

        Raises
        ------
        ValueError
            If one of them holds NaN or infinity; the message names the word.
        """
        rows = np.empty((len(words), self.table.n_features), dtype=np.float32)
        places = {
            w: i for i, w in enumerate(words) if w is not None and w in self.table
        }
        vectors = self.table.take(list(places))
        rows[list(places.values())] = scale_rows(vectors) if self.unit_norm else vectors
        for i, word in enumerate(words):
            if word is None:
                rows[i] = self.unknown
            elif word not in places:
                rows[i] = self.special[word]
        return rows


def scale_rows(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to Euclidean length 1; zeros stay zero.

    Examples
    --------
    >>> scale_rows(np.float32([[3, 4], [0, 0]])).tolist()
    [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(norms > 0, norms, 1), dtype=np.float32)


class _Growing:
    """An array with room at its end; what was handed out never changes.

    It lies in a larger one that nobody can write but this class, so that its beginning
    stays good, and stays the same memory, while more is put behind it.
    """

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        self._writeable = _frozen_owner((2**10, *shape), dtype)

    def first(self, n: int) -> NDArray[Any]:
        """Return the first n rows, which stay as they are from now on."""
        rows = self._writeable[:n]
        rows.flags.writeable = False
        return rows

    def put(self, more: NDArray[Any], place: int) -> None:
        """Put rows behind those that come before the place."""
        end = place + len(more)
        if end > len(self._writeable):
            larger = _frozen_owner((2 * end, *more.shape[1:]), more.dtype)
            larger[:place] = self._writeable[:place]
            self._writeable = larger
        self._writeable[place:end] = more


def _frozen_owner(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Return a view that can be written, of a new array that cannot."""
    owner = np.empty(shape, dtype=dtype)
    view = owner[:]
    owner.flags.writeable = False
    return view


class WordRows:
    """A lexicon, and a row for each of its words that was looked up and found.

    All words without a vector share a row, or have none. It may be used by several
    threads at once.

    Parameters
    ----------
    source : WordSource
        Where the vectors come from.
    lexicon : Lexicon
        Numbers the words; give it to `skrational.text.corpus.read_corpus`.

    Examples
    --------
    >>> from functools import partial
    >>> from skrational.text.corpus import read_corpus
    >>> from skrational.text.spans import Frame, split_compiled
    >>> from skrational.text.vector_tables import load_table
    >>> table = load_table({"good": [1.0, 0.0], "bad": [-1.0, 0.0]})
    >>> unknown = np.zeros(2, dtype=np.float32)
    >>> rows = WordRows(WordSource(table, {}, unknown, unit_norm=True), Lexicon())
    >>> split = partial(split_compiled, frame=Frame(), lowercase=True)
    >>> rows.encode(read_corpus(["Good, good"], split, rows.lexicon)).labels.tolist()
    ['good', '<unk>']
    >>> X = rows.encode(read_corpus(["bad"], split, rows.lexicon))
    >>> X.labels.tolist(), X.indices.tolist()
    (['good', '<unk>', 'bad'], [2])
    """

    def __init__(self, source: WordSource, lexicon: Lexicon) -> None:
        self.source = source
        self.lexicon = lexicon
        self._lock = threading.Lock()
        self._features = _Growing((source.table.n_features,), np.float32)
        self._labels = _Growing((), object)
        self._n_rows = 0
        self._row_of = np.empty(0, dtype=np.int32)
        self._unknown_row = _NONE if source.unknown is None else _PENDING

    def encode(self, corpus: Corpus) -> SequenceArray:
        """Turn the word numbers of a corpus into rows, in place.

        Parameters
        ----------
        corpus : Corpus
            Its words were numbered by the lexicon. It must not be used afterwards.

        Returns
        -------
        SequenceArray
            With the rows of all words looked up so far.

        Raises
        ------
        ValueError
            If the vector of a word holds NaN or infinity; the message names the word.
        """
        with self._lock:
            row_of = self._look_up(corpus)
            features = self._features.first(self._n_rows)
            labels = self._labels.first(self._n_rows)
        n_tokens = _replace(*corpus, row_of)
        return SequenceArray._trusted(
            features, corpus.offsets, corpus.tokens[:n_tokens], labels
        )

    def _look_up(self, corpus: Corpus) -> NDArray[np.int32]:
        """Return the row of each word of the lexicon, at least of those that occur."""
        n_words = len(self.lexicon)
        if n_words > len(self._row_of):
            row_of = np.full(n_words, _PENDING, dtype=np.int32)
            row_of[: len(self._row_of)] = self._row_of
            self._row_of = row_of
        pending = self._row_of == _PENDING
        if pending.any():
            # Others may have been numbered for texts that turned out to be faulty.
            numbers = np.flatnonzero(pending & (corpus.count_words(len(pending)) > 0))
            if numbers.size:
                self._add(numbers)
        return self._row_of

    def _add(self, numbers: NDArray[np.intp]) -> None:
        rows = np.full(len(numbers), _NONE, dtype=np.int32)
        names: list[str | None] = []
        unknown_row = self._unknown_row
        for i, word in enumerate(self.lexicon.words(numbers)):
            if word in self.source:
                rows[i] = self._n_rows + len(names)
                names.append(word)
                continue
            if unknown_row == _PENDING:
                unknown_row = self._n_rows + len(names)
                names.append(None)
            rows[i] = unknown_row
        labels = [_UNKNOWN if name is None else name for name in names]
        self._features.put(self.source.take(names), self._n_rows)
        self._labels.put(np.array(labels, dtype=object), self._n_rows)
        # In this order nothing refers to a missing row if a key interrupts.
        self._n_rows += len(names)
        self._unknown_row = unknown_row
        self._row_of[numbers] = rows


class SharedRows:
    """The rows that a vectorizer goes on to use, and where it starts anew.

    Parameters
    ----------
    rows : WordRows or None, default=None
        The first ones.
    """

    def __init__(self, rows: WordRows | None = None) -> None:
        self._rows = rows
        self._lock = threading.Lock()

    def open(self, source: WordSource) -> WordRows:
        """Return the rows to use, which are new if there are none of this source."""
        with self._lock:
            if (
                self._rows is None
                or len(self._rows.lexicon) > MAX_WORDS
                or not self._rows.source.same_as(source)
            ):
                self._rows = WordRows(source, Lexicon())
            return self._rows


@jit
def _replace(tokens: Any, offsets: Any, row_of: Any) -> Any:
    """Put rows in place of word numbers; leave words out that have none."""
    token, row = memory(tokens), memory(row_of)
    n_tokens = 0
    first = 0
    for text in range(len(offsets) - 1):
        last = offsets[text + 1]
        for i in range(first, last):
            token[n_tokens] = row[token[i]]
            n_tokens += token[n_tokens] != _NONE
        offsets[text + 1] = n_tokens
        first = last
    return n_tokens
