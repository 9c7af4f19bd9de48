"""The feature rows of the words that a vectorizer has met."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.sequences import UNKNOWN, SequenceArray
from skrational.text.vectors.word_source import WordSource
from skrational.text.words.bits import memory
from skrational.text.words.encoded_texts import EncodedTexts
from skrational.text.words.lexicon import Lexicon
from skrational.utils.compile import jit

__all__ = ["SharedRows", "WordRows"]

# A vectorizer that has met more words starts anew, lest it grow for ever.
MAX_WORDS = 2_000_000

# What stands in place of a row: the word is left out; it has not been looked up yet.
_NONE, _PENDING = -1, -2


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
    >>> rows.encode(encode_texts(["Good, good"], split, rows.lexicon)).labels.tolist()
    ['good', '<unk>']
    >>> X = rows.encode(encode_texts(["bad"], split, rows.lexicon))
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

    def encode(self, encoded: EncodedTexts) -> SequenceArray:
        """Turn the numbers of words into rows, in place.

        Parameters
        ----------
        encoded : EncodedTexts
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
            row_of = self._look_up(encoded)
            features = self._features.first(self._n_rows)
            labels = self._labels.first(self._n_rows)
        n_tokens = _replace(*encoded, row_of)
        return SequenceArray._trusted(
            features, encoded.offsets, encoded.tokens[:n_tokens], labels
        )

    def _look_up(self, encoded: EncodedTexts) -> NDArray[np.int32]:
        """Return the row of each word of the lexicon, at least of those that occur."""
        n_words = len(self.lexicon)
        if n_words > len(self._row_of):
            row_of = np.full(n_words, _PENDING, dtype=np.int32)
            row_of[: len(self._row_of)] = self._row_of
            self._row_of = row_of
        pending = self._row_of == _PENDING
        if pending.any():
            # Others may have been numbered for texts that turned out to be faulty.
            numbers = np.flatnonzero(pending & (encoded.count_words(len(pending)) > 0))
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
        labels = [UNKNOWN if name is None else name for name in names]
        self._features.put(self.source.take(names), self._n_rows)
        self._labels.put(np.array(labels, dtype=object), self._n_rows)
        # In this order nothing refers to a missing row if a key interrupts.
        self._n_rows += len(names)
        self._unknown_row = unknown_row
        self._row_of[numbers] = rows


class SharedRows:
    """The rows of a vectorizer, which starts anew when they are too many.

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
