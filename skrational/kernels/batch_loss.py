"""The loss of a batch, as a kernel that isn't compiled with one sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["BatchLoss"]


class BatchLoss(Protocol):
    """What the outputs of a batch cost; see `skrational.training.losses.BatchLoss`."""

    @property
    def targets(self) -> Tensor:
        """What the outputs are held against, (B, ...)."""
        ...

    @property
    def weights(self) -> Tensor:
        """The weights of the examples, (B,)."""
        ...

    def __call__(self, outputs: Tensor) -> Tensor:
        """Return the loss, a scalar, of outputs (B, n_outputs)."""
        ...

    def of(self, targets: Tensor, weights: Tensor) -> Self:
        """Return the same loss of other examples."""
        ...
