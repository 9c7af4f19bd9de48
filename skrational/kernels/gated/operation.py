"""The gated recurrences for the CPU: projection and recurrence as one operation.

Distinct rows are projected once. The documents are dealt to a few parts, the same for
any number of threads, and one thread computes a part.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.cpu.products import TILE_ROWS, cut, multiply_transposed
from skrational.kernels.gated.layout import GateLayout
from skrational.kernels.gated.passes import Kept, Tokens, backward, forward, scatter
from skrational.kernels.gated.slots import SLOTS
from skrational.utils.buffers import empty
from skrational.utils.compile import read_only
from skrational.utils.threads import given_threads, run_all, single_thread

__all__ = ["gru_states", "lstm_states"]

_LEAST_GRADIENT = {torch.float32: 1e-30, torch.float64: 1e-290}
_MOST_PARTS = 4
_LEAST_WORK = 2**26
"""Multiplications below which sharing them among threads costs more than it saves."""


class _Run:
    """One pass over a batch, forward and backward.

    Parameters
    ----------
    x, W_ih, W_hh, b : Tensor
    ids, offsets, learned : ndarray
        As for `skrational.kernels.gated.reference.lstm_states`.
    keep : bool
        Whether a backward pass may follow.
    """

    def __init__(
        self,
        x: Tensor,
        W_ih: Tensor,
        W_hh: Tensor,
        b: Tensor,
        ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        learned: NDArray[np.bool_],
        *,
        keep: bool,
    ) -> None:
        self.layout = layout = GateLayout.of(learned)
        self.x, self.ids, self.offsets = x.detach(), read_only(ids), read_only(offsets)
        # Torch's memory is aligned, on which the last bit of a product may depend.
        padded = torch.cat([W_ih.detach(), W_ih.new_zeros(1, W_ih.shape[1])])
        self.weight = padded[torch.from_numpy(layout.sources[layout.from_x])]
        self.cell = layout.cell(W_hh.detach().numpy(), b.detach().numpy())
        self.table = empty(len(x), len(self.weight), dtype=x.dtype)
        n_kept = len(ids) if keep else 0
        widths = (
            len(layout.places),
            layout.stride,
            0 if layout.sizes.gru else layout.stride,
        )
        self.columns, self.before, self.cells = (
            empty(n_kept, width, dtype=x.dtype) for width in widths
        )
        self.parts = _deal(offsets) if layout.sizes.n_units else []
        work = x.numel() * len(self.weight), len(ids) * W_hh.numel()
        self.n_multipliers, self.n_walkers = (
            given_threads() if size >= _LEAST_WORK else 1 for size in work
        )

    def forward(self) -> Tensor:
        """Compute the states, (n_tokens, H)."""
        tiles = cut(len(self.x), TILE_ROWS)
        run_all([partial(self._project, tile) for tile in tiles], self.n_multipliers)
        tokens = Tokens(read_only(self.table.numpy()), self.ids, self.offsets)
        states = empty(len(self.ids), self.layout.sizes.n_units, dtype=self.x.dtype)
        tasks = [
            partial(forward, self.cell, tokens, part, self._kept(), states.numpy())
            for part in self.parts
        ]
        run_all(tasks, self.n_walkers)
        return states

    def backward(self, gradient: NDArray[Any]) -> tuple[Tensor, ...]:
        """Return the gradients of the projected rows, W_ih, W_hh and b.

        They are written over the projected rows and over what was kept.
        """
        layout = self.layout
        least = _LEAST_GRADIENT[self.x.dtype]
        d_bias = np.zeros((len(self.parts), len(self.cell.constants)), gradient.dtype)
        tasks = [
            partial(
                backward,
                self.cell,
                self.offsets,
                part,
                self._kept(),
                gradient,
                least,
                d,
            )
            for part, d in zip(self.parts, d_bias, strict=True)
        ]
        run_all(tasks, self.n_walkers)
        scatter(self.columns.numpy(), layout.from_x.start, self.ids, self.table.numpy())
        # The larger matrix on the right: torch is faster so.
        d_input = multiply_transposed(self.x, self.table, self.n_multipliers).T
        d_hidden = multiply_transposed(
            self.before[:, : layout.sizes.n_units],
            self.columns[:, layout.from_h],
            self.n_walkers,
        ).T
        return (
            self.table,
            d_input[torch.from_numpy(layout.rows(layout.from_x))],
            d_hidden[torch.from_numpy(layout.rows(layout.from_h))],
            torch.from_numpy(layout.unpack_bias(d_bias.sum(axis=0))),
        )

    def _project(self, tile: slice) -> None:
        bias = torch.from_numpy(self.cell.bias[self.layout.from_x])
        torch.addmm(bias, self.x[tile], self.weight.T, out=self.table[tile])

    def _kept(self) -> Kept:
        kept = (self.columns, self.before, self.cells)
        return Kept(*(tensor.numpy().reshape(-1) for tensor in kept))


def _deal(offsets: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Deal documents to parts of about as many tokens, the longest ones first."""
    longest_first = np.argsort(-np.diff(offsets), kind="stable")
    n_parts = max(1, min(_MOST_PARTS, len(longest_first) // SLOTS))
    return [longest_first[i::n_parts].copy() for i in range(n_parts)]


class _States(torch.autograd.Function):
    """Projection and recurrence as one differentiable operation."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        ctx.run, ctx.used = _Run(*inputs, keep=True), False
        return ctx.run.forward()

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        with single_thread():
            if ctx.used:
                # The first backward pass wrote its gradients over what was kept.
                ctx.run.forward()
            ctx.used = True
            d_rows, *d_weights = ctx.run.backward(grad.contiguous().numpy())
            d_x = d_rows @ ctx.run.weight if ctx.needs_input_grad[0] else None
        return d_x, *d_weights, None, None, None


def lstm_states(*inputs: Any) -> Tensor:
    """Run an LSTM; see `skrational.kernels.gated.reference.lstm_states`.

    Raises
    ------
    ValueError
        If a tensor isn't on the CPU.
    """
    return _states(*inputs)


def gru_states(*inputs: Any) -> Tensor:
    """Run a GRU; see `skrational.kernels.gated.reference.gru_states`.

    Raises
    ------
    ValueError
        If a tensor isn't on the CPU.
    """
    return _states(*inputs)


def _states(x: Tensor, *inputs: Any) -> Tensor:
    if x.device.type != "cpu":
        raise ValueError(
            f"the numba kernel computes on the CPU; got x on {x.device.type}."
        )
    with single_thread():
        if torch.is_grad_enabled():
            return _States.apply(x, *inputs)
        return _Run(x, *inputs, keep=False).forward()
