"""A fitted model as a tree of what JSON can hold, beside its arrays.

What JSON has no word for is an object with one key that begins with ``$``: ``$array``
names an array, ``$class`` an object, ``$tuple`` a tuple, and so on.
"""

from __future__ import annotations

import inspect
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from itertools import pairwise
from types import BuiltinFunctionType, FunctionType, MethodDescriptorType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils._metadata_requests import MetadataRequest

from skrational.persistence.distributions import parts_of_distribution
from skrational.persistence.fitted import check_fitted
from skrational.persistence.foreign import bytes_of_foreign
from skrational.persistence.registry import (
    KNOWN,
    name_of_class,
    name_of_function,
    name_of_type,
)
from skrational.persistence.tensors import DTYPES, fits_texts
from skrational.structures.base import JSONStructure

__all__ = ["NOT_SAVED", "Encoder", "Place", "state_of"]

NOT_SAVED = ("_sklearn_version", "_skl_callbacks", "_warned")
"""What scikit-learn and this package keep in a state that is no part of the model."""

_MANY_WORDS = 64
_TWO_HALVES = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_FUNCTIONS = (FunctionType, BuiltinFunctionType, MethodDescriptorType, np.ufunc)


@dataclass(frozen=True)
class Place:
    """Where in a model something stands: in words, and as the name of an array."""

    words: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()

    def step(self, name: str, estimator: Any) -> Place:
        """Go into a step of a pipeline."""
        told = f"step {name!r} ({type(estimator).__name__})"
        return Place((*self.words, told), (*self.keys, name))

    def part(self, name: object) -> Place:
        """Go into an attribute, an entry or an item."""
        return Place((*self.words, str(name)), (*self.keys, str(name)))

    def __str__(self) -> str:
        return ", ".join(self.words) or "the model"


