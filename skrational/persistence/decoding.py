"""A tree of JSON and its arrays as a model again; see `encoding`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from reprlib import repr as cut_repr
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.persistence.building import build
from skrational.persistence.distributions import distribution_from
from skrational.persistence.foreign import foreign_from_bytes
from skrational.persistence.registry import KNOWN, known_function, known_type
from skrational.persistence.tensors import DTYPES, fits_texts
from skrational.structures import Structure
from skrational.utils.checks import is_integer

__all__ = ["Decoder"]

_OBJECT_KEYS = {"$class", "parameters", "attributes", "requests", "fields", "tables"}
_SPECIAL = {"nan", "inf", "-inf"}
_MOST_ITEMS = 2**31


@dataclass
class Decoder:
    """Builds what a tree describes, and nothing that isn't known.

    Attributes
    ----------
    arrays : mapping from str to ndarray
    structures : mapping from str to Structure
    members : mapping from str to bytes
        Files of skops.
    functions : mapping from str to callable
        Those that the caller gave, by their names.
    vectorizer : callable
        Builds a `WordVectorizer`, given this decoder and its node.
    classes : set of str
        Names of the classes that were built so far; scikit-learn's begin with
        "sklearn.".
    used : set of str
        Names of the arrays, structures and files that were taken so far.
    """

    arrays: Mapping[str, NDArray[Any]]
    structures: Mapping[str, Structure]
    members: Mapping[str, bytes]
    functions: Mapping[str, Callable[..., Any]]
    vectorizer: Callable[[Decoder, dict[str, Any]], Any]
    classes: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    _built: list[Any] = field(default_factory=list)

    def decode(self, node: Any) -> Any:
        """Return the value that a node describes.

        Raises
        ------
        ValueError
            If it describes none.
        """
        if isinstance(node, list):
            return [self.decode(item) for item in node]
        if not isinstance(node, dict):
            return node
        keys = [key for key in node if key.startswith("$")]
        if not keys:
            return {key: self.decode(value) for key, value in node.items()}
        if len(keys) > 1 or keys[0] not in _READERS:
            raise ValueError(f"{cut_repr(sorted(node))} describes no value")
        return _READERS[keys[0]](self, node)

    def words(self, node: Any) -> list[str]:
        """Return the words of a node."""
        found = self.decode(node)
        if not isinstance(found, list) or not all(type(w) is str for w in found):
            raise ValueError(f"{cut_repr(node)} are no words")
        return found

    def array(self, node: Any) -> NDArray[Any]:
        """Return the array of a node."""
        found = self.decode(node)
        if not isinstance(found, np.ndarray):
            raise ValueError(f"{cut_repr(node)} is no array")
        return found

    def _array(self, node: dict[str, Any]) -> Any:
        _only(node, "$array", "order")
        array = self._of(self.arrays, node["$array"], "array")
        if node.get("order", "C") not in ("C", "F"):
            raise ValueError(f"the order is {cut_repr(node['order'])}")
        return array.T if node.get("order") == "F" else array

    def _of(self, table: Mapping[str, Any], name: Any, kind: str) -> Any:
        if not isinstance(name, str) or name not in table:
            raise ValueError(f"there is no {kind} {cut_repr(name)}")
        self.used.add(name)
        return table[name]

    def _words(self, node: dict[str, Any]) -> list[str]:
        _only(node, "$words")
        names = node["$words"]
        if not isinstance(names, list) or len(names) != 2:
            raise ValueError(f"{cut_repr(names)} are no two arrays")
        joined, ends = (self._array({"$array": name}) for name in names)
        places = [0, *ends.tolist()] if ends.dtype == np.int64 else [-1]
        if (
            joined.dtype != np.uint8
            or joined.ndim != 1
            or ends.ndim != 1
            or places[-1] != len(joined)
            or any(a > b for a, b in pairwise(places))
        ):
            raise ValueError(f"{names[0]!r} and {names[1]!r} are no words")
        text = joined.tobytes()
        return [text[a:b].decode("utf-8", "surrogatepass") for a, b in pairwise(places)]

    def _rows(self, node: dict[str, Any]) -> list[dict[str, Any]]:
        _only(node, "$rows")
        columns = {
            name: column.tolist() if isinstance(column, np.ndarray) else column
            for name, column in _dict(self.decode(node["$rows"])).items()
        }
        if not columns or len({_length(column) for column in columns.values()}) > 1:
            raise ValueError(f"the columns {sorted(columns)} are of several lengths")
        rows = zip(*columns.values(), strict=True)
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def _objects(self, node: dict[str, Any]) -> NDArray[Any]:
        _only(node, "$objects", "shape", "dtype")
        items, shape = self.decode(node["$objects"]), _shape(node.get("shape"))
        dtype = _dtype(node.get("dtype"), "UO")
        if len(items) != np.prod(shape, dtype=object):
            raise ValueError(f"{len(items)} items don't have the shape {shape}")
        if not dtype.hasobject:
            if not all(type(item) is str for item in items):
                raise ValueError("an array of text holds something else")
            if not fits_texts(dtype, items):
                raise ValueError(f"an array of {dtype} holds far shorter texts")
        flat = np.empty(len(items), dtype)
        flat[:] = items
        return flat.reshape(shape)

    def _masked(self, node: dict[str, Any]) -> Any:
        _only(node, "$masked", "mask", "fill_value")
        data, mask = self.array(node["$masked"]), self.array(node["mask"])
        fill = self.decode(node["fill_value"])
        if mask.dtype != bool or mask.shape != data.shape:
            raise ValueError("a mask doesn't fit its array")
        return np.ma.MaskedArray(data, mask, fill_value=fill)

    def _items(self, node: dict[str, Any]) -> dict[Any, Any]:
        _only(node, "$items")
        pairs = self.decode(node["$items"])
        return {key: value for key, value in pairs}

    def _tuple(self, node: dict[str, Any]) -> tuple[Any, ...]:
        _only(node, "$tuple")
        return tuple(self.decode(_list(node["$tuple"])))

    def _float(self, node: dict[str, Any]) -> float:
        _only(node, "$float")
        if node["$float"] not in _SPECIAL:
            raise ValueError(f"{cut_repr(node['$float'])} is no number")
        return float(node["$float"])

    def _scalar(self, node: dict[str, Any]) -> Any:
        _only(node, "$scalar", "dtype")
        value = self.decode(node["$scalar"])
        if node.get("dtype") == "str" and type(value) is str:
            return np.str_(value)
        dtype = _dtype(node.get("dtype"), "biuf")
        if dtype not in DTYPES or type(value) not in (bool, int, float):
            raise ValueError(f"{cut_repr(value)} is no number")
        found = dtype.type(value)
        if found != value and value == value:
            raise ValueError(f"{cut_repr(value)} is no {dtype}")
        return found

    def _structure(self, node: dict[str, Any]) -> Structure:
        _only(node, "$structure")
        found: Structure = self._of(self.structures, node["$structure"], "structure")
        return found

    def _path(self, node: dict[str, Any]) -> Path:
        _only(node, "$path")
        return Path(_str(node["$path"]))

    def _data_type(self, node: dict[str, Any]) -> Any:
        _only(node, "$dtype")
        return _dtype(node["$dtype"], "biufU")

    def _type(self, node: dict[str, Any]) -> Any:
        _only(node, "$type")
        known = known_type(_str(node["$type"]))
        return _dtype(node["$type"], "biuf").type if known is None else known

    def _characters(self, node: dict[str, Any]) -> str:
        _only(node, "$characters")
        return "".join(map(chr, _list(node["$characters"])))

    def _distribution(self, node: dict[str, Any]) -> Any:
        _only(node, "$distribution", "args", "kwds")
        args, kwds = (self.decode(node.get(key)) for key in ("args", "kwds"))
        name = _str(node["$distribution"])
        return distribution_from(name, tuple(_list(args)), _dict(kwds))

    def _slice(self, node: dict[str, Any]) -> slice:
        _only(node, "$slice")
        ends = self.decode(_list(node["$slice"]))
        plain = all(type(end) in (int, str, type(None)) for end in ends)
        if len(ends) != 3 or not plain:
            raise ValueError(f"{cut_repr(ends)} is no slice")
        return slice(*ends)

    def _random_state(self, node: dict[str, Any]) -> np.random.RandomState:
        _only(node, "$random_state")
        state = np.random.RandomState()
        state.set_state(tuple(self.decode(_list(node["$random_state"]))))
        return state

    def _function(self, node: dict[str, Any]) -> Callable[..., Any]:
        _only(node, "$function")
        name = _str(node["$function"])
        found = self.functions.get(name) or known_function(name)
        if found is None:
            raise ValueError(
                f"the function {cut_repr(name)} isn't known; give it to load, as "
                f"functions={{{cut_repr(name)}: ...}}"
            )
        return found

    def _skops(self, node: dict[str, Any]) -> Any:
        _only(node, "$skops")
        name = _str(node["$skops"])
        try:
            found = foreign_from_bytes(self._of(self.members, name, "file"))
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        self.classes.add(f"sklearn.{type(found).__name__}")
        self._built.append(found)
        return found

    def _same(self, node: dict[str, Any]) -> Any:
        _only(node, "$same")
        number = node["$same"]
        if not is_integer(number) or not 0 <= number < len(self._built):
            raise ValueError(f"there is no object {cut_repr(number)} before this one")
        return self._built[number]

    def _object(self, node: dict[str, Any]) -> Any:
        _only(node, *_OBJECT_KEYS)
        name = node["$class"]
        if not isinstance(name, str) or name not in KNOWN:
            raise ValueError(f"the class {cut_repr(name)} isn't known")
        known = KNOWN[name]
        if name == "WordVectorizer":
            found = self.vectorizer(self, node)
        else:
            parts = {
                key: _dict(self.decode(_dict(value)))
                for key, value in node.items()
                if key != "$class"
            }
            found = build(known, parts)
        self.classes.add(name if known.is_ours else f"sklearn.{name}")
        self._built.append(found)
        return found


_READERS: dict[str, Callable[[Decoder, dict[str, Any]], Any]] = {
    "$array": Decoder._array,
    "$characters": Decoder._characters,
    "$class": Decoder._object,
    "$distribution": Decoder._distribution,
    "$dtype": Decoder._data_type,
    "$float": Decoder._float,
    "$function": Decoder._function,
    "$items": Decoder._items,
    "$masked": Decoder._masked,
    "$objects": Decoder._objects,
    "$path": Decoder._path,
    "$random_state": Decoder._random_state,
    "$rows": Decoder._rows,
    "$same": Decoder._same,
    "$scalar": Decoder._scalar,
    "$skops": Decoder._skops,
    "$slice": Decoder._slice,
    "$structure": Decoder._structure,
    "$tuple": Decoder._tuple,
    "$type": Decoder._type,
    "$words": Decoder._words,
}


def _only(node: dict[str, Any], *keys: str) -> None:
    if unknown := set(node) - set(keys):
        raise ValueError(f"{keys[0]} has no {cut_repr(sorted(unknown)[0])}")


def _str(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{cut_repr(value)} is no text")
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{cut_repr(value)} is no list")
    return value


def _dict(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{cut_repr(value)} is no object")
    return value


def _length(column: Any) -> int:
    return len(_list(column))


def _shape(value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(
        is_integer(n) and 0 <= n < _MOST_ITEMS for n in value
    ):
        raise ValueError(f"the shape is {cut_repr(value)}")
    return tuple(value)


def _dtype(name: Any, kinds: str) -> np.dtype[Any]:
    try:
        dtype = np.dtype(_str(name))
    except TypeError as error:
        raise ValueError(f"{cut_repr(name)} is no type of numbers") from error
    if dtype.kind not in kinds:
        raise ValueError(f"{cut_repr(name)} is no type that a model has")
    return dtype
