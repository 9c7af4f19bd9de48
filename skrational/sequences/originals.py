"""The documents that sequences were made of, and where their tokens stand in them.

Training has no use for them, so they are looked for when a sequence is shown: what is
kept is a reference to the documents, and what finds tokens in one of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "NOWHERE",
    "UNKNOWN",
    "Original",
    "Originals",
    "OriginalsOfPart",
    "is_unknown",
]

UNKNOWN = "<unk>"
"""The label of a row that stands for all words without a vector."""

_UNKNOWN = {UNKNOWN, "[UNK]"}

NOWHERE = (-1, -1)
"""The span of a token that stands for no part of its document."""


def is_unknown(label: str) -> bool:
    """Whether a label is that of all unknown words, BERT's among them.

    Examples
    --------
    >>> is_unknown("<unk>"), is_unknown("[UNK]"), is_unknown("good")
    (True, True, False)
    """
    return label in _UNKNOWN


class Original(NamedTuple):
    """A document as it was given.

    Parameters
    ----------
    text : str
    spans : ndarray of shape (n_tokens, 2), int64
        Token t stands for ``text[start:stop]``; `NOWHERE` for one that was put around
        it, such as "<s>". Tokens of a character may share it.
    left_out : ndarray of shape (n_words, 2), int64
        Words that are no token, since they have no vector.
    n_before : int, default=0
        How many tokens were put before the text.

    Examples
    --------
    >>> spans = np.array([NOWHERE, (0, 3), (4, 9)])
    >>> Original("NOT worth", spans, np.empty((0, 2), int)).read(["<s>", "not", "a"])
    ('<s>', 'NOT', 'worth')
    """

    text: str
    spans: NDArray[np.int64]
    left_out: NDArray[np.int64]
    n_before: int = 0

    def read(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Write tokens as they stand in the text, by their labels where they don't."""
        text, bounds = self.text, zip(*self.spans.T.tolist(), strict=True)
        return tuple(
            [
                text[start:stop] or label if start >= 0 else label
                for label, (start, stop) in zip(labels, bounds, strict=True)
            ]
        )


OriginalsOfPart = Sequence[Original | None]
"""The originals of sequences that were made together, each found when asked for."""


class Originals:
    """The originals of sequences, some of other documents than the rest.

    Parameters
    ----------
    parts : tuple of sequences of (Original or None)
        Of documents that were read together.
    positions : range, ndarray of shape (n_sequences,), integer, or None, default=None
        The place of each sequence in all parts, one after the other. None: they are the
        documents of all parts, in order.

    Examples
    --------
    >>> nothing = np.empty((0, 2), int)
    >>> originals = Originals(([Original(text, nothing, nothing) for text in "ab"],))
    >>> joined = Originals.concatenate([originals, None, originals[[1]]], [2, 1, 1])
    >>> [found and found.text for found in map(joined.find, range(4))]
    ['a', 'b', None, 'b']
    """

    __slots__ = ("_parts", "_positions")

    def __init__(
        self,
        parts: tuple[OriginalsOfPart, ...],
        positions: range | NDArray[np.integer] | None = None,
    ) -> None:
        self._parts = parts
        self._positions = range(_total(parts)) if positions is None else positions

    def __getitem__(self, key: slice | NDArray[np.integer] | list[int]) -> Originals:
        """Return the originals of some of the sequences."""
        positions = self._positions
        if isinstance(key, slice):
            return Originals(self._parts, positions[key])
        key = np.asarray(key, np.intp)
        if isinstance(positions, range):
            # Not an array of all positions for each of many small selections.
            return Originals(self._parts, positions.start + positions.step * key)
        return Originals(self._parts, positions[key])

    def find(self, i: int) -> Original | None:
        """Return the original of sequence i, None if there is none."""
        place = int(self._positions[i])
        ends = list(accumulate(map(len, self._parts)))
        part = bisect_right(ends, place)
        return self._parts[part][place - ends[part] + len(self._parts[part])]

    @classmethod
    def concatenate(
        cls, originals: Sequence[Originals | None], lengths: Sequence[int]
    ) -> Originals | None:
        """Join those of several arrays, of which some may have none.

        Parameters
        ----------
        originals : sequence of (Originals or None)
        lengths : sequence of int
            How many sequences each array has.

        Returns
        -------
        Originals or None
            None if no array has any.
        """
        if all(one is None for one in originals):
            return None
        parts: list[OriginalsOfPart] = []
        positions = []
        for one, n in zip(originals, lengths, strict=True):
            one = Originals(([None] * n,)) if one is None else one
            positions.append(_total(parts) + np.asarray(one._positions, np.intp))
            parts += one._parts
        return cls(tuple(parts), np.concatenate(positions))


def _total(parts: Sequence[OriginalsOfPart]) -> int:
    return sum(map(len, parts))
