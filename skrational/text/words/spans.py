"""Tokens as spans of one array of bytes."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from skrational.text.tokenize import tokenize
from skrational.text.words.alphabet import alphabet_of
from skrational.text.words.bits import BLOCK
from skrational.text.words.borders import find_tokens
from skrational.text.words.characters import bytes_of, join, read_texts

__all__ = [
    "Frame",
    "Spans",
    "split_by",
    "split_compiled",
    "split_documents",
    "split_tokens",
]


_T = TypeVar("_T")


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

    @property
    def sizes(self) -> tuple[int, int]:
        """How many tokens come before and behind each text."""
        return int(self.start_token is not None), int(self.end_token is not None)

    def truncate(self, words: list[_T]) -> list[_T]:
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


def split_tokens(
    documents: Sequence[list[str]], frame: Frame, *, lowercase: bool
) -> Spans:
    """Take the tokens of documents that are tokenised already.

    Parameters
    ----------
    documents : sequence of list of str
    frame : Frame
    lowercase : bool
        Whether to turn the tokens to lower case.

    Returns
    -------
    Spans

    Examples
    --------
    >>> spans = split_tokens([["New York", "is"]], Frame(), lowercase=True)
    >>> spans.starts.tolist(), spans.ends.tolist(), spans.offsets.tolist()
    ([0, 8], [8, 10], [0, 2])
    """
    read = partial(map, str.lower) if lowercase else iter
    return _framed(map(read, documents), frame)


def split_by(
    tokenizer: Callable[[Any], Iterable[str]],
    documents: Sequence[Any],
    frame: Frame,
    *,
    lowercase: bool,
) -> Spans:
    """Tokenise documents by a Python function.

    Parameters
    ----------
    tokenizer : callable
        Takes a document and returns its tokens.
    documents : sequence
        Of str or of whatever the tokenizer takes.
    frame : Frame
    lowercase : bool
        Whether to turn a str to lower case first, and the tokens of anything else.

    Returns
    -------
    Spans

    Raises
    ------
    TypeError
        If the tokenizer returns no list of tokens, or a token that isn't a str.

    Examples
    --------
    >>> spans = split_by(str.split, ["a bc", "", "d"], Frame(), lowercase=False)
    >>> spans.starts.tolist(), spans.ends.tolist(), spans.offsets.tolist()
    ([0, 1, 3], [1, 3, 4], [0, 2, 2, 3])
    """
    words = (_tokenized(tokenizer, document, lowercase) for document in documents)
    return _framed(words, frame)


def split_documents(
    tokenizer: Callable[[Any], Iterable[str]] | None,
    documents: Sequence[Any],
    frame: Frame,
    *,
    lowercase: bool,
) -> Spans:
    """Tokenise documents by a function or, without one, as their kind asks for.

    Parameters
    ----------
    tokenizer : callable or None
    documents : sequence
        Of str or, without a tokenizer, of lists of str.
    frame, lowercase
        As for `split_by`.

    Returns
    -------
    Spans
    """
    if tokenizer is not None and tokenizer is not tokenize:
        return split_by(tokenizer, documents, frame, lowercase=lowercase)
    of_kind: Any = split_compiled if isinstance(documents[0], str) else split_tokens
    return of_kind(documents, frame, lowercase=lowercase)


def _tokenized(
    tokenizer: Callable[[Any], Iterable[str]], document: Any, lowercase: bool
) -> Iterable[str]:
    is_text = isinstance(document, str)
    words = tokenizer(document.lower() if is_text and lowercase else document)
    if isinstance(words, str) or not hasattr(words, "__iter__"):
        kind = "None" if words is None else f"the {type(words).__name__} {words!r}"
        kind = "a str" if isinstance(words, str) else kind
        raise TypeError(f"tokenizer returned {kind}; expected a list of tokens.")
    if is_text or not lowercase:
        return words
    return [word.lower() if isinstance(word, str) else word for word in words]


def _framed(documents: Iterator[Iterable[str]], frame: Frame) -> Spans:
    """Join the tokens of documents, of each what the frame keeps and puts around it."""
    before = [] if frame.start_token is None else [frame.start_token]
    behind = [] if frame.end_token is None else [frame.end_token]
    tokens: list[str] = []
    offsets = [0]
    for words in documents:
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
