"""The plus-times recurrence for the CPU: projection and recurrence as one operation.

A pass is cut into tasks: tiles of the matrix products, and the chains of slabs
(`kernels.layout`) that run over the documents. Tasks may run on several threads; what
each computes does not depend on it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.cpu.backward import backward
from skrational.kernels.cpu.forward import forward
from skrational.kernels.cpu.layout import SlabLayout
from skrational.kernels.cpu.packing import pack, unpack
from skrational.kernels.cpu.products import TILE_ROWS, cut, multiply_transposed
from skrational.kernels.cpu.readout import read_out, read_out_backward
from skrational.kernels.cpu.slabs import SLAB, STRIDE, Gradients, Walk, activate
from skrational.utils.buffers import empty
from skrational.utils.compile import read_only
from skrational.utils.simd import LANES
from skrational.utils.threads import given_threads, run_all

__all__ = ["Scored", "document_scores", "scored_documents", "state_scores"]

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
        anywhere: bool,
        keep: bool,
    ) -> None:
        # Helper threads don't know that gradients aren't recorded here.
        self.x, self.weight, self.bias = x.detach(), weight, bias
        self.ids, self.offsets = read_only(ids), read_only(offsets)
        self.layout, self.anywhere = layout, anywhere
        # Each row is read once, in order: f and u need no pass of their own.
        self.fresh = len(ids) == len(x) and np.array_equal(ids, np.arange(len(x)))
        n_slabs, dtype = layout.n_slabs, bias.dtype
        self.table = empty(len(x), n_slabs * 2 * SLAB, dtype=x.dtype)
        self.links = layout.links_as(dtype)
        self.out = np.empty((n_slabs, (len(offsets) - 1) * SLAB), dtype)
        n_slots = len(ids) // STRIDE + len(offsets) if keep else 0
        self.saved = np.empty((n_slabs, n_slots * SLAB), dtype)
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
            activate(rows.numpy(), self.bias)

    def _forward(self, slabs: tuple[int, int]) -> None:
        forward(self._reads(), slabs, self.saved, self.last_levels, self.out)

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
        backward(self._reads(), slabs, self.saved, self.last_levels, gradients)


class Scored:
    """Documents that were scored outside of autograd, and the way back.

    Parameters
    ----------
    run : _Run
    readers : ndarray of shape (S,), int64
        The score that each state adds to.
    final : Tensor of shape (S,)
    scale : ndarray of shape (B,)

    Attributes
    ----------
    scores : Tensor of shape (B, n_scores)
    """

    def __init__(
        self,
        run: _Run,
        readers: NDArray[np.int64],
        final: Tensor,
        scale: NDArray[Any],
    ) -> None:
        self._run, self._readers, self._scale = run, readers, scale
        self._final = final.detach()
        self._was_pulled = False
        n_scores = int(readers[-1]) + 1 if len(readers) else 0
        scores = np.empty((len(scale), n_scores), run.out.dtype)
        columns = run.layout.columns
        weights = self._final.numpy()
        read_out(run.forward(), columns, readers, weights, scale, scores)
        self.scores = torch.from_numpy(scores)

    def pull(self, grad: Tensor, weights: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Carry gradients of the scores back.

        Parameters
        ----------
        grad : Tensor of shape (B, n_scores)
        weights : sequence of Tensor
            Those of W_u, W_f and b_f, which are added to.

        Returns
        -------
        rows : Tensor of shape (n_rows, n_slabs * 64)
            The gradients of the projected feature rows.
        final : Tensor of shape (S,)
        """
        run, layout = self._run, self._run.layout
        if self._was_pulled and run.fresh:
            # The first way back wrote its gradients over the table.
            run.forward()
        self._was_pulled = True
        grad_states, grad_final = np.empty_like(run.out), torch.empty_like(self._final)
        read_out_backward(
            run.out,
            layout.columns,
            self._readers,
            self._final.numpy(),
            self._scale,
            grad.contiguous().numpy(),
            grad_states,
            grad_final.numpy(),
        )
        grad_rows, grad_weight, grad_bias = run.backward(grad_states)
        sums = (gradient.numpy() for gradient in weights)
        unpack(grad_weight.numpy(), grad_bias, layout.sources, layout.columns, *sums)
        return grad_rows, grad_final

    def pull_to_features(self, grad_rows: Tensor) -> Tensor:
        """Carry the gradients of projected rows on to the rows, (n_rows, E)."""
        return grad_rows @ self._run.weight


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
        score: Callable[..., Scored],
    ) -> Tensor:
        ctx.scored = score(x, W_u, W_f, b_f, final, keep=True)
        ctx.weights = W_u, W_f, b_f
        return ctx.scored.scores

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        of_weights = tuple(map(torch.zeros_like, ctx.weights))
        grad_rows, grad_final = ctx.scored.pull(grad, of_weights)
        of_x = None
        if ctx.needs_input_grad[0]:
            of_x = ctx.scored.pull_to_features(grad_rows)
        return of_x, *of_weights, grad_final, None


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
        If the semiring isn't plus-times, or a tensor isn't on the CPU.
    """
    layout = _layout(x, lengths, semiring)
    scale = _scale(offsets, length_exponent)
    score = _scorer(ids, offsets, layout, layout.wfsa, scale, anywhere)
    return _scores(score, (x, W_u, W_f, b_f, final))


def scored_documents(
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
) -> Scored:
    """Score every automaton outside of autograd, whose bookkeeping takes longer.

    The parameters are those of `document_scores`.
    """
    layout = _layout(x, lengths, semiring)
    scale = _scale(offsets, length_exponent)
    score = _scorer(ids, offsets, layout, layout.wfsa, scale, anywhere)
    return score(x, W_u, W_f, b_f, final, keep=True)


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
        If the semiring isn't plus-times, or a tensor isn't on the CPU.
    """
    layout = _layout(x, lengths, semiring)
    every_state = np.arange(sum(lengths))
    score = _scorer(ids, offsets, layout, every_state, _scale(offsets, 0.0), anywhere)
    return _scores(score, (x, W_u, W_f, b_f, torch.ones_like(b_f)))


