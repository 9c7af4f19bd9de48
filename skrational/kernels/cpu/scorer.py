"""What predictions remember: tables of transition weights, kept outside of estimators.

An estimator holds its weights only, so that it stays small in a pickle and equal to
itself. The tables live as long as the estimator, and as the features that they are of.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from skrational.exceptions import LargeTableWarning
from skrational.kernels.cpu.prediction import PackedNetwork, chunks
from skrational.kernels.cpu.tables import TransitionTable, table_size
from skrational.sequences import SequenceArray, check_finite
from skrational.sequences.repeats import distinct_rows
from skrational.utils.callers import caller_level
from skrational.utils.fork_locks import Lock
from skrational.utils.memory import available_memory
from skrational.utils.threads import single_thread

__all__ = ["Scorer", "scorer_of", "states_of"]

_MOST_TABLES = 2
_LARGE_TABLE = 2**26
_scorers: WeakKeyDictionary[Any, Scorer] = WeakKeyDictionary()


class Scorer:
    """Scores documents with the weights of one fit.

    Parameters
    ----------
    weights : dict of str to ndarray
    settings : object
        What else the automata depend on.
    network : PackedNetwork
    """

    def __init__(
        self, weights: dict[str, NDArray[Any]], settings: Any, network: PackedNetwork
    ) -> None:
        self._settings = settings
        self._weights = {name: array.copy() for name, array in weights.items()}
        self._network = network
        self._tables: list[TransitionTable] = []
        self._lock = Lock()
        self._warned = False

    def is_of(self, weights: dict[str, NDArray[Any]], settings: Any) -> bool:
        """Whether it was made of these weights and settings."""
        same = settings == self._settings and weights.keys() == self._weights.keys()
        return same and all(
            np.array_equal(weights[name], array)
            for name, array in self._weights.items()
        )

    def scores(self, X: SequenceArray) -> NDArray[Any]:
        """Score of each automaton on each document, (n_documents, d).

        Raises
        ------
        ValueError
            If a token has NaN or infinity; the message names the first one.
        """
        network = self._network
        with single_thread():
            if X.indices is None or not network.width or self._rarely_repeats(X):
                check_finite(X)
                return network.scores_of_tokens(X.features, X.row_numbers(), X.offsets)
            if not self._has_room(X.features):
                check_finite(X)
                return _without_table(network, X)
            with self._lock.held:
                table = self._table(X.features)
                finite = table.fill(X.features, X.indices)
            if not finite:
                check_finite(X)
            return network.scores(table.rows, X.indices, X.offsets)

    def _rarely_repeats(self, X: SequenceArray) -> bool:
        """Whether a table would grow large and save nothing, as for contextual rows."""
        assert X.indices is not None
        n_projected, n_asked = 0, X.n_tokens
        for table in list(self._tables):
            if table.belongs_to(X.features):
                n_projected = table.n_projected
                n_asked += table.n_asked
        row_size = self._network.width * self._network.dtype.itemsize
        n_most = n_projected + min(X.n_tokens, len(X.features))
        if n_most * row_size < _LARGE_TABLE or n_asked >= 1.5 * n_most:
            return False
        n_distinct = len(distinct_rows(X.indices, len(X.features)))
        return n_asked < 1.5 * (n_projected + n_distinct)

    def _table(self, features: NDArray[Any]) -> TransitionTable:
        """Find the table of these features, or begin one."""
        self._tables = [table for table in self._tables if table.is_in_use()]
        for i, table in enumerate(self._tables):
            if table.belongs_to(features):
                self._tables.append(self._tables.pop(i))
                return table
        self._tables = self._tables[1 - _MOST_TABLES :]
        self._tables.append(TransitionTable(self._network, features))
        return self._tables[-1]

    def _has_room(self, features: NDArray[Any]) -> bool:
        if any(table.belongs_to(features) for table in list(self._tables)):
            return True
        needed, available = table_size(self._network, features), available_memory()
        if 2 * needed <= available:
            return True
        if not self._warned:
            self._warned = True
            warnings.warn(
                f"A table of projections of {len(features)} feature rows would "
                f"take {needed / 2**20:.0f} MiB; {available / 2**20:.0f} MiB are free. "
                "Predictions do without it, which is slower.",
                LargeTableWarning,
                stacklevel=caller_level(),
            )
        return False


def scorer_of(
    estimator: Any,
    weights: dict[str, NDArray[Any]],
    settings: Any,
    make: Callable[[], PackedNetwork],
) -> Scorer:
    """Return the scorer of an estimator's present weights.

    Parameters
    ----------
    estimator : object
        Whose scorer is remembered as long as it lives.
    weights : dict of str to ndarray
    settings : object
        What else the automata depend on.
    make : callable
        Packs the automata, where there is no scorer yet.
    """
    scorer = _scorers.get(estimator)
    if scorer is None or not scorer.is_of(weights, settings):
        scorer = _scorers[estimator] = Scorer(weights, settings, make())
    return scorer


def states_of(network: Any, X: SequenceArray) -> NDArray[Any]:
    """Compute the state after every token, (n_tokens, n_units).

    Parameters
    ----------
    network : PackedNetwork
        With ``states``, such as that of an LSTM.
    X : SequenceArray

    Raises
    ------
    ValueError
        If a token has NaN or infinity; the message names the first one.
    """
    check_finite(X)
    with single_thread():
        parts = [network.states(*part) for part in _projected_parts(network, X)]
    return np.concatenate([np.empty((0, network.n_scores), network.dtype), *parts])


def _without_table(network: PackedNetwork, X: SequenceArray) -> NDArray[Any]:
    """Score documents, the distinct rows of some of them projected at a time."""
    scores = [network.scores(*part) for part in _projected_parts(network, X)]
    return np.concatenate([np.empty((0, network.n_scores), network.dtype), *scores])


def _projected_parts(
    network: PackedNetwork, X: SequenceArray
) -> Iterator[tuple[NDArray[Any], NDArray[np.int32], NDArray[np.int64]]]:
    """Yield the tables, rows of tokens and offsets of some documents at a time."""
    rows = X.row_numbers()
    for start, stop in chunks(X.offsets):
        first, last = X.offsets[start], X.offsets[stop]
        used, ids = np.unique(rows[first:last], return_inverse=True)
        table = np.empty((len(used), network.width), dtype=network.dtype)
        network.project(X.features, used, table)
        offsets = X.offsets[start : stop + 1] - first
        yield table, ids.astype(np.int32), offsets
