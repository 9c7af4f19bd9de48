"""A pass over a batch: tiles of the projection, and slabs over the documents.

A pass is cut into tasks: tiles of the matrix products, and the chains of slabs
(`kernels.layout`) that run over the documents. Tasks may run on several threads; what
each computes does not depend on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.cpu.layout import SlabLayout
from skrational.kernels.cpu.packing import pack, unpack
from skrational.kernels.cpu.products import TILE_ROWS, cut, multiply_transposed
from skrational.kernels.cpu.recurrences import Recurrence
from skrational.kernels.cpu.slabs import SLAB, STRIDE, Gradients, Walk
from skrational.utils.buffers import empty
from skrational.utils.compile import read_only
from skrational.utils.simd import LANES
from skrational.utils.threads import given_threads, run_all

__all__ = ["Documents", "Pass"]

_LEAST_ADJOINT = {torch.float32: 1e-30, torch.float64: 1e-290}
_LEAST_PRODUCT, _LEAST_WALK = 2**26, 2**17
"""Multiplications of a product, and tokens times slabs of a recurrence, below which
sharing costs more than it saves."""


class Documents(NamedTuple):
    """What a pass runs over, and how.

    Attributes
    ----------
    ids : ndarray of shape (n_tokens,), int32
        The row of each token.
    offsets : ndarray of shape (B + 1,), int64
    layout : SlabLayout
    recurrence : Recurrence
    anywhere : bool
        Whether scores of all tokens are added up.
    """

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    layout: SlabLayout
    recurrence: Recurrence
    anywhere: bool


class Pass:
    """One pass over a batch: what its tasks, forward and backward, work on.

    Parameters
    ----------
    x : Tensor of shape (n_rows, E)
    weights : tuple of Tensor
        W_u and W_f (S, E), b_f (S,).
    documents : Documents
    keep : bool
        Whether a backward pass may follow.
    """

    def __init__(
        self,
        x: Tensor,
        weights: tuple[Tensor, Tensor, Tensor],
        documents: Documents,
        keep: bool,
    ) -> None:
        # Helper threads don't know that gradients aren't recorded here.
        self.x = x.detach()
        ids, offsets, self.layout, self.recurrence, self.anywhere = documents
        self.ids, self.offsets = read_only(ids), read_only(offsets)
        self._pack(*(weight.detach().contiguous() for weight in weights))
        # Each row is read once, in order: f and u need no pass of their own.
        self.fresh = len(ids) == len(x) and np.array_equal(ids, np.arange(len(x)))
        n_slabs, dtype = self.layout.n_slabs, self.bias.dtype
        self.table = empty(len(x), n_slabs * 2 * SLAB, dtype=x.dtype)
        self.links = self.layout.links_as(dtype)
        self.out = np.empty((n_slabs, (len(offsets) - 1) * SLAB), dtype)
        n_slots = len(ids) // STRIDE + len(offsets) if keep else 0
        self.saved = np.empty((n_slabs, n_slots * self.recurrence.n_saved), dtype)
        n_levels = len(ids) * LANES if self.layout.goes_on_below else 0
        self.last_levels = np.empty((n_slabs, n_levels), dtype)
        n_threads = given_threads()
        large_product = x.numel() * len(self.weight) >= _LEAST_PRODUCT
        self.n_multipliers = n_threads if large_product else 1
        large_walk = len(ids) * n_slabs >= _LEAST_WALK
        self.n_walkers = n_threads if large_walk else 1

    def _pack(self, W_u: Tensor, W_f: Tensor, b_f: Tensor) -> None:
        """Put the weights in their places."""
        # Torch's memory is aligned, on which the last bit of a product may depend.
        self.weight = W_u.new_empty(2 * self.layout.n_columns, W_u.shape[1])
        weight = self.weight.numpy()
        self.bias = np.empty(self.layout.n_columns, weight.dtype)
        arrays = (tensor.numpy() for tensor in (W_u, W_f, b_f))
        pack(*arrays, self.layout.sources, self.layout.columns, weight, self.bias)

    def forward(self) -> NDArray[Any]:
        """Score the states, (n_slabs, B * 32)."""
        tiles = cut(len(self.x), TILE_ROWS)
        run_all([partial(self._project, tile) for tile in tiles], self.n_multipliers)
        self._walk(self._forward)
        return self.out

    def backward(self, grad_out: NDArray[Any], weights: Sequence[Tensor]) -> Tensor:
        """Carry gradients of the states back to the weights.

        Parameters
        ----------
        grad_out : ndarray of shape (n_slabs, B * 32)
        weights : sequence of Tensor
            The gradients of W_u, W_f and b_f, which are added to.

        Returns
        -------
        Tensor of shape (n_rows, n_slabs * 64)
            The gradients of the projected rows.
        """
        grad = self.table
        if not self.fresh:
            grad = empty(*self.table.shape, dtype=self.table.dtype).zero_()
        grad_bias = np.empty_like(self.bias)
        least = _LEAST_ADJOINT[grad.dtype]
        gradients = Gradients(grad_out, grad.numpy(), grad_bias, least)
        self._walk(partial(self._backward, gradients))
        grad_weight = multiply_transposed(grad, self.x, self.n_multipliers).numpy()
        places = self.layout.sources, self.layout.columns
        unpack(grad_weight, grad_bias, *places, *(sums.numpy() for sums in weights))
        return grad

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
        """What the compiled runs read, and what they replace if it is fresh."""
        table = self.table.numpy()
        return Walk(
            table if self.fresh else read_only(table),  # as a prediction's
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
