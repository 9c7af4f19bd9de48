"""Prediction on the CPU: rows are projected once, documents only look them up.

A word's transition weights depend on the word alone. With a table of them, a label
costs a gather and a few multiplications for each token, and no matrix product.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.cpu.layout import Layout
from skrational.kernels.cpu.recurrence import SLAB, activate, forward, read_out
from skrational.utils.compile import frozen, jit
from skrational.utils.memory_maps import release
from skrational.utils.simd import LANES
from skrational.utils.threads import given_threads, run_all

__all__ = ["Automata", "chunks"]

_TILE_ROWS = 256
"""Rows of a product: always as many, so that a row's bits depend on no other row."""

_CHUNK_TOKENS = 2**14
_SHARED_TOKENS = 2**15
"""Tokens below which a second thread costs more than it saves."""

_DOCUMENTS = 64


@dataclass(frozen=True, eq=False)
class Automata:
    """Plus-times automata with their readout, packed for the compiled kernels.

    Attributes
    ----------
    layout : Layout
    weight : Tensor of shape (2 * n_columns, E)
    bias : ndarray of shape (n_columns,)
    final : ndarray of shape (S,)
        Weight of each state in the score of its automaton.
    wfsa : ndarray of shape (S,)
        The automaton of each state.
    A : ndarray of shape (n_outputs, d)
    a : ndarray of shape (n_outputs,)
    anywhere : bool
    length_exponent : float
        Scores are divided by the number of tokens to this power.
    """

    layout: Layout
    weight: Tensor
    bias: NDArray[Any]
    final: NDArray[Any]
    wfsa: NDArray[np.int64]
    A: NDArray[Any]
    a: NDArray[Any]
    anywhere: bool
    length_exponent: float

    @property
    def width(self) -> int:
        """Numbers in a row of the table."""
        return len(self.weight)

    def project(
        self, features: NDArray[Any], rows: NDArray[Any], out: NDArray[Any]
    ) -> None:
        """Fill ``out`` (n, width) with the transition weights of some rows."""
        tile = torch.zeros(_TILE_ROWS, features.shape[1], dtype=self.weight.dtype)
        projected = torch.empty(_TILE_ROWS, self.width, dtype=self.weight.dtype)
        for start in range(0, len(rows), _TILE_ROWS):
            part = rows[start : start + _TILE_ROWS]
            tile.numpy()[: len(part)] = features[part]
            torch.mm(tile, self.weight.T, out=projected)
            activate(projected.numpy(), self.bias)
            out[start : start + len(part)] = projected.numpy()[: len(part)]

    def logits(
        self, table: NDArray[Any], ids: NDArray[np.int32], offsets: NDArray[np.int64]
    ) -> NDArray[Any]:
        """Logits of documents, (n_documents, n_outputs), in double precision.

        Parameters
        ----------
        table : ndarray of shape (n_rows, width)
            From `project`.
        ids : ndarray of shape (n_tokens,), int32
        offsets : ndarray of shape (n_documents + 1,), int64
        """
        out = np.empty((len(offsets) - 1, len(self.A)))
        if not self.width:
            out[:] = self.a
            return out
        n_tokens = int(offsets[-1] - offsets[0])
        n_parts = max(1, min(given_threads(), n_tokens // _SHARED_TOKENS))
        cuts = offsets[0] + n_tokens * np.arange(1, n_parts) // n_parts
        borders = [0, *np.searchsorted(offsets, cuts).tolist(), len(out)]
        score = partial(self._score, table, ids, offsets, out)
        run_all([partial(score, *part) for part in pairwise(borders)], n_parts)
        return out

    def logits_of_tokens(
        self, features: NDArray[Any], rows: NDArray[Any], offsets: NDArray[np.int64]
    ) -> NDArray[Any]:
        """Logits where vectors rarely repeat: each token is projected, in chunks.

        Parameters
        ----------
        features : ndarray of shape (n_rows, E)
        rows : ndarray of shape (n_tokens,), integer
            The row of each token.
        offsets : ndarray of shape (n_documents + 1,), int64
        """
        if not self.width:
            return self.logits(features, rows, offsets)
        logits = [np.empty((0, len(self.A)))]
        for start, stop in chunks(offsets):
            first, last = offsets[start], offsets[stop]
            table = np.empty((last - first, self.width), dtype=self.A.dtype)
            self.project(features, rows[first:last], table)
            release(features)
            ids = np.arange(last - first, dtype=np.int32)
            logits.append(self.logits(table, ids, offsets[start : stop + 1] - first))
        return np.concatenate(logits)

    def _score(
        self,
        table: NDArray[Any],
        ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        out: NDArray[Any],
        start: int,
        stop: int,
    ) -> None:
        _score_documents(
            frozen(table),
            frozen(ids),
            frozen(offsets[start : stop + 1]),
            self.layout.links_as(table.dtype),
            self.layout.is_chained,
            self.bias,
            self.anywhere,
            self.layout.columns,
            self.final,
            self.wfsa,
            self.length_exponent,
            frozen(self.A),
            frozen(self.a),
            out[start:stop],
        )


def chunks(offsets: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Documents in order, in runs of about as many tokens as a chunk may have."""
    start, n_documents = 0, len(offsets) - 1
    while start < n_documents:
        limit = offsets[start] + _CHUNK_TOKENS
        stop = int(np.searchsorted(offsets, limit, side="right")) - 1
        stop = min(max(stop, start + 1), n_documents)
        yield start, stop
        start = stop


@jit
def _score_documents(  # type: ignore[no-untyped-def]
    table,
    ids,
    offsets,
    links,
    chained,
    bias,
    anywhere,
    columns,
    final,
    wfsa,
    length_exponent,
    A,
    a,
    out,
):
    """Gather, recurrence, readout and logits, some documents at a time."""
    n_slabs, n_documents = links.shape[0], offsets.shape[0] - 1
    states = np.empty((n_slabs, _DOCUMENTS * SLAB), table.dtype)
    kept = np.empty((n_slabs, 0), table.dtype)
    for start in range(0, n_documents, _DOCUMENTS):
        stop = min(start + _DOCUMENTS, n_documents)
        here = offsets[start : stop + 1]
        n_tokens = here[-1] - here[0] if chained else 0
        last_levels = np.empty((n_slabs, n_tokens * LANES), table.dtype)
        forward(
            table,
            (0, n_slabs),
            ids,
            here,
            links,
            bias,
            False,
            anywhere,
            kept,
            last_levels,
            states,
        )
        scale = np.empty(stop - start, table.dtype)
        for b in range(stop - start):
            scale[b] = max(here[b + 1] - here[b], 1) ** -length_exponent
        scores = np.empty((stop - start, A.shape[1]), table.dtype)
        read_out(states, columns, wfsa, final, scale, scores)
        _apply(A, a, scores, out[start:stop])


@jit
def _apply(A, a, scores, out):  # type: ignore[no-untyped-def]
    """Logits ``A s + a`` of each document, summed in double precision."""
    for b in range(scores.shape[0]):
        for k in range(A.shape[0]):
            logit = np.float64(a[k])
            for i in range(A.shape[1]):
                logit += np.float64(A[k, i]) * np.float64(scores[b, i])
            out[b, k] = logit
