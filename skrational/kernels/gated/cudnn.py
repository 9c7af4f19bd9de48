"""The gated recurrences for CUDA: cuDNN's, through torch.

cuDNN knows no constant gates: it is given a row of zeros for each of them, as the
reference says that they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.gated.reference import with_constants
from skrational.kernels.gated.steps import steps_of

__all__ = ["gru_states", "lstm_states"]


def lstm_states(x: Tensor, W_ih: Tensor, W_hh: Tensor, b: Tensor, *args: Any) -> Tensor:
    """Run an LSTM; see `skrational.kernels.gated.reference.lstm_states`."""

    def run(tokens: Tensor, sizes: Tensor, h: Tensor, *weights: Tensor) -> Tensor:
        return torch.lstm(tokens, sizes, (h, h), weights, *_ONE_LAYER)[0]

    return _states(run, x, W_ih, W_hh, (b, torch.zeros_like(b)), *args)


def gru_states(x: Tensor, W_ih: Tensor, W_hh: Tensor, b: Tensor, *args: Any) -> Tensor:
    """Run a GRU; see `skrational.kernels.gated.reference.gru_states`."""
    learned = args[-1]
    b_hn = b[3] * torch.from_numpy(learned[2]).to(b)
    inner = torch.cat([torch.zeros_like(b[:2]), b_hn[None]])

    def run(tokens: Tensor, sizes: Tensor, h: Tensor, *weights: Tensor) -> Tensor:
        return torch.gru(tokens, sizes, h, weights, *_ONE_LAYER)[0]

    return _states(run, x, W_ih, W_hh, (b[:3], inner), *args)


_ONE_LAYER = (True, 1, 0.0, True, False)
"""With biases, one layer, no dropout, in training, from left to right."""


def _states(
    run: Callable[..., Tensor],
    x: Tensor,
    W_ih: Tensor,
    W_hh: Tensor,
    biases: tuple[Tensor, Tensor],
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    learned: NDArray[np.bool_],
) -> Tensor:
    """Pack the tokens step by step, run, and put the states back in order.

    Parameters
    ----------
    run : callable
        Takes tokens (n_tokens, E), how many there are at each step, the first state
        (1, n_documents, H) and four tensors of weights; returns states (n_tokens, H).
    x : Tensor of shape (n_rows, E)
    W_ih, W_hh : Tensor of shape (M, E) and (M, H)
    biases : tuple of Tensor
        Those of the input and of the state, of as many numbers as there are gates.
    ids : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (n_documents + 1,), int64
    learned : ndarray of bool
    """
    n_units = W_hh.shape[1]
    if not len(ids) or not n_units:
        return x.new_zeros(len(ids), n_units)
    steps = steps_of(offsets)
    sizes = torch.from_numpy(np.diff(steps.starts))
    weights = _in_one_piece(
        with_constants(W_ih, learned),
        with_constants(W_hh, learned),
        *(b.flatten() for b in biases),
    )
    rows, places = (
        torch.from_numpy(index.astype(np.int64)).to(x.device)
        for index in (ids[steps.tokens], np.argsort(steps.tokens))
    )
    first = x.new_zeros(1, int(sizes[0]), n_units)
    return _InFullPrecision.apply(run, sizes, x[rows], first, *weights)[places]


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
