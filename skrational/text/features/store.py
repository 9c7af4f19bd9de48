"""Token features of documents, kept on disk for the next time.

A neural network that embeds tokens is so slow, and its features take so much room, that
they are computed once for each document, written next to one another into one file, and
mapped into memory from there.
"""

from __future__ import annotations

import os
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from skrational.exceptions import FeatureCacheWarning
from skrational.sequences import SequenceArray
from skrational.text.features.documents import DocumentSet, to_sequences
from skrational.text.features.index import (
    DamagedIndexError,
    FeatureIndex,
    StoredDocument,
)
from skrational.text.features.mapped_files import discard
from skrational.text.features.rows import RowFile, RowMemory

__all__ = ["FeatureStore"]

Embed: TypeAlias = Callable[[list[int]], Iterator[tuple[int, NDArray[Any], list[str]]]]


class FeatureStore:
    """Token features of documents under one configuration, on disk.

    Threads and processes may share a folder: documents that several of them want are
    embedded once.

    Parameters
    ----------
    folder : str, path-like or None
        Where the features of this configuration are, or will be. None: nothing is kept
        beyond the arrays that are returned; they map temporary files.
    n_features : int
        Width of the features.
    dtype : str, default="float16"
        In which type features are stored.
    max_bytes : int, default=2**34
        Size to which the features in the folder may grow. Beyond it the folder begins
        anew with the documents of the present call. A file that arrays of this process
        still map is removed when the arrays are.

    Examples
    --------
    >>> import tempfile
    >>> def embed(positions):
    ...     for i in positions:
    ...         print("embedding", i)
    ...         yield i, np.full((2, 3), i, dtype=np.float32), ["a", "b"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = FeatureStore(folder, n_features=3)
    ...     X = store.sequences(["c0", "c1"], embed)
    ...     X = store.sequences(["c1", "c2", "c1"], embed)
    embedding 0
    embedding 1
    embedding 1
    >>> X
    SequenceArray(3 sequences, 6 tokens of 3 features in 4 rows, type-level)
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None,
        n_features: int,
        dtype: str = "float16",
        max_bytes: int = 2**34,
    ) -> None:
        self.folder = None if folder is None else Path(folder).expanduser().absolute()
        self.n_features = n_features
        self.dtype = np.dtype(dtype)
        self.max_bytes = max_bytes
        self._index = (
            None
            if self.folder is None
            else FeatureIndex(self.folder, n_features, self.dtype)
        )

    def sequences(self, keys: Sequence[str], embed: Embed) -> SequenceArray:
        """Return the features of documents, embedding those that are not there yet.

        Parameters
        ----------
        keys : sequence of str
            A hex digest of each document. Equal keys stand for equal documents.
        embed : callable
            Is called with the positions of the documents to embed, at most once. Yields
            ``(position, features, labels)`` for each of them, in any order: an array of
            shape (T, n_features) and T strings, T >= 0.

        Returns
        -------
        SequenceArray
            Its features are a read-only memory map of the file that holds them.
            Token-level if the documents stand there in the order of the keys.

        Raises
        ------
        ValueError
            If embed yields something else. Whatever embed raises goes on to the caller.
            What was yielded before stays in the cache.

        Warns
        -----
        FeatureCacheWarning
            Once a call, if files were damaged, could not be written, or are too small.
        """
        wanted: dict[str, int] = {}
        for position, key in enumerate(keys):
            wanted.setdefault(key, position)
        with suppress(OSError):
            documents, _ = self._read(wanted)
            if wanted.keys() <= documents.stored.keys():
                return to_sequences(documents, keys)
        writer = _Writer(self, list(wanted))
        with ExitStack() as at_end:
            at_end.callback(writer.close)
            fault = self._lock(at_end)
            writer.read()
            missing = [p for k, p in wanted.items() if k not in writer.documents.stored]
            if missing:
                writer.prepare(fault)
                writer.embed(missing, keys, embed)
            result = to_sequences(writer.documents, keys)
        if writer.troubles:
            where = "of features" if self.folder is None else str(self.folder)
            message = f"The cache {where}: {'; '.join(writer.troubles)}."
            warnings.warn(message, FeatureCacheWarning, stacklevel=2)
        return result

    def _lock(self, at_end: ExitStack) -> OSError | None:
        """Keep others from writing until the end; return why that can't be, if so."""
        if self._index is not None:
            try:
                self._index.folder.mkdir(parents=True, exist_ok=True)
                at_end.enter_context(self._index.lock())
            except OSError as error:
                return error
        return None

    def _read(self, keys: Iterable[str]) -> tuple[DocumentSet, int]:
        """Read what the folder has of some documents, and count the damaged ones."""
        if self._index is None:
            raise FileNotFoundError("no folder")
        file, n_rows, stored, n_damaged = self._index.read(keys)
        documents = DocumentSet(self._file(file, n_rows), stored, self._index)
        return documents, n_damaged + documents.drop_damaged()

    def _file(self, name: str, n_rows: int = 0) -> RowFile:
        assert self.folder is not None
        return RowFile(self.folder / name, self.n_features, self.dtype, n_rows)

    def _files(self) -> set[Path]:
        return set() if self.folder is None else set(self.folder.glob("features-*.bin"))

    def _begin_anew(self, keys: list[str], source: DocumentSet) -> DocumentSet:
        """Begin a file with these documents of the source; needs the lock."""
        assert self._index is not None
        rows = self._file(f"features-{uuid.uuid4().hex[:8]}.bin")
        documents = DocumentSet(rows)
        try:
            rows.path.touch()
            documents.add_from(source, keys)
            self._index.begin(rows.path.name, rows.n_rows, documents.stored)
        except OSError:
            discard(rows.path)
            raise
        documents.index = self._index
        for outdated in self._files() - {rows.path}:
            discard(outdated)
        return documents

    def _in_temporary_file(self) -> DocumentSet:
        """Begin a temporary file; whoever asks for it discards it."""
        handle, name = tempfile.mkstemp(prefix="skrational-", suffix=".bin")
        os.close(handle)
        path = Path(name)
        return DocumentSet(RowFile(path, self.n_features, self.dtype, temporary=True))

    def _in_memory(self) -> DocumentSet:
        return DocumentSet(RowMemory(self.n_features, self.dtype))


