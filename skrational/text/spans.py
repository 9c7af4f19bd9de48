"""Tokens as spans of one array of code points."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.compile import jit
from skrational.text.characters import code_points, read_characters
from skrational.text.scanner import find_tokens

__all__ = ["Frame", "Spans", "split_by", "split_compiled"]


class Spans(NamedTuple):
    """The tokens of texts.

    Parameters
    ----------
    codes : ndarray of shape (n_characters,), uint32
        Code points.
    starts, ends : ndarray of shape (n_tokens,), int64
        Token t holds the characters ``starts[t]`` to ``ends[t]``.
    offsets : ndarray of shape (n_texts + 1,), int64
        Text i holds the tokens ``offsets[i]`` to ``offsets[i + 1]``.
    """

    codes: NDArray[np.uint32]
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
    def _extra(self) -> str:
        return (self.start_token or "") + (self.end_token or "")

    def _apply(self, spans: Spans) -> Spans:
        """Frame tokens whose code points have the extra ones at their end."""
        if self.start_token is self.end_token is self.max_length is None:
            return spans
        n_most = len(spans.starts) + 2 * (len(spans.offsets) - 1)
        starts, ends = np.empty((2, n_most), dtype=np.int64)
        offsets = np.zeros_like(spans.offsets)
        end = len(spans.codes)
        middle = end - len(self.end_token or "")
        n_tokens = _frame(
            *spans[1:],
            np.iinfo(np.int64).max if self.max_length is None else self.max_length,
            self.keep_end,
            self.start_token is not None,
            self.end_token is not None,
            (end - len(self._extra), middle, end),
            starts,
            ends,
            offsets,
        )
        return Spans(spans.codes, starts[:n_tokens], ends[:n_tokens], offsets)


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
    ([0, 2, 6, 6], [2, 4, 7, 7], [0, 3, 4])
    """
    characters = read_characters(texts, lowercase=lowercase, extra=frame._extra)
    starts, ends = find_tokens(characters.kinds)
    offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    offsets[1:] = np.searchsorted(starts, characters.text_ends)
    return frame._apply(Spans(characters.codes, starts, ends, offsets))


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
    tokens: list[str] = []
    offsets = [0]
    for text in texts:
        words = tokenizer(text.lower() if lowercase else text)
        if isinstance(words, str):
            raise TypeError("tokenizer returned a str; expected a list of tokens.")
        tokens.extend(words)
        offsets.append(len(tokens))
    try:
        joined = "".join(tokens)
    except TypeError:
        token = next(token for token in tokens if not isinstance(token, str))
        raise TypeError(
            f"tokenizer returned the token {reprlib.repr(token)} "
            f"({type(token).__name__}); expected a str."
        ) from None
    ends = np.cumsum(np.fromiter(map(len, tokens), np.int64, len(tokens)))
    starts = np.concatenate([[0], ends[:-1]])[: len(tokens)]
    codes = code_points(joined + frame._extra)
    return frame._apply(Spans(codes, starts, ends, np.array(offsets)))


@jit
def _frame(
    starts: Any,
    ends: Any,
    offsets: Any,
    max_length: Any,
    keep_end: Any,
    has_start: Any,
    has_end: Any,
    extra: Any,
    new_starts: Any,
    new_ends: Any,
    new_offsets: Any,
) -> Any:
    n_tokens = 0
    for text in range(len(offsets) - 1):
        first, last = offsets[text], offsets[text + 1]
        if last - first > max_length:
            if keep_end:
                first = last - max_length
            else:
                last = first + max_length
        if has_start:
            new_starts[n_tokens], new_ends[n_tokens] = extra[0], extra[1]
            n_tokens += 1
        for token in range(first, last):
            new_starts[n_tokens], new_ends[n_tokens] = starts[token], ends[token]
            n_tokens += 1
        if has_end:
            new_starts[n_tokens], new_ends[n_tokens] = extra[1], extra[2]
            n_tokens += 1
        new_offsets[text + 1] = n_tokens
    return n_tokens
