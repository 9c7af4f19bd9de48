"""Packed sequences: the one container that every layer above reads.

A corpus of n sequences is two arrays, the feature rows and the offsets at which the
sequences begin. With a third, ``indices``, a token is the number of a row: word
vectors are stored once for each word (*type-level* features). Without it, each token
has a row of its own, as with BERT (*token-level* features).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrational.exceptions import SequenceError
from skrational.sequences.exchange import ExchangeMixin
from skrational.sequences.joins import joined_parts
from skrational.sequences.originals import UNKNOWN, Original, Originals
from skrational.sequences.parts import (
    check_features,
    check_indices,
    check_offsets,
    equal_labels,
    offsets_of,
    read_positions,
    taken_rows,
)
from skrational.sequences.repeats import distinct_rows, equal_rows

__all__ = ["UNKNOWN", "SequenceArray"]

Index: TypeAlias = Any


class SequenceArray(ExchangeMixin):
    """A read-only one-dimensional array of sequences of feature vectors.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features), float16, float32 or float64
        The feature rows. A memory map stays a memory map; integers become float64.
    offsets : array-like of shape (n_sequences + 1,), integer
        Sequence i holds the tokens ``offsets[i]`` to ``offsets[i + 1]``. Starts at 0,
        never decreases (an empty sequence repeats its offset), ends at the number of
        tokens.
    indices : array-like of shape (n_tokens,), integer, default=None
        The row of each token (type-level features). None: token t has row t
        (token-level features).
    labels : array-like of shape (n_rows,), str, default=None
        What to show for a row, usually the word.

    Attributes
    ----------
    features, offsets, indices, labels : ndarray or None
        The parameters, as read-only arrays (offsets int64, indices int32).
    lengths : ndarray of shape (n_sequences,), int64
        Number of tokens of each sequence.
    index : pandas Index or None
        Names of the sequences for a data frame that is made of them, see `with_index`.
    originals : Originals or None
        The documents that a vectorizer made them of, see `original`.

    Raises
    ------
    SequenceError
        (a ValueError) if the parts do not fit together; the message names the part.
    TypeError
        If the features are not numbers.

    Notes
    -----
    Sequences of any lengths are no matrix, so ``np.asarray(X)`` is a SequenceError, and
    so is the fit of a step that expects a matrix. ``np.asarray(X, dtype=object)`` holds
    an array for each sequence, as `to_list` does.

    Selections and joined arrays know the documents that they were made of. A pickle
    holds none of these, and neither does what is sent to other processes.

    Examples
    --------
    >>> import numpy as np
    >>> X = SequenceArray(np.eye(3), [0, 2, 5], indices=[0, 1, 2, 2, 0])
    >>> X
    SequenceArray(2 sequences, 5 tokens of 3 features in 3 rows, type-level)
    >>> X[0]
    array([[1., 0., 0.],
           [0., 1., 0.]])
    >>> len(X[1:]), X[[1, 0]].lengths
    (1, array([3, 2]))
    """

    # Dask sends what can be referred to weakly, and is large, once for all tasks.
    __slots__ = (
        "__weakref__",
        "features",
        "index",
        "indices",
        "labels",
        "offsets",
        "originals",
    )

    features: NDArray[np.floating]
    offsets: NDArray[np.int64]
    indices: NDArray[np.int32] | None
    labels: NDArray[Any] | None
    index: Any
    originals: Originals | None

    def __init__(
        self,
        features: ArrayLike,
        offsets: ArrayLike,
        indices: ArrayLike | None = None,
        labels: ArrayLike | None = None,
    ) -> None:
        rows = check_features(features)
        n_rows = rows.shape[0]
        row_of_token = None if indices is None else check_indices(indices, n_rows)
        n_tokens = n_rows if row_of_token is None else len(row_of_token)
        ends = check_offsets(offsets, n_tokens)
        names = None if labels is None else np.asarray(labels)
        if names is not None and names.shape != (n_rows,):
            raise SequenceError(
                f"labels has shape {names.shape}; expected one label for each of the "
                f"{n_rows} feature rows."
            )
        self._set(rows, ends, row_of_token, names)

    def _set(
        self,
        features: NDArray[Any],
        offsets: NDArray[Any],
        indices: NDArray[Any] | None = None,
        labels: NDArray[Any] | None = None,
        index: Any = None,
        originals: Originals | None = None,
    ) -> None:
        for name, part in zip(
            ("features", "offsets", "indices", "labels"),
            (features, offsets, indices, labels),
            strict=True,
        ):
            if part is not None:
                part = part.view()
                part.flags.writeable = False
            object.__setattr__(self, name, part)
        object.__setattr__(self, "index", index)
        object.__setattr__(self, "originals", originals)

    @classmethod
    def _trusted(cls, *parts: Any) -> SequenceArray:
        """Build from parts that are known to fit together."""
        new = cls.__new__(cls)
        new._set(*parts)
        return new

    def with_index(self, index: Any) -> SequenceArray:
        """Return the same sequences under the names of a pandas Index.

        Selections keep the names of what they select; equality and joining don't ask
        for them. The classifier hands them to the data frame that it returns if
        ``set_output(transform="pandas")`` asks for one.

        Parameters
        ----------
        index : pandas Index or None
            A name for each sequence.

        Returns
        -------
        SequenceArray
            Shares all arrays.
        """
        return SequenceArray._trusted(*self._arrays(), index, self.originals)

    def with_originals(self, originals: Originals | None) -> SequenceArray:
        """Return the same sequences, of these documents; shares all arrays."""
        return SequenceArray._trusted(*self._arrays(), self.index, originals)

    def _arrays(self) -> tuple[Any, ...]:
        return self.features, self.offsets, self.indices, self.labels

    def original(self, i: int) -> Original | None:
        """Return the document that sequence i was made of, and where its tokens are.

        Parameters
        ----------
        i : int
            From 0.

        Returns
        -------
        Original or None
            With a ``text`` and the ``spans`` of its tokens; None if it isn't known.
        """
        found = None if self.originals is None else self.originals.find(i)
        # A document that was changed in place has other tokens.
        n_tokens = self.offsets[i + 1] - self.offsets[i]
        return found if found is None or len(found.spans) == n_tokens else None

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"SequenceArray is read-only: cannot set {name!r}.")

    def __reduce__(self) -> tuple[Any, ...]:
        features, indices, labels = self.features, self.indices, self.labels
        # A few documents of a server need not carry all words that it has met.
        if indices is not None and 2 * len(indices) < len(features):
            used = distinct_rows(indices, len(features))
            features = features[used]
            indices = np.searchsorted(used, indices).astype(np.int32)
            labels = None if labels is None else labels[used]
        parts = features, self.offsets, indices, labels, self.index
        return SequenceArray._trusted, parts

    __hash__ = None  # type: ignore[assignment]

    @property
    def shape(self) -> tuple[int]:
        """``(n_sequences,)``: what lets scikit-learn split it as an array."""
        return (len(self),)

    ndim = 1

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the features."""
        return self.features.dtype

    @property
    def n_features(self) -> int:
        """Width of a feature row."""
        return int(self.features.shape[1])

    @property
    def n_tokens(self) -> int:
        """Number of tokens of all sequences."""
        return int(self.offsets[-1])

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of tokens of each sequence."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __sizeof__(self) -> int:
        """Bytes of the arrays, which other sequences may share."""
        return sum(part.nbytes for part in self._arrays() if part is not None)

    def __iter__(self) -> Iterator[NDArray[np.floating]]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, key: Index) -> Any:
        """Return one sequence (int) or a SequenceArray that shares the features."""
        if isinstance(key, tuple):
            # scikit-learn indexes an array as X[key, ...].
            if len(key) != 2 or key[1] is not Ellipsis:
                raise IndexError(f"a SequenceArray has one dimension; got {key!r}.")
            key = key[0]
        if isinstance(key, (int, np.integer)):
            return self.features[self.rows(int(key))]
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step == 1:
                return self._slice(start, max(start, stop))
            key = np.arange(start, stop, step)
        return self._take(read_positions(key, len(self)))

    def rows(self, i: int) -> slice | NDArray[np.int32]:
        """Rows of the tokens of sequence i, as a slice or an index array."""
        n = len(self)
        if not -n <= i < n:
            raise IndexError(f"sequence {i} is out of range for {n} sequences.")
        i %= n
        tokens = slice(int(self.offsets[i]), int(self.offsets[i + 1]))
        return tokens if self.indices is None else self.indices[tokens]

    def _slice(self, start: int, stop: int) -> SequenceArray:
        first, last = int(self.offsets[start]), int(self.offsets[stop])
        offsets = self.offsets[start : stop + 1] - first
        features, indices, labels = self.features, self.indices, self.labels
        if indices is not None:
            indices = indices[first:last]
        else:
            features = features[first:last]
            labels = None if labels is None else labels[first:last]
        index = None if self.index is None else self.index[start:stop]
        originals = None if self.originals is None else self.originals[start:stop]
        parts = features, offsets, indices, labels, index, originals
        return SequenceArray._trusted(*parts)

    def _take(self, positions: NDArray[np.intp]) -> SequenceArray:
        offsets = offsets_of(self.lengths[positions])
        indices = taken_rows(self.indices, self.offsets[positions], offsets)
        index = None if self.index is None else self.index[positions]
        originals = None if self.originals is None else self.originals[positions]
        parts = self.features, offsets, indices, self.labels, index, originals
        return SequenceArray._trusted(*parts)

    def __array__(
        self, dtype: Any = None, copy: bool | None = None
    ) -> NDArray[np.object_]:
        """Return an object array of the sequences; a matrix of them is an error."""
        if dtype is None or np.dtype(dtype) != object:
            raise SequenceError(
                f"{self!r} is no matrix, which this step or function expects. In a "
                "pipeline, put an estimator such as SparseRationalClassifier right "
                "after the vectorizer: it reads sequences, and its transform makes a "
                "row of scores of each, for the steps behind it. X.to_list() is a list "
                "of an array a sequence."
            )
        if copy is False:
            raise ValueError("The array of the sequences of a SequenceArray is a copy.")
        array = np.empty(len(self), dtype=object)
        for i, sequence in enumerate(self):
            array[i] = sequence
        return array

    def to_list(self) -> list[NDArray[np.floating]]:
        """Return the sequences as a list of arrays of shape (T_i, n_features)."""
        return list(self)

    @classmethod
    def concatenate(cls, arrays: Sequence[SequenceArray]) -> SequenceArray:
        """Join arrays end to end; the features are shared if all of them share them.

        Parameters
        ----------
        arrays : sequence of SequenceArray
            At least one; of equal width.

        Returns
        -------
        SequenceArray
            Labels are kept if every array has them, and the documents of those that
            have them.

        Raises
        ------
        SequenceError
            If there is no array, or the widths differ.
        """
        arrays = list(arrays)
        originals = Originals.concatenate(
            [a.originals for a in arrays], [len(a) for a in arrays]
        )
        return cls._trusted(*joined_parts(arrays), None, originals)

    def __add__(self, other: SequenceArray) -> SequenceArray:
        if not isinstance(other, SequenceArray):
            return NotImplemented
        return SequenceArray.concatenate([self, other])

    def row_numbers(self) -> NDArray[np.int32]:
        """Row of every token, also where each token has a row of its own."""
        if self.indices is not None:
            return self.indices
        return np.arange(self.n_tokens, dtype=np.int32)

    def __eq__(self, other: object) -> bool:
        """Whether both hold the same vectors (and labels) in the same order."""
        if not isinstance(other, SequenceArray):
            return NotImplemented
        if self.n_features != other.n_features or not np.array_equal(
            self.offsets, other.offsets
        ):
            return False
        mine, theirs = self.row_numbers(), other.row_numbers()
        if not equal_labels(self.labels, other.labels, mine, theirs):
            return False
        return equal_rows(self.features, mine, other.features, theirs)

    def __repr__(self) -> str:
        level = "token-level" if self.indices is None else "type-level"
        return (
            f"SequenceArray({len(self)} sequences, {self.n_tokens} tokens of "
            f"{self.n_features} features in {len(self.features)} rows, {level})"
        )
