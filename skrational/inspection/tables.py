"""Tables, one for each WFSA: as text for a terminal, as HTML for a notebook."""

from __future__ import annotations

import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.model import Model, check_wfsa

__all__ = [
    "Column",
    "Table",
    "WFSATables",
    "choose_wfsas",
    "facts",
    "pad",
    "plain_repr",
    "plural",
    "shorten",
    "terminal_width",
    "three_digits",
]

_WIDEST_CELL, _WIDEST_IN_HTML = 24, 200
# Lines and text take the notebook's colours, light or dark.
_LINE = "1px solid rgba(127,127,127,.4)"
_CELL = "padding:.15em .8em .15em 0;vertical-align:baseline;background:none;"


class Column(NamedTuple):
    """The head of a column, and whether it holds numbers."""

    name: str
    numeric: bool = False


class Table(NamedTuple):
    """A table before it is rendered.

    Attributes
    ----------
    heading : str
    columns : sequence of Column
    rows : sequence of sequences of str or (str, str)
        A pair is read as one text, of which the second part matters less.
    nothing : str
        What to say where there are no rows.
    """

    heading: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[str | tuple[str, str]]]
    nothing: str


@dataclass(frozen=True, eq=False, repr=False)
class WFSATables(ABC):
    """Rows about some WFSAs of a model, and what is to be known of these."""

    rows: tuple[Any, ...]
    wfsas: tuple[int, ...]
    lengths: tuple[int, ...]
    numbers: tuple[int, ...]
    coef: NDArray[np.floating]
    classes: tuple[Any, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.rows)

    def __repr__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return self.to_html()

    def class_of(self, wfsa: int, score: float) -> Any:
        """Return the class for which a score of a WFSA speaks, None for none.

        Parameters
        ----------
        wfsa : int
            A column of ``coef``.
        score : float

        Returns
        -------
        label or None
            The class whose logit the score raises most, against the others.
        """
        logits = self.coef[:, wfsa].astype(np.float64) * score
        if len(logits) == 1:
            logits = np.array([0.0, logits[0]])
        if np.ptp(logits) == 0:
            return None
        return self.classes[int(np.argmax(logits))]

    def heading(self, wfsa: int) -> str:
        """Say how long a WFSA is, and what its scores speak for.

        Parameters
        ----------
        wfsa : int
            A column of ``coef``.

        Returns
        -------
        str
        """
        before = f" (number {self.numbers[wfsa]} before pruning)"
        if self.numbers == tuple(range(len(self.numbers))):
            before = ""
        length = plural(self.lengths[wfsa], "transition")
        return f"WFSA {wfsa}{before}: {length}, {self._meaning(wfsa)}"

    def _meaning(self, wfsa: int) -> str:
        weights = self.coef[:, wfsa]
        if self.class_of(wfsa, 1.0) is None:
            return f"weight {three_digits(weights[0])}: scores speak for no class"
        high, low = (shorten(repr(self.class_of(wfsa, score))) for score in (1.0, -1.0))
        if len(weights) == 1:
            return (
                f"weight {three_digits(weights[0])}: high scores speak for {high}, "
                f"negative ones for {low}"
            )
        return (
            f"high scores speak for {high} (weight {three_digits(weights.max())}), "
            f"negative ones for {low} (weight {three_digits(weights.min())})"
        )

    def _columns(self, names: Iterable[str]) -> dict[str, list[Any]]:
        """Return fields of all rows, by their names."""
        return {name: [getattr(row, name) for row in self.rows] for name in names}

    def tables(self) -> list[Table]:
        """Lay out one table for each WFSA."""
        return [self._table(wfsa) for wfsa in self.wfsas]

    @abstractmethod
    def _table(self, wfsa: int) -> Table:
        """Lay out the rows of one WFSA."""

    def to_text(self) -> str:
        """Write aligned columns; long cells are shortened.

        Returns
        -------
        str
        """
        return "\n\n".join(_text(table) for table in self.tables())

    def to_html(self) -> str:
        """Write HTML that goes with a light and with a dark notebook.

        Returns
        -------
        str
        """
        tables = "\n".join(_html(table) for table in self.tables())
        return f'<div style="overflow-x:auto">\n{tables}\n</div>'


def facts(model: Model) -> dict[str, Any]:
    """What is to be known of the WFSAs, by the names of the fields of WFSATables."""
    automata = model.automata
    return {
        "lengths": automata.lengths,
        "numbers": automata.numbers,
        "coef": np.asarray(automata.coef),
        "classes": tuple(np.asarray(model.classifier.classes_).tolist()),
    }


