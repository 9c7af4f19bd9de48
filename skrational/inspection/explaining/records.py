"""Explanations as JSON: most of it is numbers, which are written many at a time."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.matching.paths import Path
from skrational.utils.decimals import write_numbers

__all__ = ["path_record", "plain", "write_json"]

_FEW = 20_000
"""Numbers that are written before what writes many of them would be loaded."""

# Where numbers go. A quotation mark behind a letter isn't escaped: it ends a key.
_PLACE = re.compile(r'": {}(?<=[a-z]": {})')


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
    """Write values as JSON, one behind the other, as `plain` values would be.

    Parameters
    ----------
    records : iterable of dict from str to values
        Of arrays, lists, dicts of such, strings and numbers. Where an array of numbers
        is the value of a key, the key ends in a letter; no dict is empty.

    Returns
    -------
    str
        With ", " between them.

    Raises
    ------
    ValueError
        If a number is infinite.

    Examples
    --------
    >>> write_json([{"scores": np.array([0.5, np.nan])}, {"n": 3}])
    '{"scores": [0.5, null]}, {"n": 3}'
    """
    arrays: list[NDArray[np.floating]] = []

    def left_out(value: Any) -> Any:
        if not isinstance(value, np.ndarray) or value.dtype.kind != "f":
            return plain(value)
        arrays.append(value)
        return {}

    # One at a time, so that the many small parts of one don't outlive it.
    text = ", ".join(
        json.dumps(record, default=left_out, allow_nan=False) for record in records
    )
    between = _PLACE.split(text)
    parts = [*between, *_written(arrays)]
    parts[::2], parts[1::2] = between, parts[len(between) :]
    return "".join(parts)


def _written(arrays: list[NDArray[np.floating]]) -> list[str]:
    """Write arrays of one dimension, with the end of the key before them."""
    numbers = np.concatenate([np.empty(0), *arrays])
    if len(numbers) < _FEW or np.isinf(numbers).any():
        return ['": ' + json.dumps(plain(a), allow_nan=False) for a in arrays]
    text, begins = write_numbers(numbers)
    bounds = begins[np.cumsum([0, *map(len, arrays)])].tolist()
    # Each number has ", " behind it.
    return [
        f'": [{text[begin : max(begin, end - 2)]}]' for begin, end in pairwise(bounds)
    ]
