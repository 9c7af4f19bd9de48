"""The derivative of the recurrence, slab by slab, from the last token to the first.

States are computed again from those of one token in `STRIDE`, so that a step needs no
memory of the size of tokens times states.
"""

from __future__ import annotations

import numpy as np

from skrational.kernels.cpu.slabs import (
    SLAB,
    STRIDE,
    advance,
    continues,
    entering_values,
    flush_levels,
    mul_add_levels,
    plus,
    prefetch_row,
    read,
    times,
    write,
)
from skrational.utils.compile import jit
from skrational.utils.simd import LANES, load, splat, store

__all__ = ["backward"]


@jit
def backward(walk, slabs, saved, last_levels, gradients):  # type: ignore[no-untyped-def]
    """Differentiate `forward`.

    Parameters
    ----------
    walk, slabs, saved, last_levels
        As `forward` left them; ``walk.offsets[0]`` is 0.
    gradients : Gradients
    """
    nothing = last_levels[0, :0]
    sent = nothing
    for slab in range(slabs[1] - 1, slabs[0] - 1, -1):
        goes_on = continues(walk.links, slab)
        n_sent = walk.ids.size * LANES if goes_on else 0
        to_above = np.empty(n_sent, walk.rows.dtype)
        above = last_levels[slab - 1] if goes_on else nothing
        _backward(walk, slab, gradients, saved[slab], above, sent, to_above)
        sent = to_above


@jit
def _recall(walk, grad, slab, span, above, c, before):  # type: ignore[no-untyped-def]
    """Compute the states before each token of a stride again.

    Parameters
    ----------
    walk : Walk
    grad : ndarray of shape (n_rows * n_slabs * 64,)
        To be read soon, at the rows of these tokens.
    slab : int
    span : tuple of int
        First token of the document, first token of the stride, and the one after it.
    above : ndarray of shape (n_tokens * 8,) or (0,)
    c : tuple of four vectors
        The states before the stride.
    before : ndarray of shape (STRIDE * 32,)
        Filled.
    """
    table, width, at = walk.rows.reshape(-1), walk.rows.shape[1], slab * 2 * SLAB
    ids, fresh = walk.ids, walk.fresh
    link, is_first = read(walk.links[slab], 0), read(walk.links[slab], SLAB)
    start, first, last = span
    entry = splat(0.0, table)
    for t in range(first, last):
        write(before, (t - first) * SLAB, c)
        i = (t if fresh else np.int64(ids[t])) * width + at
        if not fresh and t >= STRIDE:
            j = np.int64(ids[t - STRIDE]) * width + at
            prefetch_row(table, j)
            prefetch_row(grad, j)
        if above.size and t > start:
            entry = load(above, (t - 1) * LANES)
        entered = entering_values(c, entry, link, is_first)
        c = advance(read(table, i), read(table, i + SLAB), c, entered)


@jit
def _into_projection(f, u, g_f, g_u):  # type: ignore[no-untyped-def]
    """Carry the gradients of f and u on to z_f and z_u.

    Parameters
    ----------
    f, u, g_f, g_u : tuple of four vectors
        Weights of the transitions, and their gradients.

    Returns
    -------
    tuple of four vectors
        For z_f, then for z_u.
    """
    one = splat(1.0, f[0])
    gate = one - f[0], one - f[1], one - f[2], one - f[3]
    inner = times(gate, g_f)
    outer = times(u, g_u)
    d_f = (
        f[0] * (inner[0] - outer[0]),
        f[1] * (inner[1] - outer[1]),
        f[2] * (inner[2] - outer[2]),
        f[3] * (inner[3] - outer[3]),
    )
    return d_f, times(gate, g_u)


