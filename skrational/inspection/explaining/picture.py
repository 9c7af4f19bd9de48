"""The artists of an explanation's picture: bars with labels, captions, tokens.

All of them stand at places in points from the upper left corner of the axes.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.drawing.artists import set_text, spelled_out, write
from skrational.inspection.drawing.captions import write_lines
from skrational.inspection.explaining.pieces import Piece, pieces_of, shown_pieces
from skrational.inspection.explaining.prediction import ExplainedPrediction
from skrational.inspection.explaining.summands import Summand, Summary, in_short
from skrational.inspection.explaining.tokens import (
    MARKED,
    fill,
    phrase,
    strengths,
)
from skrational.inspection.meaning import ColouredText
from skrational.inspection.tables import shorten
from skrational.utils.figures import GREY

__all__ = ["WIDTH", "draw_bars", "write_captions", "write_tokens"]

WIDTH = 8.0
"""Of a figure of its own, in inches."""

# Points, but for the share of such a figure's width that is left free on each side.
_EDGE, _TITLE, _TITLE_LINE, _BOTTOM = 0.02, 44.0, 14.0, 6.0
_FONT_SIZE, _SMALL = 8.5, 7.5
_ROW, _LINE = 15.0, 17.0
_GAP, _PAD = 6.0, 3.0
_BASELINE = 3.0  # below the middle of a line

_SPACE = re.compile(r"\s+")

_LABELS = 0.45
"""Share of the width that labels may take, with letters of a usual width."""

_FEWEST_TOKENS = 10
_DARKEST, _BAR = 0.45, 0.7


def write_tokens(
    ax: Any,
    explanation: ExplainedPrediction,
    summary: Summary,
    max_tokens: int,
    *,
    fit_height: bool,
) -> list[Any]:
    """Write the document's tokens in lines, below where the bars will be.

    Parameters
    ----------
    ax : matplotlib Axes
    explanation : ExplainedPrediction
    summary : Summary
        Of the same explanation.
    max_tokens : int
        Tokens that are written at most. There are fewer if they don't fit, but not
        less than ten.
    fit_height : bool
        Whether to make the figure as high as the picture instead.

    Returns
    -------
    list of Annotation
    """
    if fit_height:
        ax.figure.subplots_adjust(left=_EDGE, right=1 - _EDGE)
    width, height = _size(ax)
    top = _ROW * (len(summary.summands) + 1.5)
    strength = strengths(explanation.effects)
    n_tokens = min(len(explanation.tokens), max_tokens)
    while True:
        shown = shown_pieces(explanation, summary.wfsas, n_tokens)
        words = _words(ax, explanation, shown, strength)
        lines = _lines(words, width - _GAP)
        needed = top + _LINE * len(lines)
        if fit_height or needed <= height or n_tokens <= _FEWEST_TOKENS:
            break
        for part in chain.from_iterable(words):
            part.remove()
        n_tokens = int(0.85 * n_tokens)
    for i, line in enumerate(lines):
        x = _GAP / 2
        for word in line:
            for part in word:
                part.set_position((x, -top - _LINE * (i + 0.5) - _BASELINE))
                x += _width(part)
            x += _GAP
    if fit_height:
        n_more = 2 * bool(summary.warning) + len(summary.verdicts)
        title = _TITLE + n_more * _TITLE_LINE
        total = needed + title + _BOTTOM
        ax.figure.set_size_inches(WIDTH, total / 72)
        ax.figure.subplots_adjust(bottom=_BOTTOM / total, top=1 - title / total)
    return list(chain.from_iterable(words))


def _colour(explanation: ExplainedPrediction, support: float) -> str:
    return explanation.colours[0 if support >= 0 else 1]


def _words(
    ax: Any,
    explanation: ExplainedPrediction,
    pieces: list[Piece],
    strength: NDArray[np.float64],
) -> list[list[Any]]:
    """Write pieces in the upper left corner; list those between white space together.

    Parameters
    ----------
    ax : matplotlib Axes
    explanation : ExplainedPrediction
    pieces : list of Piece
    strength : ndarray of shape (T,)
        Of each token.

    Returns
    -------
    list of list of Annotation
    """
    words: list[list[Any]] = [[]]
    for piece in pieces:
        strongest = max((strength[t] for t in piece.tokens), key=abs, default=0.0)
        # A token may hold spaces; they break nothing.
        texts = [piece.text] if piece.tokens else _SPACE.split(piece.text)
        words += [] if piece.is_own else [[]]
        for i, text in enumerate(texts):
            words += [[]] if i else []
            if text:
                colour = _colour(explanation, strongest)
                is_pale = piece.is_unknown or piece.is_unread
                token = _token(ax, text, strongest, colour, is_pale)
                words[-1].append(token)
        words += [] if piece.is_own else [[]]
    return list(filter(None, words))


def _lines(words: list[list[Any]], room: float) -> list[list[list[Any]]]:
    """Break words into lines, and a word that is wider than a line between its parts.

    Parameters
    ----------
    words : list of list of Annotation
    room : float
        Width of a line, in points.

    Returns
    -------
    list of lines, each a list of words
    """
    parts = chain.from_iterable(fill(word, _width, room, 0.0) for word in words)
    return fill(parts, lambda word: sum(map(_width, word)), room, _GAP)


def _token(ax: Any, text: str, strength: float, colour: str, is_pale: bool) -> Any:
    """Write a token in the upper left corner; line and colour tell its strength.

    Parameters
    ----------
    ax : matplotlib Axes
    text : str
    strength : float
        From -1, against the prediction, to 1, for it.
    colour : str
    is_pale : bool
        Whether it is unknown, or not read.
    """
    box = {
        "boxstyle": "square,pad=0.12",
        "facecolor": (colour, _DARKEST * abs(strength)),
        "edgecolor": colour if abs(strength) >= MARKED else "none",
        "linestyle": _line(strength),
        "linewidth": 0.9,
    }
    look: dict[str, Any] = {"fontsize": _FONT_SIZE, "va": "baseline", "bbox": box}
    look |= {"color": GREY} if is_pale else {}
    text = shorten(spelled_out(text))
    return write(ax, 0, 1, text, xycoords="axes fraction", **look)


def draw_bars(
    ax: Any, explanation: ExplainedPrediction, summary: Summary
) -> tuple[Any, list[Any], list[Any]]:
    """Draw bars at the top of the axes, numbers beside them, and labels.

    Returns
    -------
    bars : BarContainer
    numbers : list of Annotation
    phrases : list of Text
        Labels of the bars.
    """
    from matplotlib import rcParams

    summands, (width, height) = summary.summands, _size(ax)
    rows = range(len(summands))
    amounts = np.array([summand.amount for summand in summands])
    largest = np.abs(amounts[np.isfinite(amounts)]).max(initial=0.0) or 1.0
    ends = np.clip(np.nan_to_num(amounts), -largest, largest)
    colours = [_colour(explanation, summand.support) for summand in summands]
    bars = ax.barh(rows, ends, height=0.6, color=colours)
    for bar, colour, summand in zip(bars, colours, summands, strict=True):
        bar.set(facecolor=(colour, _BAR), edgecolor=colour, linewidth=0.9)
        bar.set_linestyle(_line(summand.support))
    written = [summand.adds for summand in summands]
    numbers = ax.bar_label(bars, written, padding=_PAD, fontsize=_FONT_SIZE)
    longest = int(_LABELS * width / (0.55 * _FONT_SIZE))
    labels = [_label(explanation, summand, longest) for summand in summands]
    look = {"parse_math": False, "usetex": False, "color": rcParams["text.color"]}
    ax.set_yticks(rows, labels, fontsize=_FONT_SIZE, **look)
    phrases = ax.get_yticklabels()
    # From the left: labels, numbers of negative bars, bars, numbers of the others.
    beside = max(map(_width, numbers)) + 2 * _PAD
    low, high = min(ends.min(), 0.0), max(ends.max(), 0.0)
    high = high if high > low else largest
    labels_end = max(map(_width, phrases)) + _PAD
    start = labels_end + beside * (low < 0)
    stop = width - beside * bool((ends >= 0).any())
    scale = (high - low) / max(stop - start, 1.0)
    ax.set_xlim(low - start * scale, low + (width - start) * scale)
    ax.set_ylim(height / _ROW - 0.5, -0.5)
    ax.vlines(0, -0.5, len(rows) - 0.5, color=GREY, linewidth=0.8)
    ax.tick_params(length=0, pad=-labels_end)
    ax.set_xticks([])
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.patch.set_visible(False)
    return bars, numbers, phrases


def _label(explanation: ExplainedPrediction, summand: Summand, longest: int) -> str:
    if summand.gates:
        return f"unit {summand.name}, varying gates: {summand.gates}"
    if summand.wfsa is None:
        return summand.name
    path = summand.path
    words = "(no path)" if path is None else " | ".join(phrase(explanation, path))
    return shorten(spelled_out(f"WFSA {summand.name}: {words}"), longest)


def write_captions(ax: Any, explanation: ExplainedPrediction, summary: Summary) -> None:
    """Write the prediction above the bars, and below them what colours mean."""
    logit = f"{summary.logit}; {summary.meaning}"
    prediction = f"{summary.prediction} ({in_short(summary)})"
    warning = summary.warning.replace(": ", ":\n")
    lines = [warning, prediction, *summary.verdicts, logit]
    title = "\n".join(filter(None, lines))
    title = set_text(ax.set_title(" ", fontsize=10), title)
    title.set_fontsize(title.get_fontsize() * _shrunk(ax, title))
    below = 0, -_ROW * (len(summary.summands) + 0.75)
    place = {"xycoords": "axes fraction", "xybox": below, "boxcoords": "offset points"}
    place["box_alignment"] = 0, 0.5
    pieces = _legend(explanation, summary)
    caption = write_lines(ax, 0, 1, [pieces], _SMALL, **place)
    if (factor := _shrunk(ax, caption)) < 1:
        caption.remove()
        write_lines(ax, 0, 1, [pieces], factor * _SMALL, **place)


def _legend(explanation: ExplainedPrediction, summary: Summary) -> list[ColouredText]:
    """What lines and colours mean, and what else is to be said."""
    if not explanation.tokens:
        meaning = [ColouredText("the document is empty")]
    else:
        sides = map(spelled_out, summary.sides[:: explanation.direction])
        solid, dashed = map(ColouredText, sides, explanation.colours)
        begin, between = ColouredText("solid: speaks "), ColouredText("; dashed: ")
        meaning = [begin, solid, between, dashed]
    has_unread = any(piece.is_unread for piece in pieces_of(explanation))
    others = (
        summary.nothing,
        "grey: unknown" if summary.unknown else "",
        "grey: not read" if has_unread else "",
    )
    return [*meaning, *(ColouredText(f"; {text}") for text in others if text)]


def _line(support: float) -> Any:
    """Dashes of what speaks against the prediction."""
    return "-" if support >= 0 else (0, (2, 1.5))


def _shrunk(ax: Any, text: Any) -> float:
    """Factor by which letters are smaller where text is wider than the axes."""
    return min(1.0, _size(ax)[0] / max(_width(text), 1.0))


def _size(ax: Any) -> tuple[float, float]:
    """Width and height of axes, in points."""
    width, height = ax.bbox.size * 72 / ax.figure.dpi
    return width, height


def _width(text: Any) -> float:
    """Width of a text as it is drawn, in points."""
    return text.get_window_extent().width * 72 / text.figure.dpi
