"""The index of a cache of token features: a database of SQLite.

It names the file that holds the feature rows, and knows of each document which rows are
its own, its labels, and checksums. A document counts from the moment its transaction is
complete, so that a writer may be killed at any time.

The journal is SQLite's rollback journal. A write-ahead log, its other one, doesn't work
on network file systems; and nobody waits for long here, since a transaction writes one
document. What keeps two processes from embedding the same texts is another lock.
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from skrational.text.features.rows import RowSpan
from skrational.utils.files import discard

__all__ = ["DamagedIndexError", "FeatureIndex", "IndexContent", "StoredDocument"]

_FORMAT = 2
# So many seconds a transaction waits for that of another process.
_TIMEOUT = 60.0
# What SQLite lets any of its builds ask for at once.
_MOST_KEYS = 999
# These errors say nothing about the content of the database.
_FAULTS_OF_THE_SYSTEM = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOLFS,
    sqlite3.SQLITE_PROTOCOL,
}

_COLUMNS = "key, first, n_rows, rows_crc, labels, crc"


class DamagedIndexError(OSError):
    """The database is damaged, or is none."""


class StoredDocument(NamedTuple):
    """The rows and the labels of a document."""

    rows: RowSpan
    labels: bytes

    @staticmethod
    def encode_labels(labels: Sequence[str]) -> bytes:
        """Return labels as JSON."""
        # Escapes would join a pair of lone surrogates into one character.
        text = json.dumps(list(labels), ensure_ascii=False)
        return text.encode("utf-8", "surrogatepass")

    def names(self) -> list[str]:
        """Return the label of each token."""
        names: list[str] = json.loads(self.labels.decode("utf-8", "surrogatepass"))
        return names


class IndexContent(NamedTuple):
    """What an index knows of some documents.

    Parameters
    ----------
    file : str
        The name of the file of rows.
    n_rows : int
        How many rows of it count.
    documents : dict from str to StoredDocument
        By key, those that are there.
    n_damaged : int
        How many of the documents have an entry that is damaged.
    """

    file: str
    n_rows: int
    documents: dict[str, StoredDocument]
    n_damaged: int


class FeatureIndex:
    """The database in a folder.

    Each method opens it and closes it again: a connection must not be shared by a
    process and its fork. Whoever writes holds the `lock`.

    Parameters
    ----------
    folder : Path
    n_features : int
    dtype : dtype

    Examples
    --------
    >>> import tempfile
    >>> document = StoredDocument(RowSpan(0, 1, 7), b'["good"]')
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     index = FeatureIndex(Path(folder), 3, np.dtype("float16"))
    ...     index.begin("rows.bin", 0, {})
    ...     index.add("ab", document, "rows.bin", 1)
    ...     content = index.read(["ab", "cd"])
    >>> content.n_rows, content.documents["ab"].names()
    (1, ['good'])
    """

    def __init__(self, folder: Path, n_features: int, dtype: np.dtype[Any]) -> None:
        self.folder = folder
        self._n_features, self._dtype = n_features, dtype
        self._path = folder / "index.db"

    def read(self, keys: Iterable[str]) -> IndexContent:
        """Read what is known of some documents.

        Raises
        ------
        FileNotFoundError
            If there is no database.
        DamagedIndexError
            If it can't be read, or is one of other features.
        OSError
            If it can't be opened.
        """
        wanted = [bytes.fromhex(key) for key in keys]
        lines: list[tuple[Any, ...]] = []
        if not self._path.exists():
            raise FileNotFoundError(f"{self._path} is not there")
        with _transaction(self._path, "rw", "BEGIN") as database:
            query = "SELECT facts, crc FROM description"
            file, n_rows = self._read_facts(database.execute(query).fetchall())
            ((page_size,),) = database.execute("PRAGMA page_size")
            if self._path.stat().st_size % page_size:
                # SQLite would fill up the last page with zeros.
                raise DamagedIndexError("it has been cut")
            for start in range(0, len(wanted), _MOST_KEYS):
                some = wanted[start : start + _MOST_KEYS]
                marks = ", ".join("?" * len(some))
                query = f"SELECT {_COLUMNS} FROM documents WHERE key IN ({marks})"
                lines += database.execute(query, some)
        documents = {}
        for key, first, n, rows_crc, labels, crc in lines:
            span = RowSpan(first, n, rows_crc)
            if isinstance(labels, bytes) and crc == _checksum(key, span, labels):
                documents[key.hex()] = StoredDocument(span, labels)
        return IndexContent(file, n_rows, documents, len(lines) - len(documents))

    def begin(
        self, file: str, n_rows: int, documents: Mapping[str, StoredDocument]
    ) -> None:
        """Hold these documents, and no others, from now on.

        Parameters
        ----------
        file : str
            The name of the file that holds their rows.
        n_rows : int
            How many rows of it count.
        documents : mapping from str to StoredDocument
            By key.
        """
        with _transaction(self._path, "rwc", "BEGIN IMMEDIATE") as database:
            for name, columns in (
                ("description", "facts, crc"),
                ("documents", f"{_COLUMNS}, PRIMARY KEY (key)"),
            ):
                database.execute(f"DROP TABLE IF EXISTS {name}")
                database.execute(f"CREATE TABLE {name} ({columns})")
            facts = self._facts(file, n_rows)
            database.execute(
                "INSERT INTO description VALUES (?, ?)", (facts, zlib.crc32(facts))
            )
            for key, document in documents.items():
                _insert(database, key, document)

    def add(self, key: str, document: StoredDocument, file: str, n_rows: int) -> None:
        """Add a document, or replace the one of this key.

        Parameters
        ----------
        key : str
        document : StoredDocument
        file : str
            The name of the file that holds its rows.
        n_rows : int
            How many rows of it count, with those of the document.
        """
        facts = self._facts(file, n_rows)
        with _transaction(self._path, "rw", "BEGIN IMMEDIATE") as database:
            database.execute(
                "UPDATE description SET facts = ?, crc = ?", (facts, zlib.crc32(facts))
            )
            _insert(database, key, document)

    def remove(self) -> None:
        """Remove the database."""
        # The journal first: it would be taken for that of the next database.
        for name in (f"{self._path.name}-journal", self._path.name):
            discard(self.folder / name)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Keep others from writing, in this process and in others.

        Raises
        ------
        OSError
            If that can't be: in a folder that can't be written, or in a fork whose
            parent was writing when it began, for SQLite takes the lock of the parent
            for one of its own.
        """
        path = self.folder / "lock.db"
        # A longer wait could not be interrupted by a key.
        with closing(_connect(path, "rwc", timeout=1.0)) as database:
            stat = path.stat()
            mark = stat.st_dev, stat.st_ino
            if mark in _locked_by_parent:
                raise OSError("the process that this one was forked from is writing")
            while not _begin_lock(database, path):
                pass
            _locked.add(mark)
            try:
                yield
            finally:
                _locked.discard(mark)

    def _facts(self, file: str, n_rows: int) -> bytes:
        facts = [_FORMAT, self._n_features, self._dtype.str, file, n_rows]
        return json.dumps(facts).encode()

    def _read_facts(self, lines: list[tuple[Any, ...]]) -> tuple[str, int]:
        try:
            ((facts, crc),) = lines
            sound = zlib.crc32(facts) == crc
        except (TypeError, ValueError):
            sound = False
        if not sound:
            raise DamagedIndexError("its description is damaged")
        *_, file, n_rows = json.loads(facts)
        if self._facts(file, n_rows) != facts:
            raise DamagedIndexError(f"it holds other features: {facts.decode()}")
        return file, n_rows


