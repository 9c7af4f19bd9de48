"""How much of texts is known: words, and whole texts, without a vector."""

from __future__ import annotations

import reprlib
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.utils.compile import jit, read_only

__all__ = [
    "UnknownTexts",
    "UnknownWords",
    "advice_for_unknown",
    "describe_missing",
    "find_unknown",
]


class UnknownTexts(NamedTuple):
    """Texts without a known word.

    Parameters
    ----------
    n : int
        How many there are.
    first : int
        The position of the first one; -1 if there is none.
    n_empty : int, default=0
        How many of them hold no word at all.
    """

    n: int
    first: int
    n_empty: int = 0

    def describe(
        self, X: Iterable[Any], n_texts: int, framing: tuple[int, int], oov: str
    ) -> str:
        """Say how many texts they are, which is the first, and what it means.

        Parameters
        ----------
        X : iterable
            The texts; an iterator, which has been read, shows none.
        n_texts : int
            How many there are.
        framing : pair of int
            How many tokens were put before and behind each text.
        oov : {"random", "zero", "drop"}
            What became of unknown words.

        Returns
        -------
        str
            Empty if there is no such text.

        Examples
        --------
        >>> print(UnknownTexts(1, 0).describe([" "], 2, (0, 0), "drop"))
        1 of 2 texts hold no word that has a vector; the first is text 0, which is
        empty. However confident, a prediction for such a text rests on nothing but the
        classifier's intercept.
        """
        if not self.n:
            return ""
        which = f"text {self.first}"
        if hasattr(X, "__len__"):
            text = next(islice(X, self.first, None))
            is_empty = isinstance(text, str) and not text.strip()
            which += ", which is empty" if is_empty else f", {reprlib.repr(text)}"
        basis = ["the classifier's intercept"]
        basis += ["the start and end tokens"] * any(framing)
        has_shared = oov != "drop" and self.n_empty < self.n
        basis += ["the vector that unknown words share"] * has_shared
        *others, last = basis
        listed = f"{', '.join(others)} and {last}" if others else last
        return (
            f"{self.n} of {n_texts} texts hold no word that has a vector; the first is "
            f"{which}. However confident, a prediction for such a text rests on "
            f"nothing but {listed}."
        )


class UnknownWords(NamedTuple):
    """Tokens of texts that have no vector of their own.

    Parameters
    ----------
    n : int
        How many there are.
    n_tokens : int
        Of so many, without those around a text.
    examples : tuple of str
        Some of them, the most frequent first.
    """

    n: int
    n_tokens: int
    examples: tuple[str, ...]

    @property
    def are_most(self) -> bool:
        """Whether they are more than half of the tokens."""
        return 2 * self.n > self.n_tokens

    def describe(self, advice: str, noun: str = "word vector") -> str:
        """Say so if most tokens of a call are unknown, and what to do.

        Parameters
        ----------
        advice : str
            What to try.
        noun : str, default="word vector"
            What unknown tokens lack.

        Returns
        -------
        str
            Empty if not more than half of them are.

        Examples
        --------
        >>> print(UnknownWords(3, 4, ("buch", "gut")).describe("Try other vectors."))
        75% of the tokens of this call have no word vector, such as 'buch', 'gut':
        whatever is made of these texts rests on the others. Try other vectors.
        """
        if not self.are_most:
            return ""
        some = ", ".join(map(reprlib.repr, self.examples[:5]))
        which = f", such as {some}" if some else ""
        return (
            f"{self.n / self.n_tokens:.0%} of the tokens of this call have no {noun}"
            f"{which}: whatever is made of these texts rests on the others. "
            f"{advice}"
        )


def find_unknown(
    tokens: NDArray[np.int32],
    offsets: NDArray[np.int64],
    is_known: NDArray[np.bool_],
    framing: tuple[int, int],
) -> UnknownTexts:
    """Find the texts that hold no known word.

    Parameters
    ----------
    tokens : ndarray of shape (n_tokens,), int32
        The number of each word.
    offsets : ndarray of shape (n_texts + 1,), int64
        Text i holds the tokens ``offsets[i]`` to ``offsets[i + 1]``.
    is_known : ndarray of shape (n_words,), bool
    framing : pair of int
        How many tokens before and behind each text don't count.

    Returns
    -------
    UnknownTexts

    Examples
    --------
    >>> tokens, offsets = np.array([0, 1, 1, 0], dtype=np.int32), np.array([0, 2, 4])
    >>> find_unknown(tokens, offsets, np.array([True, False]), framing=(1, 0))
    UnknownTexts(n=1, first=0, n_empty=0)
    """
    given = read_only(tokens), read_only(offsets), read_only(is_known)
    return UnknownTexts(*_find_unknown(*given, *framing))


@jit
def _find_unknown(
    tokens: Any, offsets: Any, is_known: Any, n_before: Any, n_behind: Any
) -> Any:
    """Count texts without a known word, find the first, and count those without any.

    Parameters
    ----------
    tokens : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (n_texts + 1,), int64
    is_known : ndarray of shape (n_words,), bool
    n_before, n_behind : int
    """
    n, first, n_empty = 0, -1, 0
    for text in range(len(offsets) - 1):
        i, end = offsets[text] + n_before, offsets[text + 1] - n_behind
        while i < end and not is_known[tokens[i]]:
            i += 1
        if i >= end:
            n += 1
            if offsets[text] + n_before >= end:
                n_empty += 1
            if first < 0:
                first = text
    return n, first, n_empty


def describe_missing(missing: Counter[str], n_tokens: int, lowercase: bool) -> str:
    """Say so if many tokens have no vector; otherwise return an empty str.

    Parameters
    ----------
    missing : Counter
        How often each word without a vector occurs.
    n_tokens : int
        How many words there are, with a vector or without.
    lowercase : bool
        Whether they were turned to lower case.
    """
    share = missing.total() / max(1, n_tokens)
    if share <= 0.3:
        return ""
    most = ", ".join(repr(word) for word, _ in missing.most_common(5))
    return (
        f"{share:.0%} of the tokens have no word vector, most often {most}. "
        f"{advice_for_unknown(lowercase)}"
    )


def advice_for_unknown(lowercase: bool) -> str:
    """Say what to try where many words have no vector."""
    return (
        f"Try lowercase={not lowercase}, another tokenizer, or vectors trained on such "
        "texts."
    )
