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
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from skrational.exceptions import VectorFileError
from skrational.text.vectors.tables import Table, VectorDict, VectorTable
from skrational.text.vectors.vector_files import find_format, read_vectors
from skrational.utils.files import cache_folder, discard, replaced_file
from skrational.utils.memory_maps import release

__all__ = [
    "forget_tables",
    "load_table",
    "reload_table",
]

_FORMAT = 1
_NAME = re.compile(r"\w+(?:-\w+)+")

_lock = threading.Lock()
_logger = logging.getLogger(__name__)


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
    """Read a file of vectors, or its copy in the cache.

    Parameters
    ----------
    path : Path
    size, mtime : int
        They tell whether the file has changed.
    folder : Path or None
        That of the cache; None: there is none.

    Returns
    -------
    VectorTable
    """
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


def reload_table(
    vectors: Any, source: str | None, fingerprint: str | None, cache: Any
) -> Table:
    """Find the table again that a vectorizer was fitted with, after it was pickled.

    Parameters
    ----------
    vectors : str, path-like, KeyedVectors or dict
        Where it is, if it hasn't moved: the parameter of `WordVectorizer`.
    source : str or None
        Where it was, as an absolute path.
    fingerprint : str or None
        That of the table; None: it was a dict.
    cache : bool, str or path-like
        As the parameter of `WordVectorizer`.

    Returns
    -------
    VectorTable or VectorDict

    Raises
    ------
    FileNotFoundError
        If it is in neither place.
    VectorFileError
        If another table is there.

    Examples
    --------
    >>> reload_table({"good": [1.0, 0.0]}, None, None, cache=False).n_features
    2
    """
    for candidate in (vectors, source):
        try:
            table = load_table(candidate, cache)
        except FileNotFoundError:
            continue
        if table.fingerprint != fingerprint:
            raise VectorFileError(
                f"{table.source} is not the table that this WordVectorizer was fitted "
                f"with ({table.fingerprint}, not {fingerprint})."
            )
        return table
    raise FileNotFoundError(
        f"This WordVectorizer was pickled without its word vectors, and {source} is "
        "not there. Put the file back, or name its new place by "
        "set_params(vectors=...)."
    )


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


def _entry_name(path: Path, size: int, mtime: int) -> str:
    place = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    state = hashlib.sha256(f"{_FORMAT} {size} {mtime}".encode()).hexdigest()[:12]
    return f"{path.stem}-{place}/{state}.npy"


def _write_entry(entry: Path, table: VectorTable) -> None:
    """Write the matrix as .npy, then the words and the fingerprint, a line each."""
    tail = "\n".join([*table.index, table.fingerprint]).encode()
    try:
        entry.parent.mkdir(parents=True, exist_ok=True)
        with replaced_file(entry) as file:
            np.save(file, table.vectors, allow_pickle=False)
            file.write(tail)
        for outdated in set(entry.parent.glob("*.npy")) - {entry}:
            discard(outdated)
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
    release(mapped)  # the sample is in pages all over the file
    return table if complete else None
