"""Binary files of word vectors: those of word2vec, and of Facebook's fastText.

Memory grows with what is read, never with what a file announces.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.exceptions import VectorFileError
from skrational.text.vectors.streams import (
    is_plain,
    most_bytes,
    naming_faults,
    open_content,
)
from skrational.text.vectors.subwords import Subwords, SubwordTable
from skrational.text.vectors.tables import VectorTable
from skrational.text.vectors.text_layout import find_header

__all__ = ["FASTTEXT", "read_fasttext", "read_word2vec"]

FASTTEXT = struct.pack("<i", 793712314)
"""The first bytes of a file of fastText."""

_CHUNK = 2**20
_LONGEST_WORD = 2**16


def read_word2vec(path: Path) -> VectorTable:
    """Read a binary file of word2vec.

    Parameters
    ----------
    path : Path
        Perhaps compressed.

    Returns
    -------
    VectorTable
        Of words that come twice, the first counts.

    Raises
    ------
    VectorFileError
        If the first line announces other than what follows.
    """
    with naming_faults(path), open_content(path) as stream:
        header = find_header(stream.readline(100))
        if header is None:
            raise VectorFileError(
                f"{path}, line 1: expected the number of words and that of features."
            )
        n_words, width = header
        _check_size(path, n_words, f"{n_words} words of {width}", 4 * width + 1)
        index: dict[str, int] = {}
        values = bytearray()
        reader = _Reader(path, stream)
        for n_read in range(n_words):
            try:
                word = reader.until(b" ").lstrip(b"\n")
                row = reader.read(4 * width)
            except EOFError as error:
                raise VectorFileError(
                    f"{path}: unexpected end after {n_read} words; line 1 announces "
                    f"{n_words} words of {width} features."
                ) from error
            # The word2vec tool cuts long words off in the middle of a character.
            name = word.decode(errors="replace")
            if name not in index:
                index[name] = len(index)
                values += row
        if reader.rest().strip():
            raise VectorFileError(
                f"{path} goes on after the {n_words} words of {width} features that "
                "its line 1 announces."
            )
    vectors = np.frombuffer(values, dtype="<f4").reshape(len(index), width)
    return VectorTable(index, vectors, str(path))


class _Model(NamedTuple):
    """What a file of fastText says before its numbers."""

    rows: dict[str, int]
    n_words: int
    n_features: int
    n_buckets: int
    shortest: int
    longest: int


def read_fasttext(path: Path) -> VectorTable:
    """Read a file that Facebook's fastText has written (``.bin``).

    Parameters
    ----------
    path : Path
        Perhaps compressed. If it isn't, its vectors are mapped into memory.

    Returns
    -------
    SubwordTable, or VectorTable if the model has no n-grams

    Raises
    ------
    VectorFileError
        If it's damaged, or quantized.
    """
    with naming_faults(path), open_content(path) as stream:
        reader = _Reader(path, stream)
        try:
            model = _read_model(reader)
            n_rows, width = reader.numbers("<2q")
            expected = model.n_words + model.n_buckets, model.n_features
            if (n_rows, width) != expected:
                raise VectorFileError(
                    f"{path} has a matrix of {n_rows} x {width} numbers; its header "
                    f"announces {expected[0]} x {expected[1]}."
                )
            _check_size(path, n_rows, f"{n_rows} rows of {width}", 4 * width)
            if is_plain(path):
                _check_end(path, reader.n_read + 4 * n_rows * width)
                shape = (n_rows, width)
                matrix: NDArray[Any] = np.memmap(
                    path, "<f4", "r", offset=reader.n_read, shape=shape
                )
            else:
                content = reader.read(4 * n_rows * width)
                matrix = np.frombuffer(content, "<f4").reshape(n_rows, width)
                _skip_end(reader)
        except EOFError as error:
            raise VectorFileError(f"{path}: unexpected end of the file.") from error
    words = matrix[: model.n_words]
    if not model.longest or not model.n_buckets:
        return VectorTable(model.rows, words, str(path))
    subwords = Subwords(matrix[model.n_words :], model.shortest, model.longest)
    return SubwordTable(
        model.rows, words, str(path), subwords=subwords, whole=False, alone="</s>"
    )


def _read_model(reader: _Reader) -> _Model:
    """Read what comes before the matrix, as fastText's dictionary.cc and args.cc do."""
    _, version = reader.numbers("<2i")
    (dim, _, _, _, _, _, _, kind, n_buckets, shortest, longest, _) = reader.numbers(
        "<12i"
    )
    reader.numbers("<d")
    n_entries, n_words, n_labels = reader.numbers("<3i")
    _, n_pruned = reader.numbers("<2q")
    sane = (
        min(dim, n_buckets, n_words, n_labels) >= 0 < dim and 0 <= shortest <= longest
    )
    if not sane or n_entries != n_words + n_labels:
        raise VectorFileError(f"{reader.path} has a damaged header of fastText.")
    _check_size(reader.path, n_entries, f"{n_entries} words of {dim}", 10)
    index: dict[str, int] = {}
    for number in range(n_entries):
        word = reader.until(b"\0").decode(errors="replace")
        reader.read(9)
        if number < n_words:
            index.setdefault(word, number)
    (quantized,) = (False,) if n_pruned > 0 else reader.numbers("<?")
    if n_pruned > 0 or quantized:
        raise VectorFileError(
            f"{reader.path} is a quantized model of fastText (.ftz); expected the "
            "model before quantization (.bin)."
        )
    # Classifiers of this version write n-grams that they don't have.
    if version == 11 and kind == 3:
        longest = 0
    return _Model(index, n_words, dim, n_buckets, shortest, longest)


