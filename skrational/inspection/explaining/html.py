"""Explanations as HTML, for a notebook, light or dark.

Text and lines have the notebook's own colour; highlights are transparent. Colour is
that of the class that something speaks for, or grey; solid and dashed lines tell what
speaks for and against the prediction. There is no script and nothing to load.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.explaining.pieces import Piece, shown_pieces
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
    covered,
    entering,
    strengths,
)
from skrational.inspection.explaining.underlined import visible
from skrational.inspection.matching.paths import SHOWN_LOOPS, cell_bounds
from skrational.inspection.tables import ground, shorten
from skrational.sequences import is_unknown

__all__ = ["document_html", "documents_html"]

_MAX_TOKENS = 2000
_MAX_DOCUMENTS = 50
_LONGEST_PIECE = 2000
_LONGEST_SUMMARY = 200

_DARKEST = 0.45
_FAINT = "opacity:.65"
_PALE = "opacity:.5"
_OWN_TEXT = "overflow-wrap:anywhere;white-space:pre-wrap;unicode-bidi:isolate"
_LINE = "1px solid rgba(127,127,127,.5)"
_BOX = "max-width:56em;line-height:1.7;text-align:left;overflow-x:auto"
_CELL = "padding:.1em .9em .1em 0;vertical-align:baseline;background:none;text-align:"
_HEAD = (
    ("WFSA", "left"),
    ("adds", "right"),
    ("", "left"),
    ("share", "right"),
    ("without its phrase", "left"),
    ("phrase", "left"),
)
_HEAD_OF_UNITS = (
    ("unit", "left"),
    ("adds", "right"),
    ("", "left"),
    ("gates that vary", "left"),
)

_ABOUT_PHRASES = (
    "phrases have a line above, their main-path tokens the number of the WFSA"
)


def document_html(explanation: ExplainedPrediction) -> str:
    """Write an explanation for a notebook.

    Of a document of more than 2,000 tokens only the surroundings of the phrases and of
    the strongest tokens are shown, with "…" between.

    Parameters
    ----------
    explanation : ExplainedPrediction

    Returns
    -------
    str
        One ``<div>``, styled inline. Whatever comes from the document or the classes is
        escaped.
    """
    summary = summarize(explanation)
    nothing = f"<p>{summary.nothing}</p>\n" if summary.nothing else ""
    warning = f"<p><b>{summary.warning}</b></p>\n" if summary.warning else ""
    return (
        f'<div style="{_BOX}">\n{warning}'
        f'<p><span style="{ground(explanation.colours[0])};padding:0 .2em">'
        f"<b>{escape(summary.prediction)}</b></span> "
        f"({escape(in_short(summary))})<br>"
        f"{''.join(f'{escape(verdict)}<br>' for verdict in summary.verdicts)}"
        f"{escape(summary.logit)}; "
        f'<span style="{_FAINT}">{escape(summary.meaning)}</span></p>\n'
        f"{_table(explanation, summary)}\n{nothing}"
        f"{_document(explanation, summary)}\n</div>"
    )


def documents_html(explanations: Sequence[ExplainedPrediction]) -> str:
    """Write explanations for a notebook, to be opened one by one, 50 at most.

    Parameters
    ----------
    explanations : sequence of ExplainedPrediction

    Returns
    -------
    str
    """
    documents = [
        f"<details{'' if i else ' open'}><summary>{i}: {_first_words(explanation)}"
        f"</summary>\n{document_html(explanation)}\n</details>"
        for i, explanation in enumerate(explanations[:_MAX_DOCUMENTS])
    ]
    if not documents:
        documents = ["<p>no documents</p>"]
    if (n_more := len(explanations) - _MAX_DOCUMENTS) > 0:
        documents.append(f"<p>and {n_more:,} more: index the result</p>")
    return "<div>\n" + "\n".join(documents) + "\n</div>"


def _first_words(explanation: ExplainedPrediction) -> str:
    summary = summarize(explanation, 0)
    text = explanation.text or " ".join(explanation.tokens[:_LONGEST_SUMMARY])
    words = text[:_LONGEST_SUMMARY].split()
    return (
        f"<b>{escape(summary.prediction)}</b> "
        f"({escape('; '.join([summary.probability, *summary.verdicts]))}) "
        f'<span style="{_FAINT}">{escape(shorten(" ".join(words), 80))}</span>'
    )


def _table(explanation: ExplainedPrediction, summary: Summary) -> str:
    """The summands of the logit, each with a bar as long as it is large."""
    head = "".join(
        f'<th scope="col" style="{_CELL}{align};border-bottom:{_LINE};'
        f'font-weight:normal">{name}</th>'
        for name, align in _columns(explanation)
    )
    lengths = strengths(np.array([summand.support for summand in summary.summands]))
    body = "\n".join(
        _row(explanation, summand, length)
        for summand, length in zip(summary.summands, lengths, strict=True)
    )
    return (
        '<table style="border-collapse:collapse;color:inherit;font-size:inherit;'
        'margin:.5em 0 .7em;line-height:1.4">\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    )


def _columns(explanation: ExplainedPrediction) -> Sequence[tuple[str, str]]:
    return _HEAD if explanation.has_paths else _HEAD_OF_UNITS


def _row(explanation: ExplainedPrediction, summand: Summand, length: float) -> str:
    without = escape(summand.without)
    known: tuple[str, ...] = (
        summand.share,
        f"<b>flips: {without}</b>" if summand.flips else without,
        _phrase(explanation, summand),
    )
    known = known if explanation.has_paths else (summand.gates,)
    bar = _bar(length, _colour(explanation, length))
    cells = summand.name, summand.adds, bar, *known
    return (
        '<tr style="background:none">'
        + "".join(
            f'<td style="{_CELL}{align}">{cell}</td>'
            for (_, align), cell in zip(_columns(explanation), cells, strict=True)
        )
        + "</tr>"
    )


def _bar(length: float, colour: str) -> str:
    if round(abs(length), 2) == 0:
        return ""
    return (
        f'<span style="display:inline-block;width:{6 * abs(length):.2f}em;height:.7em;'
        f"{ground(colour, _DARKEST)};"
        f'border-bottom:2px {_line(length)} currentColor"></span>'
    )


def _phrase(explanation: ExplainedPrediction, summand: Summand) -> str:
    """The leading path, self-loops faded: `Path.cells` with markup."""
    if summand.path is None:
        return "" if summand.wfsa is None else "(no path)"
    cells = (_cell(explanation, *bounds) for bounds in cell_bounds(summand.path))
    return f' <span style="{_FAINT}">|</span> '.join(cells)


def _cell(explanation: ExplainedPrediction, entry: int, after: int) -> str:
    stop = min(after, entry + 1 + SHOWN_LOOPS)
    loops = [_word(explanation, t) for t in range(entry + 1, stop)]
    more = " …" if after - entry - 1 > SHOWN_LOOPS else ""
    aside = f' <i style="{_FAINT}">{" ".join(loops)}{more}</i>' if loops else ""
    return _word(explanation, entry) + aside


def _word(explanation: ExplainedPrediction, token: int) -> str:
    """A token as it stands in the text, pale if it's unknown."""
    text = escape(shorten(explanation.words[token]))
    is_pale = is_unknown(explanation.tokens[token])
    return f'<span style="{_PALE}">{text}</span>' if is_pale else text


