"""Checks of what a gated structure is made of."""

from __future__ import annotations

from collections.abc import Sequence
from reprlib import repr as cut_repr
from typing import Any

import numpy as np

from skrational.utils.checks import is_integer

__all__ = ["checked_constants", "count", "rising"]


def count(name: str, value: Any, least: int, most: int | None) -> int:
    """Check an integer.

    Parameters
    ----------
    name : str
        What it is called in messages.
    value : object
    least : int
    most : int or None

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If it isn't one, or out of range.
    """
    if not is_integer(value) or value < least or (most and value > most):
        raise ValueError(
            f"{name} is {cut_repr(value)}; expected an integer from {least}"
            + (f" to {most:,}." if most else " on.")
        )
    return int(value)


def checked_constants(
    rows: Any, n_units: int, n_gates: int
) -> tuple[tuple[float | None, ...], ...]:
    """Check the table of constants.

    Raises
    ------
    ValueError
        If it isn't a row of that many values for each unit.
    """
    if not _is_list(rows) or len(rows) != n_units:
        raise ValueError(
            f"constants is {cut_repr(rows)}; expected a row for each of the {n_units} "
            "units."
        )
    return tuple(_row(i, row, n_gates) for i, row in enumerate(rows))


def rising(name: str, values: Any, stop: int) -> tuple[int, ...]:
    """Check numbers of units or inputs: rising, from 0 to below ``stop``.

    Raises
    ------
    ValueError
        If they are something else; the message begins with ``name``.
    """
    values = values.tolist() if isinstance(values, np.ndarray) else values
    numbers: list[Any] = list(values) if _is_list(values) else [None]
    if not all(is_integer(n) for n in numbers):
        raise ValueError(f"{name} is {cut_repr(values)}; expected a list of integers.")
    if any(a >= b for a, b in zip(numbers, [*numbers[1:], stop], strict=False)) or (
        numbers and numbers[0] < 0
    ):
        raise ValueError(
            f"{name} is {cut_repr(values)}; expected rising numbers below {stop}."
        )
    return tuple(map(int, numbers))


def _row(i: int, row: Any, length: int) -> tuple[float | None, ...]:
    if not _is_list(row) or len(row) != length or not all(map(_is_constant, row)):
        raise ValueError(
            f"constants[{i}] is {cut_repr(row)}; expected {length} values, each None "
            "or a number from -1 to 1."
        )
    return tuple(None if value is None else float(value) for value in row)


def _is_constant(value: Any) -> bool:
    if value is None:
        return True
    is_number = isinstance(value, int | float | np.floating)
    return is_number and not isinstance(value, bool) and -1.0 <= value <= 1.0


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)
