"""The derivative of the maximum's recurrence, from the last token to the first.

A gradient follows the best path. Where two ways are equally good, each gets half, as
the derivative of torch's maximum has it. States, and what was joined before them, are
computed again from those of one token in `STRIDE`.
"""

from __future__ import annotations

import numpy as np

from skrational.kernels.cpu.max_slabs import (
    SAVED,
    choose,
    entering_values,
    join,
    neutral,
    unless_zero,
    way_backward,
    ways,
    weigh_backward,
)
from skrational.kernels.cpu.slabs import (
    SLAB,
    STRIDE,
    continues,
    flush_levels,
    plus,
    prefetch_row,
    read,
    times,
    write,
)
from skrational.utils.compile import jit, part
from skrational.utils.simd import LANES, load, splat, store

__all__ = ["backward"]


@jit
def backward(walk, slabs, saved, last_levels, gradients, additive):  # type: ignore[no-untyped-def]
    """Differentiate `forward`.

    Parameters
    ----------
    walk, slabs, saved, last_levels
        As `forward` left them; ``walk.offsets[0]`` is 0.
    gradients : Gradients
    additive : bool
    """
    nothing = last_levels[0, :0]
    sent = nothing
    for slab in range(slabs[1] - 1, slabs[0] - 1, -1):
        goes_on = continues(walk.links, slab)
        n_sent = walk.ids.size * LANES if goes_on else 0
        to_above = np.empty(n_sent, walk.rows.dtype)
        above = last_levels[slab - 1] if goes_on else nothing
        _backward(walk, slab, gradients, saved[slab], above, sent, to_above, additive)
        sent = to_above


