"""Texts checked and turned into numbered words."""

from __future__ import annotations

import reprlib
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Corpus", "check_texts", "read_corpus"]


class Corpus(NamedTuple):
    """Tokenised texts.

    Parameters
    ----------
    words : list of str
        The distinct words in the order in which they first occur.
    tokens : ndarray of shape (n_tokens,), int32
        The place of each token in ``words``.
    offsets : ndarray of shape (n_texts + 1,), int64
        Text i holds the tokens ``offsets[i]`` to ``offsets[i + 1]``.
    """

    words: list[str]
    tokens: NDArray[np.int32]
    offsets: NDArray[np.int64]


def read_corpus(
    texts: Iterable[str], tokenizer: Callable[[str], Iterable[str]]
) -> Corpus:
    """Tokenise texts and number their words.

    Parameters
    ----------
    texts : iterable of str
        At least one.
    tokenizer : callable
        Takes a text and returns its tokens.

    Returns
    -------
    Corpus

    Raises
    ------
    ValueError, TypeError
        If there is no text, or a text or a token isn't a str.

    Examples
    --------
    >>> corpus = read_corpus(["a b a", "", "b"], str.split)
    >>> corpus.words, corpus.tokens.tolist(), corpus.offsets.tolist()
    (['a', 'b'], [0, 1, 0, 1], [0, 3, 3, 4])
    """
    # Looking up a new word gives it the next number.
    number: defaultdict[str, int] = defaultdict()
    number.default_factory = number.__len__
    tokens, offsets = array("i"), [0]
    for text in check_texts(texts):
        tokens.extend(map(number.__getitem__, tokenizer(text)))
        offsets.append(len(tokens))
    if len(offsets) == 1:
        raise ValueError("X holds no texts; expected at least one.")
    for word in number:
        if not isinstance(word, str):
            raise TypeError(
                f"tokenizer returned the token {_show(word)}; expected a str."
            )
    return Corpus(
        list(number), np.array(tokens, dtype=np.int32), np.array(offsets, np.int64)
    )


def check_texts(X: Iterable[str]) -> Iterator[str]:
    """Iterate over texts; raise at the first that isn't one.

    Parameters
    ----------
    X : iterable of str
        A list, a column of a data frame, a generator, ...

    Yields
    ------
    str

    Raises
    ------
    ValueError
        If X is a single text, or not one-dimensional.
    TypeError
        If an element isn't a str; the message names its position.

    Examples
    --------
    >>> list(check_texts(("a", "b")))
    ['a', 'b']
    """
    if isinstance(X, (str, bytes)):
        raise ValueError(
            f"Iterable over raw text documents expected, {type(X).__name__} object "
            "received: put a single text into a list."
        )
    if getattr(X, "ndim", 1) != 1 or not isinstance(X, Iterable):
        raise ValueError(
            f"X is a {type(X).__name__} of shape {getattr(X, 'shape', ())}; expected a "
            "list, a column or another one-dimensional iterable of texts."
        )
    for i, text in enumerate(X):
        if not isinstance(text, str):
            advice = ": decode it" if isinstance(text, bytes) else ""
            raise TypeError(f"Text {i} of X is {_show(text)}; expected a str{advice}.")
        yield text


def _show(value: Any) -> str:
    return f"{reprlib.repr(value)} ({type(value).__name__})"