def _check_end(path: Path, end: int) -> None:
    """Make sure that the words' matrix, which ends here, and the next one are whole."""
    with open(path, "rb") as file:
        file.seek(end)
        quantized, n_rows, width = struct.unpack("<B2q", _exactly(file, 17))
    n_left = path.stat().st_size - end - 17
    if quantized > 1 or (not quantized and 4 * n_rows * width != n_left):
        raise EOFError("unexpected end")


def _skip_end(reader: _Reader) -> None:
    """Read on to the end, where the checksum of a compressed file is."""
    quantized, n_rows, width = reader.numbers("<B2q")
    n_left = reader.skip_rest()
    if quantized > 1 or (not quantized and n_left != 4 * n_rows * width):
        raise EOFError("unexpected end")


def _exactly(file: BinaryIO, n: int) -> bytes:
    content = file.read(n)
    if len(content) < n:
        raise EOFError("unexpected end")
    return content


def _check_size(path: Path, n: int, what: str, least: int) -> None:
    """Refuse a file that announces more than there is room for in it."""
    most = most_bytes(path)
    if n * least > most:
        raise VectorFileError(
            f"{path} announces {what} numbers, which take at least {n * least:,} "
            f"bytes; it has {path.stat().st_size:,}. It is damaged or cut off."
        )


class _Reader:
    """A stream that is read piece by piece.

    Parameters
    ----------
    path : Path
        For messages.
    stream : file object
    """

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.path, self.n_read = path, 0
        self._stream = stream
        self._buffer = b""
        self._start = 0

    def read(self, n: int) -> bytes | bytearray:
        """Return n bytes; an EOFError if there are fewer."""
        end = self._start + n
        if end <= len(self._buffer):
            piece = self._buffer[self._start : end]
            self._start = end
            self.n_read += n
            return piece
        pieces = bytearray(self.rest_of_buffer())
        while len(pieces) < n:
            more = self._stream.read(_CHUNK)
            if not more:
                raise EOFError("unexpected end")
            pieces += more
        self._buffer, self._start = bytes(pieces[n:]), 0
        del pieces[n:]
        self.n_read += n
        return pieces

    def until(self, mark: bytes) -> bytes:
        """Return the bytes before the next one that is the mark, which is skipped."""
        while (end := self._buffer.find(mark, self._start)) < 0:
            more = self._stream.read(_CHUNK)
            if not more or len(self._buffer) - self._start > _LONGEST_WORD:
                raise EOFError("unexpected end")
            self._buffer, self._start = self.rest_of_buffer() + more, 0
        piece = self._buffer[self._start : end]
        self.n_read += end + 1 - self._start
        self._start = end + 1
        return piece

    def numbers(self, form: str) -> tuple[Any, ...]:
        """Return numbers of a format of `struct`."""
        return struct.unpack(form, self.read(struct.calcsize(form)))

    def rest_of_buffer(self) -> bytes:
        """Return what was taken from the stream, but not read yet."""
        return self._buffer[self._start :]

    def skip_rest(self) -> int:
        """Read all that is left; return how many bytes that is."""
        n = len(self.rest_of_buffer())
        while more := self._stream.read(_CHUNK):
            n += len(more)
        return n

    def rest(self) -> bytes:
        """Return what is left, or its first megabyte if there is more."""
        return self.rest_of_buffer() + self._stream.read(_CHUNK)
