"""The content of files that may be compressed, as streams of bytes."""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from skrational.exceptions import VectorFileError
from skrational.utils.unpacking import BombError, bounded, most_unpacked

__all__ = [
    "FAULTS",
    "as_damage",
    "is_plain",
    "most_bytes",
    "naming_faults",
    "open_content",
    "read_head",
]

_HEAD = 2**16

FAULTS = (
    EOFError,
    OSError,
    BombError,
    UnicodeDecodeError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)


def open_content(path: Path) -> BinaryIO:
    """Open a file to read what it holds, unpacked if it's compressed.

    Parameters
    ----------
    path : Path
        Plain, or compressed by gzip, bzip2, xz, or as the one file of a zip archive.

    Returns
    -------
    file object
        Inside `naming_faults` read from it: damage shows then.

    Raises
    ------
    VectorFileError
        If it's a zip archive of something else.
    """
    unpack = _unpacker(path)
    if unpack is None:
        return open(path, "rb")
    return cast(BinaryIO, bounded(unpack(path), path))


def is_plain(path: Path) -> bool:
    """Whether a file isn't compressed."""
    return _unpacker(path) is None


def _unpacker(path: Path) -> Callable[[Path], Any] | None:
    with open(path, "rb") as file:
        head = file.read(10)
    return next((unpack for mark, unpack in _UNPACKERS if mark.match(head)), None)


@contextmanager
def naming_faults(path: Path) -> Iterator[None]:
    """Turn what damaged content raises into an error that names the file."""
    try:
        yield
    except FAULTS as error:
        raise as_damage(error, str(path)) from error


def as_damage(error: Exception, place: str) -> Exception:
    """Return the error to raise for one that came up while content was read."""
    # What the operating system reports is no damage, but that of a place in the file.
    if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
        return error
    if isinstance(error, BombError):
        return VectorFileError(str(error))
    return VectorFileError(f"{place}: damaged or cut off ({error}).")


def read_head(path: Path) -> bytes:
    """Return the beginning of the content, of up to 64 KiB or somewhat more.

    Raises
    ------
    VectorFileError
        If damage leaves nothing of it, or it's an archive.
    """
    head = b""
    with naming_faults(path), open_content(path) as stream:
        try:
            # What lies before damage tells what the file is.
            while len(head) < _HEAD and (more := cast(Any, stream).read1(_HEAD)):
                head += more
        except FAULTS as error:
            if not head:
                raise as_damage(error, f"{path}, line 1") from error
    return head


def most_bytes(path: Path) -> int:
    """Return how many bytes the content has at most, or may have."""
    return path.stat().st_size if is_plain(path) else most_unpacked(path)


def _open_zip(path: Path) -> Any:
    try:
        # The file stays open until its member is closed.
        with zipfile.ZipFile(path) as archive:
            return _open_table(archive, path)
    except RuntimeError as error:  # a password, or a method that Python lacks
        raise VectorFileError(
            f"{path} is a zip archive that can't be unpacked here ({error}): unpack it "
            "and give the file that holds the word vectors."
        ) from error


def _open_table(archive: zipfile.ZipFile, path: Path) -> Any:
    """Open the only member that may be a table of word vectors."""
    names = [
        info.filename
        for info in archive.infolist()
        if not info.is_dir() and not info.filename.startswith("__MACOSX/")
    ]
    # Nobody means what stands beside a table to explain it.
    names = [name for name in names if not _BESIDE.search(name)] or names
    for pattern, what in _ZIPPED:
        if any(pattern.search(name) for name in names):
            raise VectorFileError(f"{path} is {what}")
    if len(names) == 1:
        return archive.open(names[0])
    listed = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
    raise VectorFileError(
        f"{path} is a zip archive of {len(names)} files ({listed}): unpack it and give "
        "the one that holds the word vectors."
    )


_UNPACKERS: list[tuple[re.Pattern[bytes], Callable[[Path], Any]]] = [
    (re.compile(rb"\x1f\x8b"), gzip.open),
    (re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"), bz2.open),
    (re.compile(rb"\xfd7zXZ\0|\x5d\0\0[\0-\x80][\0-\x80]"), lzma.open),
    (re.compile(rb"PK(\x03\x04|\x05\x06)"), _open_zip),
]

_BESIDE = re.compile(
    r"(^|/)(\.[^/]*|(readme|licen[cs]e|thumbs\.db)[^/]*)$", re.IGNORECASE
)
_ZIPPED = [
    (
        re.compile(r"\.npy$"),
        "an archive of numpy arrays (.npz), without words: give a dict, as by "
        "dict(zip(words, numpy.load(...)[name])).",
    ),
    (
        re.compile(r"(^|/)data\.pkl$"),
        "a PyTorch checkpoint: load it, and give a dict from words to vectors.",
    ),
    (
        re.compile(r"^\[Content_Types\]\.xml$"),
        "an Office document, such as an Excel workbook: save the table as a text file "
        "(CSV, UTF-8).",
    ),
    (
        re.compile(r"^mimetype$"),
        "an OpenDocument file: save the table as a text file (CSV, UTF-8).",
    ),
]
