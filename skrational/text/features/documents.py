"""The documents of one call: their rows in a file or in memory, and their labels."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.sequences import SequenceArray
from skrational.sequences.parts import offsets_of
from skrational.text.features.rows import RowFile, RowMemory, RowSpan

__all__ = ["DocumentSet", "StoredDocument", "to_sequences"]

_COPIED = 2**26
"""Bytes of rows that are copied rather than mapped with all that is between them."""


class StoredDocument(NamedTuple):
    """The rows and the labels of a document."""

    rows: RowSpan
    labels: bytes

    @staticmethod
    def encode_labels(labels: Sequence[str]) -> bytes:
        """Return labels as JSON."""
        # Escapes would join a pair of lone surrogates into one character.
        text = json.dumps(list(labels), ensure_ascii=False)
        return text.encode("utf-8", "surrogatepass")

    def names(self) -> list[str]:
        """Return the label of each token."""
        names: list[str] = json.loads(self.labels.decode("utf-8", "surrogatepass"))
        return names


class DocumentSet:
    """Documents by key, with their rows.

    Parameters
    ----------
    rows : RowFile or RowMemory
    stored : dict from str to StoredDocument, default={}
    record : callable or None, default=None
        Is told of each document that is added: its key, itself and the rows. If it
        raises an OSError the document isn't added.

    Examples
    --------
    >>> documents = DocumentSet(RowMemory(2, np.dtype("float32")))
    >>> documents.add("ab", np.float32([[1, 2]]), b'["good"]')
    >>> documents.stored["ab"].rows.n_rows, documents.stored["ab"].names()
    (1, ['good'])
    """

    def __init__(
        self,
        rows: RowFile | RowMemory,
        stored: dict[str, StoredDocument] | None = None,
        record: Callable[[str, StoredDocument, RowFile], None] | None = None,
    ) -> None:
        self.rows = rows
        self.stored = stored or {}
        self.record = record

    def add(self, key: str, rows: NDArray[Any], labels: bytes) -> None:
        """Add a document, all of it or, with an OSError, nothing."""
        n_before = self.rows.n_rows
        document = StoredDocument(self.rows.append(rows), labels)
        if self.record is not None and isinstance(self.rows, RowFile):
            try:
                self.record(key, document, self.rows)
            except OSError:
                self.rows.cut_back(n_before)
                raise
        self.stored[key] = document

    def add_from(self, other: DocumentSet, keys: Iterable[str]) -> None:
        """Copy those of these documents that another set has."""
        for key in keys:
            if key in other.stored:
                span, labels = other.stored[key]
                self.add(key, other.rows.read(span.first, span.stop), labels)

    def drop_damaged(self) -> int:
        """Forget the documents whose rows are damaged; return how many there were."""
        if not isinstance(self.rows, RowFile):
            return 0
        damaged = self.rows.damaged(document.rows for document in self.stored.values())
        found = [key for key, (span, _) in self.stored.items() if span in damaged]
        for key in found:
            del self.stored[key]
        return len(found)


def to_sequences(documents: DocumentSet, keys: Sequence[str]) -> SequenceArray:
    """Return documents as sequences that share the rows of their set.

    Parameters
    ----------
    documents : DocumentSet
    keys : sequence of str
        Documents of the set, in any order, maybe more than once.

    Returns
    -------
    SequenceArray
        Without ``indices`` if the documents stand next to each other in this order.

    Examples
    --------
    >>> documents = DocumentSet(RowMemory(2, np.dtype("float32")))
    >>> documents.add("ab", np.float32([[1, 2], [3, 4]]), b'["good", "pan"]')
    >>> X = to_sequences(documents, ["ab", "ab"])
    >>> X.lengths.tolist(), X.indices.tolist(), X.labels.tolist()
    ([2, 2], [0, 1, 0, 1], ['good', 'pan'])
    """
    rows = documents.rows
    found = [documents.stored[key] for key in keys]
    filled = [document for document in found if document.rows.n_rows]
    spans = [document.rows for document in filled]
    low = min((span.first for span in spans), default=0)
    high = max((span.stop for span in spans), default=0)
    offsets = offsets_of(np.array([d.rows.n_rows for d in found], dtype=np.int64))
    if 2 * offsets[-1] < high - low and offsets[-1] * rows.row_bytes <= _COPIED:
        # A few documents need not hold on to all that stands between them.
        parts = [rows.read(0, 0), *(rows.read(s.first, s.stop) for s in spans)]
        names = [name for document in filled for name in document.names()]
        labels = np.array([*names, ""], object)[:-1]
        return SequenceArray(np.concatenate(parts), offsets, labels=labels)
    features = rows.read(low, high)
    labels = np.full(high - low, "", dtype=object)
    known: dict[str, str] = {}
    for span, stored_labels in set(filled):
        names = StoredDocument(span, stored_labels).names()
        labels[span.first - low : span.stop - low] = [
            known.setdefault(name, name) for name in names
        ]
    if all(a.stop == b.first for a, b in itertools.pairwise(spans)):
        return SequenceArray(features, offsets, labels=labels)
    shifts = np.array([d.rows.first - low for d in found]) - offsets[:-1]
    indices = np.arange(offsets[-1]) + np.repeat(shifts, np.diff(offsets))
    return SequenceArray(features, offsets, indices, labels)
