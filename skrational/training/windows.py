"""Texts cut into windows, in which each token is to be told from those before."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from skrational.sequences import SequenceArray
from skrational.training.labelled import Labelled

__all__ = ["Windows", "next_tokens"]


def next_tokens(
    tokens: NDArray[np.int32], offsets: NDArray[np.int64], end: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
    """Pair each token, and the end of each text, with the token before.

    Parameters
    ----------
    tokens : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (n_texts + 1,), int64
    end : int
        Number of the mark that is read before a text and expected behind it.

    Returns
    -------
    inputs, targets : ndarray of shape (n_tokens + n_texts,), int32
        What is read, and what is to come next.
    offsets : ndarray of shape (n_texts + 1,), int64
        Where texts begin in these.

    Examples
    --------
    >>> next_tokens(np.array([5, 6, 7]), np.array([0, 2, 3]), 0)
    (array([0, 5, 6, 0, 7]), array([5, 6, 0, 7, 0]), array([0, 3, 5]))
    """
    inputs = np.insert(tokens, offsets[:-1], end)
    targets = np.insert(tokens, offsets[1:], end)
    return inputs, targets, offsets + np.arange(len(offsets))


@dataclass(frozen=True)
class Windows(Labelled):
    """Stretches of texts; what is to be predicted are the next tokens.

    A text is cut into as few windows of at most T tokens as it needs, of equal length
    but for one token. ``X`` holds the numbers of their tokens, as features; ``codes``,
    of shape (n, T), the tokens that come next, -1 behind the end of a shorter window;
    ``weights`` the number of tokens of each.

    Attributes
    ----------
    texts : ndarray of shape (n,), int
        The text of each window.
    """

    texts: NDArray[np.intp] = field(kw_only=True)

    @property
    def at_every_token(self) -> bool:
        """No: cells of language models predict at every token by themselves."""
        return False

    @classmethod
    def cut(
        cls,
        inputs: NDArray[np.int32],
        targets: NDArray[np.int32],
        offsets: NDArray[np.int64],
        words: list[str],
        length: int,
    ) -> Windows:
        """Cut texts into windows.

        Parameters
        ----------
        inputs, targets, offsets
            As `next_tokens` returns them.
        words : list of str
            The vocabulary.
        length : int
            T.
        """
        sizes = np.diff(offsets)
        n_windows = -(-sizes // length)
        texts = np.repeat(np.arange(len(sizes)), n_windows)
        first = np.cumsum(n_windows) - n_windows
        place = np.arange(len(texts)) - first[texts]
        starts = offsets[:-1][texts] + place * sizes[texts] // n_windows[texts]
        bounds = np.append(starts, offsets[-1])
        lengths = np.diff(bounds)
        codes = np.full((len(texts), lengths.max()), -1)
        codes[np.arange(codes.shape[1]) < lengths[:, None]] = targets
        numbers = np.arange(len(words), dtype=np.float64)[:, None]
        X = SequenceArray(numbers, bounds, inputs)
        classes = np.array(words, object)
        return cls(X, classes, codes, lengths.astype(np.float64), texts=texts)

    def __getitem__(self, chosen: NDArray[np.intp]) -> Self:
        """Take some windows, by their positions."""
        return replace(
            self,
            X=self.X[chosen],
            codes=self.codes[chosen],
            weights=self.weights[chosen],
            texts=self.texts[chosen],
        )

    def shares(self) -> NDArray[np.floating]:
        """Share of each word in the tokens that are to be predicted, (n_words,)."""
        counts = np.bincount(self.codes[self.codes >= 0], minlength=len(self.classes))
        return counts / counts.sum()

    def split(
        self, fraction: float, generator: np.random.Generator
    ) -> tuple[Self, Self | None]:
        """Hold out a share of the texts; None where there is but one."""
        texts = generator.permutation(np.unique(self.texts))
        n_held_out = min(int(fraction * len(texts) + 0.5), len(texts) - 1)
        is_held_out = np.isin(self.texts, texts[:n_held_out])
        training, held_out = np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out)
        return self[training], self[held_out] if n_held_out else None
