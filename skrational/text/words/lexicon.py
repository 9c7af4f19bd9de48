"""Words and their numbers."""

from __future__ import annotations

import os
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.text.words.characters import padded, text_of
from skrational.text.words.slots import enter_words, fill_slots, find_known
from skrational.utils.fork_locks import Lock

__all__ = ["Lexicon"]

# Odd numbers, other ones in each process: whoever chooses words to share a slot would
# have to know them. The order in which words are met numbers them, not these.
_SECRET: Final = np.frombuffer(os.urandom(32), dtype=np.uint64) | np.uint64(1)


class _Tables(NamedTuple):
    """What a lexicon holds.

    Parameters
    ----------
    slots : ndarray of shape (2 * n_most,), uint32
        The place of the word in each slot: 0 if there is none, otherwise its number
        plus 1.
    keys : ndarray of shape (2 * n_most + 2,), uint64
        The halves of the key in each place.
    bounds : ndarray of shape (n_most + 1,), int64
        Word n holds the bytes ``bounds[n]`` to ``bounds[n + 1]``.
    stored : ndarray of uint8
        UTF-8.
    """

    slots: NDArray[np.uint32]
    keys: NDArray[np.uint64]
    bounds: NDArray[np.int64]
    stored: NDArray[np.uint8]

    @classmethod
    def empty(cls, n_most: int, n_bytes: int) -> _Tables:
        """Return tables with room for words."""
        return cls(
            np.zeros(2 * n_most, dtype=np.uint32),
            np.zeros(2 * n_most + 2, dtype=np.uint64),
            np.zeros(n_most + 1, dtype=np.int64),
            np.zeros(n_bytes, dtype=np.uint8),
        )

    def with_room(self, n_words: int, n_bytes: int) -> _Tables:
        """Return larger copies of what has no room for one more word."""
        slots, keys, bounds, stored = self
        used = int(bounds[n_words])
        if n_words == len(bounds) - 1:
            slots, keys, bounds, _ = _Tables.empty(2 * n_words, 0)
            keys[: len(self.keys)], bounds[: n_words + 1] = self.keys, self.bounds
            fill_slots(slots, keys, n_words, _SECRET)
        if used + n_bytes > len(stored):
            stored = np.zeros(2 * (used + n_bytes), dtype=np.uint8)
            stored[:used] = self.stored[:used]
        return _Tables(slots, keys, bounds, stored)


class Lexicon:
    """Words, numbered in the order in which they were first met.

    A hash table with open addressing, whose hash has a secret: words can't be chosen to
    collide. Its keys have 16 bytes: a word of up to 15 bytes and its length are their
    own key, and no other word's. The key of a longer one holds a hash, and words of
    equal hash are told apart by their bytes.

    It may be used by several threads at once.

    Examples
    --------
    >>> from skrational.text.words.characters import padded
    >>> lexicon, starts = Lexicon(), np.arange(3)
    >>> lexicon.number(padded(b"aba"), starts, starts + 1).tolist()
    [0, 1, 0]
    >>> len(lexicon), lexicon.words(np.array([1]))
    (2, ['b'])
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._tables = _Tables.empty(2**11, 2**14)
        self._n_words = np.zeros(1, dtype=np.int64)

    def __len__(self) -> int:
        return int(self._n_words[0])

    def number(
        self, data: NDArray[np.uint8], starts: NDArray[Any], ends: NDArray[Any]
    ) -> NDArray[np.int32]:
        """Number words, entering those that are new.

        Parameters
        ----------
        data : ndarray of uint8
            UTF-8; there are at least 16 bytes behind the last word.
        starts, ends : ndarray of shape (n_words,), int64
            Word i holds the bytes ``starts[i]`` to ``ends[i]``.

        Returns
        -------
        ndarray of shape (n_words,), int32
        """
        numbers = np.empty(len(starts), dtype=np.int32)
        n_done = 0
        with self._lock.held:
            while n_done < len(starts):
                n_done = enter_words(
                    data,
                    starts,
                    ends,
                    n_done,
                    numbers,
                    *self._tables,
                    self._n_words,
                    _SECRET,
                )
                if n_done < len(starts):
                    length = int(ends[n_done] - starts[n_done])
                    self._tables = self._tables.with_room(len(self), length)
        return numbers

    def find(
        self, data: NDArray[np.uint8], starts: NDArray[Any], ends: NDArray[Any]
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Find the numbers of words without entering any, or waiting for who does.

        Parameters
        ----------
        data, starts, ends
            As for `number`.

        Returns
        -------
        numbers : ndarray of shape (n_words,), int32
        rest : ndarray of int64
            The words that have no number here: those of more than 15 bytes, and those
            that have not been met.
        """
        numbers = np.empty(len(starts), dtype=np.int32)
        rest = np.empty(len(starts), dtype=np.int64)
        slots, keys, *_ = self._tables
        n_rest = find_known(data, starts, ends, numbers, slots, keys, _SECRET, rest)
        return numbers, rest[:n_rest].copy()

    @property
    def n_bytes(self) -> int:
        """Memory of the words and of what finds them."""
        return sum(part.nbytes for part in self._tables)

    def subset(self, numbers: NDArray[Any]) -> Lexicon:
        """Return a lexicon of some of the words, numbered in this order from 0 on."""
        bounds, stored = self._tables.bounds, self._tables.stored
        new = Lexicon()
        new.number(padded(stored.tobytes()), bounds[numbers], bounds[numbers + 1])
        return new

    def words(self, numbers: NDArray[Any]) -> list[str]:
        """Return the words of these numbers."""
        bounds, stored = self._tables.bounds, self._tables.stored
        places = zip(
            bounds[numbers].tolist(), bounds[numbers + 1].tolist(), strict=True
        )
        return [text_of(stored[start:end]) for start, end in places]
