"""A folder from which an interrupted run goes on: what it belongs to, and its records.

A description in JSON says of what data and parameters the run is; records are archives
of numbers and arrays. Each file is written under another name first, so that none is
ever half there, and carries a checksum, without which numpy would take some damage for
arrays of another type. One process at a time works in a folder.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from errno import ENOENT
from pathlib import Path
from typing import IO, Any, ClassVar, Self

from skrational.utils.callers import caller_level
from skrational.utils.files import discard, expanded, replaced_file, unfinished_files
from skrational.utils.locks import FileLock, HeldError
from skrational.utils.records import (
    FORMAT,
    UNSEALED_FORMAT,
    DamageError,
    Record,
    description_checksum,
    pack,
    read_description,
    unpack,
    write_description,
)

__all__ = ["CheckpointFolder"]

_LOCK = "lock"


class CheckpointFolder:
    """A folder of checkpoints, locked until it's closed; a context manager.

    A subclass says what its files are called.

    Parameters
    ----------
    folder : path-like or None
        Made if it isn't there. With None nothing is kept.
    about : dict of str to str
        What the run depends on: names and values, or hashes of values.
    seed : int
        Of the run, if there is no checkpoint yet.

    Attributes
    ----------
    seed : int
        Of the run that was begun in the folder, or else the given one.

    Raises
    ------
    ValueError
        If the folder holds a run of other data or parameters; the message says what
        differs.
    OSError
        If the folder can't be made, read or written, or another process works in it.
    """

    _run: ClassVar[str]
    """What it is a checkpoint of, for messages."""
    _about: ClassVar[str]
    """Name of the file that describes the run."""
    _first: ClassVar[str]
    """Name of the record beside which a damaged description was one."""
    _others: ClassVar[tuple[str, ...]]
    """Patterns of the names of further records."""

    def __init__(
        self, folder: str | os.PathLike[str] | None, about: dict[str, str], seed: int
    ) -> None:
        self.seed = seed
        self._folder = None if folder is None else _absolute(folder)
        self._format, self._checksum = FORMAT, ""
        self._lock: FileLock | None = None
        if self._folder is not None:
            self._lock = _locked(self._folder)
            try:
                self._tidy_up(self._folder)
                self._open(self._folder, about)
            except BaseException:
                self.close()
                raise

    def _open(self, folder: Path, about: dict[str, str]) -> None:
        """Read what run the folder is of, or begin one there."""
        there = self._read_about(folder)
        if there is None:
            self._forget(folder)
            there = {"format": FORMAT, "seed": self.seed, "about": about}
            with replaced_file(folder / self._about) as file:
                file.write(write_description(there))
        else:
            begun_with = self._adapted(there["about"], about)
            if begun_with != about:
                raise ValueError(self._difference(folder, begun_with, about))
        self.seed, self._format = there["seed"], there["format"]
        self._checksum = description_checksum(there)

    def _forget(self, folder: Path) -> None:
        """Remove records of whatever run, which a new one would take for its own."""
        discard(folder / self._first)

    def _adapted(self, begun: dict[str, str], about: dict[str, str]) -> dict[str, str]:
        """Return what a run was begun with, in the terms of this version."""
        return begun

    def __enter__(self) -> Self:
        """Return the folder."""
        return self

    def __exit__(self, *error: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let other processes work in the folder."""
        self._folder = None
        if self._lock is not None:
            self._lock.release()

    @property
    def is_kept(self) -> bool:
        """Whether what is saved is kept."""
        return self._folder is not None

    def _save(self, name: str, record: Record, durable: bool = True) -> None:
        """Write a record.

        If the disk is full, or the folder is gone or was emptied, so that others may
        work in it, a warning says so, once, and nothing is kept from then on.

        Parameters
        ----------
        name : str
        record : Record
        durable : bool, default=True
            Whether it outlasts a power failure, too.
        """
        role = self._role(name)
        self._write(name, lambda file: pack(file, record, role), durable)

    def _write(
        self, name: str, write: Callable[[IO[bytes]], Any], durable: bool
    ) -> None:
        if self._folder is None:
            return
        folder = self._folder
        try:
            if self._lock is not None and not self._lock.is_held:
                raise FileNotFoundError(ENOENT, "its lock is gone, as if emptied")
            with replaced_file(folder / name, durable=durable) as file:
                write(file)
        except OSError as error:
            self._folder = None
            warnings.warn(
                f"No more checkpoints in {folder}: {error}. The {self._run} goes on "
                "without.",
                UserWarning,
                stacklevel=caller_level(),
            )

    def _read(self, name: str) -> Record | None:
        """Return a record; None if it isn't there, or is damaged, with a warning."""
        if self._folder is None:
            return None
        try:
            with open(self._folder / name, "rb") as file:
                return unpack(file, self._role(name))
        except FileNotFoundError:
            return None
        except Exception as error:  # there is no end to what damage can raise
            self._warn_of_damage(name, error)
            return None

    def _read_about(self, folder: Path) -> dict[str, Any] | None:
        """Return what run is in the folder; None if there is none, or a damaged one.

        Raises
        ------
        ValueError
            If the file is another version's, or perhaps not a checkpoint's at all.
        """
        path = folder / self._about
        try:
            return read_description(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as error:
            # Beside a record it was a checkpoint's, from which nobody can go on.
            if isinstance(error, DamageError) and self._has_records(folder):
                self._warn_of_damage(self._about, error)
                return None
            raise ValueError(
                f"{path} is damaged or of another version ({error}); expected format "
                f"{FORMAT}. Empty the folder or name another one."
            ) from error

    def _has_records(self, folder: Path) -> bool:
        return any(any(folder.glob(name)) for name in (self._first, *self._others))

    def _role(self, name: str) -> str | None:
        """A file of this name, of this run."""
        unsealed = self._format == UNSEALED_FORMAT
        return None if unsealed else f"{name} of {self._checksum}"

    def _warn_of_damage(self, name: str, fault: object, outcome: str = "") -> None:
        assert self._folder is not None
        warnings.warn(
            f"{self._folder / name} is damaged ({fault}). "
            f"{outcome or f'The {self._run} begins anew.'}",
            UserWarning,
            stacklevel=caller_level(),
        )

    def _tidy_up(self, folder: Path) -> None:
        """Remove what killed writers left; refuse folders in the place of files."""
        for name in (self._about, self._first, *self._others):
            for path in folder.glob(name):
                if path.is_dir():
                    raise IsADirectoryError(
                        f"{path} is a folder; expected a file of a checkpoint. Empty "
                        f"checkpoint_dir={str(folder)!r} or name another one."
                    )
            for left_over in unfinished_files(folder / name):
                discard(left_over)

    def _difference(
        self, folder: Path, there: dict[str, str], here: dict[str, str]
    ) -> str:
        names = [n for n in {**there, **here} if there.get(n) != here.get(n)]
        lines = [f"  {n}: {there.get(n)} there, {here.get(n)} here" for n in names]
        return "\n".join(
            [
                f"checkpoint_dir={str(folder)!r} holds a {self._run} of other data or "
                "parameters:",
                *lines,
                "Name another folder, or empty this one.",
            ]
        )


def _absolute(folder: Any) -> Path:
    """Return where a folder is, whatever folder the process goes on to work in."""
    if not isinstance(folder, (str, os.PathLike)) or not str(folder):
        raise TypeError(
            f"checkpoint_dir is {folder!r}; expected the path of a folder, or None."
        )
    return expanded(folder).absolute()


def _locked(folder: Path) -> FileLock:
    """Make a folder if it isn't there, and lock it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(
            f"checkpoint_dir={str(folder)!r} is no folder; expected one, or a name "
            "that is free."
        ) from None
    except ValueError as error:
        raise ValueError(f"checkpoint_dir={str(folder)!r}: {error}.") from None
    try:
        lock = FileLock(folder / _LOCK)
    except HeldError as error:
        raise HeldError(
            f"checkpoint_dir={str(folder)!r} is in use: {error}. Wait until that has "
            "ended, or name another folder."
        ) from None
    if lock.fault:
        warnings.warn(
            f"checkpoint_dir={str(folder)!r} can't be locked ({lock.fault}): make sure "
            "that no other process uses it.",
            UserWarning,
            stacklevel=caller_level(),
        )
    return lock
