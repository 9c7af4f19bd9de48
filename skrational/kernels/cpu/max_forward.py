"""The recurrence of max-plus and max-times over documents, forward, slab by slab."""

from __future__ import annotations

import numpy as np

from skrational.kernels.cpu.max_slabs import (
    SAVED,
    entering_values,
    join,
    neutral,
    unless_zero,
    ways,
    weigh,
)
from skrational.kernels.cpu.slabs import (
    SLAB,
    STRIDE,
    continues,
    flush_levels,
    plus,
    prefetch_row,
    read,
    write,
)
from skrational.utils.compile import jit
from skrational.utils.simd import LANES, load, splat, store

__all__ = ["forward"]

_AHEAD = 16
"""Tokens between the one whose row is fetched into the cache and the one computed."""


@jit
def forward(walk, slabs, saved, last_levels, out, additive):  # type: ignore[no-untyped-def]
    """Run slabs over documents, as `skrational.kernels.cpu.forward.forward`.

    Parameters
    ----------
    walk : Walk
    slabs : tuple of int
    saved : ndarray of shape (n_slabs, n_slots * 64) or (n_slabs, 0)
        Filled with the states before every 16th token of each document and, for a match
        anywhere, the maximum of those after all earlier tokens.
    last_levels : ndarray of shape (n_slabs, n_tokens * 8) or (n_slabs, 0)
    out : ndarray of shape (n_slabs, n_documents * 32)
        Filled with the scores, 0 where no path has reached a state.
    additive : bool
    """
    nothing = last_levels[0, :0]
    for slab in range(*slabs):
        goes_on = slab + 1 < slabs[1] and continues(walk.links, slab + 1)
        _forward(
            walk,
            slab,
            last_levels[slab - 1] if continues(walk.links, slab) else nothing,
            last_levels[slab] if goes_on else nothing,
            saved[slab],
            out[slab],
            additive,
        )


@jit
def _forward(walk, slab, above, below, saved, out, additive):  # type: ignore[no-untyped-def]
    """Run one slab over documents.

    Parameters
    ----------
    walk : Walk
    slab : int
    above, below : ndarray of shape (n_tokens * 8,) or (0,)
        The last level of the slab above at each token; to be filled with that of this
        one. Empty where no automaton crosses the border.
    saved : ndarray of shape (n_slots * 64,) or (0,)
    out : ndarray of shape (n_documents * 32,)
    additive : bool
        As for `forward`.
    """
    rows, ids, offsets, links, bias, fresh, anywhere = walk
    table, width, at = rows.reshape(-1), rows.shape[1], slab * 2 * SLAB
    zero, one = neutral(additive, table)
    least = splat(np.finfo(table.dtype).tiny, table)
    is_first, b_f = read(links[slab], SLAB), read(bias, slab * SLAB)
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
                write(saved, slot * SAVED, c)
                write(saved, slot * SAVED + SLAB, joined)
                slot += 1
            for t in range(first, min(first + STRIDE, stop)):
                if fresh:
                    i = t * width + at
                    z_f, z_u = plus(read(table, i), b_f), read(table, i + SLAB)
                    f, u = weigh(z_f, z_u, additive)
                    write(table, i, f)
                    write(table, i + SLAB, u)
                else:
                    if t + _AHEAD < last_token:
                        prefetch_row(table, np.int64(ids[t + _AHEAD]) * width + at)
                    i = np.int64(ids[t]) * width + at
                    f, u = read(table, i), read(table, i + SLAB)
                if above.size and t > start:
                    entry = load(above, (t - 1 - offsets[0]) * LANES)
                entered = entering_values(c, entry, is_first, one)
                stay, enter = ways(f, u, c, entered, additive)
                c = join(stay, enter)
                if below.size:
                    store(below, (t - offsets[0]) * LANES, c[3])
                if anywhere:
                    joined = join(joined, c)
        score = joined if anywhere else c
        write(out, b * SLAB, unless_zero(score, score, zero))
