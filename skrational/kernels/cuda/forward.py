"""The recurrence: a document from its first token to its last, slab by slab."""

from __future__ import annotations

from typing import no_type_check

import triton
import triton.language as tl

from skrational.kernels.cuda.slabs import (
    LANES,
    STAGES,
    add_levels,
    gate,
    load_below,
    locate,
    locate_below,
    row_of,
)

__all__ = ["forward"]


@triton.jit(do_not_specialize=["n_states"])
@no_type_check
def forward(
    z_table,
    ids,
    offsets,
    starts,
    columns,
    n_states,
    history,
    out,
    LEVELS: tl.constexpr,
    HAS_BELOW: tl.constexpr,
    REPEATS: tl.constexpr,
    ANYWHERE: tl.constexpr,
    KEEP_HISTORY: tl.constexpr,
):
    """Score the states of a slab: a program for each document and `LANES` automata.

    Parameters
    ----------
    z_table : pointer to (n_rows, 2 * S)
        Pre-activations: of a row first those of f, then ``W_u x``.
    ids : pointer to (n_tokens,), int32
        The row of each token; not read unless REPEATS.
    offsets : pointer to (n_documents + 1,), int64
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
    zero = tl.full([LANES], 0.0, z_table.dtype.element_ty)
    c = (zero,) * LEVELS
    joined = (zero,) * LEVELS
    place_below = locate_below(starts, lane, HAS_BELOW)
    stop = tl.load(offsets + document + 1)
    for t in tl.range(tl.load(offsets + document), stop, num_stages=STAGES):
        z = z_table + row_of(ids, t, REPEATS) * (2 * n_states)
        states_before = history + t * n_states
        below = load_below(states_before, place_below, exist[0], zero + 1.0, HAS_BELOW)
        after = ()
        for k in tl.static_range(LEVELS):
            if KEEP_HISTORY:
                # What the token meets, not what it leaves: nothing else is needed
                # later, and the first token of a document is no special case.
                tl.store(states_before + places[k], c[k], mask=exist[k])
            f, z_u = gate(z, n_states, places[k], exist[k])
            after += (f * c[k] + (1.0 - f) * z_u * below,)
            below = c[k]
        c = after
        if ANYWHERE:
            joined = add_levels(joined, c, LEVELS)
    if ANYWHERE:
        c = joined
    for k in tl.static_range(LEVELS):
        column = tl.load(columns + places[k], mask=exist[k], other=0)
        tl.store(out + document * n_states + column, c[k], mask=exist[k])
