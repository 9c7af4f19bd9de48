"""The plus-times recurrence for CUDA: projection and recurrence as one operation."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import triton
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from skrational.kernels.cuda.batch import Batch
from skrational.kernels.cuda.forward import forward
from skrational.kernels.cuda.layout import LevelLayout
from skrational.kernels.cuda.passes import activated, gradients, score

__all__ = ["project", "state_scores"]


def state_scores(
    x: Tensor,
    W_u: Tensor,
    W_f: Tensor,
    b_f: Tensor,
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    lengths: tuple[int, ...],
    *,
    anywhere: bool = False,
    semiring: str = "plus-times",
) -> Tensor:
    """Score every state; see `skrational.kernels.reference.state_scores`.

    Parameters
    ----------
    x, W_u, W_f, b_f : Tensor
        On a CUDA device, or on any where Triton interprets (TRITON_INTERPRET=1);
        all float32 or all float64.
    ids, offsets, lengths, anywhere
        As in the reference.
    semiring : {"plus-times"}, default="plus-times"

    Returns
    -------
    Tensor of shape (n_documents, S)

    Raises
    ------
    ValueError
        If the semiring, the type or the device is another.

    References
    ----------
    .. [1] Dodge, Schwartz, Peng, Smith, "RNN Architecture Learning with Sparse
       Regularization", EMNLP 2019, section 2. :arxiv:`1909.03011`
    """
    if semiring != "plus-times":
        raise ValueError(f"the CUDA kernel computes plus-times; got {semiring}.")
    tensors = x, W_u, W_f, b_f
    types = {tensor.dtype for tensor in tensors}
    if types not in ({torch.float32}, {torch.float64}):
        names = ", ".join(sorted(map(str, types)))
        raise ValueError(f"the CUDA kernel takes float32 or float64; got {names}.")
    if x.device.type != "cuda" and isinstance(forward, triton.JITFunction):
        raise ValueError(f"the CUDA kernel takes CUDA tensors; got {x.device}.")
    layout = LevelLayout.of(tuple(lengths), x.device)
    batch = Batch.of(ids, offsets, len(x), x.device)
    if torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors):
        return _StateScores.apply(*tensors, batch, layout, anywhere)
    _, gates = project(*tensors, layout)
    return score(gates, batch, layout, anywhere, None)


class _StateScores(torch.autograd.Function):
    """Projection and recurrence as one differentiable operation."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        W_u: Tensor,
        W_f: Tensor,
        b_f: Tensor,
        batch: Batch,
        layout: LevelLayout,
        anywhere: bool,
    ) -> Tensor:
        weight, gates = project(x, W_u, W_f, b_f, layout)
        history = batch.new_history(gates, layout)
        ctx.save_for_backward(x, weight, gates, history)
        ctx.constants = batch, layout, anywhere
        return score(gates, batch, layout, anywhere, history)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, weight, gates, history = ctx.saved_tensors
        batch, layout, anywhere = ctx.constants
        grad_z, grad_b = gradients(
            gates, batch, layout, history, grad.contiguous(), anywhere
        )
        places = layout.places
        grad_f, grad_u = (grad_z.T @ x).chunk(2)
        return (
            grad_z @ weight if ctx.needs_input_grad[0] else None,
            grad_u[places],
            grad_f[places],
            grad_b[places],
            None,
            None,
            None,
        )


def project(
    x: Tensor, W_u: Tensor, W_f: Tensor, b_f: Tensor, layout: LevelLayout
) -> tuple[Tensor, Tensor]:
    """Project rows to gates.

    Parameters
    ----------
    x : Tensor of shape (n_rows, E)
    W_u, W_f : Tensor of shape (S, E)
    b_f : Tensor of shape (S,)
    layout : LevelLayout

    Returns
    -------
    weight : Tensor of shape (2 * S, E)
        The rows of W_f, then those of W_u, by place.
    gates : Tensor of shape (n_rows, 2 * S)
        Of a row first f, then u, by place.
    """
    columns = layout.columns
    weight = torch.cat([W_f[columns], W_u[columns]])
    bias = torch.cat([b_f[columns], torch.zeros_like(b_f)])
    return weight, activated(torch.addmm(bias, x, weight.T))
