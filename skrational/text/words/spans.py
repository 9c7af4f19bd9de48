"""Tokens as spans of one array of bytes."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.text.words.alphabet import alphabet_of
from skrational.text.words.bits import BLOCK
from skrational.text.words.borders import find_tokens
from skrational.text.words.characters import bytes_of, join, read_texts

__all__ = ["Frame", "Spans", "split_by", "split_compiled"]


class Spans(NamedTuple):
    """The tokens of texts.

    Parameters
    ----------
    data : ndarray of uint8
        UTF-8, with `BLOCK` bytes behind all tokens.
    starts, ends : ndarray of shape (n_tokens,), int64
        Token t holds the bytes ``starts[t]`` to ``ends[t]``.
    offsets : ndarray of shape (n_texts + 1,), int64
        Text i holds the tokens ``offsets[i]`` to ``offsets[i + 1]``.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    offsets: NDArray[np.int64]


class Frame(NamedTuple):
    """What is kept of each text and what is put around it.

    Parameters
    ----------
    start_token, end_token : str or None, default=None
        Put before and after each text.
    max_length : int or None, default=None
        The most tokens to keep of a text. None: all of them.
    keep_end : bool, default=False
        Whether to keep the last tokens of a longer text instead of the first.
    """

    start_token: str | None = None
    end_token: str | None = None
    max_length: int | None = None
    keep_end: bool = False

    def truncate(self, words: list[str]) -> list[str]:
        """Return the words to keep of a text.

        Examples
        --------
        >>> Frame(max_length=1, keep_end=True).truncate(["a", "b"])
        ['b']
        """
        if self.max_length is None or len(words) <= self.max_length:
            return words
        if self.keep_end:
            return words[-self.max_length :]
        return words[: self.max_length]


def split_compiled(texts: Sequence[str], frame: Frame, *, lowercase: bool) -> Spans:
    """Tokenise texts as `skrational.text.tokenize.tokenize` does.

    Parameters
    ----------
    texts : sequence of str
    frame : Frame
    lowercase : bool
        Whether to turn the texts to lower case first.

    Returns
    -------
    Spans

    Examples
    --------
    >>> spans = split_compiled(["It's", ""], Frame(end_token="$"), lowercase=True)
    >>> spans.starts.tolist(), spans.ends.tolist(), spans.offsets.tolist()
    ([0, 2, 70, 70], [2, 4, 71, 71], [0, 3, 4])
    """
    start, end = frame.start_token, frame.end_token
    before, behind = bytes_of(start or ""), bytes_of(end or "")
    data, text_ends, is_ascii = read_texts(texts, extra=before + behind)
    last = len(data) - BLOCK
    middle = last - len(behind)
    nothing = (-1, -1)
    tokens = find_tokens(
        data,
        text_ends,
        alphabet_of(128 if is_ascii else 0x110000),
        lowercase=lowercase,
        frame=(
            nothing if start is None else (middle - len(before), middle),
            nothing if end is None else (middle, last),
        ),
        max_length=frame.max_length,
        keep_end=frame.keep_end,
    )
    if tokens is None:
        return _split_again(list(texts), frame)
    return Spans(data, *tokens)


def _split_again(texts: list[str], frame: Frame) -> Spans:
    """Tokenise texts of which Python has to lower a character."""
    # The only one that is common: a capital of Turkish.
    dotted = [text.replace("\u0130", "i\u0307") for text in texts]
    if dotted != texts:
        return split_compiled(dotted, frame, lowercase=True)
    return split_compiled([text.lower() for text in texts], frame, lowercase=False)


def split_by(
    tokenizer: Callable[[str], Iterable[str]],
    texts: Sequence[str],
    frame: Frame,
    *,
    lowercase: bool,
) -> Spans:
    """Tokenise texts by a Python function.

    Parameters
    ----------
    tokenizer : callable
        Takes a text and returns its tokens.
    texts, frame, lowercase
        As for `split_compiled`.

    Returns
    -------
    Spans

    Raises
    ------
    TypeError
        If the tokenizer returns a str, or a token that isn't one.

    Examples
    --------
    >>> spans = split_by(str.split, ["a bc", "", "d"], Frame(), lowercase=False)
    >>> spans.starts.tolist(), spans.ends.tolist(), spans.offsets.tolist()
    ([0, 1, 3], [1, 3, 4], [0, 2, 2, 3])
    """
    before = [] if frame.start_token is None else [frame.start_token]
    behind = [] if frame.end_token is None else [frame.end_token]
    tokens: list[str] = []
    offsets = [0]
    for text in texts:
        words = tokenizer(text.lower() if lowercase else text)
        if isinstance(words, str):
            raise TypeError("tokenizer returned a str; expected a list of tokens.")
        tokens += before
        tokens += frame.truncate(list(words))
        tokens += behind
        offsets.append(len(tokens))
    try:
        data, lengths = join(tokens)
    except TypeError:
        token = next(token for token in tokens if not isinstance(token, str))
        raise TypeError(
            f"tokenizer returned the token {reprlib.repr(token)} "
            f"({type(token).__name__}); expected a str."
        ) from None
    ends = np.cumsum(lengths)
    return Spans(data, ends - lengths, ends, np.array(offsets))
