"""Text files of word vectors: a word a line, and its numbers.

Gensim's own reader takes ten times as long, names no line, and stumbles at the words of
glove.840B that contain spaces.
"""

from __future__ import annotations

import io
import re
from array import array
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from skrational.exceptions import VectorFileError
from skrational.text.vectors.signatures import name_text
from skrational.text.vectors.streams import (
    FAULTS,
    as_damage,
    naming_faults,
    open_content,
    read_head,
)
from skrational.text.vectors.text_layout import Layout, find_layout

__all__ = ["read_text"]

# So many rows show how the others are written.
_N_SAMPLED = 100
# A longer line is none of a table; it need not fit in memory.
_LONGEST = 2**22
# Wide rows take room when they are cut in several ways: so many bytes are enough.
_MOST_SAMPLED = 2**20

_MARKS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
_MARK = b"\xef\xbb\xbf"


def read_text(path: Path) -> tuple[dict[str, int], NDArray[np.float32]]:
    r"""Read a text file of word vectors.

    Parameters
    ----------
    path : Path
        Perhaps compressed.

    Returns
    -------
    index : dict from str to int
        The row of each word; of words that come twice, the first counts.
    vectors : ndarray of shape (n_words, n_features), float32

    Raises
    ------
    VectorFileError
        If a line is no row; the message names it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = Path(file.name).write_text("good 1 0\nbad -1 0\n")
    ...     index, vectors = read_text(Path(file.name))
    >>> vectors[index["bad"]].tolist()
    [-1.0, 0.0]
    """
    head = read_head(path)
    with naming_faults(path), open_content(path) as stream:
        lines = _numbered_lines(path, _lines(stream, head))
        sampled = _sample(lines) or [(1, b"")]
        layout = _find_layout(path, sampled, head)
        rows = chain(sampled[layout.n_skipped :], lines)
        index, values, n_rows = _read_rows(path, rows, layout)
    if layout.n_words is not None and n_rows != layout.n_words:
        raise VectorFileError(
            f"{path} ends after {n_rows} words, but its line {sampled[0][0]} announces "
            f"{layout.n_words}."
        )
    return index, np.frombuffer(values, dtype=np.float32).reshape(-1, layout.width)


def _sample(lines: Iterator[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """Take the first lines: some, but no more than two of great length."""
    sampled, n_bytes = [], 0
    for number, line in islice(lines, _N_SAMPLED + 1):
        sampled.append((number, line))
        n_bytes += len(line)
        if n_bytes > _MOST_SAMPLED and len(sampled) > 1:
            break
    return sampled


def _lines(stream: BinaryIO, head: bytes) -> Iterator[bytes]:
    """Return the lines of a text, in UTF-8 without its mark."""
    encoding = next((e for mark, e in _MARKS.items() if head.startswith(mark)), None)
    only_returns = b"\r" in head and b"\n" not in head
    if encoding or only_returns:
        return _decoded(stream, encoding or "utf-8-sig")
    if head.startswith(_MARK):
        stream.read(len(_MARK))
    return iter(partial(stream.readline, _LONGEST), b"")


def _decoded(stream: BinaryIO, encoding: str) -> Iterator[bytes]:
    with io.TextIOWrapper(stream, encoding) as text:
        for line in iter(partial(text.readline, _LONGEST), ""):
            yield line.encode()


def _numbered_lines(path: Path, lines: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """Number lines from 1 on, without their ends; leave out those that are blank."""
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            if len(line) >= _LONGEST:
                raise VectorFileError(
                    f"{path}, line {number} is longer than {_LONGEST:,} bytes; "
                    "expected a word and its numbers in each line."
                )
            stripped = line.rstrip()
            # Old editors end a file with it.
            if stripped and stripped != b"\x1a":
                yield number, stripped
    except FAULTS as error:
        raise as_damage(error, f"{path}, line {number + 1}") from error


def _find_layout(path: Path, sampled: list[tuple[int, bytes]], head: bytes) -> Layout:
    """Find out how a file is written, or say what it is instead of a table."""
    number = sampled[0][0]
    try:
        layout = find_layout([line for _, line in sampled if line])
        if len(sampled) > layout.n_skipped:
            number, line = sampled[layout.n_skipped]
            layout.split(line)
    except ValueError as error:
        if look := name_text(head):
            raise VectorFileError(f"{path} looks like {look}.") from error
        raise VectorFileError(f"{path}, line {number}: {error}.") from error
    return layout


def _read_rows(
    path: Path, rows: Iterable[tuple[int, bytes]], layout: Layout
) -> tuple[dict[str, int], array[float], int]:
    """Return the row of each word, the numbers of all rows, and how many lines."""
    index: dict[str, int] = {}
    values = array("f")
    broken: list[tuple[int, bytes]] = []
    n_rows = 0
    for number, line in rows:
        try:
            word, row = layout.split(line)
            name = word.decode()
        except UnicodeDecodeError:
            broken.append((number, word))
            name = word.decode(errors="replace")
        except ValueError as error:
            raise VectorFileError(f"{path}, line {number}: {error}.") from error
        n_rows += 1
        if name not in index:
            index[name] = len(index)
            values.fromlist(row)
    if broken:
        _refuse_encoding(path, broken, index)
    return index, values, n_rows


def _refuse_encoding(
    path: Path, broken: list[tuple[int, bytes]], index: Iterable[str]
) -> None:
    """Refuse a file that isn't UTF-8; word2vec cuts words off within a character."""
    n_foreign = sum(not word.isascii() for word in index)
    if n_foreign > 2 * len(broken):
        return
    number, word = broken[0]
    text = word.decode("latin1")
    # Western letters stand alone among plain ones, those of other scripts don't.
    latin = re.search("[^\0-\xbf]", text) and not re.search("[\x80-\xff]{2}", text)
    advice = "convert the file, as by `iconv -f latin1 -t utf-8`, if " if latin else ""
    raise VectorFileError(
        f"{path}, line {number}: {word!r} isn't utf-8: "
        + (f"{advice}it is {text!r}." if latin else "save the file as utf-8.")
    )
