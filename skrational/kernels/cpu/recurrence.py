r"""The plus-times recurrence of one slab, forward and backward, compiled.

A *slab* holds the states of four levels times eight lanes (`kernels.layout`). Its row
of the transition table is f of 32 states, then u of 32 states. With the states of one
level as one vector,

.. math::
    c_t[k] = f_t[k] \, c_{t-1}[k] + u_t[k] \, e_t[k],

where what enters, e, is the state above, or 1 for the first state of an automaton:
:math:`e_t[k] = \text{link}[k] \, c_{t-1}[k-1] + \text{open}[k]`. An automaton of more
than four states goes on in the slab below, which reads the last level of this one.

The backward pass recomputes the states from one kept every `STRIDE` tokens, so that a
step needs no memory of the size of tokens times states.
"""

from __future__ import annotations

import numpy as np

from skrational.utils.compile import jit
from skrational.utils.simd import (
    LANES,
    flush,
    load,
    mul_add,
    prefetch,
    sigmoid,
    splat,
    store,
)

__all__ = [
    "LEVELS",
    "SLAB",
    "STRIDE",
    "activate",
    "backward",
    "forward",
    "read_out",
    "read_out_backward",
]

LEVELS = 4
"""States of a lane that a slab holds."""

SLAB = LEVELS * LANES
"""States of a slab."""

STRIDE = 16
"""Tokens between two states that the forward pass keeps."""

_LINE = 16
_AHEAD = 16
_L1, _L2, _L3 = LANES, 2 * LANES, 3 * LANES


@jit
def _read(array, i):  # type: ignore[no-untyped-def]
    """Four levels."""
    return (
        load(array, i),
        load(array, i + _L1),
        load(array, i + _L2),
        load(array, i + _L3),
    )


@jit
def _write(array, i, v):  # type: ignore[no-untyped-def]
    store(array, i, v[0])
    store(array, i + _L1, v[1])
    store(array, i + _L2, v[2])
    store(array, i + _L3, v[3])


@jit
def _plus(a, b):  # type: ignore[no-untyped-def]
    return a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]


@jit
def _times(a, b):  # type: ignore[no-untyped-def]
    return a[0] * b[0], a[1] * b[1], a[2] * b[2], a[3] * b[3]


@jit
def _mul_add(a, b, c):  # type: ignore[no-untyped-def]
    return (
        mul_add(a[0], b[0], c[0]),
        mul_add(a[1], b[1], c[1]),
        mul_add(a[2], b[2], c[2]),
        mul_add(a[3], b[3], c[3]),
    )


@jit
def _flush(v, least):  # type: ignore[no-untyped-def]
    return (
        flush(v[0], least),
        flush(v[1], least),
        flush(v[2], least),
        flush(v[3], least),
    )


@jit
def _gates(z_f, z_u):  # type: ignore[no-untyped-def]
    """Weigh the transitions: f = sigmoid(z_f), u = (1 - f) z_u."""
    f = sigmoid(z_f[0]), sigmoid(z_f[1]), sigmoid(z_f[2]), sigmoid(z_f[3])
    u = (
        z_u[0] - f[0] * z_u[0],
        z_u[1] - f[1] * z_u[1],
        z_u[2] - f[2] * z_u[2],
        z_u[3] - f[3] * z_u[3],
    )
    return f, u


@jit
def _prefetch(array, i):  # type: ignore[no-untyped-def]
    """Have a row fetched that is used soon."""
    for line in range(0, 2 * SLAB, _LINE):
        prefetch(array, i + line)


@jit
def _entering(c, above, link, opened):  # type: ignore[no-untyped-def]
    """Find what enters each level: the state above it, or 1."""
    return _mul_add(link, (above, c[0], c[1], c[2]), opened)


@jit
def _advance(f, u, c, entering):  # type: ignore[no-untyped-def]
    return _mul_add(f, c, _times(u, entering))


