"""A fit after an epoch, as a record from which it goes on and ends the same.

Parameters are kept under their names in a prefix, ``cell/W_u``. A structure is kept
only of a cell that was cut: of all others it's that of the cell the fit began with.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, NamedTuple

import torch
from torch import Tensor

from skrational.cells.base import Cell
from skrational.structures import structure_from_json
from skrational.training.adam import Moments
from skrational.training.loop import PhaseRun
from skrational.training.progress import Best, Progress
from skrational.training.rng import Randomness
from skrational.utils.records import Record

__all__ = ["Snapshot"]


class Snapshot(NamedTuple):
    """A fit that is in a phase.

    Attributes
    ----------
    phase : str
        Its name.
    is_over : bool
        Whether the phase was ended early.
    cell : Cell
    masks : dict of str to ndarray
    moments : Moments
    progress : Progress
    history : list of dict
    generators : Record
        The state of the random generators.
    """

    phase: str
    is_over: bool
    cell: Cell
    masks: dict[str, Any]
    moments: Moments
    progress: Progress
    history: list[dict[str, Any]]
    generators: Record

    @classmethod
    def of(
        cls,
        run: PhaseRun,
        is_over: bool,
        history: list[dict[str, Any]],
        randomness: Randomness,
    ) -> Snapshot:
        """Take one between two epochs.

        Parameters
        ----------
        run : PhaseRun
        is_over : bool
        history : list of dict
        randomness : Randomness
        """
        return cls(
            run.phase.name,
            is_over,
            run.cell,
            run.masks,
            run.moments,
            run.progress,
            history,
            randomness.state(),
        )

    def to_record(self, first: Cell) -> Record:
        """Return it as facts and arrays, given the cell that the phase's may equal."""
        progress, best = self.progress, self.progress.best
        facts: dict[str, Any] = {
            "phase": self.phase,
            "is_over": self.is_over,
            "structure": _structure(self.cell, first),
            "n_steps": self.moments.n_steps,
            "epoch": progress.epoch,
            "schedule": progress.schedule,
            "best": None,
            "history": self.history,
            "generators": self.generators[0],
        }
        arrays = {
            **_prefixed("cell", _arrays(self.cell.state_dict())),
            **_prefixed("live", self.masks),
            "mean": _joined(self.moments.mean),
            "square": _joined(self.moments.square),
            **_prefixed("generators", self.generators[1]),
            "rest": progress.rest,
        }
        if best is not None:
            facts["best"] = {
                "to_beat": float(best.to_beat),
                "epoch": best.epoch,
                "structure": _structure(best.cell, first),
            }
            arrays |= _prefixed("best", _arrays(best.parameters))
            arrays |= _prefixed("best_live", best.masks)
        return facts, arrays

    @classmethod
    def from_record(cls, record: Record, first: Cell, device: torch.device) -> Snapshot:
        """Return the snapshot of a record.

        Raises whatever is raised by a record that isn't one.

        Parameters
        ----------
        record : Record
        first : Cell
            As for `to_record`.
        device : torch.device
        """
        facts, arrays = record

        def cell(structure: str | None, prefix: str) -> Cell:
            made = (
                deepcopy(first)
                if structure is None
                else first.blank(structure_from_json(structure))
            )
            made.load_state_dict(_tensors(_under(prefix, arrays)))
            return made.to(device)

        present = cell(facts["structure"], "cell")

        def moments(name: str) -> list[Tensor]:
            shapes = [p.shape for p in present.parameters()]
            joined = torch.from_numpy(arrays[name]).to(device)
            pieces = joined.split([shape.numel() for shape in shapes])
            return [v.view(shape) for v, shape in zip(pieces, shapes, strict=True)]

        best = None
        if facts["best"] is not None:
            to_beat, epoch, structure = facts["best"].values()
            parameters = {
                name: tensor.to(device)
                for name, tensor in _tensors(_under("best", arrays)).items()
            }
            best_cell = cell(structure, "best")
            masks = _under("best_live", arrays)
            best = Best(to_beat, epoch, best_cell, masks, parameters)
        return cls(
            facts["phase"],
            facts["is_over"],
            present,
            _under("live", arrays),
            Moments(facts["n_steps"], moments("mean"), moments("square")),
            Progress(facts["epoch"], facts["schedule"], arrays["rest"], best),
            facts["history"],
            (facts["generators"], _under("generators", arrays)),
        )


def _structure(cell: Cell, first: Cell) -> str | None:
    """The structure of a cell, unless it has the shape of the first one."""
    ours, theirs = cell.state_dict(), first.state_dict()
    if all(ours[name].shape == theirs[name].shape for name in theirs):
        return None
    return cell.structure().to_json()


def _prefixed(prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}/{name}": value for name, value in values.items()}


def _under(prefix: str, arrays: Mapping[str, Any]) -> dict[str, Any]:
    start = f"{prefix}/"
    return {
        name.removeprefix(start): value
        for name, value in arrays.items()
        if name.startswith(start)
    }


def _arrays(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    return {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}


def _tensors(arrays: Mapping[str, Any]) -> dict[str, Tensor]:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _joined(tensors: list[Tensor]) -> Any:
    return torch.cat([tensor.reshape(-1) for tensor in tensors]).cpu().numpy()
