"""Models: folders, or files of joblib; written whole, read with a word about them."""

from __future__ import annotations

import bz2
import lzma
import os
import zlib
from contextlib import suppress
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
from skrational.utils.files import expanded

__all__ = [
    "check_place_for_model",
    "describe",
    "load_model",
    "predicts_numbers",
    "save_model",
]

_OF_FILES = (".joblib", ".pkl", ".pickle")
_ADVICE = "give another name, or move that away"
_PROTOCOLS = (b"\2", b"\3", b"\4", b"\5")
_HEAD = 2**20
"""Bytes of a file that tell whether it's a pickle; bzip2 packs so many together."""


def _is_folder(name: str) -> bool:
    """Whether a name is that of a folder, and not of a file of joblib."""
    path = expanded(name)
    is_file = path.exists() and not path.is_dir()
    return name != STREAM and plain_suffix(name) not in _OF_FILES and not is_file


def check_place_for_model(name: str) -> None:
    """Raise a fault if a model can't be written, before it is learned."""
    if not _is_folder(name):
        check_writable(name)
        _check_replaceable(name)
        return
    from skrational.persistence.saving import check_place

    folder, around = expanded(name).resolve(), expanded(name).parent
    if not around.is_dir():
        raise UsageFault(f"--out {name}: there is no folder {str(around)!r}.")
    if not os.access(around, os.W_OK):
        raise Fault(f"{name} can't be written: permission denied.")
    try:
        check_place(folder, overwrite=False, advice=_ADVICE)
    except FileExistsError as error:
        raise UsageFault(f"--out {name}: {error.strerror}.") from error


def _check_replaceable(name: str) -> None:
    """Raise a fault if a file would be lost that is no model."""
    path = expanded(name)
    if name == STREAM or not path.is_file():
        return
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise Fault(f"{name} can't be read: {error.strerror or error}.") from error
    if head and not _is_pickle(head):
        raise UsageFault(f"--out {name}: it's a file that is no model; {_ADVICE}.")


def _is_pickle(head: bytes) -> bool:
    """Whether bytes are those that a file of joblib begins with, packed or not."""
    heads = [head]
    for unpacker in (
        zlib.decompressobj(zlib.MAX_WBITS | 32),  # of zlib or gzip
        bz2.BZ2Decompressor(),
        lzma.LZMADecompressor(),
    ):
        with suppress(zlib.error, lzma.LZMAError, OSError, EOFError):
            heads.append(unpacker.decompress(head, 2))
    return any(found[:1] == b"\x80" and found[1:2] in _PROTOCOLS for found in heads)


def save_model(model: Any, name: str) -> None:
    """Write a model, as a folder or with joblib; it takes its name once it's whole."""
    check_place_for_model(name)  # the fit took its time
    if _is_folder(name):
        from skrational.persistence import save

        folder = save(model, name)
        note(f"Wrote {name} ({shown_size(*map(str, folder.iterdir()))}).")
        return
    import joblib

    with open_output(name, text=False) as file:
        joblib.dump(model, file)
    if expanded(name).is_file():
        note(f"Wrote {name} ({shown_size(name)}).")


def load_model(name: str) -> Any:
    """Read a model that turns texts into classes, from a folder or a file.

    Raises
    ------
    Fault
        If the file isn't there, is damaged, or holds something else.
    """
    model = _load_folder(name) if _is_there(name) else _load_file(name)
    if not hasattr(model, "predict"):
        raise Fault(
            f"{name} holds an object of the class {type(model).__name__}; expected a "
            "fitted classifier of texts."
        )
    return model


def _is_there(name: str) -> bool:
    """Whether there is a folder, or the one that a killed save left of it."""
    if name == STREAM:
        return False
    from skrational.utils.folders import present

    return present(expanded(name).absolute()).is_dir()


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


def predicts_numbers(model: Any) -> bool:
    """Whether a model is a regressor."""
    from sklearn.base import is_regressor

    return hasattr(model, "__sklearn_tags__") and bool(is_regressor(model))
