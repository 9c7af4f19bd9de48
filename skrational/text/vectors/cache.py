"""Binary copies of parsed files of word vectors, which processes map and share.

An entry is a file: the array as .npy, the words as JSON and their length, and the
checksum of all that comes before it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.text.vectors.tables import VectorTable
from skrational.utils.files import discard, replaced_file, unfinished_files
from skrational.utils.locks import FileLock

__all__ = ["entry_path", "read_entry", "write_entry"]

_FORMAT = 5
_STEP = 2**20
_ENDS, _SAMPLE, _N_SAMPLES = 2**16, 2**12, 128
"""Bytes that are read at both ends of a file, in a sample from between, and samples."""

_logger = logging.getLogger(__name__)


def entry_path(folder: Path, path: Path) -> Path:
    """Return where the copy of a file is, or will be.

    That depends on the place of the file, its size, the time of its last change and
    samples of its content: files of one size and one date, as archives and images make
    them, hold other numbers almost everywhere.

    Parameters
    ----------
    folder : Path
        That of the cache.
    path : Path
        The file.

    Returns
    -------
    Path
    """
    place = hashlib.sha256(str(path).encode(errors="surrogateescape")).hexdigest()[:12]
    stat = path.stat()
    state = hashlib.sha256(f"{_FORMAT} {stat.st_size} {stat.st_mtime_ns}".encode())
    with open(path, "rb", buffering=0) as file:
        for start, n_bytes in _samples(stat.st_size):
            file.seek(start)
            state.update(file.read(n_bytes))
    return folder / f"{path.stem}-{place}" / f"{state.hexdigest()[:12]}.npy"


def _samples(size: int) -> list[tuple[int, int]]:
    """Where samples of a file begin, and their bytes; all of a small file."""
    if size <= 2 * _ENDS + _N_SAMPLES * _SAMPLE:
        return [(0, size)]
    between = range(_ENDS, size - _ENDS, (size - 2 * _ENDS) // _N_SAMPLES)
    return [(0, _ENDS), *((i, _SAMPLE) for i in between), (size - _ENDS, _ENDS)]


def write_entry(entry: Path, table: VectorTable) -> None:
    """Write a table, and remove entries of the file as it was before.

    What can't be written is logged.
    """
    head = BytesIO()
    np.lib.format.write_array_header_1_0(
        head, np.lib.format.header_data_from_array_1_0(table.vectors)
    )
    words = json.dumps(list(table.index), ensure_ascii=False)
    tail = words.encode(errors="surrogatepass")
    tail += len(tail).to_bytes(8, "little")
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        with _alone_in(entry.parent) as is_alone:
            with replaced_file(entry) as file:
                checksum = _seed(entry)
                vectors = np.ascontiguousarray(table.vectors)
                for part in (head.getvalue(), vectors.data.cast("B"), tail):
                    checksum = zlib.crc32(part, checksum)
                    file.write(part)
                file.write(checksum.to_bytes(4, "little"))
            outdated = set(entry.parent.glob("*.npy")) - {entry}
            if is_alone:
                outdated.update(unfinished_files(entry.with_name("*.npy")))
            for path in outdated:
                discard(path)
    except OSError as error:
        _logger.warning("%s is not cached: %s", table.source, error)


@contextmanager
def _alone_in(folder: Path) -> Iterator[bool]:
    """Yield whether nobody else writes there: unfinished files are then left over."""
    try:
        lock = FileLock(folder / "lock")
    except OSError:
        yield False
        return
    try:
        yield not lock.fault
    finally:
        lock.release()


def _seed(entry: Path) -> int:
    """Where a checksum begins: no entry passes for that of another file."""
    return zlib.crc32(entry.parent.name.encode(errors="surrogateescape"))


def read_entry(entry: Path, path: Path) -> VectorTable:
    """Return the table of a file, mapped into memory from its copy.

    All of it is read once, and compared with its checksum.

    Parameters
    ----------
    entry : Path
    path : Path
        The file that it's a copy of.

    Returns
    -------
    VectorTable

    Raises
    ------
    FileNotFoundError
        If there is no entry.
    OSError
        If it can't be read.
    ValueError
        If it's damaged.
    """
    size = entry.stat().st_size
    with open(entry, "rb") as file:
        checksum, n_left = _seed(entry), size - 4
        while n_left > 0 and (part := file.read(min(_STEP, n_left))):
            checksum, n_left = zlib.crc32(part, checksum), n_left - len(part)
        if n_left or checksum != int.from_bytes(file.read(4), "little"):
            raise ValueError("its checksum is wrong")
        mapped: NDArray[Any] = np.load(entry, mmap_mode="r", allow_pickle=False)
        file.seek(size - 12)
        n_bytes = int.from_bytes(file.read(8), "little")
        file.seek(size - 12 - n_bytes)
        words = json.loads(file.read(n_bytes).decode(errors="surrogatepass"))
    index = {word: row for row, word in enumerate(words)}
    return VectorTable(index, np.asarray(mapped), str(path))
