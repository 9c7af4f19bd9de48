"""Bytes in and out: a file, one that is compressed, or the standard streams."""

from __future__ import annotations

import gzip
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from skrational.cli.faults import Fault, UsageFault
from skrational.utils.files import replaced_file

__all__ = ["STREAM", "check_writable", "open_input", "open_output", "shown_size"]

STREAM = "-"
"""Stands for the standard input or output."""


@contextmanager
def open_input(name: str) -> Iterator[IO[bytes]]:
    """Open a file, or the standard input, to be read as bytes; gzip is unpacked."""
    if name == STREAM:
        yield sys.stdin.buffer
        return
    try:
        file: Any = gzip.open(name) if _is_gzip(name) else open(name, "rb")
    except OSError as error:
        raise Fault(f"{name} can't be read: {error.strerror or error}.") from error
    with file:
        yield file


def _is_gzip(name: str) -> bool:
    with open(name, "rb") as file:
        # A pipe can't be read twice.
        return file.seekable() and file.read(2) == b"\x1f\x8b"


def check_writable(name: str | None) -> None:
    """Raise a fault if a file can't be written, before there is something to lose."""
    if name is None or name == STREAM:
        return
    path = Path(name)
    if path.is_dir():
        raise UsageFault(f"--out {name} is a folder; expected the name of a file.")
    if not path.parent.is_dir():
        raise UsageFault(f"--out {name}: there is no folder {str(path.parent)!r}.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise Fault(f"{name} can't be written: permission denied.")


@contextmanager
def open_output(name: str | None, text: bool = True) -> Iterator[IO[Any]]:
    """Open what a command writes; a file takes its name once all of it is there.

    Parameters
    ----------
    name : str or None
        None and "-" mean the standard output.
    text : bool, default=True
        Whether str is written, as UTF-8, or bytes.
    """
    if name is None or name == STREAM:
        yield sys.stdout if text else sys.stdout.buffer
        return
    try:
        with _open_whole(Path(name).resolve()) as file:
            if not text:
                yield file
                return
            wrapped = io.TextIOWrapper(
                file, "utf-8", errors="backslashreplace", newline="", write_through=True
            )
            try:
                yield wrapped
            finally:
                wrapped.detach()
    except OSError as error:
        if isinstance(error, BrokenPipeError) or error.errno is None:
            raise  # it's of something else
        raise Fault(f"{name} can't be written: {error.strerror or error}.") from error


def _open_whole(path: Path) -> Any:
    # A device or a pipe is written to, not replaced by a file.
    is_special = path.exists() and not path.is_file()
    return open(path, "wb") if is_special else replaced_file(path)


def shown_size(name: str) -> str:
    """Say how large a file is.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write(bytes(1500)), file.flush()
    ...     shown_size(file.name)
    '1.5 kB'
    """
    size = float(os.path.getsize(name))
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
