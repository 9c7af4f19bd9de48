"""A path on disk: what an interrupted run needs to go on where it was.

A folder holds ``path.json``, which says of what data and parameters the path is, a file
for each point, and ``trunk.npz``, the network under penalty after the last point. Those
of version 0.1.0, of format 1, have no checksum but that of a zip archive.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar

import numpy as np

from skrational.utils.checkpoints import CheckpointFolder
from skrational.utils.checks import is_integer
from skrational.utils.records import Record

__all__ = ["Checkpoint", "Record"]

_LACKED = {"min_steps_per_epoch": 1, "max_steps_per_epoch": None}
"""What earlier versions lacked, each parameter with the value that does as they did."""
_ADDED = {"calibration": "None", "n_layers": "1"}
"""The same of what isn't asked for tacitly: another value is another path."""
_DEFAULTS = {"feature_dropout": ("auto", 0.0), "n_wfsas": ("auto", 24)}
"""Defaults that are others now: the present one and that of earlier versions."""

_TRUNK = "trunk.npz"


class Checkpoint(CheckpointFolder):
    """A folder of the checkpoints of a path; see `CheckpointFolder` for the parameters.

    Attributes
    ----------
    as_begun : dict of str to object
        Parameters that the version that began the path lacked, or had by default, with
        the values that do as it did.
    """

    _run: ClassVar[str] = "path"
    _about: ClassVar[str] = "path.json"
    _first: ClassVar[str] = _TRUNK
    _others: ClassVar[tuple[str, ...]] = ("point-*.npz",)

    def __init__(
        self, folder: str | os.PathLike[str] | None, about: dict[str, str], seed: int
    ) -> None:
        self.as_begun: dict[str, Any] = {}
        super().__init__(folder, about, seed)

    def _adapted(self, begun: dict[str, str], about: dict[str, str]) -> dict[str, str]:
        begun_with = {name: _ADDED[name] for name in _ADDED if name in about} | begun
        self.as_begun = _of_an_earlier_version(about, begun_with)
        return begun_with | {name: about[name] for name in self.as_begun}

    def load(self) -> tuple[list[Record], Record | None]:
        """Return the points that are done, and the network to go on with.

        What is damaged or missing counts as not done.
        """
        trunk = self._read_finite(_TRUNK)
        if trunk is None:
            return [], None
        n_done: Any = trunk[0].get("n_points")
        if not is_integer(n_done) or n_done < 0:
            self._warn_of_damage(_TRUNK, f"n_points is {n_done!r}")
            return [], None
        points = []
        for i in range(n_done):
            point = self._read_finite(_point(i))
            if point is None:
                return [], None
            points.append(point)
        return points, trunk

    def refuse(self, fault: object) -> None:
        """Warn that what was loaded isn't whole, whatever its checksums say."""
        self._warn_of_damage(_TRUNK, fault)

    def save(self, i: int, point: Record, trunk: Record) -> None:
        """Keep the i-th point and the network after it."""
        facts, arrays = trunk
        self._save(_point(i), point)
        self._save(_TRUNK, ({**facts, "n_points": i + 1}, arrays))

    def _read_finite(self, name: str) -> Record | None:
        """Return a record, of which no number may be NaN or infinite."""
        record = self._read(name)
        if record is None or all(map(_is_finite, record[1].values())):
            return record
        self._warn_of_damage(name, "it has weights that aren't finite")
        return None


def _is_finite(array: Any) -> bool:
    return array.dtype.kind != "f" or bool(np.isfinite(array).all())


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
