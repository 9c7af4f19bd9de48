"""The way of a command: arguments, what it does, and how it ends."""

from __future__ import annotations

import errno
import io
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from skrational.cli.faults import Fault
from skrational.cli.messages import showing_warnings, silenced
from skrational.cli.parser import parse

__all__ = ["main", "run"]

OK, FAULT, INTERRUPTED = 0, 1, 130

_EXPECTED = (ValueError, TypeError, OSError, ImportError, MemoryError)
"""What the library raises of data and models that it can't use."""


def run() -> None:
    """Run the command of the process, and leave with its code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    sys.exit(main())


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    argv : sequence of str, default=None
        Its arguments; None: those of the process.

    Returns
    -------
    int
        0: all is done. 1: data or a model are at fault. 2: the arguments are. 130: it
        was interrupted.

    Examples
    --------
    >>> main(["--version"])
    skrational ...
    0
    """
    try:
        args = parse(argv)
    except SystemExit as end:  # argparse has said why
        return int(end.code or 0)
    try:
        with silenced(args.quiet), showing_warnings():
            _command(args.run)(args)
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read the output has seen enough.
        _drop_output()
    except KeyboardInterrupt:
        kept = getattr(args, "checkpoint", None)
        left = f"it goes on from {kept}" if kept else "no file was changed"
        print(f"\nInterrupted; {left}.", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if args.debug:
            traceback.print_exc()
        if _is_of_output(error):
            _drop_output()
        print(f"error: {_said(error)}", file=sys.stderr)
        return error.exit_code if isinstance(error, Fault) else FAULT
    return OK


def _command(name: str) -> Callable[[Any], None]:
    """Import what a command does, as late as that."""
    module, function = name.split(":")
    command: Callable[[Any], None] = getattr(import_module(module), function)
    return command


def _is_of_output(error: Exception) -> bool:
    """Whether the standard output took no more; what has a name isn't that."""
    return (
        isinstance(error, OSError)
        and error.filename is None
        and error.errno in (errno.ENOSPC, errno.EFBIG, errno.EIO, errno.EDQUOT)
    )


def _said(error: Exception) -> str:
    if isinstance(error, OSError) and _is_of_output(error):
        return f"the output can't be written: {error.strerror}."
    if isinstance(error, Fault):
        return str(error)
    if isinstance(error, _EXPECTED) and str(error):
        return str(error)
    return f"{type(error).__name__}: {error} (--debug shows where.)"


def _drop_output() -> None:
    """Let the interpreter write what is left of its output to nowhere."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
    except (OSError, ValueError):  # no stream of the system's
        pass
