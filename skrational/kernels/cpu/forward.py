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
def forward(walk, slabs, saved, last_levels, out):  # type: ignore[no-untyped-def]
    """Run slabs over documents.

    Parameters
    ----------
    walk : Walk
    slabs : tuple of int
        The first one to run, and the one after the last.
    saved : ndarray of shape (n_slabs, n_slots * 32) or (n_slabs, 0)
        Filled with the states before every 16th token of each document.
    last_levels : ndarray of shape (n_slabs, n_tokens * 8) or (n_slabs, 0)
        Filled with the last level of each slab; needed where an automaton goes on in
        the slab below.
    out : ndarray of shape (n_slabs, n_documents * 32)
        Filled with the scores.
    """
    links = walk.links
    for slab in range(*slabs):
        goes_on = slab + 1 < slabs[1] and continues(links, slab + 1)
        _forward(
            walk,
            slab,
            last_levels[slab - 1] if continues(links, slab) else last_levels[0, :0],
            last_levels[slab] if goes_on else last_levels[0, :0],
            saved[slab],
            out[slab],
        )


@jit
def _forward(walk, slab, above, below, saved, out):  # type: ignore[no-untyped-def]
    """Run one slab over documents.

    Parameters
    ----------
    walk : Walk
    slab : int
    above, below : ndarray of shape (n_tokens * 8,) or (0,)
        The last level of the slab above at each token; to be filled with that of this
        one. Empty where no automaton crosses the border.
    saved : ndarray of shape (n_slots * 32,) or (0,)
    out : ndarray of shape (n_documents * 32,)
        As for `forward`.
    """
    rows, ids, offsets, links, bias, fresh, anywhere = walk
    table, width, at = rows.reshape(-1), rows.shape[1], slab * 2 * SLAB
    zero = splat(0.0, table)
    least = splat(np.finfo(table.dtype).tiny, table)
    link, is_first = read(links[slab], 0), read(links[slab], SLAB)
    b_f = read(bias, slab * SLAB)
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
