"""JSON documents of a folder: written for people, read with suspicion."""

from __future__ import annotations

import json
from reprlib import repr as cut_repr
from typing import Any

from skrational.exceptions import ModelFileError

__all__ = ["parse", "write"]

_ALLOWANCE = 2**25
_BRACKET_BYTES, _COMMA_BYTES = 72, 40


def write(record: Any) -> bytes:
    """Write a record; equal ones give equal bytes."""
    try:
        text = json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False)
        return f"{text}\n".encode()
    except UnicodeEncodeError:  # half a character
        return (json.dumps(record, indent=1, allow_nan=False) + "\n").encode()


def parse(content: bytes, place: str, room: int) -> Any:
    """Parse a document.

    Parameters
    ----------
    content : bytes
    place : str
        What messages call the file.
    room : int
        Bytes of the model. A document of empty lists, say, takes forty times its own
        length in memory; what would take more than three times that of the model is
        refused beforehand.

    Raises
    ------
    ModelFileError
        If it's no JSON, has a key twice, or a number that is none.
    """
    opened = content.count(b"[") + content.count(b"{")
    needed = _BRACKET_BYTES * opened + _COMMA_BYTES * content.count(b",")
    if needed > _ALLOWANCE + 3 * room:
        raise ModelFileError(
            f"{place} holds {opened:,} lists and objects: more than any model has."
        )
    try:
        return json.loads(
            content.decode(),
            object_pairs_hook=_without_repeats,
            parse_constant=_refuse,
        )
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{place} is no JSON ({error}).") from error


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        raise ValueError(f"a key stands twice in {cut_repr([k for k, _ in pairs])}")
    return record


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
