"""Checks of parameters that functions, not estimators, take."""

from __future__ import annotations

import sys
from numbers import Integral, Real
from typing import Any

__all__ = ["check_count", "check_implements", "is_integer", "is_missing"]


def is_integer(value: Any) -> bool:
    """Whether a value is an integer, of Python or numpy, and no bool.

    Examples
    --------
    >>> is_integer(3), is_integer(3.0), is_integer(True)
    (True, False, False)
    """
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_missing(value: Any) -> bool:
    """Whether a value stands for one that isn't there: None, NaN, or NA of pandas.

    Examples
    --------
    >>> is_missing(None), is_missing(float("nan")), is_missing("nan")
    (True, True, False)
    """
    if value is None or (isinstance(value, Real) and value != value):
        return True
    # Where pandas isn't loaded, nothing is its NA.
    return value is getattr(sys.modules.get("pandas"), "NA", None)


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


def check_implements(value: Any, protocol: type, user: str) -> None:
    """Make sure that an object has all that a protocol names.

    Parameters
    ----------
    value : object
    protocol : type
        A `typing.Protocol`.
    user : str
        What is going to use the object, for the message.

    Raises
    ------
    TypeError
        If a member is missing; the message names them all.

    Examples
    --------
    >>> from skrational.penalties.base import Penalty
    >>> check_implements("lasso", Penalty, "a phase of training")
    Traceback (most recent call last):
        ...
    TypeError: str can't be used with a phase of training. It must implement Penalty:
    value, scaled. Missing: value, scaled.
    """
    members = [
        name
        for base in reversed(protocol.__mro__)
        if getattr(base, "_is_protocol", False)
        for name in dict.fromkeys([*vars(base).get("__annotations__", ()), *vars(base)])
        if not name.startswith("_")
    ]
    missing = [name for name in members if not hasattr(value, name)]
    if missing:
        raise TypeError(
            f"{type(value).__name__} can't be used with {user}. It must implement "
            f"{protocol.__name__}: {', '.join(members)}. Missing: {', '.join(missing)}."
        )
