"""The derivative of the recurrence: a document from its last token to its first.

Where each token has a row of its own, this gives the gradients of the pre-activations.
Where rows repeat, it stores the adjoints of the states, from which
`skrational.kernels.cuda.sums` computes the gradients of the rows.
"""

from __future__ import annotations

from typing import no_type_check

import triton
import triton.language as tl

from skrational.kernels.cuda.gates import through_gate
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
)

__all__ = ["backward"]


@triton.jit(do_not_specialize=["n_states"])
@no_type_check
def backward(
    gates,
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
    CHUNK: tl.constexpr,
    HAS_BELOW: tl.constexpr,
    HAS_ABOVE: tl.constexpr,
    REPEATS: tl.constexpr,
    ANYWHERE: tl.constexpr,
):
    """Differentiate `forward`, after the slab above: programs and names are the same.

    Parameters
    ----------
    gates, ids, offsets, starts, columns, n_states
        As for `forward`.
    history : pointer to (n_tokens, S)
        The states that each token meets, by place.
    grad_out : pointer to (n_documents, S)
        Gradient of the scores, by column.
    stored : pointer to (n_tokens, S) if REPEATS, else to (n_tokens, 2 * S)
        Filled, by place, with the adjoints of the states after each token if REPEATS,
        and else with the gradients of its pre-activations, ordered as ``gates``.
    grad_bias : pointer to (n_documents, S)
        Filled with each document's share of the gradient of the bias, by place, unless
        REPEATS.
    LEVELS, CHUNK, HAS_BELOW, REPEATS, ANYWHERE
        As for `forward`.
    HAS_ABOVE : bool
        Whether there are levels above.
    """
    document = tl.program_id(0).to(tl.int64)
    lane = tl.program_id(1) * LANES + tl.arange(0, LANES)
    places, exist = locate(starts, lane, LEVELS)
    zero = tl.full([LANES], 0.0, gates.dtype.element_ty)
    g = _load_columns(grad_out + document * n_states, columns, places, exist, LEVELS)
    a = g  # dL/dc_t
    if ANYWHERE:
        a = (zero,) * LEVELS
    g_bias = (zero,) * LEVELS
    place_below = locate_below(starts, lane, exist[0], HAS_BELOW)
    goes_on = exist[0]
    if HAS_ABOVE:
        goes_on = tl.load(starts + LEVELS) + lane < tl.load(starts + LEVELS + 1)
    start, stop = tl.load(offsets + document), tl.load(offsets + document + 1)
    width = n_states if REPEATS else 2 * n_states
    rows = load_rows(ids, stop - 1, -1, start, stop, CHUNK, REPEATS)
    for n in tl.range(0, stop - start, CHUNK):
        last = stop - 1 - n
        fs, us, befores, belows, from_above = _load_chunk(
            gates,
            rows,
            n_states,
            history,
            stored,
            last,
            start,
            places,
            place_below,
            goes_on,
            LEVELS,
            CHUNK,
            HAS_BELOW,
            HAS_ABOVE,
            REPEATS,
        )
        rows = load_rows(ids, last - CHUNK, -1, start, stop, CHUNK, REPEATS)
        for i in tl.static_range(CHUNK):
            inside = is_below(start - 1, last - i, LANES)
            t = tl.maximum(last - i, start).to(tl.int64)
            target = stored + t * width
            if ANYWHERE:
                a = add_levels(a, g, LEVELS)
            stays, passes, z_f_bars = _differentiate_token(
                fs[i * LEVELS : (i + 1) * LEVELS],
                us[i * LEVELS : (i + 1) * LEVELS],
                befores[i * LEVELS : (i + 1) * LEVELS],
                belows[i],
                a,
                target,
                n_states,
                places,
                exist,
                inside,
                LEVELS,
                REPEATS,
            )
            if not REPEATS:
                g_bias = add_levels(g_bias, z_f_bars, LEVELS)
            if HAS_BELOW:
                tl.store(target + place_below, passes[0], mask=exist[0] & inside)
            passes += (from_above[i],)
            a = choose_levels(inside, add_levels(stays, passes[1:], LEVELS), a, LEVELS)
    if not REPEATS:
        row = grad_bias + document * n_states
        for k in tl.static_range(LEVELS):
            tl.store(row + places[k], g_bias[k], mask=exist[k])


