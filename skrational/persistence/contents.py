"""The files of a folder, read whole and held against its manifest."""

from __future__ import annotations

import stat
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from skrational.exceptions import ModelFileError, ModelVersionWarning
from skrational.persistence.manifest import (
    MANIFEST,
    MOST_BYTES,
    check_file,
    listed_files,
    read_manifest,
)
from skrational.utils.callers import caller_level
from skrational.utils.folders import present

__all__ = ["Contents", "companions", "read_contents", "strangers"]

_COMPANIONS = ("README", "LICENSE", "LICENCE", "NOTICE", "CITATION")
_HIDDEN = (".cache", ".gitattributes", ".gitignore", ".git", ".DS_Store")
_TRIES, _MANY_TRIES = 5, 100


class Contents(NamedTuple):
    """The files of a model.

    Attributes
    ----------
    folder : Path
        Where they were.
    versions : dict from str to str
    files : dict from str to bytes
        By their names, without the manifest.
    """

    folder: Path
    versions: dict[str, str]
    files: dict[str, bytes]


def companions(folder: Path) -> dict[str, Path]:
    """Return what may stand beside a model in its folder, by the names."""
    for _ in range(_TRIES):
        with suppress(FileNotFoundError):
            there = list(folder.iterdir())
            return {p.name: p for p in there if _is_companion(p) and _can_stay(p)}
        # Another process may be between two renames.
        time.sleep(0.01)
    return {}


def _is_companion(path: Path) -> bool:
    return path.name in _HIDDEN or path.stem.upper() in _COMPANIONS


def _can_stay(path: Path) -> bool:
    # Downloads from the hub leave a folder of this name.
    return path.is_file() or (path.name == ".cache" and path.is_dir())


def strangers(folder: Path) -> list[str]:
    """Return the names in a folder that are no model's and stand beside none.

    All of them, if there is no manifest of a model; else those that it doesn't list.
    """
    others: list[str] = []
    for attempt in range(_MANY_TRIES):
        before = _state(folder)
        with suppress(FileNotFoundError):
            names = {path.name for path in folder.iterdir()} - companions(folder).keys()
            others = sorted(names - _own(folder, names))
            # Another process may have replaced it meanwhile.
            if not others or (before and _state(folder) == before):
                break
        time.sleep(1e-4 * attempt)
    return others


def _own(folder: Path, names: set[str]) -> set[str]:
    """Return which names are the model's, also if its manifest is damaged."""
    try:
        listed = listed_files(_read_file(folder / MANIFEST, MOST_BYTES))
    except (OSError, ModelFileError):
        return set()
    return {name for name in names.intersection(listed) if (folder / name).is_file()}


def read_contents(folder: Path) -> Contents:
    """Read all files of a model.

    Raises
    ------
    FileNotFoundError, NotADirectoryError
        If there is no such folder.
    ModelFileError
        If a file is damaged or missing, or there is one more.

    Warns
    -----
    ModelVersionWarning
        If a save was killed amid replacing the folder, and the one before is read.
    """
    for attempt in range(_TRIES):
        found = present(folder)
        before = _state(found)
        try:
            contents = _read_once(found)
        except (ModelFileError, OSError):
            # Another process may have replaced it meanwhile.
            if attempt < _TRIES - 1 and _state(present(folder)) != before:
                continue
            raise
        if found != folder:
            warnings.warn(
                f"{folder} isn't there: a save that was to replace it was killed. The "
                f"model before, in {found}, is loaded; the next save puts it back.",
                ModelVersionWarning,
                stacklevel=caller_level(),
            )
        return contents
    raise AssertionError("the last attempt returns or raises")


def _state(folder: Path) -> tuple[int, ...]:
    state: tuple[int, ...] = ()
    with suppress(OSError):
        state = (folder.stat().st_ino,)
        manifest = (folder / MANIFEST).stat()
        state += (manifest.st_ino, manifest.st_mtime_ns)
    return state


def _read_once(folder: Path) -> Contents:
    if not folder.exists():
        raise FileNotFoundError(f"There is no folder {str(folder)!r}.")
    if not folder.is_dir():
        raise NotADirectoryError(
            f"{folder} is no folder; expected one that skrational.save wrote. A file "
            "of joblib is for joblib.load."
        )
    place = folder / MANIFEST
    if not place.exists():
        raise ModelFileError(
            f"{folder} holds no {MANIFEST}; expected a folder that skrational.save "
            "wrote."
        )
    manifest = read_manifest(_read_file(place, MOST_BYTES), str(place))
    listed: dict[str, Any] = manifest["files"]
    there = {p.name for p in folder.iterdir() if not _is_companion(p)} - {MANIFEST}
    for name in sorted(listed.keys() - there):
        raise ModelFileError(f"{folder / name} is missing.")
    for name in sorted(there - listed.keys()):
        raise ModelFileError(
            f"{folder / name} is no file of this model: its manifest doesn't list it."
        )
    files = {}
    for name, facts in listed.items():
        content = _read_file(folder / name, facts["bytes"])
        check_file(content, facts, str(folder / name))
        files[name] = content
    return Contents(folder, manifest["versions"], files)


def _read_file(path: Path, most: int) -> bytes:
    """Read a file; of one that is longer than it may be, nothing."""
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise ModelFileError(f"{path} is no file.")
    if facts.st_size > most:
        raise ModelFileError(
            f"{path} has {facts.st_size} bytes; expected at most {most}: it's damaged, "
            "or of another model."
        )
    with open(path, "rb") as file:
        return file.read(facts.st_size)
