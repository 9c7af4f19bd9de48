"""Columns of Arrow read as packed sequences, and packed sequences as columns.

A column of lists is two arrays, as a SequenceArray is: its values and where lists
begin. So nothing is copied where the numbers have the right type.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.exceptions import SequenceError
from skrational.sequences.parts import offsets_of

__all__ = [
    "column_of_vectors",
    "is_column_of_vectors",
    "read_column",
    "read_table",
    "table_of_vectors",
]

_EXPECTED = (
    "expected lists of vectors, or lists of row numbers together with the table that "
    "has these rows"
)


class _Lists(NamedTuple):
    """The values of a chunk of lists, end to end, and where lists begin in them."""

    values: Any
    offsets: NDArray[np.integer]


def _pyarrow() -> Any:
    try:
        import pyarrow
        import pyarrow.compute
    except ImportError as error:
        raise ImportError(
            "Columns of Arrow need pyarrow: pip install 'skrational[arrow]'"
        ) from error
    return pyarrow


def is_column_of_vectors(X: Any) -> bool:
    """Whether X is a column, of Arrow, polars or pandas, of lists of lists of numbers.

    Without pyarrow none is: such columns are then read in another, slower way.
    """
    if type(X).__module__.partition(".")[0] not in ("polars", "pyarrow", "pandas"):
        return False
    if len(getattr(X, "shape", (0,))) != 1:
        return False
    try:
        return _depth(_type_of(X)) == 2
    except ImportError:
        return False


def _type_of(X: Any) -> Any:
    """Return the Arrow type of a column, None if it has none of lists."""
    if "pyarrow" in type(X).__module__:
        return getattr(X, "type", None)
    if hasattr(getattr(X, "dtype", None), "pyarrow_dtype"):  # of pandas
        return X.dtype.pyarrow_dtype
    if "polars" in type(X).__module__ and str(X.dtype).startswith(("List", "Array")):
        return _as_chunked(X[:0]).type
    return None


def _depth(kind: Any) -> int:
    """Count how deep lists of numbers are nested; 0 for anything else."""
    if kind is None or type(kind).__module__ != "pyarrow.lib":
        return 0
    types = _pyarrow().types
    depth = 0
    while _is_list(kind):
        depth, kind = depth + 1, kind.value_type
    return depth if types.is_floating(kind) or types.is_integer(kind) else 0


def _is_list(kind: Any) -> bool:
    types = _pyarrow().types
    return bool(
        types.is_list(kind)
        or types.is_large_list(kind)
        or types.is_fixed_size_list(kind)
        or types.is_list_view(kind)
        or types.is_large_list_view(kind)
    )


def _as_chunked(column: Any) -> Any:
    """Return a column of any library that speaks Arrow as a ChunkedArray."""
    pa = _pyarrow()
    if isinstance(column, pa.ChunkedArray):
        return column
    if isinstance(column, (pa.Table, pa.RecordBatch)):
        raise TypeError(
            f"column is a {type(column).__name__}; expected one column of it, such as "
            f"table[{column.column_names[0]!r}]."
            if column.column_names
            else "column is a table without columns."
        )
    try:
        if hasattr(column, "__arrow_c_stream__"):
            return pa.chunked_array(column)
        array = column if isinstance(column, pa.Array) else pa.array(column)
    except (TypeError, ValueError, pa.ArrowException) as error:
        raise TypeError(
            f"column, a {type(column).__name__}, is no column of Arrow: {error}"
        ) from error
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def read_column(
    column: Any, table: Any = None
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int32] | None, Any]:
    """Return the features, offsets, indices and labels that a column holds.

    Parameters
    ----------
    column : Array, ChunkedArray, or what hands one over by ``__arrow_c_array__`` or \
            ``__arrow_c_stream__``
        Lists of vectors, vectors, or lists of row numbers.
    table : table of Arrow, ndarray of shape (n_rows, n_features), or None
        The rows that are meant by row numbers.

    Returns
    -------
    features, offsets, indices, labels : ndarray or None

    Raises
    ------
    SequenceError, TypeError
        As `SequenceArray.from_arrow`.
    """
    chunks = _as_chunked(column)
    _refuse_missing(chunks, "sequence")
    types, kind = _pyarrow().types, chunks.type
    depth = _depth(kind)
    if depth not in (1, 2):
        raise TypeError(f"column holds {kind}; {_EXPECTED}.")
    numbers = depth == 1 and not types.is_floating(kind.value_type)
    if table is not None and not numbers:
        raise SequenceError(
            f"column holds {kind}, but row numbers go with a table; {_EXPECTED}."
        )
    if depth == 1 and table is None:
        if not types.is_fixed_size_list(kind):
            raise SequenceError(f"column holds {kind}; {_EXPECTED}.")
        features = _matrix(_chunks(chunks), kind)
        return features, np.arange(len(features) + 1), None, None
    lists = [_open(part) for part in _chunks(chunks)]
    offsets = _offsets(lists)
    if table is not None:
        rows, labels = read_table(table)
        indices = _join([_row_numbers(part.values) for part in lists])
        return rows, offsets, indices, labels
    _check_tokens(lists)
    features = _matrix([part.values for part in lists], kind)
    return features, offsets, None, None


def read_table(table: Any) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return the rows of a table of vectors, and their labels if it has any.

    Parameters
    ----------
    table : ndarray of shape (n_rows, n_features), or table of Arrow
        With a column "vector" of lists of equal lengths, maybe with a column "label".
    """
    if isinstance(table, np.ndarray):
        return table, None
    pa = _pyarrow()
    if not isinstance(table, pa.Table):
        try:
            table = pa.table(table)
        except (TypeError, ValueError, pa.ArrowException) as error:
            raise TypeError(
                f"table is a {type(table).__name__}; expected an array, or a table of "
                f"Arrow with a column 'vector': {error}"
            ) from error
    if "vector" not in table.column_names:
        raise SequenceError(
            f"table has the columns {table.column_names}; expected 'vector', and maybe "
            "'label'."
        )
    column = table["vector"]
    _refuse_missing(column, "row")
    if _depth(column.type) != 1:
        raise SequenceError(
            f"the column 'vector' holds {column.type}; expected lists of numbers."
        )
    rows = _matrix(_chunks(column), column.type)
    if "label" not in table.column_names:
        return rows, None
    return rows, np.array(table["label"].to_pylist(), dtype=object)


