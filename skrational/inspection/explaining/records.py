"""Explanations as JSON: most of it is numbers, in arrays."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import orjson

from skrational.inspection.matching.paths import Path

__all__ = ["path_record", "plain", "write_json"]

_INFINITE = "An explanation has infinite numbers; expected finite ones, as JSON has."


def plain(value: Any) -> Any:
    """Turn arrays and numpy's numbers into Python's, and NaN into None.

    Examples
    --------
    >>> plain({"shares": np.array([0.5, np.nan]), "number": np.int64(3)})
    {'shares': [0.5, None], 'number': 3}
    """
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [item if isinstance(item, str) else plain(item) for item in value]
    if isinstance(value, np.ndarray):
        listed = value.tolist()
        is_plain = value.dtype.kind in "iuSU" or (
            value.dtype.kind == "f" and not np.isnan(value).any()
        )
        return listed if is_plain else plain(listed)
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value


def path_record(path: Path | None, words: Sequence[str]) -> dict[str, Any] | None:
    """Return a path with its phrase, written by the document's words."""
    if path is None:
        return None
    return {
        "score": path.score,
        "entries": list(path.entries),
        "end": path.end,
        "phrase": path.cells(words),
    }


def write_json(records: Iterable[Any]) -> str:
    """Write values as JSON, as `plain` values would be, one behind the other.

    Parameters
    ----------
    records : iterable of dict
        Of arrays, lists, dicts of such, strings and numbers.

    Returns
    -------
    str
        With commas between them, and no spaces.

    Raises
    ------
    ValueError
        If a number is infinite.

    Examples
    --------
    >>> write_json([{"scores": np.array([0.5, np.nan])}, {"n": 3}])
    '{"scores":[0.5,null]},{"n":3}'
    """
    return ",".join(map(_written, records))


def _written(record: Any) -> str:
    _check_finite(record)
    try:
        # Of arrays, too: what orjson knows of numpy writes float32 in fewer digits.
        return orjson.dumps(record, default=_listed).decode()
    except orjson.JSONEncodeError:
        # Of texts with half of a surrogate pair, and whole numbers beyond 64 bits.
        return json.dumps(plain(record), separators=(",", ":"))


def _listed(value: Any) -> Any:
    """Turn arrays and numpy's numbers into Python's; orjson writes null for NaN."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} can't be written as JSON.")


def _check_finite(value: Any) -> None:
    """Refuse infinity, which JSON has no word for: orjson would write null."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for item in value:
            if not isinstance(item, str | int):
                _check_finite(item)
    elif isinstance(value, np.ndarray):
        if value.dtype.kind == "f" and np.isinf(value).any():
            raise ValueError(_INFINITE)
    elif isinstance(value, float | np.floating) and math.isinf(value):
        raise ValueError(_INFINITE)
