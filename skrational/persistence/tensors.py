"""Arrays as the bytes of a safetensors file, and back."""

from __future__ import annotations

import json
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DTYPES", "arrays_from_bytes", "bytes_of_arrays", "fits_texts"]

_NAMES = {
    "BOOL": "bool",
    "F16": "float16",
    "F32": "float32",
    "F64": "float64",
    "I8": "int8",
    "I16": "int16",
    "I32": "int32",
    "I64": "int64",
    "U8": "uint8",
    "U16": "uint16",
    "U32": "uint32",
    "U64": "uint64",
}
_SPARE_BYTES = 2**22

DTYPES = frozenset(map(np.dtype, _NAMES.values()))
"""Types of the arrays that can be saved."""


def fits_texts(dtype: np.dtype[Any], texts: list[str]) -> bool:
    """Whether an array of texts is at most a little wider than they are."""
    needed = 4 * sum(map(len, texts))
    return len(texts) * dtype.itemsize <= _SPARE_BYTES + 16 * needed


def bytes_of_arrays(arrays: dict[str, NDArray[Any]]) -> bytes:
    """Write arrays, in C order, as safetensors does; equal arrays give equal bytes."""
    from safetensors.numpy import save

    ordered = {name: _plain(arrays[name]) for name in sorted(arrays)}
    return save(ordered)


def _plain(array: NDArray[Any]) -> NDArray[Any]:
    # It takes the bytes of an array in the order in which they lie in memory.
    return np.require(array, array.dtype.newbyteorder("<"), ["C"])


def arrays_from_bytes(content: bytes) -> dict[str, NDArray[Any]]:
    """Read what `bytes_of_arrays` wrote; the arrays can be written to.

    The header is held against the length of the content before there is room for
    anything: its tensors have to fill it, without gaps.

    Raises
    ------
    ValueError
        If it is something else.
    """
    from safetensors import SafetensorError, deserialize

    _check_header(content)
    try:
        found = deserialize(content)
    except (SafetensorError, OverflowError, TypeError) as error:
        raise ValueError(f"it isn't a whole safetensors file ({error})") from error
    arrays = {}
    while found:
        name, tensor = found.pop()
        flat = np.frombuffer(tensor["data"], np.dtype(_NAMES[tensor["dtype"]]))
        array = flat.reshape(tensor["shape"])
        arrays[name] = array if array.flags.writeable else array.copy()
    return arrays


def _check_header(content: bytes) -> None:
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > len(content) - 8:
        raise ValueError(
            f"it announces a header of {length} bytes, but has {len(content)} in all"
        )
    try:
        header = json.loads(content[8 : 8 + length])
        tensors = {k: v for k, v in header.items() if k != "__metadata__"}
        room = 0
        for name, tensor in tensors.items():
            shape, dtype = tensor["shape"], np.dtype(_NAMES[tensor["dtype"]])
            if not all(type(n) is int and 0 <= n < 2**48 for n in shape):
                raise ValueError(f"the shape of {name!r} is {shape!r:.99}")
            room += prod(shape) * dtype.itemsize
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"its header can't be read ({error!r})") from error
    if room != len(content) - 8 - length:
        raise ValueError(
            f"its tensors take {room} bytes, but {len(content) - 8 - length} are there"
        )