def column_of_vectors(
    features: NDArray[Any], offsets: NDArray[np.int64], indices: Any, tokens: str
) -> Any:
    """Return sequences as an array of Arrow; nothing is copied that need not be.

    Parameters
    ----------
    features : ndarray of shape (n_rows, n_features)
    offsets : ndarray of shape (n_sequences + 1,), int64
    indices : ndarray of shape (n_tokens,), int32, or None
    tokens : {"vectors", "rows"}

    Returns
    -------
    LargeListArray
    """
    pa = _pyarrow()
    if tokens not in ("vectors", "rows"):
        raise ValueError(f"tokens is {tokens!r}; expected 'vectors' or 'rows'.")
    if tokens == "rows":
        values = pa.array(
            np.arange(len(features), dtype=np.int32) if indices is None else indices
        )
    else:
        rows = features if indices is None else features[indices]
        values = _as_vectors(rows)
    return pa.LargeListArray.from_arrays(pa.array(offsets), values)


def table_of_vectors(features: NDArray[Any], labels: NDArray[Any] | None) -> Any:
    """Return rows, and their labels before them, as a table of Arrow."""
    columns = {} if labels is None else {"label": list(map(str, labels))}
    return _pyarrow().table({**columns, "vector": _as_vectors(features)})


def _as_vectors(rows: NDArray[Any]) -> Any:
    """Return rows as an array of Arrow of lists of one size."""
    pa = _pyarrow()
    flat = np.ascontiguousarray(rows).reshape(-1)
    return pa.FixedSizeListArray.from_arrays(pa.array(flat), rows.shape[1])


def _chunks(column: Any) -> list[Any]:
    """Return the arrays of a column, at least one."""
    return column.chunks or [_pyarrow().array([], column.type)]


