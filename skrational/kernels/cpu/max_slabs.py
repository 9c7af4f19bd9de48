r"""A step of the recurrence of slabs in semirings whose plus is the maximum.

Of the two ways to a state, staying and entering, the better one counts,

.. math::
    c_t[k] = \max(f_t[k] \otimes c_{t-1}[k], \; u_t[k] \otimes e_t[k]),

where what enters is the state above, or the semiring's one for the first state of an
automaton. The product is a sum in max-plus, which is called additive here.
"""

from __future__ import annotations

import numpy as np

from skrational.kernels.cpu.slabs import SLAB, plus, read, times, write
from skrational.utils.compile import jit, part
from skrational.utils.elementary import exp_less_one, log_sigmoid, sigmoid
from skrational.utils.simd import maximum, splat, where_equal

__all__ = [
    "SAVED",
    "activate",
    "choose",
    "entering_values",
    "join",
    "neutral",
    "unless_zero",
    "way_backward",
    "ways",
    "weigh",
    "weigh_backward",
]

SAVED = 2 * SLAB
"""What a slab saves before a stride: its states, and the maximum of all before them."""


@part
def neutral(additive, like):  # type: ignore[no-untyped-def]
    """Return the semiring's zero and one, as vectors of the type of ``like``."""
    return (
        splat(-np.inf if additive else 0.0, like),
        splat(0.0 if additive else 1.0, like),
    )


@part
def weigh(z_f, z_u, additive):  # type: ignore[no-untyped-def]
    """Weigh the transitions: f = sigmoid(z_f) or its logarithm, u = sigmoid(z_u)."""
    u = sigmoid(z_u[0]), sigmoid(z_u[1]), sigmoid(z_u[2]), sigmoid(z_u[3])
    if additive:
        f = (
            log_sigmoid(z_f[0]),
            log_sigmoid(z_f[1]),
            log_sigmoid(z_f[2]),
            log_sigmoid(z_f[3]),
        )
    else:
        f = sigmoid(z_f[0]), sigmoid(z_f[1]), sigmoid(z_f[2]), sigmoid(z_f[3])
    return f, u


@part
def weigh_backward(f, u, g_f, g_u, additive):  # type: ignore[no-untyped-def]
    """Carry the gradients of f and u on to z_f and z_u.

    Parameters
    ----------
    f, u, g_f, g_u : tuple of four vectors
        Weights of the transitions, and their gradients.
    additive : bool

    Returns
    -------
    tuple of four vectors
        For z_f, then for z_u.
    """
    zero, one = splat(0.0, f[0]), splat(1.0, f[0])
    if additive:
        slope = (
            zero - exp_less_one(f[0]),
            zero - exp_less_one(f[1]),
            zero - exp_less_one(f[2]),
            zero - exp_less_one(f[3]),
        )
    else:
        slope = times(f, (one - f[0], one - f[1], one - f[2], one - f[3]))
    slope_u = times(u, (one - u[0], one - u[1], one - u[2], one - u[3]))
    return times(slope, g_f), times(slope_u, g_u)


@part
def entering_values(c, above, is_first, one):  # type: ignore[no-untyped-def]
    """Find what enters each level: the state above it, or one.

    Parameters
    ----------
    c : tuple of four vectors
        The states before the token.
    above : vector
        The last level of the slab above.
    is_first : tuple of four vectors
        1 where no state stands above, else 0.
    one : vector
    """
    no = splat(0.0, one)
    return (
        where_equal(is_first[0], no, above, one),
        where_equal(is_first[1], no, c[0], one),
        where_equal(is_first[2], no, c[1], one),
        where_equal(is_first[3], no, c[2], one),
    )


@part
def ways(f, u, c, entering, additive):  # type: ignore[no-untyped-def]
    """Return what staying and entering give each state, two tuples of four vectors.

    Parameters
    ----------
    f, u, c, entering : tuple of four vectors
    additive : bool
    """
    if additive:
        return plus(f, c), plus(u, entering)
    return times(f, c), times(u, entering)


@part
def way_backward(weight, c, g, additive):  # type: ignore[no-untyped-def]
    """Carry the gradient of one of the `ways` on to the weight and the state before.

    Parameters
    ----------
    weight, c, g : tuple of four vectors
    additive : bool

    Returns
    -------
    tuple of four vectors
        For the weight, then for the state.
    """
    if additive:
        return g, g
    return times(g, c), times(g, weight)


@part
def join(a, b):  # type: ignore[no-untyped-def]
    """Take the maximum of four levels."""
    return (
        maximum(a[0], b[0]),
        maximum(a[1], b[1]),
        maximum(a[2], b[2]),
        maximum(a[3], b[3]),
    )


@part
def choose(g, a, b):  # type: ignore[no-untyped-def]
    """Differentiate ``join``: give g to the larger one, or half of it to each.

    Parameters
    ----------
    g, a, b : tuple of four vectors

    Returns
    -------
    tuple of four vectors
        For a, then for b.
    """
    to_a = (
        _share(g[0], a[0], b[0]),
        _share(g[1], a[1], b[1]),
        _share(g[2], a[2], b[2]),
        _share(g[3], a[3], b[3]),
    )
    return to_a, (g[0] - to_a[0], g[1] - to_a[1], g[2] - to_a[2], g[3] - to_a[3])


@part
def _share(g, a, b):  # type: ignore[no-untyped-def]
    larger = where_equal(maximum(a, b), a, g, splat(0.0, g))
    return where_equal(a, b, splat(0.5, g) * g, larger)


@part
def unless_zero(value, c, zero):  # type: ignore[no-untyped-def]
    """Set four levels to 0 where no path has reached the state c.

    Parameters
    ----------
    value, c : tuple of four vectors
    zero : vector
        The semiring's.
    """
    nothing = splat(0.0, zero)
    return (
        where_equal(c[0], zero, nothing, value[0]),
        where_equal(c[1], zero, nothing, value[1]),
        where_equal(c[2], zero, nothing, value[2]),
        where_equal(c[3], zero, nothing, value[3]),
    )


@jit
def activate(rows, bias, additive):  # type: ignore[no-untyped-def]
    """Turn projected rows (z_f, z_u) into transition weights (f, u), in place.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_slabs * 64)
    bias : ndarray of shape (n_slabs * 32,)
    additive : bool
    """
    flat = rows.reshape(-1)
    for slab in range(bias.size // SLAB):
        b = read(bias, slab * SLAB)
        for row in range(rows.shape[0]):
            i = row * rows.shape[1] + slab * 2 * SLAB
            f, u = weigh(plus(read(flat, i), b), read(flat, i + SLAB), additive)
            write(flat, i, f)
            write(flat, i + SLAB, u)
