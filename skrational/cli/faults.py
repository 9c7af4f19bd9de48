"""Faults that end a command with a message instead of a traceback."""

from __future__ import annotations

__all__ = ["Fault", "UsageFault", "did_you_mean"]

from collections.abc import Iterable
from difflib import get_close_matches


class Fault(Exception):
    """Data or a model are not what a command needs."""

    exit_code = 1


class UsageFault(Fault):
    """The command was called in a way that can't be meant."""

    exit_code = 2


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question that names what is written alike, or nothing.

    Examples
    --------
    >>> did_you_mean("lable", ["text", "label"])
    " Did you mean 'label'?"
    >>> did_you_mean("stars", ["text", "label"])
    ''
    """
    alike = get_close_matches(name, list(known), n=1)
    return f" Did you mean {alike[0]!r}?" if alike else ""
