"""The files of an exported model: a folder that is written whole or not at all."""

from __future__ import annotations

import inspect
import json
import os
import re
import shutil
from collections.abc import Mapping
from errno import EEXIST
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

from skrational.deployment.onnx import served
from skrational.text import tokenize
from skrational.text.vectors import canonical
from skrational.utils.files import expanded

__all__ = [
    "CONFIG",
    "FORMAT",
    "MODEL",
    "check_place",
    "json_bytes",
    "tokenizer_file",
    "write_folder",
]

MODEL, CONFIG = "model.onnx", "config.json"
FORMAT = "skrational-onnx"

_OURS = re.compile(
    r"^from (?:__future__|skrational\S*) import [^\n(]*\n|^__all__ = \[[^]]*\]\n",
    re.MULTILINE,
)


def check_place(folder: str | os.PathLike[str]) -> Path:
    """Return where a folder is to be, absolute.

    Raises
    ------
    FileExistsError
        If there is something that isn't an exported model.
    """
    place = expanded(folder).resolve()
    if place.is_dir() and (not any(place.iterdir()) or _is_export(place)):
        return place
    if place.exists():
        raise FileExistsError(
            EEXIST, "There is something else than an exported model", str(place)
        )
    return place


def _is_export(place: Path) -> bool:
    try:
        config = json.loads((place / CONFIG).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(config, dict) and config.get("format") == FORMAT


def write_folder(place: Path, files: Mapping[str, bytes]) -> None:
    """Write files to a folder that takes its name once all of them are on the disk.

    What had the name steps aside first, and is put back if that fails; who is killed
    between the two leaves it beside the name, as ``NAME.*.old``.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    unique = uuid4().hex[:8]
    part, old = (place.with_name(f"{place.name}.{unique}.{s}") for s in ("part", "old"))
    try:
        part.mkdir()
        for name, content in files.items():
            with open(part / name, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        if place.exists():
            os.replace(place, old)
        try:
            os.replace(part, place)
        except OSError:
            if old.exists():
                os.replace(old, place)
            raise
    finally:
        for rest in (part, old):
            shutil.rmtree(rest, ignore_errors=True)


def tokenizer_file() -> bytes:
    """Return ``tokenizer.py``: what turns texts into numbers, without this package."""
    about = '"""Texts to the numbers of their words, by Python and numpy alone."""\n\n'
    modules = (tokenize, canonical, served)
    parts = [about, "from __future__ import annotations\n", *map(_own_source, modules)]
    return "\n".join(parts).encode()


def _own_source(module: ModuleType) -> str:
    """Return the source of a module, less its docstring and imports of this package."""
    source = inspect.getsource(module)
    _, _, code = source.partition('"""\n')
    return _OURS.sub("", code).strip() + "\n\n"


def json_bytes(content: Any) -> bytes:
    """Return JSON as the bytes of a file."""
    return (json.dumps(content, indent=2) + "\n").encode()
