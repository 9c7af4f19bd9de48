"""The feature rows of the words that a vectorizer has met."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.sequences import UNKNOWN, SequenceArray
from skrational.sequences.repeats import distinct_rows
from skrational.text.vectors.coverage import (
    UnknownTexts,
    UnknownWords,
    find_unknown,
)
from skrational.text.vectors.growing import GrowingArray
from skrational.text.vectors.tables import Table
from skrational.text.vectors.word_source import WordSource
from skrational.text.words.bits import memory
from skrational.text.words.encoded_texts import EncodedTexts
from skrational.text.words.lexicon import Lexicon
from skrational.utils.compile import jit
from skrational.utils.fork_locks import Lock

__all__ = ["SharedRows", "WordRows"]

# Beyond so many bytes for words without a row of their own, these are forgotten.
MOST_LEXICON_BYTES = 2**26
# Beyond so many bytes of rows all are: a mapping may have a vector for any word.
MOST_ROW_BYTES = 2**31

# Each message that Python prints it remembers; texts of a server are never the same.
MOST_WARNINGS = 100

# What stands in place of a row: the word is left out; it has not been looked up yet.
_NONE, _PENDING = -1, -2

# Unknown tokens of a call that are looked at for examples.
_SEEN = 100


class _Rows:
    """The vectors of words, one below the other; all unknown words share one.

    Attributes
    ----------
    lock : Lock
        Whoever adds rows, or reads what `add` changes, holds it.
    unknown : int
        The row of unknown words, `_PENDING` before the first one, `_NONE` if they are
        left out.
    """

    def __init__(self, source: WordSource) -> None:
        self.source = source
        self.lock = Lock()
        self.unknown = _NONE if source.unknown is None else _PENDING
        self._features = GrowingArray((source.table.n_features,), np.float32)
        self._labels = GrowingArray((), object)
        self._is_known = GrowingArray((), bool)
        self._n = 0

    @property
    def n_bytes(self) -> int:
        """Memory of the vectors."""
        return 4 * self._n * self.source.table.n_features

    def all(self) -> tuple[NDArray[np.float32], NDArray[Any], NDArray[np.bool_]]:
        """Features, labels, and whether the table has the word, of each row."""
        parts = self._features, self._labels, self._is_known
        features, labels, is_known = (part.first(self._n) for part in parts)
        return features, labels, is_known

    def add(self, words: list[str]) -> NDArray[np.int32]:
        """Add what words need; return the row of each, `_NONE` for one to leave out."""
        rows = np.full(len(words), _NONE, dtype=np.int32)
        names: list[str | None] = []
        unknown = self.unknown
        for i, word in enumerate(words):
            if word in self.source:
                rows[i] = self._n + len(names)
                names.append(word)
                continue
            if unknown == _PENDING:
                unknown = self._n + len(names)
                names.append(None)
            rows[i] = unknown
        labels = [UNKNOWN if name is None else name for name in names]
        is_known = [name is not None and name in self.source.table for name in names]
        self._features.put(self.source.take(names), self._n)
        self._labels.put(np.array(labels, dtype=object), self._n)
        self._is_known.put(np.array(is_known, dtype=bool), self._n)
        # In this order nothing refers to a missing row if a key interrupts.
        self._n += len(names)
        self.unknown = unknown
        return rows


class WordRows:
    """A lexicon, and a row for each of its words that was looked up and found.

    All words without a vector share a row, or have none. It may be used by several
    threads at once. A call costs what its own tokens cost, however many words were met.

    Parameters
    ----------
    source : WordSource
        Where the vectors come from.
    lexicon : Lexicon
        Numbers the words; give it to `encode_texts`, too.

    Examples
    --------
    >>> from functools import partial
    >>> from skrational.text.words.encoded_texts import encode_texts
    >>> from skrational.text.words.spans import Frame, split_compiled
    >>> from skrational.text.vectors.loading import load_table
    >>> table = load_table({"good": [1.0, 0.0], "bad": [-1.0, 0.0]})
    >>> from skrational.text.vectors.word_source import WordSource
    >>> unknown = np.zeros(2, dtype=np.float32)
    >>> rows = WordRows(WordSource(table, {}, unknown, unit_norm=True), Lexicon())
    >>> split = partial(split_compiled, frame=Frame(), lowercase=True)
    >>> X, *_ = rows.encode(encode_texts(["Good, good"], split, rows.lexicon))
    >>> X.labels.tolist()
    ['good', '<unk>']
    >>> encoded = encode_texts(["bad", "??"], split, rows.lexicon)
    >>> X, unknown, words = rows.encode(encoded)
    >>> X.labels.tolist(), X.indices.tolist(), unknown.n, unknown.first
    (['good', '<unk>', 'bad'], [2, 1, 1], 1, 1)
    >>> words
    UnknownWords(n=2, n_tokens=3, examples=('?',))
    """

    def __init__(self, source: WordSource, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        self._rows = _Rows(source)
        self._row_of = np.empty(0, dtype=np.int32)
        self._n_looked_up = 0
        self._most_bytes = MOST_LEXICON_BYTES

    @property
    def source(self) -> WordSource:
        """Where the vectors come from."""
        return self._rows.source

    def encode(
        self, encoded: EncodedTexts, framing: tuple[int, int] = (0, 0)
    ) -> tuple[SequenceArray, UnknownTexts, UnknownWords]:
        """Turn the numbers of words into rows, in place.

        Parameters
        ----------
        encoded : EncodedTexts
            Its words were numbered by the lexicon. It must not be used afterwards.
        framing : pair of int, default=(0, 0)
            How many tokens were put before and behind each text.

        Returns
        -------
        SequenceArray
            With the rows of all words looked up so far.
        UnknownTexts
            Which texts hold no word of the table.
        UnknownWords
            How many tokens are no word of the table, with examples if most aren't.

        Raises
        ------
        ValueError
            If the vector of a word holds NaN or infinity; the message names the word.
        """
        with self._rows.lock.held:
            self._look_up(encoded.tokens)
            row_of = self._row_of
            features, labels, is_known = self._rows.all()
            row_of_unknown = self._rows.unknown
        n_words = len(encoded.tokens) - sum(framing) * (len(encoded.offsets) - 1)
        seen = np.empty(_SEEN + 1, dtype=np.int32)
        n_tokens, n_unknown = _replace(*encoded, row_of, row_of_unknown, seen)
        words = UnknownWords(n_unknown, n_words, ())
        if words.are_most:
            words = words._replace(
                examples=self._examples(seen[: min(n_unknown, _SEEN)])
            )
        rows = encoded.tokens[:n_tokens]
        unknown = find_unknown(rows, encoded.offsets, is_known, framing)
        sequences = SequenceArray._trusted(features, encoded.offsets, rows, labels)
        return sequences, unknown, words

    def _examples(self, numbers: NDArray[np.int32]) -> tuple[str, ...]:
        """Return the words of these numbers, the most frequent first."""
        found = Counter(numbers.tolist())
        return tuple(self.lexicon.words(np.array([n for n, _ in found.most_common()])))

    def _look_up(self, tokens: NDArray[np.int32]) -> None:
        """Find the rows of the words that occur."""
        n_words = len(self.lexicon)
        if self._n_looked_up == n_words:
            return
        if n_words > len(self._row_of):
            row_of = np.full(2 * n_words, _PENDING, dtype=np.int32)
            row_of[: len(self._row_of)] = self._row_of
            self._row_of = row_of
        # Others may have been numbered for texts that turned out to be faulty.
        pending = tokens[self._row_of[tokens] == _PENDING]
        if pending.size:
            first = pending.min()
            numbers = first + distinct_rows(pending - first, n_words - first)
            self._row_of[numbers] = self._rows.add(self.lexicon.words(numbers))
            self._n_looked_up += len(numbers)

    @property
    def n_bytes(self) -> int:
        """Memory of the rows."""
        return self._rows.n_bytes

    def is_full(self) -> bool:
        """Whether the words take too much memory."""
        return self.lexicon.n_bytes > self._most_bytes

    def without_unknown(self) -> WordRows:
        """Return the same rows, and of the words those with a row of their own."""
        with self._rows.lock.held:
            row_of, unknown = self._row_of, self._rows.unknown
        numbers = np.flatnonzero((row_of >= 0) & (row_of != unknown))
        new = WordRows(self.source, self.lexicon.subset(numbers))
        new._rows, new._row_of = self._rows, row_of[numbers]
        new._n_looked_up = len(numbers)
        # As long again, at least, it goes on before words are forgotten once more.
        new._most_bytes += 2 * new.lexicon.n_bytes
        return new


class SharedRows:
    """The rows of a vectorizer, which forget words when these are too many.

    What is forgotten is looked up again where it occurs.

    Parameters
    ----------
    rows : WordRows or None, default=None
        The first ones.
    """

    def __init__(self, rows: WordRows | None = None) -> None:
        self._rows = rows
        self._lock = Lock()
        self._warned: Counter[str] = Counter()
        self._given: Any = None
        self._table: Table | None = None

    def table(self, vectors: Any, load: Callable[[], Table]) -> Table:
        """Return the table of these vectors: that of before, unless it's in a file.

        Parameters
        ----------
        vectors : str, path-like, KeyedVectors or dict
        load : callable
            Makes the table.
        """
        if isinstance(vectors, (str, os.PathLike)):
            return load()
        with self._lock.held:
            if self._table is None or self._given is not vectors:
                self._table, self._given = load(), vectors
            return self._table

    def may_warn(self, kind: str, most: int | None = None) -> bool:
        """Whether to warn once more of something; ask for each warning."""
        most = MOST_WARNINGS if most is None else most
        with self._lock.held:
            self._warned[kind] += 1
            return self._warned[kind] <= most

    def open(self, source: WordSource) -> WordRows:
        """Return the rows to use, which are new if there are none of this source."""
        with self._lock.held:
            rows = self._rows
            if (
                rows is None
                or rows.n_bytes > MOST_ROW_BYTES
                or not rows.source.same_as(source)
            ):
                rows = WordRows(source, Lexicon())
            elif rows.is_full():
                rows = rows.without_unknown()
            self._rows = rows
            return rows


@jit
def _replace(
    tokens: Any, offsets: Any, row_of: Any, row_of_unknown: Any, seen: Any
) -> Any:
    """Put rows in place of word numbers; leave words out that have none.

    Parameters
    ----------
    tokens : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (n_texts + 1,), int64
    row_of : ndarray of shape (n_words,), int32
    row_of_unknown : int
        Of the words that count as unknown.
    seen : ndarray of shape (n_examples + 1,), int32
        Filled with the numbers of the first ones of these.

    Returns
    -------
    n_tokens, n_unknown : int
        How many tokens are left, and how many unknown ones there were.
    """
    token, row, example = memory(tokens), memory(row_of), memory(seen)
    n_tokens = n_unknown = 0
    first, last_example = 0, len(seen) - 1
    for text in range(len(offsets) - 1):
        last = offsets[text + 1]
        for i in range(first, last):
            # Written for each token, kept for unknown ones: no branch to be foretold.
            example[min(n_unknown, last_example)] = token[i]
            token[n_tokens] = row[token[i]]
            n_unknown += token[n_tokens] == row_of_unknown
            n_tokens += token[n_tokens] != _NONE
        offsets[text + 1] = n_tokens
        first = last
    return n_tokens, n_unknown
