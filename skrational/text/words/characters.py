"""Texts as bytes, and what is to be known of each character."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.text.tokenize import FLAGS, INVISIBLE, shapes
from skrational.text.words import scanner
from skrational.text.words.bits import BLOCK
from skrational.text.words.foreign import CAPITAL

__all__ = [
    "Alphabet",
    "Characters",
    "alphabet_of",
    "join",
    "padded",
    "read_texts",
    "text_of",
]

_KINDS = {
    scanner.APOSTROPHE: "'",
    scanner.HYPHEN: "-",
    scanner.DOT: ".",
    scanner.COMMA: ",",
    scanner.COLON: ":",
    scanner.SLASH: "/",
    scanner.EYES: ";=",
    scanner.MOUTH: "()[]|",
    scanner.LESS: "<",
    scanner.THREE: "3",
    scanner.D: "d",
    scanner.E: "e",
    scanner.L: "l",
    scanner.M_OR_S: "ms",
    scanner.N: "n",
    scanner.P: "p",
    scanner.R_OR_V: "rv",
    scanner.T: "t",
}
# Python's strings may hold lone surrogates.
_ENCODING = ("utf-8", "surrogatepass")
# Compiled code reads whole blocks, the last of which goes beyond what it is asked for.
_PADDING = b"\n" * BLOCK


class Characters(NamedTuple):
    """Texts as the tokenizer reads them.

    Parameters
    ----------
    data : ndarray of uint8
        UTF-8: the texts, each followed by a line feed; at least `BLOCK` of these behind
        the last; what belongs to no text; `BLOCK` line feeds more.
    text_ends : ndarray of shape (n_texts,), int64
        Where the line feeds behind the texts are.
    is_ascii : bool
        Whether all characters of the texts are, as they were read.
    """

    data: NDArray[np.uint8]
    text_ends: NDArray[np.int64]
    is_ascii: bool


def read_texts(texts: Sequence[str], *, extra: bytes = b"") -> Characters:
    r"""Read texts as bytes, with straight apostrophes.

    Parameters
    ----------
    texts : sequence of str
    extra : bytes, default=b""
        What to put behind the texts, as it is.

    Returns
    -------
    Characters

    Examples
    --------
    >>> characters = read_texts(["It\u2019s", "\u00e4"])
    >>> text_of(characters.data).split(), characters.text_ends.tolist()
    (["It's", '\xe4'], [4, 7])
    """
    if not all(map(str.isascii, texts)):
        texts = [text.replace("\u2019", "'") for text in texts]
    encoded, lengths = join(texts, "\n")
    data = padded(encoded, _PADDING, extra)
    return Characters(data, np.cumsum(lengths + 1) - 1, encoded.isascii())


def join(texts: Sequence[str], separator: str) -> tuple[bytes, NDArray[np.int64]]:
    r"""Join texts in UTF-8; return the lengths of their own bytes, too.

    Examples
    --------
    >>> joined, lengths = join(["a", "\u00e4"], " ")
    >>> joined, lengths.tolist()
    (b'a \xc3\xa4', [1, 2])
    """
    joined = separator.join(texts)
    if joined.isascii():
        return joined.encode(), np.fromiter(map(len, texts), np.int64, len(texts))
    parts = [text.encode(*_ENCODING) for text in texts]
    lengths = np.fromiter(map(len, parts), np.int64, len(parts))
    return separator.encode().join(parts), lengths


def padded(*parts: bytes) -> NDArray[np.uint8]:
    """Return bytes as a new array, with `BLOCK` line feeds behind them."""
    return np.frombuffer(bytearray(b"".join((*parts, _PADDING))), dtype=np.uint8)


def text_of(data: NDArray[np.uint8]) -> str:
    """Return the text of bytes.

    Examples
    --------
    >>> text_of(padded("a\u20ac".encode()))[:2] == "a\u20ac"
    True
    """
    return data.tobytes().decode(*_ENCODING)


class Alphabet(NamedTuple):
    """What the compiled tokenizer knows of characters.

    Parameters
    ----------
    kinds : ndarray of shape (n_characters,), uint8
        The kind of each; that of a letter or symbol which lower case changes plus
        `CAPITAL`.
    small : ndarray of int32
        What lower case makes of these; 0: several characters, or one of other length.
    """

    kinds: NDArray[np.uint8]
    small: NDArray[np.int32]


@functools.cache
def alphabet_of(n_characters: int) -> Alphabet:
    """Return the first characters of Unicode, as the module re tells them apart.

    Examples
    --------
    >>> kinds = alphabet_of(128).kinds[[ord("'"), ord("t")]]
    >>> kinds.tolist() == [scanner.APOSTROPHE, scanner.T]
    True
    """
    codes = np.arange(n_characters, dtype="<u4")
    every = codes.tobytes().decode("utf-32-le", "surrogatepass")
    kinds = _kinds(every)
    # All but this one become one character.
    lowered = every.replace("\u0130", "i").lower()
    small = np.frombuffer(lowered.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    is_capital = small != codes
    kinds[is_capital] += CAPITAL
    fits = is_capital & (_n_bytes(small) == _n_bytes(codes))
    n_capitals = int(is_capital.nonzero()[0].max()) + 1
    return Alphabet(kinds, np.where(fits, small, 0)[:n_capitals].astype(np.int32))


def _n_bytes(codes: NDArray[np.uint32]) -> NDArray[np.intp]:
    return np.searchsorted([0x80, 0x800, 0x10000], codes, side="right")


def _kinds(every: str) -> NDArray[np.uint8]:
    kinds = np.full(len(every), scanner.OTHER, dtype=np.uint8)
    for code, shape in shapes().items():
        if code < len(every):
            kinds[code] = scanner.SPACE if shape.isspace() else scanner.MARK
    classes = (
        (r"\s+", scanner.SPACE),
        (r"\w+", scanner.UNDERSCORE),
        (r"\d+", scanner.DIGIT),
        (r"[^\W\d_]+", scanner.ALPHA),
        (f"[{INVISIBLE}]+", scanner.INVISIBLE),
        ("[\U0001f1e6-\U0001f1ff]+", scanner.FLAG),
    )
    for pattern, kind in classes:
        for match in re.finditer(pattern, every, FLAGS):
            kinds[slice(*match.span())] = kind
    # A look through all characters takes 10 ms, so there is one for all members.
    anything = re.escape("".join(_KINDS.values()))
    found = "".join(re.findall(f"[{anything}]", every, FLAGS))
    for kind, members in _KINDS.items():
        for character in re.findall(f"[{re.escape(members)}]", found, FLAGS):
            kinds[ord(character)] = kind
    return kinds
