"""Where the tokens of texts begin and end.

`skrational.text.words.scanner` knows all that a token may be, but takes it character by
character. In most pieces of text between spaces a token is a run of letters, or one
character of another kind, and 64 bytes are worked on at a time: bit i of a number says
whether byte i is a letter, begins a token, or the like. The scanner is asked about the
other pieces only.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from skrational.text.words.bits import (
    BLOCK,
    classifier,
    count_ones,
    first_one,
    lower_block,
    memory,
)
from skrational.text.words.scanner import SPACE, token_end
from skrational.utils.compile import jit

__all__ = ["NO_FRAME", "find_tokens"]

NO_FRAME: Final = ((-1, -1), (-1, -1))
"""Nothing before and nothing behind a text."""

_ZERO: Final = np.uint64(0)
_ONE: Final = np.uint64(1)
_ALL: Final = np.uint64(2**64 - 1)
_LAST: Final = np.uint64(BLOCK - 1)
_AT_A_TIME: Final = 4

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
    frame: tuple[tuple[int, int], tuple[int, int]] = NO_FRAME,
    max_length: int | None = None,
    keep_end: bool = False,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    r"""Find the tokens of texts.

    Parameters
    ----------
    data : ndarray of uint8
        UTF-8: each text is followed by a line feed, the last one by `BLOCK` of them.
    text_ends : ndarray of shape (n_texts,), int64
        Where the line feeds are.
    kind_of : ndarray of shape (n_characters,), uint8
        The kind of each character; it reaches as far as the characters of the texts.
    lowercase : bool
        Whether to turn ASCII to lower case, in place.
    frame : pair of pairs of int, default=`NO_FRAME`
        Where in the data the tokens before and behind each text start and end; -1:
        there is none.
    max_length : int or None, default=None
        The most tokens to keep of a text. None: all of them.
    keep_end : bool, default=False
        Whether to keep the last tokens of a longer text instead of the first.

    Returns
    -------
    starts, ends : ndarray of shape (n_tokens,), int64
        Token t holds the bytes ``starts[t]`` to ``ends[t]``.
    offsets : ndarray of shape (n_texts + 1,), int64
        Text i holds the tokens ``offsets[i]`` to ``offsets[i + 1]``.

    Examples
    --------
    >>> from skrational.text.words.characters import kinds_of, padded
    >>> data, text_ends = padded(b"It's\n..."), np.array([4, 8])
    >>> tokens = find_tokens(data, text_ends, kinds_of(128), lowercase=True)
    >>> [part.tolist() for part in tokens]
    [[0, 2, 5], [2, 4, 8], [0, 2, 3]]
    """
    offsets = np.zeros(len(text_ends) + 1, dtype=np.int64)
    n_bytes = int(text_ends[-1]) + 1 if len(text_ends) else 0
    n_most = n_bytes + 2 * len(text_ends) + _AT_A_TIME
    places = np.empty((2, n_most), dtype=np.int64)
    _find(
        data,
        text_ends,
        kind_of,
        lowercase,
        frame,
        n_bytes if max_length is None else max_length,
        keep_end,
        np.empty((3, -(-n_bytes // BLOCK)), dtype=np.uint64),
        np.empty(n_bytes, dtype=np.uint8),
        places,
        offsets,
    )
    starts, ends = places[:, : offsets[-1]]
    return starts, ends, offsets


@jit
def _find(
    data: Any,
    text_ends: Any,
    kind_of: Any,
    lowercase: Any,
    frame: Any,
    max_length: Any,
    keep_end: Any,
    bits: Any,
    kinds: Any,
    places: Any,
    offsets: Any,
) -> None:
    n_blocks, n_texts = bits.shape[1], len(text_ends)
    text, begun, ended = memory(data), memory(bits[0]), memory(bits[1])
    special, starts, ends = memory(bits[2]), memory(places[0]), memory(places[1])
    _mark(text, n_blocks, lowercase, begun, ended, special)
    _scan(text, n_blocks, memory(kind_of), begun, ended, special, memory(kinds), starts)
    # Texts and their ends, and what to keep of them: the same for starts and ends.
    limits = memory(text_ends), n_texts, max_length, keep_end
    _list(begun, limits, frame[0][0], frame[1][0], starts, memory(offsets))
    _list(ended, limits, frame[0][1], frame[1][1], ends, memory(offsets))


@jit
def _mark(
    data: Any, n_blocks: Any, lowercase: Any, begun: Any, ended: Any, special: Any
) -> None:
    """Mark where tokens begin and have ended, and what the scanner has to look at."""
    last_mark = last_letter = last_joint = _ZERO
    for block in range(n_blocks):
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
    n_blocks: Any,
    kind_of: Any,
    begun: Any,
    ended: Any,
    special: Any,
    kinds: Any,
    places: Any,
) -> None:
    """Mark the tokens of special pieces anew."""
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


@jit
def _is_space(byte: Any) -> Any:
    return byte <= 32 and (byte >= 28 or 9 <= byte <= 13)


@jit
def _read(data: Any, i: Any, kind_of: Any, kinds: Any, places: Any) -> Any:
    """Read the characters up to the next space of ASCII; return how many there are."""
    n_characters = 0
    while not _is_space(data[i]):
        places[n_characters] = i
        code = np.int64(data[i])
        if code >= 0x80:
            # The first byte of a character tells how many there are.
            n_more = 1 if code < 0xE0 else 2 if code < 0xF0 else 3
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
def _scan_piece(
    kinds: Any, places: Any, n_characters: Any, begun: Any, ended: Any
) -> None:
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


@jit
def _set(bits: Any, place: Any) -> None:
    bits[place // BLOCK] |= _ONE << np.uint64(place % BLOCK)


@jit
def _clear(bits: Any, begin: Any, end: Any) -> None:
    """Set the bits from begin to end to 0; there must be one."""
    first, last = begin // BLOCK, (end - 1) // BLOCK
    before = (_ONE << np.uint64(begin % BLOCK)) - _ONE
    behind = ~_up_to(end - 1)
    if first == last:
        bits[first] &= before | behind
        return
    bits[first] &= before
    for block in range(first + 1, last):
        bits[block] = _ZERO
    bits[last] &= behind


@jit
def _up_to(place: Any) -> Any:
    """The bits of a block up to and with the one of this place."""
    return _ALL >> (_LAST - np.uint64(place % BLOCK))


@jit
def _list(
    bits: Any, limits: Any, before: Any, behind: Any, places: Any, offsets: Any
) -> None:
    """List the places of the bits that are 1, framed text by text."""
    text_ends, n_texts, max_length, keep_end = limits
    n = block = 0
    done = _ZERO
    for text in range(n_texts):
        if before >= 0:
            places[n] = before
            n += 1
        first = n
        end = text_ends[text]
        while block < end // BLOCK:
            n = _write(bits[block] & ~done, block * BLOCK, places, n)
            block += 1
            done = _ZERO
        n = _write(bits[block] & _up_to(end) & ~done, block * BLOCK, places, n)
        done = _up_to(end)
        n = _truncate(places, first, n, max_length, keep_end)
        if behind >= 0:
            places[n] = behind
            n += 1
        offsets[text + 1] = n


@jit
def _write(bits: Any, place: Any, places: Any, n: Any) -> Any:
    """Write the places of the bits that are 1; return how many there are then.

    A few are written at a time, for each turn of a loop is one to be foretold. What
    they write too much is overwritten.
    """
    end = n + count_ones(bits)
    while n < end:
        for i in range(_AT_A_TIME):
            places[n + i] = place + first_one(bits)
            bits &= bits - _ONE
        n += _AT_A_TIME
    return end


@jit
def _truncate(places: Any, first: Any, n: Any, max_length: Any, keep_end: Any) -> Any:
    """Keep some of the places from the first to n; return the new n."""
    n_left_out = max(0, n - first - max_length)
    if keep_end and n_left_out > 0:
        for i in range(first, n - n_left_out):
            places[i] = places[i + n_left_out]
    return n - n_left_out
