"""Adam, with the metric in which its steps are steepest descent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from skrational.kernels.cpu.adam import descend
from skrational.utils.devices import runs_triton
from skrational.utils.uploads import upload

__all__ = ["Adam", "Moments"]

_BETA_1, _BETA_2, _EPS = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Moments:
    """What Adam remembers of the gradients.

    Attributes
    ----------
    n_steps : int
    mean, square : list of Tensor
        Running means of the gradients and of their squares, in the shapes of the
        parameters.
    """

    n_steps: int
    mean: list[Tensor]
    square: list[Tensor]

    def cut_by(self, cut: Callable[[Sequence[Tensor]], list[Tensor]]) -> Moments:
        """Cut what is remembered as pruning has cut the parameters."""
        return Moments(self.n_steps, cut(self.mean), cut(self.square))


class Adam:
    r"""The optimizer of Kingma and Ba, on all parameters as one vector.

    A network of some thousand weights is trained in steps of milliseconds, of which
    calls of small operations, one for each parameter, would be a large part.

    Parameters
    ----------
    parameters : iterable of torch.nn.Parameter
        Moved into one vector, of which each becomes a view.
    learning_rate : float
    weight_decay : float, default=0.0
        Weight of an L2 penalty, whose gradient is added.
    max_grad_norm : float or None, default=None
        Gradients are scaled down to this Euclidean norm.
    moments : Moments or None, default=None
        To go on from. None: it has seen no gradient yet.
    undecayed : iterable of torch.nn.Parameter, default=()
        Parameters that ``weight_decay`` leaves alone.

    Attributes
    ----------
    learning_rate : float
        May be changed between steps.

    References
    ----------
    .. [1] Kingma, Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015,
       algorithm 1. :arxiv:`1412.6980`

    Examples
    --------
    >>> weight = torch.nn.Parameter(torch.tensor([1.0, -1.0]))
    >>> optimizer = Adam([weight], learning_rate=0.1)
    >>> (weight**2).sum().backward()
    >>> optimizer.step()
    >>> weight
    Parameter containing:
    tensor([ 0.9000, -0.9000], requires_grad=True)
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        learning_rate: float,
        weight_decay: float = 0.0,
        max_grad_norm: float | None = None,
        moments: Moments | None = None,
        undecayed: Iterable[nn.Parameter] = (),
    ) -> None:
        self.learning_rate = learning_rate
        self._decays = weight_decay > 0
        self._max_grad_norm = max_grad_norm
        self._parameters = list(parameters)
        self._weights = torch.cat([p.detach().reshape(-1) for p in self._parameters])
        self._gradient = torch.zeros_like(self._weights)
        self._metric = torch.zeros_like(self._weights)
        self._on_cuda = runs_triton(self._weights.device)
        self._constants = self._weights.new_empty(6)
        self._n_steps = 0
        self._mean = torch.zeros_like(self._weights)
        self._square = torch.zeros_like(self._weights)
        if moments is not None:
            self._n_steps = moments.n_steps
            self._mean = torch.cat([v.reshape(-1) for v in moments.mean])
            self._square = torch.cat([v.reshape(-1) for v in moments.square])
        pieces = map(self._split, (self._weights, self._gradient))
        for p, weights, gradient in zip(self._parameters, *pieces, strict=True):
            p.data, p.grad = weights, gradient
        ids = map(id, self._parameters)
        self._metrics = dict(zip(ids, self._split(self._metric), strict=True))
        spared = set(map(id, undecayed))
        self._decay = torch.full_like(self._weights, weight_decay)
        for p, piece in zip(self._parameters, self._split(self._decay), strict=True):
            if id(p) in spared:
                piece.zero_()

    def moments(self) -> Moments:
        """Copy what is remembered of the gradients."""
        mean, square = (self._split(v.clone()) for v in (self._mean, self._square))
        return Moments(self._n_steps, mean, square)

    def _split(self, vector: Tensor) -> list[Tensor]:
        """Views of a vector in the shapes of the parameters."""
        pieces = vector.split([p.numel() for p in self._parameters])
        return [v.view(p.shape) for v, p in zip(pieces, self._parameters, strict=True)]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        self._gradient.zero_()

    def step(self, unclipped: Tensor | None = None) -> None:
        """Take a step along the gradients; ``unclipped`` is that of `move`."""
        self.begin_step()
        self.move(unclipped)

    @property
    def moves_alike(self) -> bool:
        """Whether `move` does the same in each step, on other numbers in its memory."""
        return self._on_cuda

    def begin_step(self) -> None:
        """Count a step: what it takes of numbers that aren't on the device."""
        self._n_steps += 1
        if self._on_cuda:
            constants = torch.tensor(self._step_constants(), dtype=self._weights.dtype)
            self._constants.copy_(upload(constants, self._weights.device))

    @torch.no_grad()
    def move(self, unclipped: Tensor | None = None) -> None:
        """Move the weights along the gradients, in the step that was begun.

        Parameters
        ----------
        unclipped : Tensor or None, default=None
            A scalar whose gradients are added to those of the parameters, and on which
            ``max_grad_norm`` has no say.
        """
        if self._max_grad_norm is not None:
            norm = torch.linalg.vector_norm(self._gradient)
            self._gradient.mul_((self._max_grad_norm / (norm + 1e-6)).clamp_max(1.0))
        if unclipped is not None:
            self._gradient.add_(self._joined_gradient(unclipped))
        if self._on_cuda:
            self._descend_on_cuda()
        elif self._weights.device.type == "cpu":
            self._descend()
        else:
            self._descend_by_tensors()

    def _joined_gradient(self, value: Tensor) -> Tensor:
        """Gradients of a scalar with respect to all parameters, as one vector."""
        trained = [p for p in self._parameters if p.requires_grad]
        found = iter(torch.autograd.grad(value, trained, allow_unused=True))
        gradients = [next(found) if p.requires_grad else None for p in self._parameters]
        pairs = zip(self._parameters, gradients, strict=True)
        return torch.cat(
            [(torch.zeros_like(p) if g is None else g).reshape(-1) for p, g in pairs]
        )

    def _descend(self) -> None:
        """Move the weights, in one compiled pass."""
        vectors = (self._weights, self._gradient, self._mean, self._square)
        weights, *others = (v.numpy() for v in (*vectors, self._metric, self._decay))
        descend(weights, *others, np.array(self._step_constants(), weights.dtype))

    def _descend_on_cuda(self) -> None:
        """Move the weights, as `_descend` does, by one kernel."""
        from skrational.kernels.cuda.adam import descend as descend_on_cuda

        vectors = self._weights, self._gradient, self._mean, self._square
        descend_on_cuda(*vectors, self._metric, self._decay, self._constants)

    def _descend_by_tensors(self) -> None:
        """Move the weights, as `_descend` does, on any device."""
        decays, share, beta_2, correction, eps, rate = self._step_constants()
        if decays:
            self._gradient.addcmul_(self._weights, self._decay)
        self._mean.lerp_(self._gradient, share)
        self._square.mul_(beta_2)
        self._square.addcmul_(self._gradient, self._gradient, value=1 - beta_2)
        torch.sqrt(self._square, out=self._metric).div_(correction).add_(eps)
        self._weights.addcdiv_(self._mean, self._metric, value=-rate)

    def _step_constants(self) -> tuple[float, ...]:
        """Numbers of a step, as `descend` takes them."""
        correction = (1 - _BETA_2**self._n_steps) ** 0.5
        rate = self.learning_rate / (1 - _BETA_1**self._n_steps)
        return self._decays, 1 - _BETA_1, _BETA_2, correction, _EPS, rate

    def metric(self, parameters: Iterable[Tensor]) -> list[Tensor]:
        """Return ``sqrt(v_hat) + eps`` of the last step, in the shapes of parameters.

        The step is the steepest descent in this diagonal metric.
        """
        return [self._metrics[id(p)] for p in parameters]
