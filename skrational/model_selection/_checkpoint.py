"""A path on disk: what an interrupted run needs to go on where it was.

A folder holds ``path.json``, which says of what data and parameters the path is, a file
for each point, and ``trunk.npz``, the network under penalty after the last point. Each
file is written under another name first, so that none is ever half there, and carries a
checksum, without which numpy would take some damage for arrays of another type. Those
of version 0.1.0, of format 1, have none but that of a zip archive.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from skrational.model_selection._checkpoint_files import (
    FORMAT,
    UNSEALED_FORMAT,
    DamageError,
    Record,
    pack,
    path_checksum,
    read_path,
    unpack,
    write_path,
)
from skrational.utils.callers import caller_level
from skrational.utils.checks import is_integer
from skrational.utils.files import discard, replaced_file, unfinished_files

__all__ = ["Checkpoint", "Record"]

_LACKED = {"min_steps_per_epoch": 1, "max_steps_per_epoch": None}
"""What earlier versions lacked, each parameter with the value that does as they did."""
_ADDED = {"calibration": "None"}
"""The same of what isn't asked for tacitly: another value is another path."""
_DEFAULTS = {"feature_dropout": ("auto", 0.0)}
"""Defaults that are others now: the present one and that of earlier versions."""

_TRUNK, _ABOUT, _POINTS = "trunk.npz", "path.json", "point-*.npz"


class Checkpoint:
    """A folder of checkpoints.

    Parameters
    ----------
    folder : path-like or None
        Made if it isn't there. With None nothing is kept.
    about : dict of str to str
        What the path depends on: names and values, or hashes of values.
    seed : int
        Of the path, if there is no checkpoint yet.

    Attributes
    ----------
    seed : int
        Of the path that was begun in the folder, or else the given one.
    as_begun : dict of str to object
        Parameters that the version that began the path lacked, or had by default, with
        the values that do as it did.

    Raises
    ------
    ValueError
        If the folder holds a path of other data or parameters; the message says what
        differs.
    OSError
        If the folder can't be made or read.
    """

    def __init__(
        self, folder: str | os.PathLike[str] | None, about: dict[str, str], seed: int
    ) -> None:
        self.seed, self.as_begun = seed, {}
        self._folder = None if folder is None else Path(folder).expanduser()
        self._format, self._path = FORMAT, ""
        if self._folder is None:
            return
        _make_folder(self._folder)
        there = self._read_about()
        if there is None:
            discard(self._folder / _TRUNK)  # whatever path it was of
            there = {"format": FORMAT, "seed": seed, "about": about}
            content = write_path(there)
            self._write(_ABOUT, lambda file: file.write(content))
        else:
            added = {name: _ADDED[name] for name in _ADDED if name in about}
            begun_with = added | there["about"]
            self.as_begun = _of_an_earlier_version(about, begun_with)
            begun_with = begun_with | {name: about[name] for name in self.as_begun}
            if begun_with != about:
                raise ValueError(_difference(self._folder, begun_with, about))
        self.seed, self._format = there["seed"], there["format"]
        self._path = path_checksum(there)

    def load(self) -> tuple[list[Record], Record | None]:
        """Return the points that are done, and the network to go on with.

        What is damaged or missing counts as not done.
        """
        trunk = self._read(_TRUNK)
        if trunk is None:
            return [], None
        n_done: Any = trunk[0].get("n_points")
        if not is_integer(n_done) or n_done < 0:
            self._warn_of_damage(_TRUNK, f"n_points is {n_done!r}")
            return [], None
        points = []
        for i in range(n_done):
            point = self._read(_point(i))
            if point is None:
                return [], None
            points.append(point)
        return points, trunk

    def save(self, i: int, point: Record, trunk: Record) -> None:
        """Keep the i-th point and the network after it.

        If the disk is full, or the folder is gone, a warning says so, once, and nothing
        is kept from then on.
        """
        facts, arrays = trunk
        self._save(_point(i), point)
        self._save(_TRUNK, ({**facts, "n_points": i + 1}, arrays))

    def _save(self, name: str, record: Record) -> None:
        self._write(name, lambda file: pack(file, record, self._role(name)))

    def _write(self, name: str, write: Callable[[IO[bytes]], Any]) -> None:
        if self._folder is None:
            return
        folder = self._folder
        try:
            with replaced_file(folder / name) as file:
                write(file)
        except OSError as error:
            self._folder = None
            warnings.warn(
                f"No more checkpoints in {folder}: {error}. The path goes on without.",
                UserWarning,
                stacklevel=caller_level(),
            )

    def _read(self, name: str) -> Record | None:
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

    def _read_about(self) -> dict[str, Any] | None:
        """Return what path is in the folder; None if there is none, or a damaged one.

        Raises
        ------
        ValueError
            If the file is another version's, or perhaps not a checkpoint's at all.
        """
        assert self._folder is not None
        path = self._folder / _ABOUT
        try:
            return read_path(path.read_bytes())
        except FileNotFoundError:
            return None
        except ValueError as error:
            # Beside a trunk it was a checkpoint's, from which nobody can go on.
            if isinstance(error, DamageError) and (self._folder / _TRUNK).exists():
                self._warn_of_damage(_ABOUT, error)
                return None
            raise ValueError(
                f"{path} is damaged or of another version ({error}); expected format "
                f"{FORMAT}. Empty the folder or name another one."
            ) from error

    def _role(self, name: str) -> str | None:
        """A file of this name, of this path."""
        unsealed = self._format == UNSEALED_FORMAT
        return None if unsealed else f"{name} of {self._path}"

    def _warn_of_damage(self, name: str, fault: object) -> None:
        assert self._folder is not None
        warnings.warn(
            f"{self._folder / name} is damaged ({fault}). The path begins anew.",
            UserWarning,
            stacklevel=caller_level(),
        )


def _make_folder(folder: Path) -> None:
    """Make a folder, or tidy up what killed writers left in it."""
    if folder.is_file():
        raise NotADirectoryError(
            f"checkpoint_dir={str(folder)!r} is a file; expected a folder."
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name in (_ABOUT, _TRUNK, _POINTS):
        for path in folder.glob(name):
            if path.is_dir():
                raise IsADirectoryError(
                    f"{path} is a folder; expected a file of a checkpoint. Empty "
                    f"checkpoint_dir={str(folder)!r} or name another one."
                )
        for left_over in unfinished_files(folder / name):
            discard(left_over)


def _point(i: int) -> str:
    return f"point-{i:04d}.npz"


def _of_an_earlier_version(
    about: dict[str, str], begun_with: dict[str, str]
) -> dict[str, Any]:
    """Parameters of a path as the version that began it had them, by name."""
    lacked = {
        name: value
        for name, value in _LACKED.items()
        if name in about and name not in begun_with
    }
    by_default = {
        name: earlier
        for name, (present, earlier) in _DEFAULTS.items()
        if (about.get(name), begun_with.get(name)) == (repr(present), repr(earlier))
    }
    return lacked | by_default


def _difference(folder: Path, there: dict[str, str], here: dict[str, str]) -> str:
    names = [n for n in {**there, **here} if there.get(n) != here.get(n)]
    lines = [f"  {n}: {there.get(n)} there, {here.get(n)} here" for n in names]
    return "\n".join(
        [
            f"checkpoint_dir={str(folder)!r} holds a path of other data or parameters:",
            *lines,
            "Name another folder, or empty this one.",
        ]
    )
