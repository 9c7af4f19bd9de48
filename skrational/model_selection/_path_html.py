"""A path for a notebook: the curve, where matplotlib is installed, and its table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from skrational.utils.svg import inline_svg

__all__ = ["path_html", "path_picture"]

_CELL = "padding:.15em .8em .15em 0;text-align:right;background:none;"
_LINE = "1px solid rgba(127,127,127,.4)"


def path_html(path: Any, heading: str, columns: Mapping[str, Sequence[str]]) -> str:
    """Write a path as HTML, light or dark.

    Parameters
    ----------
    path : RegularizationPath
    heading : str
    columns : dict of str to list of str
        What the table shows.

    Returns
    -------
    str
    """
    return (
        f"<div>\n<div>{escape(heading)}</div>\n{path_picture(path)}\n"
        f'<div style="overflow-x:auto">{_table(columns)}</div>\n</div>'
    )


def path_picture(path: Any) -> str:
    """Draw the curve as SVG; "" where that isn't possible."""
    if sum(point.size > 0 for point in path.points) < 2:
        return ""
    from skrational.model_selection._display import RegularizationPathDisplay

    def draw(ax: Any) -> None:
        RegularizationPathDisplay.from_path(path, ax=ax)

    try:
        return inline_svg(draw, "Validation score over the size of the model.")
    except ImportError:
        return ""


def _table(columns: Mapping[str, Sequence[str]]) -> str:
    head = "".join(
        f'<th scope="col" style="{_CELL}border-bottom:{_LINE};font-weight:normal">'
        f"{escape(name)}</th>"
        for name in columns
    )
    rows = "\n".join(
        "<tr>"
        + "".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in row)
        + "</tr>"
        for row in zip(*columns.values(), strict=True)
    )
    return (
        '<table style="border-collapse:collapse;color:inherit;margin:.2em 0 1em">\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table>"
    )
