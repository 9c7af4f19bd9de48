"""Packed sequences in files: written a batch at a time, read as memory maps.

A folder holds one file of numpy for the features, the offsets and the row numbers, the
labels as JSON, and a list of the files with their sizes and checksums.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Iterable
from contextlib import ExitStack
from hashlib import blake2b
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from skrational.exceptions import SequenceError
from skrational.sequences.repeats import distinct_rows
from skrational.utils.files import expanded
from skrational.utils.memory_maps import release

__all__ = ["open_parts", "write_batches"]

_FORMAT = 1
_LIST, _LABELS = "files.json", "labels.json"
_BLOCK = 2**20


class _ArrayFile:
    """An array that grows in a file of numpy.

    Parameters
    ----------
    path : Path
    dtype : dtype
    width : int or None
        Of its rows; None: it has one dimension.
    """

    def __init__(self, path: Path, dtype: Any, width: int | None = None) -> None:
        self._dtype, self._width = np.dtype(dtype), width
        self._file = open(path, "wb")
        self.n_rows = 0
        self._write_header()

    def _write_header(self) -> None:
        shape = (self.n_rows,) if self._width is None else (self.n_rows, self._width)
        descr = np.lib.format.dtype_to_descr(self._dtype)
        header = {"descr": descr, "fortran_order": False, "shape": shape}
        # numpy leaves room, so that a header of more rows takes no more of it.
        np.lib.format.write_array_header_1_0(self._file, header)

    def append(self, rows: NDArray[Any]) -> None:
        if len(rows):
            self._file.write(np.ascontiguousarray(rows, self._dtype).data.cast("B"))
            self.n_rows += len(rows)

    def close(self) -> None:
        """Finish the file, if it isn't finished."""
        if not self._file.closed:
            self._file.seek(0)
            self._write_header()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()


class _Writer:
    """Appends batches to the files of a folder.

    Parameters
    ----------
    folder : Path
    first : SequenceArray
        The batch that says what all have to be like.
    """

    def __init__(self, folder: Path, first: Any, files: ExitStack) -> None:
        self._folder = folder
        self._kind = self._kind_of(first)
        self._features = _ArrayFile(
            folder / "features.npy", first.dtype, first.n_features
        )
        self._offsets = _ArrayFile(folder / "offsets.npy", np.int64)
        self._offsets.append(np.zeros(1, np.int64))
        files.callback(self._features.close)
        files.callback(self._offsets.close)
        self._indices: _ArrayFile | None = None
        if first.indices is not None:
            self._indices = _ArrayFile(folder / "indices.npy", np.int32)
            files.callback(self._indices.close)
        self._labels: list[str] | None = None
        if first.indices is not None and first.labels is not None:
            self._labels = []
        self._n_tokens = 0
        self._row_of: dict[bytes, int] = {}

    @staticmethod
    def _kind_of(X: Any) -> dict[str, Any]:
        level = "token-level" if X.indices is None else "type-level"
        labelled = X.indices is not None and X.labels is not None
        return {
            "width": X.n_features,
            "dtype": str(X.dtype),
            "level": level,
            "labelled rows": labelled,
        }

    def append(self, X: Any, number: int) -> None:
        """Append a batch; its number is for messages."""
        kind = self._kind_of(X)
        for name, value in kind.items():
            if value != self._kind[name]:
                raise SequenceError(
                    f"batch {number} has {name} {value}; the ones before it have "
                    f"{self._kind[name]}."
                )
        self._offsets.append(X.offsets[1:] + self._n_tokens)
        self._n_tokens += X.n_tokens
        if self._indices is None:
            self._features.append(X.features)
        else:
            self._indices.append(self._rows(X))
        release(X.features)

    def _rows(self, X: Any) -> NDArray[np.int32]:
        """Return the row of each token, after writing the rows that are not there."""
        used = distinct_rows(X.indices, len(X.features))
        place = np.empty(len(X.features), np.int32)
        new = []
        for row in used.tolist():
            label = "" if self._labels is None else str(X.labels[row])
            name = label.encode("utf-8", "surrogatepass")
            # So long a digest differs for different vectors.
            content = np.ascontiguousarray(X.features[row]).data.cast("B")
            digest = blake2b(content, digest_size=16, key=_key(name)).digest()
            n_known = len(self._row_of)
            place[row] = self._row_of.setdefault(digest, n_known)
            if place[row] == n_known:
                new.append(row)
                if self._labels is not None:
                    self._labels.append(label)
        self._features.append(X.features[new])
        return place[X.indices]

    def finish(self) -> None:
        """Write the labels."""
        if self._labels is not None:
            text = json.dumps(self._labels)
            (self._folder / _LABELS).write_text(text, encoding="ascii")


