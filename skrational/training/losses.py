"""Losses: what the outputs of a cell are held against."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skrational.kernels.cpu.losses import CLASSES, LABELS, VALUES, Targets

__all__ = [
    "BatchLoss",
    "CrossEntropy",
    "LabelLoss",
    "LogLoss",
    "Loss",
    "NextTokenLoss",
    "SquaredError",
]


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


class BatchLoss(NamedTuple):
    """The loss of a batch, the weighted mean over its examples, given the outputs.

    Attributes
    ----------
    loss : Loss
    targets : Tensor of shape (B, ...)
    weights : Tensor of shape (B,)
    """

    loss: Loss
    targets: Tensor
    weights: Tensor

    def __call__(self, outputs: Tensor) -> Tensor:
        """Return the loss, a scalar."""
        return (self.loss(outputs, self.targets) * self.weights).mean()

    def of(self, targets: Tensor, weights: Tensor) -> BatchLoss:
        """Return the same loss of other examples."""
        return BatchLoss(self.loss, targets, weights)

    @property
    def compiles(self) -> bool:
        """Whether it is one of the compiled losses, of one output for each document."""
        return type(self.loss) in _COMPILED and self.targets.dim() <= 2

    def compiled(self) -> Targets:
        """Return the targets for the compiled losses."""
        values = self.targets.numpy().reshape(len(self.targets), -1)
        return Targets(_COMPILED[type(self.loss)], values, self.weights.numpy())


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


class LabelLoss:
    """Negative log-likelihood of labels that hold independently: the sum of theirs.

    Targets are (n, n_labels), 0 or 1; outputs are logits of the same shape.

    Examples
    --------
    >>> LabelLoss()(torch.zeros(1, 3), torch.tensor([[1.0, 0.0, 1.0]]))
    tensor([2.0794])
    """

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the negative log-likelihood of each example, (n,)."""
        return nn.functional.binary_cross_entropy_with_logits(
            outputs, targets, reduction="none"
        ).sum(dim=1)

    def score(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return whether all labels are right, (n,)."""
        return ((outputs > 0) == (targets > 0.5)).all(dim=1)

    def prior(self, shares: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the logit of the frequency of each label, (n_labels,)."""
        return _log(shares) - _log(1 - shares)

    def n_outputs(self, n_classes: int) -> int:
        """Return the number of labels."""
        return n_classes


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
        return _means(losses, targets >= 0)

    def score(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return minus the bits that a token of each window takes, (n,)."""
        return self(outputs, targets) / -math.log(2)

    def prior(self, shares: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the logits of the words' frequencies, (n_words,)."""
        return _log(shares)

    def n_outputs(self, n_classes: int) -> int:
        """Return the number of words."""
        return n_classes


class _ValueLoss(ABC):
    """A loss of values: of each sequence, or after each of its tokens.

    Targets are (n, m), or (n, T, m), NaN behind the end of a shorter sequence, with
    outputs (n_tokens, m); the loss of a sequence is then the mean over its tokens.
    """

    def __call__(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each sequence, (n,)."""
        if targets.dim() == 2:
            return self._of_rows(outputs, targets)
        known = ~targets[:, :, 0].isnan()
        return _means(self._of_rows(outputs, targets[known]), known)

    @abstractmethod
    def _of_rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each row, (n,), of outputs and targets (n, m)."""

    def n_outputs(self, n_classes: int) -> int:
        """Return the number of values."""
        return n_classes


class SquaredError(_ValueLoss):
    """Squared distance of outputs and targets, the mean over the values of a row.

    Examples
    --------
    >>> loss = SquaredError()
    >>> loss(torch.zeros(1, 2), torch.tensor([[1.0, 2.0]]))
    tensor([2.5000])
    >>> values = torch.tensor([[[1.0], [3.0]], [[2.0], [torch.nan]]])
    >>> loss(torch.zeros(3, 1), values)
    tensor([5., 4.])
    """

    def _of_rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs - targets).square().mean(dim=1)

    def score(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return 1 minus the loss: of values of variance 1, their mean is R squared."""
        return 1 - self(outputs, targets)

    def prior(self, shares: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the mean."""
        return shares


class CrossEntropy(_ValueLoss):
    """Cross entropy of distributions: a target's values sum to 1, outputs are logits.

    Examples
    --------
    >>> CrossEntropy()(torch.zeros(1, 4), torch.full((1, 4), 0.25))
    tensor([1.3863])
    """

    def _of_rows(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return nn.functional.cross_entropy(outputs, targets, reduction="none")

    def score(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return minus the loss."""
        return -self(outputs, targets)

    def prior(self, shares: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the logits of the mean distribution."""
        return _log(shares)


def _means(losses: Tensor, known: Tensor) -> Tensor:
    """Mean loss of each sequence, (n,); 0 of one without tokens.

    Parameters
    ----------
    losses : Tensor of shape (n_tokens,)
    known : Tensor of shape (n, T), bool
        Where the tokens of each sequence are.
    """
    lengths = known.sum(dim=1)
    sequence = torch.arange(len(known), device=known.device)
    of_token = torch.repeat_interleave(sequence, lengths)
    total = losses.new_zeros(len(known)).index_add(0, of_token, losses)
    return total / lengths.clamp_min(1)


def _log(shares: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.log(np.maximum(shares, np.finfo(np.float32).tiny))


_COMPILED = {LogLoss: CLASSES, LabelLoss: LABELS, SquaredError: VALUES}
