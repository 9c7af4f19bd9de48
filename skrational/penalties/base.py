"""The protocol of a penalty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from torch import Tensor

from skrational.groups import Groups

__all__ = [
    "EpochPenalty",
    "Penalty",
    "PriorPenalty",
    "ProximalPenalty",
    "SlopedPenalty",
    "UnclippedPenalty",
]


class Penalty(Protocol):
    """A price for groups of parameters, to be added to the loss.

    An implementation is a frozen value: the strength is part of it, and `scaled` makes
    another one. It may read `Groups.omega`, and must not change a parameter.
    """

    def value(self, groups: Groups) -> Tensor:
        """Return the price as a differentiable scalar."""
        ...

    def scaled(self, share: float) -> Penalty:
        """Return the penalty at a share of its strength."""
        ...


@runtime_checkable
class ProximalPenalty(Penalty, Protocol):
    """A penalty with a proximal operator, which leaves exact zeros.

    The training loop applies it after each step of the optimizer. A penalty without one
    goes into the loss.
    """

    def prox_(self, groups: Groups, metric: Sequence[Tensor], step_size: float) -> None:
        """Apply the proximal operator to the parameters, in place.

        Parameters
        ----------
        groups : Groups
            Without overlaps: each entry belongs to one group.
        metric : sequence of Tensor of shape (n_slices, m)
            Diagonal of the metric, packed for each part of the groups as its parameters
            are.
        step_size : float
        """
        ...


@runtime_checkable
class SlopedPenalty(ProximalPenalty, Protocol):
    """A penalty on groups that knows the size of its own gradient.

    Adam's metric is that of the loss's gradient, and next to nothing where everything
    is learned; a proximal step in it would then empty whatever group it meets, needed
    or not. The training loop keeps the metric above a share of these sizes.
    """

    def slopes(self, groups: Groups) -> Sequence[Tensor]:
        """Return the sizes, (n_slices, 1) for each part, of the slices' groups."""
        ...


@runtime_checkable
class EpochPenalty(Penalty, Protocol):
    """A penalty that changes over the epochs of a phase."""

    def at_epoch(self, epoch: int) -> Penalty:
        """Return the penalty as it is in an epoch, counted from 0."""
        ...


@runtime_checkable
class PriorPenalty(Penalty, Protocol):
    """A penalty that is paid once for all examples, as the divergence from a prior is.

    The training loop, whose loss is a mean over examples, divides it by their number.
    """

    is_prior: bool


@runtime_checkable
class UnclippedPenalty(Penalty, Protocol):
    """A penalty in whose gradient the bound on that of the loss has no say.

    Clipped together with the loss, a penalty is the weaker the larger the loss's
    gradient is, and the other way round.
    """

    is_unclipped: bool
