"""Places where tokens begin and have ended, marked as the bits of numbers.

In most pieces of text between spaces a token is a run of letters, or one character of
another kind, and 64 bytes are worked on at a time: bit i of a number says whether byte
i is a letter, begins a token, or the like. Each byte of a letter beyond ASCII counts as
a letter. `skrational.text.words.scanner`, which takes a text character by character, is
asked about the other pieces only.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from skrational.text.words.bits import (
    BLOCK,
    classifier,
    first_one,
    lower_block,
)
from skrational.text.words.foreign import CAPITAL, decode, read_foreign
from skrational.text.words.scanner import INVISIBLE, SPACE, token_end
from skrational.utils.compile import part

__all__ = ["mark_tokens", "scan_special", "up_to"]

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


@part
def mark_tokens(
    data: Any,
    n_blocks: Any,
    tables: Any,
    lowercase: Any,
    begun: Any,
    ended: Any,
    special: Any,
) -> Any:
    """Mark where tokens begin and have ended, and what the scanner has to look at.

    Parameters
    ----------
    data : memory of uint8
        UTF-8, which goes on behind the last block.
    n_blocks : int
    tables : pair of memory
        The arrays of an `Alphabet`.
    lowercase : bool
        Whether to turn capitals to lower case, in place.
    begun, ended, special : memory of (n_blocks,) uint64
        Filled: bit i of number b says whether a token begins at byte 64 b + i, whether
        one has ended before it, and whether the scanner must look at it.

    Returns
    -------
    bool
        False: there is a capital whose small letter doesn't fit in its place, and only
        the blocks before it are done.
    """
    last_mark = last_letter = last_joint = last_space = _ZERO
    for block in range(n_blocks):
        begin = block * BLOCK
        if lowercase:
            lower_block(data, begin)
        space, letter, joint, follower, foreign = _classify(data, begin)
        inner = loose = unsure = _ZERO
        if foreign != _ZERO:
            inner, letters, loose, spaces, unsure, is_lower = read_foreign(
                data, begin, foreign, tables, lowercase
            )
            if not is_lower:
                return False
            letter = _spread(letter | letters, last_letter, inner)
            space = _spread(space | spaces, last_space, inner)
        mark = ~space
        border = ~((letter & ((letter << _ONE) | last_letter)) | inner)
        begun[block] = mark & border
        ended[block] = ((mark << _ONE) | last_mark) & border
        joined = ((joint << _ONE) | last_joint) & (letter | follower)
        special[block] = joined | unsure | (loose & begun[block])
        last_mark, last_letter = mark >> _LAST, letter >> _LAST
        last_joint, last_space = joint >> _LAST, space >> _LAST
    return True


@part
def _spread(bits: Any, last: Any, inner: Any) -> Any:
    """Return the bits of first bytes, and those of the inner bytes behind them."""
    for _ in range(3):
        bits |= ((bits << _ONE) | last) & inner
    return bits


@part
def scan_special(
    data: Any,
    n_blocks: Any,
    kind_of: Any,
    begun: Any,
    ended: Any,
    special: Any,
    kinds: Any,
    places: Any,
) -> None:
    """Mark the tokens of special pieces anew.

    Parameters
    ----------
    data : memory of uint8
    n_blocks : int
    kind_of : memory of (n_characters,) uint8
        The kind of each character.
    begun, ended, special : memory of (n_blocks,) uint64
        As `mark_tokens` filled them; begun and ended are changed.
    kinds : memory of (n_bytes,) uint8
    places : memory of (n_bytes,) int64
        Room for the kinds and the places of a piece's characters.
    """
    done = 0
    for block in range(n_blocks):
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


@part
def _is_space(byte: Any) -> Any:
    return byte <= 32 and (byte >= 28 or 9 <= byte <= 13)


@part
def _read(data: Any, i: Any, kind_of: Any, kinds: Any, places: Any) -> Any:
    """Read the visible characters up to the next space of ASCII; return their number.

    Parameters
    ----------
    data : memory of uint8
    i : int
        Where the first one begins.
    kind_of : memory of (n_characters,) uint8
        The kind of each character.
    kinds, places : memory of uint8 and of int64
        Filled: the kind of each character that was read and the place of its first
        byte, and behind them a SPACE.

    Returns
    -------
    int
    """
    n_characters = 0
    while not _is_space(data[i]):
        code = np.int64(data[i]) if data[i] < 0x80 else decode(data, i)
        kind = kind_of[code] & (CAPITAL - 1)
        if kind != INVISIBLE:
            kinds[n_characters], places[n_characters] = kind, i
            n_characters += 1
        i += 1
        # The other bytes of a character begin with the bits 10.
        while data[i] & 0xC0 == 0x80:
            i += 1
    kinds[n_characters], places[n_characters] = SPACE, i
    return n_characters


@part
def _scan_piece(
    kinds: Any, places: Any, n_characters: Any, begun: Any, ended: Any
) -> None:
    """Mark the tokens of a piece of text between spaces.

    Parameters
    ----------
    kinds, places : memory of uint8 and of int64
        As `_read` filled them.
    n_characters : int
    begun, ended : memory of (n_blocks,) uint64
        Bits of the tokens are set.
    """
    # For a mere 0 the scanner would be compiled twice: as a constant, and as a number.
    i = np.int64(0)
    while i < n_characters:
        if kinds[i] == SPACE:
            # One that isn't ASCII.
            i += 1
            continue
        _set(begun, places[i])
        i = token_end(kinds, i)
        _set(ended, places[i])


@part
def _set(bits: Any, place: Any) -> None:
    bits[place // BLOCK] |= _ONE << np.uint64(place % BLOCK)


@part
def _clear(bits: Any, begin: Any, end: Any) -> None:
    """Set the bits from begin to end to 0; there must be one."""
    first, last = begin // BLOCK, (end - 1) // BLOCK
    before = (_ONE << np.uint64(begin % BLOCK)) - _ONE
    behind = ~up_to(end - 1)
    if first == last:
        bits[first] &= before | behind
        return
    bits[first] &= before
    for block in range(first + 1, last):
        bits[block] = _ZERO
    bits[last] &= behind


@part
def up_to(place: Any) -> Any:
    """The bits of a block up to and with the one of this place."""
    return _ALL >> (_LAST - np.uint64(place % BLOCK))
