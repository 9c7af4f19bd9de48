"""The characters beyond ASCII in a block of bytes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from skrational.text.words.bits import classifier, first_one
from skrational.text.words.scanner import FLAG, INVISIBLE, MARK, SPACE
from skrational.utils.compile import part

__all__ = ["CAPITAL", "decode", "read_foreign"]

CAPITAL: Final = 32
"""Added to the kind of a character that has another one for lower case."""

_ZERO: Final = np.uint64(0)
_ONE: Final = np.uint64(1)
_SIGMA: Final = 0x3A3

_classify = classifier("\xc0\xff")  # first bytes of characters


@part
def read_foreign(
    data: Any, begin: Any, foreign: Any, tables: Any, lowercase: Any
) -> Any:
    """Tell the classes of a block's characters beyond ASCII.

    Parameters
    ----------
    data : memory of uint8
        UTF-8, which goes on behind the block.
    begin : int
        Where the block begins.
    foreign : uint64
        Which of its bytes are parts of such characters.
    tables : pair of memory
        The arrays of an `Alphabet`.
    lowercase : bool
        Whether to turn capitals to lower case, in place.

    Returns
    -------
    inner : uint64
        Which bytes aren't the first ones of their characters.
    letters, loose, spaces, special : uint64
        Which bytes are the first ones of parts of words, of marks and invisible
        characters, of spaces, and of what the scanner must look at.
    is_lower : bool
        Whether all capitals could be turned to lower case in place, if they had to.
    """
    kind_of, small_of = tables
    (leads,) = _classify(data, begin)
    inner = foreign & ~leads
    letters = leads
    loose = spaces = special = _ZERO
    is_lower = True
    while leads != _ZERO:
        place = begin + first_one(leads)
        rest = leads & (leads - _ONE)
        bit, leads = leads ^ rest, rest
        code = decode(data, place)
        kind = kind_of[code]
        loose |= bit if kind <= MARK else _ZERO
        if INVISIBLE <= kind < CAPITAL:
            continue
        if kind >= CAPITAL:
            kind -= CAPITAL
            if lowercase:
                is_lower &= _lower(data, place, code, small_of)
        if kind < INVISIBLE:
            letters, loose = letters & ~bit, loose & ~bit
            if kind == SPACE:
                spaces |= bit
            elif kind == FLAG:
                special |= bit
    return inner, letters, loose, spaces, special, is_lower


@part
def decode(data: Any, i: Any) -> Any:
    """Return the character beyond ASCII that begins at i."""
    # The bits by which bytes of UTF-8 tell what they are add up to a constant.
    first, second = np.int64(data[i]), np.int64(data[i + 1])
    if first < 0xE0:
        return (first << 6) + second - 0x3080
    third = np.int64(data[i + 2])
    if first < 0xF0:
        return (first << 12) + (second << 6) + third - 0xE2080
    return (first << 18) + (second << 12) + (third << 6) + data[i + 3] - 0x3C82080


@part
def _lower(data: Any, i: Any, code: Any, small_of: Any) -> Any:
    """Turn a capital to lower case in place; return whether it could be done."""
    small = small_of[code]
    if small == 0 or (code == _SIGMA and (i == 0 or data[i - 1] > 32)):
        return False
    first = data[i]
    if first < 0xE0:
        data[i], data[i + 1] = 0xC0 | (small >> 6), 0x80 | (small & 0x3F)
        return True
    if first < 0xF0:
        data[i], i = 0xE0 | (small >> 12), i - 1
    else:
        data[i], data[i + 1] = 0xF0 | (small >> 18), 0x80 | ((small >> 12) & 0x3F)
    data[i + 2], data[i + 3] = 0x80 | ((small >> 6) & 0x3F), 0x80 | (small & 0x3F)
    return True
