"""What Triton's programs have in common: the lanes of a slab, and its gates.

A value of a slab is a tuple of one vector for each of its levels, with a lane for each
automaton.
"""

from __future__ import annotations

from typing import no_type_check

import triton
import triton.language as tl

__all__ = [
    "LANES",
    "STAGES",
    "add_levels",
    "gate",
    "load_below",
    "locate",
    "locate_below",
    "row_of",
    "store_levels",
    "through_gate",
]

LANES = tl.constexpr(32)
"""Automata of a program: one warp."""

STAGES = tl.constexpr(8)
"""Tokens fetched ahead: what keeps memory busy while few programs run."""


@triton.jit
@no_type_check
def locate(starts, lane, LEVELS: tl.constexpr):
    """Place of each state of the lanes, and whether it exists, level by level."""
    places = ()
    exist = ()
    for k in tl.static_range(LEVELS):
        start = tl.load(starts + k)
        places += (start + lane,)
        exist += (start + lane < tl.load(starts + k + 1),)
    return places, exist


@triton.jit
@no_type_check
def locate_below(starts, lane, HAS_BELOW: tl.constexpr):
    """Place of the state below each lane; arbitrary if there are no levels below."""
    place = lane
    if HAS_BELOW:
        place = tl.load(starts - 1) + lane
    return place


@triton.jit
@no_type_check
def row_of(ids, t, REPEATS: tl.constexpr):
    """Row of a token."""
    row = t
    if REPEATS:
        row = tl.load(ids + t).to(tl.int64)
    return row


@triton.jit
@no_type_check
def load_below(states_before, place_below, exists, one, HAS_BELOW: tl.constexpr):
    """What enters the lowest level of a slab at a token.

    Parameters
    ----------
    states_before : pointer to (S,)
        The states that the token meets.
    place_below : (LANES,)
        As `locate_below` returns it.
    exists : (LANES,), mask
        Whether the lane has a state in the lowest level.
    one : (LANES,)
        The start state, which always weighs 1.
    HAS_BELOW : bool
        Whether there are levels below.
    """
    below = one
    if HAS_BELOW:
        below = tl.load(states_before + place_below, mask=exists, other=0.0)
    return below


@triton.jit
@no_type_check
def gate(z, n_states, place, exists):
    """Self-loop f and projection ``W_u x`` from a row of pre-activations.

    Parameters
    ----------
    z : pointer to (2 * S,)
        First the pre-activations of f, then ``W_u x``.
    n_states : int
        S.
    place : (n,)
        Places of the states.
    exists : (n,), mask
    """
    z_f = tl.load(z + place, mask=exists, other=0.0)
    z_u = tl.load(z + n_states + place, mask=exists, other=0.0)
    return 1.0 / (1.0 + tl.exp(-z_f)), z_u


@triton.jit
@no_type_check
def through_gate(f, z_u, g_f, g_u):
    """Gradients of the pre-activations from those of f and u.

    Parameters
    ----------
    f, z_u : (n,)
        As `gate` returns them.
    g_f, g_u : (n,)
        Gradients of f and of ``u = (1 - f) * z_u``.
    """
    grad_u = (1.0 - f) * g_u
    return f * ((1.0 - f) * g_f - z_u * grad_u), grad_u


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
def store_levels(row, places, exist, values, LEVELS: tl.constexpr):
    """Store a value of a slab in a row that is ordered by place.

    Parameters
    ----------
    row : pointer to (S,)
    places, exist : LEVELS times (LANES,)
        As `locate` returns them.
    values : LEVELS times (LANES,)
    LEVELS : int
    """
    for k in tl.static_range(LEVELS):
        tl.store(row + places[k], values[k], mask=exist[k])