@jit
def _backward(  # type: ignore[no-untyped-def]
    walk, slab, gradients, saved, above, from_below, to_above
):
    """Differentiate one slab's run.

    Parameters
    ----------
    walk : Walk
    slab : int
    gradients : Gradients
    saved : ndarray of shape (n_slots * 32,)
    above : ndarray of shape (n_tokens * 8,) or (0,)
        The last level of the slab above at each token.
    from_below : ndarray of shape (n_tokens * 8,) or (0,)
        The gradients that the slab below sends to the last level of this one.
    to_above : ndarray of shape (n_tokens * 8,) or (0,)
        Filled with those for the slab above.
    """
    rows, ids, offsets, links, _, fresh, anywhere = walk
    table, width, at = rows.reshape(-1), rows.shape[1], slab * 2 * SLAB
    grad, grad_out = gradients.rows.reshape(-1), gradients.out[slab]
    zero, least = splat(0.0, table), splat(gradients.least, table)
    link, is_first = read(links[slab], 0), read(links[slab], SLAB)
    before = np.empty(STRIDE * SLAB, table.dtype)
    g_bias = (zero, zero, zero, zero)
    for b in range(offsets.shape[0] - 2, -1, -1):
        g = read(grad_out, b * SLAB)
        a = (zero, zero, zero, zero) if anywhere else g  # dL/dc_t
        start, stop = offsets[b], offsets[b + 1]
        n_strides = (stop - start + STRIDE - 1) // STRIDE
        slot = start // STRIDE + b
        for n in range(n_strides - 1, -1, -1):
            first = start + n * STRIDE
            last = min(first + STRIDE, stop)
            c = read(saved, (slot + n) * SLAB)
            span = start, first, last
            _recall(walk, grad, slab, span, above, c, before)
            for t in range(last - 1, first - 1, -1):
                if anywhere:
                    a = plus(a, g)
                if from_below.size:
                    sent = load(from_below, t * LANES)
                    a = a[0], a[1], a[2], a[3] + sent
                i = (t if fresh else np.int64(ids[t])) * width + at
                f, u = read(table, i), read(table, i + SLAB)
                c = read(before, (t - first) * SLAB)
                entry = zero
                if above.size and t > start:
                    entry = load(above, (t - 1) * LANES)
                entered = entering_values(c, entry, link, is_first)
                g_f, g_u = times(a, c), times(a, entered)
                if fresh:
                    d_f, d_u = _into_projection(f, u, g_f, g_u)
                    g_bias = plus(g_bias, d_f)
                    write(grad, i, d_f)
                    write(grad, i + SLAB, d_u)
                else:
                    write(grad, i, plus(read(grad, i), g_f))
                    write(grad, i + SLAB, plus(read(grad, i + SLAB), g_u))
                up = times(link, times(u, a))
                if to_above.size and t > start:
                    store(to_above, (t - 1) * LANES, up[0])
                a = mul_add_levels(f, a, (up[1], up[2], up[3], zero))
                if t % 4 == 0:
                    a = flush_levels(a, least)
        if to_above.size and stop > start:
            # No later token of this document reads its last state.
            store(to_above, (stop - 1) * LANES, zero)
    if not fresh:
        g_bias = _gather(table, grad, width, at, rows.shape[0])
    write(gradients.bias, slab * SLAB, g_bias)


@jit
def _gather(table, grad, width, at, n_rows):  # type: ignore[no-untyped-def]
    """Carry the summed gradients of each row's f and u on to z_f and z_u, in place.

    Parameters
    ----------
    table, grad : ndarray of shape (n_rows * n_slabs * 64,)
    width : int
        Numbers of a row.
    at : int
        Where the slab begins in a row.
    n_rows : int
    """
    zero = splat(0.0, table)
    g_bias = (zero, zero, zero, zero)
    for row in range(n_rows):
        i = row * width + at
        d_f, d_u = _into_projection(
            read(table, i),
            read(table, i + SLAB),
            read(grad, i),
            read(grad, i + SLAB),
        )
        g_bias = plus(g_bias, d_f)
        write(grad, i, d_f)
        write(grad, i + SLAB, d_u)
    return g_bias
