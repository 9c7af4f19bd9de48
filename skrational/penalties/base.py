"""The protocol of a penalty."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from skrational.groups import Groups

__all__ = ["Penalty"]


class Penalty(Protocol):
    """A price for groups of parameters, added to the loss or applied by its prox."""

    def value(self, groups: Groups) -> Tensor:
        """Return the price as a differentiable scalar."""
        ...

    def scaled(self, share: float) -> Penalty:
        """Return the penalty at a share of its strength."""
        ...

    def prox_(self, groups: Groups, metric: Sequence[Tensor], step_size: float) -> None:
        """Apply the proximal operator to the parameters, in place.

        ``metric`` holds the diagonal of the metric, packed for each part of the groups
        as its parameters are.
        """
        ...
