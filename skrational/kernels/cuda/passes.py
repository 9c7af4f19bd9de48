"""The passes over a batch of documents, forward and backward: what is launched when."""

from __future__ import annotations

from typing import Any

import torch
import triton
from torch import Tensor

from skrational.kernels.cuda.backward import backward
from skrational.kernels.cuda.batch import Batch
from skrational.kernels.cuda.forward import forward
from skrational.kernels.cuda.gates import activate
from skrational.kernels.cuda.layout import LevelLayout, Slab
from skrational.kernels.cuda.slabs import LANES
from skrational.kernels.cuda.sums import COLUMNS, sum_pieces, sum_rows

__all__ = ["activated", "gradients", "score"]

CHUNK_BYTES = 32
"""Of each gate, what a lane fetches together, token after token. Half of it where more
than gates has to be kept in registers. Twice as much takes five times as long to
compile."""

BLOCK = 1024
"""Gates of a program that makes them."""

TILE = 8
"""Tokens, or pieces, that are fetched together to be summed."""


def activated(z: Tensor) -> Tensor:
    """Turn pre-activations of f, and ``W_u x``, into f and u, in place.

    Parameters
    ----------
    z : Tensor of shape (n_rows, 2 * S)
        Contiguous.

    Returns
    -------
    Tensor
        The same.
    """
    n_rows, n_states = len(z), z.shape[1] // 2
    grid = triton.cdiv(n_rows * n_states, BLOCK), 1
    _launch(activate, grid, z, n_rows, n_states, BLOCK=BLOCK)
    return z


def score(
    gates: Tensor,
    batch: Batch,
    layout: LevelLayout,
    anywhere: bool,
    history: Tensor | None,
) -> Tensor:
    """Run the recurrence.

    Parameters
    ----------
    gates : Tensor of shape (n_rows, 2 * S)
        Of a row first f, then u, by place; see `activated`.
    batch : Batch
    layout : LevelLayout
    anywhere : bool
        Whether the scores after every token are summed.
    history : Tensor of shape (n_tokens, S), or None
        Filled with the states that each token meets, by place, if it is given.

    Returns
    -------
    Tensor of shape (n_documents, S)
        The scores, by column.
    """
    out = gates.new_empty(batch.room.n_documents, layout.n_states)
    if history is None and len(layout.slabs) > 1:
        # A slab reads what the one below has stored.
        history = batch.new_history(gates, layout)
    keep = history is not None
    for slab in layout.slabs:
        _walk(
            forward,
            gates,
            batch,
            layout,
            slab,
            history if keep else out,
            out,
            ANYWHERE=anywhere,
            KEEP_HISTORY=keep,
        )
    return out


def gradients(
    gates: Tensor,
    batch: Batch,
    layout: LevelLayout,
    history: Tensor,
    grad_out: Tensor,
    anywhere: bool,
) -> tuple[Tensor, Tensor]:
    """Differentiate `score`.

    Parameters
    ----------
    gates, batch, layout, anywhere
        As for `score`.
    history : Tensor of shape (n_tokens, S)
        As `score` filled it.
    grad_out : Tensor of shape (n_documents, S)
        Gradient of the scores, by column; contiguous.

    Returns
    -------
    grad_z : Tensor of shape (n_rows, 2 * S)
        Gradient of the pre-activations, and of ``W_u x``.
    grad_bias : Tensor of shape (S,)
        Gradient of the self-loops' bias, by place.
    """
    if batch.repeats:
        adjoints = torch.empty_like(history)
        _walk_back(gates, batch, layout, history, grad_out, adjoints, anywhere)
        grad_z = _sum_over_tokens(gates, batch, layout, history, adjoints)
        ones = gates.new_ones(len(gates))
        return grad_z, grad_z[:, : layout.n_states].T @ ones
    grad_z = torch.empty_like(gates)
    grad_bias = _walk_back(gates, batch, layout, history, grad_out, grad_z, anywhere)
    return grad_z, grad_bias.sum(dim=0)


def _walk_back(
    gates: Tensor,
    batch: Batch,
    layout: LevelLayout,
    history: Tensor,
    grad_out: Tensor,
    stored: Tensor,
    anywhere: bool,
) -> Tensor:
    """Run the adjoint recurrence.

    Parameters
    ----------
    gates, batch, layout, history, grad_out, anywhere
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
    for slab in reversed(layout.slabs):
        _walk(
            backward,
            gates,
            batch,
            layout,
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
    gates: Tensor, batch: Batch, layout: LevelLayout, history: Tensor, adjoints: Tensor
) -> Tensor:
    """Sum the gradients of the rows over the tokens that share them.

    Parameters
    ----------
    gates, batch, layout, history
        As for `gradients`.
    adjoints : Tensor of shape (n_tokens, S)
        Gradients of the states after each token, by place.

    Returns
    -------
    Tensor of shape (n_rows, 2 * S)
    """
    n_states, n_pieces = layout.n_states, batch.room.n_pieces
    n_blocks = triton.cdiv(n_states, COLUMNS.value)
    sums = gates.new_empty(n_pieces, 2 * n_states)
    _launch(
        sum_pieces,
        (n_pieces, n_blocks),
        batch.order,
        batch.starts,
        layout.entered_from,
        n_states,
        history,
        adjoints,
        sums,
        TILE=TILE,
    )
    grad_z = torch.empty_like(gates)
    of_rows = gates, batch.first_pieces, n_states, sums, grad_z
    _launch(sum_rows, (len(gates), n_blocks), *of_rows, TILE=TILE)
    return grad_z


def _walk(
    kernel: Any,
    gates: Tensor,
    batch: Batch,
    layout: LevelLayout,
    slab: Slab,
    *args: Any,
    **constants: Any,
) -> None:
    """Launch a kernel with a program for each document and block of automata.

    Parameters
    ----------
    kernel : Triton kernel
        `forward` or `backward`.
    gates : Tensor of shape (n_rows, 2 * S)
    batch : Batch
    layout : LevelLayout
    slab : Slab
    *args
        What the kernel takes after ``n_states``.
    **constants
        What it has to know when it is compiled, beside what slab and batch say.
    """
    is_full = slab.has_below or slab.has_above
    is_full |= kernel is backward and not batch.repeats
    _launch(
        kernel,
        (batch.room.n_documents, triton.cdiv(slab.n_lanes, LANES.value)),
        gates,
        batch.ids,
        batch.offsets,
        slab.starts,
        layout.columns,
        layout.n_states,
        *args,
        LEVELS=slab.n_levels,
        CHUNK=CHUNK_BYTES // gates.element_size() // (2 if is_full else 1),
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
