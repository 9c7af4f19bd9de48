"""The formats of word vector files."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

from skrational.exceptions import VectorFileError
from skrational.text.vectors.binary_files import (
    FASTTEXT,
    read_fasttext,
    read_word2vec,
)
from skrational.text.vectors.saved_files import read_saved
from skrational.text.vectors.signatures import name_binary
from skrational.text.vectors.streams import read_head
from skrational.text.vectors.tables import VectorTable
from skrational.text.vectors.text_faults import NUMBER
from skrational.text.vectors.text_files import read_text
from skrational.text.vectors.text_layout import find_header, find_layout

__all__ = ["Format", "find_format", "read_vectors"]

Format: TypeAlias = Literal["text", "binary", "fasttext", "saved"]

_PICKLED = tuple(b"\x80%c" % protocol for protocol in range(2, 6))

# So many lines tell a text.
_PROBED = 20

# White space, and the marks that some programs begin a file with.
_BLANK = b" \t\r\n\xef\xbb\xbf\xff\xfe"


def find_format(path: Path) -> Format:
    r"""Tell the format of a file from its first bytes.

    Parameters
    ----------
    path : Path
        A file, perhaps compressed by gzip, bzip2 or xz, or alone in a zip archive.

    Returns
    -------
    "text", "binary", "fasttext" or "saved"
        A table as text, binary word2vec, what Facebook's fastText writes, or what
        ``KeyedVectors.save`` writes.

    Raises
    ------
    VectorFileError
        If it's empty, or looks like something else; the message says like what.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = Path(file.name).write_text("good 1 0\nbad -1 0\n")
    ...     find_format(Path(file.name))
    'text'
    """
    head = read_head(path)
    if not head.strip(_BLANK):
        raise VectorFileError(f"{path} is empty; expected word vectors.")
    if look := name_binary(head):
        raise VectorFileError(f"{path} looks like {look}.")
    if head.startswith(_PICKLED):
        return "saved"
    if head.startswith(FASTTEXT):
        return "fasttext"
    first, _, rest = head.partition(b"\n")
    header = find_header(first)
    return "binary" if header and _is_binary(rest, header[1]) else "text"


def _is_binary(rows: bytes, width: int) -> bool:
    """Whether rows hold numbers as a computer does, not as they are written.

    A text may hold a few bytes that are none of a text's.
    """
    lines = [line.rstrip() for line in rows.split(b"\n", _PROBED)]
    line = lines[0]
    numbers = line.split()[1:][-width:]
    if len(numbers) == width > 0 and all(map(NUMBER.fullmatch, numbers)):
        return False
    # The last one goes on, or is cut off.
    whole = [other for other in lines[:-1] if other] or lines
    if 2 * sum(_is_written(other, width) for other in whole) > len(whole):
        return False
    if b"\0" in rows:
        return True
    controls = bytes(range(9)) + bytes(range(14, 32))
    return not (not line or _is_written(line, 1)) and (
        line.translate(None, controls) != line or "�" in line.decode(errors="replace")
    )


def _is_written(line: bytes, width: int) -> bool:
    """Whether a line holds a word and numbers as they are written: most of them."""
    try:
        found = find_layout([line]).width
    except ValueError:  # of a table of another kind, but a written one
        return True
    return 2 * found >= width and found > 0


def read_vectors(path: Path, form: Format) -> VectorTable:
    r"""Read a file of word vectors. None of the readers runs code that a file holds.

    Parameters
    ----------
    path : Path
        The file.
    form : "text", "binary", "fasttext" or "saved"
        As `find_format` returns it.

    Returns
    -------
    VectorTable
        Of float32; of words that come twice, the first counts. A saved file keeps its
        own type, and its array on disk.

    Raises
    ------
    VectorFileError
        (a ValueError) if the file cannot be read to its end; for text the message names
        the line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     _ = Path(file.name).write_text("good 1 0\nbad -1 0\n")
    ...     table = read_vectors(Path(file.name), "text")
    >>> table.take(["bad"]).tolist()
    [[-1.0, 0.0]]
    """
    if form == "text":
        return VectorTable(*read_text(path), str(path))
    readers = {
        "binary": read_word2vec,
        "fasttext": read_fasttext,
        "saved": read_saved,
    }
    return readers[form](path)
