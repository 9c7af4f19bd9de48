"""Memory maps, and files that stay for as long as this process maps them.

joblib sends an np.memmap to its workers by name: a file that is mapped as one has to
keep its name.
"""

from __future__ import annotations

import os
import weakref
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from skrational.utils import files
from skrational.utils.fork_locks import Lock
from skrational.utils.memory_maps import may_release

__all__ = ["discard", "map_file"]

_maps: list[tuple[weakref.ref[mmap], Path]] = []
_lock = Lock()


def map_file(
    path: Path, dtype: np.dtype[Any], shape: tuple[int, ...], by_name: bool = True
) -> NDArray[Any]:
    """Map a file that isn't empty into memory, read-only.

    Parameters
    ----------
    path : Path
    dtype : dtype
    shape : tuple of int
    by_name : bool, default=True
        Whether the array is an np.memmap, which joblib's workers open by its name.
        Otherwise joblib copies what it sends to other processes, which may outlive the
        file.

    Returns
    -------
    ndarray of this shape and dtype

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     np.arange(6.0).tofile(file.name)
    ...     rows = map_file(Path(file.name), np.dtype(float), (3, 2))
    >>> rows.sum(axis=0).tolist(), rows.flags.writeable
    ([6.0, 9.0], False)
    """
    if by_name:
        array: NDArray[Any] = np.memmap(path, dtype, "r", shape=shape)
        pages = cast(mmap, array.base)
    else:
        with open(path, "rb") as file:
            pages = mmap(file.fileno(), 0, access=ACCESS_READ)
        array = np.ndarray(shape, dtype, buffer=pages)
        may_release(pages)
    with _lock.held:
        _maps[:] = [(ref, name) for ref, name in _maps if ref() is not None]
        _maps.append((weakref.ref(pages), path))
    return array


def discard(path: Path) -> None:
    """Remove a file as soon as no array of this process maps it."""
    for ref in [ref for ref, name in list(_maps) if name == path]:
        mapped = ref()
        if mapped is not None:
            weakref.finalize(mapped, _unmapped, ref, path, os.getpid())
            return
    files.discard(path)


def _unmapped(ref: weakref.ref[mmap], path: Path, process: int) -> None:
    if process != os.getpid():  # a fork, whose parent goes on using the file
        return
    with _lock.held:
        # At exit the map may still be there.
        _maps[:] = [pair for pair in _maps if pair[0] is not ref]
    discard(path)
