"""What all pictures share: a limit, colours and, where it is installed, matplotlib."""

from __future__ import annotations

from typing import Any

__all__ = ["COLOURS", "GREY", "check_drawable", "new_axes"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's, which all kinds of colour vision tell apart, less the pale yellow.

The first stands for what is positive, the second for what is negative."""

GREY = "#767676"
"""As far from white as from black, for what matters less."""


_MOST_DRAWN = 10_000


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
