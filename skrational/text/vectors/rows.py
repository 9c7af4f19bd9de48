"""Rows of numbers, as single precision holds them; and those that can't be used."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.utils.memory_maps import release

__all__ = ["as_float32", "as_row", "checksum_of_rows", "find_unusable"]

# Of a mapped file so many bytes are looked at before its pages are given back.
_STEP = 2**20
_KEPT = 2**26


def as_float32(rows: Any) -> NDArray[np.float32]:
    """Return rows in single precision; what is too large for it becomes infinite."""
    with np.errstate(over="ignore"):
        return np.asarray(rows, dtype=np.float32)


def as_row(value: Any, width: int | None = None) -> NDArray[np.float32]:
    """Return the vector of a word.

    Parameters
    ----------
    value : array-like of shape (n_features,)
    width : int or None, default=None
        How many numbers there should be; None: at least one.

    Returns
    -------
    ndarray of shape (n_features,)

    Raises
    ------
    ValueError
        If it's no vector of finite numbers; the message is the predicate of a sentence.

    Examples
    --------
    >>> as_row([1, 2]).tolist()
    [1.0, 2.0]
    >>> as_row(["1", "2"])
    Traceback (most recent call last):
        ...
    ValueError: holds str, not numbers
    """
    expected = "(n_features,)" if width is None else f"({width},)"
    try:
        array = np.asarray(value)
        if array.dtype.kind in "USVmMc":
            raise ValueError
        row = as_float32(array)
    except Exception as error:  # whatever an object raises that is no array
        kind = _kind_of(value)
        raise ValueError(f"holds {kind}, not numbers") from error
    if row.ndim != 1 or row.size == 0 or (width is not None and len(row) != width):
        raise ValueError(f"has shape {row.shape}; expected {expected}")
    if not np.isfinite(row).all():
        raise ValueError("holds NaN or infinity")
    return row


def _kind_of(value: Any) -> str:
    """Name what a value holds that isn't numbers."""
    first = value[0] if isinstance(value, (list, tuple)) and value else value
    return type(first).__name__


def find_unusable(vectors: NDArray[Any]) -> frozenset[int]:
    """Return the rows that hold NaN or infinity in single precision.

    Parameters
    ----------
    vectors : ndarray of shape (n_words, n_features)
        May be a memory map, whose pages are given back.

    Returns
    -------
    frozenset of int

    Examples
    --------
    >>> find_unusable(np.array([[1.0, 2.0], [np.nan, 0.0], [1e300, 0.0]]))
    frozenset({1, 2})
    """
    found: set[int] = set()
    for start, rows in _blocks(vectors):
        finite = np.isfinite(as_float32(rows))
        if not finite.all():
            found.update((start + np.flatnonzero(~finite.all(axis=1))).tolist())
    return frozenset(found)


def checksum_of_rows(vectors: NDArray[Any], checksum: int = 0) -> int:
    """Return the CRC-32 of an array, row after row.

    Parameters
    ----------
    vectors : ndarray of shape (n_words, n_features)
        May be a memory map, whose pages are given back.
    checksum : int, default=0
        That of what comes before.

    Examples
    --------
    >>> rows = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> checksum_of_rows(rows) == zlib.crc32(rows.tobytes())
    True
    """
    for _, rows in _blocks(vectors):
        checksum = zlib.crc32(np.ascontiguousarray(rows).data.cast("B"), checksum)
    return checksum


def _blocks(vectors: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any]]]:
    """Yield rows, and the number of the first; pages of a map are given back."""
    row_bytes = max(1, vectors.itemsize * int(np.prod(vectors.shape[1:])))
    step = max(1, _STEP // row_bytes)
    seen = 0
    for start in range(0, len(vectors), step):
        yield start, vectors[start : start + step]
        seen += step * row_bytes
        if seen > _KEPT:
            release(vectors)
            seen = 0
    release(vectors)
