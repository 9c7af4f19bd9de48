"""Words and their numbers."""

from __future__ import annotations

import threading
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.compile import jit
from skrational.text.characters import text_of

__all__ = ["Lexicon"]

_LONG: Final = np.uint64(1 << 63)
_HIGH_BITS: Final = np.uint64(0x8080808080808080)
_LOW_BITS: Final = np.uint64(0x7F7F7F7F7F7F7F7F)
_ALL_BITS: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)
_ZERO: Final = np.uint64(0)
_ONE: Final = np.uint64(1)
_THREE: Final = np.uint64(3)
_SEVEN: Final = np.uint64(7)
_EIGHT: Final = np.uint64(8)
_HALF: Final = np.uint64(32)
_LAST_BYTE: Final = np.uint64(56)
_WIDTH: Final = np.uint64(64)


class _Tables(NamedTuple):
    """What a lexicon holds.

    Parameters
    ----------
    keys : ndarray of shape (n_slots,), uint64
        The key in each slot, 0 if it is empty.
    numbers : ndarray of shape (n_slots,), int32
        The number of the word in each slot.
    bounds : ndarray of shape (n_slots / 2 + 1,), int64
        Word n holds the characters ``bounds[n]`` to ``bounds[n + 1]``.
    characters : ndarray, uint32
        Code points.
    """

    keys: NDArray[np.uint64]
    numbers: NDArray[np.int32]
    bounds: NDArray[np.int64]
    characters: NDArray[np.uint32]

    def with_room(self, n_words: int, n_characters: int) -> _Tables:
        """Return larger copies of what has no room for one more word."""
        keys, numbers, bounds, characters = self
        if 2 * n_words == len(keys):
            keys = np.zeros(2 * len(keys), dtype=np.uint64)
            numbers = np.zeros(len(keys), dtype=np.int32)
            _rehash(self.keys, self.numbers, keys, numbers)
            bounds = np.zeros(len(keys) // 2 + 1, dtype=np.int64)
            bounds[: n_words + 1] = self.bounds
        used = int(bounds[n_words])
        if used + n_characters > len(characters):
            characters = np.zeros(2 * (used + n_characters), dtype=np.uint32)
            characters[:used] = self.characters[:used]
        return _Tables(keys, numbers, bounds, characters)


class Lexicon:
    """Words, numbered in the order in which they were first met.

    A hash table with open addressing. Its keys have 64 bits: up to eight ASCII
    characters are their own key, and no other word's. Another word's key is a hash with
    the highest bit set, and words of equal hash are told apart by their characters.

    It may be used by several threads at once.

    Examples
    --------
    >>> codes = np.array([97, 98, 97], dtype=np.uint32)
    >>> lexicon = Lexicon()
    >>> lexicon.number(codes, np.array([0, 1, 2]), np.array([1, 2, 3])).tolist()
    [0, 1, 0]
    >>> len(lexicon), lexicon.words(np.array([1]))
    (2, ['b'])
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tables = _Tables(
            np.zeros(2**12, dtype=np.uint64),
            np.zeros(2**12, dtype=np.int32),
            np.zeros(2**11 + 1, dtype=np.int64),
            np.zeros(2**14, dtype=np.uint32),
        )
        self._n_words = np.zeros(1, dtype=np.int64)

    def __len__(self) -> int:
        return int(self._n_words[0])

    def number(
        self, codes: NDArray[np.uint32], starts: NDArray[Any], ends: NDArray[Any]
    ) -> NDArray[np.int32]:
        """Number words, entering those that are new.

        Parameters
        ----------
        codes : ndarray of shape (n_characters,), uint32
            Code points.
        starts, ends : ndarray of shape (n_words,), integer
            Word i holds the characters ``starts[i]`` to ``ends[i]``.

        Returns
        -------
        ndarray of shape (n_words,), int32
        """
        packed = _pack(codes)
        numbers = np.empty(len(starts), dtype=np.int32)
        n_done = 0
        with self._lock:
            while n_done < len(starts):
                n_done = _number(
                    codes,
                    packed,
                    starts,
                    ends,
                    n_done,
                    numbers,
                    *self._tables,
                    self._n_words,
                )
                if n_done < len(starts):
                    length = int(ends[n_done] - starts[n_done])
                    self._tables = self._tables.with_room(len(self), length)
        return numbers

    def words(self, numbers: NDArray[Any]) -> list[str]:
        """Return the words of these numbers, which must rise."""
        if len(numbers) == 0:
            return []
        tables = self._tables
        starts, ends = tables.bounds[numbers], tables.bounds[numbers + 1]
        first = starts[0]
        text = text_of(tables.characters[first : ends[-1]])
        places = zip((starts - first).tolist(), (ends - first).tolist(), strict=True)
        return [text[start:end] for start, end in places]


def _pack(codes: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """ASCII characters, eight in a number; 0 stands for all others.

    There are 8 bytes more than characters, so that the last one has a successor.
    """
    packed = np.zeros(len(codes) // 8 + 2, dtype=np.uint64)
    _narrow(codes, packed.view(np.uint8))
    return packed if np.little_endian else packed.byteswap()


@jit
def _narrow(codes: Any, characters: Any) -> None:
    for i in range(len(codes)):
        characters[i] = codes[i] if codes[i] < 128 else 0


@jit
def _number(
    codes: Any,
    packed: Any,
    starts: Any,
    ends: Any,
    n_done: Any,
    numbers: Any,
    keys: Any,
    number_of_key: Any,
    bounds: Any,
    characters: Any,
    n_words: Any,
) -> Any:
    """Number words from n_done on; return how many are done when the room runs out."""
    for i in range(n_done, len(starts)):
        start, end = starts[i], ends[i]
        key = _short_key(packed, start, end)
        if key == _ZERO:
            key = _long_key(codes, start, end)
        slot = _probe(keys, key, _home(keys, key))
        while keys[slot] >= _LONG and not _holds(
            characters, bounds, number_of_key[slot], codes, start, end
        ):
            slot = _probe(keys, key, slot + 1)
        if keys[slot] == _ZERO:
            number = n_words[0]
            room = bounds[number] + end - start
            if 2 * number == len(keys) or room > len(characters):
                return i
            for place in range(start, end):
                characters[bounds[number] + place - start] = codes[place]
            bounds[number + 1] = room
            keys[slot] = key
            number_of_key[slot] = number
            n_words[0] = number + 1
        numbers[i] = number_of_key[slot]
    return len(starts)


@jit
def _short_key(packed: Any, start: Any, end: Any) -> Any:
    """Return the characters themselves if they are 1 to 8 of ASCII, 0 otherwise."""
    length = np.uint64(end - start)
    if length - _ONE >= _EIGHT:
        return _ZERO
    place = np.uint64(start)
    shift = _EIGHT * (place & _SEVEN)
    place >>= _THREE
    # Two shifts, for one by 64 bits would not be defined.
    following = (packed[place + _ONE] << _EIGHT) << (_LAST_BYTE - shift)
    mask = _ALL_BITS >> (_WIDTH - _EIGHT * length)
    key = ((packed[place] >> shift) | following) & mask
    # Adding 127 sets the high bit of each byte but of those that are 0.
    complete = ((key + _LOW_BITS) & _HIGH_BITS) == (mask & _HIGH_BITS)
    return key if complete else _ZERO


@jit
def _long_key(codes: Any, start: Any, end: Any) -> Any:
    key = _ODD
    for i in range(start, end):
        key = (key ^ np.uint64(codes[i])) * _ODD
        key ^= key >> _HALF
    return key | _LONG


@jit
def _home(keys: Any, key: Any) -> Any:
    return np.int64(((key ^ (key >> _HALF)) * _ODD) >> _HALF) & (len(keys) - 1)


@jit
def _probe(keys: Any, key: Any, slot: Any) -> Any:
    """Return the next slot that has this key or is empty."""
    last = len(keys) - 1
    slot &= last
    while keys[slot] != key and keys[slot] != _ZERO:
        slot = (slot + 1) & last
    return slot


@jit
def _holds(
    characters: Any, bounds: Any, number: Any, codes: Any, start: Any, end: Any
) -> Any:
    """Whether the word of this number has these characters."""
    begin = bounds[number]
    if bounds[number + 1] - begin != end - start:
        return False
    for i in range(end - start):
        if characters[begin + i] != codes[start + i]:
            return False
    return True


@jit
def _rehash(keys: Any, numbers: Any, new_keys: Any, new_numbers: Any) -> None:
    for old in range(len(keys)):
        if keys[old] == _ZERO:
            continue
        slot = _probe(new_keys, _ZERO, _home(new_keys, keys[old]))
        new_keys[slot] = keys[old]
        new_numbers[slot] = numbers[old]
