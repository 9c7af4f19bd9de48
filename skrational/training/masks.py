"""Which groups are live: what a pruner leaves, and zeros that are held."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from skrational.cells.base import Cell
from skrational.pruning.threshold import Threshold
from skrational.training.phases import Phase

__all__ = ["held_zeros", "survivors"]


def survivors(
    phase: Phase,
    cell: Cell,
    masks: Mapping[str, NDArray[np.bool_]],
    progress: float = 1.0,
) -> NDArray[np.bool_]:
    """Which groups of a cell the pruner of a phase leaves.

    Parameters
    ----------
    phase : Phase
        With a pruner.
    cell : Cell
    masks : dict of str to ndarray of shape (n_groups,), bool
        By kind of groups, those that are live.
    progress : float, default=1.0
        Share of the phase that is over.

    Returns
    -------
    ndarray of shape (n_groups,), bool
    """
    assert phase.pruner is not None
    live = phase.pruner.survivors(cell.groups(phase.pruned), progress)
    # What was pruned before doesn't come back, whatever the pruner says.
    return live & masks.get(phase.pruned, True)


def held_zeros(cell: Cell) -> dict[str, NDArray[np.bool_]]:
    """Masks, by kind of groups, that hold at zero what a cut cell has left as zeros."""
    masks = {
        kind: Threshold(0).survivors(cell.groups(kind)) for kind in cell.unstructured
    }
    return {kind: live for kind, live in masks.items() if not live.all()}
