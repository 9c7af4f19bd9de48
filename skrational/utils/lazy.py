"""Packages that load a name when it is first used, and list what is public."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["lazy_names", "listing"]


def lazy_names(
    package: str, homes: Mapping[str, str], modules: Iterable[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make the ``__getattr__`` and ``__dir__`` of a package whose names load late.

    Parameters
    ----------
    package : str
        Its ``__name__``.
    homes : dict of str to str
        The module of each public name.
    modules : iterable of str, default=()
        Public modules of the package, which load late, too.

    Returns
    -------
    __getattr__, __dir__ : callable
    """
    within = frozenset(modules)

    def get(name: str) -> Any:
        if name in homes:
            return getattr(import_module(homes[name]), name)
        if name in within:
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get, listing([*homes, *within])


def listing(public: Iterable[str]) -> Callable[[], list[str]]:
    """Make the ``__dir__`` of a package that lists what is public, and no more."""
    names = sorted(public)
    return lambda: list(names)
