"""The formats of word vector files.

Gensim reads what is binary. Text is read here: gensim's own reader takes ten times as
long, names no line, and stumbles at the words of glove.840B that contain spaces.
"""

from __future__ import annotations

import gzip
import itertools
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from skrational.exceptions import VectorFileError

__all__ = ["Format", "find_format", "read_vectors"]

Format: TypeAlias = Literal["text", "binary", "saved"]
Parts: TypeAlias = tuple[dict[str, int], NDArray[Any]]

_GZIP = b"\x1f\x8b"
_GZIP_FAULTS = (EOFError, zlib.error, gzip.BadGzipFile)


def find_format(path: Path) -> Format:
    r"""Tell the format of a file from its first bytes.

    Parameters
    ----------
    path : Path
        A file, perhaps compressed by gzip.

    Returns
    -------
    "text", "binary" or "saved"
        GloVe or word2vec text, binary word2vec, or what ``KeyedVectors.save`` writes.

    Raises
    ------
    VectorFileError
        If it's empty or an archive.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = Path(file.name).write_text("good 1 0\nbad -1 0\n")
    ...     find_format(Path(file.name))
    'text'
    """
    try:
        with _open(path) as file:
            head = file.read1(2**16)  # type: ignore[attr-defined]
    except _GZIP_FAULTS as error:
        raise VectorFileError(f"{path}, line 1: {error}") from error
    if not head:
        raise VectorFileError(f"{path} is empty; expected word vectors.")
    if head.startswith(b"PK\x03\x04"):
        raise VectorFileError(f"{path} is a zip archive: give one of the files in it.")
    if head.startswith(b"\x80"):
        return "saved"
    first, _, rest = head.partition(b"\n")
    if ".bin" in path.suffixes[-2:] or (_header(first) and b"\0" in rest):
        return "binary"
    return "text"


def read_vectors(path: Path, form: Format) -> Parts:
    r"""Read a file of word vectors.

    Parameters
    ----------
    path : Path
        The file.
    form : "text", "binary" or "saved"
        As `find_format` returns it. A saved file is a pickle: loading one from a
        source that isn't trusted may run its code.

    Returns
    -------
    index : dict from str to int
        The row of each word; of words that come twice, the first counts.
    vectors : ndarray of shape (n_words, n_features), float32
        A saved file keeps its own type, and its array on disk.

    Raises
    ------
    VectorFileError
        (a ValueError) if the file cannot be read to its end; for text and gzip the
        message names the line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = Path(file.name).write_text("good 1 0\nbad -1 0\n")
    ...     index, vectors = read_vectors(Path(file.name), "text")
    >>> vectors[index["bad"]].tolist()
    [-1.0, 0.0]
    """
    if form == "saved":
        return _read_saved(path)
    return _read_binary(path) if form == "binary" else _read_text(path)


def _open(path: Path) -> BinaryIO:
    with open(path, "rb") as file:
        zipped = file.read(2) == _GZIP
    return cast(BinaryIO, gzip.open(path)) if zipped else open(path, "rb")


def _read_saved(path: Path) -> Parts:
    from gensim.models import KeyedVectors

    try:
        saved = KeyedVectors.load(str(path), mmap="r")
    except Exception as error:  # whatever unpickling a damaged file may raise
        raise VectorFileError(f"gensim cannot load {path}: {error}") from error
    saved = getattr(saved, "wv", saved)
    if not isinstance(saved, KeyedVectors):
        raise VectorFileError(
            f"{path} holds {type(saved).__name__}; expected gensim's KeyedVectors."
        )
    return saved.key_to_index, saved.vectors


def _read_binary(path: Path) -> Parts:
    from gensim.models import KeyedVectors

    try:
        # The word2vec tool cuts long words off in the middle of a character.
        read = KeyedVectors.load_word2vec_format(
            str(path), binary=True, unicode_errors="replace"
        )
    except Exception as error:  # gensim asserts, too
        raise VectorFileError(
            f"{path} is no complete file of binary word2vec vectors: {error}"
        ) from error
    return read.key_to_index, read.vectors


def _read_text(path: Path) -> Parts:
    lines = _numbered_lines(path)
    first = next(lines, (1, b""))
    header = _header(first[1])
    n_announced, width = header or (None, first[1].count(b" "))
    index: dict[str, int] = {}
    values = array("f")
    n_rows = 0
    for number, line in lines if header else itertools.chain([first], lines):
        try:
            word, row = _split_row(line, width)
        except ValueError as error:
            raise VectorFileError(
                f"{path}, line {number}: {error}; expected a word and {width or 'its'} "
                "numbers, separated by single spaces."
            ) from error
        n_rows += 1
        if word not in index:
            index[word] = len(index)
            values.extend(row)
    if n_announced is not None and n_rows != n_announced:
        raise VectorFileError(
            f"{path} ends after {n_rows} words, but its line 1 announces {n_announced}."
        )
    return index, np.frombuffer(values, dtype=np.float32).reshape(len(index), width)


def _numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    number = 0
    with _open(path) as file:
        try:
            for number, line in enumerate(file, 1):
                if stripped := line.rstrip():
                    yield number, stripped
        except _GZIP_FAULTS as error:
            raise VectorFileError(f"{path}, line {number + 1}: {error}") from error


def _header(line: bytes) -> tuple[int, int] | None:
    pieces = line.split()
    if len(pieces) == 2 and all(piece.isdigit() for piece in pieces):
        return int(pieces[0]), int(pieces[1])
    return None


def _split_row(line: bytes, width: int) -> tuple[str, list[float]]:
    word, *numbers = line.rsplit(b" ", width) if width else [line]
    if not numbers or len(numbers) < width:
        raise ValueError(f"{len(numbers)} numbers after the word")
    row = list(map(float, numbers))
    if b" " in word and _is_number(word.rpartition(b" ")[2]):
        raise ValueError(f"more than {width} numbers after the word")
    return word.decode(), row


def _is_number(piece: bytes) -> bool:
    try:
        float(piece)
    except ValueError:
        return False
    return True
