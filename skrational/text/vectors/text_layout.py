"""How the lines of a text file of word vectors are written."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from skrational.text.vectors.text_faults import (
    MISSING,
    NUMBER,
    name_fault,
    refuse_columns,
    refuse_words,
    shown,
)

__all__ = ["Layout", "find_header", "find_layout"]

_DECIMAL_COMMA = re.compile(rb"\"?[+-]?\d+(,\d+(e[+-]?\d+)?)?\"?", re.IGNORECASE)
_HEADER = re.compile(rb"\s*(\d{1,18})[ \t]+(\d{1,18})\s*")
_HEADINGS = re.compile(
    rb"\"?(|words?|tokens?|terms?|keys?|index|names?|labels?|id|vocab(ulary)?"
    rb"|text|lemma|unnamed: 0)\"?",
    re.IGNORECASE,
)
_NAME = re.compile(rb"[^\d+.-]")
_SIZES = re.compile(rb"[#%]?[\d,\s]+")
_SEPARATOR_OF_EXCEL = re.compile(rb"\"?sep=.\"?", re.IGNORECASE)
# A line ends here for some programs.
_BREAK = re.compile(rb"\s[+-]?[\d.][\d.e+-]*([\r\f\v]|\xc2\x85)|\r")
# White space of any kind and length is the first choice.
_NAMES = {None: "spaces", b"\t": "tabs", b";": "';'", b",": "','", b"|": "'|'"}


@dataclass(frozen=True)
class Layout:
    """How a row is written: a word, then numbers.

    Parameters
    ----------
    width : int
        How many numbers a row has.
    separator : bytes or None
        What stands between them; None: white space.
    n_words : int or None
        How many rows the first line announces.
    n_skipped : int
        How many lines come before the first row.
    certain : bool
        Whether the width is known from more than a single row, so that a word may end
        with numbers.
    decimal_comma, quoted : bool
        Whether numbers have a comma for the point, and words quotation marks.
    numbered : bool
        Whether the number of the row comes before each word.

    Examples
    --------
    >>> layout = find_layout([b"2 2", b"good 1 0", b"area 51 -1 0"])
    >>> layout.split(b"area 51 -1 0")
    (b'area 51', [-1.0, 0.0])
    """

    width: int
    separator: bytes | None = None
    n_words: int | None = None
    n_skipped: int = 0
    certain: bool = True
    decimal_comma: bool = False
    quoted: bool = False
    numbered: bool = False

    def split(self, line: bytes) -> tuple[bytes, list[float]]:
        """Return the word of a line, and its numbers.

        Raises
        ------
        ValueError
            If it's no row; the message says why.
        """
        word, *numbers = line.rsplit(self.separator, self.width) or [b""]
        if len(numbers) == self.width - 1 and line[:1].isspace():
            word, numbers = b"", [word, *numbers]
        if len(numbers) < self.width or not numbers:
            raise self._error(self._name_lack(line, len(numbers)))
        try:
            plain = map(self._plain, numbers) if self._marked else numbers
            row = list(map(float, plain))
        except ValueError:
            row = self._with_gaps(numbers)
        # Python reads 1_0 as 10.
        if line.find(b"_", len(word)) >= 0:
            raise self._error(name_fault(numbers) or "it cannot be read")
        if not self.certain and _count_numbers(line.split(self.separator)) > self.width:
            raise self._error(f"more than {self.width} numbers after the word")
        if _BREAK.search(word):
            raise self._error(f"a line ends otherwise than others in {shown(word)!r}")
        if self.numbered:
            word = _behind_number(word, self.separator)
        return self._unquoted(word.strip()), row

    @property
    def _marked(self) -> bool:
        return self.decimal_comma or self.quoted

    def _with_gaps(self, numbers: list[bytes]) -> list[float]:
        """Return the numbers of a row, with NaN for those that are missing."""
        try:
            return [
                math.nan if MISSING.fullmatch(n) else float(self._plain(n))
                for n in numbers
            ]
        except ValueError as error:
            present = [
                number
                for number in numbers
                if not (MISSING.fullmatch(number) or self._is_number(number))
            ]
            raise self._error(name_fault(present) or "it cannot be read") from error

    def _is_number(self, piece: bytes) -> bool:
        return bool((_DECIMAL_COMMA if self.decimal_comma else NUMBER).fullmatch(piece))

    def _name_lack(self, line: bytes, n_numbers: int) -> str:
        """Say why a line has too few numbers."""
        pieces = line.split()
        if line.startswith(b"#") and not n_numbers:
            return "a comment; remove it"
        if not self.width and len(pieces) > 1:
            if all(map(NUMBER.fullmatch, pieces[:-1])):
                return f"{shown(pieces[-1])!r} comes last; the word must come first"
            if fault := name_fault(pieces[-1:]):
                return fault
        if not self.width and re.search(rb"[,;|]$|\xc2\xa0", line):
            return name_fault(pieces) or ""
        return f"{n_numbers} numbers after the word"

    def _error(self, fault: str) -> ValueError:
        return ValueError(
            f"{fault}; expected a word and {self.width or 'its'} numbers, separated by "
            f"{_NAMES[self.separator]}"
        )

    def _plain(self, number: bytes) -> bytes:
        if self.quoted:
            number = number.strip().strip(b'"')
        return number.replace(b",", b".") if self.decimal_comma else number

    def _unquoted(self, word: bytes) -> bytes:
        """Remove the quotation marks that programs put around words."""
        if not (len(word) > 1 and word[:1] == word[-1:] == b'"'):
            return word
        if self.separator is None and not self.quoted:
            return word
        inner = word[1:-1]
        # R writes a mark within a word as \", others write "".
        mark = b'\\"' if b'""' not in inner else b'""'
        plain = inner.replace(mark, b"")
        # A word is quoted for what it holds, if not all of them are.
        needed = plain != inner or (self.separator or b" ") in inner
        if b'"' in plain or not (self.quoted or needed):
            return word
        return inner.replace(mark, b'"')


def find_header(line: bytes) -> tuple[int, int] | None:
    """Return the number of words and the width that a first line announces, if it does.

    Examples
    --------
    >>> find_header(b"400000 300"), find_header(b"the 300")
    ((400000, 300), None)
    """
    match = _HEADER.fullmatch(line)
    return (int(match[1]), int(match[2])) if match else None


def find_layout(lines: Sequence[bytes]) -> Layout:
    """Find out how a file is written from its first lines.

    Parameters
    ----------
    lines : sequence of bytes
        UTF-8, without their ends; none is blank.

    Returns
    -------
    Layout
        Of a width of 0 if no line is a row.

    Raises
    ------
    ValueError
        If the lines contradict one another; the message says how.

    Examples
    --------
    >>> layout = find_layout([b"word,0,1", b"good,1,0", b"bad,-1,0"])
    >>> layout.separator, layout.width, layout.n_skipped
    (b',', 2, 1)
    """
    if lines and _SEPARATOR_OF_EXCEL.fullmatch(lines[0]):
        layout = find_layout(lines[1:])
        return replace(layout, n_skipped=layout.n_skipped + 1)
    header = _find_sizes(lines)
    rows = lines[1:] if header else lines
    separator, decimal_comma, counts = _find_separator(rows)
    numbered = Counter(n for n in counts if n)
    width, n_agreeing = numbered.most_common(1)[0] if numbered else (0, 0)
    headings = 0
    if header:
        if numbered and header[1] and all(n > header[1] for n in counts):
            raise ValueError(
                f"it announces words of {header[1]} numbers, but there are {width}"
            )
        width = header[1]
    elif width and _are_headings(rows, separator, width, decimal_comma):
        refuse_columns(rows[0].split(separator)[-width:])
        headings = 1
        rows = rows[1:]
    words = [row.rsplit(separator, width)[0] for row in rows] if width else []
    if not header:
        refuse_words(words, rows, width, separator)
    has_numbers = _are_numbered(words, separator)
    if has_numbers:
        words = [_behind_number(word, separator) for word in words]
    return Layout(
        width=width,
        separator=separator,
        n_words=header[0] if header else None,
        n_skipped=1 if header else headings,
        certain=header is not None or 2 * n_agreeing > len(counts) - headings,
        decimal_comma=decimal_comma,
        quoted=bool(words) and all(_is_quoted(word.strip()) for word in words),
        numbered=has_numbers,
    )


def _find_sizes(lines: Sequence[bytes]) -> tuple[int, int] | None:
    """Return what the first line announces, unless it counts columns from 0 or 1."""
    header = find_header(lines[0]) if lines else None
    is_indented = bool(lines) and lines[0][:1].isspace()
    if len(lines) > 1 and header == (0, 1):
        return None
    if len(lines) > 2 and header == (1, 2) and is_indented:
        return None
    if not header and len(lines) > 1 and _SIZES.fullmatch(lines[0]):
        others = lines[1:]
        words = [line.split()[0] for line in others]
        counted = _rise_by_one(lines[0].replace(b",", b" ").split())
        if not (counted or any(map(_SIZES.fullmatch, words))) and _are_decimal(others):
            raise ValueError(
                f"{shown(lines[0])!r} is no row: expected the number of words and that "
                "of features, as in '400000 300', or no such line"
            )
    return header


def _find_separator(
    rows: Sequence[bytes],
) -> tuple[bytes | None, bool, list[int]]:
    """Return the separator that leaves most numbers, and their count in each row."""
    best: tuple[bytes | None, bool, list[int]] = (None, False, [0] * len(rows))
    most = 0
    commas = any(b"," in row for row in rows)
    for separator in _NAMES:
        pieces = [row.split(separator) for row in rows]
        for decimal_comma in (
            (False, True) if commas and separator != b"," else (False,)
        ):
            counts = [_count_numbers(p, decimal_comma) for p in pieces]
            typical = Counter(n for n in counts if n).most_common(1)
            n_numbers = typical[0][0] * typical[0][1] if typical else 0
            # Where tabs separate as much as any white space does, they are meant.
            if n_numbers > most or (separator == b"\t" and n_numbers == most > 0):
                best, most = (separator, decimal_comma, counts), n_numbers
    return best


def _count_numbers(pieces: list[bytes], decimal_comma: bool = False) -> int:
    """Return how many of the last pieces of a line are numbers; the first is a word."""
    pattern = _DECIMAL_COMMA if decimal_comma else NUMBER
    n = 0
    for piece in reversed(pieces[1:]):
        if not pattern.fullmatch(piece):
            break
        n += 1
    return n


def _are_headings(
    rows: Sequence[bytes], separator: bytes | None, width: int, decimal_comma: bool
) -> bool:
    """Whether the first row names columns, as spreadsheets and pandas write them.

    Parameters
    ----------
    rows : sequence of bytes
    separator : bytes or None
    width : int
        How many numbers most rows have.
    decimal_comma : bool

    Returns
    -------
    bool
    """
    pieces = rows[0].split(separator)
    plain = [piece.strip().strip(b'"') for piece in pieces]
    n_before = len(pieces) - width
    pattern = _DECIMAL_COMMA if decimal_comma else NUMBER
    numbers = [cell for cell in plain[-width:] if pattern.fullmatch(cell)]
    others = rows[1:]
    is_word_named = n_before > 0 and all(map(_HEADINGS.fullmatch, plain[:-width]))
    if len(numbers) < width:
        names = [cell for cell in plain[-width:] if cell not in numbers]
        is_named = all(_NAME.match(n) and not MISSING.fullmatch(n) for n in names)
        words = [row.rsplit(separator, width)[0] for row in others]
        n_usual = 2 if _are_numbered(words, separator) else 1
        return (
            0 <= n_before <= n_usual
            and is_named
            and (width > 1 or is_word_named)
            and (not numbers or (len(numbers) > 1 and _rise_by_one(numbers)))
        )
    if n_before < 0 or not _rise_by_one(numbers):
        return False
    are_decimal = _are_decimal(others, decimal_comma)
    if is_word_named:
        return float(numbers[0]) in (0, 1) or are_decimal
    # The first word of a short row may well have the vector 1, 2.
    is_long = n_before == 0 or width > (4 if separator is None else 2)
    return is_long and all(map(bytes.isdigit, numbers)) and are_decimal


def _rise_by_one(numbers: Sequence[bytes]) -> bool:
    try:
        return all(float(b) - float(a) == 1 for a, b in pairwise(numbers))
    except ValueError:
        return False


def _are_decimal(rows: Sequence[bytes], decimal_comma: bool = False) -> bool:
    """Whether most rows hold numbers with a point (or comma) or an exponent."""
    pattern = rb"\d,\d" if decimal_comma else rb"\.\d|\de[+-]?\d"
    return 2 * sum(bool(re.search(pattern, row)) for row in rows) > len(rows)


def _are_numbered(words: Sequence[bytes], separator: bytes | None) -> bool:
    """Whether the number of its row stands before each word.

    Raises
    ------
    ValueError
        If another column stands there.
    """
    pieces = [word.split(separator, 1) for word in words]
    if not words or min(map(len, pieces)) < 2 or any(map(_is_whole, words)):
        return False
    numbers = [piece[0].strip().strip(b'".):') for piece in pieces]
    are_whole = all(map(bytes.isdigit, numbers))
    if are_whole and int(numbers[0]) in (0, 1) and _rise_by_one(numbers):
        return True
    # Between spaces these may be phrases.
    if separator is None and (not are_whole or len(words) < 2):
        return False
    raise ValueError(
        f"{shown(words[0])!r} stands before the numbers: expected a word alone; remove "
        "the other column"
    )


def _behind_number(word: bytes, separator: bytes | None) -> bytes:
    return word.split(separator, 1)[-1]


def _is_whole(word: bytes) -> bool:
    """Whether one pair of quotation marks holds all of a word."""
    inner = word.strip()[1:-1].replace(b'""', b"").replace(b'\\"', b"")
    return _is_quoted(word.strip()) and b'"' not in inner


def _is_quoted(word: bytes) -> bool:
    return len(word) > 1 and word[:1] == word[-1:] == b'"'
