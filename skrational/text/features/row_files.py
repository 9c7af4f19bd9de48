"""The files of a cache of token features: written, read, and checked.

A folder holds the feature rows of its documents end to end, the labels of each document
as JSON, and an index with a line for each document. A document counts from the moment
its line is complete, so that a writer may be killed at any time.
"""

from __future__ import annotations

import itertools
import json
import os
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from skrational.sequences import SequenceArray
from skrational.sequences.parts import offsets_of
from skrational.text.features.mapped_files import map_file
from skrational.utils.memory_maps import release

__all__ = ["Document", "FeatureFiles", "FeatureMemory", "Place", "copy", "gather"]

# What this process has checked: entries of a folder, and the state of the file then.
_checked: dict[tuple[str, int], tuple[int, ...]] = {}


_COPIED = 2**26
"""Bytes of rows that are copied rather than mapped with all that is between them."""


class Document(NamedTuple):
    """Features and labels of a document, as they are stored."""

    rows: NDArray[np.floating]
    labels: bytes
    rows_crc: int

    @classmethod
    def encode(cls, rows: NDArray[Any], labels: Sequence[str]) -> Document:
        """Return the document whose token t has the features rows[t]."""
        rows = np.ascontiguousarray(rows)
        # Escapes would join a pair of lone surrogates into one character.
        text = json.dumps(list(labels), ensure_ascii=False)
        return cls(rows, text.encode("utf-8", "surrogatepass"), zlib.crc32(rows.data))


class Entry(NamedTuple):
    """Where the rows and labels of a document are, and their checksums."""

    key: str
    first: int
    n_rows: int
    labels_start: int
    labels_size: int
    rows_crc: int
    labels_crc: int

    def line(self) -> bytes:
        """Return the line of the index, which ends in its own checksum."""
        body = " ".join(map(str, self)).encode()
        return b"%b %08x\n" % (body, zlib.crc32(body))

    @classmethod
    def parse(cls, line: bytes) -> Entry | None:
        """Read a line of the index; None if it's damaged."""
        body, _, crc = line.rpartition(b" ")
        if crc != b"%08x" % zlib.crc32(body):
            return None
        try:
            key, *numbers = body.decode().split(" ")
            return cls(key, *map(int, numbers))
        except (TypeError, ValueError):  # a checksum that fits by chance
            return None

    @property
    def stop(self) -> int:
        """The row after the last one."""
        return self.first + self.n_rows


