"""The forms in which sequences may come: recognised and packed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrational.exceptions import SequenceError
from skrational.sequences.array import SequenceArray
from skrational.sequences.arrow import is_column_of_vectors, read_column
from skrational.sequences.parts import check_integers, offsets_of
from skrational.utils.checks import is_missing

__all__ = [
    "Form",
    "as_floats",
    "form_of",
    "is_nested",
    "is_ragged",
    "read_list",
    "read_padded",
    "take_column",
]

Parts: TypeAlias = tuple[NDArray[Any], NDArray[np.int64]]


Form: TypeAlias = Literal["sparse", "strings", "ragged", "padded", "matrix"]


def take_column(X: Any, name: str = "X") -> Any:
    """Return a column of sequences or texts, of pandas, polars or Arrow, as an array.

    So is the only column of a data frame; a column of Arrow's lists of vectors becomes
    a SequenceArray that shares its memory. What holds numbers stays as it is, with its
    names; so do lists, arrays and all else. The name is for messages.

    Raises
    ------
    SequenceError
        If such a column is one of several.
    """
    is_known = isinstance(X, (np.ndarray, SequenceArray)) or hasattr(X, "tocsr")
    if is_column_of_vectors(X):
        return SequenceArray(*read_column(X))
    if is_known or not hasattr(X, "__array__"):
        return X
    n_dimensions = len(getattr(X, "shape", (0,)))
    if n_dimensions == 1:
        values = np.asarray(X)
        return X if values.dtype.kind in "biuf" and values.ndim < 3 else values
    if n_dimensions != 2 or not is_nested(np.asarray(X[:1])):
        return X
    if X.shape[1] > 1:
        raise SequenceError(
            f"{name} is a {type(X).__name__} of {X.shape[1]} columns, not all of which "
            f"are numbers; expected one column, such as {name}['name'] or, in a "
            "ColumnTransformer, 'name'."
        )
    return np.asarray(X)[:, 0]


def is_nested(rows: Any) -> bool:
    """Whether an object array has an element that is an array, a list or a text."""
    return (
        isinstance(rows, np.ndarray)
        and rows.dtype == object
        and any(
            isinstance(value, (str, bytes)) or _dimensions(value) for value in rows.flat
        )
    )


def form_of(X: Any) -> Form:
    """Say in which form sequences come; "matrix" is whatever numpy may make of it."""
    if hasattr(X, "tocsr"):
        return "sparse"
    if isinstance(X, (Iterator, Mapping, set, frozenset)):
        raise TypeError(
            f"X is a {type(X).__name__}; expected a SequenceArray, a list of arrays of "
            "shape (T_i, n_features), or an array of 2 or 3 dimensions."
        )
    if _holds_strings(X):
        return "strings"
    if is_ragged(X):
        return "ragged"
    if _is_list_of_series(X):
        raise SequenceError(
            f"X is a list of flat sequences of inhomogeneous lengths, {len(X[0])} and "
            "others; expected arrays of shape (T, n_features). Series of one channel "
            "become that by [np.asarray(x)[:, None] for x in X]."
        )
    return "padded" if getattr(X, "ndim", 0) == 3 else "matrix"


def is_ragged(X: Any) -> bool:
    """Whether X is a list or an object array whose elements are 2-D arrays."""
    return _is_list(X) and len(X) > 0 and any(_dimensions(x) == 2 for x in X)


def _is_list_of_series(X: Any) -> bool:
    """Whether X is a list of flat sequences of different lengths."""
    return (
        _is_list(X)
        and all(_dimensions(x) == 1 and hasattr(x, "__len__") for x in X)
        and len(set(map(len, X))) > 1
    )


def _is_list(x: Any) -> bool:
    """Whether x is a list, or an object array in its place, as Arrow nests them."""
    if isinstance(x, np.ndarray):
        return x.dtype == object and x.ndim == 1
    return isinstance(x, (list, tuple))


def _dimensions(x: Any) -> int:
    """Count dimensions without turning a nested list into an array."""
    depth = 0
    while _is_list(x):
        depth += 1
        if not len(x):
            break
        x = x[0]
    return depth + int(getattr(x, "ndim", 0))


def _holds_strings(X: Any) -> bool:
    """Whether X is a text, texts, or lists of tokens."""
    if isinstance(X, (str, bytes)):
        return True
    if isinstance(X, np.ndarray) and X.dtype.kind in "UST":
        return True
    while _is_list(X):
        X = next((value for value in X if not is_missing(value)), None)
    return isinstance(X, (str, bytes))


def read_list(sequences: list[Any]) -> Parts:
    """Pack a list of arrays of shape (T_i, n_features): features and offsets."""
    arrays = [_as_matrix(x, i) for i, x in enumerate(sequences)]
    widths = [a.shape[1] for a in arrays if a.ndim == 2 and a.shape[1]]
    if not widths:
        raise SequenceError(
            f"none of the {len(arrays)} sequences has a feature; expected arrays of "
            "shape (T_i, n_features)."
        )
    width = widths[0]
    for i, a in enumerate(arrays):
        if a.size == 0:
            arrays[i] = np.empty((0, width), dtype=a.dtype if a.ndim == 2 else "f2")
        elif a.ndim != 2:
            raise SequenceError(
                f"sequence {i} has shape {a.shape}; expected (T, {width})."
            )
        elif a.shape[1] != width:
            raise SequenceError(
                f"sequence {i} has {a.shape[1]} features; the ones before it have "
                f"{width}."
            )
    offsets = offsets_of(np.array([len(a) for a in arrays]))
    return np.concatenate(arrays), offsets


def _as_matrix(x: Any, i: int) -> NDArray[Any]:
    if is_missing(x):
        raise SequenceError(f"sequence {i} is missing: it is {x}; expected an array.")
    if hasattr(x, "detach"):
        x = x.detach().cpu()
    try:
        return as_floats(list(x) if _is_list(x) else x)
    except (TypeError, ValueError) as error:
        raise SequenceError(
            f"sequence {i} is no array of numbers of shape (T, n_features): {error}"
        ) from error


def as_floats(x: Any) -> NDArray[Any]:
    """Return an array in which values that are missing, or masked, are NaN."""
    if isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
        return np.ma.filled(x.astype(np.result_type(x, np.float16)), np.nan)
    if hasattr(x, "to_numpy") and hasattr(x, "columns") and hasattr(x, "iloc"):
        x = x.to_numpy(na_value=np.nan)
    array = np.asarray(x)
    return array.astype(np.float64) if array.dtype == object else array


def read_padded(
    array: NDArray[Any], lengths: ArrayLike | None, allow_nan: bool = False
) -> Parts:
    """Pack a padded three-dimensional array: features and offsets."""
    n, longest, _ = array.shape
    if lengths is None:
        sizes = _unpadded_lengths(array, allow_nan)
    else:
        sizes = check_integers(lengths, "lengths")
        if sizes.shape != (n,) or np.any(sizes < 0) or np.any(sizes > longest):
            raise SequenceError(
                f"lengths must hold {n} numbers from 0 to {longest}; got {sizes!r}."
            )
    inside = np.arange(longest) < sizes[:, None]
    return array[inside], offsets_of(sizes)


def _unpadded_lengths(array: NDArray[Any], allow_nan: bool) -> NDArray[np.int64]:
    n, longest, _ = array.shape
    if array.dtype.kind != "f":
        return np.full(n, longest)
    missing = np.isnan(array)
    padding = missing.all(axis=2)
    sizes = longest - np.cumprod(padding[:, ::-1], axis=1).sum(axis=1)
    astray = missing.any(axis=2) & (np.arange(longest) < sizes[:, None])
    if astray.any() and not allow_nan:
        i, t = np.argwhere(astray)[0]
        raise SequenceError(
            f"Input X contains NaN: sequence {i}, step {t}. Rows of NaN are padding at "
            "the end of a sequence only; TimeStepTransformer(SimpleImputer()) fills in "
            "values that are missing."
        )
    return sizes.astype(np.int64)
