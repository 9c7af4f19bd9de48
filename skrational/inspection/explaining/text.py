"""Explanations as text, for a terminal of 100 columns."""

from __future__ import annotations

from collections.abc import Sequence

from skrational.inspection.explaining.pieces import shown_pieces
from skrational.inspection.explaining.prediction import ExplainedPrediction
from skrational.inspection.explaining.summands import (
    Summand,
    Summary,
    in_short,
    signed,
    summarize,
)
from skrational.inspection.explaining.tokens import (
    MARKED,
    entering,
    fill,
    phrase,
    strengths,
    strongest,
)
from skrational.inspection.explaining.underlined import MarkedText, underlined
from skrational.inspection.tables import pad, shorten, terminal_width

__all__ = ["document_text"]

_COLUMNS = 98
_HEAD = ("WFSA", "adds", "share", "without it", "phrase")
_HEAD_OF_UNITS = ("unit", "adds", "gates that vary")
_NUMERIC = (False, True, True, False)
_N_STRONGEST = 5
_MAX_TOKENS = 300
_UNREAD = "~"


def document_text(explanation: ExplainedPrediction) -> str:
    """Write an explanation for a terminal.

    Of a document of more than 300 tokens only the surroundings of the phrases and of
    the strongest tokens are shown, with "…" between.

    Parameters
    ----------
    explanation : ExplainedPrediction

    Returns
    -------
    str
    """
    summary = summarize(explanation)
    lines = [
        *filter(None, [summary.warning]),
        f"{summary.prediction} ({in_short(summary)})",
        *summary.verdicts,
        *_wrapped([f"{summary.logit};", summary.meaning]),
        *_table(explanation, summary),
    ]
    if summary.nothing:
        lines.append(f"  {summary.nothing}")
    return "\n".join([*lines, *_document(explanation, summary)])


def _table(explanation: ExplainedPrediction, summary: Summary) -> list[str]:
    """A line for each summand, more where the phrase is long."""
    *head, last = _HEAD if explanation.has_paths else _HEAD_OF_UNITS
    rows = [_cells(summand)[: len(head)] for summand in summary.summands]
    widths = [
        max(map(terminal_width, column)) for column in zip(head, *rows, strict=True)
    ]
    indent = 2 + sum(widths) + 2 * len(widths)
    lines = [_line(head, widths) + "  " + last]
    for summand, row in zip(summary.summands, rows, strict=True):
        first, *more = _phrase(explanation, summand, _COLUMNS - indent)
        lines.append(f"{_line(row, widths)}  {first}".rstrip())
        lines += [" " * indent + line for line in more]
    return lines


def _cells(summand: Summand) -> tuple[str, ...]:
    flip = ", flips" if summand.flips else ""
    return summand.name, summand.adds, summand.share, summand.without + flip


def _phrase(explanation: ExplainedPrediction, summand: Summand, room: int) -> list[str]:
    if summand.wfsa is None:
        return [summand.gates]
    if summand.path is None:
        return ["(no path)"]
    cells = phrase(explanation, summand.path)
    lines = fill(cells, terminal_width, max(room, 1) - 2, 3)
    return [" | ".join(line) for line in lines]


def _line(cells: Sequence[str], widths: list[int]) -> str:
    return "  " + "  ".join(map(pad, cells, widths, _NUMERIC))


def _document(explanation: ExplainedPrediction, summary: Summary) -> list[str]:
    """The strongest tokens, then the document with its marks."""
    if not explanation.tokens:
        return ["the document is empty"]
    parts = _marked_parts(explanation, summary)
    numbers = ", 0 is in the phrase of WFSA 0" if explanation.has_paths else ""
    unknown = ", ? is unknown" if any("?" in part.label for part in parts) else ""
    unread = f", {_UNREAD} is not read" * any(part.sign == _UNREAD for part in parts)
    positive, negative = summary.sides
    return [
        *_strongest(explanation, summary),
        *(_wrapped(summary.remainder.split()) if summary.remainder else []),
        f"document (+ speaks {positive}, - {negative}{numbers}{unknown}{unread}):",
        *(f"  {line}".rstrip() for line in underlined(parts, _COLUMNS - 2)),
    ]


def _strongest(explanation: ExplainedPrediction, summary: Summary) -> list[str]:
    """The tokens that speak most for the class that is counted towards, and against."""
    direction = explanation.direction
    sides = [strongest(explanation, s * direction, _N_STRONGEST) for s in (1, -1)]
    chosen = sides[0] + sides[1]
    effects = signed(direction * explanation.effects[chosen])
    numbers = dict(zip(chosen, effects, strict=True))
    lines = []
    for side, tokens in zip(summary.sides, sides, strict=True):
        words = [
            f"{shorten(explanation.marked_words[t])} {numbers[t]},"
            for t in tokens
            if float(numbers[t])  # as it is written: 0.00 speaks for neither
        ]
        last = [words.pop().removesuffix(",")] if words else ["none"]
        lines += _wrapped([f"tokens that speak most {side}:", *words, *last])
    return lines


def _wrapped(pieces: list[str]) -> list[str]:
    """Lines of pieces, all but the first indented."""
    first, *more = (
        " ".join(line) for line in fill(pieces, terminal_width, _COLUMNS - 2, 1)
    )
    return [first, *(f"  {line}" for line in more)]


def _marked_parts(
    explanation: ExplainedPrediction, summary: Summary
) -> list[MarkedText]:
    """The document in parts, with what is to be written below each."""
    marks = entering(explanation, summary.wfsas)
    strength = strengths(explanation.direction * explanation.effects)
    parts = []
    for piece in shown_pieces(explanation, summary.wfsas, _MAX_TOKENS):
        strongest = max((strength[t] for t in piece.tokens), key=abs, default=0.0)
        sign = "" if abs(strongest) < MARKED else "+" if strongest > 0 else "-"
        sign = _UNREAD if piece.is_unread else sign
        numbers = sorted({n for t in piece.tokens for n in marks.get(t, ())})
        label = ",".join(map(str, numbers)) + "?" * piece.is_unknown
        parts.append(MarkedText(piece.text, sign, label, not piece.is_own))
    return parts
