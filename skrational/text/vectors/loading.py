"""Tables of word vectors: found, read, and kept for the next time.

A file of text, or of word2vec, is parsed once, then mapped into memory from a binary
copy in the cache folder, so that processes share its pages. Within a process the clones
of a grid search share the table itself.
"""

from __future__ import annotations

import functools
import os
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from skrational.exceptions import FeatureCacheWarning, VectorFileError
from skrational.text.vectors.cache import entry_path, read_entry, write_entry
from skrational.text.vectors.kept_vectors import KeptVectors
from skrational.text.vectors.objects import open_object
from skrational.text.vectors.sent import SentVectors
from skrational.text.vectors.subwords import SubwordTable
from skrational.text.vectors.tables import Table, VectorTable
from skrational.text.vectors.vector_files import find_format, read_vectors
from skrational.utils.callers import caller_level
from skrational.utils.files import cache_folder, expanded
from skrational.utils.fork_locks import Lock

__all__ = [
    "CORPUS",
    "check_width",
    "fetch_vectors",
    "forget_tables",
    "load_table",
    "load_tables",
    "reload_table",
    "reload_tables",
]

CORPUS = "corpus"
"""Stands for vectors that are learned from the texts of ``fit``."""

_NAME = re.compile(r"\w+(?:-\w+)+")

_lock = Lock(delays_forks=False)


