"""Words found by their keys in a hash table: compiled code.

The tables are those of a `skrational.text.words.lexicon.Lexicon`.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from skrational.text.words.bits import memory, read_eight
from skrational.utils.compile import jit

__all__ = ["enter_words", "fill_slots", "find_known"]

_SHORT: Final = 15
"""The most bytes of a word that is its own key."""

_BITS: Final = np.uint64(64)
_HALF: Final = np.uint64(32)
_LENGTH: Final = np.uint64(56)
_LONG: Final = np.uint64(0xFF << 56)
_ZERO: Final = np.uint64(0)
_ONE: Final = np.uint64(1)

# From byte 16 - n on, the first n of 16 bytes are to be kept.
_MASKS: Final = np.repeat(np.array([255, 0], dtype=np.uint8), 16)


@jit
def enter_words(
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


@jit
def find_known(
    data: Any,
    starts: Any,
    ends: Any,
    numbers: Any,
    slots: Any,
    keys: Any,
    secret: Any,
    rest: Any,
) -> Any:
    """Number the words that are short and known; return how many are not.

    Another thread may enter words meanwhile. A place goes from 0 to that of a word,
    once, and the second half of its key is 0 until it's the word's own: what is half
    written is no word's key, so that a word is found as it will always be, or not yet.

    Parameters
    ----------
    data : ndarray of uint8
    starts, ends : ndarray of shape (n_words,), int64
        As for `Lexicon.number`.
    numbers : ndarray of shape (n_words,), int32
        Filled, but for the rest.
    slots, keys : ndarray
        Of the `_Tables`.
    secret : ndarray of shape (4,), uint64
    rest : ndarray of shape (n_words,), int64
        Filled: which words are long, or not known.

    Returns
    -------
    int
    """
    n, i, n_rest = len(starts), np.int64(0), 0
    words = memory(data), memory(starts), memory(ends)
    secrets = secret[0], secret[1], secret[2], secret[3]
    table = memory(slots), _size(slots), memory(keys), secrets
    while True:
        i = _number_known(*words, i, n, memory(numbers), *table)
        if i == n:
            return n_rest
        rest[n_rest] = i
        n_rest += 1
        i += 1


@jit
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
        As for `enter_words`.
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


@jit
def _key(data: Any, start: Any, length: Any, secrets: Any) -> Any:
    """Return the two halves of a word's key, of which the second is never 0."""
    if length <= _SHORT:
        return _short_key(data, start, length)
    low = _mixed(np.uint64(length), read_eight(data, start + length - 8), secrets)
    for i in range(start, start + length - 8, 8):
        low = _mixed(low, read_eight(data, i), secrets)
    return low, _LONG


@jit
def _mixed(number: Any, more: Any, secrets: Any) -> Any:
    # With one product, differences in the highest bits could be made to cancel out.
    number = (number ^ more) * secrets[2]
    number = (number ^ (number >> _HALF)) * secrets[3]
    return number ^ (number >> _HALF)


@jit
def _size(slots: Any) -> Any:
    """Return the last slot, and by how much a hash is shifted for one of the slots.

    The number of slots is a power of 2.
    """
    shift, n = _BITS, len(slots)
    while n > 1:
        n >>= 1
        shift -= _ONE
    return np.uint64(len(slots) - 1), shift


@jit
def _short_key(data: Any, start: Any, length: Any) -> Any:
    masks = memory(_MASKS)
    low = read_eight(data, start) & read_eight(masks, 16 - length)
    high = read_eight(data, start + 8) & read_eight(masks, 24 - length)
    return low, high | (np.uint64(length + 1) << _LENGTH)


@jit
def _home(key: Any, size: Any, secrets: Any) -> Any:
    """Return the first slot to look in.

    Of a product with an unknown odd number the highest bits depend on all bits of the
    key: two words share a slot by chance only (Dietzfelbinger et al., "A reliable
    randomized algorithm for the closest-pair problem", 1997).
    """
    return (key[0] * secrets[0] + key[1] * secrets[1]) >> size[1]


@jit
def _has_key(keys: Any, place: Any, key: Any) -> Any:
    first = np.int64(place) << 1
    return ((keys[first] ^ key[0]) | (keys[first + 1] ^ key[1])) == _ZERO


@jit
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


@jit
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
def fill_slots(slots: Any, keys: Any, n_words: Any, secret: Any) -> None:
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
