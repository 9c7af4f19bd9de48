"""Text to tokens, much as the published GloVe vectors were tokenised.

The pattern defines them; `skrational.text.words.scanner` finds the same ones, compiled.
"""

from __future__ import annotations

import re

__all__ = ["FLAGS", "LETTER", "tokenize"]

FLAGS = re.IGNORECASE
# A combining mark (a decomposed accent) belongs to its letter; Python's \w omits it.
LETTER = r"[\w\u0300-\u036f]"
_CLITIC = rf"'(?:s|m|d|re|ve|ll)(?!{LETTER})"
_HYPHEN = r"-(?!(?<=\d-)\d)"

_TOKEN = re.compile(
    rf"""
      [:;=][-']?[()\[\]DP|](?![\w/]) | <3(?!\w)            # emoticons
    | (?:[^\W\d_]\.){{2,}}                                 # U.S. and e.g.
    | \d+(?:[.,:/]\d+)+(?!{LETTER})                        # 1,000 and 1/2 and 10:30
    | {LETTER}+(?:{_HYPHEN}{LETTER}+)*?(?=n't(?!{LETTER})) # is|n't
    | {_CLITIC}                                            # it|'s
    | {LETTER}+(?:(?:{_HYPHEN}|(?!{_CLITIC})'){LETTER}+)*  # sub-standard, o'clock
    | \.\.\. | --
    | \S
    """,
    re.VERBOSE | FLAGS,
)


def tokenize(text: str) -> list[str]:
    """Split a text into words, numbers and punctuation marks.

    Contractions are split as in the Penn Treebank (``is n't``, ``it 's``), since that
    is what the published GloVe vectors hold. Words keep their inner hyphens and
    apostrophes, numbers their inner ``.``, ``,``, ``:`` and ``/``. Every other mark is
    a token of its own, but for ``...``, ``--`` and the commonest emoticons.

    Parameters
    ----------
    text : str
        Any text whose words are separated by spaces or punctuation. For languages that
        write none between words, give `WordVectorizer` a tokenizer of their own.

    Returns
    -------
    list of str
        The tokens in order. Nothing but white space is lost, and the case is kept; the
        typographic apostrophe (U+2019) becomes the straight one of the vector files.

    Examples
    --------
    >>> tokenize("It isn't well-made, and cost $1,000.50!")
    ['It', 'is', "n't", 'well-made', ',', 'and', 'cost', '$', '1,000.50', '!']
    >>> tokenize("O'Brien's tea at 10:30... :-)")
    ["O'Brien", "'s", 'tea', 'at', '10:30', '...', ':-)']
    """
    return _TOKEN.findall(text.replace("\u2019", "'"))
