"""What a command says beside its output, on the error stream."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["note", "showing_warnings", "silenced", "warn"]

_silent: list[bool] = [False]


@contextmanager
def silenced(silent: bool) -> Iterator[None]:
    """Leave notes out; warnings and faults are said in any case."""
    _silent.append(silent)
    try:
        yield
    finally:
        _silent.pop()


def note(message: str) -> None:
    """Say what helps to know."""
    if not _silent[-1]:
        print(message, file=sys.stderr)


def warn(message: str) -> None:
    """Say what may be wrong."""
    print(f"warning: {message}", file=sys.stderr)


@contextmanager
def showing_warnings() -> Iterator[None]:
    """Say the warnings of Python to users, without lines of code; others are left out.

    What is written for developers, such as that a function is deprecated, is left out.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("default", UserWarning)
        warnings.showwarning = _show
        yield


def _show(message: Warning | str, *where: Any, **options: Any) -> None:
    warn(str(message))