def _document(explanation: ExplainedPrediction, summary: Summary) -> str:
    """The tokens, and what their marks mean."""
    if not explanation.tokens:
        return "<p>the document is empty</p>"
    pieces = shown_pieces(explanation, summary.wfsas, _MAX_TOKENS)
    written = _marked_pieces(explanation, summary, pieces)
    inside = _in_phrase(pieces, covered(explanation, summary.wfsas))
    runs = []
    for in_phrase, run in groupby(zip(inside, written, strict=True), lambda p: p[0]):
        text = "".join(piece for _, piece in run)
        runs.append(
            f'<span style="border-top:{_LINE}">{text}</span>' if in_phrase else text
        )
    return (
        f'<div data-part="document" style="{_OWN_TEXT}">'
        f"{''.join(runs)}</div>\n{_legend(explanation, summary, pieces)}"
    )


def _in_phrase(pieces: Sequence[Piece], inside: NDArray[np.bool_]) -> list[bool]:
    """Whether each piece, or what stands on both sides of it, is in a phrase."""
    own = [any(inside[t] for t in piece.tokens) for piece in pieces]
    return [
        is_in or (not piece.tokens and i > 0 and all(own[i - 1 : i + 2 : 2]))
        for i, (piece, is_in) in enumerate(zip(pieces, own, strict=True))
    ]