@triton.jit
@no_type_check
def _load_chunk(
    gates,
    rows,
    n_states,
    history,
    stored,
    last,
    start,
    places,
    place_below,
    goes_on,
    LEVELS: tl.constexpr,
    CHUNK: tl.constexpr,
    HAS_BELOW: tl.constexpr,
    HAS_ABOVE: tl.constexpr,
    REPEATS: tl.constexpr,
):
    """Load what `backward` needs of some tokens, from the last to the first.

    Parameters
    ----------
    gates, n_states, history, stored, LEVELS, CHUNK, HAS_BELOW, HAS_ABOVE, REPEATS
        As for `backward`.
    rows : CHUNK times int64
        Rows of the tokens.
    last, start : int
        The last of the tokens, and the first one of the document.
    places : LEVELS times (LANES,)
    place_below : (LANES,)
        As `skrational.kernels.cuda.slabs` locates them.
    goes_on : (LANES,), mask
        Whether the lane has a state in the slab above.

    Returns
    -------
    fs, us, befores : CHUNK times LEVELS times (LANES,)
        Gates, and the states that the tokens meet.
    belows, from_above : CHUNK times (LANES,)
        What enters the lowest level, and what the slab above hands down.
    """
    fs = ()
    us = ()
    befores = ()
    belows = ()
    from_above = ()
    zero = tl.full([LANES], 0.0, gates.dtype.element_ty)
    for i in tl.static_range(CHUNK):
        of_row = gates + rows[i] * (2 * n_states)
        fs += load_levels(of_row, places, LEVELS)
        us += load_levels(of_row + n_states, places, LEVELS)
        # In front of the document its first token is read again, to no effect.
        t = tl.maximum(last - i, start).to(tl.int64)
        states_before = history + t * n_states
        befores += load_levels(states_before, places, LEVELS)
        belows += (load_below(states_before, place_below, zero, HAS_BELOW),)
        handed_down = zero
        if HAS_ABOVE:
            # Where the slab above has left it is where this one will store.
            target = stored + t * (n_states if REPEATS else 2 * n_states)
            place = target + places[LEVELS - 1]
            handed_down = tl.load(place, mask=goes_on, other=0.0)
        from_above += (handed_down,)
    return fs, us, befores, belows, from_above


@triton.jit
@no_type_check
def _differentiate_token(
    fs,
    us,
    befores,
    below,
    a,
    target,
    n_states,
    places,
    exist,
    inside,
    LEVELS: tl.constexpr,
    REPEATS: tl.constexpr,
):
    """Store what `backward` keeps of one token, and carry its adjoints back.

    Parameters
    ----------
    fs, us, befores : LEVELS times (LANES,)
        Gates, and the states that the token meets.
    below : (LANES,)
        What enters the lowest level.
    a : LEVELS times (LANES,)
        Adjoints of the states after the token.
    target : pointer to (S,) if REPEATS, else to (2 * S,)
        Where to store.
    n_states : int
        S.
    places, exist : LEVELS times (LANES,)
        As `skrational.kernels.cuda.slabs.locate` returns them.
    inside : (LANES,), mask
        Whether there is such a token.
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
        mask = exist[k] & inside
        stays += (fs[k] * a[k],)
        passes += (us[k] * a[k],)
        if REPEATS:
            tl.store(target + places[k], a[k], mask=mask)
        else:
            g_f, g_u = a[k] * befores[k], a[k] * below
            z_f_bar, z_u_bar = through_gate(fs[k], us[k], g_f, g_u)
            tl.store(target + places[k], z_f_bar, mask=mask)
            tl.store(target + n_states + places[k], z_u_bar, mask=mask)
            z_f_bars += (tl.where(inside, z_f_bar, 0.0),)
        below = befores[k]
    return stays, passes, z_f_bars


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
        column = tl.load(columns + places[k])
        values += (tl.load(row + column, mask=exist[k], other=0.0),)
    return values
