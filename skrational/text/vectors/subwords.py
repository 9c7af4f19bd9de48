"""Vectors of words from those of their parts, as fastText makes them."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.text.vectors.canonical import canonical
from skrational.text.vectors.rows import checksum_of_rows, find_unusable
from skrational.text.vectors.tables import VectorTable, check_finite
from skrational.utils.cached import cached_property

__all__ = ["SubwordTable", "Subwords"]


@dataclass(frozen=True, eq=False)
class Subwords:
    """The vectors of n-grams of characters.

    Parameters
    ----------
    vectors : ndarray of shape (n_buckets, n_features)
        May be a memory map. The row of an n-gram is its hash.
    shortest, longest : int
        How many characters an n-gram has, counting a mark at each end of the word.
    """

    vectors: NDArray[Any]
    shortest: int
    longest: int

    @cached_property
    def _bad_rows(self) -> frozenset[int]:
        return find_unusable(self.vectors)

    def rows(self, word: str) -> list[int]:
        """Return the rows of a word's n-grams; none if a vector can't be used."""
        from gensim.models.fasttext import ft_ngram_hashes

        try:
            rows = ft_ngram_hashes(word, self.shortest, self.longest, len(self.vectors))
        except UnicodeEncodeError:  # half a character
            return []
        return [] if self._bad_rows and not self._bad_rows.isdisjoint(rows) else rows


@dataclass(frozen=True, eq=False)
class SubwordTable(VectorTable):
    """Word vectors, and those of n-grams for words that the table lacks.

    Parameters
    ----------
    index, vectors, source
        As for `VectorTable`.
    subwords : Subwords
        A word outside the table has the mean of its n-grams' vectors, if it has any.
    whole : bool, default=True
        Whether a row is the vector of its word. Otherwise, as in fastText's own files,
        the vector is the mean of the row and of the n-grams' vectors.
    alone : str or None, default=None
        A word whose row is its vector in any case.

    Examples
    --------
    >>> subwords = Subwords(np.float32([[2, 0], [0, 2], [2, 2]]), 3, 6)
    >>> index, vectors = {"good": 0}, np.float32([[1, 1]])
    >>> table = SubwordTable(index, vectors, subwords=subwords)
    >>> "goody" in table, "g" in table, list(table.words)
    (True, True, ['good'])
    """

    subwords: Subwords = field(kw_only=True)
    whole: bool = field(default=True, kw_only=True)
    alone: str | None = field(default=None, kw_only=True)

    @cached_property
    def fingerprint(self) -> str:  # type: ignore[override]
        """As that of a `VectorTable`, of the words' numbers and those of n-grams."""
        checksum = checksum_of_rows(self.vectors)
        checksum = checksum_of_rows(self.subwords.vectors, checksum)
        return f"{self.sampled_fingerprint}-{checksum:08x}"

    @cached_property
    def sampled_fingerprint(self) -> str:
        """As that of the words alone, and what tells the n-grams from others."""
        vectors = self.subwords.vectors
        sample = vectors[:: max(1, len(vectors) // 256)]
        rows = zlib.crc32(np.ascontiguousarray(sample).tobytes())
        lengths = f"{self.subwords.shortest}-{self.subwords.longest}"
        words = self.words_only.sampled_fingerprint
        return f"{words}-{len(vectors)}x{lengths}-{rows:08x}"

    @cached_property
    def words_only(self) -> VectorTable:
        """The table as a version of this package knew it that had no n-grams."""
        return VectorTable(self.index, self.vectors, self.source)

    def find(self, word: str) -> str | None:
        """Return the word whose vector stands for a word; None: there is none."""
        found = super().find(word)
        if found is not None:
            return found
        form = canonical(word)
        return form if form not in self.index and self.subwords.rows(form) else None

    def _has(self, word: str) -> bool:
        if not super()._has(word):
            return False
        bad = not self._is_whole(word) and self.subwords._bad_rows
        return not bad or bool(self.subwords.rows(word))

    def _is_whole(self, word: str) -> bool:
        return self.whole or word == self.alone

    def take(self, words: list[str]) -> NDArray[np.float32]:
        """Return the vectors of words; as `Table.take`."""
        rows = np.empty((len(words), self.n_features), dtype=np.float32)
        for i, word in enumerate(words):
            found = self.find(word)
            rows[i] = self._vector(word if found is None else found)
        return check_finite(rows, words, self.source)

    def _vector(self, word: str) -> NDArray[Any]:
        own = [self.vectors[self.index[word]]] if word in self.index else []
        if own and self._is_whole(word):
            return own[0]
        parts = self.subwords.vectors[self.subwords.rows(word)]
        # One after the other, as fastText adds them: that decides the last bit.
        return np.add.reduce([*own, *parts], axis=0) / (len(own) + len(parts))
