"""Tokens as spans of one array of bytes."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.compile import jit
from skrational.text.bits import BLOCK
from skrational.text.borders import find_tokens
from skrational.text.characters import join, kinds_of, padded, read_texts

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

    def _join(self) -> tuple[bytes, NDArray[np.int64]]:
        """Return what is put around texts, and the lengths of its two parts."""
        return join([self.start_token or "", self.end_token or ""], "")

    def _apply(self, spans: Spans) -> Spans:
        """Frame tokens whose bytes have the extra ones at their end."""
        if self.start_token is self.end_token is self.max_length is None:
            return spans
        n_most = len(spans.starts) + 2 * (len(spans.offsets) - 1)
        starts, ends = np.empty((2, n_most), dtype=np.int64)
        offsets = np.zeros_like(spans.offsets)
        _, lengths = self._join()
        end = len(spans.data) - BLOCK
        n_tokens = _frame(
            *spans[1:],
            np.iinfo(np.int64).max if self.max_length is None else self.max_length,
            self.keep_end,
            self.start_token is not None,
            self.end_token is not None,
            (end - lengths.sum(), end - lengths[1], end),
            starts,
            ends,
            offsets,
        )
        return Spans(spans.data, starts[:n_tokens], ends[:n_tokens], offsets)


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
    characters = read_texts(texts, lowercase=lowercase, extra=frame._join()[0])
    kind_of = kinds_of(128 if characters.is_ascii else 0x110000)
    tokens = find_tokens(
        characters.data, characters.text_ends, kind_of, lowercase=lowercase
    )
    return frame._apply(Spans(characters.data, *tokens))


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
        joined, lengths = join(tokens, "")
    except TypeError:
        token = next(token for token in tokens if not isinstance(token, str))
        raise TypeError(
            f"tokenizer returned the token {reprlib.repr(token)} "
            f"({type(token).__name__}); expected a str."
        ) from None
    ends = np.cumsum(lengths)
    data = padded(joined + frame._join()[0])
    return frame._apply(Spans(data, ends - lengths, ends, np.array(offsets)))


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
