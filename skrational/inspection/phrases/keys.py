"""Numbers by which phrases that read the same are known, without writing them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.matching.paths import SHOWN_LOOPS, Paths
from skrational.sequences import SequenceArray

__all__ = ["phrase_keys", "token_codes"]


def token_codes(X: SequenceArray) -> Callable[[int, int], NDArray[np.uint64]]:
    """Number tokens by what `token_names` would call them, without naming them.

    Returns
    -------
    callable
        From the first document and the one after the last to a number from 1 upwards
        for each of their tokens, equal for tokens that read the same.
    """

    def of_positions(start: int, stop: int) -> NDArray[np.uint64]:
        begins = np.repeat(X.offsets[start:stop], X.lengths[start:stop])
        tokens = np.arange(X.offsets[start], X.offsets[stop])
        return (tokens - begins + 1).astype(np.uint64)

    if X.labels is None:
        return of_positions
    numbers: dict[str, int] = {}
    of_rows = np.array(
        [numbers.setdefault(str(label), len(numbers) + 1) for label in X.labels],
        np.uint64,
    )
    rows = X.row_numbers()
    return lambda start, stop: of_rows[rows[X.offsets[start] : X.offsets[stop]]]


def phrase_keys(
    paths: Paths, codes: NDArray[np.uint64], offsets: NDArray[np.int64]
) -> NDArray[np.uint64]:
    """Hash all that `Path.cells` shows of each path, into 64 bits.

    Of a million phrases, two different ones share a key with a chance of 3e-8.

    Parameters
    ----------
    paths : Paths
    codes : ndarray of shape (n_tokens,), uint64
        Codes of the tokens of these documents.
    offsets : ndarray of shape (n_documents + 1,)
        Where the documents begin in ``codes``.

    Returns
    -------
    ndarray of shape (n_documents, d), uint64
    """
    entries, starts = paths.entries.astype(np.int64), paths.starts
    after = np.full_like(entries, -1)
    after[:, :-1] = entries[:, 1:]
    after[:, starts[1:] - 1] = -1
    ends = np.repeat(paths.ends, np.diff(starts), axis=1)
    after = np.where(after < 0, ends, after)
    entered = entries >= 0
    codes = np.append(codes, np.uint64(0))  # what is not there has the number 0
    cells = np.zeros(entries.shape, np.uint64)
    for j in range(SHOWN_LOOPS + 1):
        is_written = entered & (entries + j < after)
        tokens = np.where(is_written, offsets[:-1, None] + entries + j, -1)
        cells = _mix(cells + codes[tokens])
    more = entered & (entries + SHOWN_LOOPS + 1 < after)
    cells = _mix(cells + more.astype(np.uint64))
    # The same cells in another order make another phrase.
    places = np.arange(1, entries.shape[1] + 1, dtype=np.uint64)
    return np.add.reduceat(_mix(cells ^ _mix(places)), starts[:-1], axis=1)


def _mix(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scatter numbers over 64 bits, one to one: the end of SplitMix64."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
