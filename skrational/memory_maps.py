"""Memory maps: what was read of a file need not stay in memory."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["release"]


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
    keeps_changes = False
    while isinstance(owner, np.ndarray):
        keeps_changes |= isinstance(owner, np.memmap) and owner.mode == "c"
        owner = owner.base
    if keeps_changes or not isinstance(owner, mmap.mmap):
        return
    if hasattr(owner, "madvise"):
        owner.madvise(mmap.MADV_DONTNEED)
