"""Tables of word vectors: the rows of one array, or a dict.

Text and table are compared as they look: a word that a table lacks is looked up in its
canonical form, among the words of the table and then among their canonical forms. Words
whose vectors hold NaN or infinity count as unknown.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrational.exceptions import VectorFileError
from skrational.text.vectors.canonical import aliases, canonical
from skrational.text.vectors.rows import (
    as_float32,
    as_row,
    checksum_of_rows,
    find_unusable,
)
from skrational.utils.cached import cached_property

# For NaN among the words.
_HINT = (
    " pandas reads words such as 'null' and 'nan' as NaN, unless read_csv gets "
    "keep_default_na=False."
)

__all__ = ["Table", "VectorDict", "VectorTable"]


class Table(ABC):
    """Words and their vectors.

    Attributes
    ----------
    vectors : ndarray or mapping
        Where the vectors are; tables of the same one give the same vectors.
    n_features : int
        Width of a vector.
    source : str or None
        The path of the file, if there is one.
    fingerprint : str or None
        What tells this table from another; None for a dict.
    """

    vectors: Any
    n_features: int
    source: str | None
    fingerprint: str | None

    def __contains__(self, word: object) -> bool:
        return isinstance(word, str) and self.find(word) is not None

    def is_known_as(self, fingerprint: str | None) -> bool:
        """Whether a fingerprint that was kept is that of the table."""
        return fingerprint == self.fingerprint

    @abstractmethod
    def find(self, word: str) -> str | None:
        """Return the word of the table that stands for a word; None: there is none."""

    @property
    @abstractmethod
    def words(self) -> Iterator[str]:
        """The words that have a usable vector, in the order of the table."""

    @abstractmethod
    def describe_unusable(self) -> str:
        """Say which words have vectors that can't be used; nothing if there are none.

        Raises
        ------
        ValueError
            If that is so of all words.
        """

    @abstractmethod
    def take(self, words: list[str]) -> NDArray[np.float32]:
        """Return the vectors of words of the table, of shape (len(words), n_features).

        Raises
        ------
        ValueError
            If one of them can't be used any more; the message names the word.
        """


class _OneTable(Table):
    """A table by itself, which says what it has under a very word."""

    def find(self, word: str) -> str | None:
        """Return the word that stands for a word, perhaps spelt otherwise."""
        if self._has(word):
            return word
        form = canonical(word)
        if form is not word and self._has(form):
            return form
        alias = self._aliases.get(form)
        return alias if alias is not None and self._has(alias) else None

    @property
    def words(self) -> Iterator[str]:
        """The words that have a usable vector, in the order of the table."""
        return (word for word in self._all_words() if self._has(word))

    def describe_unusable(self) -> str:
        """Say which words have vectors that can't be used; as `Table`."""
        words, reason = self._find_unusable()
        if words and len(words) == len(self._all_words()):
            raise self._error(f"no usable vector: that of {_shown(words[0])} {reason}.")
        if not words:
            return ""
        first = ", ".join(map(_shown, words[:5])) + (", ..." if len(words) > 5 else "")
        return (
            f"The vectors of {first} in {self.source or 'vectors'} ({len(words):,} in "
            f"all) can't be used: that of the first {reason}. The words count as "
            f"unknown.{_HINT if any(word != word for word in words) else ''}"
        )

    @cached_property
    def _aliases(self) -> dict[str, str]:
        return aliases(self._all_words())

    @abstractmethod
    def _has(self, word: str) -> bool:
        """Whether the table has this very word, with a usable vector."""

    @abstractmethod
    def _all_words(self) -> Mapping[str, Any]:
        """Return the words of the table, usable or not."""

    @abstractmethod
    def _find_unusable(self) -> tuple[list[Any], str]:
        """Return the words whose vectors can't be used, and what ails the first."""

    @abstractmethod
    def _error(self, fault: str) -> ValueError:
        """Return the error that says what the table has."""


