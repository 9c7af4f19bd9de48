"""Models in files: written whole, read with a word about what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from skrational.cli.faults import Fault
from skrational.cli.files import open_input, open_output, shown_size
from skrational.cli.messages import note

__all__ = ["describe", "load_model", "save_model"]


def save_model(model: Any, name: str) -> None:
    """Write a model with joblib; the file takes its name once all of it is there."""
    import joblib

    with open_output(name, text=False) as file:
        joblib.dump(model, file)
    if Path(name).is_file():
        note(f"Wrote {name} ({shown_size(name)}).")


def load_model(name: str) -> Any:
    """Read a model that turns texts into classes.

    Raises
    ------
    Fault
        If the file isn't there, is damaged, or holds something else.
    """
    import joblib

    try:
        with open_input(name) as file:
            model = joblib.load(file)
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
    if not hasattr(model, "predict"):
        raise Fault(
            f"{name} holds an object of the class {type(model).__name__}; expected a "
            "fitted classifier of texts."
        )
    return model


def describe(model: Any) -> str:
    """Say in a line what is left of a model, if it knows."""
    structure = getattr(model, "learned_structure_", None)
    steps = getattr(model, "steps", None)
    if structure is None and steps:
        structure = getattr(steps[-1][1], "learned_structure_", None)
    return type(model).__name__ if structure is None else str(structure)
