"""The plus-times recurrence for the CPU: numba, forward and hand-written backward.

Eight automata stand side by side as the lanes of a *block*; state k of lane i is entry
``8 * (k - 1) + i``. A row of the table holds f and u of one block next to each other,
so that a step reads one short run of memory, keeps its states on the stack, and shifts
from state k - 1 to k by eight entries. Missing states are zero columns: they stay 0.

The number of levels is the length of a tuple, hence a constant to the compiler. The
kernels are serial and release the GIL: no threading layer, the same bits always.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.layout import LANES, Layout

__all__ = ["score_table", "state_scores", "transition_table"]

# Contraction to FMA only: NaN, infinity and the order of sums keep their meaning.
_jit = numba.njit(
    nogil=True,
    cache=True,
    fastmath={"contract", "nsz"},
    error_model="numpy",
    boundscheck=False,
)


@intrinsic
def _stack(
    typing_context: Any, scalar: Any, slots: Any
) -> Any:  # pragma: no cover - compiled
    """Room for ``len(slots)`` scalars on the stack, where nothing can alias them."""
    signature = types.CPointer(scalar)(scalar, slots)
    count = len(slots)

    def codegen(context: Any, builder: Any, _: Any, args: Any) -> Any:
        with builder.goto_entry_block():
            room = cgutils.alloca_once(
                builder, context.get_value_type(scalar), size=count
            )
            room.align = 64
        return room

    return signature, codegen


@_jit
def _forward(  # type: ignore[no-untyped-def]  # noqa: C901
    table, ids, offsets, levels, slots, anywhere, keep, history, out
):  # pragma: no cover - compiled
    n = len(levels) * LANES
    c = numba.carray(_stack(table.dtype.type(0), slots), (n + LANES,))
    after = numba.carray(_stack(table.dtype.type(0), slots), (n + LANES,))
    joined = numba.carray(_stack(table.dtype.type(0), slots), (n + LANES,))
    for j in range(LANES):
        c[j] = 1
    for q in range(table.shape[1]):
        for b in range(offsets.shape[0] - 1):
            for j in range(n):
                c[LANES + j] = 0
            for j in range(n):
                joined[j] = 0
            for t in range(offsets[b], offsets[b + 1]):
                row = table[ids[t], q]
                for j in range(n):
                    after[j] = row[j] * c[LANES + j] + row[n + j] * c[j]
                for j in range(n):
                    c[LANES + j] = after[j]
                if anywhere:
                    for j in range(n):
                        joined[j] += after[j]
                if keep:
                    kept = history[t, q]
                    for j in range(n):
                        kept[j] = after[j]
            result = out[b, q]
            if anywhere:
                for j in range(n):
                    result[j] = joined[j]
            else:
                for j in range(n):
                    result[j] = c[LANES + j]


@_jit
def _backward(  # type: ignore[no-untyped-def]  # noqa: C901
    table, ids, offsets, levels, slots, anywhere, tiny, history, grad_out, grad_table
):  # pragma: no cover - compiled
    n = len(levels) * LANES
    zero = table.dtype.type(0)
    a = numba.carray(_stack(zero, slots), (n + LANES,))  # dL/dc_t
    mixed = numba.carray(_stack(zero, slots), (n + LANES,))
    before = numba.carray(_stack(zero, slots), (n + LANES,))  # 1, then c_{t-1}
    for j in range(LANES):
        before[j] = 1
        mixed[n + j] = 0
    for q in range(table.shape[1]):
        for b in range(offsets.shape[0] - 1):
            start = offsets[b]
            g = grad_out[b, q]
            if anywhere:
                for j in range(n):
                    a[j] = 0
            else:
                for j in range(n):
                    a[j] = g[j]
            for t in range(offsets[b + 1] - 1, start - 1, -1):
                row = table[ids[t], q]
                grad = grad_table[ids[t], q]
                if anywhere:
                    for j in range(n):
                        a[j] += g[j]
                if t > start:
                    kept = history[t - 1, q]
                    for j in range(n):
                        before[LANES + j] = kept[j]
                else:
                    for j in range(n):
                        before[LANES + j] = 0
                for j in range(n):
                    grad[j] += a[j] * before[LANES + j]
                for j in range(n):
                    grad[n + j] += a[j] * before[j]
                for j in range(n):
                    mixed[j] = row[n + j] * a[j]
                for j in range(n):
                    a[j] = a[j] * row[j] + mixed[LANES + j]
                # A long document multiplies many self-loops: what underflows would
                # otherwise crawl through denormal arithmetic.
                for j in range(n):
                    a[j] = a[j] if abs(a[j]) > tiny else zero


def transition_table(
    x: Tensor, weight: Tensor, bias: Tensor, n_blocks: int
) -> tuple[Tensor, Tensor]:
    """Project rows to their f and u, in the layout of the kernels.

    Parameters
    ----------
    x : Tensor of shape (n_rows, E)
    weight : Tensor of shape (2 * n_columns, E)
        From `Layout.pack`.
    bias : Tensor of shape (n_blocks, n_columns / n_blocks)
    n_blocks : int

    Returns
    -------
    table : Tensor of shape (n_rows, n_blocks, 2, width)
        f in ``[:, :, 0]`` and u in ``[:, :, 1]``.
    z_u : Tensor of shape (n_rows, n_blocks, width)
        ``W_u x``.
    """
    table = (x @ weight.T).view(len(x), n_blocks, 2, bias.shape[1])
    f, u = table[:, :, 0], table[:, :, 1]
    f.add_(bias).sigmoid_()
    z_u = u.clone()
    u.addcmul_(f, z_u, value=-1)
    return table, z_u


def score_table(
    table: Tensor,
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    layout: Layout,
    *,
    anywhere: bool,
    history: Tensor | None = None,
) -> Tensor:
    """Run the forward algorithm over a table of transition weights.

    Returns the scores (n_documents, n_columns) in the kernels' layout; fills
    ``history`` (n_tokens, n_blocks, width) with c_t if it is given.
    """
    out = table.new_zeros(len(offsets) - 1, layout.n_blocks, layout.width)
    if len(ids) and layout.n_blocks:
        kept = history if history is not None else table.new_empty(1, 1, 1)
        _forward(
            table.view(len(table), layout.n_blocks, -1).numpy(),
            ids,
            offsets,
            layout.levels,
            layout.slots,
            anywhere,
            history is not None,
            kept.numpy(),
            out.numpy(),
        )
    return out.view(len(out), layout.n_columns)


class _StateScores(torch.autograd.Function):
    """Projection and recurrence as one differentiable operation."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        W_u: Tensor,
        W_f: Tensor,
        b_f: Tensor,
        ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        layout: Layout,
        anywhere: bool,
    ) -> Tensor:
        weight, bias = layout.pack(W_u, W_f, b_f)
        table, z_u = transition_table(x, weight, bias, layout.n_blocks)
        history = x.new_empty(len(ids), layout.n_blocks, layout.width)
        out = score_table(
            table, ids, offsets, layout, anywhere=anywhere, history=history
        )
        ctx.save_for_backward(x, weight, table, z_u, history)
        ctx.constants = ids, offsets, layout, anywhere
        return out[:, layout.columns]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        x, weight, table, z_u, history = ctx.saved_tensors
        ids, offsets, layout, anywhere = ctx.constants
        shape = (layout.n_blocks, layout.width)
        grad_out = grad.new_zeros(len(grad), layout.n_columns)
        grad_out[:, layout.columns] = grad
        grad_table = torch.zeros_like(table)
        if len(ids) and layout.n_blocks:
            _backward(
                table.view(len(table), layout.n_blocks, -1).numpy(),
                ids,
                offsets,
                layout.levels,
                layout.slots,
                anywhere,
                table.new_tensor(
                    1e-30 if table.dtype == torch.float32 else 1e-290
                ).numpy()[()],
                history.numpy(),
                grad_out.view(len(grad), *shape).numpy(),
                grad_table.view(len(table), layout.n_blocks, -1).numpy(),
            )
        f, g_f, g_u = table[:, :, 0], grad_table[:, :, 0], grad_table[:, :, 1]
        gate = 1 - f
        g_f.addcmul_(g_u, z_u, value=-1).mul_(f).mul_(gate)
        g_u.mul_(gate)
        grad_z = grad_table.view(len(table), 2 * layout.n_columns)
        grad_weight = grad_z.T @ x
        return (
            grad_z @ weight if ctx.needs_input_grad[0] else None,
            grad_weight[layout.u_rows],
            grad_weight[layout.f_rows],
            g_f.sum(dim=0).view(-1)[layout.columns],
            None,
            None,
            None,
            None,
        )


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
    if semiring != "plus-times" or x.device.type != "cpu":
        raise ValueError(
            "the numba kernel computes plus-times on the CPU; got "
            f"{semiring} on {x.device.type}."
        )
    layout = Layout.of(tuple(lengths))
    if not torch.is_grad_enabled():
        table, _ = transition_table(x, *layout.pack(W_u, W_f, b_f), layout.n_blocks)
        out = score_table(table, ids, offsets, layout, anywhere=anywhere)
        return out[:, layout.columns]
    return _StateScores.apply(x, W_u, W_f, b_f, ids, offsets, layout, anywhere)
