"""What all pictures share: a limit, colours and, where it is installed, matplotlib."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import Any

__all__ = [
    "COLOURS",
    "GREY",
    "check_drawable",
    "class_colour",
    "is_dark",
    "legible",
    "new_axes",
]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's, which all kinds of colour vision tell apart, less the pale yellow.

The first stands for what is positive, the second for what is negative."""

GREY = "#767676"
"""As far from white as from black, for what matters less."""


_MOST_DRAWN = 10_000
_LIGHTER = 0.3
"""Of the way to white, for letters on a dark ground."""
_GOLDEN_ANGLE = 0.381966
"""Of a turn: hues that far apart stay apart, however many there are."""


def class_colour(i: int | None, n_classes: int) -> str:
    """Colour of a class, the same in every picture, table and page.

    Parameters
    ----------
    i : int or None
        Number of the class, from 0; None for what speaks for no class.
    n_classes : int

    Returns
    -------
    str
        As "#rrggbb", to be seen on white and on black. Of two classes the second has
        the colour of what is positive, as it is the one that the logit speaks for.

    Examples
    --------
    >>> class_colour(1, n_classes=2), class_colour(0, n_classes=2)
    ('#0072B2', '#D55E00')
    >>> class_colour(None, n_classes=2) == GREY
    True
    >>> len({class_colour(i, n_classes=150) for i in range(150)})
    150
    """
    if i is None:
        return GREY
    place = 1 - i if n_classes == 2 else i
    if place < len(COLOURS):
        return COLOURS[place]
    hue = place * _GOLDEN_ANGLE % 1
    lightness = (0.40, 0.50, 0.60)[place % 3]
    rgb = colorsys.hls_to_rgb(hue, lightness, 0.65)
    return "#" + "".join(f"{round(255 * part):02X}" for part in rgb)


def check_drawable(n: int, what: str) -> None:
    """Raise a ValueError if a picture would have more parts than anybody could see.

    Parameters
    ----------
    n : int
        How many parts are to be drawn.
    what : str
        What they are, in the plural.

    Examples
    --------
    >>> check_drawable(2**32, "states")
    Traceback (most recent call last):
        ...
    ValueError: Too large to draw: 4,294,967,296 states; expected at most 10,000.
    """
    if n > _MOST_DRAWN:
        raise ValueError(
            f"Too large to draw: {n:,} {what}; expected at most {_MOST_DRAWN:,}."
        )


def new_axes(**kwargs: Any) -> Any:
    """Make a figure of one axes, by pyplot.

    Parameters
    ----------
    **kwargs
        Passed on to ``pyplot.subplots``, such as ``figsize``.

    Raises
    ------
    ImportError
        If matplotlib isn't installed.
    """
    try:
        from matplotlib import pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Drawing needs matplotlib: pip install 'skrational[plots]'"
        ) from error
    return plt.subplots(**kwargs)[1]


def is_dark(ax: Any) -> bool:
    """Whether the ground of axes is dark, or, where all is transparent, text is light.

    Parameters
    ----------
    ax : matplotlib Axes
    """
    from matplotlib import rcParams
    from matplotlib.colors import to_rgb

    # Axes that are switched off don't draw their ground.
    for patch in (*([ax.patch] if ax.axison else []), ax.figure.patch):
        *ground, opacity = patch.get_facecolor()
        if opacity > 0.5 and patch.get_visible():
            return _brightness(ground) < 0.5
    return _brightness(to_rgb(rcParams["text.color"])) >= 0.5


def legible(colour: str, ax: Any) -> str:
    """Colour for text: itself on a light ground, lighter on a dark one.

    Parameters
    ----------
    colour : str
        As "#rrggbb".
    ax : matplotlib Axes
    """
    if not is_dark(ax):
        return colour
    parts = bytes.fromhex(colour.removeprefix("#"))
    return "#" + "".join(f"{round(p + _LIGHTER * (255 - p)):02X}" for p in parts)


def _brightness(rgb: Sequence[float]) -> float:
    """Luma of a colour, 0 to 1."""
    return float(sum(w * c for w, c in zip((0.299, 0.587, 0.114), rgb, strict=True)))
