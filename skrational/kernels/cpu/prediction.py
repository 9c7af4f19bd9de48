"""Prediction on the CPU: rows are projected once, documents only look them up.

A word's transition weights depend on the word alone. With a table of them, a label
costs a gather and a few multiplications for each token, and no matrix product.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.kernels.cpu.forward import run_slabs
from skrational.kernels.cpu.layout import SlabLayout
from skrational.kernels.cpu.panels import multiply_rows, pack_panels
from skrational.kernels.cpu.readout import read_out
from skrational.kernels.cpu.slabs import SLAB, Walk, activate
from skrational.structures.automata import ScoringRule
from skrational.utils.cached import cached_property
from skrational.utils.compile import jit, read_only
from skrational.utils.memory_maps import release
from skrational.utils.simd import LANES
from skrational.utils.threads import given_threads, run_all

__all__ = ["DOCUMENTS", "PackedAutomata", "PackedNetwork", "PackedRows", "chunks"]

_TILE_ROWS = 256
"""Rows that are read and multiplied at a time."""

_CHUNK_TOKENS = 2**14
_SHARED_TOKENS = 2**15
"""Tokens below which a second thread costs more than it saves."""

DOCUMENTS = 64
"""That are scored at a time, so that the scores of their states stay in a cache."""


class PackedRows(ABC):
    """Weights by which rows of features, each for itself, become rows of a table.

    Attributes
    ----------
    weight : ndarray of shape (width, n_inputs)
    """

    weight: NDArray[Any]

    @abstractmethod
    def _finish(self, projected: NDArray[Any]) -> None:
        """Make rows of the table, in place, of projected rows (n, width)."""

    @property
    def width(self) -> int:
        """Numbers in a row of the table."""
        return len(self.weight)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of weights and scores."""
        return self.weight.dtype

    def _read(self, features: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
        """Read the inputs of some rows, (n, n_inputs)."""
        return features[rows]

    def project(
        self, features: NDArray[Any], rows: NDArray[Any], out: NDArray[Any]
    ) -> None:
        """Fill ``out`` (n, width) with the table's rows of some feature rows."""
        if not self.width:
            return
        with np.errstate(over="ignore", invalid="ignore"):
            for start in range(0, len(rows), _TILE_ROWS):
                given = self._read(features, rows[start : start + _TILE_ROWS])
                read = np.ascontiguousarray(given, self.dtype)
                projected = np.empty((len(read), self.width), self.dtype)
                multiply_rows(read, self._panels, projected)
                if not np.isfinite(projected).all():
                    self._project_exactly(given, projected)
                self._finish(projected)
                out[start : start + len(read)] = projected

    def _project_exactly(self, given: NDArray[Any], projected: NDArray[Any]) -> None:
        """Compute rows anew that overflow: infinity is what is too large in the end.

        Sums that pass through infinity are NaN, of which gates would make any number.

        Parameters
        ----------
        given : ndarray of shape (n, n_inputs)
        projected : ndarray of shape (n, width)
            Changed in place.
        """
        rows = ~np.isfinite(projected).all(axis=1)
        exact = given[rows].astype(np.float64) @ self.weight.T.astype(np.float64)
        projected[rows] = exact

    @cached_property
    def _panels(self) -> NDArray[Any]:
        """The weights as `multiply_rows` takes them."""
        return pack_panels(self.weight.T)


class PackedNetwork(PackedRows):
    """Weights of a recurrent network, packed for predictions.

    What a document scores follows from the table's rows of its tokens.
    """

    @property
    @abstractmethod
    def n_scores(self) -> int:
        """Scores of a document."""

    @abstractmethod
    def _score(
        self,
        table: NDArray[Any],
        ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        out: NDArray[Any],
        start: int,
        stop: int,
    ) -> None:
        """Score the documents from ``start`` to ``stop``; see `scores` for shapes."""

    def scores(
        self, table: NDArray[Any], ids: NDArray[np.int32], offsets: NDArray[np.int64]
    ) -> NDArray[Any]:
        """Score documents, (n_documents, n_scores).

        Parameters
        ----------
        table : ndarray of shape (n_rows, width)
            From `project`.
        ids : ndarray of shape (n_tokens,), int32
        offsets : ndarray of shape (n_documents + 1,), int64
        """
        out = np.empty((len(offsets) - 1, self.n_scores), self.dtype)
        n_tokens = int(offsets[-1] - offsets[0])
        n_parts = max(1, min(given_threads(), n_tokens // _SHARED_TOKENS))
        cuts = offsets[0] + n_tokens * np.arange(1, n_parts) // n_parts
        borders = [0, *np.searchsorted(offsets, cuts).tolist(), len(out)]
        score = partial(self._score, table, ids, offsets, out)
        run_all([partial(score, *part) for part in pairwise(borders)], n_parts)
        return out

    def scores_of_tokens(
        self, features: NDArray[Any], rows: NDArray[Any], offsets: NDArray[np.int64]
    ) -> NDArray[Any]:
        """Score documents whose vectors rarely repeat: each token is projected.

        Parameters
        ----------
        features : ndarray of shape (n_rows, E)
        rows : ndarray of shape (n_tokens,), integer
            The row of each token.
        offsets : ndarray of shape (n_documents + 1,), int64

        Returns
        -------
        ndarray of shape (n_documents, n_scores)
        """
        scores = [np.empty((0, self.n_scores), self.dtype)]
        for start, stop in chunks(offsets):
            first, last = offsets[start], offsets[stop]
            table = np.empty((last - first, self.width), self.dtype)
            self.project(features, rows[first:last], table)
            release(features)
            ids = np.arange(last - first, dtype=np.int32)
            scores.append(self.scores(table, ids, offsets[start : stop + 1] - first))
        return np.concatenate(scores)


@dataclass(frozen=True, eq=False)
class PackedAutomata(PackedNetwork):
    """Automata of plus-times, packed for the compiled kernels.

    Attributes
    ----------
    layout : SlabLayout
    weight : ndarray of shape (2 * n_columns, E)
    bias : ndarray of shape (n_columns,)
    final : ndarray of shape (S,)
        Weight of each state in the score of its automaton.
    anywhere : bool
    length_exponent : float
        Scores are divided by the number of tokens to this power.
    """

    layout: SlabLayout
    weight: NDArray[Any]
    bias: NDArray[Any]
    final: NDArray[Any]
    anywhere: bool
    length_exponent: float

    @classmethod
    def of(
        cls,
        lengths: tuple[int, ...],
        rule: ScoringRule,
        W_u: NDArray[Any],
        W_f: NDArray[Any],
        b_f: NDArray[Any],
        final: NDArray[Any],
    ) -> PackedAutomata:
        """Pack automata.

        Parameters
        ----------
        lengths : tuple of int, length d
            States of each automaton; they sum to S.
        rule : ScoringRule
        W_u, W_f : ndarray of shape (S, E)
        b_f, final : ndarray of shape (S,)

        Returns
        -------
        PackedAutomata
        """
        layout = SlabLayout.of(tuple(lengths))
        return cls(
            layout,
            *layout.pack(W_u, W_f, b_f),
            final,
            rule.match == "anywhere",
            rule.divisor_exponent,
        )

    @property
    def n_scores(self) -> int:
        """Number of automata (d)."""
        return self.layout.n_wfsas

    def _finish(self, projected: NDArray[Any]) -> None:
        activate(projected, self.bias)

    def _score(
        self,
        table: NDArray[Any],
        ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        out: NDArray[Any],
        start: int,
        stop: int,
    ) -> None:
        if not self.width:
            out[start:stop] = 0
            return
        walk = Walk(
            read_only(table),
            read_only(ids),
            read_only(offsets[start : stop + 1]),
            self.layout.links_as(table.dtype),
            self.bias,
            fresh=False,
            anywhere=self.anywhere,
        )
        self._score_documents(walk, out[start:stop])

    def _score_documents(self, walk: Walk, out: NDArray[Any]) -> None:
        """Fill ``out`` (n_documents, d) with the scores of those of a walk."""
        readers = _Readers(self.layout.columns, self.layout.wfsa, self.final)
        chained = True if self.layout.goes_on_below else None
        _score_documents(walk, chained, readers, self.length_exponent, out)


def chunks(offsets: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Documents in order, in runs of about as many tokens as a chunk may have."""
    start, n_documents = 0, len(offsets) - 1
    while start < n_documents:
        limit = offsets[start] + _CHUNK_TOKENS
        stop = int(np.searchsorted(offsets, limit, side="right")) - 1
        stop = min(max(stop, start + 1), n_documents)
        yield start, stop
        start = stop


class _Readers(NamedTuple):
    """Which states an automaton's score reads: columns, wfsa and final, all (S,)."""

    columns: NDArray[np.int64]
    wfsa: NDArray[np.int64]
    final: NDArray[Any]


@jit
def _score_documents(  # type: ignore[no-untyped-def]
    walk, chained, readers, length_exponent, out
):
    """Gather, recurrence and readout, some documents at a time.

    Parameters
    ----------
    walk : Walk
        Over all documents.
    chained : True or None
        Whether an automaton goes on from a slab to the one below; None is compiled
        without.
    readers : _Readers
    length_exponent : float
    out : ndarray of shape (n_documents, d)
        Filled with the scores.
    """
    table, ids, offsets, links, bias, fresh, anywhere = walk
    n_slabs, n_documents = links.shape[0], offsets.shape[0] - 1
    states = np.empty((n_slabs, DOCUMENTS * SLAB), table.dtype)
    nothing_saved = np.empty((n_slabs, 0), table.dtype)
    for start in range(0, n_documents, DOCUMENTS):
        stop = min(start + DOCUMENTS, n_documents)
        here = offsets[start : stop + 1]
        part = Walk(table, ids, here, links, bias, fresh, anywhere)
        every_slab = 0, n_slabs
        if chained is None:
            run_slabs(part, ids, every_slab, nothing_saved, None, states)
        else:
            n_tokens = here[-1] - here[0]
            last_levels = np.empty((n_slabs, n_tokens * LANES), table.dtype)
            run_slabs(part, ids, every_slab, nothing_saved, last_levels, states)
        scale = np.empty(stop - start, table.dtype)
        for b in range(stop - start):
            scale[b] = max(here[b + 1] - here[b], 1) ** -length_exponent
        columns, wfsa, final = readers
        read_out(states, columns, wfsa, final, scale, out[start:stop])
