"""The bytes of a checkpoint's files: records as archives, a description as JSON."""

from __future__ import annotations

import io
import json
import zipfile
from typing import IO, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from skrational.utils.checks import is_integer
from skrational.utils.files import checksum

__all__ = [
    "FORMAT",
    "UNSEALED_FORMAT",
    "DamageError",
    "Record",
    "description_checksum",
    "pack",
    "read_description",
    "unpack",
    "write_description",
]

FORMAT, UNSEALED_FORMAT = 2, 1
_FACTS, _CHECKSUM = "_facts", "checksum"
_LARGEST_SEED = np.iinfo(np.int32).max

Record: TypeAlias = tuple[dict[str, Any], dict[str, NDArray[Any]]]
"""What JSON can hold, and arrays."""


class DamageError(ValueError):
    """A description is not as it was written, if it ever was one."""


def pack(file: IO[bytes], record: Record, role: str | None) -> None:
    """Write a record as an npz archive.

    Parameters
    ----------
    file : binary file
    record : Record
    role : str or None
        What the file stands for, and no other may. None: format 1, without a checksum.
    """
    facts, arrays = record
    text = np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in {_FACTS: text, **arrays}.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, (1, 0), allow_pickle=False)
        if role is not None:
            archive.comment = _seal(archive, role)


def unpack(file: IO[bytes], role: str | None) -> Record:
    """Return the record of an archive, every byte of which is read and checked.

    Numpy itself leaves the rest of a member unread, and its CRC unchecked, where the
    header announces fewer bytes than there are, and makes room for any number of them.
    zipfile doesn't miss members that the directory has lost.
    """
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if role is not None and archive.comment != _seal(archive, role):
            raise ValueError("its checksum is not that of its content")
        if role is None and len(members) != _announced_members(file):
            raise ValueError("its directory is damaged")
        if any(member.compress_type != zipfile.ZIP_STORED for member in members):
            raise ValueError("it has compressed members, which a checkpoint never has")
        arrays = {
            member.filename.removesuffix(".npy"): _array(archive.read(member))
            for member in members
        }
    return json.loads(arrays.pop(_FACTS).tobytes()), arrays


def _seal(archive: zipfile.ZipFile, role: str) -> bytes:
    """Checksum of what the members are called and of their own checksums."""
    members = [(m.filename, m.file_size, m.CRC) for m in archive.infolist()]
    return checksum(repr((role, members)).encode()).encode()


def _announced_members(file: IO[bytes]) -> int:
    """Number of members that the end of an archive without a comment announces."""
    file.seek(-12, io.SEEK_END)
    return int.from_bytes(file.read(2), "little")


def _array(npy: bytes) -> NDArray[Any]:
    file = io.BytesIO(npy)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("it has an array of a format that checkpoints don't have")
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
    values = np.frombuffer(npy, dtype, offset=file.tell())
    return values.reshape(shape, order="F" if is_fortran else "C").copy("K")


def write_description(run: dict[str, Any]) -> bytes:
    """Return the description of a run: its format, seed and what it is about."""
    return json.dumps({**run, _CHECKSUM: description_checksum(run)}).encode()


def description_checksum(run: dict[str, Any]) -> str:
    """Return the checksum of a description."""
    return checksum(json.dumps(run).encode())


def read_description(content: bytes) -> dict[str, Any]:
    """Return the description that `write_description` or version 0.1.0 wrote.

    Raises
    ------
    DamageError
        If it's damaged.
    ValueError
        If it's of another version.
    """
    try:
        run = dict(json.loads(content))
        stated = run.pop(_CHECKSUM, None)
        written, seed, about = run["format"], run["seed"], run["about"]
        texts = [text for pair in about.items() for text in pair]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamageError(f"no description: {error!r}") from error
    if stated is None and written not in (FORMAT, UNSEALED_FORMAT):
        raise ValueError(f"format {written!r}")
    if stated != (None if written == UNSEALED_FORMAT else description_checksum(run)):
        raise DamageError("its checksum is not that of its content")
    if not all(isinstance(text, str) for text in texts):
        raise DamageError("what it is about is no text")
    if not is_integer(seed) or not 0 <= seed <= _LARGEST_SEED:
        raise DamageError(f"the seed is {seed!r:.99}")
    return run
