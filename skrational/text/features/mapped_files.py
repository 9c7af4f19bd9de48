"""Memory maps, and folders that stay for as long as this process maps their files.

joblib sends an np.memmap to its workers by name: a file that is mapped as one has to
keep its name.
"""

from __future__ import annotations

import os
import shutil
import threading
import weakref
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from skrational.utils.memory_maps import may_release

__all__ = ["discard", "map_file"]

_maps: list[tuple[weakref.ref[mmap], Path]] = []
_lock = threading.RLock()


def map_file(
    path: Path, dtype: np.dtype[Any], shape: tuple[int, ...], by_name: bool = True
) -> NDArray[Any]:
    """Map a file that isn't empty into memory, read-only.

    Not ``by_name``, it is no np.memmap: joblib copies what it sends to other processes,
    which may outlive the file.
    """
    if by_name:
        array: NDArray[Any] = np.memmap(path, dtype, "r", shape=shape)
        pages = cast(mmap, array.base)
    else:
        with open(path, "rb") as file:
            pages = mmap(file.fileno(), 0, access=ACCESS_READ)
        array = np.ndarray(shape, dtype, buffer=pages)
        may_release(pages)
    with _lock:
        _maps[:] = [(ref, name) for ref, name in _maps if ref() is not None]
        _maps.append((weakref.ref(pages), path))
    return array


def discard(folder: Path) -> None:
    """Remove a folder as soon as no array of this process maps a file in it."""
    for ref in [ref for ref, path in list(_maps) if path.parent == folder]:
        mapped = ref()
        if mapped is not None:
            weakref.finalize(mapped, _unmapped, ref, folder, os.getpid())
            return
    shutil.rmtree(folder, ignore_errors=True)


def _unmapped(ref: weakref.ref[mmap], folder: Path, process: int) -> None:
    if process != os.getpid():  # a fork, whose parent goes on using the folder
        return
    with _lock:
        # At exit the map may still be there.
        _maps[:] = [pair for pair in _maps if pair[0] is not ref]
    discard(folder)
