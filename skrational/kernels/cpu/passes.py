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
from skrational.kernels.cpu.recurrences import Recurrence, recurrence_of
from skrational.kernels.cpu.slabs import SLAB, STRIDE, Gradients, Walk
from skrational.utils.buffers import empty
from skrational.utils.compile import read_only
from skrational.utils.simd import LANES
from skrational.utils.threads import given_threads, run_all

__all__ = ["LEAST_ADJOINT", "Documents", "Pass"]

LEAST_ADJOINT = {torch.float32: 1e-30, torch.float64: 1e-290}
_LEAST_PRODUCT, _LEAST_WALK = 2**27, 2**15
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
    length_exponent : float
        Of the length by which a document's scores are divided.
    """

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    layout: SlabLayout
    recurrence: Recurrence
    anywhere: bool
    length_exponent: float

    @classmethod
    def of(
        cls,
        ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        lengths: tuple[int, ...],
        *,
        anywhere: bool = False,
        semiring: str = "plus-times",
        length_exponent: float = 0.0,
    ) -> Documents:
        """Choose layout and recurrence.

        Parameters
        ----------
        ids, offsets : ndarray
        lengths : tuple of int
            States of each automaton.
        anywhere : bool, default=False
        semiring : str, default="plus-times"
        length_exponent : float, default=0.0
        """
        layout, recurrence = SlabLayout.of(tuple(lengths)), recurrence_of(semiring)
        return cls(ids, offsets, layout, recurrence, anywhere, length_exponent)

    @property
    def scale(self) -> NDArray[np.float64]:
        """What the scores of each document are multiplied by, (B,)."""
        if not self.length_exponent:
            return np.ones(len(self.offsets) - 1)
        return np.maximum(np.diff(self.offsets), 1) ** -float(self.length_exponent)


class Pass:
    """One pass over a batch: what its tasks, forward and backward, work on.

    Parameters
    ----------
    x : Tensor of shape (n_rows, E)
    weights : sequence of ndarray
        W_u and W_f (S, E), b_f (S,).
    documents : Documents
    keep : bool
        Whether a backward pass may follow.
    """

    def __init__(
        self,
        x: Tensor,
        weights: Sequence[NDArray[Any]],
        documents: Documents,
        keep: bool,
    ) -> None:
        # Helper threads don't know that gradients aren't recorded here.
        self.x = x.detach()
        ids, offsets, self.layout, self.recurrence, self.anywhere, _ = documents
        self.ids, self.offsets = read_only(ids), read_only(offsets)
        # Torch's memory is aligned, on which the last bit of a product may depend.
        self.weight = x.new_empty(2 * self.layout.n_columns, x.shape[1])
        self.bias = np.empty(self.layout.n_columns, weights[0].dtype)
        places = self.layout.sources, self.layout.columns
        pack(*weights, *places, self.weight.numpy(), self.bias)
        # Each row is read once, in order: f and u need no pass of their own.
        self.fresh = len(ids) == len(x) and np.array_equal(ids, np.arange(len(x)))
        n_slabs, dtype = self.layout.n_slabs, self.bias.dtype
        self.table = empty(len(x), n_slabs * 2 * SLAB, dtype=x.dtype)
        self.links = self.layout.links_as(dtype)
        self.out = np.empty((n_slabs, (len(offsets) - 1) * SLAB), dtype)
        n_threads = given_threads()
        large_product = x.numel() * len(self.weight) >= _LEAST_PRODUCT
        self.n_multipliers = n_threads if large_product else 1
        large_walk = len(ids) * n_slabs >= _LEAST_WALK
        self.n_walkers = n_threads if large_walk else 1
        self._keep = keep

    @property
    def is_shared(self) -> bool:
        """Whether several threads work on it."""
        return max(self.n_multipliers, self.n_walkers) > 1

    def project(self, activated: bool = False) -> None:
        """Multiply the feature rows by the weights of all transitions."""
        task = self._activate if activated else self._project
        tiles = cut(len(self.x), TILE_ROWS)
        run_all([partial(task, tile) for tile in tiles], self.n_multipliers)

    def forward(self) -> NDArray[Any]:
        """Score the states, (n_slabs, B * 32)."""
        self.project(activated=not self.fresh)
        n_slabs, n_tokens, dtype = len(self.links), len(self.ids), self.bias.dtype
        n_slots = n_tokens // STRIDE + len(self.offsets) if self._keep else 0
        self.saved = np.empty((n_slabs, n_slots * self.recurrence.n_saved), dtype)
        n_levels = n_tokens * LANES if self.layout.goes_on_below else 0
        self.last_levels = np.empty((n_slabs, n_levels), dtype)
        self._walk(self._forward)
        return self.out

    def backward(
        self, grad_out: NDArray[Any], weights: Sequence[NDArray[Any]]
    ) -> Tensor:
        """Carry gradients of the states back to the weights.

        Parameters
        ----------
        grad_out : ndarray of shape (n_slabs, B * 32)
        weights : sequence of ndarray
            The gradients of W_u, W_f and b_f, which are added to.

        Returns
        -------
        Tensor of shape (n_rows, n_slabs * 64)
            The gradients of the projected rows.
        """
        grad, grad_bias = self.new_gradients()
        if not self.fresh:
            grad.zero_()
        least = LEAST_ADJOINT[grad.dtype]
        gradients = Gradients(grad_out, grad.numpy(), grad_bias, least)
        self._walk(partial(self._backward, gradients))
        self.add_products(grad, grad_bias, weights)
        return grad

    def new_gradients(self) -> tuple[Tensor, NDArray[Any]]:
        """Where those of the projected rows and of the bias are to be written."""
        grad = self.table
        if not self.fresh:
            grad = empty(*self.table.shape, dtype=self.table.dtype)
        return grad, np.empty_like(self.bias)

    def add_products(
        self, grad: Tensor, grad_bias: NDArray[Any], weights: Sequence[NDArray[Any]]
    ) -> None:
        """Carry the gradients of the projected rows on to the weights.

        Parameters
        ----------
        grad : Tensor of shape (n_rows, n_slabs * 64)
        grad_bias : ndarray of shape (n_slabs * 32,)
        weights : sequence of ndarray
            As for `backward`.
        """
        grad_weight = multiply_transposed(grad, self.x, self.n_multipliers).numpy()
        places = self.layout.sources, self.layout.columns
        unpack(grad_weight, grad_bias, *places, *weights)

    def _walk(self, task: Callable[[tuple[int, int]], None]) -> None:
        """Run the slabs over the documents."""
        shares = self.layout.shares(self.n_walkers)
        run_all([partial(task, slabs) for slabs in shares], self.n_walkers)

    def _project(self, tile: slice) -> Tensor:
        return torch.mm(self.x[tile], self.weight.T, out=self.table[tile])

    def _activate(self, tile: slice) -> None:
        self.recurrence.activate(self._project(tile).numpy(), self.bias)

    def _forward(self, slabs: tuple[int, int]) -> None:
        filled = self.saved, self.last_levels, self.out
        self.recurrence.forward(self.reads(), slabs, *filled)

    def reads(self) -> Walk:
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
        self.recurrence.backward(self.reads(), slabs, *left, gradients)
