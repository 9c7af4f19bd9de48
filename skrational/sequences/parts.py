"""The parts of packed sequences: checked, compared, and picked by position."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrational.exceptions import SequenceError

__all__ = [
    "check_features",
    "check_indices",
    "check_integers",
    "check_offsets",
    "equal_labels",
    "offsets_of",
    "read_positions",
    "same_memory",
    "taken_rows",
]

_TOKENS = 2**20


def check_features(features: ArrayLike) -> NDArray[np.floating]:
    """Return features as a float array of two dimensions, without copying floats."""
    rows = features if isinstance(features, np.ndarray) else np.asarray(features)
    if rows.ndim != 2 or rows.shape[1] == 0:
        raise SequenceError(
            f"features has shape {rows.shape}; expected (n_rows, n_features) with at "
            "least one feature."
        )
    if rows.dtype.kind in "iub":
        rows = rows.astype(np.float64)
    if not rows.dtype.isnative:
        rows = rows.astype(rows.dtype.newbyteorder("="))
    if rows.dtype not in (np.float16, np.float32, np.float64):
        raise TypeError(
            f"features has dtype {rows.dtype}; expected float16, float32 or float64."
        )
    return rows


def check_integers(values: ArrayLike, name: str) -> NDArray[Any]:
    """Return values as a one-dimensional integer array."""
    array = np.asarray(values)
    if array.size == 0:
        array = array.astype(np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise SequenceError(
            f"{name} must be a one-dimensional array of integers; got shape "
            f"{array.shape} and dtype {array.dtype}."
        )
    return array


def check_indices(indices: ArrayLike, n_rows: int) -> NDArray[np.int32]:
    """Return indices as int32, making sure that each names one of the rows."""
    array = check_integers(indices, "indices")
    if array.size and not (array.min() >= 0 and array.max() < n_rows):
        raise SequenceError(
            f"indices reaches from {array.min()} to {array.max()}, out of range for "
            f"the {n_rows} feature rows."
        )
    return array.astype(np.int32, copy=False)


def check_offsets(offsets: ArrayLike, n_tokens: int) -> NDArray[np.int64]:
    """Return offsets as int64, making sure that they rise from 0 to n_tokens."""
    array = check_integers(offsets, "offsets")
    if array.size == 0 or array[0] != 0 or array[-1] != n_tokens:
        ends = "is empty" if array.size == 0 else f"runs from {array[0]} to {array[-1]}"
        raise SequenceError(
            f"offsets {ends}; expected 0 to {n_tokens}, the number of tokens."
        )
    array = array.astype(np.int64, copy=False)
    falls = np.flatnonzero(np.diff(array) < 0)
    if falls.size:
        i = int(falls[0])
        raise SequenceError(
            f"offsets decreases at sequence {i}: {array[i]} is followed by "
            f"{array[i + 1]}."
        )
    return array


def offsets_of(lengths: NDArray[Any]) -> NDArray[np.int64]:
    """Return the offsets of sequences of these lengths."""
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def read_positions(key: Any, n: int) -> NDArray[np.intp]:
    """Return an index array, a mask or a list of either as positions below n."""
    positions = np.asarray(key)
    if positions.size == 0 and positions.ndim == 1:
        return positions.astype(np.intp)
    if positions.ndim != 1 or positions.dtype.kind not in "iub":
        raise IndexError(
            "a SequenceArray is indexed by an int, a slice, an index array, a mask or "
            f"a list of these; got {key!r}."
        )
    if positions.dtype.kind == "b":
        if len(positions) != n:
            raise IndexError(f"the mask has length {len(positions)}; expected {n}.")
        return np.flatnonzero(positions)
    if positions.min() < -n or positions.max() >= n:
        raise IndexError(
            f"positions reach from {positions.min()} to {positions.max()}, out of "
            f"range for {n} sequences."
        )
    return positions.astype(np.intp) % n


def taken_rows(
    indices: NDArray[np.int32] | None,
    starts: NDArray[np.int64],
    offsets: NDArray[np.int64],
) -> NDArray[np.int32]:
    """Return the row of each token of sequences that are taken.

    Parameters
    ----------
    indices : ndarray of shape (n_tokens,), int32, or None
        The rows of all tokens; None: token t has row t.
    starts : ndarray of shape (n_taken,), int64
        The first token of each sequence that is taken.
    offsets : ndarray of shape (n_taken + 1,), int64
        Where they are to begin.
    """
    rows = np.empty(offsets[-1], dtype=np.int32)
    first = 0
    while first < len(starts):
        # Of some sequences at a time: token numbers take more room than rows.
        limit = offsets[first] + _TOKENS
        stop = int(np.searchsorted(offsets, limit, side="right")) - 1
        stop = min(max(stop, first + 1), len(starts))
        ends = offsets[first : stop + 1]
        shifts = starts[first:stop] - ends[:-1]
        tokens = np.arange(ends[0], ends[-1]) + np.repeat(shifts, np.diff(ends))
        rows[ends[0] : ends[-1]] = tokens if indices is None else indices[tokens]
        first = stop
    return rows


def same_memory(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Whether two arrays are views of the same numbers."""
    return (
        a.shape == b.shape
        and a.strides == b.strides
        and a.dtype == b.dtype
        and a.__array_interface__["data"][0] == b.__array_interface__["data"][0]
    )


def equal_labels(
    a: NDArray[Any] | None,
    b: NDArray[Any] | None,
    rows_a: NDArray[Any],
    rows_b: NDArray[Any],
) -> bool:
    """Whether the labels of the named rows are equal, or both are missing.

    Parameters
    ----------
    a, b : ndarray of shape (n_rows,), str, or None
    rows_a, rows_b : ndarray of shape (n,), integer
    """
    if a is None or b is None:
        return a is b
    return bool(np.array_equal(a[rows_a], b[rows_b]))
