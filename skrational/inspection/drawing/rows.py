"""The artists of one automaton among others: its name beside it, its words under it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from skrational.inspection.drawing.artists import (
    LINE_SPACING,
    draw_arc,
    draw_loop,
    draw_state,
    write,
)
from skrational.inspection.drawing.automaton import AutomatonDisplay
from skrational.inspection.drawing.captions import write_lines
from skrational.inspection.meaning import ColouredText, meaning_of
from skrational.inspection.tables import plain_repr, shorten
from skrational.inspection.transitions.strengths import Words
from skrational.utils.figures import GREY, class_colour, legible

__all__ = ["CHARACTER", "WIDTH", "draw_row", "names_of", "row_height", "write_about"]

WIDTH = 9.5
"""Of a figure of its own, in inches."""

CHARACTER = 0.6
"""Width of a character, as a multiple of the font's size."""

# Inches in a figure of its own.
_NAMES, _EDGE, _VALUE = 2.1, 0.1, 0.75
_LONGEST_STEP, _RADIUS, _LOOP, _GAP, _BAR = 1.85, 0.12, 0.3, 0.16, 0.05

_NARROWER = 0.6
"""Arcs beside those of `AutomatonDisplay`."""


def row_height(automaton: AutomatonDisplay, fontsize: float) -> float:
    """Inches that an automaton takes."""
    n_signs = max(len(_by_sign(words)) for words in automaton.main_path_words)
    n_lines = max(n_signs, 2 if _is_named(automaton) else 1)
    return _LOOP + _GAP + LINE_SPACING * fontsize / 72 * n_lines


def write_about(
    ax: Any,
    automaton: AutomatonDisplay,
    importance: float,
    share: float,
    top: float,
    scale: float,
    fontsize: float,
) -> None:
    """Write what is to be known of an automaton, to its left.

    Parameters
    ----------
    ax : matplotlib Axes
    automaton : AutomatonDisplay
    importance : float
    share : float
        Its importance over the largest.
    top : float
        Of the row.
    scale : float
        What letters shrink by.
    fontsize : float
        Of letters, before they shrink.
    """
    from matplotlib.patches import Rectangle

    line = LINE_SPACING * fontsize / 72
    y = top - _LOOP / 2
    look: dict[str, Any] = {"fontsize": scale * fontsize, "va": "center"}
    write(ax, _EDGE, y, f"WFSA {automaton.wfsa}", fontweight="bold", **look)
    write(ax, _EDGE + _VALUE, y, f"{importance:#.3g}".rstrip("."), **look)
    y -= 0.75 * line
    corner, width = (_EDGE, y - _BAR / 2), (_NAMES - _EDGE - 0.15) * abs(share)
    ax.add_patch(Rectangle(corner, width, _BAR, color=legible(GREY, ax), linewidth=0))
    if automaton.coef is None or not _is_named(automaton):
        return
    most = int(72 * (_NAMES - _EDGE) / CHARACTER / fontsize)
    sides = zip(("high: ", "low: "), meaning_of(automaton.coef), strict=True)
    names = names_of(automaton)
    lines = [_named(head, side, names, most) for head, side in sides if side]
    if lines:
        place = {"box_alignment": (0, 1)}
        write_lines(ax, _EDGE, y - 0.5 * line, lines, scale * fontsize, **place)