def _insert(database: sqlite3.Connection, key: str, document: StoredDocument) -> None:
    span, labels = document
    blob = bytes.fromhex(key)
    database.execute(
        "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?)",
        (blob, *span, labels, _checksum(blob, span, labels)),
    )


def _checksum(key: bytes, span: RowSpan, labels: bytes) -> int:
    return zlib.crc32(labels, zlib.crc32(repr((key, *span)).encode()))


# Forks wait for the transactions of other threads: SQLite would take their locks for
# those of the child. Embedding takes too long to wait for; the child has to know of it.
_transactions = threading.RLock()
_locked: set[tuple[int, int]] = set()
_locked_by_parent: set[tuple[int, int]] = set()


def _forked() -> None:
    _transactions.release()
    _locked_by_parent.update(_locked)
    _locked.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_transactions.acquire,
        after_in_parent=_transactions.release,
        after_in_child=_forked,
    )


@contextmanager
def _transaction(path: Path, mode: str, begin: str) -> Iterator[sqlite3.Connection]:
    """Yield a database; all that is done to it counts, or with an error nothing."""
    with _transactions, _as_oserror():
        with closing(_connect(path, mode, _TIMEOUT)) as database:
            # A power failure loses nothing that can't be embedded again.
            database.execute("PRAGMA synchronous = OFF")
            database.execute(begin)
            yield database
            database.execute("COMMIT")


def _connect(path: Path, mode: str, timeout: float) -> sqlite3.Connection:
    with _as_oserror():
        database = sqlite3.connect(
            f"{path.as_uri()}?mode={mode}",
            timeout=timeout,
            isolation_level=None,
            uri=True,
        )
        # Damage can make anything of a text.
        database.text_factory = bytes
        return database


def _begin_lock(database: sqlite3.Connection, path: Path) -> bool:
    """Lock a database that is always empty; return whether nobody else has."""
    try:
        with _as_oserror():
            database.execute("BEGIN IMMEDIATE")
    except DamagedIndexError:
        # Somebody wrote to it. Others who notice it do the same.
        os.truncate(path, 0)
        return False
    except OSError as error:
        cause = error.__cause__
        if getattr(cause, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


@contextmanager
def _as_oserror() -> Iterator[None]:
    """Turn errors of SQLite into an OSError, or a DamagedIndexError."""
    try:
        yield
    except sqlite3.Error as error:
        # Of an extended code the lowest byte is the error.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        kind = OSError if code in _FAULTS_OF_THE_SYSTEM else DamagedIndexError
        raise kind(str(error)) from error
