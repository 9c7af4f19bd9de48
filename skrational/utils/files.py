"""Files: written whole or not at all; and the folder for what can be made again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EISDIR
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

__all__ = [
    "cache_folder",
    "cache_root",
    "checksum",
    "discard",
    "expanded",
    "replaced_file",
    "short_name",
    "unfinished_files",
]

_SUFFIX = ".part"
_LONGEST = 200
"""Bytes of a name; file systems take 255, and what is added needs room."""


@contextmanager
def replaced_file(
    path: Path, mode: str = "wb", *, durable: bool = True, **options: Any
) -> Iterator[IO[Any]]:
    """Yield a file that takes the name ``path`` once all of it is on the disk.

    If writing fails, nothing is left of it, and what had the name before stays.

    Parameters
    ----------
    path : Path
        In a folder that is there.
    mode : {"wb", "w"}, default="wb"
    durable : bool, default=True
        Whether to wait until it would outlast a power failure. Without, it outlasts the
        end of the process.
    **options
        As for :func:`open`.

    Raises
    ------
    OSError
        If the file can't be written; it names ``path``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "note.txt")
    ...     with replaced_file(path, "w") as file:
    ...         _ = file.write("whole")
    ...     path.read_text(), len(list(Path(folder).iterdir()))
    ('whole', 1)
    """
    if path.is_dir():
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(path))
    part = path.with_name(f"{short_name(path.name)}.{uuid4().hex[:8]}{_SUFFIX}")
    try:
        with _told_of(path):
            opened = open(part, mode, **options)
        with opened as file:
            yield file
            file.flush()
            if durable:
                os.fsync(file.fileno())
        with _told_of(path):
            os.replace(part, path)
    finally:
        discard(part)


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
    """Let errors name a file that the caller knows, not the unfinished one."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def checksum(*parts: bytes | memoryview) -> str:
    """Return the SHA-256 of bytes, in hexadecimal digits; pieces count as joined.

    Examples
    --------
    >>> checksum(b"wh", b"ole") == checksum(b"whole")
    True
    """
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def unfinished_files(path: Path) -> list[Path]:
    """Return what killed writers of a file left beside it; ``*`` in names is a joker.

    Of a writer that is at work the unfinished file is listed, too.
    """
    return list(path.parent.glob(f"{short_name(path.name)}.*{_SUFFIX}"))


def short_name(name: str) -> str:
    """Return a name to which more can be added; of a long one its SHA-256.

    Examples
    --------
    >>> short_name("model"), len(short_name(255 * "m"))
    ('model', 64)
    """
    encoded = os.fsencode(name)
    return name if len(encoded) <= _LONGEST else checksum(encoded)


def discard(path: Path) -> None:
    """Remove a file, if that is possible."""
    with suppress(OSError):
        path.unlink()


def expanded(path: str | os.PathLike[str]) -> Path:
    """Return a path, with the home folder for ``~`` where there is one.

    Examples
    --------
    >>> str(expanded("~nobody-of-this-name/table.txt"))
    '~nobody-of-this-name/table.txt'
    """
    try:
        return Path(path).expanduser()
    except RuntimeError:  # no such user, or none that the system knows
        return Path(path)


def cache_root(variable: str, default: str = "") -> Path:
    """Return the folder for what can be made, or downloaded, again.

    Parameters
    ----------
    variable : str
        The environment variable that may name it: ``SKRATIONAL_CACHE`` for what is
        computed, ``SKRATIONAL_HOME`` for data sets.
    default : str, default=""
        Where it is, without the variable, in ``skrational`` in ``XDG_CACHE_HOME`` or,
        without that, in ``~/.cache``.

    Returns
    -------
    Path
        Absolute; it may not be there yet.

    Raises
    ------
    OSError
        If no variable names a folder, and there is no home folder, as in containers.

    Examples
    --------
    >>> cache_root("SKRATIONAL_HOME", "datasets").is_absolute()
    True
    """
    named = os.environ.get(variable)
    if named:
        return expanded(named).absolute()
    cache = expanded(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    if str(cache).startswith("~"):
        raise FileNotFoundError(
            f"This user has no home folder: name a folder by the environment variable "
            f"{variable}."
        )
    return Path(cache, "skrational", default).absolute()


def cache_folder(
    cache: bool | str | os.PathLike[str], default: str = ""
) -> Path | None:
    """Return where to keep what can be made again, given a parameter ``cache``.

    Parameters
    ----------
    cache : bool, str or path-like
        A path is the folder itself. True: a folder of this package. False: nothing is
        kept.
    default : str, default=""
        The folder within that of the package that True stands for.

    Returns
    -------
    Path or None
        None also if there is no place for one, since the user has no home folder.

    Examples
    --------
    >>> cache_folder(False) is None
    True
    """
    if isinstance(cache, (str, os.PathLike)):
        return expanded(cache).absolute()
    try:
        return cache_root("SKRATIONAL_CACHE") / default if cache else None
    except FileNotFoundError:
        return None
