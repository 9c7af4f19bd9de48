"""What a phase of training charges: penalties, each for groups of its own."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from skrational.groups import Groups
from skrational.penalties.base import (
    EpochPenalty,
    Penalty,
    PriorPenalty,
    ProximalPenalty,
    SlopedPenalty,
)
from skrational.training.adam import Adam

__all__ = ["Charge"]

_LEAST_METRIC = 0.1
"""Of a penalty's own slopes, the share below which Adam's metric doesn't fall."""


class Charge(NamedTuple):
    """A penalty, and the groups that it charges.

    Attributes
    ----------
    penalty : Penalty
    groups : Groups
    least : list of Tensor of shape (n_slices, 1), or None
        Below which the metric of a proximal step doesn't fall, for each part.
    """

    penalty: Penalty
    groups: Groups
    least: list[Tensor] | None = None

    @classmethod
    def of(cls, penalty: Penalty, groups: Groups, n_examples: int) -> Charge:
        """Charge in each step: a prior's price is for all examples, a loss a mean."""
        if isinstance(penalty, PriorPenalty):
            penalty = penalty.scaled(1 / n_examples)
        return cls(penalty, groups)

    def at_epoch(self, epoch: int, share: float | None) -> Charge:
        """Return the charge as it is in an epoch, at a share of its strength."""
        penalty, groups, least = self
        if isinstance(penalty, EpochPenalty):
            penalty = penalty.at_epoch(epoch)
        if share is not None:
            penalty = penalty.scaled(share)
        if isinstance(penalty, SlopedPenalty):
            least = [_LEAST_METRIC * slope for slope in penalty.slopes(groups)]
        return Charge(penalty, groups, least)

    @property
    def has_operator(self) -> bool:
        """Whether the penalty has a proximal operator."""
        return isinstance(self.penalty, ProximalPenalty)

    def value(self) -> Tensor:
        """Return the price, a differentiable scalar."""
        return self.penalty.value(self.groups)

    def shrink(self, optimizer: Adam) -> None:
        """Apply the proximal operator in the metric of the optimizer's last step."""
        metric = [
            part.pack(optimizer.metric(part.parameters)) for part in self.groups.parts
        ]
        if self.least is not None:
            metric = list(map(torch.maximum, metric, self.least))
        # Those without an operator go into the loss.
        assert isinstance(self.penalty, ProximalPenalty)
        self.penalty.prox_(self.groups, metric, optimizer.learning_rate)
