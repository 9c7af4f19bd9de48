"""Pictures of matplotlib as SVG that stands in a page, light or dark."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from io import StringIO
from typing import Any

__all__ = ["inline_svg"]

_INK = "#010203"
"""A colour that nothing else has; it becomes the colour of the page's text."""

_LOOK = {
    **{
        name: _INK
        for name in (
            "text.color",
            "axes.edgecolor",
            "axes.labelcolor",
            "axes.titlecolor",
            "xtick.color",
            "ytick.color",
        )
    },
    "axes.facecolor": "none",
    "legend.frameon": False,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "skrational",
    "font.family": "sans-serif",
}


def inline_svg(
    draw: Callable[[Any], object],
    description: str,
    figsize: tuple[float, float] = (6.4, 4.0),
) -> str:
    """Draw on new axes, and write the picture as an ``<svg>`` element.

    Lines and text have the colour of the page's text, the ground is transparent.

    Parameters
    ----------
    draw : callable
        Takes the axes.
    description : str
        For those who can't see the picture.
    figsize : tuple of float, default=(6.4, 4.0)
        Width and height in inches, at most: the picture gets as wide as there is room.

    Returns
    -------
    str

    Raises
    ------
    ImportError
        If matplotlib isn't installed.

    Examples
    --------
    >>> svg = inline_svg(lambda ax: ax.plot([1, 2]), "A line.")
    >>> svg[:4], "currentColor" in svg, "<?xml" in svg
    ('<svg', True, False)
    """
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_LOOK):
        figure = Figure(figsize=figsize)
        draw(figure.subplots())
        written = StringIO()
        figure.savefig(
            written, format="svg", bbox_inches="tight", metadata={"Date": None}
        )
    svg = written.getvalue()
    svg = svg[svg.index("<svg") :].replace(_INK, "currentColor")
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    label = f'role="img" aria-label="{escape(description)}"'
    return svg.replace(
        "<svg", f'<svg {label} style="max-width:100%;height:auto"', 1
    ).strip()
