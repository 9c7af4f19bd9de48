"""Sequences of finite numbers, or where there is another one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.sequences.array import SequenceArray
from skrational.sequences.repeats import blocks, distinct_rows
from skrational.utils.memory_maps import release

__all__ = ["beyond", "check_finite", "place_of", "used_rows"]


def check_finite(X: SequenceArray, dtype: Any = None) -> None:
    """Raise a ValueError that names the first token with NaN or infinity.

    Parameters
    ----------
    X : SequenceArray
    dtype : dtype, default=None
        What the features will be converted to, which may make infinity of them.
    """
    rows = X.features
    if dtype is None or np.can_cast(rows.dtype, dtype):
        dtype = rows.dtype
    for used in used_rows(X):
        with np.errstate(over="ignore"):
            values = rows[used].astype(dtype, copy=False)
        finite = np.isfinite(values).all(axis=1)
        release(rows)
        if not finite.all():
            row = int(used[~finite][0])
            kind = "NaN" if np.isnan(rows[row]).any() else "infinity"
            if np.isfinite(rows[row]).all():
                kind = f"{np.abs(rows[row]).max():.3g}, too large for {np.dtype(dtype)}"
            raise ValueError(f"Input X contains {kind}: {place_of(X, row)}.")


def used_rows(X: SequenceArray) -> Iterator[NDArray[np.integer]]:
    """Yield the numbers of the rows that tokens have, some at a time, in order."""
    n_rows = len(X.features)
    used = None if X.indices is None else distinct_rows(X.indices, n_rows)
    for block in blocks(n_rows if used is None else len(used), X.n_features):
        if used is None:
            yield np.arange(block.start, min(block.stop, n_rows))
        else:
            yield used[block]


def beyond(X: SequenceArray, limit: float) -> NDArray[np.intp]:
    """Return which sequences hold a feature whose absolute value exceeds a limit.

    Parameters
    ----------
    X : SequenceArray
    limit : float

    Returns
    -------
    ndarray of int
        Their positions.

    Examples
    --------
    >>> beyond(SequenceArray(np.array([[1.0], [-9.0]]), [0, 1, 2]), 5.0)
    array([1])
    """
    large = []
    for rows in used_rows(X):
        peaks = np.abs(X.features[rows]).max(axis=1, initial=0)
        large.append(rows[peaks.astype(np.float64) > limit])
        release(X.features)
    if not any(map(len, large)):
        return np.empty(0, dtype=np.intp)
    tokens = np.flatnonzero(np.isin(X.row_numbers(), np.concatenate(large)))
    return np.unique(np.searchsorted(X.offsets - X.offsets[0], tokens, "right") - 1)


def place_of(X: SequenceArray, row: int) -> str:
    """Name the first token of a row that is used."""
    token = int(np.flatnonzero(X.row_numbers() == row)[0])
    i = int(np.searchsorted(X.offsets, token, side="right")) - 1
    name = "" if X.labels is None else f" ({X.labels[row]!r})"
    return f"sequence {i}, token {token - X.offsets[i]}{name}"
