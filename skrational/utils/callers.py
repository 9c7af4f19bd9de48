"""Whose line a warning points to."""

from __future__ import annotations

import sys

__all__ = ["caller_level"]

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


def _package(frame: object) -> str:
    name: str = frame.f_globals.get("__name__", "")  # type: ignore[attr-defined]
    return name.partition(".")[0]
