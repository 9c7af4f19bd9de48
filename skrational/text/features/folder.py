"""The folder of a cache of token features: a file of rows, and its index.

The index is a database. It knows of each document which rows are its own, its labels,
and checksums. The line without a key is about the folder: it says how many rows count
and, instead of labels, in which file they are and what features. A document counts from
the moment its transaction is complete, so that a writer may be killed at any time.
"""

from __future__ import annotations

import sqlite3
import uuid
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from skrational.text.features.database import (
    DamagedDatabaseError,
    locked,
    transaction,
)
from skrational.text.features.documents import DocumentSet, StoredDocument
from skrational.text.features.mapped_files import discard
from skrational.text.features.rows import RowFile, RowSpan

__all__ = ["CacheFolder"]

_FORMAT = "2"
_NO_KEY = ""
# What SQLite lets any of its builds ask for at once.
_MOST_KEYS = 999
# The indexes that this process has checked.
_checked: set[Path] = set()
_COLUMNS = "key, first, n_rows, rows_crc, labels, crc"


class CacheFolder:
    """A folder that keeps documents of one configuration.

    Parameters
    ----------
    folder : Path
        It may not be there yet.
    n_features : int
    dtype : dtype

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as name:
    ...     folder = CacheFolder(Path(name), 2, np.dtype("float32"))
    ...     with folder.locked():
    ...         documents = folder.begin_anew()
    ...         documents.add("ab", np.float32([[1, 2]]), b'["good"]')
    ...     documents, n_damaged = folder.read(["ab", "cd"])
    >>> list(documents.stored), n_damaged
    (['ab'], 0)
    """

    def __init__(self, folder: Path, n_features: int, dtype: np.dtype[Any]) -> None:
        self.folder = folder
        self._n_features, self._dtype = n_features, dtype
        self._kind = [_FORMAT, str(n_features), dtype.str]
        self._index = folder / "index.db"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep others from writing; an OSError if that can't be."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / "lock.db"):
            yield

    def row_files(self) -> set[Path]:
        """Return the files of rows, outdated ones among them."""
        return set(self.folder.glob("features-*.bin"))

    def remove_outdated(self, documents: DocumentSet) -> None:
        """Remove the rows that no index knows, of killed writers; needs the lock."""
        assert isinstance(documents.rows, RowFile)
        for outdated in self.row_files() - {documents.rows.path}:
            discard(outdated)

    def read(
        self, keys: Iterable[str], thorough: bool = False
    ) -> tuple[DocumentSet, int]:
        """Return those of these documents that are there, and how many are damaged.

        Parameters
        ----------
        keys : iterable of str
        thorough : bool, default=False
            Whether to check all of the index, unless this process has done so before.
            Otherwise damage may look as if a document weren't there.

        Raises
        ------
        FileNotFoundError
            If the folder has no index.
        DamagedDatabaseError
            If the index can't be read, or is one of other features.
        OSError
            If it can't be opened.
        """
        if not self._index.exists():
            raise FileNotFoundError(f"{self._index} is not there")
        wanted = [bytes.fromhex(key) for key in (_NO_KEY, *keys)]
        lines: list[tuple[Any, ...]] = []
        with transaction(self._index, "rw", "BEGIN") as database:
            for start in range(0, len(wanted), _MOST_KEYS):
                some = wanted[start : start + _MOST_KEYS]
                marks = ", ".join("?" * len(some))
                query = f"SELECT {_COLUMNS} FROM documents WHERE key IN ({marks})"
                lines += database.execute(query, some)
            if thorough and self._index not in _checked:
                ((found,),) = database.execute("PRAGMA integrity_check(1)")
                if found != b"ok":
                    raise DamagedDatabaseError(found.decode(errors="replace"))
                _checked.add(self._index)
            ((page_size,),) = database.execute("PRAGMA page_size")
            if self._index.stat().st_size % page_size:
                # SQLite fills up the last page with zeros.
                raise DamagedDatabaseError("it has been cut")
        stored = {}
        for key, first, n_rows, rows_crc, labels, crc in lines:
            span = RowSpan(first, n_rows, rows_crc)
            if isinstance(labels, bytes) and crc == _checksum(key, span, labels):
                stored[key.hex()] = StoredDocument(span, labels)
        n_damaged = len(lines) - len(stored)
        if _NO_KEY not in stored:
            raise DamagedDatabaseError("its first line is damaged")
        about = stored.pop(_NO_KEY)
        name, *kind = about.names()
        if kind != self._kind:
            raise DamagedDatabaseError(f"it holds other features, {kind}")
        rows = self._rows(name, about.rows.n_rows)
        documents = DocumentSet(rows, stored, self._record)
        return documents, n_damaged + documents.drop_damaged()

    def begin_anew(
        self,
        keys: Iterable[str] = (),
        source: DocumentSet | None = None,
        damaged: bool = False,
    ) -> DocumentSet:
        """Keep some documents, and no others; needs the lock.

        Parameters
        ----------
        keys : iterable of str, default=()
        source : DocumentSet or None, default=None
            Where these documents are, or some of them.
        damaged : bool, default=False
            Whether the index is damaged.

        Returns
        -------
        DocumentSet
            What is added to it is kept, too.

        Raises
        ------
        OSError
            If there is no room. An index that isn't damaged stays as it was.
        """
        rows = self._rows(f"features-{uuid.uuid4().hex[:8]}.bin")
        documents = DocumentSet(rows)
        try:
            rows.path.touch()
            if source is not None:
                documents.add_from(source, keys)
            if damaged:
                # The journal first: it would be taken for that of the next database.
                discard(self._index.with_name("index.db-journal"))
                discard(self._index)
            self._begin_index(rows, documents.stored)
        except OSError:
            discard(rows.path)
            raise
        documents.record = self._record
        self.remove_outdated(documents)
        return documents

    def _rows(self, name: str, n_rows: int = 0) -> RowFile:
        return RowFile(self.folder / name, self._n_features, self._dtype, n_rows)

    def _begin_index(self, rows: RowFile, stored: dict[str, StoredDocument]) -> None:
        with transaction(self._index, "rwc", "BEGIN IMMEDIATE") as database:
            database.execute("DROP TABLE IF EXISTS documents")
            database.execute(f"CREATE TABLE documents ({_COLUMNS}, PRIMARY KEY (key))")
            for key, document in {_NO_KEY: self._about(rows), **stored}.items():
                _insert(database, key, document)

    def _record(self, key: str, document: StoredDocument, rows: RowFile) -> None:
        """Let a document count, whose rows have been written."""
        with transaction(self._index, "rw", "BEGIN IMMEDIATE") as database:
            _insert(database, _NO_KEY, self._about(rows))
            _insert(database, key, document)

    def _about(self, rows: RowFile) -> StoredDocument:
        facts = StoredDocument.encode_labels([rows.path.name, *self._kind])
        return StoredDocument(RowSpan(0, rows.n_rows, 0), facts)


def _insert(database: sqlite3.Connection, key: str, document: StoredDocument) -> None:
    span, labels = document
    blob = bytes.fromhex(key)
    database.execute(
        "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?)",
        (blob, *span, labels, _checksum(blob, span, labels)),
    )


def _checksum(key: bytes, span: RowSpan, labels: bytes) -> int:
    return zlib.crc32(labels, zlib.crc32(repr((key, *span)).encode()))
