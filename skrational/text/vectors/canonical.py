"""Words that look the same: one spelling for all of them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from itertools import islice

from skrational.text.tokenize import INVISIBLE

__all__ = ["aliases", "canonical"]

_INVISIBLE = re.compile(f"[{INVISIBLE}]")


def canonical(word: str) -> str:
    r"""Return a word in Unicode's normal form C, without characters that aren't seen.

    Parameters
    ----------
    word : str

    Returns
    -------
    str

    Examples
    --------
    >>> canonical("cafe\u0301") == "caf\u00e9", canonical("co\u00adop")
    (True, 'coop')
    """
    if word.isascii():
        return word
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", word))


def aliases(words: Iterable[str]) -> dict[str, str]:
    r"""Map canonical forms to the words that are spelt otherwise.

    Parameters
    ----------
    words : iterable of str
        What else is among them has no alias.

    Returns
    -------
    dict from str to str
        Of several words of one form, the first.

    Examples
    --------
    >>> aliases(["good", "co\u00adop", "co\u200dop"]) == {"coop": "co\u00adop"}
    True
    """
    found: dict[str, str] = {}
    words = (word for word in words if isinstance(word, str))
    while chunk := list(islice(words, 1000)):
        text = "\n".join(chunk)
        # No character combines with the end of a line.
        if canonical(text) == text:
            continue
        for word in chunk:
            form = canonical(word)
            if form != word:
                found.setdefault(form, word)
    return found
