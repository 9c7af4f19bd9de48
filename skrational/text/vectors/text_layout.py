"""How the lines of a text file of word vectors are written."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Layout", "find_header", "find_layout"]

_NUMBER = re.compile(
    rb"\s*\"?[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan|inf(inity)?)\"?\s*", re.IGNORECASE
)
_DECIMAL_COMMA = re.compile(rb"\"?[+-]?\d+(,\d+(e[+-]?\d+)?)?\"?", re.IGNORECASE)
_HEADER = re.compile(rb"(\d{1,18})[ \t]+(\d{1,18})\s*")
_GLUED = re.compile(rb"\S*[^\s\w.+-][+-]?\d*\.\d+(e[+-]?\d+)?", re.IGNORECASE)
_HEADINGS = re.compile(
    rb"\"?(|words?|tokens?|terms?|keys?|index|names?|labels?|id|vocab(ulary)?"
    rb"|unnamed: 0)\"?",
    re.IGNORECASE,
)
# White space of any kind and length is the first choice.
_NAMES = {None: "spaces", b"\t": "tabs", b";": "';'", b",": "','", b"|": "'|'"}

_ODD_NUMBERS = [
    (r"[+-]?\d+,\d+", "has a decimal comma, which other numbers lack"),
    (r"[+-]?[\d.]+[dD][+-]?\d+", "has Fortran's exponent; write e"),
    (r"[+-]?0[xX].*", "is hexadecimal"),
    (r"[+-]?\d[\d_.e+-]*_.*", "has an underscore"),
    (r"[\u2212\u2010-\u2015\ufe63\uff0d].*", "has a minus sign that isn't ASCII"),
    (r".*[\[\](){}].*", "has a bracket, as of a list; write the plain numbers"),
    (r"", "is empty: a number is missing"),
    (r"NA|N/A|null|None|#N/A|#NUM!|#VALUE!", "stands for a missing number"),
    (r"[+-]?\d*\.#.*", "is no finite number; write nan"),
    (r"\".*|.*\"", "has a quotation mark"),
]


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
    n_skipped : {0, 1}
        How many lines come before the first row.
    certain : bool
        Whether the width is known from more than a single row, so that a word may end
        with numbers.
    decimal_comma, quoted : bool
        Whether numbers have a comma for the point, and words quotation marks.

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
            raise self._error(f"{len(numbers)} numbers after the word")
        if self.decimal_comma or self.quoted:
            numbers = [self._plain(number) for number in numbers]
        try:
            row = list(map(float, numbers))
        except ValueError as error:
            raise self._error(_fault(numbers)) from error
        # Python reads 1_0 as 10.
        if line.find(b"_", len(word)) >= 0:
            raise self._error(_fault(numbers))
        if not self.certain and _count_numbers(line.split(self.separator)) > self.width:
            raise self._error(f"more than {self.width} numbers after the word")
        return self._unquoted(word.lstrip()), row

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
        inner = word[1:-1].replace(b'""', b"")
        # A word is quoted for what it holds, if not all of them are.
        needed = b'""' in word[1:-1] or (self.separator or b" ") in inner
        if b'"' in inner or not (self.quoted or needed):
            return word
        return word[1:-1].replace(b'""', b'"')


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
    header = find_header(lines[0]) if lines else None
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
    elif width > 1 and _are_headings(lines[0].split(separator), width, decimal_comma):
        headings = 1
        rows = rows[1:]
    words = [row.rsplit(separator, width)[0] for row in rows] if width else []
    if not header:
        _refuse_glued(words, width)
    return Layout(
        width=width,
        separator=separator,
        n_words=header[0] if header else None,
        n_skipped=1 if header else headings,
        certain=header is not None or 2 * n_agreeing > len(counts) - headings,
        decimal_comma=decimal_comma,
        quoted=bool(words) and all(_is_quoted(word.strip()) for word in words),
    )


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
    pattern = _DECIMAL_COMMA if decimal_comma else _NUMBER
    n = 0
    for piece in reversed(pieces[1:]):
        if not pattern.fullmatch(piece):
            break
        n += 1
    return n


def _are_headings(pieces: list[bytes], width: int, decimal_comma: bool) -> bool:
    """Whether the first line names columns, as spreadsheets and pandas write them."""
    if len(pieces) not in (width, width + 1):
        return False
    cells = pieces[-width:]
    pattern = _DECIMAL_COMMA if decimal_comma else _NUMBER
    if not any(map(pattern.fullmatch, cells)):
        return True
    counted = [[b"%d" % i for i in range(k, k + width)] for k in (0, 1)]
    plain = [cell.strip().strip(b'"') for cell in cells]
    return (
        len(pieces) > width
        and bool(_HEADINGS.fullmatch(pieces[0]))
        and (plain in counted)
    )


def _refuse_glued(words: list[bytes], width: int) -> None:
    """Refuse rows whose first number has stuck to the word, or a header to a row."""
    glued = [word for word in words if _GLUED.fullmatch(word.strip())]
    if len(words) > 1 and 2 * len(glued) > len(words):
        raise ValueError(
            f"the word {_shown(glued[0])!r} ends with a number: expected the same "
            "separator between the word and its numbers as between these"
        )
    if words and re.fullmatch(rb"\d+[ \t]+%d\D[\s\S]*" % width, words[0]):
        raise ValueError(
            f"the word {_shown(words[0])!r} begins with the size of the table: "
            "expected a line of its own for it"
        )


def _is_quoted(word: bytes) -> bool:
    return len(word) > 1 and word[:1] == word[-1:] == b'"'


def _fault(numbers: list[bytes]) -> str:
    """Say which number is none, and why."""
    for number in numbers:
        if not _NUMBER.fullmatch(number):
            shown = _shown(number).strip()
            for pattern, what in _ODD_NUMBERS:
                if re.fullmatch(pattern, shown):
                    return f"{shown!r} {what}"
            return f"{shown!r} is no number"
    return "it cannot be read"


def _shown(piece: bytes) -> str:
    text = piece.decode(errors="backslashreplace")
    return text if len(text) < 60 else f"{text[:60]}..."
