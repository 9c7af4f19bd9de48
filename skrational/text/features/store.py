"""Token features of documents, kept on disk for the next time.

A neural network that embeds tokens is so slow, and its features take so much room, that
they are computed once for each document, written next to one another into one file, and
mapped into memory from there.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from skrational.exceptions import FeatureCacheWarning
from skrational.sequences import SequenceArray
from skrational.text.features.database import DamagedDatabaseError
from skrational.text.features.documents import (
    DocumentSet,
    StoredDocument,
    to_sequences,
)
from skrational.text.features.folder import CacheFolder
from skrational.text.features.mapped_files import discard
from skrational.text.features.rows import RowFile, RowMemory
from skrational.utils.callers import caller_level
from skrational.utils.files import expanded

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
        self.folder = None if folder is None else expanded(folder).absolute()
        self.n_features = n_features
        self.dtype = np.dtype(dtype)
        self.max_bytes = max_bytes
        self._cache = None
        if self.folder is not None:
            self._cache = CacheFolder(self.folder, n_features, self.dtype)

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
            if self._cache is not None:
                documents, _ = self._cache.read(wanted)
                if wanted.keys() <= documents.stored.keys():
                    return to_sequences(documents, keys)
        with _Writer(self, list(wanted)) as writer:
            missing = [p for k, p in wanted.items() if k not in writer.documents.stored]
            if missing:
                writer.prepare()
                writer.embed(missing, keys, embed)
            result = to_sequences(writer.documents, keys)
        if writer.troubles:
            where = "of features" if self.folder is None else str(self.folder)
            message = f"The cache {where}: {'; '.join(writer.troubles)}."
            warnings.warn(message, FeatureCacheWarning, stacklevel=caller_level())
        return result

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
        self.store, self.cache, self.keys = store, store._cache, keys
        self.documents = store._in_memory()
        self.troubles: list[str] = []
        self._damage: list[str] = []
        self._fault: OSError | None = None
        self._index_is_damaged = False
        self._fallbacks = iter(
            [
                (store._in_temporary_file, "in a temporary file"),
                (store._in_memory, "in memory"),
            ]
        )
        self._at_end = ExitStack()

    def __enter__(self) -> _Writer:
        """Keep others from writing, and find what the cache has of the documents."""
        if self.cache is None:
            return self
        try:
            self._at_end.enter_context(self.cache.locked())
        except OSError as error:
            self._fault = error
        try:
            self.documents, n_damaged = self.cache.read(self.keys, thorough=True)
        except (FileNotFoundError, DamagedDatabaseError) as error:
            self._index_is_damaged = isinstance(error, DamagedDatabaseError)
            if self._index_is_damaged or self.cache.row_files():
                self._damage.append(f"it could not be read ({error}) and begins anew")
        except OSError as error:
            self._fault = self._fault or error
        else:
            if self._fault is None:
                self.cache.remove_outdated(self.documents)
            if n_damaged:
                damage = f"{n_damaged} damaged documents were embedded again"
                self._damage.append(damage)
        return self

    def __exit__(self, *error: object) -> None:
        """Let others write; give up temporary files, but for what arrays map."""
        self._at_end.close()

    def prepare(self) -> None:
        """Find room for documents."""
        self.troubles += self._damage
        if self.cache is None or self._fault is not None:
            self._fall_back(None if self._fault is None else str(self._fault))
        elif self.documents.record is None:
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

    def _add(self, key: str, rows: NDArray[Any], labels: bytes) -> None:
        while True:
            try:
                self._make_room(rows.nbytes)
                self.documents.add(key, rows, labels)
                return
            except OSError as error:
                if (
                    isinstance(error, DamagedDatabaseError)
                    and not self._index_is_damaged
                ):
                    self.troubles.append(f"it is damaged ({error}) and begins anew")
                    self._index_is_damaged = True
                    self._begin_anew()
                else:
                    self._fall_back(str(error))

    def _make_room(self, n_bytes: int) -> None:
        """Leave a file to which so many bytes would be too many."""
        documents, limit = self.documents, self.store.max_bytes
        rows = documents.rows
        if self.cache is None or documents.record is None:
            return
        if rows.n_rows * rows.row_bytes + n_bytes > limit:
            n_rows = sum(document.rows.n_rows for document in documents.stored.values())
            if n_rows * rows.row_bytes + n_bytes <= limit:
                self.documents = self.cache.begin_anew(self.keys, documents)
            else:
                self._fall_back(f"this call alone needs more than {limit:,} bytes")

    def _begin_anew(self) -> None:
        """Begin a new file and a new index with what is there of the documents."""
        assert self.cache is not None
        try:
            self.documents = self.cache.begin_anew(
                self.keys, self.documents, self._index_is_damaged
            )
        except OSError as error:
            self._fall_back(str(error))

    def _fall_back(self, reason: str | None) -> None:
        """Go on elsewhere, where there is room; no reason: without a word."""
        for make, where in self._fallbacks:
            try:
                documents = make()
                if isinstance(documents.rows, RowFile):
                    self._at_end.callback(discard, documents.rows.path)
                documents.add_from(self.documents, self.keys)
            except OSError as error:
                reason = reason or str(error)
                continue
            self.documents = documents
            if reason:
                self.troubles.append(f"{reason}, so features of this call are {where}")
            return
        raise OSError(reason)