@dataclass(frozen=True, eq=False)
class VectorTable(_OneTable):
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
            raise self._error(
                f"vectors of shape {self.vectors.shape}; expected (n_words, "
                "n_features), neither of them 0."
            )
        if self.vectors.dtype.kind not in "fiub":
            raise self._error(f"vectors of {self.vectors.dtype}; expected numbers.")
        if self.index and not _has_words(self.index):
            kind = type(next(iter(self.index))).__name__
            raise self._error(f"keys that are {kind}; expected words (str).")
        rows = np.fromiter(self.index.values(), dtype=np.int64, count=len(self.index))
        if rows.size and not (0 <= rows.min() and rows.max() < len(self.vectors)):
            raise self._error(
                f"{len(self.vectors)} vectors, but a word with number {rows.max()}."
            )

    def _error(self, fault: str) -> ValueError:
        return VectorFileError(f"{self.source} has {fault}")

    @property
    def n_features(self) -> int:  # type: ignore[override]
        """Width of a vector."""
        return int(self.vectors.shape[1])

    @cached_property
    def fingerprint(self) -> str:  # type: ignore[override]
        """What tells this table from another: its shape, words and all numbers."""
        return f"{self.sampled_fingerprint}-{checksum_of_rows(self.vectors):08x}"

    def is_known_as(self, fingerprint: str | None) -> bool:
        """Whether a fingerprint is that of the table, perhaps an earlier version's."""
        return fingerprint in (self.fingerprint, self.sampled_fingerprint)

    @cached_property
    def sampled_fingerprint(self) -> str:
        """What version 0.1.0 compared: shape, words and a sample of rows."""
        sample = self.vectors[:: max(1, len(self.vectors) // 256)]
        texts = (word for word in self.index if isinstance(word, str))
        words = zlib.crc32("\n".join(texts).encode(errors="surrogatepass"))
        rows = zlib.crc32(np.ascontiguousarray(sample).tobytes())
        return f"{len(self.vectors)}x{self.n_features}-{words:08x}-{rows:08x}"

    @cached_property
    def _bad_rows(self) -> frozenset[int]:
        return find_unusable(self.vectors)

    def _has(self, word: str) -> bool:
        row = self.index.get(word)
        return isinstance(word, str) and row is not None and row not in self._bad_rows

    def _all_words(self) -> Mapping[str, Any]:
        return self.index

    def _find_unusable(self) -> tuple[list[Any], str]:
        bad = self._bad_rows
        words = [
            word
            for word, row in self.index.items()
            if row in bad or not isinstance(word, str)
        ]
        fault = "holds NaN or infinity"
        return words, _fault_of_key(words[0]) or fault if words else fault

    def take(self, words: list[str]) -> NDArray[np.float32]:
        """Return the vectors of words of the table; as `Table.take`."""
        found = [self.find(word) for word in words]
        rows = as_float32(self.vectors[[self.index[w] for w in found if w is not None]])
        return check_finite(rows, words, self.source)


class VectorDict(_OneTable):
    """Word vectors as a dict, looked up where they are.

    Parameters
    ----------
    vectors : mapping from str to array-like of shape (n_features,)
        Their width is that of most of the first hundred.

    Examples
    --------
    >>> table = VectorDict({"good": [1, 0], "bad": [-1, 0], "odd": [1]})
    >>> "good" in table, "odd" in table, table.n_features
    (True, False, 2)
    """

    source = None
    fingerprint = None

    def __init__(self, vectors: Mapping[str, ArrayLike]) -> None:
        if not vectors:
            raise ValueError("vectors is an empty dict; expected a vector for a word.")
        self.vectors = vectors
        if not _has_words(vectors):
            word = next(iter(vectors))
            raise TypeError(
                f"vectors has keys that are {type(word).__name__}, such as {word!r}; "
                "expected words (str)."
            )
        self.n_features = 0
        widths: Counter[int] = Counter()
        for word in islice(vectors, 100):
            row, _ = self._row(word)
            widths[0 if row is None else len(row)] += 1
        known = [width for width, _ in widths.most_common() if width]
        # If none of them can be used, others are sought when the table is checked.
        self.n_features = known[0] if known else 0

    def _row(self, word: Any) -> tuple[NDArray[np.float32] | None, str]:
        """Return a word's vector or None, and what ails it."""
        if fault := _fault_of_key(word):
            return None, fault
        try:
            return as_row(self.vectors[word], self.n_features or None), ""
        except KeyError:
            return None, "is missing"
        except ValueError as error:
            return None, _advise(self.vectors[word]) or str(error)

    def _error(self, fault: str) -> ValueError:
        return ValueError(f"vectors has {fault}")

    def _has(self, word: str) -> bool:
        return word in self.vectors and self._row(word)[0] is not None

    def _all_words(self) -> Mapping[str, Any]:
        return self.vectors

    def _find_unusable(self) -> tuple[list[Any], str]:
        words, first = [], ""
        for word in self.vectors:
            row, fault = self._row(word)
            if row is None:
                words.append(word)
                first = first or fault
        return words, first

    def take(self, words: list[str]) -> NDArray[np.float32]:
        """Return the vectors of words of the dict; as `Table.take`."""
        rows = np.empty((len(words), self.n_features), dtype=np.float32)
        for i, word in enumerate(words):
            found = self.find(word)
            row, fault = self._row(word if found is None else found)
            if row is None:
                raise ValueError(f"vectors[{_shown(word)}] {fault}.")
            rows[i] = row
        return rows


def _has_words(keys: Mapping[Any, Any]) -> bool:
    return any(isinstance(key, str) for key in islice(keys, 100))


def _fault_of_key(key: Any) -> str:
    return "" if isinstance(key, str) else f"has a {type(key).__name__} for a word"


def _advise(value: Any) -> str:
    """Say what to do with the values of other libraries that hold no real numbers."""
    kind = type(value)
    if kind.__module__.partition(".")[0] == "torch":
        return f"is a {kind.__name__}; give tensor.detach().float().numpy()"
    is_complex = isinstance(value, np.ndarray) and value.dtype.kind == "c"
    return "holds complex numbers, not real ones" if is_complex else ""


def _shown(word: Any) -> str:
    return repr(str(word)) if isinstance(word, str) else repr(word)


def check_finite(
    rows: NDArray[np.float32], words: list[str], source: str
) -> NDArray[np.float32]:
    """Return rows if all can be used."""
    faults = np.flatnonzero(~np.isfinite(rows).all(axis=1))
    if faults.size:
        word = _shown(words[faults[0]])
        raise ValueError(f"The vector of {word} in {source} holds NaN or infinity.")
    return rows
