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
from skrational.utils.compile import inlined, jit, part
from skrational.utils.simd import LANES, load, splat, store

__all__ = ["back_over_slabs", "backward"]


def backward(walk, slabs, saved, last_levels, gradients):  # type: ignore[no-untyped-def]
    """Differentiate `skrational.kernels.cpu.forward.forward`.

    Parameters
    ----------
    walk, slabs, saved, last_levels
        As `forward` left them; ``walk.offsets[0]`` is 0.
    gradients : Gradients
    """
    ids = None if walk.fresh else walk.ids
    levels = last_levels if last_levels.size else None
    back_over_slabs(walk, ids, slabs, saved, levels, gradients)


@jit
def back_over_slabs(walk, ids, slabs, saved, last_levels, gradients):  # type: ignore[no-untyped-def]
    """Differentiate slabs, as `backward`; what is None is compiled without.

    Parameters
    ----------
    walk : Walk
    ids : ndarray of shape (n_tokens,), int32, or None
        None if each token has its own row.
    slabs : tuple of int
    saved : ndarray
    last_levels : ndarray or None
    gradients : Gradients
    """
    if last_levels is None:
        for slab in range(slabs[1] - 1, slabs[0] - 1, -1):
            _run(walk, ids, slab, gradients, saved[slab], None)
    else:
        nothing = last_levels[0, :0]
        sent = nothing
        for slab in range(slabs[1] - 1, slabs[0] - 1, -1):
            goes_on = continues(walk.links, slab)
            n_sent = walk.ids.size * LANES if goes_on else 0
            to_above = np.empty(n_sent, walk.rows.dtype)
            above = last_levels[slab - 1] if goes_on else nothing
            levels = above, sent, to_above
            _run(walk, ids, slab, gradients, saved[slab], levels)
            sent = to_above


@part
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
def _run(walk, ids, slab, gradients, saved, levels):  # type: ignore[no-untyped-def]
    """Differentiate one slab's run.

    Parameters
    ----------
    walk : Walk
    ids : ndarray of shape (n_tokens,), int32, or None
    slab : int
    gradients : Gradients
    saved : ndarray of shape (n_slots * 32,)
    levels : tuple of three ndarrays of shape (n_tokens * 8,) or (0,), or None
        The last level of the slab above at each token, the gradients that the slab
        below sends to the last level of this one, and those for the slab above, which
        are filled. Empty where no automaton crosses the border; None where there is no
        such automaton at all.
    """
    rows, _, offsets, links, _, _, anywhere = walk
    table, width, at = rows.reshape(-1), rows.shape[1], slab * 2 * SLAB
    grad, grad_out = gradients.rows.reshape(-1), gradients.out[slab]
    zero, least = splat(0.0, table), splat(gradients.least, table)
    entrances = read(links[slab], 0), read(links[slab], SLAB)
    place = table, grad, width, at
    nothing = (zero, zero, zero, zero)
    before = np.empty(STRIDE * SLAB, table.dtype)
    g_bias = nothing
    for b in range(offsets.shape[0] - 2, -1, -1):
        g = read(grad_out, b * SLAB)
        a, joining = (nothing, g) if anywhere else (g, nothing)  # a is dL/dc_t
        start, stop = offsets[b], offsets[b + 1]
        n_strides = (stop - start + STRIDE - 1) // STRIDE
        slot = start // STRIDE + b
        for n in range(n_strides - 1, -1, -1):
            first = start + n * STRIDE
            span = start, first, min(first + STRIDE, stop)
            c = read(saved, (slot + n) * SLAB)
            _recall(place, ids, span, levels, entrances, c, before)
            a, g_bias = _back_over_stride(
                place, ids, span, levels, entrances, before, a, joining, g_bias, least
            )
        if levels is not None:
            if levels[2].size and stop > start:
                # No later token of this document reads its last state.
                store(levels[2], (stop - 1) * LANES, zero)
    if ids is not None:
        g_bias = _gather(table, grad, width, at, rows.shape[0])
    write(gradients.bias, slab * SLAB, g_bias)


@inlined
def _recall(place, ids, span, levels, entrances, c, before):  # type: ignore[no-untyped-def]
    """Compute the states before each token of a stride again.

    Parameters
    ----------
    place : tuple
        The transition weights and their gradients, both flat, the numbers of a row,
        and where the slab begins in it.
    ids : ndarray of shape (n_tokens,), int32, or None
    span : tuple of int
        First token of the document, first token of the stride, and the one after it.
    levels : tuple of ndarray, or None
        As for `_run`.
    entrances : tuple of twice four vectors
        Whether a state stands above each entry, and whether none does.
    c : tuple of four vectors
        The states before the stride.
    before : ndarray of shape (STRIDE * 32,)
        Filled.
    """
    table, grad, width, at = place
    link, is_first = entrances
    start, first, last = span
    entry = splat(0.0, table)
    for t in range(first, last):
        write(before, (t - first) * SLAB, c)
        if ids is None:
            i = t * width + at
        else:
            i = np.int64(ids[t]) * width + at
            if t >= STRIDE:
                j = np.int64(ids[t - STRIDE]) * width + at
                prefetch_row(table, j)
                prefetch_row(grad, j)
        if levels is not None:
            if levels[0].size and t > start:
                entry = load(levels[0], (t - 1) * LANES)
        c = advance(read(table, i), read(table, i + SLAB), c, entry, link, is_first)


@inlined
def _back_over_stride(  # type: ignore[no-untyped-def]
    place, ids, span, levels, entrances, before, a, joining, g_bias, least
):
    """Differentiate the run over a stride.

    Parameters
    ----------
    place, ids, span, levels, entrances
        As for `_recall`.
    before : ndarray of shape (STRIDE * 32,)
        The states before each token.
    a : tuple of four vectors
        The derivative of the loss by the states after the stride.
    joining : tuple of four vectors
        What joins it at each token.
    g_bias : tuple of four vectors
        The gradient of the biases so far, where each token has its own row.
    least : vector
        Below which a derivative counts as 0.

    Returns
    -------
    a, g_bias : tuple of four vectors
        As they are before the stride.
    """
    table, grad, width, at = place
    zero = splat(0.0, table)
    link, is_first = entrances
    start, first, last = span
    for t in range(last - 1, first - 1, -1):
        a = plus(a, joining)
        i = (t if ids is None else np.int64(ids[t])) * width + at
        f, u = read(table, i), read(table, i + SLAB)
        c = read(before, (t - first) * SLAB)
        entry = zero
        if levels is not None:
            if levels[1].size:
                a = a[0], a[1], a[2], a[3] + load(levels[1], t * LANES)
            if levels[0].size and t > start:
                entry = load(levels[0], (t - 1) * LANES)
        g_f = times(a, c)
        g_u = times(a, entering_values(c, entry, link, is_first))
        if ids is None:
            d_f, d_u = _into_projection(f, u, g_f, g_u)
            g_bias = plus(g_bias, d_f)
            write(grad, i, d_f)
            write(grad, i + SLAB, d_u)
        else:
            write(grad, i, plus(read(grad, i), g_f))
            write(grad, i + SLAB, plus(read(grad, i + SLAB), g_u))
        up = times(times(link, u), a)
        if levels is not None:
            if levels[2].size and t > start:
                store(levels[2], (t - 1) * LANES, up[0])
        a = mul_add_levels(f, a, (up[1], up[2], up[3], zero))
        if t % 4 == 0:
            a = flush_levels(a, least)
    return a, g_bias


@part
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
