"""The protocol of a structure, and the registry that reads any of them from JSON.

A structure is a value: frozen, comparable, printable, stored as JSON, without torch. It
says what pruning has left of a model, and how large that is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from reprlib import repr as cut_repr
from typing import Any, ClassVar, Protocol, Self, TypeVar, cast

from skrational.utils.cached import lasting_state

__all__ = [
    "LARGEST",
    "JSONStructure",
    "Structure",
    "register_structure",
    "structure_from_json",
]

LARGEST = 2**24
"""What a number in JSON may be at most: each counts something that takes memory."""

_READERS: dict[str, type[Structure]] = {}


class Structure(Protocol):
    """What is left of a pruned model.

    Attributes
    ----------
    size : int
        How large the model is, in the unit that its sparsity is about.
    size_initial : int
        The same before pruning.
    is_empty : bool
        Whether only the intercept is left of the model. It may hold something that the
        size doesn't count.
    size_name : str
        The unit in the plural, in one word: "transitions".
    size_label : str
        The unit as the axis of a figure names it: "main-path transitions".
    part_name : str
        What a part of the model is known by, in the singular: for automata "length".
    n_features : int
        Length of a feature vector.
    n_parameters : int
        Parameters that are left, those of the readout included.
    """

    size_name: ClassVar[str]
    size_label: ClassVar[str]
    part_name: ClassVar[str]

    @property
    def size(self) -> int: ...  # noqa: D102
    @property
    def size_initial(self) -> int: ...  # noqa: D102
    @property
    def is_empty(self) -> bool: ...  # noqa: D102
    @property
    def n_parameters(self) -> int: ...  # noqa: D102
    @property
    def n_features(self) -> int: ...  # noqa: D102

    def counts(self) -> Mapping[str, int]:
        """Return what is counted beside the size, by its name in tables ("WFSAs")."""
        ...

    def parts(self) -> tuple[Any, ...]:
        """Return a value for each part that is left, such as an automaton's length.

        Two structures are alike as far as these multisets agree.
        """
        ...

    def possible_parts(self) -> Sequence[Any]:
        """Return the values that a part can have, each once, in order."""
        ...

    def diff(self, other: Self) -> Any:
        """Say how another structure differs in what it keeps; false if it doesn't."""
        ...

    def to_json(self, indent: int | None = None) -> str:
        """Write the structure as JSON, with its ``type``."""
        ...

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote."""
        ...


_S = TypeVar("_S", bound=type)


def register_structure(cls: _S) -> _S:
    """Let `structure_from_json` read a class of structures, by the class's name."""
    _READERS[cls.__name__] = cls
    return cls


def structure_from_json(text: str) -> Structure:
    """Read a structure of any registered class.

    Parameters
    ----------
    text : str
        What ``to_json`` wrote.

    Returns
    -------
    Structure

    Raises
    ------
    ValueError
        If the text is damaged, holds a number beyond 2**24, or is of a class that isn't
        registered.

    Examples
    --------
    >>> from skrational.structures import RationalStructure
    >>> structure = RationalStructure((4, 4), (2, 0), n_features=300, n_outputs=1)
    >>> structure_from_json(structure.to_json())
    2 of 8 transitions in 1 of 2 WFSAs
    """
    kind = _parse(text, "a structure's to_json").get("type")
    if not isinstance(kind, str) or kind not in _READERS:
        raise ValueError(
            f"The JSON is of type {cut_repr(kind)}; expected one of {sorted(_READERS)}."
        )
    return _READERS[kind].from_json(text)


class JSONStructure:
    """A structure that is a frozen dataclass of what JSON can hold.

    By default nothing is counted beside the size, axes call that by its name, and a
    model of size 0 is empty.
    """

    size_name: ClassVar[str]
    size_label: ClassVar[str]
    _version: ClassVar[int] = 1

    def __getstate__(self) -> dict[str, Any]:
        return lasting_state(self)

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.size_label = getattr(cls, "size_label", cls.size_name)

    @property
    def is_empty(self) -> bool:
        """Whether the size is 0."""
        return bool(cast(Structure, self).size == 0)

    def counts(self) -> Mapping[str, int]:
        """Return nothing."""
        return {}

    def to_json(self, indent: int | None = None) -> str:
        """Write the structure as JSON; ``indent`` as for :func:`json.dumps`."""
        record = {"type": type(self).__name__, "version": self._version}
        return json.dumps({**record, **self._content()}, indent=indent)

    def _content(self) -> dict[str, Any]:
        """Return the fields by their names, as JSON can hold them."""
        return asdict(cast(Any, self))

    @classmethod
    def _of_content(cls, content: dict[str, Any]) -> Self:
        """Build the structure of what `_content` returned."""
        return cls(**content)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote.

        Raises
        ------
        ValueError
            If the text is damaged, of another kind or of another format version, or
            holds a number beyond 2**24.
        """
        content = _parse(text, f"{cls.__name__}.to_json")
        kind, version = content.pop("type", None), content.pop("version", None)
        if (kind, version) != (cls.__name__, cls._version):
            raise ValueError(
                f"The JSON is of type {cut_repr(kind)}, format version "
                f"{cut_repr(version)}; expected {cls.__name__!r}, version "
                f"{cls._version}."
            )
        names = [field.name for field in fields(cast(Any, cls))]
        if set(content) != set(names):
            raise ValueError(
                f"The JSON has the keys {cut_repr(sorted(content))}; expected {names}."
            )
        try:
            return cls._of_content(content)
        except (TypeError, AttributeError, KeyError) as error:
            raise ValueError(f"The JSON is no {cls.__name__}: {error}.") from error


def _parse(text: str, writer: str) -> dict[str, Any]:
    """Parse JSON; a ValueError says whose it should be."""
    try:
        record = json.loads(text, object_pairs_hook=_without_repeats)
        _check_numbers("", record)
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"Not JSON of a structure ({error}); expected what {writer} wrote."
        ) from error
    return record if isinstance(record, dict) else {}


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        raise ValueError(f"a key stands twice in {cut_repr([k for k, _ in pairs])}")
    return record


def _check_numbers(name: str, value: Any) -> None:
    """Raise a ValueError if a number, of this name, is too large or none."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _check_numbers(f"{name}.{key}" if name else key, inner)
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            _check_numbers(f"{name}[{i}]", inner)
    elif isinstance(value, (int, float)) and not abs(value) <= LARGEST:
        raise ValueError(f"{name} is {cut_repr(value)}, beyond {LARGEST:,}")
