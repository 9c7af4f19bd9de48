"""Words and their numbers."""

from __future__ import annotations

import os
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.text.words.bits import memory, read_eight
from skrational.text.words.characters import padded, text_of
from skrational.utils.compile import jit, part
from skrational.utils.fork_locks import Lock

__all__ = ["Lexicon"]

_SHORT: Final = 15
"""The most bytes of a word that is its own key."""

# Odd numbers, other ones in each process: whoever chooses words to share a slot would
# have to know them. The order in which words are met numbers them, not these.
_SECRET: Final = np.frombuffer(os.urandom(32), dtype=np.uint64) | np.uint64(1)
_BITS: Final = np.uint64(64)
_HALF: Final = np.uint64(32)
_LENGTH: Final = np.uint64(56)
_LONG: Final = np.uint64(0xFF << 56)
_ZERO: Final = np.uint64(0)
_ONE: Final = np.uint64(1)

# From byte 16 - n on, the first n of 16 bytes are to be kept.
_MASKS: Final = np.repeat(np.array([255, 0], dtype=np.uint8), 16)


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
            _fill(slots, keys, n_words, _SECRET)
        if used + n_bytes > len(stored):
            stored = np.zeros(2 * (used + n_bytes), dtype=np.uint8)
            stored[:used] = self.stored[:used]
        return _Tables(slots, keys, bounds, stored)


class Lexicon:
    """Words, numbered in the order in which they were first met.

    A hash table with open addressing, whose hash has a secret: words can't be chosen to
    collide. Its keys have 16 bytes: a word of up to 15 bytes
    and its length are their own key, and no other word's. The key of a longer one holds
    a hash, and words of equal hash are told apart by their bytes.

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
                n_done = _number(
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
    secret: Any,
) -> Any:
    """Number words from n_done on; return how many are done when the room runs out.

    Parameters
    ----------
    data : ndarray of uint8
    starts, ends : ndarray of shape (n_words_to_number,), int64
        As for `Lexicon.number`.
    n_done : int
    numbers : ndarray of shape (n_words_to_number,), int32
        Filled.
    slots, keys, bounds, stored : ndarray
        The `_Tables`; new words are entered.
    n_words : ndarray of shape (1,), int64
        How many words there are; changed.
    secret : ndarray of shape (4,), uint64
        Odd numbers.

    Returns
    -------
    int
    """
    n = len(starts)
    words = memory(data), memory(starts), memory(ends)
    secrets = secret[0], secret[1], secret[2], secret[3]
    table = memory(slots), _size(slots), memory(keys), secrets
    texts = memory(bounds), memory(stored)
    while True:
        n_done = _number_known(*words, n_done, n, memory(numbers), *table)
        if n_done == n:
            return n
        start, length = starts[n_done], ends[n_done] - starts[n_done]
        key = _key(words[0], start, length, secrets)
        slot = _find(words[0], start, length, key, table, texts)
        if slots[slot] == 0:
            begin = bounds[n_words[0]]
            if n_words[0] == len(bounds) - 1 or begin + length > len(stored):
                return n_done
            for i in range(length):
                stored[begin + i] = data[start + i]
            n_words[0] += 1
            bounds[n_words[0]] = begin + length
            slots[slot] = n_words[0]
            keys[2 * n_words[0]], keys[2 * n_words[0] + 1] = key
        numbers[n_done] = np.int64(slots[slot]) - 1
        n_done += 1


@part
def _number_known(
    data: Any,
    starts: Any,
    ends: Any,
    n_done: Any,
    n: Any,
    numbers: Any,
    slots: Any,
    size: Any,
    keys: Any,
    secrets: Any,
) -> Any:
    """Number words up to the first that is long or new: almost all, in a short loop.

    Parameters
    ----------
    data, starts, ends, numbers, slots, keys : memory
        As for `_number`.
    n_done, n : int
        The first word to number, and how many there are.
    size : pair of uint64
        As `_size` returns it.
    secrets : tuple of 4 uint64

    Returns
    -------
    int
        How many are done.
    """
    for i in range(n_done, n):
        length = ends[i] - starts[i]
        if length > _SHORT:
            return i
        key = _short_key(data, starts[i], length)
        slot = _home(key, size, secrets)
        while not _has_key(keys, slots[slot], key):
            if slots[slot] == 0:
                return i
            slot = (slot + _ONE) & size[0]
        numbers[i] = np.int64(slots[slot]) - 1
    return n


@part
def _key(data: Any, start: Any, length: Any, secrets: Any) -> Any:
    """Return the two halves of a word's key, of which the second is never 0."""
    if length <= _SHORT:
        return _short_key(data, start, length)
    low = _mixed(np.uint64(length), read_eight(data, start + length - 8), secrets)
    for i in range(start, start + length - 8, 8):
        low = _mixed(low, read_eight(data, i), secrets)
    return low, _LONG


