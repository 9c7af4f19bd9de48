"""The passes over a batch of documents, forward and backward: what is launched when."""

from __future__ import annotations

from typing import Any

import torch
import triton
from torch import Tensor

from skrational.kernels.cuda.backward import backward
from skrational.kernels.cuda.batch import Batch
from skrational.kernels.cuda.forward import forward
from skrational.kernels.cuda.layout import Slab
from skrational.kernels.cuda.slabs import LANES
from skrational.kernels.cuda.sums import COLUMNS, sum_pieces, sum_rows

__all__ = ["gradients", "score"]


def score(z: Tensor, batch: Batch, anywhere: bool, history: Tensor | None) -> Tensor:
    """Run the recurrence.

    Parameters
    ----------
    z : Tensor of shape (n_rows, 2 * S)
        Pre-activations by place: of a row first those of f, then ``W_u x``.
    batch : Batch
    anywhere : bool
        Whether the scores after every token are summed.
    history : Tensor of shape (n_tokens, S), or None
        Filled with the states that each token meets, by place, if it is given.

    Returns
    -------
    Tensor of shape (n_documents, S)
        The scores, by column.
    """
    out = z.new_empty(batch.n_documents, batch.layout.n_states)
    if history is None and len(batch.layout.slabs) > 1:
        # A slab reads what the one below has stored.
        history = batch.new_history(z)
    keep = history is not None
    for slab in batch.layout.slabs:
        _walk(
            forward,
            z,
            batch,
            slab,
            history if keep else out,
            out,
            ANYWHERE=anywhere,
            KEEP_HISTORY=keep,
        )
    return out


def gradients(
    z: Tensor, batch: Batch, history: Tensor, grad_out: Tensor, anywhere: bool
) -> tuple[Tensor, Tensor]:
    """Differentiate `score`.

    Parameters
    ----------
    z, batch, anywhere
        As for `score`.
    history : Tensor of shape (n_tokens, S)
        As `score` filled it.
    grad_out : Tensor of shape (n_documents, S)
        Gradient of the scores, by column; contiguous.

    Returns
    -------
    grad_z : Tensor of shape (n_rows, 2 * S)
        Gradient of ``z``.
    grad_bias : Tensor of shape (S,)
        Gradient of the self-loops' bias, by place.
    """
    if batch.repeats:
        adjoints = torch.empty_like(history)
        _walk_back(z, batch, history, grad_out, adjoints, anywhere)
        grad_z = _sum_over_tokens(z, batch, history, adjoints)
        return grad_z, grad_z[:, : batch.layout.n_states].sum(dim=0)
    grad_z = torch.empty_like(z)
    grad_bias = _walk_back(z, batch, history, grad_out, grad_z, anywhere)
    return grad_z, grad_bias.sum(dim=0)


def _walk_back(
    z: Tensor,
    batch: Batch,
    history: Tensor,
    grad_out: Tensor,
    stored: Tensor,
    anywhere: bool,
) -> Tensor:
    """Run the adjoint recurrence.

    Parameters
    ----------
    z, batch, history, grad_out, anywhere
        As for `gradients`.
    stored : Tensor of shape (n_tokens, S) if rows repeat, else (n_tokens, 2 * S)
        Filled with adjoints, or gradients; see
        `skrational.kernels.cuda.backward.backward`.

    Returns
    -------
    Tensor of shape (n_documents, S)
        Gradient of the bias, by place; arbitrary if rows repeat.
    """
    grad_bias = torch.empty_like(grad_out)
    for slab in reversed(batch.layout.slabs):
        _walk(
            backward,
            z,
            batch,
            slab,
            history,
            grad_out,
            stored,
            grad_bias,
            ANYWHERE=anywhere,
            HAS_ABOVE=slab.has_above,
        )
    return grad_bias


def _sum_over_tokens(
    z: Tensor, batch: Batch, history: Tensor, adjoints: Tensor
) -> Tensor:
    """Sum the gradients of the rows over the tokens that share them.

    Parameters
    ----------
    z, batch, history
        As for `gradients`.
    adjoints : Tensor of shape (n_tokens, S)
        Gradients of the states after each token, by place.

    Returns
    -------
    Tensor of shape (n_rows, 2 * S)
    """
    n_states = batch.layout.n_states
    n_blocks = triton.cdiv(n_states, COLUMNS.value)
    order, starts, first_pieces = batch.pieces(len(z))
    sums = z.new_empty(len(starts) - 1, 2 * n_states)
    _launch(
        sum_pieces,
        (len(sums), n_blocks),
        order,
        starts,
        batch.layout.entered_from,
        n_states,
        history,
        adjoints,
        sums,
    )
    grad_z = torch.empty_like(z)
    _launch(sum_rows, (len(z), n_blocks), z, first_pieces, n_states, sums, grad_z)
    return grad_z


def _walk(
    kernel: Any, z: Tensor, batch: Batch, slab: Slab, *args: Any, **constants: Any
) -> None:
    """Launch a kernel with a program for each document and block of automata.

    Parameters
    ----------
    kernel : Triton kernel
        `forward` or `backward`.
    z : Tensor of shape (n_rows, 2 * S)
    batch : Batch
    slab : Slab
    *args
        What the kernel takes after ``n_states``.
    **constants
        What it has to know when it is compiled, beside what slab and batch say.
    """
    _launch(
        kernel,
        (batch.n_documents, triton.cdiv(slab.n_lanes, LANES.value)),
        z,
        batch.device_ids,
        batch.offsets,
        slab.starts,
        batch.layout.columns,
        batch.layout.n_states,
        *args,
        LEVELS=slab.n_levels,
        HAS_BELOW=slab.has_below,
        REPEATS=batch.repeats,
        num_warps=1,
        **constants,
    )


def _launch(kernel: Any, grid: tuple[int, int], *args: Any, **options: Any) -> None:
    """Run a kernel on the device of its first argument, unless the grid is empty.

    Parameters
    ----------
    kernel : Triton kernel
    grid : tuple of two int
        Programs.
    *args, **options
        What the kernel takes, and how it is compiled.
    """
    if all(grid):
        with torch.cuda.device_of(args[0]):
            kernel[grid](*args, enable_fp_fusion=True, **options)
