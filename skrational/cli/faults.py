"""Faults that end a command with a message instead of a traceback."""

from __future__ import annotations

__all__ = ["Fault", "UsageFault"]


class Fault(Exception):
    """Data or a model are not what a command needs."""

    exit_code = 1


class UsageFault(Fault):
    """The command was called in a way that can't be meant."""

    exit_code = 2
