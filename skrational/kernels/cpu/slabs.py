r"""Slabs, of four levels times eight lanes of states, and a step of their recurrence.

A slab's row of the transition table is f of its 32 states, then u of them. With the
states of one level as one vector,

.. math::
    c_t[k] = f_t[k] \, c_{t-1}[k] + u_t[k] \, e_t[k],

where what enters, e, is the state above, or 1 for the first state of an automaton:
:math:`e_t[k] = \text{link}[k] \, c_{t-1}[k-1] + \text{first}[k]`. An automaton of more
than four states goes on in the slab below, which reads the last level of this one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.utils.compile import jit, part
from skrational.utils.elementary import sigmoid
from skrational.utils.simd import LANES, flush, load, mul_add, prefetch, store

__all__ = [
    "LEVELS",
    "SLAB",
    "STRIDE",
    "Gradients",
    "Walk",
    "activate",
    "advance",
    "continues",
    "entering_values",
    "flush_levels",
    "mul_add_levels",
    "plus",
    "prefetch_row",
    "read",
    "times",
    "weigh",
    "write",
]

LEVELS = 4
"""States of a lane that a slab holds."""

SLAB = LEVELS * LANES
"""States of a slab."""

STRIDE = 16
"""Tokens between two states that the forward pass saves for the backward pass."""

_LINE = 16
_L1, _L2, _L3 = LANES, 2 * LANES, 3 * LANES


class Walk(NamedTuple):
    """What the slabs read when they run over documents.

    Attributes
    ----------
    rows : ndarray of shape (n_rows, n_slabs * 64)
        (f, u) of each row, slab by slab; (z_f, z_u) if fresh.
    ids : ndarray of shape (n_tokens,), int32
        Row of each token; not read if fresh.
    offsets : ndarray of shape (n_documents + 1,), int64
        Where the documents begin in ``ids``; need not begin at 0.
    links : ndarray of shape (n_slabs, 64)
        For each entry whether a state stands above it, then, whether none does.
    bias : ndarray of shape (n_slabs * 32,)
        Added to z_f if fresh.
    fresh : bool
        Token t reads row t, which is activated, in place, when it is read.
    anywhere : bool
        Whether scores of all tokens are added up.
    """

    rows: NDArray[Any]
    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    links: NDArray[Any]
    bias: NDArray[Any]
    fresh: bool
    anywhere: bool


class Gradients(NamedTuple):
    """What a run backwards reads and fills.

    Attributes
    ----------
    out : ndarray of shape (n_slabs, n_documents * 32)
        Of the scores, given.
    rows : ndarray of shape (n_rows, n_slabs * 64)
        Filled with those of z_f and z_u; if fresh it may be the rows themselves, else
        it must be 0 before.
    bias : ndarray of shape (n_slabs * 32,)
        Filled.
    least : float
        Adjoints below it count as 0. A long document multiplies many self-loops: what
        underflows would crawl through denormal arithmetic.
    """

    out: NDArray[Any]
    rows: NDArray[Any]
    bias: NDArray[Any]
    least: float


@part
def read(array, i):  # type: ignore[no-untyped-def]
    """Four levels."""
    return (
        load(array, i),
        load(array, i + _L1),
        load(array, i + _L2),
        load(array, i + _L3),
    )


@part
def write(array, i, v):  # type: ignore[no-untyped-def]
    """Store four levels."""
    store(array, i, v[0])
    store(array, i + _L1, v[1])
    store(array, i + _L2, v[2])
    store(array, i + _L3, v[3])


@part
def plus(a, b):  # type: ignore[no-untyped-def]
    """Add four levels."""
    return a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]


@part
def times(a, b):  # type: ignore[no-untyped-def]
    """Multiply four levels."""
    return a[0] * b[0], a[1] * b[1], a[2] * b[2], a[3] * b[3]


@part
def mul_add_levels(a, b, c):  # type: ignore[no-untyped-def]
    """``a * b + c`` of four levels, each rounded once where the processor can."""
    return (
        mul_add(a[0], b[0], c[0]),
        mul_add(a[1], b[1], c[1]),
        mul_add(a[2], b[2], c[2]),
        mul_add(a[3], b[3], c[3]),
    )


@part
def flush_levels(v, least):  # type: ignore[no-untyped-def]
    """Set to 0 what is below ``least`` in absolute value."""
    return (
        flush(v[0], least),
        flush(v[1], least),
        flush(v[2], least),
        flush(v[3], least),
    )


@part
def weigh(z_f, z_u):  # type: ignore[no-untyped-def]
    """Weigh the transitions: f = sigmoid(z_f), u = (1 - f) z_u."""
    f = sigmoid(z_f[0]), sigmoid(z_f[1]), sigmoid(z_f[2]), sigmoid(z_f[3])
    u = (
        z_u[0] - f[0] * z_u[0],
        z_u[1] - f[1] * z_u[1],
        z_u[2] - f[2] * z_u[2],
        z_u[3] - f[3] * z_u[3],
    )
    return f, u


@part
def prefetch_row(array, i):  # type: ignore[no-untyped-def]
    """Have a row fetched that is used soon."""
    for line in range(0, 2 * SLAB, _LINE):
        prefetch(array, i + line)


@part
def entering_values(c, above, link, first):  # type: ignore[no-untyped-def]
    """Find what enters each level: the state above it, or 1.

    Parameters
    ----------
    c : tuple of four vectors
        The states before the token.
    above : vector
        The last level of the slab above.
    link, first : tuple of four vectors
        Whether a state stands above each entry, and whether none does.
    """
    return mul_add_levels(link, (above, c[0], c[1], c[2]), first)


@part
def advance(f, u, c, above, link, first):  # type: ignore[no-untyped-def]
    """Take the states over a token: ``f * c + u * entering``.

    u meets link and first before the states are there, which then wait for one product
    and one sum.

    Parameters
    ----------
    f, u, c : tuple of four vectors
    above, link, first
        As for `entering_values`.
    """
    from_above, from_1 = times(u, link), times(u, first)
    entering = mul_add_levels(from_above, (above, c[0], c[1], c[2]), from_1)
    return mul_add_levels(f, c, entering)


@part
def continues(links, slab):  # type: ignore[no-untyped-def]
    """Whether an automaton comes from the slab above."""
    return links[slab, :LANES].any()


@jit
def activate(rows, bias):  # type: ignore[no-untyped-def]
    """Turn projected rows (z_f, z_u) into transition weights (f, u), in place.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_slabs * 64)
    bias : ndarray of shape (n_slabs * 32,)
    """
    flat = rows.reshape(-1)
    for slab in range(bias.size // SLAB):
        b = read(bias, slab * SLAB)
        for row in range(rows.shape[0]):
            i = row * rows.shape[1] + slab * 2 * SLAB
            f, u = weigh(plus(read(flat, i), b), read(flat, i + SLAB))
            write(flat, i, f)
            write(flat, i + SLAB, u)
