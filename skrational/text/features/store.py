"""Token features of documents, kept on disk for the next time.

A neural network that embeds tokens is so slow, and its features take so much room, that
they are computed once for each document, written next to one another into one file, and
mapped into memory from there.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from skrational.exceptions import FeatureCacheWarning
from skrational.sequences import SequenceArray
from skrational.text.features.mapped_files import discard
from skrational.text.features.row_files import (
    Document,
    FeatureFiles,
    FeatureMemory,
    Place,
    copy,
    gather,
)

__all__ = ["FeatureStore"]

Embed: TypeAlias = Callable[[list[int]], Iterator[tuple[int, NDArray[Any], list[str]]]]

_FORMAT = 1
_GENERATION = re.compile(rb"generation-[0-9a-f]{8}")


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
        anew with the documents of the present call. Files that arrays of this process
        still map are removed when the arrays are.

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
        with suppress(OSError, ValueError):
            files = self._current()
            files.drop_damaged(wanted)
            if wanted.keys() <= files.entries.keys():
                return gather(files, keys)
        filling = _Filling(self, list(wanted))
        try:
            with self._lock() as fault:
                filling.begin()
                missing = [
                    p for k, p in wanted.items() if k not in filling.place.entries
                ]
                if missing:
                    filling.prepare(fault)
                    filling.embed(missing, keys, embed)
                result = gather(filling.place, keys)
        finally:
            filling.end()
        if filling.troubles:
            where = "of features" if self.folder is None else str(self.folder)
            message = f"The cache {where}: {'; '.join(filling.troubles)}."
            warnings.warn(message, FeatureCacheWarning, stacklevel=2)
        return result

    @contextmanager
    def _lock(self) -> Iterator[Exception | None]:
        """Hold the lock; or say why there is none."""
        fault: Exception | None = None
        if self.folder is not None:
            lock = FileLock(self.folder / "lock")
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                lock.acquire()
            except (OSError, NotImplementedError) as error:
                fault = error
        try:
            yield fault
        finally:
            if self.folder is not None:
                lock.release()

    def _current(self) -> FeatureFiles:
        """Open the files that meta.json names; an OSError or ValueError if it can't."""
        if self.folder is None:
            raise FileNotFoundError("no folder")
        meta = (self.folder / "meta.json").read_bytes()
        name = _GENERATION.search(meta)
        if name is None or meta != self._meta(name[0].decode()):
            raise ValueError("meta.json does not fit")
        return self._files(self.folder / name[0].decode())

    def _meta(self, generation: str) -> bytes:
        facts = {
            "format": _FORMAT,
            "n_features": self.n_features,
            "dtype": self.dtype.str,
            "generation": generation,
        }
        return json.dumps(facts).encode()

    def _files(self, folder: Path, new: bool = False) -> FeatureFiles:
        return FeatureFiles(folder, self.n_features, self.dtype, new)

    def _renew(self, keys: list[str], source: Place | None = None) -> FeatureFiles:
        """Begin a generation with these documents of the source; needs the lock."""
        assert self.folder is not None
        name = f"generation-{uuid.uuid4().hex[:8]}"
        try:
            files = self._files(self.folder / name, new=True)
            if source is not None:
                copy(keys, source, files)
            part = self.folder / "meta.part"
            part.write_bytes(self._meta(name))
            os.replace(part, self.folder / "meta.json")
        except OSError:
            discard(self.folder / name)
            raise
        for outdated in set(self.folder.glob("generation-*")) - {files.folder}:
            discard(outdated)
        return files

    def _scratch(self) -> FeatureFiles:
        """Begin temporary files; whoever asks for them discards them."""
        folder = Path(tempfile.mkdtemp(prefix="skrational-"))
        return FeatureFiles(folder, self.n_features, self.dtype, True, temporary=True)

    def _memory(self) -> FeatureMemory:
        return FeatureMemory(self.n_features, self.dtype)


class _Filling:
    """The documents of one call on their way to a place that has room for them.

    That is the cache, else temporary files, else memory.
    """

    def __init__(self, store: FeatureStore, keys: list[str]) -> None:
        self.store, self.keys = store, keys
        self.place: Place = store._memory()
        self.troubles: list[str] = []
        self._damage: list[str] = []
        scratch = (store._scratch, "in a temporary file")
        self._retreats: Iterator[tuple[Callable[[], Place], str]] = iter(
            [scratch, (store._memory, "in memory")]
        )
        self._temporary: list[Path] = []

    def begin(self) -> None:
        """Find what the cache has of the documents."""
        folder = self.store.folder
        try:
            files = self.store._current()
        except (OSError, ValueError) as error:
            if folder is not None and _began(folder):
                self._damage.append(f"it could not be read ({error}) and begins anew")
            return
        if files.damaged:
            self._damage.append("lines of its index were damaged and are dropped")
        n_damaged = files.drop_damaged(self.keys)
        if n_damaged:
            self._damage.append(f"{n_damaged} damaged documents were embedded again")
        self.place = files

    def prepare(self, fault: Exception | None) -> None:
        """Find a place that can be written, given why there is no lock."""
        self.troubles += self._damage
        if self.store.folder is None or fault is not None:
            self._retreat(None if fault is None else str(fault))
        elif isinstance(self.place, FeatureMemory):
            try:
                self.place = self.store._renew(self.keys)
            except OSError as error:
                self._retreat(str(error))

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
            self._add(keys[position], Document.encode(rows, labels))
        if waiting:
            raise ValueError(
                f"embed yields nothing for position {min(waiting)} and "
                f"{len(waiting) - 1} others."
            )

    def end(self) -> None:
        """Give up temporary files, except for what arrays map."""
        for folder in self._temporary:
            discard(folder)

    def _add(self, key: str, document: Document) -> None:
        while True:
            try:
                self._make_room(document.rows.nbytes)
                self.place.append(key, document)
                return
            except OSError as error:
                self._retreat(str(error))

    def _make_room(self, n_bytes: int) -> None:
        """Leave files to which so many bytes would be too many."""
        files, limit = self.place, self.store.max_bytes
        if isinstance(files, FeatureMemory) or files.folder in self._temporary:
            return
        if files.size + n_bytes > limit:
            held = [files.entries[key] for key in self.keys if key in files.entries]
            used = sum(entry.n_rows for entry in held) * files.row_bytes
            if used + n_bytes <= limit:
                self.place = self.store._renew(self.keys, files)
            else:
                self._retreat(f"this call alone needs more than {limit:,} bytes")

    def _retreat(self, reason: str | None) -> None:
        """Move on to the next place that can be written; no reason: without a word."""
        for make, where in self._retreats:
            try:
                place = make()
                if isinstance(place, FeatureFiles):
                    self._temporary.append(place.folder)
                copy(self.keys, self.place, place)
            except OSError as error:
                reason = reason or str(error)
                continue
            self.place = place
            if reason:
                self.troubles.append(f"{reason}, so features of this call are {where}")
            return
        raise OSError(reason)


def _began(folder: Path) -> bool:
    return (folder / "meta.json").exists() or any(folder.glob("generation-*"))
