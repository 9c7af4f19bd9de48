"""Bytes in and out: a file, one that is compressed, or the standard streams."""

from __future__ import annotations

import argparse
import gzip
import io
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from skrational.cli.faults import Fault, UsageFault
from skrational.utils.files import expanded, replaced_file

__all__ = [
    "STREAM",
    "check_apart",
    "check_writable",
    "form_by_name",
    "open_input",
    "open_output",
    "plain_suffix",
    "shown_size",
]

STREAM = "-"
"""Stands for the standard input or output."""
GZIPPED = ".gz"
"""At the end of the name of a file whose bytes are compressed."""


@contextmanager
def open_input(name: str) -> Iterator[IO[bytes]]:
    """Open a file, or the standard input, to be read as bytes; gzip is unpacked."""
    if name == STREAM:
        yield sys.stdin.buffer
        return
    try:
        path = expanded(name)
        file: Any = gzip.open(path) if _is_gzip(path) else open(path, "rb")
    except OSError as error:
        raise Fault(f"{name} can't be read: {error.strerror or error}.") from error
    with file:
        yield file


def _is_gzip(path: Path) -> bool:
    with open(path, "rb") as file:
        # A pipe can't be read twice.
        return file.seekable() and file.read(2) == b"\x1f\x8b"


def check_writable(name: str | None) -> None:
    """Raise a fault if a file can't be written, before there is something to lose."""
    if name is None or name == STREAM:
        return
    path = expanded(name)
    if path.is_dir():
        raise UsageFault(f"--out {name} is a folder; expected the name of a file.")
    if not path.parent.is_dir():
        raise UsageFault(f"--out {name}: there is no folder {str(path.parent)!r}.")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise Fault(f"{name} can't be written: permission denied.")


def check_apart(args: argparse.Namespace) -> None:
    """Raise a fault if a command would write over what it reads, or writes."""
    written = {f"--{n}": getattr(args, n, None) for n in ("out", "curve")}
    for option, name in written.items():
        if name in (None, STREAM):
            continue
        for given in _inputs(args):
            if _is_same(given, name):
                what = "the standard input" if given == STREAM else given
                raise UsageFault(
                    f"{option} {name} would replace {what}, which is read; give "
                    "another name."
                )
    out, curve = written.values()
    if out and curve and expanded(out).resolve() == expanded(curve).resolve():
        raise UsageFault(f"--out and --curve both name {out}.")


def _inputs(args: argparse.Namespace) -> Iterator[str]:
    """Yield the names of all that a command reads."""
    for one in ("model", "table", "dev", "test"):
        if (name := getattr(args, one, None)) is not None:
            yield name
    yield from getattr(args, "tables", ())
    for names in getattr(args, "vectors", None) or ():
        yield from {names, *names.split(",")}


def _is_same(given: str, name: str) -> bool:
    """Whether two names are of the same file or folder; devices may be both."""
    with suppress(OSError, ValueError, AttributeError):  # no file, or no stream of it
        there = os.stat(expanded(name))
        is_stream = given == STREAM
        read = os.fstat(sys.stdin.fileno()) if is_stream else os.stat(expanded(given))
        is_kept = stat.S_ISREG(there.st_mode) or stat.S_ISDIR(there.st_mode)
        return is_kept and os.path.samestat(there, read)
    return False


def form_by_name(name: str | None, forms: Mapping[str, str], default: str) -> str:
    """Return the format that the suffix of a file to be written tells.

    Parameters
    ----------
    name : str or None
        Of the file, with ".gz" at its end or without.
    forms : mapping from str to str
        Formats by suffixes.
    default : str
        That of the standard output.

    Raises
    ------
    UsageFault
        If the suffix tells none of them.

    Examples
    --------
    >>> form_by_name("page.html.gz", {".html": "html"}, "text")
    'html'
    >>> form_by_name(None, {".html": "html"}, "text")
    'text'
    """
    if name is None or name == STREAM or _is_special(expanded(name)):
        return default
    suffix = plain_suffix(name)
    if suffix not in forms:
        raise UsageFault(
            f"--out {name}: its ending tells no format; expected {_either(forms)}."
        )
    return forms[suffix]


def _either(forms: Mapping[str, str]) -> str:
    *others, last = forms
    return f"{', '.join(others)} or {last}"


@contextmanager
def open_output(name: str | None, text: bool = True) -> Iterator[IO[Any]]:
    """Open what a command writes; a file takes its name once all of it is there.

    Parameters
    ----------
    name : str or None
        None and "-" mean the standard output. A file of ".gz" is compressed.
    text : bool, default=True
        Whether str is written, as UTF-8, or bytes.
    """
    if name is None or name == STREAM:
        yield sys.stdout if text else sys.stdout.buffer
        return
    try:
        with (
            _open_whole(expanded(name).resolve()) as plain,
            _compressing(plain, name) as file,
        ):
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
    return open(path, "wb") if _is_special(path) else replaced_file(path)


@contextmanager
def _compressing(file: IO[bytes], name: str) -> Iterator[Any]:
    """Compress what goes to a file whose name says so, with no time of day in it."""
    if not name.endswith(GZIPPED):
        yield file
        return
    with gzip.GzipFile("", "wb", fileobj=file, mtime=0) as packed:
        yield packed


def _is_special(path: Path) -> bool:
    return path.exists() and not path.is_file()


def plain_suffix(name: str) -> str:
    """Return the ending of a file's name, in lower case and without ".gz".

    Examples
    --------
    >>> plain_suffix("table.CSV.gz")
    '.csv'
    """
    return Path(name.removesuffix(GZIPPED)).suffix.lower()


def shown_size(*names: str) -> str:
    """Say how large files are.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = file.write(bytes(1500)), file.flush()
    ...     shown_size(file.name)
    '1.5 kB'
    """
    size = float(sum(map(os.path.getsize, map(expanded, names))))
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
