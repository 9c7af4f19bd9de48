"""Whose line a warning points to."""

from __future__ import annotations

import sys

__all__ = ["called_function", "caller_level"]

_INSIDE = ("skrational", "sklearn")


def caller_level() -> int:
    """Return the ``stacklevel`` of the line that called this package.

    Scikit-learn's wrappers and pipelines may stand in between.

    Returns
    -------
    int
        For :func:`warnings.warn`, where this is called.

    Examples
    --------
    >>> caller_level() >= 1
    True
    """
    level = 1
    frame = sys._getframe(1)
    while frame.f_back is not None and _package(frame) in _INSIDE:
        frame, level = frame.f_back, level + 1
    return level


def called_function() -> str:
    """Return the name of the function that was called, of this package or sklearn.

    Returns
    -------
    str
        Of the outermost one: "predict" of a pipeline, whatever it called itself.

    Examples
    --------
    >>> isinstance(called_function(), str)
    True
    """
    frame = sys._getframe(0)
    while frame.f_back is not None and _package(frame.f_back) in _INSIDE:
        frame = frame.f_back
    return frame.f_code.co_name


def _package(frame: object) -> str:
    name: str = frame.f_globals.get("__name__", "")  # type: ignore[attr-defined]
    return name.partition(".")[0]
