"""Tokens of any tokenizer searched in their text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

__all__ = ["find_in_order"]


def find_in_order(text: str, tokens: Sequence[str]) -> list[tuple[int, int]] | None:
    r"""Find the places of tokens in the text that they were made of.

    Case and composition of characters don't matter. A token that isn't there, such as
    a quotation mark that was turned into another one, takes what stands between its
    neighbours.

    Parameters
    ----------
    text : str
    tokens : sequence of str
        In the order of the text, of which they may omit parts.

    Returns
    -------
    list of (int, int) or None
        Where each begins and ends. None if they can't be found: several tokens that
        aren't there stand next to each other, or there is nothing between neighbours.

    Examples
    --------
    >>> find_in_order('Is "it" Good?', ["is", "``", "it", "''", "good", "?"])
    [(0, 2), (3, 4), (4, 6), (6, 7), (8, 12), (12, 13)]
    >>> find_in_order("good better best", ["good", "good", "good"]) is None
    True
    """
    levelled = _Levelled.of(text)
    found: list[tuple[int, int] | None] = []
    place = 0
    for token in map(_level, tokens):
        begin = _find(levelled.text, token, place)
        if begin >= 0:
            place = begin + len(token)
            found.append((begin, place))
        elif found and found[-1] is None:
            return None
        else:
            found.append(None)
    if not text.isascii() or "" in tokens:
        found = [None if part is None else levelled.origin(*part) for part in found]
    return _fill_gaps(text, found)


class _Levelled(NamedTuple):
    """A text without what tokenizers often change, and where it comes from."""

    text: str
    begins: Sequence[int]
    ends: Sequence[int]

    @classmethod
    def of(cls, text: str) -> _Levelled:
        if text.isascii():
            return cls(text.lower(), range(len(text)), range(1, len(text) + 1))
        parts, begins, ends = [], [], []
        for begin, end in _clusters(text):
            part = _level(text[begin:end])
            parts.append(part)
            begins += [begin] * len(part)
            ends += [end] * len(part)
        return cls("".join(parts), begins, ends)

    def origin(self, begin: int, end: int) -> tuple[int, int]:
        """Where a part of it comes from."""
        if begin == end:
            start = self.begins[begin] if begin < len(self.begins) else 0
            return start, start
        return self.begins[begin], self.ends[end - 1]


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Where characters begin and end, with the combining marks behind them."""
    begin = 0
    for i, character in enumerate(text):
        if i > begin and not unicodedata.combining(character):
            yield begin, i
            begin = i
    if text:
        yield begin, len(text)


def _level(text: str) -> str:
    lower = text.lower()
    return lower if lower.isascii() else unicodedata.normalize("NFKC", lower)


def _find(text: str, token: str, place: int) -> int:
    """Find a token from a place on: the next one, rather a word than part of one.

    Returns
    -------
    int
        Where it begins, -1 if it isn't there.
    """
    begin = text.find(token, place)
    passed_over = text[place:begin] if begin > place else ""
    if passed_over and token and not passed_over.isspace():
        # What is passed over may be a word that the tokenizer left out.
        whole = rf"(?<!\w){re.escape(token)}(?!\w)"
        match = re.compile(whole).search(text, begin)
        begin = match.start() if match else begin
    return begin


def _fill_gaps(
    text: str, places: list[tuple[int, int] | None]
) -> list[tuple[int, int]] | None:
    """Give a token without a place what stands between its neighbours."""
    known = [place for place in places if place is not None]
    if len(known) == len(places):
        return known
    filled: list[tuple[int, int]] = []
    for i, place in enumerate(places):
        if place is None:
            begin = filled[-1][1] if filled else 0
            following = places[i + 1] if i + 1 < len(places) else None
            end = following[0] if following is not None else len(text)
            gap = text[begin:end]
            begin += len(gap) - len(gap.lstrip())
            place = begin, begin + len(gap.strip())
            if not gap.strip():
                return None
        filled.append(place)
    return filled
