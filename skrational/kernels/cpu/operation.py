"""The recurrence for the CPU: projection and recurrence as one operation.

A pass is cut into tasks: tiles of the matrix products, and the chains of slabs
(`kernels.layout`) that run over the documents. Tasks may run on several threads; what
each computes does not depend on it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.cpu.layout import SlabLayout
from skrational.kernels.cpu.products import TILE_ROWS, cut, multiply_transposed
from skrational.kernels.cpu.readout import read_out, read_out_backward
from skrational.kernels.cpu.recurrences import Recurrence, recurrence_of
from skrational.kernels.cpu.slabs import SLAB, STRIDE, Gradients, Walk
from skrational.utils.buffers import empty
from skrational.utils.compile import read_only
from skrational.utils.simd import LANES
from skrational.utils.threads import given_threads, run_all

__all__ = ["document_scores", "state_scores"]

_LEAST_ADJOINT = {torch.float32: 1e-30, torch.float64: 1e-290}
_LEAST_PRODUCT, _LEAST_WALK = 2**26, 2**17
"""Multiplications of a product, and tokens times slabs of a recurrence, below which
sharing costs more than it saves."""


class _Run:
    """One pass over a batch: what its tasks, forward and backward, work on.

    Parameters
    ----------
    x : Tensor of shape (n_rows, E)
    weight : Tensor of shape (n_slabs * 64, E)
    bias : ndarray of shape (n_slabs * 32,)
    ids, offsets : ndarray
    layout : SlabLayout
    recurrence : Recurrence
    anywhere : bool
    keep : bool
        Whether a backward pass may follow.
    """

    def __init__(
        self,
        x: Tensor,
        weight: Tensor,
        bias: NDArray[Any],
        ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        layout: SlabLayout,
        recurrence: Recurrence,
        anywhere: bool,
        keep: bool,
    ) -> None:
        # Helper threads don't know that gradients aren't recorded here.
        self.x, self.weight, self.bias = x.detach(), weight, bias
        self.ids, self.offsets = read_only(ids), read_only(offsets)
        self.layout, self.recurrence, self.anywhere = layout, recurrence, anywhere
        # Each row is read once, in order: f and u need no pass of their own.
        self.fresh = len(ids) == len(x) and np.array_equal(ids, np.arange(len(x)))
        n_slabs, dtype = layout.n_slabs, bias.dtype
        self.table = empty(len(x), n_slabs * 2 * SLAB, dtype=x.dtype)
        self.links = layout.links_as(dtype)
        self.out = np.empty((n_slabs, (len(offsets) - 1) * SLAB), dtype)
        n_slots = len(ids) // STRIDE + len(offsets) if keep else 0
        self.saved = np.empty((n_slabs, n_slots * recurrence.n_saved), dtype)
        n_levels = len(ids) * LANES if layout.goes_on_below else 0
        self.last_levels = np.empty((n_slabs, n_levels), dtype)
        n_threads = given_threads()
        large_product = x.numel() * len(weight) >= _LEAST_PRODUCT
        self.n_multipliers = n_threads if large_product else 1
        large_walk = len(ids) * n_slabs >= _LEAST_WALK
        self.n_walkers = n_threads if large_walk else 1

    def forward(self) -> NDArray[Any]:
        """Score the states, (n_slabs, B * 32)."""
        tiles = cut(len(self.x), TILE_ROWS)
        run_all([partial(self._project, tile) for tile in tiles], self.n_multipliers)
        self._walk(self._forward)
        return self.out

    def backward(self, grad_out: NDArray[Any]) -> tuple[Tensor, Tensor, NDArray[Any]]:
        """Return the gradients of the projected rows, the weight and the bias.

        ``grad_out`` has the shape (n_slabs, B * 32).
        """
        grad = self.table
        if not self.fresh:
            grad = empty(*self.table.shape, dtype=self.table.dtype).zero_()
        grad_bias = np.empty_like(self.bias)
        least = _LEAST_ADJOINT[grad.dtype]
        gradients = Gradients(grad_out, grad.numpy(), grad_bias, least)
        self._walk(partial(self._backward, gradients))
        grad_weight = multiply_transposed(grad, self.x, self.n_multipliers)
        return grad, grad_weight, grad_bias

    def _walk(self, task: Callable[[tuple[int, int]], None]) -> None:
        """Run the slabs over the documents."""
        shares = self.layout.shares(self.n_walkers)
        run_all([partial(task, slabs) for slabs in shares], self.n_walkers)

    def _project(self, tile: slice) -> None:
        rows = self.table[tile]
        torch.mm(self.x[tile], self.weight.T, out=rows)
        if not self.fresh:
            self.recurrence.activate(rows.numpy(), self.bias)

    def _forward(self, slabs: tuple[int, int]) -> None:
        filled = self.saved, self.last_levels, self.out
        self.recurrence.forward(self._reads(), slabs, *filled)

    def _reads(self) -> Walk:
        """What the compiled runs read."""
        return Walk(
            self.table.numpy(),
            self.ids,
            self.offsets,
            self.links,
            self.bias,
            self.fresh,
            self.anywhere,
        )

    def _backward(self, gradients: Gradients, slabs: tuple[int, int]) -> None:
        left = self.saved, self.last_levels
        self.recurrence.backward(self._reads(), slabs, *left, gradients)


class _DocumentScores(torch.autograd.Function):
    """Projection, recurrence and readout as one differentiable operation."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        W_u: Tensor,
        W_f: Tensor,
        b_f: Tensor,
        final: Tensor,
        scale: NDArray[Any],
        readers: NDArray[np.int64],
        run_of: Callable[..., _Run],
    ) -> Tensor:
        run = run_of(x, W_u, W_f, b_f, keep=True)
        ctx.run, ctx.final, ctx.scale, ctx.readers = run, final.detach(), scale, readers
        ctx.used = False
        return _read_out(run.forward(), run.layout, readers, ctx.final, scale)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        run, layout = ctx.run, ctx.run.layout
        if ctx.used and run.fresh:
            # The first backward pass wrote its gradients over the table.
            run.forward()
        ctx.used = True
        grad_states, grad_final = np.empty_like(run.out), torch.empty_like(ctx.final)
        read_out_backward(
            run.out,
            layout.columns,
            ctx.readers,
            ctx.final.numpy(),
            ctx.scale,
            grad.contiguous().numpy(),
            grad_states,
            grad_final.numpy(),
        )
        grad_z, grad_weight, grad_bias = run.backward(grad_states)
        return (
            grad_z @ run.weight if ctx.needs_input_grad[0] else None,
            grad_weight.index_select(0, torch.from_numpy(layout.u_rows)),
            grad_weight.index_select(0, torch.from_numpy(layout.f_rows)),
            torch.from_numpy(grad_bias[layout.columns]),
            grad_final if ctx.needs_input_grad[4] else None,
            None,
            None,
            None,
        )


