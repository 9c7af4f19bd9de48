"""What is wrong with the rows of a text that is no table of word vectors.

A table that is split in a wrong place is still one of words and numbers: the words show
it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["MISSING", "NUMBER", "name_fault", "refuse_columns", "refuse_words", "shown"]

NUMBER = re.compile(
    rb"\s*\"?[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|nan|inf(inity)?)\"?\s*", re.IGNORECASE
)
MISSING = re.compile(rb"\s*\"?(NA|N/A|null|None|#N/A|#NUM!|#VALUE!|)\"?\s*")

_DECIMAL = re.compile(
    r"[+-]?(\d*[.,]\d+|\d+\.)(e[+-]?\d+)?|[+-]?\d+e[+-]?\d+", re.IGNORECASE
)
_GLUED = re.compile(
    r"[\s\S]*\S\s*[^\w.+-]\s*([+-]?(\d[\d.,]*|[.,]\d+)(e[+-]?\d+)?)", re.IGNORECASE
)
_TRAILING = re.compile(r".*\w[,;:|=]")
_SIZE_AND_WORD = rb"\d+[ \t]+%d\D[\s\S]*"
# Columns that programs write beside the words.
_NO_DIMENSION = re.compile(
    r"counts?|freq(uency)?|ranks?|pos|tags?|labels?|ids?|index|n", re.IGNORECASE
)

_ODD_NUMBERS = [
    (r".*[,;|]", "ends with a separator; remove it"),
    (r".*\u00a0.*", "has a no-break space; write plain spaces"),
    (r"\d+:.*", "has a colon, as of a sparse row; write all numbers without colons"),
    (r"[+-]?[\d.]+%", "has a percent sign; write plain numbers"),
    (r"[+-]?\d+,\d+", "has a decimal comma, which other numbers lack"),
    (r"[+-]?[\d.]+[dD][+-]?\d+", "has Fortran's exponent; write e"),
    (r"[+-]?0[xX].*", "is hexadecimal"),
    (r"[+-]?\d[\d_.e+-]*_.*", "has an underscore"),
    (r"[\u2212\u2010-\u2015\ufe63\uff0d].*", "has a minus sign that isn't ASCII"),
    (r".*[\[\](){}].*", "has a bracket, as of a list; write the plain numbers"),
    (r"[+-]?\d*\.#.*", "is no finite number; write nan"),
    (r"\".*|.*\"", "has a quotation mark"),
]


def name_fault(numbers: Sequence[bytes]) -> str | None:
    """Say which number is none, and why.

    Examples
    --------
    >>> name_fault([b"1.5", b"1D-3"])
    "'1D-3' has Fortran's exponent; write e"
    """
    for number in numbers:
        # Python reads 1_0 as 10.
        if not NUMBER.fullmatch(number):
            text = shown(number).strip()
            what = (w for pattern, w in _ODD_NUMBERS if re.fullmatch(pattern, text))
            return f"{text!r} {next(what, 'is no number')}"
    return None


def shown(piece: bytes) -> str:
    """Return a piece of a line as messages show it."""
    text = piece.decode(errors="backslashreplace")
    return text if len(text) < 60 else f"{text[:60]}..."


def refuse_words(
    words: Sequence[bytes], rows: Sequence[bytes], width: int, separator: bytes | None
) -> None:
    """Refuse words that show that the rows are split in a wrong place.

    Parameters
    ----------
    words : sequence of bytes
        What comes before the numbers in each row.
    rows : sequence of bytes
        The whole lines.
    width : int
        How many numbers come behind each word.
    separator : bytes or None
        What stands between them; None: white space.

    Raises
    ------
    ValueError
        The message says what the rows look like.
    """
    if not words:
        return
    texts = [word.decode(errors="replace").strip() for word in words]
    if _nearly_all([bool(_DECIMAL.fullmatch(text)) for text in texts]):
        raise ValueError(
            f"{texts[0]!r} stands where a word should: it looks like a table of "
            "numbers without words; give dict(zip(words, numpy.loadtxt(...)))"
        )
    if _nearly_all(list(map(_is_glued, texts, rows))):
        raise ValueError(
            f"the word {shown(words[0])!r} ends with a number: expected the same "
            "separator between the word and its numbers as between these"
        )
    if _nearly_all([bool(_TRAILING.fullmatch(text)) for text in texts]):
        raise ValueError(
            f"the word {shown(words[0])!r} ends with a separator: expected the same "
            "between the word and its numbers as between these"
        )
    if re.fullmatch(_SIZE_AND_WORD % width, words[0]):
        raise ValueError(
            f"the word {shown(words[0])!r} begins with the size of the table: "
            "expected a line of its own for it"
        )


def refuse_columns(names: Sequence[bytes]) -> None:
    """Refuse a column whose name shows that it's no dimension.

    Raises
    ------
    ValueError
        The message names the column.

    Examples
    --------
    >>> refuse_columns([b"count", b"v0", b"v1"])
    Traceback (most recent call last):
        ...
    ValueError: the column 'count' is no dimension as the others are: remove it
    """
    texts = [shown(name.strip().strip(b'"')) for name in names]
    stems = [re.fullmatch(r"(.*?)\d+(\.0)?", text) for text in texts]
    known = [stem[1] for stem in stems if stem]
    usual = max(known, key=known.count) if known else None
    for text, stem in zip(texts, stems, strict=True):
        odd = usual is not None and (stem is None or stem[1] != usual)
        if odd or _NO_DIMENSION.fullmatch(text):
            raise ValueError(
                f"the column {text!r} is no dimension as the others are: remove it"
            )


def _is_glued(word: str, row: bytes) -> bool:
    """Whether a word ends with a number like the others in its row."""
    match = _GLUED.fullmatch(word)
    if not match:
        return False
    # Words may end with whole numbers, as GO:8150 does.
    return bool(_DECIMAL.fullmatch(match[1].replace(",", "."))) or not re.search(
        rb"\.\d|\de[+-]?\d", row
    )


def _nearly_all(flags: Sequence[bool]) -> bool:
    return sum(flags) >= 0.9 * len(flags)
