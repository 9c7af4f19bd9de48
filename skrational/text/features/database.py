"""Databases of SQLite: a transaction at a time, and one as a lock.

Each transaction opens the database and closes it again: a process and its fork must not
share a connection.

The journal is SQLite's rollback journal. A write-ahead log, its other one, doesn't work
on network file systems; and a transaction that writes a document keeps nobody waiting.
What keeps two processes from embedding the same texts is the lock.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from skrational.utils.fork_locks import Lock

__all__ = ["DamagedDatabaseError", "locked", "transaction"]

# So many seconds a transaction waits for that of another process.
_TIMEOUT = 60.0
# Other errors say nothing about the content of the database.
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}


class DamagedDatabaseError(OSError):
    """The database is damaged, or is none."""


# Forks wait for the transactions of other threads: SQLite would take their locks for
# those of the child. Embedding takes too long to wait for; the child has to know of it.
_transactions = Lock()
_locked: set[tuple[int, int]] = set()
_locked_by_parent: set[tuple[int, int]] = set()


def _forked() -> None:
    _locked_by_parent.update(_locked)
    _locked.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)


@contextmanager
def transaction(path: Path, mode: str, begin: str) -> Iterator[sqlite3.Connection]:
    """Yield a database; all that is done to it counts, or with an error nothing.

    Parameters
    ----------
    path : Path
    mode : {"rw", "rwc"}
        Whether to make the database ("c") if it isn't there. One that can't be written
        can be read.
    begin : {"BEGIN", "BEGIN IMMEDIATE"}
        Whether it's to be written ("IMMEDIATE").

    Raises
    ------
    DamagedDatabaseError
        If it's damaged, or no database.
    OSError
        If it can't be read or written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.db")
    ...     with transaction(path, "rwc", "BEGIN IMMEDIATE") as database:
    ...         _ = database.execute("CREATE TABLE words (word)")
    ...         _ = database.execute("INSERT INTO words VALUES (?)", ["good"])
    ...     with transaction(path, "rw", "BEGIN") as database:
    ...         database.execute("SELECT word FROM words").fetchall()
    [(b'good',)]
    """
    with _transactions.held, _as_oserror(path):
        with closing(_connect(path, mode, _TIMEOUT)) as database:
            # A power failure loses nothing that can't be embedded again.
            database.execute("PRAGMA synchronous = OFF")
            database.execute(begin)
            yield database
            database.execute("COMMIT")


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a database, which is always empty.

    Parameters
    ----------
    path : Path
        It's made if it isn't there.

    Raises
    ------
    OSError
        If that can't be: in a folder that can't be written, or in a fork whose parent
        held the lock when it began, for SQLite takes that for one of its own.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, locked(Path(folder, "lock.db")):
    ...     pass
    """
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


def _connect(path: Path, mode: str, timeout: float) -> sqlite3.Connection:
    with _as_oserror(path):
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
        with _as_oserror(path):
            database.execute("BEGIN IMMEDIATE")
    except DamagedDatabaseError:
        if not path.stat().st_size:
            raise
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
def _as_oserror(path: Path) -> Iterator[None]:
    """Turn errors of SQLite into an OSError, or a DamagedDatabaseError."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:  # of what SQLite quotes
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        # The header of a damaged database may say that it must not be written.
        damaged_header = code == sqlite3.SQLITE_READONLY and os.access(path, os.W_OK)
        # Of an extended code the lowest byte is the error.
        damaged = code & 0xFF in _DAMAGE or damaged_header
        kind = DamagedDatabaseError if damaged else OSError
        raise kind(str(error)) from error
