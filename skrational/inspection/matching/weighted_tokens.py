"""Transition weights of the tokens of a corpus, a bounded part of it at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skrational.sequences import SequenceArray
from skrational.structures.automata import WeightedAutomata
from skrational.utils.compile import read_only

__all__ = ["WeightedTokens", "weighted_tokens"]

_CHUNK_TOKENS = 2**17


@dataclass(frozen=True, eq=False)
class WeightedTokens:
    """The weights of all transitions that some documents could take.

    Attributes
    ----------
    start, stop : int
        The documents, of those that were asked for.
    main_path, self_loop : ndarray of shape (n_rows, S), float64
        The weights u and f.
    ids : ndarray of shape (n_tokens,), int64
        The row of each token.
    offsets : ndarray of shape (stop - start + 1,), int64
        Where the documents begin in ``ids``.
    """

    start: int
    stop: int
    main_path: NDArray[np.float64]
    self_loop: NDArray[np.float64]
    ids: NDArray[np.int64]
    offsets: NDArray[np.int64]


def weighted_tokens(
    automata: WeightedAutomata, X: SequenceArray
) -> Iterator[WeightedTokens]:
    """Weigh the transitions of all documents, in order, at least one at a time.

    A row is weighed once for each part of the corpus in which it occurs.
    """
    rows = X.row_numbers()
    start = 0
    while start < len(X):
        limit = X.offsets[start] + _CHUNK_TOKENS
        stop = int(np.searchsorted(X.offsets, limit, side="right")) - 1
        stop = max(stop, start + 1)
        first, last = X.offsets[start], X.offsets[stop]
        used, ids = np.unique(rows[first:last], return_inverse=True)
        main_path, self_loop = automata.transition_weights(X.features[used])
        yield WeightedTokens(
            start,
            stop,
            read_only(main_path),
            read_only(self_loop),
            read_only(ids.astype(np.int64)),
            read_only(X.offsets[start : stop + 1] - first),
        )
        start = stop
