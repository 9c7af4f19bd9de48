"""Models: folders, or files of joblib; written whole, read with a word about them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from skrational.cli.faults import Fault, UsageFault
from skrational.cli.files import (
    STREAM,
    check_writable,
    open_input,
    open_output,
    plain_suffix,
    shown_size,
)
from skrational.cli.messages import note

__all__ = ["check_place_for_model", "describe", "load_model", "save_model"]

_OF_FILES = (".joblib", ".pkl", ".pickle")


def _is_folder(name: str) -> bool:
    """Whether a name is that of a folder, and not of a file of joblib."""
    path = Path(name)
    is_file = path.exists() and not path.is_dir()
    return name != STREAM and plain_suffix(name) not in _OF_FILES and not is_file


def check_place_for_model(name: str) -> None:
    """Raise a fault if a model can't be written, before it is learned."""
    if not _is_folder(name):
        check_writable(name)
        return
    from skrational.persistence.saving import check_place

    folder, around = Path(name).resolve(), Path(name).parent
    if not around.is_dir():
        raise UsageFault(f"--out {name}: there is no folder {str(around)!r}.")
    if not os.access(around, os.W_OK):
        raise Fault(f"{name} can't be written: permission denied.")
    try:
        check_place(folder, overwrite=False)
    except FileExistsError as error:
        raise UsageFault(f"--out {name}: {error.strerror}.") from error


def save_model(model: Any, name: str) -> None:
    """Write a model, as a folder or with joblib; it takes its name once it's whole."""
    if _is_folder(name):
        from skrational.persistence import save

        folder = save(model, name)
        note(f"Wrote {name} ({shown_size(*map(str, folder.iterdir()))}).")
        return
    import joblib

    with open_output(name, text=False) as file:
        joblib.dump(model, file)
    if Path(name).is_file():
        note(f"Wrote {name} ({shown_size(name)}).")


def load_model(name: str) -> Any:
    """Read a model that turns texts into classes, from a folder or a file.

    Raises
    ------
    Fault
        If the file isn't there, is damaged, or holds something else.
    """
    model = _load_folder(name) if Path(name).is_dir() else _load_file(name)
    if not hasattr(model, "predict"):
        raise Fault(
            f"{name} holds an object of the class {type(model).__name__}; expected a "
            "fitted classifier of texts."
        )
    return model


def _load_folder(name: str) -> Any:
    from skrational.persistence import load

    try:
        return load(name)
    except (ValueError, OSError, ImportError) as error:
        raise Fault(f"{name} can't be read as a model: {error}") from error


def _load_file(name: str) -> Any:
    import joblib

    try:
        with open_input(name) as file:
            return joblib.load(file)
    except Fault:
        raise
    except Exception as error:  # whatever unpickling makes of other bytes
        missing = getattr(error, "name", None) or ""
        if isinstance(error, ModuleNotFoundError) and missing.isidentifier():
            raise Fault(
                f"{name} needs the package {missing!r}, which isn't installed."
            ) from error
        raise Fault(
            f"{name} can't be read as a model ({type(error).__name__}: {error}); "
            "expected what `skrational fit` or joblib.dump wrote."
        ) from error


def describe(model: Any) -> str:
    """Say in a line what is left of a model, if it knows."""
    structure = getattr(model, "learned_structure_", None)
    steps = getattr(model, "steps", None)
    if structure is None and steps:
        structure = getattr(steps[-1][1], "learned_structure_", None)
    return type(model).__name__ if structure is None else str(structure)
