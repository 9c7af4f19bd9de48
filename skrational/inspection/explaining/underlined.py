"""A text in lines for a terminal, as it is, with marks below its words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

__all__ = ["MarkedText", "columns", "underlined", "visible"]

# Separators, and what turns the direction of all that follows.
_UNSAFE = re.compile(
    "\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
    "\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_BREAK = re.compile(r"(\s+)")


class MarkedText(NamedTuple):
    """A part of a text, and its marks.

    Attributes
    ----------
    text : str
    sign : str, default=""
        A character that is written below all of it.
    label : str, default=""
        What is written once below that.
    is_apart : bool, default=False
        Whether it stands between spaces that aren't in the text.
    """

    text: str
    sign: str = ""
    label: str = ""
    is_apart: bool = False


def underlined(parts: Iterable[MarkedText], room: int) -> list[str]:
    r"""Break a text into lines at its white space, with the marks of each below it.

    Parameters
    ----------
    parts : iterable of MarkedText
    room : int
        Columns of a line. A word that is longer is broken.

    Returns
    -------
    list of str

    Examples
    --------
    >>> parts = MarkedText("Not", "-", "0"), MarkedText("  "), MarkedText("good", "+")
    >>> print("\n".join(underlined([*parts, MarkedText("!")], 40)))
    Not  good!
    ---  ++++
    0
    """
    lines = [_Line()]
    gap = ""
    for word in _words(parts, room):
        if isinstance(word, str):
            lines += [_Line() for _ in range(word.count("\n"))]
            gap = word.rpartition("\n")[2]
            continue
        width = sum(columns(part.text) for part in word)
        if lines[-1].width and lines[-1].width + columns(gap) + width > room:
            lines.append(_Line())
            gap = ""
        lines[-1].add(MarkedText(gap))
        for part in word:
            # A word that is longer than a line is broken between its parts, too.
            if lines[-1].width and lines[-1].width + columns(part.text) > room:
                lines.append(_Line())
            lines[-1].add(part)
        gap = ""
    return [row for line in lines for row in line.rows()]


def _words(parts: Iterable[MarkedText], room: int) -> Iterator[str | list[MarkedText]]:
    """Yield what stands between white space, and this."""
    word: list[MarkedText] = []
    for part in parts:
        if part.is_apart and word:
            yield from (word, " ")
            word = []
        label = part.label
        for text in _BREAK.split(visible(part.text)):
            if text.isspace():
                yield from ([word] if word else [])
                yield text
                word = []
            elif text:
                for i, cut in enumerate(_cut(text, room)):
                    yield from ([word] if i else [])
                    word = [*([] if i else word), part._replace(text=cut, label=label)]
                    label = ""
        if part.is_apart:
            yield from (word, " ")
            word = []
    if word:
        yield word


def _cut(text: str, room: int) -> Iterator[str]:
    """Cut a text into parts that fit in a line."""
    part, width = "", 0
    for character in text:
        needed = columns(character)
        if part and width + needed > room:
            yield part
            part, width = "", 0
        part, width = part + character, width + needed
    yield part


class _Line:
    """A line and the rows of marks below it."""

    def __init__(self) -> None:
        self.text, self.width = "", 0
        self._signs = ""
        self._labels: list[str] = []

    def add(self, part: MarkedText) -> None:
        width = columns(part.text)
        # A tabulator stands above one.
        blank = "".join("\t" if c == "\t" else " " * columns(c) for c in part.text)
        self._signs += part.sign * width if part.sign else blank
        if part.label:
            row = next((r for r in self._labels if len(r) <= self.width), None)
            if row is None:
                self._labels.append("")
                row = ""
            place = self._labels.index(row)
            before = re.sub(r"[^\t]", " ", self._signs[: len(self._signs) - width])
            self._labels[place] = row + before[len(row) :] + part.label + " "
        self.text, self.width = self.text + part.text, self.width + width

    def rows(self) -> list[str]:
        """Return the line, then what is written below it."""
        rows = (self.text, self._signs, *self._labels)
        written = [row.rstrip() for row in rows]
        return [written[0], *filter(None, written[1:])]


def columns(text: str) -> int:
    r"""Columns that a terminal gives a text: none for what joins another character.

    Examples
    --------
    >>> columns("e\u0301\u200d"), columns("\u65e5")
    (1, 2)
    """
    return sum(
        0
        if unicodedata.category(c) in ("Mn", "Me", "Cf")
        else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


def visible(text: str) -> str:
    r"""Spell out what would steer a terminal or a page, and leave all else as it is.

    Examples
    --------
    >>> print(visible("\x1b[31m, \u202e"))
    \x1b[31m, \u202e
    >>> print(visible("a\rb\x0c"))
    a\rb\x0c
    >>> visible("a\u200db\n") == "a\u200db\n"
    True
    """
    return _UNSAFE.sub(lambda found: repr(found[0])[1:-1], text)
