"""Memory maps: what was read of a file need not stay in memory."""

from __future__ import annotations

import mmap
import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["may_release", "read_rows", "release"]

_ROWS_AT_ONCE = 64
"""Each row that is read may bring as many megabytes of the file along."""

_releasable: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


def may_release(pages: mmap.mmap) -> None:
    """Let `release` give back the pages of a map that no np.memmap stands for."""
    _releasable.add(pages)


def release(array: NDArray[Any]) -> None:
    """Give back the pages of a memory map that were read; do nothing to other arrays.

    The system would keep them until it needs the room, and count them as this process's
    memory. The file's contents stay in its cache as long as there is room, so that to
    read them again costs little. Maps whose changes are not written to the file
    (``mode="c"``) are left alone.

    Parameters
    ----------
    array : ndarray
        A memory map, or a view of one.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     np.arange(4.0).tofile(file.name)
    ...     array = np.memmap(file.name, mode="r")
    ...     release(array)
    ...     array.view(float).tolist()
    [0.0, 1.0, 2.0, 3.0]
    """
    owner: Any = array
    written_to_file = False
    while isinstance(owner, np.ndarray):
        if isinstance(owner, np.memmap):
            written_to_file = owner.mode in ("r", "r+", "w+")
        owner = owner.base
    if isinstance(owner, memoryview):
        owner = owner.obj
    # Of a private map the changes would be lost.
    known = isinstance(owner, mmap.mmap) and (written_to_file or owner in _releasable)
    if known and hasattr(owner, "madvise"):
        owner.madvise(mmap.MADV_DONTNEED)


def read_rows(array: NDArray[Any], rows: NDArray[np.integer]) -> NDArray[Any]:
    """Copy some rows that lie far apart, of a map giving back its pages on the way.

    Parameters
    ----------
    array : ndarray of shape (n_rows, ...)
        A memory map, a view of one, or any other array.
    rows : ndarray of shape (n,), integer

    Returns
    -------
    ndarray of shape (n, ...)

    Examples
    --------
    >>> read_rows(np.array([[1.0], [2.0], [3.0]]), np.array([2, 0])).tolist()
    [[3.0], [1.0]]
    """
    out = np.empty((len(rows), *array.shape[1:]), array.dtype)
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        some = slice(start, start + _ROWS_AT_ONCE)
        out[some] = array[rows[some]]
        release(array)
    return out
