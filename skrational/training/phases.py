"""The method as data: regularize, prune, finetune."""

from __future__ import annotations

from dataclasses import dataclass

from skrational.penalties.base import Penalty
from skrational.training.noise import Dropout

__all__ = ["Optimization", "Phase"]


@dataclass(frozen=True)
class Optimization:
    """What stays the same through all phases.

    Attributes
    ----------
    batch_size : int or None
        Documents of a step; None: all of them, in order.
    weight_decay : float
    max_grad_norm : float or None
        Gradients are scaled down to this Euclidean norm.
    dropout : Dropout
    """

    batch_size: int | None
    weight_decay: float
    max_grad_norm: float | None
    dropout: Dropout


@dataclass(frozen=True)
class Phase:
    """One stretch of training.

    Attributes
    ----------
    name : str
    epochs : int
        At most so many.
    learning_rate : float
        At its beginning.
    schedule : {"constant", "plateau", "cosine"}
        "plateau" halves the rate when the monitored value stalls, "cosine" lets it
        fall to zero over ``epochs``.
    penalty : Penalty or None
    grouping : str
        The kind of groups that the penalty charges.
    solver : {"prox", "subgradient"}
        Whether the penalty's proximal operator follows each step, or the penalty is
        added to the loss.
    patience : int or None
        Stop after so many epochs without a better monitored value. None: never.
    ramp : int
        Epochs over which the penalty rises to its full strength, linearly.
    """

    name: str
    epochs: int
    learning_rate: float
    schedule: str = "constant"
    penalty: Penalty | None = None
    grouping: str = "states"
    solver: str = "prox"
    patience: int | None = None
    ramp: int = 0
