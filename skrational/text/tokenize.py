r"""Text to tokens, much as the published GloVe vectors were tokenised.

The pattern defines them; `skrational.text.words.scanner` finds the same ones, compiled.
It reads a text without its invisible characters, which belong to those before them, and
with one mark in place of all, for which the module re has no class.
"""

from __future__ import annotations

import functools
import re
import unicodedata

__all__ = ["FLAGS", "INVISIBLE", "LETTER", "shapes", "tokenize"]

FLAGS = re.IGNORECASE
# A combining mark (an accent, a vowel sign) belongs to its letter; Python's \w omits
# it.
_MARK = "\u0301"
LETTER = rf"[\w{_MARK}]"
_CLITIC = rf"'(?:s|m|d|re|ve|ll)(?!{LETTER})"
_HYPHEN = r"-(?!(?<=\d-)\d)"

_TOKEN = re.compile(
    rf"""
      [:;=][-']?[()\[\]DP|](?!{LETTER}|/) | <3(?!{LETTER}) # emoticons
    | (?:[^\W\d_]{_MARK}*\.){{2,}}                         # U.S. and e.g.
    | \d+(?:[.,:/]\d+)+(?!{LETTER})                        # 1,000 and 1/2 and 10:30
    | {LETTER}+(?:{_HYPHEN}{LETTER}+)*?(?=n't(?!{LETTER})) # is|n't
    | {_CLITIC}                                            # it|'s
    | {LETTER}+(?:(?:{_HYPHEN}|(?!{_CLITIC})'){LETTER}+)*  # sub-standard, o'clock
    | (?:\.\.\.|--|[\U0001f1e6-\U0001f1ff]{{2}}|\S){_MARK}*  # two letters are a flag
    """,
    re.VERBOSE | FLAGS,
)

INVISIBLE = (
    r"\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200c-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Unicode's Default_Ignorable_Code_Point, for a class of a regular expression: soft
hyphens, joiners, variation selectors, marks of direction; but for U+200B, a space."""

_CHARACTER = re.compile(f"[^{INVISIBLE}][{INVISIBLE}]*")


@functools.cache
def shapes() -> dict[int, str]:
    """What the pattern reads instead of a character that isn't itself to it.

    Examples
    --------
    >>> "\u0915\u093f".translate(shapes()) == "\u0915\u0301"
    True
    """
    # All other marks are invisible, or yet to come.
    codes = range(0x20000)
    marks = [code for code in codes if unicodedata.category(chr(code))[0] == "M"]
    # A decomposed syllable of Korean is one letter; these are the later parts of it.
    marks += [*range(0x1161, 0x1200), *range(0xD7B0, 0xD7FC)]
    return {**dict.fromkeys(marks, _MARK), ord("\u200b"): " "}


def tokenize(text: str) -> list[str]:
    """Split a text into words, numbers and punctuation marks.

    Contractions are split as in the Penn Treebank (``is n't``, ``it 's``), since that
    is what the published GloVe vectors hold. Words keep their inner hyphens and
    apostrophes, numbers their inner ``.``, ``,``, ``:`` and ``/``. Every other sign is
    a token of its own, but for ``...``, ``--``, flags and the commonest emoticons. The
    invisible ones (soft hyphens, joiners, variation selectors) and combining marks
    belong to what stands before them.

    Parameters
    ----------
    text : str
        In any script, whose words are separated by spaces or punctuation. Where a
        language writes none, a run of letters is one token: give `WordVectorizer` a
        tokenizer of that language.

    Returns
    -------
    list of str
        The tokens in order. Nothing but white space is lost, and invisible characters
        behind it; the case is kept; the typographic apostrophe (U+2019) becomes the
        straight one of the vector files.

    Examples
    --------
    >>> tokenize("It isn't well-made, and cost $1,000.50!")
    ['It', 'is', "n't", 'well-made', ',', 'and', 'cost', '$', '1,000.50', '!']
    >>> tokenize("O'Brien's tea at 10:30... :-)")
    ["O'Brien", "'s", 'tea', 'at', '10:30', '...', ':-)']
    """
    text = text.replace("\u2019", "'")
    if text.isascii():
        return _TOKEN.findall(text)
    # Each with the invisible ones behind it; those at the start belong to none.
    characters = _CHARACTER.findall(text)
    visible = "".join(character[0] for character in characters)
    matches = _TOKEN.finditer(visible.translate(shapes()))
    return ["".join(characters[slice(*match.span())]) for match in matches]
