"""What earlier versions saved: modules that have moved, parameters they didn't have.

A pickle, and a file of skops, names a class by its module. `importlib` asks the finder
here last, when nothing of that name is found.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from inspect import signature
from types import ModuleType
from typing import Any

__all__ = ["MOVED", "find_moved_modules", "with_new_parameters"]

MOVED = {
    "skrational.automata": "skrational.structures.automata",
    "skrational.estimators._labelled": "skrational.training.labelled",
} | {
    f"skrational.inspection.{old}": f"skrational.inspection.{new}"
    for old, new in {
        "_automaton_display": "drawing.automaton",
        "_explanation_display": "explaining.display",
        "_phrase_display": "phrases.display",
        "_structure_display": "drawing.structure",
        "explanations": "explaining.explanations",
        "graphs": "exports.graphs",
        "openfst": "exports.openfst",
        "paths": "matching.paths",
        "words": "transitions.words",
    }.items()
}
"""Old names of modules, of which something may be in a file, and the new ones."""


class _Finder(MetaPathFinder, Loader):
    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(name, self) if name in MOVED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(MOVED[spec.name])
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # The import system has given the module the spec of its old name.
        assert module.__spec__ is not None
        module.__spec__ = module.__spec__.loader_state


def with_new_parameters(cls: type, state: dict[str, Any]) -> dict[str, Any]:
    """Add the default of each parameter that a saved estimator's version didn't have.

    Parameters
    ----------
    cls : type
        Of the estimator.
    state : dict
        What was saved of it.

    Returns
    -------
    dict

    Examples
    --------
    >>> class Estimator:
    ...     def __init__(self, alpha, beta=2):
    ...         self.alpha, self.beta = alpha, beta
    >>> with_new_parameters(Estimator, {"alpha": 1})
    {'beta': 2, 'alpha': 1}
    """
    parameters = signature(cls).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    missing = {name: v for name, v in defaults.items() if name not in state}
    return missing | state


def find_moved_modules() -> None:
    """Let the old names be imported, from now on in this process."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
