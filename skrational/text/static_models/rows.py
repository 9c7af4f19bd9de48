"""The feature rows of the subwords that a vectorizer has met."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from skrational.sequences import SequenceArray
from skrational.text.static_models.model import StaticModel
from skrational.text.vectors.growing import GrowingArray
from skrational.text.vectors.word_source import scale_rows
from skrational.utils.fork_locks import Lock

__all__ = ["Cut", "SubwordRows"]

# Characters that are tokenised at a time, in parallel: a tokenizer keeps much of each.
_CHUNK = 2**20
_PENDING = -1


@dataclass(frozen=True)
class Cut:
    """What is kept of a text.

    Parameters
    ----------
    most : int or None
        The number of subwords; None: all.
    from_end : bool
        Whether they are the last ones.

    Examples
    --------
    >>> Cut(2, from_end=True).of([1, 2, 3])
    [2, 3]
    """

    most: int | None
    from_end: bool

    def of(self, numbers: list[int]) -> list[int]:
        """Return what is kept of the subwords of a text."""
        if self.most is None:
            return numbers
        return numbers[-self.most :] if self.from_end else numbers[: self.most]


class SubwordRows:
    """A row for each subword of a model that was met, in the order of their meeting.

    Several threads may use it at once. A call costs what its own texts cost, however
    many subwords were met.

    Parameters
    ----------
    model : StaticModel
    unit_norm : bool
        Whether to scale the vectors to Euclidean length 1.
    """

    def __init__(self, model: StaticModel, unit_norm: bool) -> None:
        self.model, self.unit_norm = model, unit_norm
        self._lock = Lock()
        self._features = GrowingArray((model.matrix.n_features,), np.float32)
        self._labels = GrowingArray((), object)
        self._row_of = np.full(len(model.matrix), _PENDING, dtype=np.int32)
        self._n = 0

    def encode(
        self, texts: Iterable[str], cut: Cut, with_unknown: bool
    ) -> tuple[SequenceArray, int, int]:
        """Tokenise texts and look their subwords up.

        Parameters
        ----------
        texts : iterable of str
        cut : Cut
        with_unknown : bool
            Whether what the tokenizer doesn't know stays in the texts.

        Returns
        -------
        sequences : SequenceArray
            With the rows of all subwords met so far.
        n_unknown, n_tokens : int
            How many subwords the tokenizer doesn't know, of how many in all.

        Raises
        ------
        ValueError
            If there is no text, or the vector of a subword holds NaN or infinity.
        """
        numbers, offsets = self._tokenize(texts, cut)
        unknown = -1 if self.model.unknown is None else self.model.unknown
        is_known, n_tokens = numbers != unknown, len(numbers)
        n_unknown = n_tokens - int(np.count_nonzero(is_known))
        if n_unknown and not with_unknown:
            counts = np.concatenate([[0], np.cumsum(is_known, dtype=np.int64)])
            numbers, offsets = numbers[is_known], counts[offsets]
        with self._lock.held:
            self._look_up(numbers)
            features, labels = (
                self._features.first(self._n),
                self._labels.first(self._n),
            )
        rows = self._row_of[numbers]
        sequences = SequenceArray._trusted(features, offsets, rows, labels)
        return sequences, n_unknown, n_tokens

    def _tokenize(
        self, texts: Iterable[str], cut: Cut
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Return the numbers of all subwords, and where the texts begin."""
        numbers, offsets = array("i"), array("q", [0])
        for chunk in _chunks(texts):
            for found in map(cut.of, self.model.tokenize(chunk)):
                numbers.extend(found)
                offsets.append(len(numbers))
        if len(offsets) == 1:
            raise ValueError("X holds no texts; expected at least one.")
        return np.frombuffer(numbers, np.int32), np.frombuffer(offsets, np.int64)

    def _look_up(self, numbers: NDArray[np.int32]) -> None:
        pending = numbers[self._row_of[numbers] == _PENDING]
        if not pending.size:
            return
        found, first = np.unique(pending, return_index=True)
        new = found[np.argsort(first)]
        vectors = self.model.take(new)
        self._features.put(scale_rows(vectors) if self.unit_norm else vectors, self._n)
        self._labels.put(np.array(self.model.labels(new), dtype=object), self._n)
        # In this order nothing refers to a missing row if a key interrupts.
        end = self._n + len(new)
        self._row_of[new] = np.arange(self._n, end, dtype=np.int32)
        self._n = end


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    n_characters = 0
    for text in texts:
        chunk.append(text)
        n_characters += 1 + len(text)
        if n_characters >= _CHUNK:
            yield chunk
            chunk, n_characters = [], 0
    if chunk:
        yield chunk