def _open(lists: Any) -> _Lists:
    """Return the values and the offsets of an array of lists, slices among them."""
    pa = _pyarrow()
    if pa.types.is_fixed_size_list(lists.type):
        size = lists.type.list_size
        return _Lists(lists.flatten(), size * np.arange(len(lists) + 1))
    if pa.types.is_list_view(lists.type) or pa.types.is_large_list_view(lists.type):
        # Views may stand in any order, and overlap.
        lengths = pa.compute.list_value_length(lists).to_numpy(zero_copy_only=False)
        return _Lists(lists.flatten(), offsets_of(lengths))
    offsets = lists.offsets.to_numpy(zero_copy_only=True)
    if not len(offsets):  # as some libraries hand over no list
        offsets = np.zeros(1, np.int64)
    first, last = int(offsets[0]), int(offsets[-1])
    return _Lists(
        lists.values.slice(first, last - first), offsets - first if first else offsets
    )


def _offsets(lists: list[_Lists]) -> NDArray[np.int64]:
    """Join the offsets of chunks."""
    if len(lists) == 1:
        return lists[0].offsets.astype(np.int64, copy=False)
    parts, end = [np.zeros(1, np.int64)], 0
    for _, offsets in lists:
        parts.append(offsets[1:].astype(np.int64) + end)
        end += int(offsets[-1])
    return np.concatenate(parts)


def _check_tokens(lists: list[_Lists]) -> None:
    """Raise a SequenceError if a token is missing; its number counts all tokens."""
    before = 0
    for values, _ in lists:
        if values.null_count:
            token = before + int(np.flatnonzero(np.asarray(values.is_null()))[0])
            raise SequenceError(f"token {token} of all is missing; expected a vector.")
        before += len(values)


def _matrix(chunks: list[Any], kind: Any) -> NDArray[Any]:
    """Return lists of numbers, all of one length, as a matrix.

    Parameters
    ----------
    chunks : list of arrays of lists
    kind : DataType
        Of the column, for messages.
    """
    widths = sorted(set[int]().union(*map(_widths, chunks)))
    if len(widths) != 1 or widths == [0]:
        shown = " and ".join(map(str, widths[:: max(1, len(widths) - 1)]))
        raise SequenceError(
            f"column holds {kind} of "
            f"{f'vectors of {shown} numbers' if widths else 'no vector at all'}; "
            "expected vectors of one width."
        )
    parts = [_numbers(_open(part).values).reshape(-1, widths[0]) for part in chunks]
    return _join(parts)


def _widths(vectors: Any) -> set[int]:
    """Return the lengths of the lists of an array."""
    if _pyarrow().types.is_fixed_size_list(vectors.type):
        return {int(vectors.type.list_size)}
    return set(np.unique(np.diff(_open(vectors).offsets)).tolist())


def _row_numbers(values: Any) -> NDArray[np.int32]:
    if values.null_count:
        raise SequenceError(
            f"row number {_first_null(values)} of all {len(values)} is missing: it is "
            "null; expected the number of a row of the table."
        )
    array = _numbers(values)
    most = np.iinfo(np.int32).max
    if array.size and not (array.min() >= 0 and array.max() <= most):
        raise SequenceError(
            f"row numbers reach from {array.min()} to {array.max()}; expected 0 to "
            f"{most}."
        )
    return array.astype(np.int32, copy=False)


def _numbers(values: Any) -> NDArray[Any]:
    """Return numbers of Arrow as an array that shares their memory."""
    if values.null_count:
        raise SequenceError(
            f"number {_first_null(values)} of all {len(values)} is missing: it is "
            f"null, as are {values.null_count} in all. Fill them in, for "
            "instance with NaN, which TimeStepTransformer(SimpleImputer()) knows."
        )
    array: NDArray[Any] = values.to_numpy(zero_copy_only=True)
    return array


def _join(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """Join the arrays of chunks; that of a single one is not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _first_null(values: Any) -> int:
    return int(np.flatnonzero(np.asarray(values.is_null()))[0])


def _refuse_missing(column: Any, what: str) -> None:
    if column.null_count:
        first = _first_null(column)
        raise SequenceError(
            f"{what} {first} is missing: it is null; expected a list. Drop such rows, "
            "or fill them with empty lists."
        )
