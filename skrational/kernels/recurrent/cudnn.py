"""Recurrences for CUDA: cuDNN's, through torch, in full precision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.recurrent.steps import steps_of

__all__ = ["ONE_LAYER", "Layer", "run_layer"]

Layer: TypeAlias = Callable[..., Tensor]
"""Takes tokens (n_tokens, E), how many there are at each step, the first state
(1, n_documents, H) and four tensors of weights; returns states (n_tokens, H)."""

ONE_LAYER = (True, 1, 0.0, True, False)
"""With biases, one layer, no dropout, in training, from left to right."""


def run_layer(
    run: Layer,
    x: Tensor,
    weights: tuple[Tensor, Tensor, Tensor, Tensor],
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
) -> Tensor:
    """Pack the tokens step by step, run, and put the states back in order.

    Parameters
    ----------
    run : Layer
    x : Tensor of shape (n_rows, E)
    weights : tuple of Tensor
        Of the input, (G, E), of the state, (G, H), and the biases of both, (G,).
    ids : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (n_documents + 1,), int64

    Returns
    -------
    Tensor of shape (n_tokens, H)
    """
    n_units = weights[1].shape[1]
    if not len(ids) or not n_units:
        return x.new_zeros(len(ids), n_units)
    steps = steps_of(offsets)
    sizes = torch.from_numpy(np.diff(steps.starts))
    rows, places = (
        torch.from_numpy(index.astype(np.int64)).to(x.device)
        for index in (ids[steps.tokens], np.argsort(steps.tokens))
    )
    first = x.new_zeros(1, int(sizes[0]), n_units)
    inputs = x[rows], first, *_in_one_piece(*weights)
    return _InFullPrecision.apply(run, sizes, *inputs)[places]


def _full_precision() -> Any:
    """Forbid TF32, which cuDNN may use for float32: ten bits of mantissa."""
    return torch.backends.cudnn.flags(enabled=True, allow_tf32=False)


class _InFullPrecision(torch.autograd.Function):
    """Run in full precision, forward and backward."""

    @staticmethod
    def forward(
        ctx: Any, run: Callable[..., Tensor], sizes: Tensor, *inputs: Tensor
    ) -> Tensor:
        ctx.inputs = [v.detach().requires_grad_(v.requires_grad) for v in inputs]
        tokens, *rest = ctx.inputs
        with torch.enable_grad(), _full_precision():
            ctx.states = run(tokens, sizes, *rest)
        return ctx.states.detach()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        wanted = [v for v in ctx.inputs if v.requires_grad]
        with _full_precision():
            found = iter(torch.autograd.grad(ctx.states, wanted, gradient, True))
        gradients = (next(found) if v.requires_grad else None for v in ctx.inputs)
        return None, None, *gradients


def _in_one_piece(*weights: Tensor) -> Sequence[Tensor]:
    """Views of one piece of memory, which cuDNN would else make at each call."""
    memory = torch.cat([w.flatten() for w in weights])
    pieces = memory.split([w.numel() for w in weights])
    return [v.view(w.shape) for v, w in zip(pieces, weights, strict=True)]
