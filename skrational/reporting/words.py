"""The bag of words that models are held against."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sklearn.feature_extraction.text import TfidfVectorizer

__all__ = ["no_word_in", "words_and_pairs"]

# scikit-learn's own pattern leaves out words of one letter.
_WORD = r"\b\w+\b"


def words_and_pairs() -> TfidfVectorizer:
    """Return TF-IDF of words and pairs of words, to be fitted."""
    return TfidfVectorizer(ngram_range=(1, 2), token_pattern=_WORD)


def no_word_in(texts: Sequence[str]) -> str:
    """Say that texts hold no word; "" if they do."""
    if any(re.search(_WORD, text) for text in texts):
        return ""
    return "the training documents hold no word"
