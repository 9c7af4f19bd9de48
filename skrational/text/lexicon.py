"""Words and their numbers."""

from __future__ import annotations

import threading
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.compile import jit
from skrational.text.bits import read_eight
from skrational.text.characters import text_of

__all__ = ["Lexicon"]

_SHORT: Final = 15
"""The most bytes of a word that is its own key."""

_ODD: Final = np.uint64(0x9E3779B97F4A7C15)
_ODD_TOO: Final = np.uint64(0xD6E8FEB86659FD93)
_HALF: Final = np.uint64(32)
_LENGTH: Final = np.uint64(56)
_LONG: Final = np.uint64(0xFF << 56)
_EMPTY: Final = -1

# From byte 16 - n on, the first n of 16 bytes are to be kept.
_MASKS: Final = np.repeat(np.array([255, 0], dtype=np.uint8), 16)


class _Tables(NamedTuple):
    """What a lexicon holds.

    Parameters
    ----------
    slots : ndarray of shape (n_slots,), int32
        The number of the word in each slot, or -1.
    keys : ndarray of shape (n_slots / 2, 2), uint64
        The key of each word.
    bounds : ndarray of shape (n_slots / 2 + 1,), int64
        Word n holds the bytes ``bounds[n]`` to ``bounds[n + 1]``.
    data : ndarray of uint8
        UTF-8.
    """

    slots: NDArray[np.int32]
    keys: NDArray[np.uint64]
    bounds: NDArray[np.int64]
    data: NDArray[np.uint8]

    @classmethod
    def empty(cls, n_words: int, n_bytes: int) -> _Tables:
        """Return tables with room for words."""
        return cls(
            np.full(2 * n_words, _EMPTY, dtype=np.int32),
            np.zeros((n_words, 2), dtype=np.uint64),
            np.zeros(n_words + 1, dtype=np.int64),
            np.zeros(n_bytes, dtype=np.uint8),
        )

    def with_room(self, n_words: int, n_bytes: int) -> _Tables:
        """Return larger copies of what has no room for one more word."""
        slots, keys, bounds, data = self
        used = int(bounds[n_words])
        if n_words == len(keys):
            slots, keys, bounds, _ = _Tables.empty(2 * n_words, 0)
            keys[:n_words], bounds[: n_words + 1] = self.keys, self.bounds
            _fill(slots, keys, n_words)
        if used + n_bytes > len(data):
            data = np.zeros(2 * (used + n_bytes), dtype=np.uint8)
            data[:used] = self.data[:used]
        return _Tables(slots, keys, bounds, data)


class Lexicon:
    """Words, numbered in the order in which they were first met.

    A hash table with open addressing. Its keys have 16 bytes: a word of up to 15 bytes
    and its length are their own key, and no other word's. The key of a longer one holds
    a hash, and words of equal hash are told apart by their bytes.

    It may be used by several threads at once.

    Examples
    --------
    >>> from skrational.text.characters import padded
    >>> lexicon, starts = Lexicon(), np.arange(3)
    >>> lexicon.number(padded(b"aba"), starts, starts + 1).tolist()
    [0, 1, 0]
    >>> len(lexicon), lexicon.words(np.array([1]))
    (2, ['b'])
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
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
        with self._lock:
            while n_done < len(starts):
                n_done = _number(
                    data, starts, ends, n_done, numbers, *self._tables, self._n_words
                )
                if n_done < len(starts):
                    length = int(ends[n_done] - starts[n_done])
                    self._tables = self._tables.with_room(len(self), length)
        return numbers

    def words(self, numbers: NDArray[Any]) -> list[str]:
        """Return the words of these numbers."""
        bounds, data = self._tables.bounds, self._tables.data
        places = zip(
            bounds[numbers].tolist(), bounds[numbers + 1].tolist(), strict=True
        )
        return [text_of(data[start:end]) for start, end in places]


@jit
def _number(
    data: Any,
    starts: Any,
    ends: Any,
    n_done: Any,
    numbers: Any,
    slots: Any,
    keys: Any,
    bounds: Any,
    stored: Any,
    n_words: Any,
) -> Any:
    """Number words from n_done on; return how many are done when the room runs out."""
    for i in range(n_done, len(starts)):
        start, length = starts[i], ends[i] - starts[i]
        low, high = _key(data, start, length)
        slot = _home(slots, low, high)
        number = slots[slot]
        while number != _EMPTY and not (
            keys[number, 0] == low
            and keys[number, 1] == high
            and (high < _LONG or _holds(stored, bounds, number, data, start, length))
        ):
            slot = (slot + 1) & (len(slots) - 1)
            number = slots[slot]
        if number == _EMPTY:
            number = n_words[0]
            begin = bounds[number]
            if number == len(keys) or begin + length > len(stored):
                return i
            for k in range(length):
                stored[begin + k] = data[start + k]
            bounds[number + 1] = begin + length
            keys[number, 0], keys[number, 1] = low, high
            slots[slot] = number
            n_words[0] = number + 1
        numbers[i] = number
    return len(starts)


@jit
def _key(data: Any, start: Any, length: Any) -> Any:
    """Return the two halves of a word's key, of which the second is never 0."""
    if length > _SHORT:
        return _long_key(data, start, length)
    low = read_eight(data, start) & read_eight(_MASKS, 16 - length)
    high = read_eight(data, start + 8) & read_eight(_MASKS, 24 - length)
    return low, high | (np.uint64(length + 1) << _LENGTH)


@jit
def _long_key(data: Any, start: Any, length: Any) -> Any:
    key = read_eight(data, start + length - 8)
    for i in range(start, start + length - 8, 8):
        key = (key ^ read_eight(data, i)) * _ODD
        key ^= key >> _HALF
    return key, _LONG


@jit
def _home(slots: Any, low: Any, high: Any) -> Any:
    mixed = low * _ODD + high * _ODD_TOO
    return np.int64((mixed ^ (mixed >> _HALF)) & np.uint64(len(slots) - 1))


@jit
def _holds(
    stored: Any, bounds: Any, number: Any, data: Any, start: Any, length: Any
) -> Any:
    """Whether the word of this number has these bytes."""
    begin = bounds[number]
    if bounds[number + 1] - begin != length:
        return False
    for i in range(length):
        if stored[begin + i] != data[start + i]:
            return False
    return True


@jit
def _fill(slots: Any, keys: Any, n_words: Any) -> None:
    """Put words, of which no two are equal, into empty slots."""
    for number in range(n_words):
        slot = _home(slots, keys[number, 0], keys[number, 1])
        while slots[slot] != _EMPTY:
            slot = (slot + 1) & (len(slots) - 1)
        slots[slot] = number