class _Writer:
    """Adds the documents that one call embeds to the cache.

    Where the cache can't be written it adds them to a temporary file, and where there
    is no room for that either, to memory.

    Parameters
    ----------
    store : FeatureStore
    keys : list of str
        The documents of the call, each once.

    Attributes
    ----------
    documents : DocumentSet
        Those that are there so far.
    troubles : list of str
        What to warn of.
    """

    def __init__(self, store: FeatureStore, keys: list[str]) -> None:
        self.store, self.keys = store, keys
        self.documents = store._in_memory()
        self.troubles: list[str] = []
        self._damage: list[str] = []
        self._fault: OSError | None = None
        self._began_anew = False
        self._fallbacks = iter(
            [
                (store._in_temporary_file, "in a temporary file"),
                (store._in_memory, "in memory"),
            ]
        )
        self._temporary: list[Path] = []

    def read(self) -> None:
        """Find what the cache has of the documents."""
        try:
            self.documents, n_damaged = self.store._read(self.keys)
        except (FileNotFoundError, DamagedIndexError) as error:
            if isinstance(error, DamagedIndexError) or self.store._files():
                self._damage.append(f"it could not be read ({error}) and begins anew")
        except OSError as error:
            self._fault = error
        else:
            if n_damaged:
                damage = f"{n_damaged} damaged documents were embedded again"
                self._damage.append(damage)

    def prepare(self, fault: OSError | None) -> None:
        """Find room for documents, given why there is no lock."""
        self.troubles += self._damage
        fault = fault or self._fault
        if self.store.folder is None or fault is not None:
            self._fall_back(None if fault is None else str(fault))
        elif self.documents.index is None:
            self._begin_anew()

    def embed(self, missing: list[int], keys: Sequence[str], embed: Embed) -> None:
        """Embed the documents at these positions; add each as soon as it's there."""
        waiting = set(missing)
        width = self.store.n_features
        for position, features, labels in embed(missing):
            rows = np.asarray(features, dtype=self.store.dtype)
            if position not in waiting:
                raise ValueError(f"embed yields position {position}, not one to embed.")
            if rows.shape != (len(labels), width):
                raise ValueError(
                    f"embed yields features of shape {rows.shape} and {len(labels)} "
                    f"labels at position {position}; expected {width} features of each "
                    "token, and its label."
                )
            waiting.remove(position)
            self._add(keys[position], rows, StoredDocument.encode_labels(labels))
        if waiting:
            raise ValueError(
                f"embed yields nothing for position {min(waiting)} and "
                f"{len(waiting) - 1} others."
            )

    def close(self) -> None:
        """Give up temporary files, except for what arrays map."""
        for path in self._temporary:
            discard(path)

    def _add(self, key: str, rows: NDArray[Any], labels: bytes) -> None:
        while True:
            try:
                self._make_room(rows.nbytes)
                self.documents.add(key, rows, labels)
                return
            except DamagedIndexError as error:
                if self._began_anew:
                    self._fall_back(str(error))
                    continue
                self.troubles.append(f"it is damaged ({error}) and begins anew")
                self._begin_anew()
            except OSError as error:
                self._fall_back(str(error))

    def _make_room(self, n_bytes: int) -> None:
        """Leave a file to which so many bytes would be too many."""
        rows, limit = self.documents.rows, self.store.max_bytes
        if self.documents.index is None or not isinstance(rows, RowFile):
            return
        if rows.n_bytes + n_bytes > limit:
            n_rows = sum(d.rows.n_rows for d in self.documents.stored.values())
            if n_rows * rows.row_bytes + n_bytes <= limit:
                self.documents = self.store._begin_anew(self.keys, self.documents)
            else:
                self._fall_back(f"this call alone needs more than {limit:,} bytes")

    def _begin_anew(self) -> None:
        """Begin a new file and a new index with what is there of the documents."""
        self._began_anew = True
        try:
            assert self.store._index is not None
            self.store._index.remove()
            self.documents = self.store._begin_anew(self.keys, self.documents)
        except OSError as error:
            self._fall_back(str(error))

    def _fall_back(self, reason: str | None) -> None:
        """Go on elsewhere, where there is room; no reason: without a word."""
        for make, where in self._fallbacks:
            try:
                documents = make()
                if isinstance(documents.rows, RowFile):
                    self._temporary.append(documents.rows.path)
                documents.add_from(self.documents, self.keys)
            except OSError as error:
                reason = reason or str(error)
                continue
            self.documents = documents
            if reason:
                self.troubles.append(f"{reason}, so features of this call are {where}")
            return
        raise OSError(reason)