def _legend(
    explanation: ExplainedPrediction, summary: Summary, pieces: Sequence[Piece]
) -> str:
    about = f"point at a token for what it adds to the log-odds, {summary.sides[0]}"
    notes = [
        escape(about),
        _ABOUT_PHRASES if explanation.has_paths else escape(summary.remainder),
        "unknown words are pale" if summary.unknown else "",
        "what isn't read is pale" if any(p.is_unread for p in pieces) else "",
    ]
    signs = np.array([1.0, -1.0]) * explanation.direction
    sides = [
        f'<span style="{_highlight(explanation, sign)}">{escape(side)}</span>'
        for side, sign in zip(summary.sides, signs, strict=True)
    ]
    return (
        '<div style="font-size:smaller;margin:.5em 0">'
        f"speaks {' '.join(sides)} "
        f'<span style="{_FAINT}">{"; ".join(filter(None, notes))}</span></div>'
    )


def _marked_pieces(
    explanation: ExplainedPrediction, summary: Summary, pieces: Sequence[Piece]
) -> list[str]:
    """Pieces of the document, each with highlight, numbers and title."""
    marks = entering(explanation, summary.wfsas)
    strength = strengths(explanation.effects)
    chosen = [t for piece in pieces for t in piece.tokens]
    amounts = signed(explanation.direction * explanation.effects[chosen])
    effects = dict(zip(chosen, amounts, strict=True))
    written = []
    for i, piece in enumerate(pieces):
        text = escape(_visible(piece))
        if piece.is_unknown or piece.is_unread:
            text = f'<span style="{_PALE}">{text}</span>'
        if piece.tokens:
            strongest = max((strength[t] for t in piece.tokens), key=abs)
            title = ", ".join(effects[t] for t in piece.tokens)
            style = _highlight(explanation, strongest)
            look = f'title="{title}" style="{style}"'
            text = f"<span {look}>{text}</span>"
        numbers = sorted({n for t in piece.tokens for n in marks.get(t, ())})
        text += _raised(numbers)
        spaces = " " * (i > 0), " " * (i + 1 < len(pieces))
        written.append(text if piece.is_own else _apart(text.join(spaces)))
    return written


def _visible(piece: Piece) -> str:
    """The characters of a piece, unless it's a word of thousands of them."""
    text = visible(piece.text[:_LONGEST_PIECE])
    return text if len(piece.text) <= _LONGEST_PIECE else text + "…"


def _apart(text: str) -> str:
    """What is no part of the document, such as "<s>", told apart for scripts."""
    return f'<span data-part="mark">{text}</span>'


def _raised(numbers: Sequence[int]) -> str:
    if not numbers:
        return ""
    text = ",".join(map(str, numbers))
    return f'<sup style="{_FAINT};user-select:none;line-height:0">{text}</sup>'


def _highlight(explanation: ExplainedPrediction, strength: float) -> str:
    """In a class's colour, underlined for the prediction, dashed against it."""
    style = ground(_colour(explanation, strength), _DARKEST * abs(strength))
    if abs(strength) >= MARKED:
        style += f";border-bottom:2px {_line(strength)} currentColor"
    return style


def _colour(explanation: ExplainedPrediction, strength: float) -> str:
    return explanation.colours[0 if strength > 0 else 1]


def _line(strength: float) -> str:
    return "solid" if strength > 0 else "dashed"
