"""Losses: what the outputs of a cell are held against."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["LogLoss", "Loss"]


class Loss(Protocol):
    """What training minimises, and what is reported beside it.

    An implementation is a value without state. Targets are what `Examples` holds for
    some documents: class numbers or, for a regressor, vectors.
    """

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each example, (n,), differentiable."""
        ...

    def score(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return how good each example's output is, (n,): higher is better."""
        ...

    def prior(self, shares: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the best constant outputs, (n_outputs,), given the classes' shares."""
        ...

    def n_outputs(self, n_classes: int) -> int:
        """Return the number of outputs that so many classes need."""
        ...


class LogLoss:
    """Negative log-likelihood of the classes; two classes have one output, a logit.

    Examples
    --------
    >>> loss = LogLoss()
    >>> loss.n_outputs(2), loss.n_outputs(3)
    (1, 3)
    >>> loss(torch.zeros(1, 3), torch.tensor([2]))
    tensor([1.0986])
    """

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the negative log-likelihood of each example, (n,)."""
        if outputs.shape[1] == 1:
            return nn.functional.binary_cross_entropy_with_logits(
                outputs[:, 0], targets.to(outputs.dtype), reduction="none"
            )
        return nn.functional.cross_entropy(outputs, targets, reduction="none")

    def score(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return whether the most probable class is the right one, (n,)."""
        if outputs.shape[1] == 1:
            return (outputs[:, 0] > 0).to(torch.int64) == targets
        return outputs.argmax(dim=1) == targets

    def prior(self, shares: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the logits of the classes' frequencies, (n_outputs,)."""
        logits = np.log(np.maximum(shares, np.finfo(np.float32).tiny))
        return logits[1:] - logits[:1] if len(logits) == 2 else logits

    def n_outputs(self, n_classes: int) -> int:
        """Return 1 for two classes, else their number."""
        return 1 if n_classes == 2 else n_classes
