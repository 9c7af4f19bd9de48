"""A path on disk: what an interrupted run needs to go on where it was.

A folder holds ``path.json``, which says of what data and parameters the path is, a file
for each point, and ``trunk.npz``, the network under penalty after the last point. Each
file is written under another name first, so that none is ever half there.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from skrational.utils.files import discard, replaced_file, unfinished_files

__all__ = ["Checkpoint", "Record"]

_FORMAT = 1
_TRUNK, _ABOUT, _FACTS = "trunk.npz", "path.json", "_facts"

Record = tuple[dict[str, Any], dict[str, NDArray[Any]]]
"""What JSON can hold, and arrays."""


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
        self.seed = seed
        self._folder = None if folder is None else Path(folder)
        if self._folder is None:
            return
        if self._folder.is_file():
            raise NotADirectoryError(
                f"checkpoint_dir={str(self._folder)!r} is a file; expected a folder."
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        for name in (_ABOUT, _TRUNK, "point-*.npz"):
            for left_over in unfinished_files(self._folder / name):
                discard(left_over)
        there = self._read_about()
        if there is None:
            discard(self._folder / _TRUNK)  # whatever path it was of
            text = json.dumps({"format": _FORMAT, "seed": seed, "about": about})
            self._write(_ABOUT, lambda file: file.write(text.encode()))
            return
        if there["about"] != about:
            raise ValueError(_difference(self._folder, there["about"], about))
        self.seed = there["seed"]

    def load(self) -> tuple[list[Record], Record | None]:
        """Return the points that are done, and the network to go on with.

        What is damaged or missing counts as not done.
        """
        trunk = self._read(_TRUNK)
        n_done = 0 if trunk is None else int(trunk[0]["n_points"])
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
        facts, arrays = record
        text = np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8)
        named: dict[str, Any] = {_FACTS: text, **arrays}
        self._write(name, lambda file: np.savez(file, **named))

    def _write(self, name: str, write: Callable[[IO[Any]], Any]) -> None:
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
                stacklevel=2,
            )

    def _read(self, name: str) -> Record | None:
        if self._folder is None:
            return None
        try:
            with (
                open(self._folder / name, "rb") as raw_file,
                np.load(raw_file, allow_pickle=False) as file,
            ):
                arrays = dict(file)
            return json.loads(arrays.pop(_FACTS).tobytes()), arrays
        except FileNotFoundError:
            return None
        except Exception as error:  # there is no end to what damage can raise
            warnings.warn(
                f"{self._folder / name} is damaged ({error}). The path begins anew.",
                UserWarning,
                stacklevel=2,
            )
            return None

    def _read_about(self) -> dict[str, Any] | None:
        assert self._folder is not None
        path = self._folder / _ABOUT
        try:
            there = json.loads(path.read_text())
            if there["format"] == _FORMAT:
                return {"about": dict(there["about"]), "seed": int(there["seed"])}
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            pass
        raise ValueError(
            f"{path} is damaged or of another version; expected format {_FORMAT}. "
            "Empty the folder or name another one."
        )


def _point(i: int) -> str:
    return f"point-{i:04d}.npz"


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
