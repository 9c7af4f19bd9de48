"""Rows of tables: CSV, TSV, JSON lines, or a text a line; each knows its line."""

from __future__ import annotations

import csv
import io
import json
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import IO, Any, NamedTuple

from skrational.cli.faults import Fault, UsageFault
from skrational.cli.files import STREAM, open_input, plain_suffix

__all__ = ["FORMATS", "LINES", "Layout", "Row", "Rows", "open_rows"]

LINES = "lines"
FORMATS = ("csv", "tsv", "jsonl", LINES)
_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".txt": LINES,
}
_DELIMITERS = {"csv": ",", "tsv": "\t"}
_OF_CSV = (",", ";", "\t")
"""What stands between cells of CSV files; many spreadsheets write semicolons."""
_QUOTED = re.compile(r'"[^"]*("|$)')
_LONGEST = 2**24
"""Characters of a line, or of a record of several lines. More is no text to classify,
and may be a few kilobytes of a compressed file."""


class Row(NamedTuple):
    """A row of a table.

    Attributes
    ----------
    line : int
        Where it begins, from 1.
    cells : dict
        By the names of the columns.
    """

    line: int
    cells: dict[str, Any]


@dataclass(frozen=True)
class Layout:
    """How a table is written.

    Attributes
    ----------
    form : {"csv", "tsv", "jsonl", "lines"} or None
        None: the file's name tells, or else its first line.
    encoding : str
    header : bool
        Whether the first row names the columns; without one they are "1", "2", ...
    quotes : bool
        Whether quotes stand around cells, or are characters like others.
    delimiter : str or None
        The character between cells. None: the format, and in CSV the header, tells.
    """

    form: str | None = None
    encoding: str = "utf-8"
    header: bool = True
    quotes: bool = True
    delimiter: str | None = None


@dataclass(frozen=True)
class Rows:
    """A table that is being read.

    Attributes
    ----------
    name : str
        Of the file, for messages.
    columns : list of str
    rows : iterator of Row
    """

    name: str
    columns: list[str]
    rows: Iterator[Row]


@contextmanager
def open_rows(path: str, layout: Layout) -> Iterator[Rows]:
    """Read a table, row by row.

    Parameters
    ----------
    path : str
        "-" is the standard input.
    layout : Layout

    Raises
    ------
    Fault
        Here or while rows are read, if the table is damaged; the message names the
        line.
    """
    name = "standard input" if path == STREAM else path
    limit = csv.field_size_limit(_LONGEST)
    try:
        with open_input(path) as file, _decoding(file, layout.encoding) as text:
            lines = _lines(text, name)
            first = next(lines, None)
            if first is None:
                raise Fault(f"{name} is empty.")
            lines = chain([first], lines)
            form = layout.form or _form_of(path, first, layout)
            if form in _DELIMITERS:
                delimiter = layout.delimiter or _delimiter_of(form, first, layout)
                yield _delimited(lines, delimiter, layout, name)
            else:
                yield (_json_lines if form == "jsonl" else _texts)(lines, name)
    finally:
        csv.field_size_limit(limit)


def _form_of(path: str, first: str, layout: Layout) -> str:
    """Tell the format by the name of the file or, without one that tells, its line."""
    if layout.delimiter is not None:
        return "csv"
    suffix = plain_suffix(path)
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    if first.lstrip().startswith("{"):
        return "jsonl"
    return "tsv" if "\t" in first else "csv"


def _delimiter_of(form: str, first: str, layout: Layout) -> str:
    """Tell what stands between the cells: in CSV what the header holds most often.

    A row of data doesn't tell, since texts hold commas and semicolons, too.

    Examples
    --------
    >>> _delimiter_of("csv", '"a, b";"c"', Layout())
    ';'
    """
    if form != "csv" or not layout.header:
        return _DELIMITERS[form]
    bare = _QUOTED.sub("", first) if layout.quotes else first
    return max(_OF_CSV, key=bare.count)  # of equals the first, the comma


@contextmanager
def _decoding(file: IO[bytes], encoding: str) -> Iterator[io.TextIOWrapper]:
    """Read bytes as text; what can't be decoded becomes half a surrogate pair."""
    try:
        text = io.TextIOWrapper(file, encoding, "surrogateescape", newline="\n")
    except LookupError as error:
        raise UsageFault(f"--encoding {encoding}: no such encoding.") from error
    try:
        yield text
    finally:
        # Whoever opened the file closes it.
        text.detach()