def _read_out(
    states: NDArray[Any],
    layout: SlabLayout,
    readers: NDArray[np.int64],
    final: Tensor,
    scale: NDArray[Any],
) -> Tensor:
    """Sum weighted states to scores, (B, n_scores).

    Parameters
    ----------
    states : ndarray of shape (n_slabs, B * 32)
    layout : SlabLayout
    readers : ndarray of shape (S,), int64
        The score that each state adds to.
    final : Tensor of shape (S,)
    scale : ndarray of shape (B,)
    """
    n_scores = int(readers[-1]) + 1 if len(readers) else 0
    scores = np.empty((len(scale), n_scores), states.dtype)
    read_out(states, layout.columns, readers, final.numpy(), scale, scores)
    return torch.from_numpy(scores)


def document_scores(
    x: Tensor,
    W_u: Tensor,
    W_f: Tensor,
    b_f: Tensor,
    final: Tensor,
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    lengths: tuple[int, ...],
    *,
    anywhere: bool = False,
    semiring: str = "plus-times",
    length_exponent: float = 0.0,
) -> Tensor:
    """Score every automaton; see `skrational.kernels.reference.document_scores`.

    Raises
    ------
    ValueError
        If a tensor isn't on the CPU.
    """
    layout = _layout(x, lengths)
    scale = np.ones(len(offsets) - 1, x.detach().numpy().dtype)
    if length_exponent:
        scale[:] = np.maximum(np.diff(offsets), 1) ** -float(length_exponent)
    run_of = _runner(ids, offsets, layout, recurrence_of(semiring), anywhere)
    return _score(run_of, (x, W_u, W_f, b_f, final), layout.wfsa, scale)


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

    Raises
    ------
    ValueError
        If a tensor isn't on the CPU.
    """
    layout = _layout(x, lengths)
    every_state = np.arange(sum(lengths))
    scale = np.ones(len(offsets) - 1, x.detach().numpy().dtype)
    run_of = _runner(ids, offsets, layout, recurrence_of(semiring), anywhere)
    return _score(run_of, (x, W_u, W_f, b_f, torch.ones_like(b_f)), every_state, scale)


def _layout(x: Tensor, lengths: tuple[int, ...]) -> SlabLayout:
    if x.device.type != "cpu":
        raise ValueError(
            f"the numba kernel computes on the CPU; got a tensor on {x.device.type}."
        )
    return SlabLayout.of(tuple(lengths))


def _runner(
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    layout: SlabLayout,
    recurrence: Recurrence,
    anywhere: bool,
) -> Callable[..., _Run]:
    """Make a function that begins a pass over these documents.

    Parameters
    ----------
    ids : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (B + 1,), int64
    layout : SlabLayout
    recurrence : Recurrence
    anywhere : bool
    """

    def run_of(x: Tensor, W_u: Tensor, W_f: Tensor, b_f: Tensor, keep: bool) -> _Run:
        # Torch's memory is aligned, on which the last bit of a product may depend.
        padding = W_u.new_zeros(1, W_u.shape[1])
        sources = torch.from_numpy(layout.sources)
        weight = torch.cat([W_f, W_u, padding]).index_select(0, sources)
        bias = layout.pack_bias(b_f.detach().numpy())
        documents = ids, offsets, layout
        return _Run(x, weight, bias, *documents, recurrence, anywhere, keep)

    return run_of


def _score(
    run_of: Callable[..., _Run],
    inputs: tuple[Tensor, Tensor, Tensor, Tensor, Tensor],
    readers: NDArray[np.int64],
    scale: NDArray[Any],
) -> Tensor:
    """Run over the documents and sum the states.

    Parameters
    ----------
    run_of : callable
        From `_runner`.
    inputs : tuple of Tensor
        x (n_rows, E), W_u and W_f (S, E), b_f and final (S,), which may need gradients.
    readers : ndarray of shape (S,), int64
    scale : ndarray of shape (B,)
    """
    if torch.is_grad_enabled():
        return _DocumentScores.apply(*inputs, scale, readers, run_of)
    *weights, final = inputs
    run = run_of(*weights, keep=False)
    return _read_out(run.forward(), run.layout, readers, final.detach(), scale)
