"""Rows that are handed out while more of them are put behind."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["GrowingArray"]


class GrowingArray:
    """An array with room at its end; what was handed out never changes.

    It lies in a larger one that nobody can write but this class, so that its beginning
    stays good, and stays the same memory, while more is put behind it.

    Parameters
    ----------
    shape : tuple of int
        That of a row.
    dtype : dtype

    Examples
    --------
    >>> rows = GrowingArray((2,), np.float32)
    >>> rows.put(np.float32([[1, 2], [3, 4]]), 0)
    >>> first = rows.first(2)
    >>> rows.put(np.float32([[5, 6]]), 2)
    >>> np.shares_memory(first, rows.first(3)), first.tolist()
    (True, [[1.0, 2.0], [3.0, 4.0]])
    """

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        self._writeable = _frozen_owner((2**10, *shape), dtype)

    def first(self, n: int) -> NDArray[Any]:
        """Return the first n rows, which stay as they are from now on."""
        rows = self._writeable[:n]
        rows.flags.writeable = False
        return rows

    def put(self, more: NDArray[Any], place: int) -> None:
        """Put rows behind those that come before the place."""
        end = place + len(more)
        if end > len(self._writeable):
            larger = _frozen_owner((2 * end, *more.shape[1:]), more.dtype)
            larger[:place] = self._writeable[:place]
            self._writeable = larger
        self._writeable[place:end] = more


def _frozen_owner(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """Return a view that can be written, of a new array that cannot."""
    owner = np.empty(shape, dtype=dtype)
    view = owner[:]
    owner.flags.writeable = False
    return view
