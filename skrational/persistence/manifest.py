"""The manifest of a folder: its format, versions, and the checksum of every file."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from reprlib import repr as cut_repr
from typing import Any

from skrational._version import __version__
from skrational.exceptions import ModelFileError
from skrational.persistence.documents import parse, write
from skrational.utils.checks import is_integer
from skrational.utils.files import checksum

__all__ = ["CONFIG", "FORMAT", "MANIFEST", "MOST_BYTES", "STRUCTURE", "WEIGHTS"]
__all__ += ["check_file", "listed_files", "manifest_bytes", "read_manifest"]

MANIFEST, CONFIG = "manifest.json", "config.json"
STRUCTURE, WEIGHTS = "structure.json", "weights.safetensors"

KIND = "skrational model"
FORMAT = 1
"""A change of what files mean raises it."""
MOST_BYTES = 2**20
"""More than any manifest has."""
_PACKAGES = ("numpy", "scipy", "scikit-learn", "numba", "safetensors", "skops")


def manifest_bytes(files: dict[str, bytes]) -> bytes:
    """Write the manifest of files; that of equal files is the same each time."""
    record: dict[str, Any] = {
        "kind": KIND,
        "format": FORMAT,
        "versions": _versions(),
        "files": {
            name: {"bytes": len(content), "sha256": checksum(content)}
            for name, content in sorted(files.items())
        },
    }
    return write({**record, "seal": _seal(record)})


def _versions() -> dict[str, str]:
    found = {"skrational": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _seal(record: dict[str, Any]) -> str:
    return checksum(json.dumps(record, sort_keys=True).encode())


def listed_files(content: bytes) -> list[str]:
    """Return the names that a manifest lists, of any format, and its own.

    Of bytes that are no manifest of a model there are none.
    """
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        return []
    if not isinstance(record, dict) or record.get("kind") != KIND:
        return []
    files = record.get("files")
    return [MANIFEST, *(files if isinstance(files, dict) else ())]


def read_manifest(content: bytes, place: str) -> dict[str, Any]:
    """Read a manifest, which is as it was written.

    Parameters
    ----------
    content : bytes
    place : str
        What messages call the file.

    Returns
    -------
    dict
        With "versions" and "files".

    Raises
    ------
    ModelFileError
        If it's damaged, or of a format that this version doesn't know.
    """
    record = parse(content, place, len(content))
    if not isinstance(record, dict) or record.get("kind") != KIND:
        raise ModelFileError(f"{place} is no manifest of a model of this package.")
    stated, written = record.get("format"), record.get("versions")
    by = written.get("skrational") if isinstance(written, dict) else None
    if not is_integer(stated):
        raise ModelFileError(f"{place}: the format is {cut_repr(stated)}; expected 1.")
    if stated != FORMAT:
        raise ModelFileError(
            f"{place}: the format is {stated}, written by skrational {cut_repr(by)}; "
            f"this is skrational {__version__}, which reads format {FORMAT}. Load it "
            "with that version or a later one."
        )
    if record.pop("seal", None) != _seal(record):
        raise ModelFileError(
            f"{place} is damaged: its seal is not that of its content."
        )
    _check_content(record, place)
    return record


def _check_content(record: dict[str, Any], place: str) -> None:
    versions, files = record.get("versions"), record.get("files")
    if not isinstance(versions, dict) or not isinstance(
        versions.get("skrational"), str
    ):
        raise ModelFileError(f"{place} doesn't say which versions wrote it.")
    if not isinstance(files, dict) or not {CONFIG, STRUCTURE, WEIGHTS} <= set(files):
        raise ModelFileError(f"{place} doesn't list the files of a model.")
    for name, facts in files.items():
        is_sound = (
            isinstance(facts, dict)
            and is_integer(facts.get("bytes"))
            and facts["bytes"] >= 0
            and isinstance(facts.get("sha256"), str)
        )
        is_member = name in (CONFIG, STRUCTURE, WEIGHTS) or name.endswith(".skops")
        if not is_sound or not is_member or "/" in name or "\\" in name:
            raise ModelFileError(f"{place}: what it says of {name!r:.99} is damaged.")


def check_file(content: bytes, facts: dict[str, Any], place: str) -> None:
    """Raise a ModelFileError if a file is not the one that a manifest names."""
    if len(content) != facts["bytes"]:
        raise ModelFileError(
            f"{place} has {len(content)} bytes; its manifest says {facts['bytes']}: "
            "it's damaged, or of another model."
        )
    if checksum(content) != facts["sha256"]:
        raise ModelFileError(
            f"{place} is damaged: its SHA-256 is not the one in its manifest."
        )
