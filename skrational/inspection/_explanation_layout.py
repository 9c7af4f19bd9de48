"""Where the rows and the tokens of an explanation stand on matplotlib's axes.

Lengths are points. Text is measured before there are axes, so that a figure can be made
as high as the text needs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from skrational.inspection._artists import set_text
from skrational.inspection._explanation_parts import Part, Summary
from skrational.inspection._explanation_tokens import (
    entering,
    fill,
    phrase,
    shown_tokens,
)
from skrational.inspection._tables import shorten

if TYPE_CHECKING:
    from skrational.inspection.explanations import Explanation

__all__ = [
    "FONT_SIZE",
    "ROW",
    "SMALL",
    "Layout",
    "PlacedToken",
    "cut",
    "lay_out",
    "ruler",
]

FONT_SIZE = 8.5
SMALL = 7.0
ROW = 15.0

_LINE = 17.0
_GAP = 5.0
_COLUMN_GAP = 10.0
_BARS = 0.26
_WITHOUT = 0.3
_FEWEST_TOKENS = 10


class PlacedToken(NamedTuple):
    """A token (None: some are left out), and where it stands.

    Attributes
    ----------
    t : int or None
    text : str
    marks : str
        Numbers of the WFSAs whose phrase it is in.
    x, y : float
        Left end and middle.
    width : float
        Of the text.
    end : float
        Where its marks end.
    """

    t: int | None
    text: str
    marks: str
    x: float
    y: float
    width: float
    end: float


@dataclass(frozen=True)
class Layout:
    """Places on axes of a width; y is counted downwards from the top.

    Attributes
    ----------
    width, height : float
    phrases, outcomes : list of str
        Of each part its phrase, and what is predicted without it, as much of them as
        there is room for.
    columns : tuple of float
        Left ends of names and phrases, both ends of the bars with their numbers, right
        end of the shares, and left end of what is predicted without the phrase.
    number : float
        Width of the widest number beside a bar.
    rows : list of float
        Middle of each part's row.
    tokens : list of PlacedToken
    """

    width: float
    height: float
    phrases: list[str]
    outcomes: list[str]
    columns: tuple[float, float, float, float, float, float]
    number: float
    rows: list[float]
    tokens: list[PlacedToken]

    @property
    def caption(self) -> float:
        """Middle of the line above the tokens."""
        return self.rows[-1] + 1.8 * ROW


def lay_out(
    explanation: Explanation,
    summary: Summary,
    max_tokens: int,
    width: float,
    height: float,
) -> Layout:
    """Find a place for everything.

    Parameters
    ----------
    explanation : Explanation
    summary : Summary
    max_tokens : int
        Tokens that are shown at most.
    width : float
    height : float
        There are fewer tokens if they don't fit; `Layout.height` is what is needed.

    Returns
    -------
    Layout
    """
    measure, measure_bold = ruler(FONT_SIZE), ruler(FONT_SIZE, "bold")
    outcomes = [
        _outcome(part, _WITHOUT * width, measure_bold) for part in summary.parts
    ]
    texts = [_phrase(explanation, part) for part in summary.parts]
    columns, room = _columns(
        summary.parts,
        texts,
        width,
        measure,
        max(map(measure_bold, ["without it", *outcomes])),
    )
    rows = [2.5 * ROW + ROW * i for i in range(len(texts))]
    number = max(measure(part.adds) for part in summary.parts)
    phrases = [cut(text, room, measure) for text in texts]
    layout = Layout(
        width, rows[-1] + 2.6 * ROW, phrases, outcomes, columns, number, rows, []
    )
    n_tokens = min(len(explanation.tokens), max_tokens)
    while n_tokens > 0:
        placed = _place(explanation, summary, n_tokens, layout)
        needed = placed[-1].y + ROW
        if needed <= height or n_tokens <= _FEWEST_TOKENS:
            return replace(layout, height=needed, tokens=placed)
        n_tokens = int(0.85 * n_tokens)
    return layout


def _phrase(explanation: Explanation, part: Part) -> str:
    if part.wfsa is None:
        return ""
    path = part.path
    return "(no path)" if path is None else " | ".join(phrase(explanation, path))


def _columns(
    parts: Sequence[Part],
    phrases: Sequence[str],
    width: float,
    measure: Callable[[str], float],
    without: float,
) -> tuple[tuple[float, float, float, float, float, float], float]:
    """The columns of a table that is as wide as the axes, and the phrases' room."""
    names = max(measure(text) for text in ["WFSA", *(part.name for part in parts)])
    shares = max(measure(text) for text in ["share", *(part.share for part in parts)])
    left = names + _COLUMN_GAP
    right = width - without
    share = right - _COLUMN_GAP
    bars_end = share - shares - _COLUMN_GAP
    widest = max(measure(text) for text in ["phrase", *phrases])
    room = max(min(widest, bars_end - _BARS * width - left - _COLUMN_GAP), 0.0)
    return (0.0, left, left + room + _COLUMN_GAP, bars_end, share, right), room


def _outcome(part: Part, room: float, measure: Callable[[str], float]) -> str:
    """What is predicted without the phrase, the class cut if need be."""
    if not part.becomes:
        return ""
    flips, probability = "flips: " * part.flips, f" ({part.probability})"
    room -= measure(flips + probability)
    return flips + cut(part.becomes, room, measure) + probability


def _place(
    explanation: Explanation, summary: Summary, n_tokens: int, layout: Layout
) -> list[PlacedToken]:
    """Break the document into lines below the rows."""
    measure, measure_marks = ruler(FONT_SIZE), ruler(SMALL)
    numbers = entering(explanation, summary.wfsas)
    tokens = []
    for t in shown_tokens(explanation, summary.wfsas, n_tokens):
        text = "…" if t is None else shorten(explanation.tokens[t])
        marks = "" if t is None else ",".join(map(str, numbers.get(t, ())))
        width = measure(text)
        end = width + (measure_marks(marks) + 1 if marks else 0)
        tokens.append(PlacedToken(t, text, marks, 0.0, 0.0, width, end))
    placed = []
    for i, line in enumerate(
        fill(tokens, lambda token: token.end, layout.width - _GAP, _GAP), 1
    ):
        x, y = 2.0, layout.caption + 2 + i * _LINE
        for token in line:
            placed.append(token._replace(x=x, y=y, end=x + token.end))
            x += token.end + _GAP
    return placed


def ruler(size: float, weight: str = "normal") -> Callable[[str], float]:
    """Return what measures the width of a text as it will be drawn."""
    from matplotlib.text import Text
    from matplotlib.textpath import text_to_path

    artist = Text(fontsize=size, fontweight=weight)

    @cache
    def measure(text: str) -> float:
        drawn = set_text(artist, text)
        return text_to_path.get_text_width_height_descent(
            drawn.get_text(), drawn.get_fontproperties(), False
        )[0]

    return measure


def cut(text: str, room: float, measure: Callable[[str], float]) -> str:
    if measure(text) <= room:
        return text
    while text and measure(text + "…") > room:
        text = text[:-1]
    return text.rstrip() + "…"
