"""What a fitted estimator says of sequences, and how that is compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["assert_same", "outputs", "take"]

_METHODS = (
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "transform",
    "score_samples",
)

Outputs = dict[str, list[Any]]


def outputs(fitted: Any, X: Any) -> Outputs:
    """Return what each method says of each sequence, by name of the method."""
    found = {
        name: list(getattr(fitted, name)(X))
        for name in _METHODS
        if callable(getattr(fitted, name, None))
    }
    if not found:
        raise AssertionError(
            f"{type(fitted).__name__} has none of the methods that are compared: "
            f"{', '.join(_METHODS)}."
        )
    return found


def take(found: Outputs, positions: Sequence[int]) -> Outputs:
    """Return the outputs of some of the sequences."""
    return {name: [rows[i] for i in positions] for name, rows in found.items()}


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


def _equal(one: Any, other: Any, rtol: float) -> bool:
    one, other = np.asarray(one), np.asarray(other)
    if one.shape != other.shape or one.dtype.kind != other.dtype.kind:
        return False
    if one.dtype.kind not in "fc":
        return bool(np.array_equal(one, other))
    if rtol:
        return bool(np.allclose(one, other, rtol=rtol, atol=rtol, equal_nan=True))
    return one.dtype == other.dtype and bool(np.array_equal(one, other, equal_nan=True))


def _distance(one: Any, other: Any) -> str:
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
    array = np.asarray(value)
    shape = f" of shape {array.shape}" if array.ndim > 1 else ""
    with np.printoptions(precision=17, threshold=6, edgeitems=2):
        return " ".join(repr(value).split())[:200] + shape
