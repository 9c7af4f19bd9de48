"""Sequences of finite numbers, or where there is another one."""

from __future__ import annotations

from typing import Any

import numpy as np

from skrational.sequences.array import SequenceArray
from skrational.sequences.repeats import blocks, distinct_rows
from skrational.utils.memory_maps import release

__all__ = ["check_finite", "place_of"]


def check_finite(X: SequenceArray, dtype: Any = None) -> None:
    """Raise a ValueError that names the first token with NaN or infinity.

    Parameters
    ----------
    X : SequenceArray
    dtype : dtype, default=None
        What the features will be converted to, which may make infinity of them.
    """
    rows = X.features
    if X.indices is None:
        used = np.arange(len(rows))
    else:
        used = distinct_rows(X.indices, len(rows))
    if dtype is None or np.can_cast(rows.dtype, dtype):
        dtype = rows.dtype
    for block in blocks(len(used), X.n_features):
        with np.errstate(over="ignore"):
            values = rows[used[block]].astype(dtype, copy=False)
        finite = np.isfinite(values).all(axis=1)
        release(rows)
        if not finite.all():
            row = int(used[block][~finite][0])
            kind = "NaN" if np.isnan(rows[row]).any() else "infinity"
            if np.isfinite(rows[row]).all():
                kind = f"{np.abs(rows[row]).max():.3g}, too large for {np.dtype(dtype)}"
            raise ValueError(f"Input X contains {kind}: {place_of(X, row)}.")


def place_of(X: SequenceArray, row: int) -> str:
    """Name the first token of a row that is used."""
    token = int(np.flatnonzero(X.row_numbers() == row)[0])
    i = int(np.searchsorted(X.offsets, token, side="right")) - 1
    name = "" if X.labels is None else f" ({X.labels[row]!r})"
    return f"sequence {i}, token {token - X.offsets[i]}{name}"