@part
def _mixed(number: Any, more: Any, secrets: Any) -> Any:
    # With one product, differences in the highest bits could be made to cancel out.
    number = (number ^ more) * secrets[2]
    number = (number ^ (number >> _HALF)) * secrets[3]
    return number ^ (number >> _HALF)


@part
def _size(slots: Any) -> Any:
    """Return the last slot, and by how much a hash is shifted for one of the slots.

    The number of slots is a power of 2.
    """
    shift, n = _BITS, len(slots)
    while n > 1:
        n >>= 1
        shift -= _ONE
    return np.uint64(len(slots) - 1), shift


@part
def _short_key(data: Any, start: Any, length: Any) -> Any:
    masks = memory(_MASKS)
    low = read_eight(data, start) & read_eight(masks, 16 - length)
    high = read_eight(data, start + 8) & read_eight(masks, 24 - length)
    return low, high | (np.uint64(length + 1) << _LENGTH)


@part
def _home(key: Any, size: Any, secrets: Any) -> Any:
    """Return the first slot to look in.

    Of a product with an unknown odd number the highest bits depend on all bits of the
    key: two words share a slot by chance only (Dietzfelbinger et al., "A reliable
    randomized algorithm for the closest-pair problem", 1997).
    """
    return (key[0] * secrets[0] + key[1] * secrets[1]) >> size[1]


@part
def _has_key(keys: Any, place: Any, key: Any) -> Any:
    first = np.int64(place) << 1
    return ((keys[first] ^ key[0]) | (keys[first + 1] ^ key[1])) == _ZERO


@part
def _find(data: Any, start: Any, length: Any, key: Any, table: Any, texts: Any) -> Any:
    """Return the slot of a word, an empty one if it's new.

    Parameters
    ----------
    data : memory of uint8
    start, length : int
        Where the word is.
    key : pair of uint64
    table : tuple
        Of ``slots``, their `_size`, ``keys`` and the secrets.
    texts : tuple
        Of ``bounds`` and ``stored``.

    Returns
    -------
    int
    """
    slots, size, keys, secrets = table
    slot = _home(key, size, secrets)
    while slots[slot] != 0 and not (
        _has_key(keys, slots[slot], key)
        and (length <= _SHORT or _holds(texts, slots[slot], data, start, length))
    ):
        slot = (slot + _ONE) & size[0]
    return slot


@part
def _holds(texts: Any, place: Any, data: Any, start: Any, length: Any) -> Any:
    """Whether the word in this place has these bytes, of which there are 8 or more.

    Parameters
    ----------
    texts : tuple
        Of ``bounds`` and ``stored``.
    place : uint32
        That of a word: its number plus 1.
    data : memory of uint8
    start, length : int
        Where the bytes are.
    """
    bounds, stored = texts
    end = bounds[place]
    begin = bounds[np.int64(place) - 1]
    if end - begin != length:
        return False
    last = length - 8
    for i in range(0, last, 8):
        if read_eight(stored, begin + i) != read_eight(data, start + i):
            return False
    return read_eight(stored, begin + last) == read_eight(data, start + last)


@jit
def _fill(slots: Any, keys: Any, n_words: Any, secret: Any) -> None:
    """Put words, of which no two are equal, into empty slots.

    Parameters
    ----------
    slots, keys : ndarray
        As in `_Tables`.
    n_words : int
    secret : ndarray of shape (4,), uint64
    """
    size = _size(slots)
    secrets = secret[0], secret[1], secret[2], secret[3]
    for place in range(1, n_words + 1):
        slot = _home((keys[2 * place], keys[2 * place + 1]), size, secrets)
        while slots[slot] != 0:
            slot = (slot + _ONE) & size[0]
        slots[slot] = place
