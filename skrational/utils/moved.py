"""Modules that have moved: files saved by earlier versions name them where they were.

A pickle, and a file of skops, names a class by its module. `importlib` asks the finder
here last, when nothing of that name is found.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

__all__ = ["MOVED", "find_moved_modules"]

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


def find_moved_modules() -> None:
    """Let the old names be imported, from now on in this process."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
