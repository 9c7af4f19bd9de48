"""The method as data: regularize, prune, finetune."""

from __future__ import annotations

from dataclasses import dataclass

from skrational.penalties.base import Penalty
from skrational.pruning.base import Pruner
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
    charges : tuple of (Penalty, str)
        Penalties, each with the kind of groups that it charges. Their proximal
        operators are applied in this order: of nested groups the smallest first.
    solver : {"prox", "subgradient"}
        Whether the penalties' proximal operators follow each step, or the penalties are
        added to the loss, as those without such an operator are in any case.
    pruner : Pruner or None
        Says which groups go; None: all stay.
    pruned : str
        The kind of groups that the pruner drops.
    prune_every : int
        Epochs between two prunings while the phase goes on, after each of which what is
        pruned stays zero. 0: it is pruned at the end only. An epoch at which the pruner
        hasn't come to its target yet is never the best.
    patience : int or None
        Stop after so many epochs without a better monitored value. None: never.
    ramp : int
        Epochs over which the penalties rise to their full strength, linearly.
    shrink : float or None
        Cut the cell at the end of an epoch, too, if more than this share of its size is
        gone: what remains is trained faster. None: it is cut at the end only.
    min_steps : int
        Steps of an epoch, at least, unless a step is all documents: few documents are
        gone through several times.
    max_steps : int or None
        Steps of an epoch, at most: of more documents it takes a part, and the next
        epoch goes on where it ended. None: it takes them all.
    settles : bool
        Whether the structure is learned when it's over: the cell then leaves behind
        what served that only.
    """

    name: str
    epochs: int
    learning_rate: float
    schedule: str = "constant"
    charges: tuple[tuple[Penalty, str], ...] = ()
    solver: str = "prox"
    pruner: Pruner | None = None
    pruned: str = ""
    prune_every: int = 0
    patience: int | None = None
    ramp: int = 0
    shrink: float | None = None
    min_steps: int = 1
    max_steps: int | None = None
    settles: bool = False
