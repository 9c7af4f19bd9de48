"""What the programs that walk documents have in common: the lanes of a slab.

A value of a slab is a tuple of one vector for each of its levels, with a lane for each
automaton.
"""

from __future__ import annotations

from typing import no_type_check

import triton
import triton.language as tl

__all__ = [
    "LANES",
    "add_levels",
    "choose_levels",
    "is_below",
    "load_below",
    "load_levels",
    "load_rows",
    "locate",
    "locate_below",
    "store_levels",
]

LANES = tl.constexpr(32)
"""Automata of a program: one warp."""


@triton.jit
@no_type_check
def locate(starts, lane, LEVELS: tl.constexpr):
    """Place of each state of the lanes, and whether it exists, level by level.

    What doesn't exist is at place 0: it may be loaded, and must not be stored.
    """
    places = ()
    exist = ()
    for k in tl.static_range(LEVELS):
        place = tl.load(starts + k) + lane
        exists = place < tl.load(starts + k + 1)
        places += (tl.where(exists, place, 0),)
        exist += (exists,)
    return places, exist


@triton.jit
@no_type_check
def locate_below(starts, lane, exists, HAS_BELOW: tl.constexpr):
    """Place of the state below each lane; arbitrary if there are no levels below."""
    place = lane
    if HAS_BELOW:
        place = tl.where(exists, tl.load(starts - 1) + lane, 0)
    return place


@triton.jit
@no_type_check
def load_rows(
    ids, first, step, start, stop, CHUNK: tl.constexpr, REPEATS: tl.constexpr
):
    """Rows of the tokens ``first``, ``first + step``, ... of a document, int64.

    Instead of tokens that it doesn't have, its last or first one is read again.

    Parameters
    ----------
    ids : pointer to (n_tokens,), int32
        Not read unless REPEATS.
    first, step : int
    start, stop : int
        The tokens of the document.
    CHUNK : int
        How many rows.
    REPEATS : bool
        Whether rows differ from tokens.
    """
    rows = ()
    for i in tl.static_range(CHUNK):
        t = tl.maximum(tl.minimum(first + i * step, stop - 1), start)
        if REPEATS:
            # A document without tokens has no row.
            rows += (tl.load(ids + t, mask=start < stop, other=0).to(tl.int64),)
        else:
            rows += (t.to(tl.int64),)
    return rows


@triton.jit
@no_type_check
def is_below(t, stop, N: tl.constexpr):
    """Whether a number is smaller than another one: a mask, (N,), of one value."""
    return tl.full([N], t, tl.int32) < stop


@triton.jit
@no_type_check
def load_below(states_before, place_below, zero, HAS_BELOW: tl.constexpr):
    """What enters the lowest level of a slab at a token.

    Parameters
    ----------
    states_before : pointer to (S,)
        The states that the token meets.
    place_below : (LANES,)
        As `locate_below` returns it.
    zero : (LANES,)
    HAS_BELOW : bool
        Whether there are levels below.
    """
    # The start state always weighs 1.
    below = zero + 1.0
    if HAS_BELOW:
        below = tl.load(states_before + place_below)
    return below


@triton.jit
@no_type_check
def load_levels(row, places, LEVELS: tl.constexpr):
    """Load a value of a slab from a row that is ordered by place."""
    values = ()
    for k in tl.static_range(LEVELS):
        values += (tl.load(row + places[k]),)
    return values


@triton.jit
@no_type_check
def add_levels(left, right, LEVELS: tl.constexpr):
    """Add two values of a slab."""
    both = ()
    for k in tl.static_range(LEVELS):
        both += (left[k] + right[k],)
    return both


@triton.jit
@no_type_check
def choose_levels(condition, left, right, LEVELS: tl.constexpr):
    """Take the first of two values of a slab if a condition holds, else the other."""
    chosen = ()
    for k in tl.static_range(LEVELS):
        chosen += (tl.where(condition, left[k], right[k]),)
    return chosen


@triton.jit
@no_type_check
def store_levels(row, places, exist, inside, values, LEVELS: tl.constexpr):
    """Store a value of a slab in a row that is ordered by place.

    Parameters
    ----------
    row : pointer to (S,)
    places, exist : LEVELS times (LANES,)
        As `locate` returns them.
    inside : (LANES,), mask
        Whether there is such a row.
    values : LEVELS times (LANES,)
    LEVELS : int
    """
    for k in tl.static_range(LEVELS):
        tl.store(row + places[k], values[k], mask=exist[k] & inside)
