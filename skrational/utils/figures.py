"""Axes and colours that all displays share, in matplotlib where it is installed."""

from __future__ import annotations

from typing import Any

__all__ = ["COLOURS", "GREY", "new_axes"]

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's, which all kinds of colour vision tell apart, less the pale yellow.

The first stands for what is positive, the second for what is negative."""

GREY = "#767676"
"""As far from white as from black, for what matters less."""


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
