"""Text that is no wider than the axes that it is about, with classes in colour."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import Any

from skrational.inspection.drawing.artists import LINE_SPACING, spelled_out
from skrational.inspection.meaning import ColouredText
from skrational.utils.figures import GREY, legible

__all__ = ["fit", "room", "wrapped", "write_lines"]

_REACH = 1.2
"""Text may reach half way to the neighbour: by default a fifth of axes is between."""

_CHARACTER = 0.5
"""Width of a character, as a multiple of the font's size."""

_LEAST = 12


def room(ax: Any, fontsize: float) -> tuple[int, int]:
    """Count the characters that lines along two sides of axes have room for.

    Parameters
    ----------
    ax : matplotlib Axes
    fontsize : float

    Returns
    -------
    across, up : int
        Of a line below or above, and of one beside them; 12 at least.
    """
    box = ax.get_window_extent()
    points = 72 / ax.figure.dpi * _REACH / (_CHARACTER * fontsize)
    return max(_LEAST, int(points * box.width)), max(_LEAST, int(points * box.height))


def fit(parts: Iterable[str], most: int) -> str:
    """Put parts of a caption on lines of so many characters.

    Parts share a line as far as they fit; one that is longer is broken between words.

    Examples
    --------
    >>> print(fit(["9 links", "blue: positive", "a ring: linked to itself"], 24))
    9 links · blue: positive
    a ring: linked to itself
    """
    lines: list[str] = []
    for part in filter(None, parts):
        if lines and len(joined := f"{lines[-1]} · {part}") <= most:
            lines[-1] = joined
        else:
            lines += wrap(part, most, break_long_words=False)
    return "\n".join(lines)


def wrapped(pieces: Iterable[ColouredText], most: int) -> list[list[ColouredText]]:
    """Put pieces on lines of so many characters, if none of them is longer.

    Examples
    --------
    >>> pieces = map(ColouredText, ("high: ", "a", ", low: ", "b"))
    >>> [len(line) for line in wrapped(pieces, 9)]
    [1, 3]
    """
    units: list[list[ColouredText]] = []
    for piece in pieces:
        # A comma or a weight stays with the name before it.
        if units and piece.text.startswith((",", " (")):
            units[-1].append(piece)
        else:
            units.append([piece])
    lines: list[list[ColouredText]] = [[]]
    used = 0
    for unit in units:
        width = sum(len(piece.text) for piece in unit)
        if lines[-1] and used + width > most:
            lines.append([])
            used = 0
        lines[-1] += unit
        used += width
    return lines


def write_lines(
    ax: Any,
    x: float,
    y: float,
    lines: Sequence[Sequence[ColouredText]],
    fontsize: float,
    **place: Any,
) -> Any:
    """Write lines of pieces, grey but for the classes.

    Parameters
    ----------
    ax : matplotlib Axes
    x, y : float
    lines : sequence of sequences of ColouredText
    fontsize : float
    **place
        Passed on to ``AnnotationBbox``: ``box_alignment``, (0, 0) to (1, 1), and where
        the point is.

    Returns
    -------
    AnnotationBbox
    """
    from matplotlib.offsetbox import AnnotationBbox, HPacker, TextArea, VPacker

    def area(piece: ColouredText) -> Any:
        look: dict[str, Any] = {"fontsize": fontsize, "parse_math": False}
        look["color"] = legible(piece.colour or GREY, ax)
        look["fontweight"] = "bold" if piece.colour else "normal"
        return TextArea(spelled_out(piece.text), textprops=look)

    rows: list[Any] = [
        HPacker(children=[area(p) for p in line], pad=0, sep=0) for line in lines
    ]
    gap = (LINE_SPACING - 1) * fontsize
    align: Any = "center" if place["box_alignment"][0] else "left"
    column = VPacker(children=rows, pad=0, sep=gap, align=align)
    look: dict[str, Any] = {"frameon": False, "pad": 0, "annotation_clip": False}
    box = AnnotationBbox(column, (x, y), **look | place)
    box.set_in_layout(False)
    return ax.add_artist(box)
