"""The recurrence: a document from its first token to its last, slab by slab."""

from __future__ import annotations

from typing import no_type_check

import triton
import triton.language as tl

from skrational.kernels.cuda.slabs import (
    LANES,
    add_levels,
    choose_levels,
    is_below,
    load_below,
    load_levels,
    load_rows,
    locate,
    locate_below,
    store_levels,
)

__all__ = ["forward"]


@triton.jit(do_not_specialize=["n_states"])
@no_type_check
def forward(
    gates,
    ids,
    offsets,
    starts,
    columns,
    n_states,
    history,
    out,
    LEVELS: tl.constexpr,
    CHUNK: tl.constexpr,
    HAS_BELOW: tl.constexpr,
    REPEATS: tl.constexpr,
    ANYWHERE: tl.constexpr,
    KEEP_HISTORY: tl.constexpr,
):
    """Score the states of a slab: a program for each document and `LANES` automata.

    Parameters
    ----------
    gates : pointer to (n_rows, 2 * S)
        Of a row first f, then u, by place.
    ids : pointer to (n_tokens,), int32
        The row of each token; not read unless REPEATS.
    offsets : pointer to (n_documents + 1,), int32
        Where documents begin.
    starts : pointer to int32
        Where levels begin; see `skrational.kernels.cuda.layout.Slab`.
    columns : pointer to (S,), int64
        Column of the state at each place.
    n_states : int
        S.
    history : pointer to (n_tokens, S)
        The states that each token meets, by place: read if HAS_BELOW, filled if
        KEEP_HISTORY.
    out : pointer to (n_documents, S)
        Filled with the scores, by column.
    LEVELS : int
        Levels of the slab.
    CHUNK : int
        Tokens whose rows are fetched together: each waits for memory, all at once.
    HAS_BELOW : bool
        Whether there are levels below; their history must be there.
    REPEATS : bool
        Whether rows differ from tokens.
    ANYWHERE : bool
        Whether the scores after every token are summed.
    KEEP_HISTORY : bool
    """
    document = tl.program_id(0).to(tl.int64)
    lane = tl.program_id(1) * LANES + tl.arange(0, LANES)
    places, exist = locate(starts, lane, LEVELS)
    zero = tl.full([LANES], 0.0, gates.dtype.element_ty)
    c = (zero,) * LEVELS
    joined = (zero,) * LEVELS
    place_below = locate_below(starts, lane, exist[0], HAS_BELOW)
    start, stop = tl.load(offsets + document), tl.load(offsets + document + 1)
    rows = load_rows(ids, start, 1, start, stop, CHUNK, REPEATS)
    for first in tl.range(start, stop, CHUNK):
        fs = ()
        us = ()
        belows = ()
        for i in tl.static_range(CHUNK):
            of_row = gates + rows[i] * (2 * n_states)
            fs += load_levels(of_row, places, LEVELS)
            us += load_levels(of_row + n_states, places, LEVELS)
            t = tl.minimum(first + i, stop - 1).to(tl.int64)
            states_before = history + t * n_states
            belows += (load_below(states_before, place_below, zero, HAS_BELOW),)
        rows = load_rows(ids, first + CHUNK, 1, start, stop, CHUNK, REPEATS)
        for i in tl.static_range(CHUNK):
            inside = is_below(first + i, stop, LANES)
            if KEEP_HISTORY:
                # What the token meets, not what it leaves: nothing else is needed
                # later, and the first token of a document is no special case.
                t = tl.minimum(first + i, stop - 1).to(tl.int64)
                states_before = history + t * n_states
                store_levels(states_before, places, exist, inside, c, LEVELS)
            after = ()
            below = belows[i]
            for k in tl.static_range(LEVELS):
                after += (fs[i * LEVELS + k] * c[k] + us[i * LEVELS + k] * below,)
                below = c[k]
            c = choose_levels(inside, after, c, LEVELS)
            if ANYWHERE:
                joined = choose_levels(
                    inside, add_levels(joined, after, LEVELS), joined, LEVELS
                )
    if ANYWHERE:
        c = joined
    for k in tl.static_range(LEVELS):
        column = tl.load(columns + places[k])
        tl.store(out + document * n_states + column, c[k], mask=exist[k])
