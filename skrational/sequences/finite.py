"""Sequences of finite numbers, or where there is another one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.sequences.array import SequenceArray
from skrational.sequences.repeats import blocks, distinct_rows
from skrational.utils.memory_maps import release

__all__ = ["check_finite", "place_of", "used_rows"]


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


def place_of(X: SequenceArray, row: int) -> str:
    """Name the first token of a row that is used."""
    token = int(np.flatnonzero(X.row_numbers() == row)[0])
    i = int(np.searchsorted(X.offsets, token, side="right")) - 1
    name = "" if X.labels is None else f" ({X.labels[row]!r})"
    return f"sequence {i}, token {token - X.offsets[i]}{name}"
