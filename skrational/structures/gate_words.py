"""The gates of a gated network in words, and as a table for a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from skrational.structures.notebook import cell, row, words_and_table

__all__ = ["GateTable", "counted", "memories", "say_gate", "table_html"]

GateTable: TypeAlias = Mapping[int, Sequence[float | None]]
"""The constants of each unit, under its number; None for a gate that varies."""

_LONG, _SHORT = 0.95, 0.05
"""A constant forget gate from which on a unit accumulates, to which it forgets."""

_MOST_ROWS = 256
_MOST_NUMBERS = 12
"""Units that a sentence names one by one."""

_POSITIVE, _NEGATIVE, _DARKEST = "0,114,178", "213,94,0", 0.5
_HATCHED = (
    "repeating-linear-gradient(135deg,rgba(230,159,0,.5) 0 4px,"
    "rgba(230,159,0,.25) 4px 8px)"
)


def say_gate(letter: str, title: str, values: Sequence[float | None]) -> str:
    """Say in how many units a gate varies, and what its constants are."""
    constants = [value for value in values if value is not None]
    n_varying = len(values) - len(constants)
    said = [f"varies in {n_varying}"] if n_varying else []
    if constants:
        said.append(f"constant in {len(constants)} ({_span(constants)})")
    return f"{title} ({letter}): {', '.join(said)}."


def counted(units: Sequence[int], one: str, many: str, why: str) -> list[str]:
    """Say which units are something, if any is; of many, the first ones.

    Parameters
    ----------
    units : sequence of int
        Their numbers.
    one, many : str
        What a single unit is, and what several are.
    why : str
        How that is known.

    Returns
    -------
    list of str
        One sentence, or none.
    """
    if not units:
        return []
    head = f"1 unit is {one}" if len(units) == 1 else f"{len(units)} units are {many}"
    named = ", ".join(map(str, units[:_MOST_NUMBERS]))
    if (n_more := len(units) - _MOST_NUMBERS) > 0:
        named += f" and {n_more} more"
    return [f"{head} ({why}): {named}."]


def memories(forget: Mapping[int, float | None]) -> list[str]:
    """Say which units add up all that enters, and which forget it at once.

    Parameters
    ----------
    forget : mapping of int to float or None
        What the forget gate of each unit is; None if it varies.

    Returns
    -------
    list of str
        A sentence for each kind of units that there is.
    """
    constant = {k: value for k, value in forget.items() if value is not None}
    long = {k: value for k, value in constant.items() if value >= _LONG}
    short = {k: value for k, value in constant.items() if value <= _SHORT}
    return [
        line
        for units, one, many in (
            (long, "an accumulator", "accumulators"),
            (short, "without memory", "without memory"),
        )
        if units
        for line in counted(
            [*units], one, many, f"forget gate constant, {_span([*units.values()])}"
        )
    ]


def table_html(reading: str, names: Sequence[str], table: GateTable) -> str:
    """Write words and a table for a notebook, light or dark, 256 units at most.

    Parameters
    ----------
    reading : str
        What to say first, line by line.
    names : sequence of str
        Of the columns.
    table : GateTable

    Returns
    -------
    str
        One ``<div>``, styled inline.
    """
    rows = [
        row(str(unit), [_cell(value) for value in values])
        for unit, values in list(table.items())[:_MOST_ROWS]
    ]
    after = ""
    if (n_more := len(table) - _MOST_ROWS) > 0:
        after = f"and {n_more:,} more units: to_frame() has them all"
    return words_and_table(reading, ("unit", *names), rows, after)


def _cell(value: float | None) -> str:
    if value is None:
        return cell("varies", _HATCHED)
    colour = _POSITIVE if value > 0 else _NEGATIVE
    return cell(f"{value:z.2f}", f"rgba({colour},{_DARKEST * abs(value):.2f})")


def _span(values: Sequence[float]) -> str:
    low, high = (f"{value:z.2f}" for value in (min(values), max(values)))
    return low if low == high else f"{low} to {high}"
