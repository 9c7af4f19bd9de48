"""What a gated network can do without, and still compute the same.

A gate into which nothing leads that moves is a constant. A unit can go if its state is
always 0, or if no way leads from it to the readout; a feature if no gate reads it. Each
may make others superfluous, up to a fixed point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["Remains", "what_remains"]

Mask: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Remains:
    """What is left of a gated network; masks over what it had.

    Attributes
    ----------
    units : ndarray of shape (H,), bool
    varies : ndarray of shape (G, H), bool
        Gates that aren't constant, of the units that are left.
    inputs : ndarray of shape (E,), bool
    """

    units: Mask
    varies: Mask
    inputs: Mask


def what_remains(
    varies: Mask,
    W_ih: NDArray[Any],
    W_hh: NDArray[Any],
    A: NDArray[Any],
    stirred: Mask,
    needed: Callable[[Mask, Mask], Mask],
    silent: Callable[[Mask], Mask],
) -> Remains:
    """Find what computes something.

    Parameters
    ----------
    varies : ndarray of shape (G, H), bool
        Gates that have a row, M of them.
    W_ih, W_hh : ndarray of shape (M, E) and (M, H)
        Their weights: from features, and from units.
    A : ndarray of shape (n_outputs, H)
        Weights of the readout.
    stirred : ndarray of shape (G, H), bool
        Gates that move even if no weight leads into them.
    needed : callable
        Takes two masks like ``varies``, of gates that move and of gates that hear a
        unit that does; leaves out of the first those that have no effect.
    silent : callable
        Takes a mask like ``varies``; returns a mask of the units, (H,), whose state is
        always 0, judged by the gates that are constant.

    Returns
    -------
    Remains
    """
    n_kinds, n_units = varies.shape
    rows = np.flatnonzero(varies)
    reads = np.zeros((n_kinds * n_units, W_ih.shape[1]), bool)
    hears = np.zeros((n_kinds * n_units, n_units), bool)
    reads[rows], hears[rows] = W_ih != 0, W_hh != 0
    # At first every state is 0; it stays so where nothing else leads to the unit.
    is_silent = np.ones(n_units, bool)
    while True:
        heard = np.any(hears[:, ~is_silent], axis=1)
        recurrent: Mask = heard.reshape(varies.shape)
        moved = reads.any(axis=1).reshape(varies.shape) | recurrent | stirred
        moving = needed(varies & moved, recurrent)
        found = silent(moving)
        if (found == is_silent).all():
            break
        is_silent = found
    units: Mask = _audible((A != 0).any(axis=0) & ~is_silent, moving, hears, is_silent)
    moving = moving & units
    return Remains(units, moving, np.any(reads[moving.reshape(-1)], axis=0))


def _audible(heard: Mask, moving: Mask, hears: Mask, is_silent: Mask) -> Mask:
    """Add to the units that the readout hears those that these hear, and so on.

    Parameters
    ----------
    heard : ndarray of shape (H,), bool
    moving : ndarray of shape (G, H), bool
    hears : ndarray of shape (G * H, H), bool
    is_silent : ndarray of shape (H,), bool
    """
    while True:
        gates = (moving & heard).reshape(-1)
        more: Mask = heard | (hears[gates].any(axis=0) & ~is_silent)
        if (more == heard).all():
            return heard
        heard = more