def load_table(vectors: Any, cache: bool | str | os.PathLike[str] = True) -> Table:
    """Find and read word vectors, or get them from what is loaded already.

    Parameters
    ----------
    vectors : str, path-like, KeyedVectors, dict, SentVectors or KeptVectors
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
        If vectors is something else; the message says what to give instead.

    Warns
    -----
    FeatureCacheWarning
        If the copy of the file in the cache was damaged, and was made anew.

    Examples
    --------
    >>> table = load_table({"good": [1.0, 0.0], "bad": [-1.0, 0.0]})
    >>> "good" in table, table.n_features
    (True, 2)
    """
    if isinstance(vectors, (str, os.PathLike)):
        path = _locate(vectors)
        stat = path.stat()
        state = (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
        with _lock.held:
            return _load_file(path, state, cache_folder(cache, "vectors"))
    found = vectors.vectors if isinstance(vectors, SentVectors) else vectors
    found = found.table if isinstance(found, KeptVectors) else found
    return found if isinstance(found, Table) else open_object(found)


def load_tables(
    vectors: Any, cache: bool | str | os.PathLike[str] = True
) -> list[Table | None]:
    """Load the table, or each of several.

    Parameters
    ----------
    vectors : str, path-like, KeyedVectors, dict, or list of these
        As the parameter of `WordVectorizer`.
    cache : bool, str or path-like, default=True
        As the parameter of `WordVectorizer`.

    Returns
    -------
    list of (Table or None)
        None for vectors that are to be learned.

    Raises
    ------
    ValueError
        If the list is empty, or holds "corpus" twice.
    FileNotFoundError, VectorFileError, TypeError
        As of `load_table`.

    Examples
    --------
    >>> [table and table.n_features for table in load_tables([{"a": [1.0]}, "corpus"])]
    [1, None]
    """
    parts = _parts(vectors)
    if not parts:
        raise ValueError("vectors is an empty list; expected at least one table.")
    if sum(map(_is_learned, parts)) > 1:
        raise ValueError(f"vectors holds {CORPUS!r} more than once.")
    return [None if _is_learned(part) else load_table(part, cache) for part in parts]


def _parts(vectors: Any) -> list[Any]:
    return list(vectors) if isinstance(vectors, (list, tuple)) else [vectors]


def _is_learned(part: Any) -> bool:
    return isinstance(part, str) and part == CORPUS


def forget_tables() -> None:
    """Release the tables that this process keeps for the next vectorizer."""
    with _lock.held:
        _load_file.cache_clear()


@functools.lru_cache(maxsize=2)
def _load_file(path: Path, state: tuple[int, ...], folder: Path | None) -> VectorTable:
    """Read a file of vectors, or its copy in the cache.

    Parameters
    ----------
    path : Path
    state : tuple of int
        Tells whether the file has changed since it was loaded.
    folder : Path or None
        That of the cache; None: there is none.

    Returns
    -------
    VectorTable
    """
    form = find_format(path)
    if folder is None or form in ("saved", "fasttext"):
        return read_vectors(path, form)
    entry = entry_path(folder, path)
    damage: Exception | None = None
    try:
        return read_entry(entry, path)
    except OSError:  # it isn't there, or the folder can't be used
        pass
    except Exception as error:  # whatever damage makes of numpy and JSON
        damage = error
    table = read_vectors(path, form)
    write_entry(entry, table)
    if damage is not None:
        warnings.warn(
            f"{entry}, the copy of {path}, was damaged ({damage}): the file was read "
            "again.",
            FeatureCacheWarning,
            stacklevel=caller_level(),
        )
    try:
        # Processes share the pages of the map, but not of what was parsed.
        return read_entry(entry, path)
    except Exception:  # there was no room for it
        return table


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
    for candidate in (vectors,) if source is None else (vectors, source):
        try:
            table = load_table(candidate, cache)
        except FileNotFoundError:
            continue
        if isinstance(table, SubwordTable) and fingerprint:
            words_only = table.words_only
            # What an earlier version was fitted with knew no n-grams.
            table = words_only if words_only.is_known_as(fingerprint) else table
        if not table.is_known_as(fingerprint):
            raise VectorFileError(
                f"{table.source} is not the table that this WordVectorizer was fitted "
                f"with ({table.fingerprint}, not {fingerprint})."
            )
        return table
    raise FileNotFoundError(
        f"This WordVectorizer was pickled without its word vectors, and "
        f"{source or vectors} is not there. Put the file back, or name its new place "
        "by set_params(vectors=...)."
    )


def reload_tables(
    vectors: Any,
    kept: list[tuple[str | None, str | None]],
    cache: Any,
    here: Sequence[Table | None],
) -> list[Table]:
    """Find the tables again that a vectorizer was fitted with, after it was pickled.

    Parameters
    ----------
    vectors : str, path-like, KeyedVectors, dict, or list of these
        As the parameter of `WordVectorizer`.
    kept : list of pairs of (str or None)
        Source and fingerprint of each table, as for `reload_table`.
    cache : bool, str or path-like
        As the parameter of `WordVectorizer`.
    here : sequence of (Table or None)
        Those that needn't be found: one that was learned in ``fit``, for instance.

    Raises
    ------
    ValueError
        If there are now more tables, or fewer.
    FileNotFoundError, VectorFileError
        As of `reload_table`.
    """
    parts = _parts(vectors)
    if len(parts) != len(kept):
        raise ValueError(
            f"vectors holds {len(parts)} tables, but this WordVectorizer was fitted "
            f"with {len(kept)}: fit it again."
        )
    return [
        table or reload_table(part, source, fingerprint, cache)
        for part, (source, fingerprint), table in zip(parts, kept, here, strict=True)
    ]


def check_width(table: Table, width: int) -> Table:
    """Return a table whose vectors are as long as those that a fit has seen."""
    if table.n_features != width:
        raise ValueError(
            f"vectors holds vectors of {table.n_features} numbers, but this "
            f"WordVectorizer was fitted with {width}: fit it again."
        )
    return table


def _locate(vectors: str | os.PathLike[str]) -> Path:
    path = expanded(vectors)
    if path.is_file():
        return path.resolve()
    if isinstance(vectors, str) and _NAME.fullmatch(vectors) and not path.exists():
        return fetch_vectors(vectors)
    if path.is_dir():
        spacy = (path / "key2row").exists() or (path / "vocab").exists()
        raise VectorFileError(
            f"{path} is a folder{' of spaCy' if spacy else ''}; expected a file of "
            "word vectors"
            + (", or a dict from words to spaCy's vectors." if spacy else ".")
        )
    if path.exists():
        raise VectorFileError(f"{path} is a device or pipe; expected a file.")
    if path.is_symlink():
        raise FileNotFoundError(
            f"{path} is a link to {os.readlink(path)}, and there is no such file (of "
            "git-annex: run `git annex get`)."
        )
    raise FileNotFoundError(
        f"There is no file {str(path)!r}; and it's not the name of vectors that gensim "
        "can download, such as 'glove-wiki-gigaword-300'. Without vectors, they are "
        "learned from the texts."
    )


def fetch_vectors(name: str) -> Path:
    """Find vectors that gensim has downloaded, or download them.

    Parameters
    ----------
    name : str
        Such as "glove-wiki-gigaword-300".

    Returns
    -------
    Path
        Absolute.

    Raises
    ------
    FileNotFoundError
        If gensim has none of this name, or there is no network.
    """
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
