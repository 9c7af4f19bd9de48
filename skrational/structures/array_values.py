"""Arrays as parts of a value: checked, read-only, and written as JSON.

Numbers are written as base64 of their bytes, booleans of their bits: exact, small, and
no more memory to read than the text is long.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from math import prod
from reprlib import repr as cut_repr
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from skrational.utils.checks import is_integer

__all__ = ["Mask", "Numbers", "array_from_record", "array_record", "mask", "numbers"]

Mask: TypeAlias = NDArray[np.bool_]
Numbers: TypeAlias = NDArray[np.floating]


def mask(name: str, value: Any) -> Mask:
    """Return a read-only copy of a matrix of booleans.

    Raises
    ------
    ValueError
        If it is something else, or has no row or no column.

    Examples
    --------
    >>> mask("A", [[True, False]]).flags.writeable
    False
    """
    array = _as_array(name, value)
    if array.dtype != bool or array.ndim != 2 or array.size == 0:
        raise ValueError(
            f"{name} is an array of shape {array.shape} and dtype {array.dtype}; "
            "expected a matrix of booleans, with a row and a column at least."
        )
    return _frozen(array, bool)


def numbers(
    name: str, value: Any, shape: tuple[int | None, ...], dtype: type, least: float
) -> Numbers:
    """Return a read-only copy of an array of finite numbers.

    Parameters
    ----------
    name : str
        What it is called in messages.
    value : array-like
    shape : tuple of int or None
        None stands for any length but 0.
    dtype : type
        Of the copy.
    least : float
        The smallest number that there may be.

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        If it is of another shape, or a number isn't finite or too small.
    """
    array = _as_array(name, value)
    lengths = "(" + ", ".join("any" if n is None else str(n) for n in shape) + ")"
    fits = array.ndim == len(shape) and all(
        have > 0 and need in (have, None)
        for have, need in zip(array.shape, shape, strict=True)
    )
    if not fits or array.dtype.kind not in "iuf":
        raise ValueError(
            f"{name} is an array of shape {array.shape} and dtype {array.dtype}; "
            f"expected numbers of shape {lengths}."
        )
    with np.errstate(over="ignore"):
        array = _frozen(array, dtype)
    good = np.isfinite(array) & (array >= least)
    if not good.all():
        raise ValueError(
            f"{name} holds {array[~good][0]}; expected finite numbers"
            + (f" from {least:g} on." if np.isfinite(least) else ".")
        )
    return array


def array_record(array: NDArray[Any]) -> dict[str, Any]:
    """Describe an array by what JSON can hold.

    Examples
    --------
    >>> array_record(np.eye(3, dtype=bool))
    {'shape': [3, 3], 'base64': 'iIA='}
    """
    stored = np.packbits(array) if array.dtype == bool else _little_endian(array)
    return {"shape": list(array.shape), "base64": b64encode(stored.tobytes()).decode()}


def array_from_record(name: str, record: Any, dtype: type) -> NDArray[Any]:
    """Read what `array_record` described.

    Parameters
    ----------
    name : str
        What it is called in messages.
    record : dict
    dtype : type
        Of the array.

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        If it is something else.
    """
    if not isinstance(record, dict) or set(record) != {"shape", "base64"}:
        raise ValueError(f"{name} is {cut_repr(record)}; expected a shape and base64.")
    shape, text = record["shape"], record["base64"]
    if not isinstance(shape, list) or not all(is_integer(n) and n > 0 for n in shape):
        raise ValueError(f"{name} has the shape {cut_repr(shape)}; expected integers.")
    size, read_dtype = prod(shape), np.dtype(dtype).newbyteorder("<")
    try:
        stored = b64decode(text, validate=True)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} isn't base64: {error}.") from error
    n_bytes = -(-size // 8) if dtype is bool else size * read_dtype.itemsize
    if len(stored) != n_bytes:
        raise ValueError(
            f"{name} holds {len(stored)} bytes; expected {n_bytes}, for the shape "
            f"{cut_repr(shape)}."
        )
    if dtype is bool:
        bits = np.unpackbits(np.frombuffer(stored, np.uint8), count=size)
        return bits.view(bool).reshape(shape)
    return np.frombuffer(stored, read_dtype).astype(dtype).reshape(shape)


def _as_array(name: str, value: Any) -> NDArray[Any]:
    try:
        return np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise ValueError(
            f"{name} is {cut_repr(value)}; expected an array: {error}"
        ) from error


def _frozen(array: NDArray[Any], dtype: type) -> NDArray[Any]:
    copy: NDArray[Any] = np.array(array, dtype, order="C")
    copy.flags.writeable = False
    return copy


def _little_endian(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(array.dtype.newbyteorder("<"), copy=False)
