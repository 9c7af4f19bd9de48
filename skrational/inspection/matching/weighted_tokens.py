"""Transition weights of the tokens of a corpus, a bounded part of it at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.sequences import SequenceArray
from skrational.structures.automata import WeightedAutomata
from skrational.utils.compile import read_only

__all__ = ["PathProblem", "WeightedTokens", "weighted_tokens"]

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


class PathProblem(NamedTuple):
    """What the compiled searches and sums of paths read.

    Attributes
    ----------
    main_path, self_loop : ndarray of shape (n_rows, S), float64
        The weights u and f.
    ids : ndarray of shape (n_tokens,), int64
        The row of each token.
    offsets : ndarray of shape (n_documents + 1,), int64
        Where the documents begin in ``ids``.
    starts : ndarray of shape (d + 1,), int64
        First state of each automaton.
    final : ndarray of shape (S,), float64
        Weight of a path that ends in a state; 0: none may.
    additive : bool
        Whether transitions along a path add up rather than multiply.
    maximum : bool
        Whether the best of several paths counts rather than their sum.
    anywhere : bool
        Whether a path may end at any token.
    """

    main_path: NDArray[np.float64]
    self_loop: NDArray[np.float64]
    ids: NDArray[np.int64]
    offsets: NDArray[np.int64]
    starts: NDArray[np.int64]
    final: NDArray[np.float64]
    additive: bool
    maximum: bool
    anywhere: bool

    @classmethod
    def of(
        cls,
        automata: WeightedAutomata,
        tokens: WeightedTokens,
        final: NDArray[np.floating] | None = None,
    ) -> PathProblem:
        """Join automata, with other ``final`` weights perhaps, and weighted tokens."""
        weights = automata.final if final is None else final
        return cls(
            tokens.main_path,
            tokens.self_loop,
            tokens.ids,
            tokens.offsets,
            read_only(automata.starts),
            read_only(np.asarray(weights, np.float64)),
            additive=automata.semiring == "max-plus",
            maximum=automata.semiring != "plus-times",
            anywhere=automata.match == "anywhere",
        )


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