@dataclass
class Encoder:
    """Turns a model into a tree, and gathers what the tree refers to.

    Attributes
    ----------
    vectorizer : callable
        Encodes the tables of a `WordVectorizer`, given this encoder, the vectorizer and
        its place.
    arrays : dict of str to ndarray
    structures : dict of str to JSONStructure
    members : dict of str to bytes
        Files of skops, by their names.
    """

    vectorizer: Callable[[Encoder, Any, Place], dict[str, Any]]
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    structures: dict[str, JSONStructure] = field(default_factory=dict)
    members: dict[str, bytes] = field(default_factory=dict)
    _names: dict[int, tuple[Any, str]] = field(default_factory=dict)
    _numbers: dict[int, tuple[Any, int]] = field(default_factory=dict)
    _open: set[int] = field(default_factory=set)

    def encode(self, value: Any, place: Place) -> Any:
        """Return the tree of a value.

        Raises
        ------
        TypeError
            If there is no way to save it; the message names its place and type.
        """
        kind = type(value)
        if value is None or kind in (bool, int):
            return value
        if kind is str:
            return value if _is_exact(value) else {"$characters": [*map(ord, value)]}
        if kind is float:
            return value if math.isfinite(value) else {"$float": repr(value)}
        if isinstance(value, np.generic):
            return self._scalar(value, place)
        if id(value) in self._open:
            raise TypeError(f"{place} holds itself, which a file can't.")
        self._open.add(id(value))
        try:
            return self._container(value, kind, place)
        finally:
            self._open.discard(id(value))

    def _container(self, value: Any, kind: type, place: Place) -> Any:
        if kind is list:
            return self._list(value, place)
        if kind is tuple:
            return {"$tuple": self._items(value, place)}
        if kind is dict:
            return self._dict(value, place)
        if isinstance(value, np.ndarray):
            return self._array(value, place)
        if isinstance(value, JSONStructure):
            return {"$structure": self._named(self.structures, value, place)}
        if isinstance(value, os.PathLike):
            return {"$path": os.fspath(value)}
        if kind is slice:
            ends = (value.start, value.stop, value.step)
            return {"$slice": self._items(ends, place)}
        if isinstance(value, np.random.RandomState):
            return {"$random_state": self._items(value.get_state(), place)}
        return self._other(value, kind, place)

    def _other(self, value: Any, kind: type, place: Place) -> Any:
        if isinstance(value, np.dtype) and not value.hasobject:
            return {"$dtype": value.str}
        if isinstance(value, type) and (name := name_of_type(value)):
            return {"$type": name}
        if isinstance(value, _FUNCTIONS):
            return self._function(value, place)
        if name_of_class(kind) is not None:
            return self._object(value, place)
        if isinstance(value, BaseEstimator) and kind.__module__.startswith("sklearn."):
            return self._foreign(value, place)
        name, args, kwds = parts_of_distribution(value)
        if name:
            parts = {"args": list(args), "kwds": kwds}
            return {"$distribution": name, **self._part(parts, place)}
        raise TypeError(
            f"{place} is a {kind.__module__}.{kind.__qualname__}, which can't be saved "
            "in a form that loads without running code; joblib.dump keeps it."
        )

    def _scalar(self, value: np.generic, place: Place) -> Any:
        if isinstance(value, np.str_):
            return {"$scalar": self.encode(str(value), place), "dtype": "str"}
        if value.dtype not in DTYPES:
            raise TypeError(f"{place} is a {value.dtype}, which can't be saved.")
        plain = self.encode(value.item(), place)
        return {"$scalar": plain, "dtype": value.dtype.name}

    def _items(self, values: Any, place: Place) -> list[Any]:
        return [self.encode(v, place.part(i)) for i, v in enumerate(values)]

    def _list(self, values: list[Any], place: Place) -> Any:
        if len(values) >= _MANY_WORDS and all(type(v) is str for v in values):
            return self.words(values, place)
        if len(values) > 1 and all(type(v) is dict for v in values):
            names = list(values[0])
            is_table = names and all(list(v) == names for v in values)
            if is_table and _are_keys(names):
                columns = {
                    n: self._column([v[n] for v in values], place.part(n))
                    for n in names
                }
                return {"$rows": columns}
        return self._items(values, place)

    def _column(self, values: list[Any], place: Place) -> Any:
        kinds = set(map(type, values))
        if kinds == {float} or (kinds == {int} and all(abs(v) < 2**62 for v in values)):
            return self._array(np.array(values), place)
        return self._items(values, place)

    def _dict(self, value: dict[Any, Any], place: Place) -> Any:
        if _are_keys(value) and not any(key.startswith("$") for key in value):
            return {k: self.encode(v, place.part(k)) for k, v in value.items()}
        pairs = [
            [self.encode(k, place.part("key")), self.encode(v, place.part(k))]
            for k, v in value.items()
        ]
        return {"$items": pairs}

    def words(self, values: list[str], place: Place) -> dict[str, Any]:
        """Return a reference to words, whose UTF-8 bytes become two arrays."""
        encoded = [word.encode("utf-8", "surrogatepass") for word in values]
        ends = np.cumsum([len(word) for word in encoded], dtype=np.int64)
        parts: dict[str, NDArray[Any]] = {
            "utf8": np.frombuffer(b"".join(encoded), np.uint8),
            "ends": ends,
        }
        nodes = (self._array(array, place.part(k)) for k, array in parts.items())
        return {"$words": [node["$array"] for node in nodes]}

    def _array(self, value: NDArray[Any], place: Place) -> dict[str, Any]:
        if isinstance(value, np.ma.MaskedArray):
            return {
                "$masked": self.encode(value.data, place.part("data")),
                "mask": self.encode(np.ma.getmaskarray(value), place.part("mask")),
                "fill_value": self.encode(value.fill_value.item(), place),
            }
        shape, dtype = list(value.shape), value.dtype
        if dtype.kind == "U" or dtype.hasobject:
            flat = value.ravel().tolist()
            if dtype.kind == "U" and not fits_texts(dtype, flat):
                dtype = np.array(flat).dtype
            items = self._list(flat, place)
            return {"$objects": items, "shape": shape, "dtype": dtype.str}
        if type(value) is not np.ndarray or dtype.newbyteorder("=") not in DTYPES:
            raise TypeError(
                f"{place} is an array of {dtype} ({type(value).__name__}), which can't "
                "be saved."
            )
        by_columns = value.flags.f_contiguous and not value.flags.c_contiguous
        name = self._named(self.arrays, value, place, value.T if by_columns else value)
        return {"$array": name, "order": "F"} if by_columns else {"$array": name}

    def _named(
        self, table: dict[str, Any], value: Any, place: Place, stored: Any = None
    ) -> str:
        """Put a value into a table; return its name there, the same if it's there."""
        if id(value) in self._names:
            return self._names[id(value)][1]
        name = base = ".".join(place.keys) or "model"
        n = 1
        while name in table:
            n += 1
            name = f"{base}~{n}"
        table[name] = value if stored is None else stored
        self._names[id(value)] = value, name
        return name

    def _function(self, value: Any, place: Place) -> dict[str, str]:
        name = name_of_function(value)
        if name is None:
            raise TypeError(
                f"{place} is a function without a name ({value!r:.99}), which "
                "can't be saved; define it at the top of a module."
            )
        return {"$function": name}

    def _object(self, value: Any, place: Place) -> dict[str, Any]:
        if id(value) in self._numbers:
            return {"$same": self._numbers[id(value)][1]}
        known = KNOWN[type(value).__name__]
        node: dict[str, Any] = {"$class": known.name}
        if known.kind == "value":
            content = {f.name: getattr(value, f.name) for f in fields(value)}
            node["fields"] = self._part(content, place)
        elif known.kind == "object":
            state = dict(value if isinstance(value, dict) else vars(value))
            node |= self._attributes(state, place)
        elif known.name == "WordVectorizer":
            node |= self.vectorizer(self, value, place)
        else:
            node |= self.estimator(value, *state_of(value), place)
        self._numbers[id(value)] = value, len(self._numbers)
        return node

    def estimator(
        self,
        value: Any,
        parameters: dict[str, Any],
        attributes: dict[str, Any],
        place: Place,
    ) -> dict[str, Any]:
        """Return the parameters and the attributes of an estimator as trees."""
        check_estimator(value, parameters, attributes, place)
        node = {"parameters": self._part(parameters, place)}
        return node | self._attributes(attributes, place)

    def _attributes(self, attributes: dict[str, Any], place: Place) -> dict[str, Any]:
        """Encode attributes, and what metadata the object asks for."""
        node = {}
        if "_metadata_request" in attributes:
            given: MetadataRequest = attributes.pop("_metadata_request")
            node["requests"] = self.encode(_requests(given), place.part("requests"))
        node["attributes"] = self._part(attributes, place)
        return node

    def _part(self, content: Mapping[str, Any], place: Place) -> dict[str, Any]:
        return {
            name: self._steps(value, place)
            if name in ("steps", "transformer_list")
            else self.encode(value, place.part(name))
            for name, value in content.items()
        }

    def _steps(self, steps: Any, place: Place) -> Any:
        """Encode the steps of a pipeline, which messages know by their names."""
        return [
            {"$tuple": [name, self.encode(step, place.step(name, step))]}
            for name, step in steps
        ]

    def _foreign(self, value: BaseEstimator, place: Place) -> dict[str, Any]:
        if id(value) in self._numbers:
            return {"$same": self._numbers[id(value)][1]}
        name = f"step-{len(self.members)}.skops"
        self.members[name] = bytes_of_foreign(value, str(place))
        self._numbers[id(value)] = value, len(self._numbers)
        return {"$skops": name}


