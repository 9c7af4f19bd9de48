"""The forms in which sequences may come: recognised and packed."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrational.exceptions import SequenceError
from skrational.sequences.parts import check_integers, offsets_of

__all__ = ["Form", "form_of", "is_ragged", "read_list", "read_padded"]

Parts: TypeAlias = tuple[NDArray[Any], NDArray[np.int64]]


Form: TypeAlias = Literal["sparse", "strings", "ragged", "padded", "matrix"]


def form_of(X: Any) -> Form:
    """Say in which form sequences come; "matrix" is whatever numpy may make of it."""
    if hasattr(X, "tocsr"):
        return "sparse"
    if _holds_strings(X):
        return "strings"
    if is_ragged(X):
        return "ragged"
    return "padded" if getattr(X, "ndim", 0) == 3 else "matrix"


def is_ragged(X: Any) -> bool:
    """Whether X is a list or an object array whose elements are 2-D arrays."""
    if isinstance(X, np.ndarray):
        if X.dtype != object or X.ndim != 1:
            return False
    elif not isinstance(X, (list, tuple)):
        return False
    return len(X) > 0 and any(_dimensions(x) == 2 for x in X)


def _dimensions(x: Any) -> int | None:
    """Count dimensions without turning a nested list into an array."""
    if hasattr(x, "ndim"):
        return int(x.ndim)
    depth = 0
    while isinstance(x, (list, tuple)):
        depth += 1
        if not x:
            break
        x = x[0]
    return depth + int(getattr(x, "ndim", 0))


def _holds_strings(X: Any) -> bool:
    """Whether X is a text, texts, or lists of tokens."""
    if isinstance(X, (str, bytes)):
        return True
    dtype = getattr(X, "dtype", None)
    if dtype is not None:
        if getattr(dtype, "kind", None) in ("U", "S", "T") or "str" in str(dtype):
            return True
        if getattr(dtype, "kind", None) != "O" or getattr(X, "ndim", 0) != 1:
            return False
    elif not isinstance(X, (list, tuple)):
        return False
    values = list(X)
    while values and isinstance(values[0], (list, tuple)):
        values = list(values[0])
    return bool(values) and isinstance(values[0], (str, bytes))


def read_list(sequences: list[Any]) -> Parts:
    """Pack a list of arrays of shape (T_i, n_features): features and offsets."""
    arrays = [np.asarray(x) for x in sequences]
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
