"""How packed sequences come from elsewhere and go there: Arrow, and files."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from skrational.sequences.array import SequenceArray

__all__ = ["ExchangeMixin"]


class ExchangeMixin:
    """For SequenceArray: to and from Arrow, to and from files that are mapped."""

    __slots__ = ()

    features: Any
    offsets: Any
    indices: Any
    labels: Any

    @classmethod
    def from_arrow(cls, column: Any, table: Any = None) -> Self:
        """Read a column of Arrow, without copying where its types allow it.

        Parameters
        ----------
        column : Array or ChunkedArray of pyarrow, or a column of another library
            Of a library that hands columns over as Arrow does (``__arrow_c_array__``,
            ``__arrow_c_stream__``), such as polars. Its elements are lists of vectors,
            of one width: ``list<fixed_size_list<float>[E]>`` or ``list<list<float>>``;
            or vectors, ``fixed_size_list<float>[E]``, which become sequences of one
            token; or, with a table, lists of row numbers, ``list<int32>``.
        table : ndarray of shape (n_rows, n_features), or table of Arrow, default=None
            The vectors that row numbers stand for. A table of Arrow has them in a
            column "vector", and may have a column "label", as of `table_to_arrow`.

        Returns
        -------
        SequenceArray
            Float16, float32 and float64 vectors and int32 row numbers stay where they
            are if the column has one chunk; several are joined, which copies.

        Raises
        ------
        SequenceError
            (a ValueError) if a sequence, a token or a number is missing (null), or
            vectors differ in width.
        TypeError
            If the column holds something else than lists of numbers.
        ImportError
            If pyarrow isn't installed.

        Examples
        --------
        >>> import pyarrow as pa
        >>> from skrational import SequenceArray
        >>> SequenceArray.from_arrow(pa.array([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0]]]))
        SequenceArray(2 sequences, 3 tokens of 2 features in 3 rows, token-level)
        >>> table = pa.table({"label": ["good", "bad"], "vector": [[1.0], [0.0]]})
        >>> SequenceArray.from_arrow(pa.array([[0, 1, 1], [], [0]]), table)
        SequenceArray(3 sequences, 4 tokens of 1 features in 2 rows, type-level)
        """
        from skrational.sequences.arrow import read_column

        return cls(*read_column(column, table))  # type: ignore[call-arg]

    def to_arrow(self, tokens: Literal["vectors", "rows"] = "vectors") -> Any:
        """Return the sequences as an array of Arrow: a list for each of them.

        Parameters
        ----------
        tokens : {"vectors", "rows"}, default="vectors"
            What the lists hold. "vectors": a vector for each token, which anyone can
            read; of type-level features, whose vectors are stored once, it writes each
            one as often as it occurs. "rows": the number of each token's row, to go
            with `table_to_arrow`.

        Returns
        -------
        pyarrow.LargeListArray
            Of ``fixed_size_list<float>[n_features]``, or of int32. It shares the
            memory of token-level features, and that of row numbers. Labels, the index
            and the documents are no part of it.

        Raises
        ------
        ImportError
            If pyarrow isn't installed.

        Examples
        --------
        >>> import numpy as np
        >>> from skrational import SequenceArray
        >>> X = SequenceArray(np.eye(2), [0, 2, 3], [0, 1, 1], labels=["a", "b"])
        >>> X.to_arrow().to_pylist()
        [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0]]]
        >>> rows = X.to_arrow("rows")
        >>> rows.to_pylist()
        [[0, 1], [1]]
        >>> SequenceArray.from_arrow(rows, X.table_to_arrow()) == X
        True
        """
        from skrational.sequences.arrow import column_of_vectors

        return column_of_vectors(self.features, self.offsets, self.indices, tokens)

    def table_to_arrow(self) -> Any:
        """Return the feature rows as a table of Arrow.

        Returns
        -------
        pyarrow.Table
            A column "vector", and "label" before it if rows have labels.

        Raises
        ------
        ImportError
            If pyarrow isn't installed.
        """
        from skrational.sequences.arrow import table_of_vectors

        return table_of_vectors(self.features, self.labels)

    def __arrow_c_array__(self, requested_schema: Any = None) -> Any:
        """Hand over the sequences as `to_arrow` does, to any library."""
        return self.to_arrow().__arrow_c_array__(requested_schema)

    @classmethod
    def write(
        cls, folder: str | os.PathLike[str], batches: Iterable[SequenceArray]
    ) -> Self:
        """Write sequences to files, a batch at a time, and map these into memory.

        A corpus that is larger than memory is made of batches that aren't, and a fit
        reads it from the files.

        Parameters
        ----------
        folder : str or path-like
            It's made, and must not be there yet. It appears when all is written.
        batches : iterable of SequenceArray
            At least one; such as what a vectorizer makes of some thousand texts at a
            time. All type-level or all token-level, of one width and type.

        Returns
        -------
        SequenceArray
            All of them end to end, as `open` returns it. Of type-level features each
            vector is written once, with its label. Labels of token-level features, one
            a token, and the documents are left out.

        Raises
        ------
        FileExistsError
            If the folder is there already.
        SequenceError
            (a ValueError) if there is no batch, or they don't go together.

        Examples
        --------
        >>> import tempfile
        >>> from skrational import SequenceArray, WordVectorizer
        >>> vectorizer = WordVectorizer({"good": [1.0], "bad": [0.0]}).fit(["good bad"])
        >>> texts = [["good good", "bad"], ["not good"]]
        >>> with tempfile.TemporaryDirectory() as parent:
        ...     X = SequenceArray.write(
        ...         f"{parent}/corpus", map(vectorizer.transform, texts)
        ...     )
        ...     print(X, X == SequenceArray.open(f"{parent}/corpus"))
        SequenceArray(3 sequences, 11 tokens of 1 features in 5 rows, type-level) True
        """
        from skrational.sequences.stored import write_batches

        write_batches(folder, batches)
        return cls.open(folder, check=False)

    @classmethod
    def open(cls, folder: str | os.PathLike[str], *, check: bool = True) -> Self:
        """Map sequences into memory that `write` has written.

        Parameters
        ----------
        folder : str or path-like
        check : bool, default=True
            Whether to read all files once and compare their checksums, some seconds for
            a gigabyte. Their sizes are looked at in any case.

        Returns
        -------
        SequenceArray
            Its arrays are memory maps: the system reads what is looked at, and drops it
            where it needs the room. Labels are in memory.

        Raises
        ------
        FileNotFoundError
            If there is no such folder.
        SequenceError
            (a ValueError) if the files are damaged; the message names one.
        """
        from skrational.sequences.stored import open_parts

        return cls(*open_parts(folder, check))  # type: ignore[call-arg]
