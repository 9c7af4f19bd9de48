"""Text that is no wider than the axes that it is about."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap
from typing import Any

__all__ = ["fit", "room"]

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
