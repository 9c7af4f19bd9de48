"""Binary copies of parsed files of word vectors, which processes map and share.

An entry is a file: the array as .npy, the words as JSON and their length, and the
checksum of all that comes before it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.text.vectors.tables import VectorTable
from skrational.utils.files import discard, replaced_file

__all__ = ["entry_path", "read_entry", "write_entry"]

_FORMAT = 4
_STEP = 2**20

_logger = logging.getLogger(__name__)


def entry_path(folder: Path, path: Path, size: int, mtime: int) -> Path:
    """Return where the copy of a file is, or will be.

    Parameters
    ----------
    folder : Path
        That of the cache.
    path : Path
        The file.
    size, mtime : int
        They tell whether the file has changed.

    Returns
    -------
    Path
    """
    place = hashlib.sha256(str(path).encode(errors="surrogateescape")).hexdigest()[:12]
    state = hashlib.sha256(f"{_FORMAT} {size} {mtime}".encode()).hexdigest()[:12]
    return folder / f"{path.stem}-{place}" / f"{state}.npy"


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
        with replaced_file(entry) as file:
            checksum = _seed(entry)
            vectors = np.ascontiguousarray(table.vectors)
            for part in (head.getvalue(), vectors.data.cast("B"), tail):
                checksum = zlib.crc32(part, checksum)
                file.write(part)
            file.write(checksum.to_bytes(4, "little"))
        for outdated in set(entry.parent.glob("*.npy")) - {entry}:
            discard(outdated)
    except OSError as error:
        _logger.warning("%s is not cached: %s", table.source, error)


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
