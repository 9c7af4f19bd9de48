"""Packed sequences joined end to end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.exceptions import SequenceError
from skrational.sequences.parts import offsets_of, same_memory

__all__ = ["joined_parts"]


def joined_parts(
    arrays: Sequence[Any],
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[Any] | None, NDArray[Any] | None]:
    """Return the features, offsets, indices and labels of joined arrays.

    Parameters
    ----------
    arrays : sequence of SequenceArray

    Returns
    -------
    features, offsets, indices, labels : ndarray or None

    Raises
    ------
    SequenceError
        If there is no array, or the widths differ.
    """
    widths = {a.n_features for a in arrays}
    if len(widths) != 1:
        raise SequenceError(
            f"concatenate needs arrays of one width; got the widths {sorted(widths)}."
        )
    first = arrays[0]
    offsets = offsets_of(np.concatenate([a.lengths for a in arrays]))
    if first.indices is not None and all(
        a.indices is not None and same_memory(a.features, first.features)
        for a in arrays
    ):
        indices = np.concatenate([a.row_numbers() for a in arrays])
        if all(_equal_tables(a.labels, first.labels) for a in arrays):
            return first.features, offsets, indices, first.labels
        if any(a.labels is None for a in arrays):
            return first.features, offsets, indices, None
    features = np.concatenate([a.features for a in arrays])
    labels = [a.labels for a in arrays if a.labels is not None]
    joined = np.concatenate(labels) if len(labels) == len(arrays) else None
    if all(a.indices is None for a in arrays):
        return features, offsets, None, joined
    shifts = offsets_of(np.array([len(a.features) for a in arrays]))
    indices = np.concatenate(
        [a.row_numbers() + s for a, s in zip(arrays, shifts[:-1], strict=True)]
    ).astype(np.int32)
    return features, offsets, indices, joined


def _equal_tables(a: NDArray[Any] | None, b: NDArray[Any] | None) -> bool:
    if a is None or b is None:
        return a is b
    return same_memory(a, b) or np.array_equal(a, b)
