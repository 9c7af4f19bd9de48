"""The targets of a regressor: numbers of each sequence, or of each of its tokens."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from skrational.sequences import SequenceArray
from skrational.sequences.forms import as_floats, is_nested, is_ragged, take_column
from skrational.utils.checks import is_missing

__all__ = [
    "are_of_tokens",
    "at_tokens",
    "by_sequence",
    "check_distributions",
    "read_numbers",
    "read_values",
    "take_targets",
]


def read_values(y: Any, X: SequenceArray, name: str = "y") -> NDArray[np.float64]:
    """Read the targets of sequences.

    Parameters
    ----------
    y : array-like
        Numbers of shape (n,) or (n, m); or, for each sequence, an array of shape
        (T_i, m), as a list, a column, a SequenceArray or an array or tensor of shape
        (n, T, m).
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
    y = take_targets(y, name)
    if are_of_tokens(y):
        return _read_tokens(y, X, name)
    _check_numeric(y, name)
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


def _check_numeric(y: Any, name: str) -> None:
    """Raise a ValueError for texts and dates, which might be read as numbers."""
    values = np.asarray(y)
    found: Any = ()
    if values.dtype.kind in "USTmM":
        found = values.flat[:1]
    elif values.dtype == object and values.ndim:
        odd = str | bytes | date | np.datetime64 | np.timedelta64
        found = [value for value in values.flat if isinstance(value, odd)]
    if len(found):
        raise ValueError(
            f"{name} holds {found[0]!r:.99}; expected numbers. For classes there are "
            "classifiers."
        )


def take_targets(y: Any, name: str = "y") -> Any:
    """Return targets, of any container, as an array, or as they are.

    Raises
    ------
    ValueError
        If they are flat arrays of different lengths, or anything else that is ragged,
        but no array of two dimensions for each sequence.
    """
    if hasattr(y, "detach"):
        return y.detach().cpu().numpy()
    if isinstance(y, SequenceArray):
        return y.to_list()
    column = take_column(y, name)
    if isinstance(column, SequenceArray):
        return column.to_list()
    if are_of_tokens(column):
        return column
    if not isinstance(column, list | tuple) and not is_nested(column):
        return y
    try:
        return np.asarray(list(column))
    except ValueError:
        raise ValueError(
            f"{name} holds values of different shapes; expected (n,), (n, m), or an "
            "array of shape (T_i, m) for each sequence. Of one number for each token, "
            f"use part[:, None] for each part of {name}."
        ) from None


def are_of_tokens(y: Any) -> bool:
    """Whether targets, as `take_targets` returns them, are an array a sequence."""
    return getattr(y, "ndim", 0) == 3 or is_ragged(y)


def at_tokens(
    values: NDArray[np.floating], lengths: NDArray[np.integer]
) -> NDArray[np.floating]:
    """Join what padded values (n, T, m) hold of the tokens: (n_tokens, m)."""
    return values[np.arange(values.shape[1]) < np.asarray(lengths)[:, None]]


def read_numbers(values: Any, name: str) -> NDArray[np.float64]:
    """Return a new array of what a user gives, or raise a ValueError that names it."""
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    try:
        numbers = as_floats(list(values) if is_nested(values) else values)
        return numbers.astype(np.float64, casting="same_kind")
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} holds what is no number: {error}") from None


def by_sequence(rows: NDArray[Any], X: SequenceArray) -> list[NDArray[Any]]:
    """Split rows of tokens, (n_tokens, m), into those of each sequence."""
    return np.split(rows, X.offsets[1:-1] - X.offsets[0])


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


def _read_tokens(y: Any, X: SequenceArray, name: str) -> NDArray[np.float64]:
    """Read an array of shape (T_i, m) for each sequence; see `read_values`."""
    lengths = X.lengths
    if len(y) != len(X):
        raise ValueError(
            f"Found input variables with inconsistent numbers of samples: X has "
            f"{len(X)} sequences, {name} has {len(y)} arrays."
        )
    parts = [_read_part(part, f"{name}[{i}]") for i, part in enumerate(y)]
    if isinstance(y, np.ndarray) and y.ndim == 3:
        # Padded as X may be.
        parts = [
            part[:length] if np.isnan(part[length:]).all() else part
            for part, length in zip(parts, lengths, strict=True)
        ]
    first = next((i for i, part in enumerate(parts) if part.size), 0)
    n_values = parts[first].shape[1]
    values = np.full((len(X), int(lengths.max(initial=0)), n_values), np.nan)
    for i, (part, length) in enumerate(zip(parts, lengths, strict=True)):
        if length == 0 and part.size == 0:
            continue
        if part.shape != (length, n_values):
            raise ValueError(
                f"{name}[{i}] has the shape {part.shape}; expected "
                f"({length}, {n_values}): a row for each token of X[{i}], as wide as "
                f"{name}[{first}]."
            )
        if not np.isfinite(part).all():
            raise ValueError(f"{name}[{i}] contains NaN or infinity.")
        values[i, :length] = part
    return values


def _read_part(part: Any, name: str) -> NDArray[np.float64]:
    """Read one of them; ``[]`` has no tokens."""
    if is_missing(part):
        raise ValueError(f"{name} is missing.")
    numbers = read_numbers(part, name)
    if numbers.shape == (0,):
        return np.empty((0, 0))
    if numbers.ndim != 2 or (len(numbers) and not numbers.shape[1]):
        raise ValueError(
            f"{name} has the shape {numbers.shape}; expected (T_i, m), a row for each "
            "token."
        )
    return numbers