def draw_row(
    ax: Any,
    automaton: AutomatonDisplay,
    longest: int,
    top: float,
    scale: float,
    fontsize: float,
) -> tuple[list[Any], list[Any]]:
    """Draw states and arcs, with words under these.

    Parameters
    ----------
    ax : matplotlib Axes
    automaton : AutomatonDisplay
    longest : int
        States of the longest automaton, without the start.
    top : float
        Of the row.
    scale : float
        What letters and lines shrink by.
    fontsize : float
        Of words, before they shrink.

    Returns
    -------
    states : list of Circle
    main_path_arcs : list of FancyArrowPatch
    """
    from matplotlib import rcParams

    def of(colour: str | None) -> str:
        return rcParams["text.color"] if colour is None else legible(colour, ax)

    step = min(_LONGEST_STEP, (WIDTH - _NAMES - 3 * _RADIUS) / longest)
    room = int(72 * (step - 2 * _RADIUS) / CHARACTER / fontsize)
    y = top - _LOOP - _RADIUS / 2
    x = [_NAMES + _RADIUS + step * k for k in range(len(automaton.final) + 1)]
    final = automaton._final_states()
    look: dict[str, Any] = {"fontsize": 0.85 * scale * fontsize}
    look["color"] = of(_colour(automaton))
    states = [
        draw_state(ax, x[k], y, _RADIUS, str(k), final=k in final, **look)
        for k in range(len(x))
    ]
    main_path, loops = automaton._arcs()
    drawn = []
    for arc in (*main_path, *loops[1:]):
        look = {"color": of(arc.colour), "linestyle": arc.dashes}
        look["linewidth"] = _NARROWER * scale * arc.width
        if arc.is_loop:
            head = {"mutation_scale": 6 * scale}
            draw_loop(ax, x[arc.source], y, _RADIUS, **look, **head)
        else:
            ends = x[arc.source] + _RADIUS, x[arc.target] - _RADIUS
            drawn.append(draw_arc(ax, *ends, y, mutation_scale=9 * scale, **look))
    colours = automaton._colours()
    for k, words in enumerate(automaton.main_path_words):
        for j, (sign, some) in enumerate(_by_sign(words)):
            below = 2 * scale, (-4 - LINE_SPACING * fontsize * j) * scale
            look = {"fontsize": scale * fontsize, "va": "top"}
            look["color"] = of(colours[sign == "−"] if colours else None)
            text = f"{sign} {_joined(some, room - 2)}"
            write(ax, x[k] + _RADIUS, y, text, offset=below, **look)
    return states, drawn


def names_of(automaton: AutomatonDisplay) -> list[str]:
    """Return the names of its classes, as they are written."""
    return [shorten(plain_repr(label)) for label in automaton.classes or ()]


def _is_named(automaton: AutomatonDisplay) -> bool:
    """Whether there are more classes than a caption for all automata can tell."""
    return automaton.classes is not None and len(automaton.classes) > 2


def _by_sign(words: Words) -> list[tuple[str, list[str]]]:
    """The words of positive and those of negative weights, where there are any."""
    sides = [[w for w, u in words if u >= 0], [w for w, u in words if u < 0]]
    return [(sign, side) for sign, side in zip("+−", sides, strict=True) if side]


def _joined(words: Sequence[str], most: int) -> str:
    """Write as many words as fit in so many characters, at least a part of one."""
    text = shorten(words[0], max(most, 2))
    for word in words[1:]:
        longer = f"{text}, {shorten(word)}"
        if len(longer) > most:
            break
        text = longer
    return text


def _colour(automaton: AutomatonDisplay) -> str | None:
    """Colour of the class that high scores speak for most."""
    if automaton.coef is None or automaton.classes is None:
        return None
    high = meaning_of(automaton.coef).high
    return class_colour(high[0], len(automaton.classes)) if high else None


def _named(
    head: str, numbers: Sequence[int], names: Sequence[str], most: int
) -> list[ColouredText]:
    """Name classes on a line of so many characters, with … for those that don't fit.

    Parameters
    ----------
    head : str
    numbers : sequence of int
        Of the classes.
    names : sequence of str, length n_classes
    most : int
    """
    pieces, room = [ColouredText(head)], most - len(head)
    for place, i in enumerate(numbers):
        room -= len(names[i]) + 2
        if place and room < 0:
            return [*pieces, ColouredText(", …")]
        pieces += [ColouredText(", ")] if place else []
        pieces.append(ColouredText(names[i], class_colour(i, len(names))))
    return pieces
