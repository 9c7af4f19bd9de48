"""Small pieces of a page: tables, bars, notes. Whatever text comes in is escaped."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from html import escape
from typing import NamedTuple

__all__ = ["Markup", "bar", "cell_text", "note", "paragraph", "short", "table"]

_LONGEST = 80


class Markup(NamedTuple):
    """HTML that is done, and is not to be escaped again."""

    html: str


def short(text: object, longest: int = _LONGEST) -> str:
    r"""Write something in one line, cut where it is long.

    Examples
    --------
    >>> short("a\nb"), short("x" * 100, 5)
    ('a b', 'xxxx…')
    """
    words = " ".join(str(text).split())
    return words if len(words) <= longest else words[: longest - 1] + "…"


def cell_text(cell: object) -> str:
    """HTML of a cell; numbers with a fraction get three digits behind the point."""
    if isinstance(cell, Markup):
        return cell.html
    if isinstance(cell, float):
        return "–" if cell != cell else f"{cell:.3f}"
    if isinstance(cell, int):
        return f"{cell:,}"
    return escape(short(cell))


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    caption: str = "",
    text_columns: Collection[int] = (0,),
) -> str:
    """Write a table that scrolls by itself where the page is narrow.

    Parameters
    ----------
    head : sequence of str
    rows : iterable of sequences
        Cells are text, numbers or `Markup`.
    caption : str, default=""
    text_columns : collection of int, default=(0,)
        Columns that hold no numbers.

    Examples
    --------
    >>> "&lt;b&gt;" in table(["class", "n"], [["<b>", 3]])
    True
    """
    kinds = ["" if j in text_columns else "num" for j in range(len(head))]
    top = "".join(
        f'<th scope="col" class="{kind}">{escape(name)}</th>'
        for name, kind in zip(head, kinds, strict=True)
    )
    body = "\n".join(
        "<tr>"
        + "".join(
            f'<td class="{kind}">{cell_text(cell)}</td>'
            for cell, kind in zip(row, kinds, strict=True)
        )
        + "</tr>"
        for row in rows
    )
    above = f"<caption>{escape(caption)}</caption>" if caption else ""
    return (
        f'<div class="scroll"><table>{above}<thead><tr>{top}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def bar(share: float) -> Markup:
    """Draw a bar for a number from 0 to 1."""
    width = 100 * min(max(share, 0.0), 1.0)
    return Markup(
        f'<span class="bar"><span style="width:{width:.1f}%"></span></span> {share:.3f}'
    )


def paragraph(text: str) -> str:
    """Write a paragraph."""
    return f"<p>{escape(text)}</p>"


def note(text: str) -> str:
    """Write what a reader should not miss."""
    return f'<p class="note">{escape(text)}</p>'
