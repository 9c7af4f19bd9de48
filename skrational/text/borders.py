"""Where the tokens of texts begin and end.

`skrational.text.scanner` knows all that a token may be, but takes it character by
character. In most pieces of text between spaces a token is a run of letters, or one
character of another kind, and 64 bytes are worked on at a time: bit i of a number says
whether byte i is a letter, begins a token, or the like. The scanner is asked about the
other pieces only.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from skrational.compile import jit
from skrational.text.bits import (
    BLOCK,
    classifier,
    count_ones,
    first_one,
    lower_block,
)
from skrational.text.scanner import SPACE, token_end

__all__ = ["find_tokens"]

_ZERO: Final = np.uint64(0)
_ONE: Final = np.uint64(1)
_ALL: Final = np.uint64(2**64 - 1)
_LAST: Final = np.uint64(BLOCK - 1)

_classify = classifier(
    "\t\r\x1c ",  # spaces
    "09AZ__az",  # letters and digits: parts of words
    "'',/:=",  # what may belong to a token with what comes behind it, which is
    "')-.[[]]||",  # one of these, a letter or a digit
    "\x80\xff",  # parts of characters that aren't ASCII
)


def find_tokens(
    data: NDArray[np.uint8],
    text_ends: NDArray[np.int64],
    kind_of: NDArray[np.uint8],
    *,
    lowercase: bool,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    r"""Find the tokens of texts.

    Parameters
    ----------
    data : ndarray of uint8
        UTF-8: each text is followed by a line feed, and the last one by `BLOCK` bytes.
    text_ends : ndarray of shape (n_texts,), int64
        Where the line feeds are.
    kind_of : ndarray of shape (n_characters,), uint8
        The kind of each character that occurs.
    lowercase : bool
        Whether to turn ASCII to lower case, in place.

    Returns
    -------
    starts, ends : ndarray of shape (n_tokens,), int64
        Token t holds the bytes ``starts[t]`` to ``ends[t]``.
    offsets : ndarray of shape (n_texts + 1,), int64
        Text i holds the tokens ``offsets[i]`` to ``offsets[i + 1]``.

    Examples
    --------
    >>> from skrational.text.characters import kinds_of, padded
    >>> data, text_ends = padded(b"It's\n...\n"), np.array([4, 8])
    >>> tokens = find_tokens(data, text_ends, kinds_of(128), lowercase=True)
    >>> [part.tolist() for part in tokens]
    [[0, 2, 5], [2, 4, 8], [0, 2, 3]]
    """
    n_bytes = int(text_ends[-1]) + 1 if len(text_ends) else 0
    n_blocks = -(-n_bytes // BLOCK)
    starts, ends, places = np.empty((3, n_bytes + 1), dtype=np.int64)
    offsets = np.zeros(len(text_ends) + 1, dtype=np.int64)
    begun, ended, special = np.empty((3, n_blocks), dtype=np.uint64)
    kinds = np.empty(n_bytes, dtype=np.uint8)
    _mark(data, lowercase, begun, ended, special)
    _scan(data, kind_of, begun, ended, special, kinds, places)
    n_tokens = _list(begun, starts)
    _list(ended, ends)
    _count(begun, text_ends, offsets)
    return starts[:n_tokens], ends[:n_tokens], offsets


@jit
def _mark(data: Any, lowercase: Any, begun: Any, ended: Any, special: Any) -> None:
    """Mark where tokens begin and have ended, and what the scanner has to look at."""
    last_mark = last_letter = last_joint = _ZERO
    for block in range(len(begun)):
        if lowercase:
            lower_block(data, block * BLOCK)
        space, letter, joint, follower, foreign = _classify(data, block * BLOCK)
        mark = ~space
        border = ~(letter & ((letter << _ONE) | last_letter))
        begun[block] = mark & border
        ended[block] = ((mark << _ONE) | last_mark) & border
        joined = ((joint << _ONE) | last_joint) & (letter | follower)
        special[block] = joined | foreign
        last_mark, last_letter = mark >> _LAST, letter >> _LAST
        last_joint = joint >> _LAST


@jit
def _scan(
    data: Any,
    kind_of: Any,
    begun: Any,
    ended: Any,
    special: Any,
    kinds: Any,
    places: Any,
) -> None:
    """Mark the tokens of special pieces anew."""
    done = 0
    for block in range(len(special)):
        rest = special[block]
        while rest != _ZERO:
            begin = block * BLOCK + first_one(rest)
            rest &= rest - _ONE
            if begin < done:
                continue
            while begin > done and not _is_space(data[begin - 1]):
                begin -= 1
            n_characters = _read(data, begin, kind_of, kinds, places)
            done = places[n_characters]
            _clear(begun, begin, done)
            _clear(ended, begin, done + 1)
            _scan_piece(kinds, places, n_characters, begun, ended)


@jit
def _scan_piece(
    kinds: Any, places: Any, n_characters: Any, begun: Any, ended: Any
) -> None:
    i = 0
    while i < n_characters:
        if kinds[i] == SPACE:
            # One that isn't ASCII.
            i += 1
            continue
        _set(begun, places[i])
        i = token_end(kinds, i)
        _set(ended, places[i])


@jit
def _is_space(byte: Any) -> Any:
    return byte <= 32 and (byte >= 28 or 9 <= byte <= 13)


@jit
def _read(data: Any, i: Any, kind_of: Any, kinds: Any, places: Any) -> Any:
    """Read the characters up to the next space of ASCII; return how many there are."""
    n_characters = 0
    while not _is_space(data[i]):
        places[n_characters] = i
        # The ones that a byte begins with say how many there are of the character.
        code = np.int64(data[i])
        n_more = 0 if code < 0x80 else 1 if code < 0xE0 else 2 if code < 0xF0 else 3
        if n_more:
            code &= 0x3F >> n_more
        for _ in range(n_more):
            i += 1
            code = (code << 6) | (data[i] & 0x3F)
        kinds[n_characters] = kind_of[code]
        n_characters += 1
        i += 1
    kinds[n_characters], places[n_characters] = SPACE, i
    return n_characters


@jit
def _set(bits: Any, place: Any) -> None:
    bits[place // BLOCK] |= _ONE << np.uint64(place % BLOCK)


@jit
def _clear(bits: Any, begin: Any, end: Any) -> None:
    """Set the bits from begin to end to 0; there must be one."""
    first, last = begin // BLOCK, (end - 1) // BLOCK
    before = (_ONE << np.uint64(begin % BLOCK)) - _ONE
    behind = ~(_ALL >> (_LAST - np.uint64((end - 1) % BLOCK)))
    if first == last:
        bits[first] &= before | behind
        return
    bits[first] &= before
    bits[first + 1 : last] = 0
    bits[last] &= behind


@jit
def _list(bits: Any, places: Any) -> Any:
    """Write the places of the bits that are 1; return how many there are."""
    n = 0
    for block in range(len(bits)):
        rest = bits[block]
        while rest != _ZERO:
            places[n] = block * BLOCK + first_one(rest)
            rest &= rest - _ONE
            n += 1
    return n


@jit
def _count(begun: Any, text_ends: Any, offsets: Any) -> None:
    """Count the tokens up to the end of each text."""
    n_tokens = 0
    text = 0
    for block in range(len(begun)):
        while text < len(text_ends) and text_ends[text] // BLOCK == block:
            before = (_ONE << np.uint64(text_ends[text] % BLOCK)) - _ONE
            offsets[text + 1] = n_tokens + count_ones(begun[block] & before)
            text += 1
        n_tokens += count_ones(begun[block])
