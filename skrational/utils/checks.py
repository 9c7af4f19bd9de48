"""Checks of parameters that functions, not estimators, take."""

from __future__ import annotations

from numbers import Integral
from typing import Any

__all__ = ["check_count", "is_integer"]


def is_integer(value: Any) -> bool:
    """Whether a value is an integer, of Python or numpy, and no bool.

    Examples
    --------
    >>> is_integer(3), is_integer(3.0), is_integer(True)
    (True, False, False)
    """
    return isinstance(value, Integral) and not isinstance(value, bool)


def check_count(name: str, value: Any, least: int = 1) -> int:
    """Return a parameter as an int if it is an integer from ``least`` upwards.

    Raises
    ------
    ValueError
        If it isn't.

    Examples
    --------
    >>> check_count("n_words", 0)
    Traceback (most recent call last):
        ...
    ValueError: n_words is 0; expected an integer from 1 upwards.
    """
    if not is_integer(value) or value < least:
        raise ValueError(
            f"{name} is {value!r}; expected an integer from {least} upwards."
        )
    return int(value)
