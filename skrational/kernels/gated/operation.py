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

from skrational.kernels.cpu.products import multiply_transposed
from skrational.kernels.gated.layout import GateLayout
from skrational.kernels.gated.passes import Kept, backward, forward
from skrational.kernels.recurrent.rows import Tokens, scatter
from skrational.kernels.recurrent.sharing import (
    LEAST_GRADIENT,
    check_on_cpu,
    deal,
    project,
    threads_for,
)
from skrational.utils.buffers import empty
from skrational.utils.compile import read_only
from skrational.utils.threads import run_all, single_thread

__all__ = ["gru_states", "lstm_states"]


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
        cells_width = 0 if layout.sizes.gru else layout.stride
        widths = len(layout.places), layout.stride, cells_width
        self.columns, self.before, self.cells = (
            empty(n_kept, width, dtype=x.dtype) for width in widths
        )
        self.parts = deal(offsets) if layout.sizes.n_units else []
        self.n_multipliers = threads_for(x.numel() * len(self.weight))
        self.n_walkers = threads_for(len(ids) * W_hh.numel())

    def forward(self) -> Tensor:
        """Compute the states, (n_tokens, H)."""
        bias = self.cell.bias[self.layout.from_x]
        project(self.x, self.weight, bias, self.table, self.n_multipliers)
        tokens = Tokens(read_only(self.table.numpy()), self.ids, self.offsets)
        states = empty(len(self.ids), self.layout.sizes.n_units, dtype=self.x.dtype)
        walk = partial(forward, self.cell, tokens, self._kept(), states.numpy())
        run_all([partial(walk, part) for part in self.parts], self.n_walkers)
        return states

    def backward(self, gradient: NDArray[Any]) -> tuple[Tensor, ...]:
        """Return the gradients of the projected rows, W_ih, W_hh and b.

        They are written over the projected rows and over what was kept.
        """
        layout, least = self.layout, LEAST_GRADIENT[self.x.dtype]
        d_bias = np.zeros((len(self.parts), len(self.cell.constants)), gradient.dtype)
        walk = partial(backward, self.cell, self.offsets, self._kept(), gradient, least)
        shares = zip(self.parts, d_bias, strict=True)
        run_all([partial(walk, *share) for share in shares], self.n_walkers)
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

    def _kept(self) -> Kept:
        kept = (self.columns, self.before, self.cells)
        return Kept(*(tensor.numpy().reshape(-1) for tensor in kept))


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
    check_on_cpu(x)
    with single_thread():
        if torch.is_grad_enabled():
            return _States.apply(x, *inputs)
        return _Run(x, *inputs, keep=False).forward()
