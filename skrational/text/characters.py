"""Texts as code points, and the kind of each character."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.compile import jit
from skrational.text import scanner
from skrational.text.tokenize import FLAGS, LETTER

__all__ = ["Characters", "code_points", "read_characters", "text_of"]

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
_ENCODING = ("utf-32-le", "surrogatepass")
# Lower-casing turns the first into two characters, the second by what follows it.
_CASED_BY_CONTEXT = ("\u0130", "\u03a3")


class Characters(NamedTuple):
    """The characters of texts, as the tokenizer sees them.

    Parameters
    ----------
    codes : ndarray of shape (n_characters + n_extra,), uint32
        Code points: those of the texts, each text followed by a line feed, then extra
        ones that belong to no text.
    kinds : ndarray of shape (n_characters,), uint8
        The kind of each, without the extra ones; see `skrational.text.scanner`.
    text_ends : ndarray of shape (n_texts,), int64
        Where the line feeds behind the texts are.
    """

    codes: NDArray[np.uint32]
    kinds: NDArray[np.uint8]
    text_ends: NDArray[np.int64]


def read_characters(
    texts: Sequence[str], *, lowercase: bool, extra: str = ""
) -> Characters:
    r"""Read texts as code points, with straight apostrophes.

    Parameters
    ----------
    texts : sequence of str
    lowercase : bool
        Whether to read ``text.lower()`` instead of each text.
    extra : str, default=""
        What to put behind the texts, as it is.

    Returns
    -------
    Characters

    Examples
    --------
    >>> characters = read_characters(["It\u2019s", ""], lowercase=True)
    >>> "".join(map(chr, characters.codes)), characters.text_ends.tolist()
    ("it's\n\n", [4, 5])
    """
    joined = "\n".join([*texts, ""])
    if lowercase and any(character in joined for character in _CASED_BY_CONTEXT):
        texts = [text.lower() for text in texts]
        joined = "\n".join([*texts, ""])
        lowercase = False
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    codes = code_points(joined + extra)
    kinds = np.empty(len(joined), dtype=np.uint8)
    _translate(codes, kinds, _simple_cases(lowercase), _kinds())
    return Characters(codes, kinds, np.cumsum(lengths + 1) - 1)


def code_points(text: str) -> NDArray[np.uint32]:
    """Return the code points of a text, as a new array of shape (len(text),).

    Examples
    --------
    >>> code_points("a\u20ac").tolist()
    [97, 8364]
    """
    encoded = bytearray(text.encode(*_ENCODING))
    return np.frombuffer(encoded, dtype="<u4").astype(np.uint32, copy=False)


def text_of(codes: NDArray[np.uint32]) -> str:
    """Return the text of code points; the inverse of `code_points`.

    Examples
    --------
    >>> text_of(code_points("a\u20ac")) == "a\u20ac"
    True
    """
    return codes.astype("<u4", copy=False).tobytes().decode(*_ENCODING)


@jit
def _translate(codes: Any, kinds: Any, cases: Any, kind_of: Any) -> None:
    for i in range(len(kinds)):
        codes[i] = cases[codes[i]]
        kinds[i] = kind_of[codes[i]]


def _every_character() -> str:
    return text_of(np.arange(0x110000, dtype=np.uint32))


@functools.cache
def _simple_cases(lowercase: bool) -> NDArray[np.uint32]:
    """What each character becomes that is cased without regard to others."""
    every = _every_character()
    cases = code_points(every)
    if lowercase:
        plain = every
        for character in _CASED_BY_CONTEXT:
            plain = plain.replace(character, "\0")
        cases = code_points(plain.lower())
    cases[0x2019] = ord("'")
    return cases


@functools.cache
def _kinds() -> NDArray[np.uint8]:
    """The kind of each character, as the module re tells them apart."""
    every = _every_character()
    kinds = np.full(len(every), scanner.OTHER, dtype=np.uint8)
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