class FeatureFiles:
    """The documents in a folder.

    Reading needs no lock. Whoever appends makes sure that nobody else does, since the
    index was read.

    Parameters
    ----------
    folder : path-like
    n_features : int
    dtype : dtype
    new : bool, default=False
        Make the folder, unless it's there, and empty files in it.
    temporary : bool, default=False
        Whether the files go before other processes may be done with them.

    Attributes
    ----------
    entries : dict from str to Entry
        The documents, by key.
    damaged : bool
        Whether the index has lines that could not be read.

    Raises
    ------
    OSError
        If the index cannot be read, or the folder cannot be made.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        n_features: int,
        dtype: np.dtype[Any],
        new: bool = False,
        temporary: bool = False,
    ) -> None:
        self.folder = Path(folder)
        self._temporary = temporary
        self._width, self._dtype = n_features, dtype
        self.row_bytes = n_features * dtype.itemsize
        self._rows_path = self.folder / "features.bin"
        self._labels_path = self.folder / "labels.bin"
        self._index_path = self.folder / "index.txt"
        # An empty file can't be mapped.
        self._map: NDArray[Any] = np.empty((0, n_features), dtype)
        self._labels_map: NDArray[Any] = np.empty(0, np.uint8)
        if new:
            self.folder.mkdir(exist_ok=True)
            for path in (self._rows_path, self._labels_path, self._index_path):
                path.touch()
        self._read_index()

    def _read_index(self) -> None:
        text = self._index_path.read_bytes()
        *lines, rest = text.split(b"\n")
        parsed = [Entry.parse(line) for line in lines]
        found = [entry for entry in parsed if entry is not None]
        self.entries = {entry.key: entry for entry in found}
        self.damaged = bool(rest) or len(found) < len(parsed)
        # Lines that were superseded count: somebody may have mapped their rows.
        rows = [e.stop for e in found]
        labels = [e.labels_start + e.labels_size for e in found]
        if self.damaged:
            # The lines that are lost may speak of all that is there.
            rows.append(-(-_size(self._rows_path) // self.row_bytes))
            labels.append(_size(self._labels_path))
        self._n_rows, self._labels_end = max(rows, default=0), max(labels, default=0)
        self._index_end = len(text)

    @property
    def size(self) -> int:
        """Bytes of the features."""
        return self._n_rows * self.row_bytes

    def append(self, key: str, document: Document) -> None:
        """Add a document, all of it or, with an OSError, nothing."""
        rows, labels, rows_crc = document
        place = (self._n_rows, len(rows), self._labels_end, len(labels))
        entry = Entry(key, *place, rows_crc, zlib.crc32(labels))
        line = entry.line()
        try:
            _write(self._rows_path, self.size, rows.data)
            _write(self._labels_path, self._labels_end, labels)
            if self.damaged:
                # In one step: without the new line, rows that lost theirs would be cut.
                line = b"".join(e.line() for e in self.entries.values()) + line
                self._replace_index(line)
            else:
                _write(self._index_path, self._index_end, line)
        except OSError:
            self._cut_back()
            raise
        self.entries[key] = entry
        self._n_rows += len(rows)
        self._labels_end += len(labels)
        self._index_end = len(line) + (0 if self.damaged else self._index_end)
        self.damaged = False

    def _replace_index(self, text: bytes) -> None:
        part = self._index_path.with_suffix(".part")
        try:
            part.write_bytes(text)
            os.replace(part, self._index_path)
        except OSError:
            part.unlink(missing_ok=True)
            raise

    def _cut_back(self) -> None:
        for path, end in (
            (self._index_path, self._index_end),
            (self._labels_path, self._labels_end),
            (self._rows_path, self.size),
        ):
            with suppress(OSError):
                if _size(path) > end:
                    os.truncate(path, end)

    def drop_damaged(self, keys: Iterable[str]) -> int:
        """Forget those of these documents that are damaged; return how many were."""
        found = [self.entries[key] for key in keys if key in self.entries]
        damaged = [entry for entry in found if not self._sound(entry)]
        for entry in damaged:
            del self.entries[entry.key]
        return len(damaged)

    def _sound(self, entry: Entry) -> bool:
        try:
            labels = self._label_bytes(entry)
            if zlib.crc32(labels) != entry.labels_crc:
                return False
            state = self._rows_path.stat()
            if state.st_size < entry.stop * self.row_bytes:
                return False
            mark = (str(self.folder), hash(entry))
            now = (state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns)
            if _checked.get(mark) != now:
                rows = np.ascontiguousarray(self.rows(entry.first, entry.stop))
                sound = zlib.crc32(rows.data) == entry.rows_crc
                release(rows)
                if not sound:
                    return False
                _checked[mark] = now
        except (OSError, ValueError):
            return False
        return True

    def rows(self, first: int, stop: int) -> NDArray[np.floating]:
        """Return rows as a read-only memory map."""
        if stop > len(self._map):
            # One map serves all that follow; a map of rows that aren't there is fatal.
            n_rows = _size(self._rows_path) // self.row_bytes
            if stop > n_rows:
                raise OSError(f"{self._rows_path} has been cut")
            shape = (n_rows, self._width)
            self._map = map_file(
                self._rows_path, self._dtype, shape, by_name=not self._temporary
            )
        return self._map[first:stop]

    def labels(self, key: str) -> list[str]:
        """Return the label of each token of a document."""
        names: list[str] = json.loads(_decode(self._label_bytes(self.entries[key])))
        return names

    def _label_bytes(self, entry: Entry) -> bytes:
        stop = entry.labels_start + entry.labels_size
        if stop > len(self._labels_map):
            size = _size(self._labels_path)
            if stop > size:
                raise OSError(f"{self._labels_path} has been cut")
            self._labels_map = np.memmap(self._labels_path, np.uint8, "r", shape=size)
        return self._labels_map[entry.labels_start : stop].tobytes()

    def document(self, key: str) -> Document:
        """Return a document with the checksum that it was written with."""
        entry = self.entries[key]
        rows = self.rows(entry.first, entry.stop)
        return Document(rows, self._label_bytes(entry), entry.rows_crc)


class FeatureMemory:
    """Documents in memory, where there is no room for files; as `FeatureFiles`."""

    def __init__(self, n_features: int, dtype: np.dtype[Any]) -> None:
        self.entries: dict[str, Entry] = {}
        self._documents: dict[str, Document] = {}
        self._empty = np.empty((0, n_features), dtype)
        self.row_bytes = n_features * dtype.itemsize
        self._n_rows = 0

    def append(self, key: str, document: Document) -> None:
        """Add a document."""
        self._documents[key] = document
        self.entries[key] = Entry(key, self._n_rows, len(document.rows), 0, 0, 0, 0)
        self._n_rows += len(document.rows)

    def rows(self, first: int, stop: int) -> NDArray[np.floating]:
        """Return rows of all documents."""
        parts = [self._empty, *(d.rows for d in self._documents.values())]
        return np.concatenate(parts)[first:stop]

    def labels(self, key: str) -> list[str]:
        """Return the label of each token of a document."""
        names: list[str] = json.loads(_decode(self._documents[key].labels))
        return names

    def document(self, key: str) -> Document:
        """Return a document."""
        return self._documents[key]


Place: TypeAlias = FeatureFiles | FeatureMemory


def copy(keys: Iterable[str], source: Place, target: Place) -> None:
    """Copy those of these documents that the source has."""
    for key in keys:
        if key in source.entries:
            target.append(key, source.document(key))


def gather(place: Place, keys: Sequence[str]) -> SequenceArray:
    """Return documents as sequences that share the rows of their place.

    Parameters
    ----------
    place : FeatureFiles or FeatureMemory
    keys : sequence of str
        Documents of the place, in any order, maybe more than once.

    Returns
    -------
    SequenceArray
        Without ``indices`` if the documents stand next to each other in this order.
    """
    found = [place.entries[key] for key in keys]
    filled = [entry for entry in found if entry.n_rows]
    low = min((entry.first for entry in filled), default=0)
    high = max((entry.stop for entry in filled), default=0)
    offsets = offsets_of(np.array([entry.n_rows for entry in found], dtype=np.int64))
    if 2 * offsets[-1] < high - low and offsets[-1] * place.row_bytes <= _COPIED:
        # A few documents need not hold on to all that stands between them.
        parts = [place.rows(0, 0), *(place.rows(e.first, e.stop) for e in filled)]
        names = [name for entry in filled for name in place.labels(entry.key)]
        rows = np.concatenate(parts)
        return SequenceArray(rows, offsets, labels=np.array([*names, ""], object)[:-1])
    features = place.rows(low, high)
    labels = np.full(high - low, "", dtype=object)
    known: dict[str, str] = {}
    for entry in set(filled):
        names = [known.setdefault(name, name) for name in place.labels(entry.key)]
        labels[entry.first - low : entry.stop - low] = names
    if all(a.stop == b.first for a, b in itertools.pairwise(filled)):
        return SequenceArray(features, offsets, labels=labels)
    shifts = np.array([entry.first - low for entry in found]) - offsets[:-1]
    indices = np.arange(offsets[-1]) + np.repeat(shifts, np.diff(offsets))
    return SequenceArray(features, offsets, indices, labels)


def _decode(labels: bytes) -> str:
    return labels.decode("utf-8", "surrogatepass")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _write(path: Path, position: int, content: bytes | memoryview) -> None:
    """Write content as the end of a file, whatever stood there."""

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags | os.O_CREAT, 0o666)

    with open(path, "r+b", opener=opener) as file:
        if file.seek(0, os.SEEK_END) != position:
            file.truncate(position)
            file.seek(position)
        file.write(content)
