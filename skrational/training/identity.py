"""What a fit depends on, as text: two fits that end the same have the same."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from numbers import Integral
from types import FunctionType
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from skrational._version import __version__
from skrational.sequences import SequenceArray
from skrational.sequences.repeats import row_hashes
from skrational.training.labelled import Learnable
from skrational.utils.code import functions_in, hash_functions

__all__ = ["SEED_OF_CHECKPOINT", "describe_fit", "describe_value", "hash_sequences"]

SEED_OF_CHECKPOINT = "the seed of the checkpoint"
_WITHOUT = ("verbose", "device")
_ADDRESS = re.compile(" at 0x[0-9a-fA-F]+")


def describe_fit(
    estimator: Any, training: Learnable, held_out: Learnable | None
) -> dict[str, str]:
    """Name all that the result of a fit depends on, to the bit.

    The number of threads isn't part of it, nor is the form in which X was given.

    Parameters
    ----------
    estimator : SparseEstimator
    training : Learnable
    held_out : Learnable or None
    """
    import numba
    import torch

    kind = type(estimator)
    params = {
        name: describe_value(value)
        for name, value in estimator.get_params().items()
        if name not in _WITHOUT
    }
    if not isinstance(estimator.random_state, Integral):
        params["random_state"] = SEED_OF_CHECKPOINT
    return {
        "skrational": __version__,
        "numpy": np.__version__,
        "torch": torch.__version__,
        "numba": numba.__version__,
        "estimator": f"{kind.__module__}.{kind.__qualname__}",
        **params,
        "device": estimator._training_device().type,
        "training data": _digest(training),
        "validation data": _digest(held_out),
        "fitted before": _digest_of_fitted(estimator),
    }


def describe_value(value: Any) -> str:
    """Write the value of a parameter, or its hash if it's not made of plain values.

    Examples
    --------
    >>> describe_value({"b": 1, "a": np.float64(0.5)})
    "[('a', 0.5), ('b', 1)]"
    >>> describe_value(np.zeros(3)) == describe_value(np.ones(3))
    False
    """
    if isinstance(value, Mapping):
        items = ((_plain(key), _plain(value[key])) for key in value)
        return repr(sorted(items, key=repr))
    return repr(_plain(value))


def _plain(value: Any) -> Any:
    """Return numbers, texts and lists of them as they are, else what tells of them."""
    if isinstance(value, np.generic):
        return value.item()
    if value is None or type(value) in (bool, int, float, str, bytes):
        return value
    if type(value) in (list, tuple):
        return type(value)(map(_plain, value))
    functions = list(functions_in(value))
    code = hash_functions(functions, _plain) if functions else ""
    if isinstance(value, FunctionType):
        return _Named(f"{value.__module__}.{value.__qualname__} {code}")
    return _Named(f"{type(value).__qualname__} {_hash(value)} {code}".strip())


class _Named:
    """Shows as a text without quotes."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def _hash(value: Any) -> str:
    try:
        return str(joblib.hash(value))[:12]
    except Exception:  # what can't be pickled
        known = getattr(value, "__dict__", {})
        return describe_value(known) if known else _ADDRESS.sub("", repr(value))


def _digest(data: Learnable | None) -> str:
    """Hash what there is to learn from, however its vectors are packed."""
    if data is None:
        return "none"
    hashed = hashlib.sha256()
    _update(hashed, data)
    n = len(data.weights)
    return f"{n} sequences, {data.X.n_tokens} tokens, {hashed.hexdigest()[:12]}"


def _update(hashed: Any, value: Any) -> None:
    if isinstance(value, SequenceArray):
        hash_sequences(hashed, value)
        hashed.update(value.features.dtype.str.encode())
    elif isinstance(value, np.ndarray) and value.dtype != object:
        hashed.update(repr((value.dtype.str, value.shape)).encode())
        hashed.update(np.ascontiguousarray(value).tobytes())
    elif is_dataclass(value):
        hashed.update(type(value).__qualname__.encode())
        for field in fields(value):
            hashed.update(field.name.encode())
            _update(hashed, getattr(value, field.name))
    else:
        plain = value.tolist() if isinstance(value, np.ndarray) else value
        hashed.update(repr(plain).encode())


def hash_sequences(hashed: Any, X: SequenceArray) -> None:
    """Update a hash by the vectors of sequences and where these begin.

    Parameters
    ----------
    hashed : hash of `hashlib`
    X : SequenceArray
    """
    used, position = np.unique(X.row_numbers(), return_inverse=True)
    hashed.update(row_hashes(X.features, used)[position].tobytes())
    hashed.update(np.diff(X.offsets).tobytes())


def _digest_of_fitted(estimator: Any) -> str:
    """Hash what a fit with ``warm_start`` goes on from."""
    goes_on = estimator.warm_start and estimator.__sklearn_is_fitted__()
    if not goes_on:
        return "nothing"
    arrays: dict[str, NDArray[Any]] = {
        **estimator.weights_,
        "A": estimator.coef_,
        "a": estimator.intercept_,
    }
    hashed = hashlib.sha256(estimator.learned_structure_.to_json().encode())
    for name in sorted(arrays):
        hashed.update(name.encode())
        _update(hashed, arrays[name])
    return hashed.hexdigest()[:12]
