"""The artists of an explanation: bars, rows of words, and the document's tokens."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from skrational.inspection._artists import set_text, write
from skrational.inspection._explanation_layout import (
    FONT_SIZE,
    ROW,
    SMALL,
    Layout,
    PlacedToken,
    cut,
    ruler,
)
from skrational.inspection._explanation_parts import Summary
from skrational.inspection._explanation_tokens import MARKED, covered, strengths
from skrational.utils.figures import COLOURS, GREY

if TYPE_CHECKING:
    from skrational.inspection.explanations import Explanation

__all__ = ["draw_bars", "draw_document", "draw_rows", "draw_title"]

_BAR = 9.0
_FAINT = 0.65
_DARKEST = 0.45


def _write(ax: Any, layout: Layout, x: float, y: float, text: str, **look: Any) -> Any:
    """Write at a place of the layout."""
    place: dict[str, Any] = {"va": "center", "xycoords": ("axes fraction", "data")}
    look = place | {"fontsize": FONT_SIZE} | look
    return write(ax, x / layout.width, y, text, **look)


def _write_caption(ax: Any, layout: Layout, y: float, text: str) -> None:
    """Write a line that is not wider than the axes."""
    for size in (8.0, SMALL):
        measure = ruler(size)
        if measure(text) <= layout.width:
            break
    text = cut(text, layout.width, measure)
    _write(ax, layout, 0, y, text, fontsize=size, alpha=_FAINT)


def draw_title(ax: Any, summary: Summary, layout: Layout) -> None:
    """Write prediction and logit above the axes, as large as there is room for."""
    lines = [f"{summary.prediction} ({summary.probability})", summary.logit]
    widest = max(map(ruler(10.0), lines))
    size = min(max(10.0 * layout.width / widest, SMALL), 10.0)
    set_text(ax.set_title(" ", fontsize=size), "\n".join(lines))


def draw_bars(ax: Any, summary: Summary, layout: Layout) -> tuple[Any, list[Any]]:
    """Draw the bars and what they add, in their column."""
    amounts = np.array([part.amount for part in summary.parts])
    largest = np.abs(amounts[np.isfinite(amounts)]).max(initial=0.0) or 1.0
    ends = np.clip(np.nan_to_num(amounts), -largest, largest)
    low, high = min(ends.min(), 0.0), max(ends.max(), 0.0)
    high = high if high > low else largest
    _, _, start, stop, _, _ = layout.columns
    room = layout.number + 4
    start, stop = start + room * (low < 0), stop - room * bool((ends >= 0).any())
    scale = (high - low) / max(stop - start, 1.0)
    ax.set_xlim(low - start * scale, low + (layout.width - start) * scale)
    colours = [COLOURS[0 if part.support >= 0 else 1] for part in summary.parts]
    bars = ax.barh(layout.rows, ends, height=_BAR, color=colours)
    top, bottom = layout.rows[0] - ROW / 2, layout.rows[-1] + ROW / 2
    ax.vlines(0, top, bottom, color=GREY, linewidth=0.8)
    numbers = [
        write(
            ax,
            end,
            y,
            part.adds,
            offset=(3 if end >= 0 else -3, 0),
            ha="left" if end >= 0 else "right",
            va="center",
            fontsize=FONT_SIZE,
        )
        for end, y, part in zip(ends, layout.rows, summary.parts, strict=True)
    ]
    return bars, numbers


def draw_rows(ax: Any, summary: Summary, layout: Layout) -> list[Any]:
    """Write what stands beside the bars, and the heads of the columns."""
    name, words, start, stop, share, without = layout.columns
    faint: dict[str, Any] = {"fontsize": 8, "alpha": _FAINT}
    _write_caption(ax, layout, 0.4 * ROW, summary.meaning)
    head = layout.rows[0] - 1.1 * ROW
    for x, text, align in (
        (name, "WFSA", "left"),
        (words, "phrase", "left"),
        ((start + stop) / 2, "adds", "center"),
        (share, "share", "right"),
        (without, "without it", "left"),
    ):
        _write(ax, layout, x, head, text, ha=align, **faint)
    phrases = []
    texts = zip(layout.phrases, layout.outcomes, layout.rows, strict=True)
    for part, (text, outcome, y) in zip(summary.parts, texts, strict=True):
        _write(ax, layout, name, y, part.name)
        _write(ax, layout, share, y, part.share, ha="right")
        weight = "bold" if part.flips else "normal"
        _write(ax, layout, without, y, outcome, fontweight=weight)
        phrases.append(_write(ax, layout, words, y, text))
    _write_caption(ax, layout, layout.rows[-1] + 0.9 * ROW, summary.nothing)
    return phrases


def draw_document(
    ax: Any, explanation: Explanation, summary: Summary, layout: Layout
) -> list[Any]:
    """Write the tokens with their marks."""
    caption = (
        f"blue, solid: for {summary.prediction}; vermilion, dashed: against it; "
        "line above: phrase, with its WFSA"
    )
    if not explanation.tokens:
        caption = "the document is empty"
    _write_caption(ax, layout, layout.caption, caption)
    strength = strengths(explanation.effects)
    inside = covered(explanation, summary.wfsas)
    tokens = []
    for token in layout.tokens:
        frame = {} if token.t is None else {"bbox": _frame(strength[token.t])}
        tokens.append(_write(ax, layout, token.x, token.y, token.text, **frame))
        if token.marks:
            x, y = token.x + token.width + 1.5, token.y - 4
            _write(ax, layout, x, y, token.marks, fontsize=SMALL, alpha=_FAINT)
    for in_phrase, run in groupby(
        layout.tokens, lambda token: (token.y, token.t is not None and inside[token.t])
    ):
        if in_phrase[1]:
            _draw_line(ax, layout, list(run))
    return tokens


def _frame(strength: float) -> dict[str, Any]:
    """Return the look of a token's box; the colour tells what the line tells."""
    colour = COLOURS[0 if strength > 0 else 1]
    strong = abs(strength) >= MARKED
    return {
        "boxstyle": "square,pad=0.12",
        "facecolor": (colour, _DARKEST * abs(strength)),
        "edgecolor": colour if strong else "none",
        "linestyle": "-" if strength > 0 else (0, (2, 1.5)),
        "linewidth": 0.9,
    }


def _draw_line(ax: Any, layout: Layout, run: list[PlacedToken]) -> None:
    """Draw a line above neighbours in a phrase."""
    from matplotlib.lines import Line2D

    x = np.array([run[0].x, run[-1].end]) / layout.width
    y = [run[0].y - 0.6 * ROW] * 2
    look = {"color": GREY, "linewidth": 0.7, "transform": ax.get_yaxis_transform()}
    ax.add_artist(Line2D(x, y, **look))
