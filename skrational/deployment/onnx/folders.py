"""The files of an exported model, and where they may be written."""

from __future__ import annotations

import inspect
import json
import os
import re
from errno import EEXIST
from pathlib import Path
from types import ModuleType
from typing import Any

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
