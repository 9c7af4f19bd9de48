"""Texts as bytes, and the kind of each character."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.text.tokenize import FLAGS, LETTER
from skrational.text.words import scanner
from skrational.text.words.bits import BLOCK

__all__ = ["Characters", "join", "kinds_of", "padded", "read_texts", "text_of"]

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


def read_texts(
    texts: Sequence[str], *, lowercase: bool, extra: bytes = b""
) -> Characters:
    r"""Read texts as bytes, with straight apostrophes.

    Parameters
    ----------
    texts : sequence of str
    lowercase : bool
        Whether to read ``text.lower()`` instead of each text that isn't ASCII, but for
        its apostrophes. Others stay as they are: compiled code is faster at it.
    extra : bytes, default=b""
        What to put behind the texts, as it is.

    Returns
    -------
    Characters

    Examples
    --------
    >>> characters = read_texts(["It\u2019s", "\u00c4"], lowercase=True)
    >>> text_of(characters.data).split(), characters.text_ends.tolist()
    (["It's", '\xe4'], [4, 7])
    """
    if not all(map(str.isascii, texts)):
        texts = [_read(text, lowercase) for text in texts]
    encoded, lengths = join(texts, "\n")
    data = padded(encoded, _PADDING, extra)
    return Characters(data, np.cumsum(lengths + 1) - 1, encoded.isascii())


def _read(text: str, lowercase: bool) -> str:
    # Most texts that aren't ASCII lack but a straight apostrophe.
    straight = text.replace("\u2019", "'")
    if straight.isascii() or not lowercase:
        return straight
    return text.lower().replace("\u2019", "'")


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


@functools.cache
def kinds_of(n_characters: int) -> NDArray[np.uint8]:
    """The kinds of the first characters of Unicode, as the module re tells them apart.

    Examples
    --------
    >>> kinds = kinds_of(128)[[ord("'"), ord("T")]]
    >>> kinds.tolist() == [scanner.APOSTROPHE, scanner.T]
    True
    """
    codes = np.arange(n_characters, dtype="<u4")
    every = codes.tobytes().decode("utf-32-le", "surrogatepass")
    kinds = np.full(n_characters, scanner.OTHER, dtype=np.uint8)
    classes = (
        (r"\s+", scanner.SPACE),
        (rf"{LETTER}+", scanner.MARK),
        (r"\w+", scanner.UNDERSCORE),
        (r"\d+", scanner.DIGIT),
        (r"[^\W\d_]+", scanner.ALPHA),
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
