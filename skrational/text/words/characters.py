"""Texts as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.text.words.bits import BLOCK

__all__ = ["Characters", "bytes_of", "join", "padded", "read_texts", "text_of"]

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
    is_ascii = all(map(str.isascii, texts))
    if not is_ascii:
        texts = [text.replace("\u2019", "'") for text in texts]
        is_ascii = all(map(str.isascii, texts))
    data, lengths = join(texts, "\n", extra)
    return Characters(data, np.cumsum(lengths + 1) - 1, is_ascii)


def join(
    texts: Sequence[str], separator: str = "", extra: bytes = b""
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    r"""Join texts in UTF-8; return the lengths of their own bytes, too.

    Behind them there are `BLOCK` line feeds, what is extra, and `BLOCK` line feeds.

    Examples
    --------
    >>> joined, lengths = join(["a", "\u00e4"], " ")
    >>> joined[:4].tobytes(), lengths.tolist()
    (b'a \xc3\xa4', [1, 2])
    """
    if all(map(str.isascii, texts)):
        parts, sizes = [separator.join(texts).encode()], map(len, texts)
    else:
        parts = list(map(bytes_of, texts))
        sizes = map(len, parts)
    lengths = np.fromiter(sizes, np.int64, len(texts))
    # Each copy of what is larger than a processor's cache costs as much as encoding it.
    array = bytearray(separator.encode()).join([*parts, _PADDING + extra + _PADDING])
    return np.frombuffer(array, dtype=np.uint8), lengths


def padded(encoded: bytes) -> NDArray[np.uint8]:
    """Return bytes as a new array, with `BLOCK` line feeds behind them."""
    return np.frombuffer(bytearray(encoded + _PADDING), dtype=np.uint8)


def bytes_of(text: str) -> bytes:
    """Return a text in UTF-8."""
    return text.encode(*_ENCODING)


def text_of(data: NDArray[np.uint8]) -> str:
    """Return the text of bytes.

    Examples
    --------
    >>> text_of(padded("a\u20ac".encode()))[:2] == "a\u20ac"
    True
    """
    return data.tobytes().decode(*_ENCODING)