@jit
def _recall(walk, grad, slab, span, above, kept, before, additive):  # type: ignore[no-untyped-def]
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
    kept : tuple
        Four vectors each: the states before the stride, and what was joined before it.
    before : ndarray of shape (STRIDE * 64,)
        Filled with the states, and what was joined, before each token.
    additive : bool

    Returns
    -------
    tuple of four vectors
        The score after the stride: what is joined, or the states.
    """
    table, width, at = walk.rows.reshape(-1), walk.rows.shape[1], slab * 2 * SLAB
    ids, fresh = walk.ids, walk.fresh
    is_first = read(walk.links[slab], SLAB)
    start, first, last = span
    c, joined = kept
    zero, one = neutral(additive, table)
    entry = zero
    for t in range(first, last):
        write(before, (t - first) * SAVED, c)
        i = (t if fresh else np.int64(ids[t])) * width + at
        if not fresh and t >= STRIDE:
            j = np.int64(ids[t - STRIDE]) * width + at
            prefetch_row(table, j)
            prefetch_row(grad, j)
        if above.size and t > start:
            entry = load(above, (t - 1) * LANES)
        entered = entering_values(c, entry, is_first, one)
        f, u = read(table, i), read(table, i + SLAB)
        stay, enter = ways(f, u, c, entered, additive)
        c = join(stay, enter)
        if walk.anywhere:
            write(before, (t - first) * SAVED + SLAB, joined)
            joined = join(joined, c)
    return joined if walk.anywhere else c


@jit
def _retrace(walk, grad, slab, span, levels, carried, before, additive):  # type: ignore[no-untyped-def]
    """Differentiate the run over a stride.

    Parameters
    ----------
    walk : Walk
    grad : ndarray of shape (n_rows * n_slabs * 64,)
        Of f and u of the rows of these tokens, added to; if fresh, filled with those of
        z_f and z_u.
    slab : int
    span : tuple of int
        As for `_recall`.
    levels : tuple of ndarray of shape (n_tokens * 8,) or (0,)
        above, from_below and to_above, as for `_backward`.
    carried : tuple
        Four vectors each: the gradients of the states after the stride, of what is
        joined after it, and of the biases.
    before : ndarray of shape (STRIDE * 64,)
        From `_recall`.
    additive : bool

    Returns
    -------
    tuple
        What is carried on, before the stride.
    """
    table, width, at = walk.rows.reshape(-1), walk.rows.shape[1], slab * 2 * SLAB
    ids, fresh = walk.ids, walk.fresh
    link, is_first = read(walk.links[slab], 0), read(walk.links[slab], SLAB)
    start, first, last = span
    above, from_below, to_above = levels
    a, g, g_bias = carried
    zero, one = neutral(additive, table)
    nil = splat(0.0, table)
    for t in range(last - 1, first - 1, -1):
        i = (t if fresh else np.int64(ids[t])) * width + at
        f, u = read(table, i), read(table, i + SLAB)
        c = read(before, (t - first) * SAVED)
        entry = zero
        if above.size and t > start:
            entry = load(above, (t - 1) * LANES)
        entered = entering_values(c, entry, is_first, one)
        stay, enter = ways(f, u, c, entered, additive)
        if walk.anywhere:
            joined = read(before, (t - first) * SAVED + SLAB)
            g, own = choose(g, joined, join(stay, enter))
            a = plus(a, own)
        if from_below.size:
            sent = load(from_below, t * LANES)
            a = a[0], a[1], a[2], a[3] + sent
        to_stay, to_enter = choose(a, stay, enter)
        g_f, a = way_backward(f, c, to_stay, additive)
        g_u, up = way_backward(u, entered, to_enter, additive)
        up = times(link, up)
        if to_above.size and t > start:
            store(to_above, (t - 1) * LANES, up[0])
        a = plus(a, (up[1], up[2], up[3], nil))
        if fresh:
            g_f, g_u = weigh_backward(f, u, g_f, g_u, additive)
            g_bias = plus(g_bias, g_f)
            write(grad, i, g_f)
            write(grad, i + SLAB, g_u)
        else:
            write(grad, i, plus(read(grad, i), g_f))
            write(grad, i + SLAB, plus(read(grad, i + SLAB), g_u))
    return a, g, g_bias


@jit
def _backward(  # type: ignore[no-untyped-def]
    walk, slab, gradients, saved, above, from_below, to_above, additive
):
    """Differentiate one slab's run.

    Parameters
    ----------
    walk : Walk
    slab : int
    gradients : Gradients
    saved : ndarray of shape (n_slots * 64,)
    above : ndarray of shape (n_tokens * 8,) or (0,)
        The last level of the slab above at each token.
    from_below : ndarray of shape (n_tokens * 8,) or (0,)
        The gradients that the slab below sends to the last level of this one.
    to_above : ndarray of shape (n_tokens * 8,) or (0,)
        Filled with those for the slab above.
    additive : bool
    """
    rows, offsets, anywhere = walk.rows, walk.offsets, walk.anywhere
    grad, grad_out = gradients.rows.reshape(-1), gradients.out[slab]
    nil, least = splat(0.0, grad), splat(gradients.least, grad)
    nothing = (nil, nil, nil, nil)
    zero, _ = neutral(additive, grad)
    before = np.empty(STRIDE * SAVED, rows.dtype)
    levels = above, from_below, to_above
    g_bias = nothing
    for b in range(offsets.shape[0] - 2, -1, -1):
        start, stop = offsets[b], offsets[b + 1]
        n_strides = (stop - start + STRIDE - 1) // STRIDE
        slot = start // STRIDE + b
        a = g = nothing  # of the states, and of what is joined
        for n in range(n_strides - 1, -1, -1):
            first = start + n * STRIDE
            span = start, first, min(first + STRIDE, stop)
            at = (slot + n) * SAVED
            kept = read(saved, at), read(saved, at + SLAB)
            score = _recall(walk, grad, slab, span, above, kept, before, additive)
            if n == n_strides - 1:
                given = unless_zero(read(grad_out, b * SLAB), score, zero)
                a, g = (nothing, given) if anywhere else (given, nothing)
            carried = a, g, g_bias
            a, g, g_bias = _retrace(
                walk, grad, slab, span, levels, carried, before, additive
            )
            a, g = flush_levels(a, least), flush_levels(g, least)
        if to_above.size and stop > start:
            # No later token of this document reads its last state.
            store(to_above, (stop - 1) * LANES, nil)
    if not walk.fresh:
        table, at = rows.reshape(-1), slab * 2 * SLAB
        g_bias = _gather(table, grad, rows.shape[1], at, rows.shape[0], additive)
    write(gradients.bias, slab * SLAB, g_bias)


@part
def _gather(table, grad, width, at, n_rows, additive):  # type: ignore[no-untyped-def]
    """Carry the summed gradients of each row's f and u on to z_f and z_u, in place.

    Parameters
    ----------
    table, grad : ndarray of shape (n_rows * n_slabs * 64,)
    width : int
        Numbers of a row.
    at : int
        Where the slab begins in a row.
    n_rows : int
    additive : bool
    """
    nil = splat(0.0, table)
    g_bias = (nil, nil, nil, nil)
    for row in range(n_rows):
        i = row * width + at
        g_f, g_u = read(grad, i), read(grad, i + SLAB)
        f, u = read(table, i), read(table, i + SLAB)
        g_f, g_u = weigh_backward(f, u, g_f, g_u, additive)
        g_bias = plus(g_bias, g_f)
        write(grad, i, g_f)
        write(grad, i + SLAB, g_u)
    return g_bias
