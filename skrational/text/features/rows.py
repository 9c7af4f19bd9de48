"""Feature rows of documents end to end: in a file that grows, or in memory."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.text.features.mapped_files import map_file
from skrational.utils.memory_maps import release

__all__ = ["RowFile", "RowMemory", "RowSpan"]

# What this process has checked: the state of each file then, and the spans.
_checked: dict[Path, tuple[tuple[int, ...], set[RowSpan]]] = {}


class RowSpan(NamedTuple):
    """The rows of a document: where they are, and their checksum."""

    first: int
    n_rows: int
    crc: int

    @property
    def stop(self) -> int:
        """The row after the last one."""
        return self.first + self.n_rows


class RowFile:
    """Rows in a file, to which new ones are appended.

    Whoever appends makes sure that nobody else does.

    Parameters
    ----------
    path : Path
        It may not be there yet.
    n_features : int
    dtype : dtype
    n_rows : int, default=0
        How many rows count; what stands behind them was left by a killed writer.
    temporary : bool, default=False
        Whether the file goes before other processes may be done with it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows = RowFile(Path(folder, "rows"), 2, np.dtype("float32"))
    ...     span = rows.append(np.float32([[1, 2], [3, 4]]))
    ...     rows.read(1, 2).tolist(), rows.damaged([span]), rows.n_rows
    ([[3.0, 4.0]], set(), 2)
    """

    def __init__(
        self,
        path: Path,
        n_features: int,
        dtype: np.dtype[Any],
        n_rows: int = 0,
        temporary: bool = False,
    ) -> None:
        self.path, self.n_rows = path, n_rows
        self.row_bytes = n_features * dtype.itemsize
        self._temporary = temporary
        # An empty file can't be mapped.
        self._map: NDArray[Any] = np.empty((0, n_features), dtype)

    @property
    def n_bytes(self) -> int:
        """Bytes of the rows."""
        return self.n_rows * self.row_bytes

    def append(self, rows: NDArray[Any]) -> RowSpan:
        """Add rows, all of them or, with an OSError, none."""
        rows = np.ascontiguousarray(rows)
        try:
            _write(self.path, self.n_bytes, rows.data)
        except OSError:
            self.cut_back(self.n_rows)
            raise
        span = RowSpan(self.n_rows, len(rows), zlib.crc32(rows.data))
        self.n_rows = span.stop
        return span

    def cut_back(self, n_rows: int) -> None:
        """Remove all rows but the first ones."""
        self.n_rows = n_rows
        with suppress(OSError):
            if self.path.stat().st_size > self.n_bytes:
                os.truncate(self.path, self.n_bytes)

    def read(self, first: int, stop: int) -> NDArray[np.floating]:
        """Return rows as a read-only memory map."""
        if stop > len(self._map):
            # One map serves all that follow; a map of rows that aren't there is fatal.
            n_rows = self.path.stat().st_size // self.row_bytes
            if stop > n_rows:
                raise OSError(f"{self.path} has been cut")
            shape = (n_rows, self._map.shape[1])
            self._map = map_file(
                self.path, self._map.dtype, shape, by_name=not self._temporary
            )
        return self._map[first:stop]

    def damaged(self, spans: Iterable[RowSpan]) -> set[RowSpan]:
        """Return the spans whose rows aren't as they were written.

        Those that are stay known for as long as the file doesn't change.
        """
        try:
            stat = self.path.stat()
        except OSError:
            return set(spans)
        now = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)
        state, sound = _checked.get(self.path, ((), set()))
        if state != now:
            sound = set()
            _checked[self.path] = now, sound
        found = set()
        for span in spans:
            if span in sound:
                continue
            if self._is_sound(span):
                sound.add(span)
            else:
                found.add(span)
        return found

    def _is_sound(self, span: RowSpan) -> bool:
        try:
            rows = np.ascontiguousarray(self.read(span.first, span.stop))
        except (OSError, ValueError):
            return False
        sound = zlib.crc32(rows.data) == span.crc
        release(rows)
        return sound


class RowMemory:
    """Rows in memory, where there is no room for a file; as `RowFile`."""

    def __init__(self, n_features: int, dtype: np.dtype[Any]) -> None:
        self._parts: list[NDArray[Any]] = [np.empty((0, n_features), dtype)]
        self.row_bytes = n_features * dtype.itemsize
        self.n_rows = 0

    def append(self, rows: NDArray[Any]) -> RowSpan:
        """Add rows."""
        self._parts.append(rows)
        self.n_rows += len(rows)
        return RowSpan(self.n_rows - len(rows), len(rows), 0)

    def read(self, first: int, stop: int) -> NDArray[np.floating]:
        """Return rows."""
        self._parts = [np.concatenate(self._parts)]
        return self._parts[0][first:stop]


def _write(path: Path, position: int, content: bytes | memoryview) -> None:
    """Write content as the end of a file, whatever stood there."""

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags | os.O_CREAT, 0o666)

    with open(path, "r+b", opener=opener) as file:
        if file.seek(0, os.SEEK_END) != position:
            file.truncate(position)
            file.seek(position)
        file.write(content)
