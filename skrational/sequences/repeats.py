"""Feature vectors that repeat: found by their bits, stored once.

With frozen word vectors a token's transition weights depend on the word alone, so a
batch projects its distinct vectors only. What is distinct is read from the vectors
themselves, so that it doesn't matter how a caller packed them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.utils.compile import jit, read_only
from skrational.utils.memory_maps import read_rows

__all__ = [
    "blocks",
    "distinct_rows",
    "distinct_share",
    "equal_rows",
    "find_repeats",
    "row_hashes",
]

Rows = NDArray[Any]


def find_repeats(features: NDArray[Any], rows: Rows) -> tuple[Rows, Rows]:
    """Find the distinct vectors among some rows.

    Nothing that is made is as long as ``rows``, which may be a memory map.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
    rows : ndarray of shape (n,), integer
        Row numbers, one for each token; may repeat.

    Returns
    -------
    distinct : ndarray of shape (n_distinct,), integer
        Rows that hold each distinct vector once.
    place : ndarray of shape (n_rows,), int32
        Of each row that occurs, the place of its vector in ``distinct``.
    """
    used = distinct_rows(rows, len(features))
    _, first, merged = np.unique(
        row_hashes(features, used), return_index=True, return_inverse=True
    )
    if not equal_rows(features, used, features, used[first][merged]):
        # Two different vectors share a hash: compare the vectors themselves.
        _, first, merged = np.unique(
            features[used], axis=0, return_index=True, return_inverse=True
        )
    place = np.zeros(len(features), dtype=np.int32)
    place[used] = merged.ravel()
    return used[first], place


def distinct_rows(rows: Rows, n_rows: int) -> Rows:
    """Return the rows that occur, in order.

    Parameters
    ----------
    rows : ndarray of shape (n,), integer
        May repeat.
    n_rows : int
        How many there are of which these are some.

    Examples
    --------
    >>> distinct_rows(np.array([3, 1, 3]), 5).tolist()
    [1, 3]
    """
    if _are_few(rows, n_rows):
        return np.unique(rows)
    seen = np.zeros(n_rows, dtype=bool)
    _mark(read_only(rows), seen)
    return np.flatnonzero(seen)


@jit
def _mark(rows, seen):  # type: ignore[no-untyped-def]
    """Mark the rows that occur: numpy would copy their numbers as int64.

    Parameters
    ----------
    rows : ndarray of shape (n,), integer
    seen : ndarray of shape (n_rows,), bool
        Set to True at these.
    """
    for i in range(rows.size):
        seen[rows[i]] = True


def _are_few(rows: Rows, n_rows: int) -> bool:
    """Whether to sort them is less work than to look at all rows that there are."""
    return 16 * len(rows) < n_rows


def distinct_share(features: NDArray[Any], rows: Rows) -> float:
    """Number of distinct vectors among the rows, divided by the number of rows."""
    if len(rows) == 0:
        return 1.0
    vectors = read_rows(features, rows)
    return len(np.unique(row_hashes(vectors, np.arange(len(rows))))) / len(rows)


def blocks(n_rows: int, n_features: int) -> Iterator[slice]:
    """Slices of rows that hold about a million numbers each."""
    step = max(1, 2**20 // n_features)
    return (slice(i, i + step) for i in range(0, n_rows, step))


def equal_rows(
    a: NDArray[Any], rows_a: NDArray[Any], b: NDArray[Any], rows_b: NDArray[Any]
) -> bool:
    """Whether ``a[rows_a]`` and ``b[rows_b]`` hold the same numbers.

    Parameters
    ----------
    a, b : ndarray of shape (n_rows, n_features)
    rows_a, rows_b : ndarray of shape (n,), integer
    """
    return all(
        np.array_equal(a[rows_a[block]], b[rows_b[block]])
        for block in blocks(len(rows_a), a.shape[1])
    )


def row_hashes(features: NDArray[Any], rows: Rows) -> NDArray[np.uint64]:
    """64-bit hash of the bits of each row.

    Rows that differ in one number never share a hash; others share one about as rarely
    as chance would have it.
    """
    n_features = features.shape[1]
    odd = np.random.default_rng(0).integers(
        2**63, size=n_features, dtype=np.uint64
    ) | np.uint64(1)
    words = np.dtype(f"u{features.dtype.itemsize}")
    hashes = np.empty(len(rows), dtype=np.uint64)
    if features.flags.c_contiguous:
        numbers = read_only(rows.astype(np.int64, copy=False))
        _hash_rows(read_only(features.view(words)), numbers, odd, hashes)
        return hashes
    for block in blocks(len(rows), n_features):
        bits = np.ascontiguousarray(features[rows[block]]).view(words)
        _hash_rows(read_only(bits), read_only(np.arange(len(bits))), odd, hashes[block])
    return hashes


@jit
def _hash_rows(bits, rows, odd, out):  # type: ignore[no-untyped-def]
    """Hash the bits of rows.

    Parameters
    ----------
    bits : ndarray of shape (n_rows, n_features), unsigned
    rows : ndarray of shape (n,), int64
    odd : ndarray of shape (n_features,), uint64
        A factor for each feature.
    out : ndarray of shape (n,), uint64
        Filled.
    """
    for i in range(rows.size):
        row = rows[i]
        total = np.uint64(0)
        for j in range(bits.shape[1]):
            word = np.uint64(bits[row, j])
            # Round numbers end in zero bits, which a product alone would keep.
            word ^= word >> np.uint64(32)
            total += word * odd[j]
        out[i] = total ^ (total >> np.uint64(32))
