"""The derivative of the recurrence: a document from its last token to its first.

Where each token has a row of its own, this gives the gradients of the pre-activations.
Where rows repeat, it stores the adjoints of the states, from which
`skrational.kernels.cuda.sums` computes the gradients of the rows.
"""

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
    store_levels,
    through_gate,
)

__all__ = ["backward"]


@triton.jit(do_not_specialize=["n_states"])
@no_type_check
def backward(
    z_table,
    ids,
    offsets,
    starts,
    columns,
    n_states,
    history,
    grad_out,
    stored,
    grad_bias,
    LEVELS: tl.constexpr,
    HAS_BELOW: tl.constexpr,
    HAS_ABOVE: tl.constexpr,
    REPEATS: tl.constexpr,
    ANYWHERE: tl.constexpr,
):
    """Differentiate `forward`, after the slab above: programs and names are the same.

    Parameters
    ----------
    z_table, ids, offsets, starts, columns, n_states
        As for `forward`.
    history : pointer to (n_tokens, S)
        The states that each token meets, by place.
    grad_out : pointer to (n_documents, S)
        Gradient of the scores, by column.
    stored : pointer to (n_tokens, S) if REPEATS, else to (n_tokens, 2 * S)
        Filled, by place, with the adjoints of the states after each token if REPEATS,
        and else with the gradients of its pre-activations, ordered as in ``z_table``.
    grad_bias : pointer to (n_documents, S)
        Filled with each document's share of the gradient of the bias, by place, unless
        REPEATS.
    LEVELS, HAS_BELOW, REPEATS, ANYWHERE
        As for `forward`.
    HAS_ABOVE : bool
        Whether there are levels above.
    """
    document = tl.program_id(0).to(tl.int64)
    lane = tl.program_id(1) * LANES + tl.arange(0, LANES)
    places, exist = locate(starts, lane, LEVELS)
    zero = tl.full([LANES], 0.0, z_table.dtype.element_ty)
    g = _load_columns(grad_out + document * n_states, columns, places, exist, LEVELS)
    a = g  # dL/dc_t
    if ANYWHERE:
        a = (zero,) * LEVELS
    g_bias = (zero,) * LEVELS
    place_below = locate_below(starts, lane, HAS_BELOW)
    if HAS_ABOVE:
        goes_on = tl.load(starts + LEVELS) + lane < tl.load(starts + LEVELS + 1)
    start = tl.load(offsets + document)
    stop = tl.load(offsets + document + 1)
    for n in tl.range(0, stop - start, num_stages=STAGES):
        t = stop - 1 - n
        z = z_table + row_of(ids, t, REPEATS) * (2 * n_states)
        states_before = history + t * n_states
        target = stored + t * (n_states if REPEATS else 2 * n_states)
        # What one slab hands down to the next stands where the next will store.
        from_above = zero
        if HAS_ABOVE:
            from_above = tl.load(target + places[LEVELS - 1], mask=goes_on, other=0.0)
        below = load_below(states_before, place_below, exist[0], zero + 1.0, HAS_BELOW)
        if ANYWHERE:
            a = add_levels(a, g, LEVELS)
        stays, passes, z_f_bars = _differentiate_token(
            z, n_states, states_before, target, places, exist, a, below, LEVELS, REPEATS
        )
        if HAS_BELOW:
            tl.store(target + place_below, passes[0], mask=exist[0])
        passes += (from_above,)
        a = add_levels(stays, passes[1:], LEVELS)
        if not REPEATS:
            g_bias = add_levels(g_bias, z_f_bars, LEVELS)
    if not REPEATS:
        store_levels(grad_bias + document * n_states, places, exist, g_bias, LEVELS)


@triton.jit
@no_type_check
def _load_columns(row, columns, places, exist, LEVELS: tl.constexpr):
    """Read a value of a slab from a row, (S,), that is ordered by column.

    Parameters
    ----------
    row : pointer to (S,)
    columns : pointer to (S,), int64
        Column of the state at each place.
    places, exist : LEVELS times (LANES,)
        As `skrational.kernels.cuda.slabs.locate` returns them.
    LEVELS : int
    """
    values = ()
    for k in tl.static_range(LEVELS):
        column = tl.load(columns + places[k], mask=exist[k], other=0)
        values += (tl.load(row + column, mask=exist[k], other=0.0),)
    return values


@triton.jit
@no_type_check
def _differentiate_token(
    z,
    n_states,
    states_before,
    target,
    places,
    exist,
    a,
    below,
    LEVELS: tl.constexpr,
    REPEATS: tl.constexpr,
):
    """Store what `backward` keeps of one token, and carry its adjoints back.

    Parameters
    ----------
    z : pointer to (2 * S,)
        Pre-activations of the token.
    n_states : int
        S.
    states_before : pointer to (S,)
        The states that the token meets.
    target : pointer to (S,) if REPEATS, else to (2 * S,)
        Where to store.
    places, exist : LEVELS times (LANES,)
        As `skrational.kernels.cuda.slabs.locate` returns them.
    a : LEVELS times (LANES,)
        Adjoints of the states after the token.
    below : (LANES,)
        What enters the lowest level.
    LEVELS, REPEATS
        As for `backward`.

    Returns
    -------
    stays : LEVELS times (LANES,)
        What reaches the adjoint before the token through the self-loop.
    passes : LEVELS times (LANES,)
        What reaches, through the main path, the adjoint one level below.
    z_f_bars : LEVELS times (LANES,)
        Gradients of the pre-activations of f; empty if REPEATS.
    """
    stays = ()
    passes = ()
    z_f_bars = ()
    for k in tl.static_range(LEVELS):
        f, z_u = gate(z, n_states, places[k], exist[k])
        before = tl.load(states_before + places[k], mask=exist[k], other=0.0)
        if REPEATS:
            tl.store(target + places[k], a[k], mask=exist[k])
        else:
            z_f_bar, z_u_bar = through_gate(f, z_u, a[k] * before, a[k] * below)
            tl.store(target + places[k], z_f_bar, mask=exist[k])
            tl.store(target + n_states + places[k], z_u_bar, mask=exist[k])
            z_f_bars += (z_f_bar,)
        stays += (f * a[k],)
        passes += ((1.0 - f) * z_u * a[k],)
        below = before
    return stays, passes, z_f_bars