def _are_keys(keys: Any) -> bool:
    return all(type(key) is str and _is_exact(key) for key in keys)


def _is_exact(text: str) -> bool:
    """Whether JSON keeps a text: it joins the two halves of a character."""
    return text.isascii() or not _TWO_HALVES.search(text)


def check_estimator(
    value: Any, parameters: dict[str, Any], attributes: dict[str, Any], place: Place
) -> None:
    """Raise a ValueError if an estimator isn't as its class leaves it."""
    known = KNOWN[type(value).__name__]
    if not known.is_ours:
        return
    try:
        if hasattr(value, "_parameter_constraints"):
            value._validate_params()
        check_fitted(known.name, parameters, attributes)
    except ValueError as error:
        raise ValueError(f"{place} can't be saved: {error}") from error


def state_of(estimator: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the parameters and what else there is of an estimator's state."""
    state = dict(estimator.__getstate__())
    names = [
        p.name
        for p in inspect.signature(type(estimator)).parameters.values()
        if p.kind is not p.VAR_KEYWORD
    ]
    parameters = {name: state.pop(name) for name in names if name in state}
    for name in NOT_SAVED:
        state.pop(name, None)
    return parameters, dict(sorted(state.items()))


def _requests(given: MetadataRequest) -> dict[str, dict[str, Any]]:
    """Return what metadata an estimator asks for, by its methods."""
    found = {}
    for method, requests in vars(given).items():
        if asked := getattr(requests, "requests", None):
            found[method] = dict(asked)
    return found


def slices(ends: NDArray[np.int64]) -> Any:
    """Return where each of several joined pieces begins and ends."""
    return pairwise([0, *ends.tolist()])
