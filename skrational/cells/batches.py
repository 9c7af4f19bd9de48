"""Batches: index arithmetic over the offsets, without padding and without copies.

A batch holds its distinct feature rows once, in the order in which they occur, and the
row of each token. Features whose vectors do not repeat (BERT) give one row a token.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.cpu.prediction import PackedNetwork, chunks
from skrational.sequences import SequenceArray
from skrational.sequences.repeats import blocks, distinct_share, find_repeats
from skrational.utils.buffers import empty
from skrational.utils.compile import jit, read_only
from skrational.utils.memory_maps import release
from skrational.utils.uploads import upload

__all__ = ["Batch", "Corpus"]

_PROBED_TOKENS = 4096
_MOST_DISTINCT = 0.75
"""Above this share of distinct vectors, merging them costs more than it saves."""


@dataclass(frozen=True)
class Batch:
    """Some documents, ready for a kernel.

    Attributes
    ----------
    x : Tensor of shape (n_rows, E)
        Feature rows.
    ids : ndarray of shape (n_tokens,), int32
        The row of each token.
    offsets : ndarray of shape (n_documents + 1,), int64
        Where documents begin in ``ids``.
    """

    x: Tensor
    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]


class Corpus:
    """Documents of which batches are drawn.

    What is computed depends on the vectors of the documents, not on how X packs them:
    equal content gives equal batches, to the bit.

    Parameters
    ----------
    X : SequenceArray
    dtype : torch.dtype
        What features are converted to, batch by batch for token-level features.
    device : torch.device

    Attributes
    ----------
    repeats : bool
        Whether vectors repeat often enough for holding each distinct one once.
    features : ndarray
        Those of X.
    table : Tensor of shape (n_distinct, E) or None
        The distinct vectors, if they repeat.
    rows : ndarray of shape (n_tokens,), int32
        The row of each token in the features; that of X, which may be a memory map.
    place : ndarray of shape (n_rows,), int32, or None
        Of each row of the features, its vector's row in the table.
    offsets : ndarray of shape (n_documents + 1,), int64
    """

    def __init__(
        self, X: SequenceArray, dtype: torch.dtype, device: torch.device
    ) -> None:
        self.offsets = read_only(X.offsets)
        self.dtype = dtype
        self.device = device
        rows = X.row_numbers()
        # Spread over all documents: the first ones may be copies of one another.
        n_probed = min(len(rows), _PROBED_TOKENS)
        probed = rows[np.linspace(0, len(rows) - 1, n_probed).astype(np.int64)]
        self.repeats = distinct_share(X.features, probed) <= _MOST_DISTINCT
        self.features, self.rows = X.features, read_only(rows)
        self._in_order = X.indices is None
        self.table: Tensor | None = None
        self.place: NDArray[np.int32] | None = None
        if self.repeats:
            distinct, self.place = find_repeats(X.features, rows)
            self.table = torch.empty(len(distinct), X.n_features, dtype=dtype)
            _convert(X.features, distinct, self.table)
            self.table = self.table.to(device)
            self._stamp = np.full(len(distinct), -1, dtype=np.int32)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def batch(self, documents: NDArray[np.intp]) -> Batch:
        """Assemble the documents with these numbers."""
        if self.table is None or self.place is None:
            return self._batch_of_tokens(documents)
        found = _distinct(self.rows, self.place, self.offsets, documents, self._stamp)
        ids, distinct, offsets = found
        if self.device.type != "cpu":
            chosen = upload(torch.from_numpy(distinct), self.device)
            return Batch(self.table.index_select(0, chosen), ids, offsets)
        x = empty(len(distinct), self.table.shape[1], dtype=self.dtype)
        torch.index_select(self.table, 0, torch.from_numpy(distinct), out=x)
        return Batch(x, ids, offsets)

    def _batch_of_tokens(self, documents: NDArray[np.intp]) -> Batch:
        """Assemble documents whose vectors don't repeat: a row for each token."""
        starts = self.offsets[documents]
        sizes = self.offsets[documents + 1] - starts
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        x = empty(int(offsets[-1]), self.features.shape[1], dtype=self.dtype)
        if self._in_order:
            self._copy_documents(starts, offsets, x)
        else:
            rows = _rows_of_tokens(self.rows, starts, offsets)
            _convert(self.features, rows, x)
        release(self.features)
        ids = np.arange(len(x), dtype=np.int32)
        return Batch(upload(x, self.device), ids, offsets)

    def _copy_documents(
        self, starts: NDArray[np.int64], offsets: NDArray[np.int64], out: Tensor
    ) -> None:
        """Copy the rows of whole documents, which stand next to each other."""
        view = out.numpy()
        for b, start in enumerate(starts.tolist()):
            first, last = offsets[b], offsets[b + 1]
            view[first:last] = self.features[start : start + last - first]

    def scored_by(self, network: PackedNetwork) -> NDArray[Any]:
        """Scores of all documents, (n, n_scores), by a network packed for the CPU."""
        if self.table is None or self.place is None:
            return network.scores_of_tokens(self.features, self.rows, self.offsets)
        n_rows = len(self.table)
        table = np.empty((n_rows, network.width), network.dtype)
        network.project(self.table.numpy(), np.arange(n_rows), table)
        scores = np.empty((len(self), network.n_scores), network.dtype)
        for start, stop in chunks(self.offsets):
            first, last = self.offsets[start], self.offsets[stop]
            ids = self.place[self.rows[first:last]]
            offsets = self.offsets[start : stop + 1] - first
            scores[start:stop] = network.scores(table, ids, offsets)
        return scores

    def batches(self, max_tokens: int | None = None) -> Iterator[Batch]:
        """All documents in order, in batches of about ``max_tokens`` tokens.

        None means as many as give each batch at most 128 MiB of float32 features.
        """
        if max_tokens is None:
            max_tokens = max(1, 2**25 // self.features.shape[1])
        start = 0
        while start < len(self):
            limit = self.offsets[start] + max_tokens
            stop = int(np.searchsorted(self.offsets, limit, side="right")) - 1
            stop = min(max(stop, start + 1), len(self))
            yield self.batch(np.arange(start, stop))
            start = stop


def _convert(features: NDArray[Any], rows: NDArray[Any], out: Tensor) -> None:
    """Copy rows to a tensor.

    Its memory is torch's own, so that the alignment, on which the last bit of a matrix
    product may depend, is always the same.
    """
    view = out.numpy()
    for block in blocks(len(rows), features.shape[1]):
        view[block] = features[rows[block]]


@jit
def _rows_of_tokens(rows, starts, offsets):  # type: ignore[no-untyped-def]
    out = np.empty(offsets[-1], rows.dtype)
    for b in range(len(starts)):
        shift = starts[b] - offsets[b]
        for t in range(offsets[b], offsets[b + 1]):
            out[t] = rows[t + shift]
    return out


@jit
def _distinct(rows, place, offsets, documents, stamp):  # type: ignore[no-untyped-def]
    """Number the vectors of some documents by first occurrence.

    Parameters
    ----------
    rows : ndarray of shape (n,), int32
        The row of each token of the corpus.
    place : ndarray of shape (n_rows,), int32
        Of each row, its vector's place in the table.
    offsets : ndarray of shape (n_documents + 1,), int64
        Where the documents of the corpus begin.
    documents : ndarray of shape (B,), int64
    stamp : ndarray of shape (n_distinct,), int32
        All -1, and left so.

    Returns
    -------
    ids : ndarray of shape (n_tokens,), int32
    distinct : ndarray of shape (n_rows,), int64
    starts : ndarray of shape (B + 1,), int64
        Where the documents begin in ``ids``.
    """
    starts = np.zeros(len(documents) + 1, np.int64)
    for b, document in enumerate(documents):
        starts[b + 1] = starts[b] + offsets[document + 1] - offsets[document]
    ids = np.empty(starts[-1], np.int32)
    distinct = np.empty(min(len(ids), len(stamp)), np.int64)
    n = 0
    for b, document in enumerate(documents):
        shift = offsets[document] - starts[b]
        for t in range(starts[b], starts[b + 1]):
            row = place[rows[t + shift]]
            if stamp[row] < 0:
                stamp[row] = n
                distinct[n] = row
                n += 1
            ids[t] = stamp[row]
    for row in distinct[:n]:
        stamp[row] = -1
    return ids, distinct[:n], starts
