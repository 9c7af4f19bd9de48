"""Tables of word vectors: found, read, and kept for the next time.

A text file is parsed once, then mapped into memory from a binary copy in the cache
folder, so that processes share its pages. Within a process the clones of a grid search
share the table itself.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import re
import tempfile
import threading
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrational.exceptions import VectorFileError
from skrational.text.vector_files import find_format, read_vectors

__all__ = [
    "VectorDict",
    "VectorTable",
    "cache_folder",
    "forget_tables",
    "load_table",
]

_FORMAT = 1
_NAME = re.compile(r"\w+(?:-\w+)+")

_lock = threading.Lock()
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class VectorTable:
    """Word vectors as the rows of one array.

    Parameters
    ----------
    index : mapping from str to int
        The row of each word.
    vectors : ndarray of shape (n_words, n_features)
        May be a memory map.
    source : str, default="the word vectors"
        What messages call the table: the path of its file.
    """

    index: Mapping[str, int]
    vectors: NDArray[Any]
    source: str = "the word vectors"

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or self.vectors.size == 0:
            raise VectorFileError(
                f"{self.source} has vectors of shape {self.vectors.shape}; expected "
                "(n_words, n_features), neither of them 0."
            )

    def __contains__(self, word: object) -> bool:
        return word in self.index

    @property
    def n_features(self) -> int:
        """Width of a vector."""
        return int(self.vectors.shape[1])

    @functools.cached_property
    def fingerprint(self) -> str:
        """What tells this table from another: its shape, words and a sample of rows."""
        sample = self.vectors[:: max(1, len(self.vectors) // 256)]
        words = zlib.crc32("\n".join(self.index).encode())
        rows = zlib.crc32(np.ascontiguousarray(sample).tobytes())
        return f"{len(self.vectors)}x{self.n_features}-{words:08x}-{rows:08x}"

    @property
    def words(self) -> Mapping[str, Any]:
        """The words, in the order of the rows."""
        return self.index

    def take(self, words: list[str]) -> NDArray[np.float32]:
        """Return the vectors of words of the table, of shape (len(words), n_features).

        Raises
        ------
        ValueError
            If one of them holds NaN or infinity; the message names the word.
        """
        rows = self.vectors[[self.index[word] for word in words]]
        return _check_finite(rows, words, self.source)


class VectorDict:
    """Word vectors as a dict, looked up where they are.

    Parameters
    ----------
    vectors : mapping from str to array-like of shape (n_features,)
    """

    source = None
    fingerprint = None

    def __init__(self, vectors: Mapping[str, ArrayLike]) -> None:
        if not vectors:
            raise ValueError("vectors is an empty dict; expected a vector for a word.")
        self.vectors = vectors
        word = next(iter(vectors))
        first = np.asarray(vectors[word])
        if first.ndim != 1 or len(first) == 0:
            raise ValueError(
                f"vectors[{word!r}] has shape {first.shape}; expected (n_features,)."
            )
        self.n_features = len(first)

    def __contains__(self, word: object) -> bool:
        return word in self.vectors

    @property
    def words(self) -> Mapping[str, Any]:
        """The words, in the order of the dict."""
        return self.vectors

    def take(self, words: list[str]) -> NDArray[np.float32]:
        """Return the vectors of words of the dict; as `VectorTable.take`."""
        rows = np.empty((len(words), self.n_features), dtype=np.float32)
        for i, word in enumerate(words):
            vector = np.asarray(self.vectors[word])
            if vector.shape != (self.n_features,):
                raise ValueError(
                    f"vectors[{word!r}] has shape {vector.shape}; the first one has "
                    f"({self.n_features},)."
                )
            rows[i] = vector
        return _check_finite(rows, words, "vectors")


Table: TypeAlias = VectorTable | VectorDict


def _check_finite(
    rows: NDArray[Any], words: list[str], source: str
) -> NDArray[np.float32]:
    rows = np.asarray(rows, dtype=np.float32)
    faults = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if faults.size:
        raise ValueError(
            f"The vector of {words[faults[0]]!r} in {source} holds NaN or infinity."
        )
    return rows


def load_table(vectors: Any, cache: bool | str | os.PathLike[str] = True) -> Table:
    """Find and read word vectors, or get them from what is loaded already.

    Parameters
    ----------
    vectors : str, path-like, KeyedVectors or dict
        As the parameter of `WordVectorizer`.
    cache : bool, str or path-like, default=True
        As the parameter of `WordVectorizer`.

    Returns
    -------
    VectorTable or VectorDict

    Raises
    ------
    FileNotFoundError
        If there is no such file and gensim has no vectors of this name, or no network.
    VectorFileError
        (a ValueError) if the file cannot be read; the message names the line.
    TypeError
        If vectors is something else.

    Examples
    --------
    >>> table = load_table({"good": [1.0, 0.0], "bad": [-1.0, 0.0]})
    >>> "good" in table, table.n_features
    (True, 2)
    """
    if isinstance(vectors, (str, os.PathLike)):
        path = _locate(vectors)
        stat = path.stat()
        with _lock:
            return _load_file(
                path, stat.st_size, stat.st_mtime_ns, cache_folder(cache, "vectors")
            )
    if isinstance(vectors, Mapping):
        return VectorDict(vectors)
    if hasattr(vectors, "key_to_index"):
        return VectorTable(vectors.key_to_index, vectors.vectors)
    raise TypeError(
        f"vectors must be a path, a name known to gensim, a gensim KeyedVectors or a "
        f"dict from words to vectors; got {type(vectors).__name__}."
    )


def forget_tables() -> None:
    """Release the tables that this process keeps for the next vectorizer."""
    with _lock:
        _load_file.cache_clear()


@functools.lru_cache(maxsize=2)
def _load_file(path: Path, size: int, mtime: int, folder: Path | None) -> VectorTable:
    form = find_format(path)
    if folder is None or form == "saved":
        return VectorTable(*read_vectors(path, form), str(path))
    entry = folder / _entry_name(path, size, mtime)
    cached = _read_entry(entry, path)
    if cached is not None:
        return cached
    table = VectorTable(*read_vectors(path, form), str(path))
    _write_entry(entry, table)
    # Processes share the pages of the map, but not of what was parsed.
    return _read_entry(entry, path) or table


def _locate(vectors: str | os.PathLike[str]) -> Path:
    path = Path(vectors).expanduser()
    if path.is_file():
        return path.resolve()
    if isinstance(vectors, str) and _NAME.fullmatch(vectors):
        return _fetch(vectors)
    if path.is_dir():
        raise VectorFileError(f"{path} is a folder; expected a file of word vectors.")
    raise FileNotFoundError(
        f"There is no file {str(path)!r}; and it's not the name of vectors that gensim "
        "can download, such as 'glove-wiki-gigaword-300'."
    )


def _fetch(name: str) -> Path:
    from gensim import downloader

    for folder in (downloader.BASE_DIR, downloader.base_dir):
        path = Path(folder, name, f"{name}.gz")
        if path.is_file():
            return path.resolve()
    try:
        known = sorted(downloader.info()["models"])
        if name in known:
            return Path(downloader.load(name, return_path=True)).resolve()
    except Exception as error:  # gensim raises bare Exception, too
        raise FileNotFoundError(
            f"There is no file {name!r}, and gensim could not download vectors of "
            f"this name ({error}). Where there is a network, run `python -m "
            f"gensim.downloader -d {name}`, then copy the folder to "
            f"{downloader.BASE_DIR}; or set vectors to the path of a file."
        ) from error
    raise FileNotFoundError(
        f"There is no file {name!r}; and it's not the name of vectors that gensim can "
        f"download: {', '.join(known)}."
    )


def cache_folder(
    cache: bool | str | os.PathLike[str], default: str = ""
) -> Path | None:
    """Return where to keep what can be made again.

    Parameters
    ----------
    cache : bool, str or path-like
        A path is the folder itself. True: a folder of this package. False: nothing is
        kept.
    default : str, default=""
        The folder within that of the package that True stands for.

    Returns
    -------
    Path or None

    Examples
    --------
    >>> cache_folder(False) is None
    True
    """
    if isinstance(cache, (str, os.PathLike)):
        return Path(cache).expanduser().absolute()
    if not cache:
        return None
    root = os.environ.get("SKRATIONAL_CACHE")
    if not root:
        home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        root = os.path.join(home, "skrational")
    return Path(root).expanduser().absolute() / default


def _entry_name(path: Path, size: int, mtime: int) -> str:
    place = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    state = hashlib.sha256(f"{_FORMAT} {size} {mtime}".encode()).hexdigest()[:12]
    return f"{path.stem}-{place}/{state}.npy"


def _write_entry(entry: Path, table: VectorTable) -> None:
    """Write the matrix as .npy, then the words and the fingerprint, a line each."""
    tail = "\n".join([*table.index, table.fingerprint]).encode()
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=entry.parent) as scratch:
            part = Path(scratch, entry.name)
            with open(part, "wb") as file:
                np.save(file, table.vectors, allow_pickle=False)
                file.write(tail)
            os.replace(part, entry)
        for outdated in set(entry.parent.glob("*.npy")) - {entry}:
            outdated.unlink(missing_ok=True)
    except OSError as error:
        _logger.warning("%s is not cached: %s", table.source, error)


def _read_entry(entry: Path, path: Path) -> VectorTable | None:
    try:
        mapped = np.load(entry, mmap_mode="r", allow_pickle=False)
        with open(entry, "rb") as file:
            file.seek(mapped.offset + mapped.nbytes)
            *words, fingerprint = file.read().decode().split("\n")
        index = {word: row for row, word in enumerate(words)}
        table = VectorTable(index, np.asarray(mapped), str(path))
    except Exception:  # not there, or damaged in whatever way: parse again
        return None
    complete = len(index) == len(mapped) and table.fingerprint == fingerprint
    return table if complete else None