def choose_wfsas(model: Model, wfsas: Any) -> tuple[int, ...]:
    """Return the positions of the WFSAs that were asked for, each once; None: all.

    Raises
    ------
    ValueError
        If one is out of range, there is none, or none is left.
    TypeError
        If it isn't a sequence of integers.
    """
    model.require_automata()
    if wfsas is None:
        return tuple(range(model.automata.n_wfsas))
    single = isinstance(wfsas, str) or getattr(wfsas, "ndim", 1) == 0
    if not isinstance(wfsas, Iterable) or single:
        raise TypeError(f"wfsas is {wfsas!r}; expected a sequence of integers or None.")
    chosen = tuple(dict.fromkeys(check_wfsa(model, wfsa) for wfsa in wfsas))
    if not chosen:
        raise ValueError("wfsas is empty; expected at least one WFSA, or None for all.")
    return chosen


def three_digits(value: float) -> str:
    """Write a number with three significant digits."""
    return f"{value:#.3g}".rstrip(".")


def plain_repr(label: Any) -> str:
    """Write a class as Python does, also where numpy holds it."""
    return repr(label.item() if isinstance(label, np.generic) else label)


def plural(n: int, noun: str) -> str:
    """Count things."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def shorten(text: str, width: int = _WIDEST_CELL) -> str:
    """Cut a text that is too long; write what can't be printed as an escape."""
    # Of a token of a million characters only these few are looked at; accents of their
    # own take no room.
    most = 8 * width
    printable = "".join(
        c if c.isprintable() else c.encode("unicode_escape", "replace").decode()
        for c in text[:most]
    )
    if len(text) <= most and terminal_width(printable) <= width:
        return printable
    ends = accumulate(map(terminal_width, printable))
    n_fitting = sum(1 for end in ends if end < width)
    return printable[:n_fitting] + "…"


def terminal_width(text: str) -> int:
    """Columns that a terminal gives a text: two for a wide letter of East Asia."""
    return sum(
        (unicodedata.east_asian_width(c) in "WF") + (not unicodedata.combining(c))
        for c in text
    )


def pad(text: str, width: int, numeric: bool) -> str:
    """Fill a cell up to a width, numbers from the left."""
    gap = " " * (width - terminal_width(text))
    return gap + text if numeric else text + gap


def _text(table: Table) -> str:
    if not table.rows:
        return f"{table.heading}\n  {table.nothing}"
    lines = [[shorten(column.name) for column in table.columns]]
    lines += [[shorten("".join(cell)) for cell in row] for row in table.rows]
    widths = [max(map(terminal_width, cells)) for cells in zip(*lines, strict=True)]
    numeric = [column.numeric for column in table.columns]
    written = ["  ".join(map(pad, line, widths, numeric)).rstrip() for line in lines]
    return "\n  ".join([table.heading, *written])


def _html(table: Table) -> str:
    # A caption would make its table as wide as itself.
    heading = f'<div style="font-weight:bold">{escape(table.heading)}</div>\n'
    if not table.rows:
        return f"{heading}<p>{escape(table.nothing)}</p>"
    styles = [
        f"{_CELL}text-align:{'right' if column.numeric else 'left'}"
        for column in table.columns
    ]
    head = "".join(
        f'<th scope="col" style="{style};border-bottom:{_LINE};font-weight:normal">'
        f"{escape(column.name)}</th>"
        for column, style in zip(table.columns, styles, strict=True)
    )
    body = "\n".join(_html_row(row, styles) for row in table.rows)
    return (
        f"{heading}"
        '<table style="border-collapse:collapse;color:inherit;margin:.2em 0 1em">\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"
    )


def _html_row(row: Sequence[str | tuple[str, str]], styles: list[str]) -> str:
    cells = (
        f'<td style="{style}">{_html_cell(cell)}</td>'
        for cell, style in zip(row, styles, strict=True)
    )
    return f"<tr>{''.join(cells)}</tr>"


def _html_cell(cell: str | tuple[str, str]) -> str:
    text, aside = (cell, "") if isinstance(cell, str) else cell
    text, aside = (escape(shorten(part, _WIDEST_IN_HTML)) for part in (text, aside))
    return text + (f'<i style="opacity:.6">{aside}</i>' if aside else "")
