"""The Elman recurrence for the CPU: projection and recurrence as one operation.

Distinct rows are projected once. The way back needs the states alone, so that nothing
else is kept for it.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.cpu.products import multiply_transposed
from skrational.kernels.elman.passes import Recurrence, backward, forward, pad_units
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

__all__ = ["elman_states"]


class _Run:
    """One pass over a batch, forward and backward.

    Parameters
    ----------
    x, W_ih, W_hh, b : Tensor
    ids, offsets : ndarray
    activation : str
        As for `skrational.kernels.elman.reference.elman_states`.
    """

    def __init__(
        self,
        x: Tensor,
        W_ih: Tensor,
        W_hh: Tensor,
        b: Tensor,
        ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        activation: str,
    ) -> None:
        self.x, self.ids, self.offsets = x.detach(), read_only(ids), read_only(offsets)
        self.n_units = len(b)
        self.recurrence = Recurrence.of(W_hh.detach().numpy(), activation)
        self.bias = pad_units(b.detach().numpy())
        # Torch's memory is aligned, on which the last bit of a product may depend.
        missing = len(self.bias) - self.n_units
        self.weight = torch.nn.functional.pad(W_ih.detach(), (0, 0, 0, missing)).clone()
        self.table = empty(len(x), len(self.bias), dtype=x.dtype)
        self.states = empty(len(ids), len(self.bias), dtype=x.dtype)
        self.parts = deal(offsets) if self.n_units else []
        self.n_multipliers = threads_for(x.numel() * len(self.weight))
        self.n_walkers = threads_for(len(ids) * W_hh.numel())

    def forward(self) -> Tensor:
        """Compute the states, (n_tokens, H)."""
        project(self.x, self.weight, self.bias, self.table, self.n_multipliers)
        tokens = Tokens(read_only(self.table.numpy()), self.ids, self.offsets)
        walk = partial(
            forward, self.recurrence, tokens, self.states.numpy().reshape(-1)
        )
        run_all([partial(walk, part) for part in self.parts], self.n_walkers)
        return self.states[:, : self.n_units]

    def backward(self, gradient: NDArray[Any]) -> tuple[Tensor, ...]:
        """Return the gradients of the projected rows, W_ih, W_hh and b.

        Those of the states are given, (n_tokens * H,).
        """
        rows = empty(*self.states.shape, dtype=self.x.dtype)
        states, d_rows = (a.numpy().reshape(-1) for a in (self.states, rows))
        least = LEAST_GRADIENT[self.x.dtype]
        walk = partial(backward, self.recurrence, self.offsets, states, gradient, least)
        run_all([partial(walk, part, d_rows) for part in self.parts], self.n_walkers)
        # The projected rows are of no more use.
        d_table = self.table
        scatter(rows.numpy(), 0, self.ids, d_table.numpy())
        # The larger matrix on the right: torch is faster so.
        d_input = multiply_transposed(self.x, d_table, self.n_multipliers).T
        d_hidden = self._d_hidden(rows)
        n = self.n_units
        return d_table, d_input[:n], d_hidden[:n, :n], d_table.sum(0)[:n]

    def _d_hidden(self, rows: Tensor) -> Tensor:
        """Pair each token's gradients with the states before it, which are one up."""
        is_filled = np.diff(self.offsets) > 0
        rows[torch.from_numpy(self.offsets[:-1][is_filled])] = 0
        return multiply_transposed(self.states[:-1], rows[1:], self.n_walkers).T


class _States(torch.autograd.Function):
    """Projection and recurrence as one differentiable operation."""

    @staticmethod
    def forward(ctx: Any, *inputs: Any) -> Tensor:
        ctx.run = _Run(*inputs)
        states = ctx.run.forward()
        # The way back reads the states: torch then refuses to if they were written to.
        ctx.save_for_backward(ctx.run.states)
        return states

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        ctx.saved_tensors  # noqa: B018
        with single_thread():
            d_rows, *d_weights = ctx.run.backward(grad.flatten().numpy())
            d_x = d_rows @ ctx.run.weight if ctx.needs_input_grad[0] else None
        return d_x, *d_weights, None, None, None


def elman_states(x: Tensor, *inputs: Any) -> Tensor:
    """Run an Elman network; see `skrational.kernels.elman.reference.elman_states`.

    Raises
    ------
    ValueError
        If a tensor isn't on the CPU.
    """
    check_on_cpu(x)
    with single_thread():
        if torch.is_grad_enabled():
            return _States.apply(x, *inputs)
        return _Run(x, *inputs).forward()