def _lines(text: io.TextIOWrapper, name: str) -> Iterator[str]:
    """Yield lines with their ends; each must have been decoded."""
    n = 0
    try:
        for n, line in enumerate(iter(partial(text.readline, _LONGEST + 1), ""), 1):
            if len(line) > _LONGEST:
                raise Fault(
                    f"{name}, line {n} is longer than {_LONGEST:,} characters; "
                    "expected shorter texts. If lines end by carriage returns, save "
                    "the file with line feeds."
                )
            checked = _checked(line.removeprefix("\ufeff") if n == 1 else line)
            if "\0" in checked:
                raise Fault(
                    f"{name}, line {n} holds zero bytes: it is damaged, no text, or "
                    "written in another encoding, such as --encoding utf-16."
                )
            yield checked
    except UnicodeError as error:
        raise Fault(
            f"{name}, line {max(n, 1)}: not written in {text.encoding} "
            f"({_byte(error)}). Name its encoding, for instance --encoding latin-1 or "
            "utf-16."
        ) from error
    except (EOFError, zlib.error, OSError) as error:
        raise Fault(f"{name} is damaged after line {n}: {error}.") from error


def _checked(line: str) -> str:
    if not line.isascii():
        line.encode()  # raises where a byte could not be decoded
    return line


def _byte(error: UnicodeError) -> str:
    if isinstance(error, UnicodeEncodeError):
        found = error.object[error.start]
        return f"byte 0x{ord(found) - 0xDC00:02x} at character {error.start + 1}"
    return str(error)


def _delimited(lines: Iterator[str], delimiter: str, layout: Layout, name: str) -> Rows:
    """Read a table whose cells stand between delimiters."""
    records = _records(lines, delimiter, layout.quotes, name)
    line, first = next(((n, cells) for n, cells in records if cells), (0, []))
    if not first:
        raise Fault(f"{name} holds no row.")
    if layout.header:
        columns = first
    else:
        columns = [str(i + 1) for i in range(len(first))]
        records = chain([(line, first)], records)
    twice = {column for column in columns if columns.count(column) > 1}
    if twice:
        raise Fault(
            f"{name}, line {line}: the header names {min(twice)!r} more than once."
        )
    return Rows(name, columns, _rows(records, columns, name))


def _records(
    lines: Iterator[str], delimiter: str, quotes: bool, name: str
) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each record, with the line on which it begins."""
    quoting: Any = csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE
    counted = _Counted(lines)
    reader = csv.reader(counted, delimiter=delimiter, quoting=quoting, strict=True)
    is_first = True
    while True:
        line, counted.n_characters = reader.line_num + 1, 0
        try:
            yield line, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            reason = _csv_fault(str(error), delimiter, is_first)
            raise Fault(f"{name}, line {line}: {reason}") from error
        is_first = False


class _Counted:
    """Lines of a record, which ends in an error if they are too long together."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.n_characters = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.n_characters += len(line)
        if self.n_characters > _LONGEST:
            raise csv.Error(f"more than {_LONGEST:,} characters in a record")
        return line


def _csv_fault(message: str, delimiter: str, is_first: bool) -> str:
    if "new-line character" in message:
        return "a line ends by a carriage return alone; save the file with line feeds."
    about_quotes = (
        "A quote within a quoted cell has to be doubled; if quotes are characters like "
        "others here, say --no-quotes."
    )
    if is_first and "expected after" in message:
        return (
            f"a quoted cell isn't followed by the delimiter, {delimiter!r}. If another "
            f"character stands between cells, name it by --delimiter. {about_quotes}"
        )
    return f"quotes don't match up ({message}). {about_quotes}"


def _rows(
    records: Iterator[tuple[int, list[str]]], columns: list[str], name: str
) -> Iterator[Row]:
    """Name the cells of records; each must have as many as there are columns."""
    blank: list[int] = []
    for line, cells in records:
        if not cells:
            blank.append(line)
            continue
        if len(cells) != len(columns):
            raise Fault(
                f"{name}, line {line}: {len(cells)} cells, but the header has "
                f"{len(columns)} ({', '.join(columns)}). A cell that holds the "
                "delimiter has to stand in quotes; --delimiter names another one."
            )
        if len(columns) == 1:
            # Here a blank line amid others is an empty text, elsewhere it is nothing.
            yield from (Row(n, {columns[0]: ""}) for n in blank)
        blank = []
        yield Row(line, dict(zip(columns, cells, strict=True)))


def _json_lines(lines: Iterator[str], name: str) -> Rows:
    """Read a table of one JSON object a line."""
    rows = (
        Row(n, _parse(line, f"{name}, line {n}"))
        for n, line in enumerate(lines, 1)
        if line.strip()
    )
    first = next(rows, None)
    if first is None:
        raise Fault(f"{name} holds no row.")
    return Rows(name, list(first.cells), chain([first], rows))


def _parse(line: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise Fault(f"{where}: not JSON ({error}); expected an object.") from error
    if not isinstance(value, dict):
        raise Fault(f"{where}: a JSON {type(value).__name__}; expected an object.")
    return value


def _texts(lines: Iterator[str], name: str) -> Rows:
    """Read texts that are a line each."""
    rows = (Row(n, {"text": line.rstrip("\r\n")}) for n, line in enumerate(lines, 1))
    return Rows(name, ["text"], rows)
