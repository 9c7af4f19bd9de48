"""Losses: what the outputs of a cell are held against."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

__all__ = ["LogLoss", "Loss", "NextTokenLoss"]


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
        logits = _log(shares)
        return logits[1:] - logits[:1] if len(logits) == 2 else logits

    def n_outputs(self, n_classes: int) -> int:
        """Return 1 for two classes, else their number."""
        return 1 if n_classes == 2 else n_classes


class NextTokenLoss:
    """Negative log-likelihood of a token of a window, given those before it.

    Outputs are the logits of every token of all windows, (n_tokens, n_words); targets
    are (n, T), -1 behind the end of a shorter window.

    Examples
    --------
    >>> loss = NextTokenLoss()
    >>> loss(torch.zeros(3, 4), torch.tensor([[0, 3], [1, -1]]))
    tensor([1.3863, 1.3863])
    """

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean over the tokens of each window, (n,)."""
        losses = nn.functional.cross_entropy(
            outputs, targets[targets >= 0], reduction="none"
        )
        lengths = (targets >= 0).sum(dim=1)
        window = torch.arange(len(targets), device=targets.device)
        of_token = torch.repeat_interleave(window, lengths)
        total = losses.new_zeros(len(targets)).index_add(0, of_token, losses)
        return total / lengths

    def score(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return minus the bits that a token of each window takes, (n,)."""
        return self(outputs, targets) / -math.log(2)

    def prior(self, shares: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the logits of the words' frequencies, (n_words,)."""
        return _log(shares)

    def n_outputs(self, n_classes: int) -> int:
        """Return the number of words."""
        return n_classes


def _log(shares: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.log(np.maximum(shares, np.finfo(np.float32).tiny))