@jit
def activate(rows, bias):  # type: ignore[no-untyped-def]
    """Turn projected rows (z_f, z_u) into transition weights (f, u), in place.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_slabs * 64)
    bias : ndarray of shape (n_slabs * 32,)
    """
    flat = rows.reshape(-1)
    for slab in range(bias.size // SLAB):
        b = _read(bias, slab * SLAB)
        for row in range(rows.shape[0]):
            i = row * rows.shape[1] + slab * 2 * SLAB
            f, u = _gates(_plus(_read(flat, i), b), _read(flat, i + SLAB))
            _write(flat, i, f)
            _write(flat, i + SLAB, u)


@jit
def _forward(  # type: ignore[no-untyped-def]
    rows, slab, ids, offsets, links, bias, fresh, above, below, anywhere, kept, out
):
    """Run one slab over documents; see `forward`.

    ``above`` holds the last level of the slab above at each token, ``below`` takes that
    of this one; both are empty where no automaton crosses the border.
    """
    table, width, at = rows.reshape(-1), rows.shape[1], slab * 2 * SLAB
    zero = splat(0.0, table)
    least = splat(np.finfo(table.dtype).tiny, table)
    link, opened = _read(links, 0), _read(links, SLAB)
    b_f = _read(bias, 0)
    last_token = offsets[-1]
    for b in range(offsets.shape[0] - 1):
        c = (zero, zero, zero, zero)
        joined = c
        entry = zero
        start, stop = offsets[b], offsets[b + 1]
        slot = (start - offsets[0]) // STRIDE + b
        for first in range(start, stop, STRIDE):
            # States that only decay would crawl through denormal arithmetic.
            c = _flush(c, least)
            if kept.size:
                _write(kept, slot * SLAB, c)
                slot += 1
            for t in range(first, min(first + STRIDE, stop)):
                if fresh:
                    i = t * width + at
                    f, u = _gates(_plus(_read(table, i), b_f), _read(table, i + SLAB))
                    _write(table, i, f)
                    _write(table, i + SLAB, u)
                else:
                    if t + _AHEAD < last_token:
                        _prefetch(table, np.int64(ids[t + _AHEAD]) * width + at)
                    i = np.int64(ids[t]) * width + at
                    f, u = _read(table, i), _read(table, i + SLAB)
                if above.size and t > start:
                    entry = load(above, (t - 1 - offsets[0]) * LANES)
                c = _advance(f, u, c, _entering(c, entry, link, opened))
                if below.size:
                    store(below, (t - offsets[0]) * LANES, c[3])
                if anywhere:
                    joined = _plus(joined, c)
        _write(out, b * SLAB, joined if anywhere else c)


@jit
def _recall(  # type: ignore[no-untyped-def]
    table,
    grad,
    width,
    at,
    ids,
    first,
    last,
    start,
    fresh,
    above,
    link,
    opened,
    c,
    before,
):
    """Compute the states before each token of a stride again."""
    entry = splat(0.0, table)
    for t in range(first, last):
        _write(before, (t - first) * SLAB, c)
        i = (t if fresh else np.int64(ids[t])) * width + at
        if not fresh and t >= STRIDE:
            j = np.int64(ids[t - STRIDE]) * width + at
            _prefetch(table, j)
            _prefetch(grad, j)
        if above.size and t > start:
            entry = load(above, (t - 1) * LANES)
        entering = _entering(c, entry, link, opened)
        c = _advance(_read(table, i), _read(table, i + SLAB), c, entering)


@jit
def _into_projection(f, u, g_f, g_u):  # type: ignore[no-untyped-def]
    """Carry the gradients of f and u on to z_f and z_u."""
    one = splat(1.0, f[0])
    gate = one - f[0], one - f[1], one - f[2], one - f[3]
    inner = _times(gate, g_f)
    outer = _times(u, g_u)
    d_f = (
        f[0] * (inner[0] - outer[0]),
        f[1] * (inner[1] - outer[1]),
        f[2] * (inner[2] - outer[2]),
        f[3] * (inner[3] - outer[3]),
    )
    return d_f, _times(gate, g_u)


@jit
def _backward(  # type: ignore[no-untyped-def]
    rows,
    slab,
    ids,
    offsets,
    links,
    fresh,
    above,
    from_below,
    to_above,
    anywhere,
    least,
    kept,
    grad_out,
    grad_rows,
    grad_bias,
):
    """Differentiate `_forward`; see `backward`.

    ``from_below`` holds the gradients that the slab below sends to the last level of
    this one, ``to_above`` takes those for the slab above.
    """
    table, width, at = rows.reshape(-1), rows.shape[1], slab * 2 * SLAB
    grad = grad_rows.reshape(-1)
    zero = splat(0.0, table)
    least_ = splat(least, table)
    link, opened = _read(links, 0), _read(links, SLAB)
    before = np.empty(STRIDE * SLAB, table.dtype)
    g_bias = (zero, zero, zero, zero)
    for b in range(offsets.shape[0] - 2, -1, -1):
        g = _read(grad_out, b * SLAB)
        a = (zero, zero, zero, zero) if anywhere else g  # dL/dc_t
        start, stop = offsets[b], offsets[b + 1]
        n_strides = (stop - start + STRIDE - 1) // STRIDE
        slot = start // STRIDE + b
        for n in range(n_strides - 1, -1, -1):
            first = start + n * STRIDE
            last = min(first + STRIDE, stop)
            c = _read(kept, (slot + n) * SLAB)
            _recall(
                table,
                grad,
                width,
                at,
                ids,
                first,
                last,
                start,
                fresh,
                above,
                link,
                opened,
                c,
                before,
            )
            for t in range(last - 1, first - 1, -1):
                if anywhere:
                    a = _plus(a, g)
                if from_below.size:
                    sent = load(from_below, t * LANES)
                    a = a[0], a[1], a[2], a[3] + sent
                i = (t if fresh else np.int64(ids[t])) * width + at
                f, u = _read(table, i), _read(table, i + SLAB)
                c = _read(before, (t - first) * SLAB)
                entry = zero
                if above.size and t > start:
                    entry = load(above, (t - 1) * LANES)
                entering = _entering(c, entry, link, opened)
                g_f, g_u = _times(a, c), _times(a, entering)
                if fresh:
                    d_f, d_u = _into_projection(f, u, g_f, g_u)
                    g_bias = _plus(g_bias, d_f)
                    _write(grad, i, d_f)
                    _write(grad, i + SLAB, d_u)
                else:
                    _write(grad, i, _plus(_read(grad, i), g_f))
                    _write(grad, i + SLAB, _plus(_read(grad, i + SLAB), g_u))
                up = _times(link, _times(u, a))
                if to_above.size and t > start:
                    store(to_above, (t - 1) * LANES, up[0])
                a = _mul_add(f, a, (up[1], up[2], up[3], zero))
                if t % 4 == 0:
                    a = _flush(a, least_)
        if to_above.size and stop > start:
            # No later token of this document reads its last state.
            store(to_above, (stop - 1) * LANES, zero)
    if not fresh:
        g_bias = _gather(table, grad, width, at, rows.shape[0])
    _write(grad_bias, 0, g_bias)


@jit
def _gather(table, grad, width, at, n_rows):  # type: ignore[no-untyped-def]
    """Carry the summed gradients of each row's f and u on to z_f and z_u, in place."""
    zero = splat(0.0, table)
    g_bias = (zero, zero, zero, zero)
    for row in range(n_rows):
        i = row * width + at
        d_f, d_u = _into_projection(
            _read(table, i),
            _read(table, i + SLAB),
            _read(grad, i),
            _read(grad, i + SLAB),
        )
        g_bias = _plus(g_bias, d_f)
        _write(grad, i, d_f)
        _write(grad, i + SLAB, d_u)
    return g_bias


@jit
def forward(  # type: ignore[no-untyped-def]
    rows, slabs, ids, offsets, links, bias, fresh, anywhere, kept, last_levels, out
):
    """Run slabs over documents.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_slabs * 64)
        (f, u) of each row, slab by slab; (z_f, z_u) if fresh.
    slabs : tuple of int
        The first one to run, and the one after the last.
    ids : ndarray of shape (n_tokens,), int32
        Row of each token; not read if fresh.
    offsets : ndarray of shape (n_documents + 1,), int64
        Where the documents begin in ``ids``; need not begin at 0.
    links : ndarray of shape (n_slabs, 64)
        link and open of each state.
    bias : ndarray of shape (n_slabs * 32,)
        Added to z_f if fresh.
    fresh : bool
        Token t reads row t, which is activated, in place, when it is read.
    anywhere : bool
        Whether scores of all tokens are added up.
    kept : ndarray of shape (n_slabs, n_slots * 32) or (n_slabs, 0)
        Filled with the states before every 16th token of each document.
    last_levels : ndarray of shape (n_slabs, n_tokens * 8) or (n_slabs, 0)
        Filled with the last level of each slab; needed where an automaton goes on in
        the slab below.
    out : ndarray of shape (n_slabs, n_documents * 32)
        Filled with the scores.
    """
    for slab in range(*slabs):
        goes_on = slab + 1 < slabs[1] and _continues(links, slab + 1)
        _forward(
            rows,
            slab,
            ids,
            offsets,
            links[slab],
            bias[slab * SLAB : (slab + 1) * SLAB],
            fresh,
            last_levels[slab - 1] if _continues(links, slab) else last_levels[0, :0],
            last_levels[slab] if goes_on else last_levels[0, :0],
            anywhere,
            kept[slab],
            out[slab],
        )


@jit
def backward(  # type: ignore[no-untyped-def]
    rows,
    slabs,
    ids,
    offsets,
    links,
    fresh,
    anywhere,
    least,
    kept,
    last_levels,
    grad_out,
    grad_rows,
    grad_bias,
):
    """Differentiate `forward`.

    Parameters
    ----------
    rows, slabs, ids, offsets, links, fresh, anywhere, kept, last_levels
        As `forward` left them; ``offsets[0]`` is 0.
    least : float
        Adjoints below it count as 0. A long document multiplies many self-loops: what
        underflows would crawl through denormal arithmetic.
    grad_out : ndarray of shape (n_slabs, n_documents * 32)
    grad_rows : ndarray of shape (n_rows, n_slabs * 64)
        Filled with the gradients of z_f and z_u; if fresh it may be ``rows`` itself,
        else it must be 0 before.
    grad_bias : ndarray of shape (n_slabs * 32,)
        Filled with the gradient of the bias.
    """
    nothing = last_levels[0, :0]
    sent = nothing
    for slab in range(slabs[1] - 1, slabs[0] - 1, -1):
        continues = _continues(links, slab)
        to_above = np.empty(ids.size * LANES, rows.dtype) if continues else nothing
        _backward(
            rows,
            slab,
            ids,
            offsets,
            links[slab],
            fresh,
            last_levels[slab - 1] if continues else nothing,
            sent,
            to_above,
            anywhere,
            least,
            kept[slab],
            grad_out[slab],
            grad_rows,
            grad_bias[slab * SLAB : (slab + 1) * SLAB],
        )
        sent = to_above


@jit
def _continues(links, slab):  # type: ignore[no-untyped-def]
    """Whether an automaton comes from the slab above."""
    return links[slab, :LANES].any()


@jit
def read_out(states, columns, readers, final, scale, scores):  # type: ignore[no-untyped-def]
    """Sum weighted states to scores.

    Parameters
    ----------
    states : ndarray of shape (n_slabs, n_documents * 32)
        From `forward`.
    columns : ndarray of shape (S,), int64
        Place of each state in all slabs.
    readers : ndarray of shape (S,), int64
        Column of ``scores`` that each state adds to.
    final : ndarray of shape (S,)
        Weight of each state.
    scale : ndarray of shape (n_documents,)
    scores : ndarray of shape (n_documents, n_scores)
        Filled.
    """
    for b in range(scores.shape[0]):
        for i in range(scores.shape[1]):
            scores[b, i] = 0
        for s in range(columns.size):
            state = states[columns[s] // SLAB, b * SLAB + columns[s] % SLAB]
            scores[b, readers[s]] += final[s] * state
        for i in range(scores.shape[1]):
            scores[b, i] *= scale[b]


@jit
def read_out_backward(  # type: ignore[no-untyped-def]
    states, columns, readers, final, scale, grad_scores, grad_states, grad_final
):
    """Differentiate `read_out`: fill ``grad_states`` and ``grad_final``."""
    grad_states[:] = 0
    grad_final[:] = 0
    for b in range(grad_scores.shape[0]):
        for s in range(columns.size):
            slab, entry = columns[s] // SLAB, b * SLAB + columns[s] % SLAB
            grad = grad_scores[b, readers[s]] * scale[b]
            grad_states[slab, entry] = grad * final[s]
            grad_final[s] += grad * states[slab, entry]
