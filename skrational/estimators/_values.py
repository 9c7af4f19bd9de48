"""The targets of a regressor: numbers of each sequence, or of each of its tokens."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from skrational.sequences import SequenceArray
from skrational.utils.checks import is_missing

__all__ = ["at_tokens", "check_distributions", "read_values"]


def read_values(y: Any, X: SequenceArray, name: str = "y") -> NDArray[np.float64]:
    """Read the targets of sequences.

    Parameters
    ----------
    y : array-like
        Numbers of shape (n,) or (n, m); or, for each sequence, an array of shape
        (T_i, m), as a list, an object array or an array of shape (n, T, m).
    X : SequenceArray
    name : str, default="y"
        For messages.

    Returns
    -------
    ndarray of shape (n,), (n, m) or (n, T, m)
        With NaN behind the end of a shorter sequence.

    Raises
    ------
    ValueError
        If there aren't as many as sequences, or as tokens of a sequence, or not all
        are finite numbers.
    """
    if _is_of_tokens(y):
        return _read_tokens(y, X, name)
    values: NDArray[np.float64] = check_array(
        y, dtype=np.float64, ensure_2d=False, input_name=name, ensure_min_samples=0
    )
    if values.ndim > 2 or values.ndim == 0 or 0 in values.shape[1:]:
        raise ValueError(
            f"{name} has the shape {values.shape}; expected (n,), (n, m), or an array "
            "of shape (T_i, m) for each sequence."
        )
    if len(values) != len(X):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has "
            f"{len(X)} sequences, {name} has {len(values)} targets."
        )
    return values


def at_tokens(
    values: NDArray[np.floating], lengths: NDArray[np.integer]
) -> NDArray[np.floating]:
    """Join what padded values (n, T, m) hold of the tokens: (n_tokens, m)."""
    return values[np.arange(values.shape[1]) < np.asarray(lengths)[:, None]]


def check_distributions(values: NDArray[np.floating], name: str = "y") -> None:
    """Raise a ValueError if not all rows are distributions."""
    rows = values.reshape(-1, values.shape[-1])
    rows = rows[~np.isnan(rows[:, 0])]
    sums = rows.sum(axis=1)
    wrong = np.flatnonzero((rows < 0).any(axis=1) | (np.abs(sums - 1) > 1e-3))
    if len(wrong):
        raise ValueError(
            f"loss='cross_entropy' needs distributions: numbers of at least 0 that sum "
            f"to 1. Row {wrong[0]} of {name} has the sum {sums[wrong[0]]:.6g} and the "
            f"least number {rows[wrong[0]].min():.6g}."
        )


def _is_of_tokens(y: Any) -> bool:
    """Whether y holds an array for each sequence."""
    if isinstance(y, np.ndarray) and y.dtype != object:
        return y.ndim == 3
    if not isinstance(y, list | tuple | np.ndarray) or not len(y):
        return False
    return any(np.ndim(part) == 2 for part in y)


def _read_tokens(y: Any, X: SequenceArray, name: str) -> NDArray[np.float64]:
    """Read an array of shape (T_i, m) for each sequence; see `read_values`."""
    lengths = X.lengths
    if len(y) != len(X):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has "
            f"{len(X)} sequences, {name} has {len(y)} arrays."
        )
    parts = [_read_part(part, f"{name}[{i}]") for i, part in enumerate(y)]
    if isinstance(y, np.ndarray) and y.dtype != object:
        # Padded as X may be.
        parts = [
            part[:length] if np.isnan(part[length:]).all() else part
            for part, length in zip(parts, lengths, strict=True)
        ]
    n_values = parts[0].shape[1]
    values = np.full((len(X), int(lengths.max(initial=0)), n_values), np.nan)
    for i, (part, length) in enumerate(zip(parts, lengths, strict=True)):
        if part.shape != (length, n_values):
            raise ValueError(
                f"{name}[{i}] has the shape {part.shape}; expected "
                f"({length}, {n_values}): a row for each token of X[{i}], as wide as "
                f"{name}[0]."
            )
        if not np.isfinite(part).all():
            raise ValueError(f"{name}[{i}] contains NaN or infinity.")
        values[i, :length] = part
    return values


def _read_part(part: Any, name: str) -> NDArray[np.float64]:
    if is_missing(part):
        raise ValueError(f"{name} is missing.")
    try:
        numbers = np.asarray(part, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} holds what is no number: {error}") from None
    if numbers.ndim != 2 or not numbers.shape[1]:
        raise ValueError(
            f"{name} has the shape {numbers.shape}; expected (T_i, m), a row for each "
            "token."
        )
    return numbers
