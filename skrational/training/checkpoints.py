"""Where a fit keeps its last epoch, and what it goes on from after it was killed."""

from __future__ import annotations

import time
from typing import ClassVar

from skrational.utils.checkpoints import CheckpointFolder
from skrational.utils.files import discard
from skrational.utils.records import Record

__all__ = ["FitCheckpoint", "KeptEpochs"]

_BETWEEN_SYNCS, _SHARE_OF_SYNCS = 10.0, 0.01
"""Seconds between two epochs that outlast a power failure, at least; and the largest
share of the time that waiting for the disk may take."""


class FitCheckpoint(CheckpointFolder):
    """A folder of the checkpoints of a fit; see `CheckpointFolder` for the parameters.

    Of each network that is trained it holds the last two epochs, and one that was
    written through to the disk: a killed process loses the epoch that it was in, a
    power failure those since the one on the disk.
    """

    _run: ClassVar[str] = "fit"
    _about: ClassVar[str] = "fit.json"
    _first: ClassVar[str] = "fit.synced.npz"
    _others: ClassVar[tuple[str, ...]] = ("fit.[01].npz", "calibration.*.npz")

    def epochs(self, name: str = "fit") -> KeptEpochs:
        """Return what is kept of one of the networks: "fit" or "calibration"."""
        return KeptEpochs(self, name)

    def load(self, name: str) -> list[Record]:
        """Return the epochs that are there and whole, the last one first."""
        records = [self._read(file) for file in _names(name)]
        return sorted(
            (record for record in records if record is not None),
            key=lambda record: -len(record[0].get("history") or ()),
        )

    def save(self, name: str, record: Record, durable: bool) -> None:
        """Keep an epoch; see `CheckpointFolder` for what a full disk does."""
        file = _names(name)[2 if durable else len(record[0]["history"]) % 2]
        if self._folder is not None and not durable:
            # File systems write a file through to the disk that takes another's name.
            discard(self._folder / file)
        self._save(file, record, durable)

    def refuse(self, name: str, fault: object) -> None:
        """Warn that an epoch isn't whole, whatever its checksum says."""
        self._warn_of_damage(f"{name}.*.npz", fault)

    def _warn_of_damage(self, name: str, fault: object, outcome: str = "") -> None:
        if name != self._about:
            outcome = "The fit goes on from an earlier epoch, or begins anew."
        super()._warn_of_damage(name, fault, outcome)

    def _forget(self, folder: object) -> None:
        assert self._folder is not None
        for name in (self._first, *self._others):
            for path in self._folder.glob(name):
                discard(path)


class KeptEpochs:
    """The epochs that are kept of a network that is trained.

    Parameters
    ----------
    folder : FitCheckpoint
    name : str
        Of the network.
    """

    def __init__(self, folder: FitCheckpoint, name: str) -> None:
        self._folder, self.name = folder, name
        self._next_sync = 0.0

    def of(self, name: str) -> KeptEpochs:
        """Return those of another network, in the same folder."""
        return KeptEpochs(self._folder, name)

    @property
    def are_kept(self) -> bool:
        """Whether what is saved is kept."""
        return self._folder.is_kept

    def load(self) -> list[Record]:
        """Return the epochs that are there and whole, the last one first."""
        return self._folder.load(self.name)

    def refuse(self, fault: object) -> None:
        """Warn that an epoch isn't whole, whatever its checksum says."""
        self._folder.refuse(self.name, fault)

    def save(self, record: Record) -> None:
        """Keep an epoch, now and then in such a way that a power failure spares it."""
        began = time.monotonic()
        durable = began >= self._next_sync
        self._folder.save(self.name, record, durable)
        if durable:
            ended = time.monotonic()
            pause = max(_BETWEEN_SYNCS, (ended - began) / _SHARE_OF_SYNCS)
            self._next_sync = ended + pause


def _names(name: str) -> tuple[str, str, str]:
    """Names of the files of even and odd epochs, and of the one on the disk."""
    return f"{name}.0.npz", f"{name}.1.npz", f"{name}.synced.npz"
