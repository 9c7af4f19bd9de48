"""What a fitted estimator says of sequences, and how that is compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, issparse

from skrational.testing._case import form_of

__all__ = ["assert_outputs", "assert_same", "numbers", "outputs", "take"]

_METHODS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "transform",
    "score_samples",
)

Outputs = dict[str, list[Any]]


def outputs(fitted: Any, X: Any, told: str | None = None) -> Outputs:
    """Return what each method says of each sequence, by name of the method.

    ``told`` is for the message where a method raises an error: "X as a list".
    """
    found = {}
    for name in _METHODS:
        if callable(method := getattr(fitted, name, None)):
            try:
                found[name] = _rows(method(X))
            except Exception as error:
                raise AssertionError(
                    f"{told or form_of(X)}: {name} raised {type(error).__name__}: "
                    f"{error}"
                ) from error
    if not found:
        raise AssertionError(
            f"{type(fitted).__name__} has none of the methods that are compared: "
            f"{', '.join(_METHODS)}."
        )
    return found


def take(found: Outputs, positions: Sequence[int]) -> Outputs:
    """Return the outputs of some of the sequences."""
    return {name: [rows[i] for i in positions] for name, rows in found.items()}


def numbers(row: Any) -> list[NDArray[Any]]:
    """Return all that is said of one sequence, as arrays."""
    if isinstance(row, dict):
        return [np.asarray(value) for value in row.values()]
    return [row.data if issparse(row) else np.asarray(row)]


def assert_outputs(
    fitted: Any, X: Any, expected: Outputs, told: str, rtol: float = 0
) -> None:
    """Compare what an estimator says of X, by `assert_same`, with what it should."""
    assert_same(outputs(fitted, X, told), expected, told, rtol)


def assert_same(found: Outputs, expected: Outputs, told: str, rtol: float = 0) -> None:
    """Raise an AssertionError that says what differs where, if anything does.

    Parameters
    ----------
    found, expected : dict of str to list
        From `outputs`.
    told : str
        What was done, for the message: "X as a list of arrays".
    rtol : float, default=0
        Relative difference that numbers may have; 0: none.
    """
    if found.keys() != expected.keys():
        raise AssertionError(
            f"{told}: the estimator has the methods {', '.join(found)}; expected "
            f"{', '.join(expected)}."
        )
    for name, rows in found.items():
        right = expected[name]
        if len(rows) != len(right):
            raise AssertionError(
                f"{told}: {name} returned {len(rows)} rows; expected {len(right)}."
            )
        differing = [
            i
            for i, (mine, other) in enumerate(zip(rows, right, strict=True))
            if not _equal(mine, other, rtol)
        ]
        if differing:
            i = differing[0]
            raise AssertionError(
                f"{told}: {name} differs for {len(differing)} of {len(rows)} "
                f"sequences. Sequence {i}: {_shown(rows[i])}; expected "
                f"{_shown(right[i])}{_distance(rows[i], right[i])}."
            )


def _rows(returned: Any) -> list[Any]:
    """Split what a method returned by sequences.

    A row of a frame is a dict; its index isn't compared, as it may follow that of X.
    A row of a sparse matrix stays sparse, as it may be of millions of columns.
    """
    if hasattr(returned, "columns"):
        columns = {name: np.asarray(returned[name]) for name in returned.columns}
        return [
            {name: column[i] for name, column in columns.items()}
            for i in range(len(returned))
        ]
    if not issparse(returned):
        return list(returned)
    if returned.ndim == 1:
        return list(returned.toarray())
    matrix = csr_array(returned, copy=True)
    matrix.sum_duplicates()
    return [matrix[i : i + 1] for i in range(matrix.shape[0])]


def _equal(one: Any, other: Any, rtol: float) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(
            _equal(one[name], other[name], rtol) for name in one
        )
    if issparse(one) and issparse(other):
        return one.shape == other.shape and _equal(*_filled(one, other), rtol)
    if issparse(one) or issparse(other):
        return False
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape or one.dtype.kind != other.dtype.kind:
        return False
    if one.dtype.kind not in "fc":
        return bool(np.array_equal(one, other))
    if rtol:
        return bool(np.allclose(one, other, rtol=rtol, atol=rtol, equal_nan=True))
    return one.dtype == other.dtype and bool(np.array_equal(one, other, equal_nan=True))


def _filled(one: Any, other: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the columns of two sparse rows in which either has a number."""
    columns = np.union1d(one.indices, other.indices)
    return one[:, columns].toarray(), other[:, columns].toarray()


def _distance(one: Any, other: Any) -> str:
    if issparse(one) and issparse(other) and one.shape == other.shape:
        one, other = _filled(one, other)
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape or one.dtype.kind != "f" or other.dtype.kind != "f":
        return ""
    if one.dtype != other.dtype:
        return f" ({one.dtype} instead of {other.dtype})"
    if not one.size:
        return ""
    largest = np.max(np.abs(one.astype(np.float64) - other.astype(np.float64)))
    return f" (they differ by {largest:.3g})"


def _shown(value: Any) -> str:
    if issparse(value):
        filled = dict(zip(value.indices.tolist(), value.data.tolist(), strict=True))
        return f"{str(filled)[:200]} in a sparse row of shape {value.shape}"
    array = np.asarray(value)
    shape = f" of shape {array.shape}" if array.ndim > 1 else ""
    with np.printoptions(precision=17, threshold=6, edgeitems=2):
        return " ".join(repr(value).split())[:200] + shape
