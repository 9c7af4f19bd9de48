"""Tables, one for each WFSA: as text for a terminal, as HTML for a notebook.

What speaks for a class has the ground of its colour in HTML, transparent, so that it
goes with a light and with a dark notebook.
"""

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

from skrational.inspection.meaning import (
    ColouredText,
    evidence,
    meaning_of,
    readout_signs,
    sentence,
)
from skrational.inspection.model import Model, check_wfsa
from skrational.structures.meaning import plain_repr
from skrational.utils.figures import class_colour

__all__ = [
    "Cell",
    "Column",
    "Table",
    "WFSATables",
    "choose_wfsas",
    "facts",
    "ground",
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


class Cell(NamedTuple):
    """A cell of a table: a text, a part of it that matters less, a class's colour."""

    text: str
    aside: str = ""
    colour: str | None = None


class Table(NamedTuple):
    """A table before it is rendered.

    Attributes
    ----------
    heading : sequence of ColouredText
        The first one names the WFSA.
    columns : sequence of Column
    rows : sequence of sequences of Cell
    nothing : str
        What to say where there are no rows.
    """

    heading: Sequence[ColouredText]
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
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
        """Return the class for which a score of a WFSA speaks most, None for none.

        Parameters
        ----------
        wfsa : int
            A column of ``coef``.
        score : float
            As it is shown here: that which ``coef`` weighs.

        Returns
        -------
        label or None
            The class whose logit the score raises most, against the others.
        """
        number = self._number_of_class(wfsa, score)
        return None if number is None else self.classes[number]

    def classes_of(self, wfsa: int, score: float) -> tuple[Any, ...]:
        """Return all classes for which a score of a WFSA speaks, the strongest first.

        Parameters
        ----------
        wfsa : int
            A column of ``coef``.
        score : float
            As it is shown here; only its sign matters.

        Returns
        -------
        tuple of labels
            Those whose weight, less the mean weight of all classes, has the sign of the
            score and is at least a quarter of the largest, in size.
        """
        if not score:
            return ()
        meaning = meaning_of(self.coef[:, wfsa])
        numbers = meaning.high if score > 0 else meaning.low
        return tuple(self.classes[i] for i in numbers)

    def colour_of(self, wfsa: int, score: float) -> str:
        """Return the colour of `class_of`, grey for none."""
        number = self._number_of_class(wfsa, score)
        return class_colour(number, len(self.classes))

    def _number_of_class(self, wfsa: int, score: float) -> int | None:
        raised = evidence(self.coef[:, wfsa]) * score
        return int(np.argmax(raised)) if np.ptp(raised) else None

    def heading(self, wfsa: int) -> str:
        """Say how long a WFSA is, and what its scores speak for.

        Parameters
        ----------
        wfsa : int
            A column of ``coef``.

        Returns
        -------
        str
            All classes of `classes_of` are named, eight at most on each side. With more
            than two classes each has its weight behind it, less the mean weight.
        """
        return "".join(piece.text for piece in self._heading(wfsa))

    def _heading(self, wfsa: int) -> list[ColouredText]:
        before = f" (number {self.numbers[wfsa]} before pruning)"
        if self.numbers == tuple(range(len(self.numbers))):
            before = ""
        length = plural(self.lengths[wfsa], "transition")
        start = ColouredText(f"WFSA {wfsa}{before}: "), ColouredText(f"{length}, ")
        return [*start, *self._meaning(wfsa)]

    def _meaning(self, wfsa: int) -> list[ColouredText]:
        weights = self.coef[:, wfsa]
        names = [shorten(plain_repr(label)) for label in self.classes]
        pieces = sentence(weights, names)
        if len(weights) > 1 and len(pieces) > 1:
            return pieces
        return [ColouredText(f"weight {three_digits(weights[0])}: "), *pieces]

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
    """What is to be known of the WFSAs, by the names of the fields of WFSATables.

    The signs of the readout are folded into the WFSAs, so that ``coef`` is without.
    """
    automata = model.automata
    return {
        "lengths": automata.lengths,
        "numbers": automata.numbers,
        "coef": np.asarray(automata.coef * readout_signs(automata)),
        "classes": tuple(model.classes.tolist()),
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


def ground(colour: str | None, opacity: float = 0.45) -> str:
    """Write a transparent ground for text as a CSS declaration; none without colour."""
    if colour is None:
        return ""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return f"background:rgba({red},{green},{blue},{opacity:.2f})"


def _text(table: Table) -> str:
    heading = "".join(piece.text for piece in table.heading)
    if not table.rows:
        return f"{heading}\n  {table.nothing}"
    lines = [[shorten(column.name) for column in table.columns]]
    lines += [[shorten(cell.text + cell.aside) for cell in row] for row in table.rows]
    widths = [max(map(terminal_width, cells)) for cells in zip(*lines, strict=True)]
    numeric = [column.numeric for column in table.columns]
    written = ["  ".join(map(pad, line, widths, numeric)).rstrip() for line in lines]
    return "\n  ".join([heading, *written])


def _html(table: Table) -> str:
    # A caption would make its table as wide as itself.
    pieces = "".join(_marked(*piece) for piece in table.heading)
    heading = f'<div style="font-weight:bold">{pieces}</div>\n'
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


def _html_row(row: Sequence[Cell], styles: list[str]) -> str:
    cells = (
        f'<td style="{style}">{_html_cell(cell)}</td>'
        for cell, style in zip(row, styles, strict=True)
    )
    return f"<tr>{''.join(cells)}</tr>"


def _html_cell(cell: Cell) -> str:
    aside = escape(shorten(cell.aside, _WIDEST_IN_HTML))
    return _marked(shorten(cell.text, _WIDEST_IN_HTML), cell.colour) + (
        f'<i style="opacity:.6">{aside}</i>' if aside else ""
    )


def _marked(text: str, colour: str | None) -> str:
    if colour is None:
        return escape(text)
    look = f"{ground(colour)};padding:0 .2em;border-radius:.2em"
    return f'<span style="{look}">{escape(text)}</span>'
