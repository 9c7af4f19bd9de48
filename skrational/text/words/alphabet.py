"""What the compiled tokenizer knows of each character."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.text.tokenize import FLAGS, INVISIBLE, shapes
from skrational.text.words import scanner
from skrational.text.words.foreign import CAPITAL

__all__ = ["Alphabet", "alphabet_of"]

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
    """Return ASCII or all of Unicode, as the module re tells characters apart.

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
    n_capitals = is_capital.nonzero()[0][-1] + 1
    small = np.where(fits, small, 0)[:n_capitals].astype(np.int32)
    return Alphabet(kinds, small)


def _n_bytes(codes: NDArray[np.uint32]) -> NDArray[np.intp]:
    return np.searchsorted([0x80, 0x800, 0x10000], codes, side="right")


def _kinds(every: str) -> NDArray[np.uint8]:
    kinds = np.full(len(every), scanner.OTHER, dtype=np.uint8)
    classes = (
        (r"\s+", scanner.SPACE),
        (r"\w+", scanner.UNDERSCORE),
        (r"\d+", scanner.DIGIT),
        (r"[^\W\d_]+", scanner.ALPHA),
        ("[\U0001f1e6-\U0001f1ff]+", scanner.FLAG),
    )
    for pattern, kind in classes:
        for match in re.finditer(pattern, every, FLAGS):
            kinds[slice(*match.span())] = kind
    if not every.isascii():
        for code, shape in shapes().items():
            kinds[code] = scanner.SPACE if shape.isspace() else scanner.MARK
    for match in re.finditer(f"[{INVISIBLE}]+", every):
        kinds[slice(*match.span())] = scanner.INVISIBLE
    # A look through all characters takes 10 ms, so there is one for all members.
    anything = re.escape("".join(_KINDS.values()))
    found = "".join(re.findall(f"[{anything}]", every, FLAGS))
    for kind, members in _KINDS.items():
        for character in re.findall(f"[{re.escape(members)}]", found, FLAGS):
            kinds[ord(character)] = kind
    return kinds
