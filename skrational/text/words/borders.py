"""Where the tokens of texts begin and end, as lists of places.

`skrational.text.words.marks` finds the places as bits of numbers; here they are listed,
text by text.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from skrational.text.words.alphabet import Alphabet
from skrational.text.words.bits import BLOCK, count_ones, first_one, memory
from skrational.text.words.marks import mark_tokens, scan_special, up_to
from skrational.utils.compile import jit, part

__all__ = ["NO_FRAME", "find_tokens"]

NO_FRAME: Final = ((-1, -1), (-1, -1))
"""Nothing before and nothing behind a text."""

_ZERO: Final = np.uint64(0)
_ONE: Final = np.uint64(1)
_AT_A_TIME: Final = 4


def find_tokens(
    data: NDArray[np.uint8],
    text_ends: NDArray[np.int64],
    alphabet: Alphabet,
    *,
    lowercase: bool,
    frame: tuple[tuple[int, int], tuple[int, int]] = NO_FRAME,
    max_length: int | None = None,
    keep_end: bool = False,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]] | None:
    r"""Find the tokens of texts.

    Parameters
    ----------
    data : ndarray of uint8
        UTF-8: each text is followed by a line feed, the last one by `BLOCK` of them.
    text_ends : ndarray of shape (n_texts,), int64
        Where the line feeds are.
    alphabet : Alphabet
        It reaches as far as the characters of the texts.
    lowercase : bool
        Whether to turn the texts to lower case, in place.
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
    None of these is returned if a capital's place isn't that of its small letter.

    Examples
    --------
    >>> from skrational.text.words.alphabet import alphabet_of
    >>> from skrational.text.words.characters import padded
    >>> data, text_ends = padded(b"It's\n..."), np.array([4, 8])
    >>> tokens = find_tokens(data, text_ends, alphabet_of(128), lowercase=True)
    >>> [part.tolist() for part in tokens]
    [[0, 2, 5], [2, 4, 8], [0, 2, 3]]
    """
    offsets = np.zeros(len(text_ends) + 1, dtype=np.int64)
    n_bytes = int(text_ends[-1]) + 1 if len(text_ends) else 0
    n_most = n_bytes + 2 * len(text_ends) + _AT_A_TIME
    places = np.empty((2, n_most), dtype=np.int64)
    is_found = _find(
        data,
        text_ends,
        tuple(alphabet),
        lowercase,
        frame,
        n_bytes if max_length is None else max_length,
        keep_end,
        np.empty((3, -(-n_bytes // BLOCK)), dtype=np.uint64),
        np.empty(n_bytes, dtype=np.uint8),
        places,
        offsets,
    )
    if not is_found:
        return None
    starts, ends = places[:, : offsets[-1]]
    return starts, ends, offsets


@jit
def _find(
    data: Any,
    text_ends: Any,
    alphabet: Any,
    lowercase: Any,
    frame: Any,
    max_length: Any,
    keep_end: Any,
    bits: Any,
    kinds: Any,
    places: Any,
    offsets: Any,
) -> Any:
    """Find the tokens of texts; but for the last four as `find_tokens`.

    Parameters
    ----------
    data : ndarray of uint8
    text_ends : ndarray of shape (n_texts,), int64
    alphabet : pair of ndarray
    lowercase : bool
    frame : pair of pairs of int
    max_length : int
    keep_end : bool
    bits : ndarray of shape (3, n_blocks), uint64
        Room for marks.
    kinds : ndarray of shape (n_bytes,), uint8
        Room for the kinds of a piece's characters.
    places : ndarray of shape (2, n_most), int64
        Filled: where the tokens begin, and where they end.
    offsets : ndarray of shape (n_texts + 1,), int64
        Filled: text i has the places ``offsets[i]`` to ``offsets[i + 1]``.

    Returns
    -------
    bool
    """
    n_blocks, n_texts = bits.shape[1], len(text_ends)
    text, begun, ended = memory(data), memory(bits[0]), memory(bits[1])
    special, starts, ends = memory(bits[2]), memory(places[0]), memory(places[1])
    tables = memory(alphabet[0]), memory(alphabet[1])
    room = memory(kinds)
    if not mark_tokens(text, n_blocks, tables, lowercase, begun, ended, special):
        return False
    scan_special(text, n_blocks, tables[0], begun, ended, special, room, starts)
    # Texts and their ends, and what to keep of them: the same for starts and ends.
    limits = memory(text_ends), n_texts, max_length, keep_end
    _list(begun, limits, frame[0][0], frame[1][0], starts, memory(offsets))
    _list(ended, limits, frame[0][1], frame[1][1], ends, memory(offsets))
    return True


@part
def _list(
    bits: Any, limits: Any, before: Any, behind: Any, places: Any, offsets: Any
) -> None:
    """List the places of the bits that are 1, framed text by text.

    Parameters
    ----------
    bits : memory of (n_blocks,) uint64
    limits : tuple
        Of ``text_ends``, n_texts, ``max_length`` and ``keep_end``.
    before, behind : int
        What to list before and behind the places of each text; -1: nothing.
    places : memory of int64
        Filled.
    offsets : memory of (n_texts + 1,) int64
        Filled: text i has the places ``offsets[i]`` to ``offsets[i + 1]``.
    """
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
        n = _write(bits[block] & up_to(end) & ~done, block * BLOCK, places, n)
        done = up_to(end)
        n = _truncate(places, first, n, max_length, keep_end)
        if behind >= 0:
            places[n] = behind
            n += 1
        offsets[text + 1] = n


@part
def _write(bits: Any, place: Any, places: Any, n: Any) -> Any:
    """Write the places of the bits that are 1; return how many there are then.

    A few are written at a time, for each turn of a loop is one to be foretold. What
    they write too much is overwritten.

    Parameters
    ----------
    bits : uint64
    place : int
        That of the lowest bit.
    places : memory of int64
    n : int
        How many places there are.
    """
    end = n + count_ones(bits)
    while n < end:
        for i in range(_AT_A_TIME):
            places[n + i] = place + first_one(bits)
            bits &= bits - _ONE
        n += _AT_A_TIME
    return end


@part
def _truncate(places: Any, first: Any, n: Any, max_length: Any, keep_end: Any) -> Any:
    """Keep some of the places from the first to n; return the new n.

    Parameters
    ----------
    places : memory of int64
    first, n : int
    max_length : int
        The most places to keep.
    keep_end : bool
        Whether to keep the last ones.
    """
    n_left_out = max(0, n - first - max_length)
    if keep_end and n_left_out > 0:
        for i in range(first, n - n_left_out):
            places[i] = places[i + n_left_out]
    return n - n_left_out