def _key(label: bytes) -> bytes:
    """Make a key of a label of any length."""
    return label if len(label) <= 64 else blake2b(label).digest()


def write_batches(folder: str | os.PathLike[str], batches: Iterable[Any]) -> None:
    """Write batches to a folder that isn't there yet, all of them or nothing.

    Parameters
    ----------
    folder : str or path-like
    batches : iterable of SequenceArray

    Raises
    ------
    FileExistsError
        If the folder is there.
    SequenceError
        If there is no batch, or they don't go together.
    TypeError
        If a batch is something else.
    """
    from skrational.sequences.array import SequenceArray

    path = expanded(folder).absolute()
    if path.exists():
        raise FileExistsError(f"{path} is there already; expected a new folder.")
    if isinstance(batches, SequenceArray):
        batches = [batches]
    part = path.with_name(f"{path.name}.{uuid4().hex[:8]}.part")
    part.mkdir(parents=True)
    try:
        with ExitStack() as files:
            writer = None
            for number, batch in enumerate(batches):
                if not isinstance(batch, SequenceArray):
                    raise TypeError(
                        f"batch {number} is a {type(batch).__name__}; expected a "
                        "SequenceArray, as a vectorizer's transform returns."
                    )
                writer = writer or _Writer(part, batch, files)
                writer.append(batch, number)
            if writer is None:
                raise SequenceError("batches is empty; expected at least one.")
            writer.finish()
        _write_list(part)
        os.replace(part, path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _write_list(folder: Path) -> None:
    files = {p.name: [p.stat().st_size, _crc(p)] for p in sorted(folder.iterdir())}
    text = json.dumps({"format": _FORMAT, "files": files})
    (folder / _LIST).write_text(text, encoding="ascii")


def _crc(path: Path) -> int:
    crc = 0
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            crc = zlib.crc32(block, crc)
    return crc


def open_parts(
    folder: str | os.PathLike[str], check: bool
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any] | None, NDArray[Any] | None]:
    """Return the features, offsets, indices and labels of a folder, mapped.

    Parameters
    ----------
    folder : str or path-like
    check : bool
        Whether to compare checksums.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    SequenceError
        If the files are damaged; the message names one.
    """
    path = expanded(folder).absolute()
    if not (path / _LIST).is_file():
        raise FileNotFoundError(
            f"{path} holds no sequences: there is no {_LIST}, which "
            "SequenceArray.write leaves there."
        )
    _check_files(path, check)
    parts = (_map(path / f"{name}.npy") for name in ("features", "offsets", "indices"))
    features, offsets, indices = parts
    if features is None or offsets is None:
        raise SequenceError(f"{path} is damaged: it lacks its features or offsets.")
    return features, offsets, indices, _read_labels(path / _LABELS)


def _check_files(folder: Path, check: bool) -> None:
    """Raise a SequenceError if a file isn't as it was written."""
    try:
        listed = json.loads((folder / _LIST).read_text(encoding="ascii"))
        form, files = listed["format"], dict(listed["files"])
        expected = {
            str(name): (int(size), int(crc)) for name, (size, crc) in files.items()
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SequenceError(f"{folder / _LIST} is damaged: {error!r}") from error
    if form != _FORMAT:
        raise SequenceError(
            f"{folder} has the format {form!r}; this version reads {_FORMAT}."
        )
    there = {p.name for p in folder.iterdir() if p.suffix in (".npy", ".json")}
    if there - {_LIST} != set(expected):
        raise SequenceError(
            f"{folder} holds {sorted(there - {_LIST})}, but {_LIST} names "
            f"{sorted(expected)}."
        )
    for name, (size, crc) in expected.items():
        found = (folder / name).stat().st_size
        if found != size:
            raise SequenceError(
                f"{folder / name} is damaged: it has {found} bytes; expected {size}."
            )
        if check and _crc(folder / name) != crc:
            raise SequenceError(f"{folder / name} is damaged: its checksum differs.")


def _map(path: Path) -> NDArray[Any] | None:
    """Map an array; an empty one can't be, and one that isn't there is None."""
    if not path.exists():
        return None
    try:
        with open(path, "rb") as file:
            np.lib.format.read_magic(file)
            shape, *_ = np.lib.format.read_array_header_1_0(file)
        mode: Any = "r" if all(shape) else None
        array: NDArray[Any] = np.load(path, mmap_mode=mode, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise SequenceError(f"{path} is damaged: {error}") from error
    return array


def _read_labels(path: Path) -> NDArray[Any] | None:
    if not path.exists():
        return None
    try:
        return np.array([*json.loads(path.read_text("ascii")), ""], dtype=object)[:-1]
    except ValueError as error:
        raise SequenceError(f"{path} is damaged: {error}") from error
