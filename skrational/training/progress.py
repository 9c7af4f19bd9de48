"""How far a phase of training has come."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from skrational.cells.base import Cell

__all__ = ["Best", "Progress"]


class Best(NamedTuple):
    """The best epoch so far.

    Attributes
    ----------
    to_beat : float
        The monitored value that a better one is below.
    epoch : int
    cell : Cell
        Of that epoch's shape; it may have been trained on.
    masks : dict of str to ndarray
    parameters : dict of str to Tensor
        Those of the cell at the end of that epoch.
    """

    to_beat: float
    epoch: int
    cell: Cell
    masks: dict[str, NDArray[np.bool_]]
    parameters: dict[str, Tensor]


class Progress(NamedTuple):
    """How far a phase has come, beside its cell and its optimizer.

    Attributes
    ----------
    epoch : int
        The next one.
    schedule : dict
        State of the schedule.
    rest : ndarray of int
        Documents of the present pass that are yet to come.
    best : Best or None
        None: no epoch is monitored.
    """

    epoch: int
    schedule: dict[str, Any]
    rest: NDArray[np.intp]
    best: Best | None
