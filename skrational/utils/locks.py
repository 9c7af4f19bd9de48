"""A file that one process at a time holds; its lock ends when the process does."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EACCES, EAGAIN, EDEADLK
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # Windows has another call for it
    fcntl = None  # type: ignore[assignment]

__all__ = ["FileLock", "HeldError", "scratch_folder"]

_OF_OTHERS = {EACCES, EAGAIN, EDEADLK}
"""Errors that say that somebody else holds a lock, and not that there are no locks."""

_LOCK = "lock"
_descriptors: set[int] = set()


class HeldError(OSError):
    """Somebody else holds the lock; the message says who, as far as is known."""


class FileLock:
    """A file that is locked from now on, until it's released or the process is gone.

    A fork doesn't hold the lock of its parent.

    Parameters
    ----------
    path : Path
        Made, and removed again. It says who holds it.

    Attributes
    ----------
    fault : str
        Why the file system can't lock it, and nobody is kept out; empty if it can.

    Raises
    ------
    HeldError
        If another process, or another part of this one, holds it.
    OSError
        If the file can't be made.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     lock = FileLock(Path(folder, "lock"))
    ...     try:
    ...         FileLock(Path(folder, "lock"))
    ...     except HeldError:
    ...         print("held")
    ...     lock.release()
    ...     FileLock(Path(folder, "lock")).release()
    held
    """

    def __init__(self, path: Path) -> None:
        descriptor, self.fault = _open_locked(path)
        _descriptors.add(descriptor)
        os.truncate(descriptor, 0)
        with suppress(OSError):  # a full disk
            os.write(descriptor, f"{os.getpid()} on {socket.gethostname()}".encode())
        self._descriptor, self._path = descriptor, path
        self._release = weakref.finalize(self, _release, descriptor, path, os.getpid())

    @property
    def is_held(self) -> bool:
        """Whether it still keeps others out: not once its file was removed."""
        if self._descriptor not in _descriptors:
            return False
        return bool(self.fault) or _is_at(self._descriptor, self._path)

    def release(self) -> None:
        """Let others have it; doing so twice does no harm."""
        self._release()


@contextmanager
def scratch_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """Yield a new folder that goes at the end, and those with it that killed ones left.

    Parameters
    ----------
    parent : Path
        Where it's made.
    prefix : str
        Of its name, and of those of its kind.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     with scratch_folder(Path(parent), ".scratch-") as folder:
    ...         folder.name.startswith(".scratch-"), folder.is_dir()
    ...     folder.exists()
    (True, True)
    False
    """
    for left_over in parent.glob(f"{prefix}*"):
        with suppress(OSError):  # someone is at work there, or has just ended
            lock = FileLock(left_over / _LOCK)
            if not lock.fault:
                shutil.rmtree(left_over, ignore_errors=True)
            lock.release()
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as name:
        lock = FileLock(Path(name, _LOCK))
        try:
            yield Path(name)
        finally:
            lock.release()


def _open_locked(path: Path) -> tuple[int, str]:
    """Open a file, and lock it; its last holder may remove it just then.

    Returns
    -------
    descriptor : int
    fault : str
        As of `FileLock`.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fault = _lock(descriptor, path)
            if _is_at(descriptor, path):
                return descriptor, fault
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> str:
    """Lock a file; return why the file system can't, or nothing."""
    try:
        if fcntl is not None:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            _lock_on_windows(descriptor)
    except OSError as error:
        if error.errno in _OF_OTHERS:
            raise HeldError(f"{path} is held by process {_holder(path)}") from None
        return str(error)
    return ""


def _lock_on_windows(descriptor: int) -> None:
    import msvcrt

    windows: Any = msvcrt
    # Far behind what is written: a locked byte can't be read by others.
    os.lseek(descriptor, 2**20, os.SEEK_SET)
    windows.locking(descriptor, windows.LK_NBLCK, 1)
    os.lseek(descriptor, 0, os.SEEK_SET)


def _holder(path: Path) -> str:
    try:
        return path.read_text(errors="replace")[:99] or "unknown"
    except OSError:
        return "unknown"


def _release(descriptor: int, path: Path, process: int) -> None:
    if process != os.getpid() or descriptor not in _descriptors:
        return  # a fork, which has closed it
    _descriptors.discard(descriptor)
    with suppress(OSError):
        # Unless somebody has emptied the folder, and another holds it since.
        if _is_at(descriptor, path):
            path.unlink()
    os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether an open file still has this name."""
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    return False


def _let_go() -> None:
    """Close, in a fork, what would keep the locks alive after their holder's end."""
    for descriptor in _descriptors:
        with suppress(OSError):
            os.close(descriptor)
    _descriptors.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go)
