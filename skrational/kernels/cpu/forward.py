"""The plus-times recurrence over documents, forward, slab by slab."""

from __future__ import annotations

import numpy as np

from skrational.kernels.cpu.slabs import (
    SLAB,
    STRIDE,
    advance,
    continues,
    entering_values,
    flush_levels,
    plus,
    prefetch_row,
    read,
    weigh,
    write,
)
from skrational.utils.compile import jit
from skrational.utils.simd import LANES, load, splat, store

__all__ = ["forward"]

_AHEAD = 16
"""Tokens between the one whose row is fetched into the cache and the one computed."""


@jit
def forward(  # type: ignore[no-untyped-def]
    rows, slabs, ids, offsets, links, bias, fresh, anywhere, saved, last_levels, out
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
    saved : ndarray of shape (n_slabs, n_slots * 32) or (n_slabs, 0)
        Filled with the states before every 16th token of each document.
    last_levels : ndarray of shape (n_slabs, n_tokens * 8) or (n_slabs, 0)
        Filled with the last level of each slab; needed where an automaton goes on in
        the slab below.
    out : ndarray of shape (n_slabs, n_documents * 32)
        Filled with the scores.
    """
    for slab in range(*slabs):
        goes_on = slab + 1 < slabs[1] and continues(links, slab + 1)
        _forward(
            rows,
            slab,
            ids,
            offsets,
            links[slab],
            bias[slab * SLAB : (slab + 1) * SLAB],
            fresh,
            last_levels[slab - 1] if continues(links, slab) else last_levels[0, :0],
            last_levels[slab] if goes_on else last_levels[0, :0],
            anywhere,
            saved[slab],
            out[slab],
        )


@jit
def _forward(  # type: ignore[no-untyped-def]
    rows, slab, ids, offsets, links, bias, fresh, above, below, anywhere, saved, out
):
    """Run one slab over documents; see `forward`.

    ``above`` holds the last level of the slab above at each token, ``below`` takes that
    of this one; both are empty where no automaton crosses the border.
    """
    table, width, at = rows.reshape(-1), rows.shape[1], slab * 2 * SLAB
    zero = splat(0.0, table)
    least = splat(np.finfo(table.dtype).tiny, table)
    link, is_first = read(links, 0), read(links, SLAB)
    b_f = read(bias, 0)
    last_token = offsets[-1]
    for b in range(offsets.shape[0] - 1):
        c = (zero, zero, zero, zero)
        joined = c
        entry = zero
        start, stop = offsets[b], offsets[b + 1]
        slot = (start - offsets[0]) // STRIDE + b
        for first in range(start, stop, STRIDE):
            # States that only decay would crawl through denormal arithmetic.
            c = flush_levels(c, least)
            if saved.size:
                write(saved, slot * SLAB, c)
                slot += 1
            for t in range(first, min(first + STRIDE, stop)):
                if fresh:
                    i = t * width + at
                    f, u = weigh(plus(read(table, i), b_f), read(table, i + SLAB))
                    write(table, i, f)
                    write(table, i + SLAB, u)
                else:
                    if t + _AHEAD < last_token:
                        prefetch_row(table, np.int64(ids[t + _AHEAD]) * width + at)
                    i = np.int64(ids[t]) * width + at
                    f, u = read(table, i), read(table, i + SLAB)
                if above.size and t > start:
                    entry = load(above, (t - 1 - offsets[0]) * LANES)
                c = advance(f, u, c, entering_values(c, entry, link, is_first))
                if below.size:
                    store(below, (t - offsets[0]) * LANES, c[3])
                if anywhere:
                    joined = plus(joined, c)
        write(out, b * SLAB, joined if anywhere else c)
