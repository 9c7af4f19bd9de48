"""Explanations as text, for a terminal of 100 columns."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from skrational.inspection._explanation_parts import (
    MARKED,
    Part,
    Summary,
    entering,
    fill,
    phrase,
    shown_tokens,
    signed,
    strengths,
    strongest,
    summarize,
)
from skrational.inspection._tables import shorten

if TYPE_CHECKING:
    from skrational.inspection.explanations import Explanation

__all__ = ["document_text"]

_COLUMNS = 98
_HEAD = ("WFSA", "adds", "share", "without it", "phrase")
_NUMERIC = (False, True, True, False, False)
_N_STRONGEST = 5
_MAX_TOKENS = 300


def document_text(explanation: Explanation) -> str:
    """Write an explanation for a terminal.

    Of a document of more than 300 tokens only the surroundings of the phrases and of
    the strongest tokens are shown, with "…" between.

    Parameters
    ----------
    explanation : Explanation

    Returns
    -------
    str
    """
    summary = summarize(explanation)
    lines = [
        f"{summary.prediction} ({summary.probability})",
        f"{summary.logit}; {summary.meaning}",
        *_table(explanation, summary),
    ]
    if summary.nothing:
        lines.append(f"  {summary.nothing}")
    return "\n".join([*lines, *_document(explanation, summary)])


def _table(explanation: Explanation, summary: Summary) -> list[str]:
    """A line for each part, more where the phrase is long."""
    rows = [_cells(part) for part in summary.parts]
    widths = [
        max(map(_width, column)) for column in zip(_HEAD[:-1], *rows, strict=True)
    ]
    indent = 2 + sum(widths) + 2 * len(widths)
    lines = [_line(_HEAD[:-1], widths) + "  " + _HEAD[-1]]
    for part, row in zip(summary.parts, rows, strict=True):
        first, *more = _phrase(explanation, part, _COLUMNS - indent)
        lines.append(f"{_line(row, widths)}  {first}".rstrip())
        lines += [" " * indent + line for line in more]
    return lines


def _cells(part: Part) -> tuple[str, ...]:
    flip = ", flips" if part.flips else ""
    return part.name, part.adds, part.share, part.without + flip


def _phrase(explanation: Explanation, part: Part, room: int) -> list[str]:
    if part.wfsa is None:
        return [""]
    if part.path is None:
        return ["(no path)"]
    cells = phrase(explanation, part.path)
    lines = fill(cells, _width, max(room, 1) - 2, 3)
    return [" | ".join(line) for line in lines]


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    padded = [
        gap + cell if numeric else cell + gap
        for cell, width, numeric in zip(cells, widths, _NUMERIC, strict=False)
        for gap in [" " * (width - _width(cell))]
    ]
    return "  " + "  ".join(padded)


def _document(explanation: Explanation, summary: Summary) -> list[str]:
    """The strongest tokens, then the document with its marks."""
    if not explanation.tokens:
        return ["the document is empty"]
    effects = signed(explanation.effects)
    for_it, against = (
        ", ".join(
            f"{shorten(explanation.tokens[t])} {effects[t]}"
            for t in strongest(explanation, sign, _N_STRONGEST)
        )
        for sign in (1, -1)
    )
    marked = _marked_tokens(explanation, summary)
    return [
        f"tokens that speak most for it: {for_it or 'none'}",
        f"tokens that speak most against it: {against or 'none'}",
        "document (+ and - speak for and against it, [0] is in the phrase of WFSA 0):",
        *("  " + " ".join(line) for line in fill(marked, _width, _COLUMNS - 2, 1)),
    ]


def _marked_tokens(explanation: Explanation, summary: Summary) -> list[str]:
    marks, strength = (
        entering(explanation, summary.wfsas),
        strengths(explanation.effects),
    )
    words = []
    for t in shown_tokens(explanation, summary.wfsas, _MAX_TOKENS):
        if t is None:
            words.append("…")
            continue
        sign = "" if abs(strength[t]) < MARKED else "+" if strength[t] > 0 else "-"
        numbers = f"[{','.join(map(str, marks[t]))}]" if t in marks else ""
        words.append(f"{sign}{shorten(explanation.tokens[t])}{numbers}")
    return words


def _width(text: str) -> int:
    """Columns that a terminal gives a text: two for a wide letter of East Asia."""
    return sum(
        (unicodedata.east_asian_width(c) in "WF") + (not unicodedata.combining(c))
        for c in text
    )
