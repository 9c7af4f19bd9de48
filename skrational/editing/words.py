"""Take words out of what a fitted vectorizer reads."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skrational.editing.automata import packed_phrases
from skrational.inspection.model import Model
from skrational.text.word_vectors import WordVectorizer
from skrational.text.words.documents import check_any
from skrational.text.words.encoded_texts import encode_texts
from skrational.text.words.lexicon import Lexicon
from skrational.text.words.spans import Frame, split_documents
from skrational.utils.suggestions import did_you_mean

__all__ = ["check_words", "find_vectorizer", "forget_words"]


def find_vectorizer(model: Model) -> WordVectorizer:
    """Return the vectorizer of a pipeline that knows words.

    Raises
    ------
    TypeError
        If there isn't exactly one.
    """
    found = [v for v in model.vectorizers if isinstance(v, WordVectorizer)]
    if len(found) == 1:
        check_is_fitted(found[0])
        return found[0]
    steps = [type(step).__name__ for step in model.vectorizers]
    what = f"has {' and '.join(steps)}" if steps else "reads vectors"
    raise TypeError(
        "words can be taken out of a Pipeline with one WordVectorizer, which knows "
        f"words; before its {type(model.classifier).__name__} this estimator {what}."
    )


def check_words(model: Model, words: Iterable[str]) -> tuple[str, ...]:
    """Return the words that are to go, as the vectorizer reads them, each once.

    Parameters
    ----------
    model : Model
    words : iterable of str

    Raises
    ------
    TypeError
        If they aren't words, or nothing in the model knows any.
    ValueError
        If one is no single token, stands around each text, or is unknown.
    """
    if isinstance(words, (str, bytes)) or not isinstance(words, Iterable):
        raise TypeError(f"words is {words!r}; expected a list of words (str).")
    listed = list(words)
    if not listed:
        return ()
    vectorizer = find_vectorizer(model)
    return tuple(dict.fromkeys(_token_of(vectorizer, word) for word in listed))


def _token_of(vectorizer: WordVectorizer, word: Any) -> str:
    """Return a word as the one token of a text that it is."""
    if not isinstance(word, str):
        raise TypeError(f"words holds {word!r}; expected words (str).")
    source = vectorizer._open_source()
    read = word.lower() if vectorizer.lowercase else word
    if read in (vectorizer.start_token, vectorizer.end_token):
        raise ValueError(
            f"words holds {word!r}, which stands around each text; to do without it, "
            "fit with start_token=None or end_token=None."
        )
    tokens = [read] if read in source else _tokens(vectorizer, word)
    if len(tokens) != 1:
        raise ValueError(
            f"words holds {word!r}, which is {len(tokens)} tokens {tokens}; expected "
            "single ones. Each that is named is taken out wherever it stands."
        )
    if tokens[0] in vectorizer._stop_words:
        raise ValueError(f"words holds {word!r}, which is left out already.")
    if tokens[0] not in source:
        known = vectorizer._known_training_words() or []
        raise ValueError(
            f"words holds {word!r}, which has no vector: to the model it's as any "
            f"other unknown word.{did_you_mean(tokens[0], known)}"
        )
    return tokens[0]


def _tokens(vectorizer: WordVectorizer, text: str) -> list[str]:
    """Return the tokens that a vectorizer makes of a text, without those around it."""
    lexicon = Lexicon()
    split = partial(
        split_documents,
        vectorizer.tokenizer,
        frame=Frame(),
        lowercase=vectorizer.lowercase,
    )
    encoded = encode_texts([text], split, lexicon, check_any)
    return lexicon.words(encoded.tokens)


def forget_words(
    vectorizer: WordVectorizer, classifier: Any, words: tuple[str, ...]
) -> WordVectorizer:
    """Return a copy of a vectorizer that leaves some words out.

    Parameters
    ----------
    vectorizer : WordVectorizer
    classifier : estimator
        What reads its words; its ``rules_`` lose the phrases with one of them.
    words : tuple of str
    """
    forgetful = vectorizer._sharing_tables()
    forgetful.stop_words = (*vectorizer.stop_words, *words)
    rules = vars(classifier).get("rules_")
    if rules is not None and rules.size:
        stop_words = forgetful._stop_words
        stays = [not any(w in stop_words for w in p.split(" ")) for p in rules.flat]
        classifier.rules_ = packed_phrases(rules, np.reshape(stays, rules.shape))
    return forgetful
