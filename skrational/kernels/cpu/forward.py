"""The plus-times recurrence over documents, forward, slab by slab."""

from __future__ import annotations

import numpy as np

from skrational.kernels.cpu.slabs import (
    SLAB,
    STRIDE,
    advance,
    continues,
    flush_levels,
    plus,
    prefetch_row,
    read,
    weigh,
    write,
)
from skrational.utils.compile import jit, part
from skrational.utils.simd import LANES, load, splat, store

__all__ = ["forward", "run_slabs"]

_AHEAD = 16
"""Tokens between the one whose row is fetched into the cache and the one computed."""


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
    ids = None if walk.fresh else walk.ids
    run_slabs(walk, ids, slabs, saved, last_levels if last_levels.size else None, out)


@part
def run_slabs(walk, ids, slabs, saved, last_levels, out):  # type: ignore[no-untyped-def]
    """Run slabs over documents, as `forward`.

    What is None is compiled without: branches within the loops cost as much as the
    recurrence.

    Parameters
    ----------
    walk : Walk
    ids : ndarray of shape (n_tokens,), int32, or None
        None if each token has its own row.
    slabs : tuple of int
    saved : ndarray
    last_levels : ndarray or None
    out : ndarray
    """
    for slab in range(*slabs):
        if last_levels is None:
            _run(walk, ids, slab, None, saved[slab], out[slab])
        else:
            levels = _levels(walk.links, slab, slabs[1], last_levels)
            _run(walk, ids, slab, levels, saved[slab], out[slab])


@jit
def _levels(links, slab, stop, last_levels):  # type: ignore[no-untyped-def]
    """What a slab reads of the one above, and writes for the one below.

    Parameters
    ----------
    links : ndarray of shape (n_slabs, 64)
    slab : int
    stop : int
        The slab that isn't run any more.
    last_levels : ndarray of shape (n_slabs, n_tokens * 8)

    Returns
    -------
    above, below : ndarray of shape (n_tokens * 8,) or (0,)
        Empty where no automaton crosses the border.
    """
    nothing = last_levels[0, :0]
    goes_on = slab + 1 < stop and continues(links, slab + 1)
    above = last_levels[slab - 1] if continues(links, slab) else nothing
    return above, last_levels[slab] if goes_on else nothing


@jit
def _run(walk, ids, slab, levels, saved, out):  # type: ignore[no-untyped-def]
    """Run one slab over documents.

    Parameters
    ----------
    walk : Walk
    ids : ndarray of shape (n_tokens,), int32, or None
    slab : int
    levels : tuple of ndarray of shape (n_tokens * 8,) or (0,), or None
        From `_levels`.
    saved : ndarray of shape (n_slots * 32,) or (0,)
    out : ndarray of shape (n_documents * 32,)
        As for `forward`.
    """
    rows, _, offsets, links, bias, _, anywhere = walk
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
                if ids is None:
                    i = t * width + at
                    f, u = weigh(plus(read(table, i), b_f), read(table, i + SLAB))
                    write(table, i, f)
                    write(table, i + SLAB, u)
                else:
                    if t + _AHEAD < last_token:
                        prefetch_row(table, np.int64(ids[t + _AHEAD]) * width + at)
                    i = np.int64(ids[t]) * width + at
                    f, u = read(table, i), read(table, i + SLAB)
                if levels is not None:
                    if levels[0].size and t > start:
                        entry = load(levels[0], (t - 1 - offsets[0]) * LANES)
                c = advance(f, u, c, entry, link, is_first)
                if levels is not None:
                    if levels[1].size:
                        store(levels[1], (t - offsets[0]) * LANES, c[3])
                if anywhere:
                    joined = plus(joined, c)
        write(out, b * SLAB, joined if anywhere else c)
