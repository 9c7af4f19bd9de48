"""Words and a table as HTML, for a notebook, light or dark.

Lines and text take the notebook's colours; grounds are transparent.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

__all__ = ["cell", "row", "words_and_table"]

_LINE = "1px solid rgba(127,127,127,.5)"
_CELL = "padding:.1em .6em;text-align:right"


def words_and_table(
    reading: str, names: Sequence[str], rows: Sequence[str], after: str = ""
) -> str:
    """Write words and, if it has rows, a table.

    Parameters
    ----------
    reading : str
        What to say first, line by line.
    names : sequence of str
        Of the columns.
    rows : sequence of str
        Of the table, by `row`.
    after : str, default=""
        What to say last.

    Returns
    -------
    str
        One ``<div>``, styled inline.
    """
    lines = [_line(line) for line in reading.splitlines()]
    if rows:
        head = "".join(
            f'<th scope="col" style="{_CELL};border-bottom:{_LINE}">{escape(name)}</th>'
            for name in names
        )
        body = "\n".join(rows)
        lines.append(
            '<table style="border-collapse:collapse;color:inherit;margin:.5em 0">\n'
            f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
        )
    if after:
        lines.append(_line(after))
    return '<div style="overflow-x:auto">\n' + "\n".join(lines) + "\n</div>"


def row(name: str, cells: Sequence[str]) -> str:
    """Write a row of the table: what it is about, and its cells, by `cell`."""
    head = f'<th scope="row" style="{_CELL}">{escape(name)}</th>'
    return f"<tr>{head}{''.join(cells)}</tr>"


def cell(text: str, ground: str | None = None) -> str:
    """Write a cell of a row, its ground a CSS background."""
    look = _CELL if ground is None else f"{_CELL};background:{ground}"
    return f'<td style="{look}">{escape(text)}</td>'


def _line(text: str) -> str:
    return f"<div>{escape(text)}</div>"
