"""Tables of projected rows, filled row by row as documents ask for them."""

from __future__ import annotations

import weakref
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.kernels.cpu.prediction import PackedNetwork
from skrational.sequences.repeats import blocks, distinct_rows, row_hashes
from skrational.utils.memory_maps import release

__all__ = ["TransitionTable", "table_size"]


class TransitionTable:
    """The projections of feature rows, each computed when first needed.

    The table belongs to the memory of the features, not to one array: a longer view of
    the same rows uses the same table. Where that memory can be written to, the rows
    in use are compared with what was projected, so that a change isn't missed. Memory
    whose owner is read-only is taken at its word.

    Parameters
    ----------
    network : PackedNetwork
    features : ndarray of shape (n_rows, E)

    Attributes
    ----------
    rows : ndarray of shape (capacity, width)
    n_projected, n_asked : int
        How many rows were projected, and how many tokens have asked for one.
    """

    def __init__(self, network: PackedNetwork, features: NDArray[Any]) -> None:
        owner = _owner(features)
        self._network = network
        self._owner = weakref.ref(owner)
        self._place = _place(features)
        capacity = _capacity(features)
        self.rows = np.empty((capacity, network.width), dtype=network.dtype)
        self._filled = np.zeros(capacity, dtype=bool)
        self._n_filled_in_front = 0
        self.n_projected = self.n_asked = 0
        self._hashes = None
        if owner.flags.writeable:
            self._hashes = np.zeros(capacity, dtype=np.uint64)

    def is_in_use(self) -> bool:
        """Whether the memory of the features is still there."""
        return self._owner() is not None

    def belongs_to(self, features: NDArray[Any]) -> bool:
        """Whether this is the table of these features."""
        # An owner frozen only for a while may have changed since.
        watched = self._hashes is not None or not _owner(features).flags.writeable
        return (
            watched
            and self._owner() is _owner(features)
            and self._place == _place(features)
            and len(features) <= len(self.rows)
        )

    def fill(self, features: NDArray[Any], ids: NDArray[np.int32]) -> bool:
        """Project the rows that tokens ask for, unless they are there.

        Returns whether the features of these rows are finite.
        """
        self.n_asked += len(ids)
        if self._n_filled_in_front >= len(features):
            return True
        # A pass over the tokens isn't worth it where there are few rows.
        few = len(features) <= len(ids) and self._hashes is None
        if not few and self._hashes is None and self._has_filled(ids):
            return True
        used = np.arange(len(features)) if few else distinct_rows(ids, len(features))
        missing = used[~self._filled[used] | self._changed(features, used)]
        if not len(missing):
            return True
        finite = _finite_rows(features, missing)
        missing, not_finite = missing[finite], missing[~finite]
        # What fails half-way must not leave rows that pass for filled.
        self._filled[missing] = False
        self._fill(features, missing)
        release(features)
        if few and not len(not_finite):
            self._n_filled_in_front = len(features)
        return not (len(not_finite) and np.isin(not_finite, ids).any())

    def _has_filled(self, ids: NDArray[np.int32]) -> bool:
        parts = blocks(len(ids), 1)
        return all(self._filled[ids[part]].all() for part in parts)

    def _fill(self, features: NDArray[Any], missing: NDArray[Any]) -> None:
        in_front = len(missing) and missing[-1] - missing[0] + 1 == len(missing)
        if in_front:
            out = self.rows[missing[0] : missing[-1] + 1]
            self._network.project(features, missing, out)
        else:
            out = np.empty((len(missing), self.rows.shape[1]), self.rows.dtype)
            self._network.project(features, missing, out)
            self.rows[missing] = out
        if self._hashes is not None:
            self._hashes[missing] = row_hashes(features, missing)
        self.n_projected += len(missing)
        self._filled[missing] = True

    def _changed(self, features: NDArray[Any], used: NDArray[Any]) -> NDArray[np.bool_]:
        if self._hashes is None:
            return np.zeros(len(used), dtype=bool)
        return row_hashes(features, used) != self._hashes[used]


def table_size(network: PackedNetwork, features: NDArray[Any]) -> int:
    """Bytes of a table for these features."""
    return _capacity(features) * network.width * network.dtype.itemsize


def _finite_rows(features: NDArray[Any], rows: NDArray[Any]) -> NDArray[np.bool_]:
    finite = [
        np.isfinite(features[rows[i : i + 1024]]).all(axis=1)
        for i in range(0, len(rows), 1024)
    ]
    return np.concatenate(finite)


def _owner(features: NDArray[Any]) -> NDArray[Any]:
    """The array that the memory belongs to."""
    while isinstance(features.base, np.ndarray):
        features = features.base
    return features


def _place(features: NDArray[Any]) -> tuple[Any, ...]:
    return features.ctypes.data, features.strides, features.shape[1:], features.dtype


def _capacity(features: NDArray[Any]) -> int:
    """Rows that the memory has room for, beginning with the first of the features."""
    owner = _owner(features)
    same = owner.ndim == 2 and _place(owner) == _place(features)
    return len(owner) if same else len(features)
