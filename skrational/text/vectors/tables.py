"""Tables of word vectors: the rows of one array, or a dict."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrational.exceptions import VectorFileError

__all__ = ["Table", "VectorDict", "VectorTable"]


@dataclass(frozen=True, eq=False)
class VectorTable:
    """Word vectors as the rows of one array.

    Parameters
    ----------
    index : mapping from str to int
        The row of each word.
    vectors : ndarray of shape (n_words, n_features)
        May be a memory map.
    source : str, default="the word vectors"
        What messages call the table: the path of its file.

    Examples
    --------
    >>> table = VectorTable({"good": 0, "bad": 1}, np.float32([[1, 0], [-1, 0]]))
    >>> "good" in table, table.n_features, table.take(["bad"]).tolist()
    (True, 2, [[-1.0, 0.0]])
    """

    index: Mapping[str, int]
    vectors: NDArray[Any]
    source: str = "the word vectors"

    def __post_init__(self) -> None:
        if self.vectors.ndim != 2 or self.vectors.size == 0:
            raise VectorFileError(
                f"{self.source} has vectors of shape {self.vectors.shape}; expected "
                "(n_words, n_features), neither of them 0."
            )

    def __contains__(self, word: object) -> bool:
        return word in self.index

    @property
    def n_features(self) -> int:
        """Width of a vector."""
        return int(self.vectors.shape[1])

    @functools.cached_property
    def fingerprint(self) -> str:
        """What tells this table from another: its shape, words and a sample of rows."""
        sample = self.vectors[:: max(1, len(self.vectors) // 256)]
        words = zlib.crc32("\n".join(self.index).encode())
        rows = zlib.crc32(np.ascontiguousarray(sample).tobytes())
        return f"{len(self.vectors)}x{self.n_features}-{words:08x}-{rows:08x}"

    @property
    def words(self) -> Mapping[str, Any]:
        """The words, in the order of the rows."""
        return self.index

    def take(self, words: list[str]) -> NDArray[np.float32]:
        """Return the vectors of words of the table, of shape (len(words), n_features).

        Raises
        ------
        ValueError
            If one of them holds NaN or infinity; the message names the word.
        """
        rows = self.vectors[[self.index[word] for word in words]]
        return _check_finite(rows, words, self.source)


class VectorDict:
    """Word vectors as a dict, looked up where they are.

    Parameters
    ----------
    vectors : mapping from str to array-like of shape (n_features,)

    Examples
    --------
    >>> table = VectorDict({"good": [1, 0], "bad": [-1, 0]})
    >>> "good" in table, table.n_features, table.take(["bad"]).tolist()
    (True, 2, [[-1.0, 0.0]])
    """

    source = None
    fingerprint = None

    def __init__(self, vectors: Mapping[str, ArrayLike]) -> None:
        if not vectors:
            raise ValueError("vectors is an empty dict; expected a vector for a word.")
        self.vectors = vectors
        word = next(iter(vectors))
        first = np.asarray(vectors[word])
        if first.ndim != 1 or len(first) == 0:
            raise ValueError(
                f"vectors[{word!r}] has shape {first.shape}; expected (n_features,)."
            )
        self.n_features = len(first)

    def __contains__(self, word: object) -> bool:
        return word in self.vectors

    @property
    def words(self) -> Mapping[str, Any]:
        """The words, in the order of the dict."""
        return self.vectors

    def take(self, words: list[str]) -> NDArray[np.float32]:
        """Return the vectors of words of the dict; as `VectorTable.take`."""
        rows = np.empty((len(words), self.n_features), dtype=np.float32)
        for i, word in enumerate(words):
            vector = np.asarray(self.vectors[word])
            if vector.shape != (self.n_features,):
                raise ValueError(
                    f"vectors[{word!r}] has shape {vector.shape}; the first one has "
                    f"({self.n_features},)."
                )
            rows[i] = vector
        return _check_finite(rows, words, "vectors")


Table: TypeAlias = VectorTable | VectorDict


def _check_finite(
    rows: NDArray[Any], words: list[str], source: str
) -> NDArray[np.float32]:
    rows = np.asarray(rows, dtype=np.float32)
    faults = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if faults.size:
        raise ValueError(
            f"The vector of {words[faults[0]]!r} in {source} holds NaN or infinity."
        )
    return rows