def _layout(x: Tensor, lengths: tuple[int, ...], semiring: str) -> SlabLayout:
    if semiring != "plus-times" or x.device.type != "cpu":
        raise ValueError(
            "the numba kernel computes plus-times on the CPU; got "
            f"{semiring} on {x.device.type}."
        )
    return SlabLayout.of(tuple(lengths))


def _scale(offsets: NDArray[np.int64], length_exponent: float) -> NDArray[np.float64]:
    """What the scores of each document are multiplied by, (B,)."""
    if not length_exponent:
        return np.ones(len(offsets) - 1)
    return np.maximum(np.diff(offsets), 1) ** -float(length_exponent)


def _scorer(
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    layout: SlabLayout,
    readers: NDArray[np.int64],
    scale: NDArray[np.float64],
    anywhere: bool,
) -> Callable[..., Scored]:
    """Make a function that scores these documents.

    Parameters
    ----------
    ids : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (B + 1,), int64
    layout : SlabLayout
    readers : ndarray of shape (S,), int64
    scale : ndarray of shape (B,)
    anywhere : bool
    """

    def score(
        x: Tensor, W_u: Tensor, W_f: Tensor, b_f: Tensor, final: Tensor, keep: bool
    ) -> Scored:
        # Torch's memory is aligned, on which the last bit of a product may depend.
        weight = W_u.new_empty(2 * layout.n_columns, W_u.shape[1])
        arrays = (w.detach().contiguous().numpy() for w in (W_u, W_f, b_f))
        bias = np.empty(layout.n_columns, weight.numpy().dtype)
        pack(*arrays, layout.sources, layout.columns, weight.numpy(), bias)
        run = _Run(x, weight, bias, ids, offsets, layout, anywhere, keep)
        return Scored(run, readers, final, scale.astype(bias.dtype))

    return score


def _scores(score: Callable[..., Scored], inputs: tuple[Tensor, ...]) -> Tensor:
    """Score documents, differentiably unless gradients are off.

    Parameters
    ----------
    score : callable
        From `_scorer`.
    inputs : tuple of Tensor
        x (n_rows, E), W_u and W_f (S, E), b_f and final (S,), which may need gradients.
    """
    if torch.is_grad_enabled():
        return _DocumentScores.apply(*inputs, score)
    return score(*inputs, keep=False).scores
