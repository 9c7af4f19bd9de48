"""What a gated network can do without, against its definition by brute force."""

from itertools import chain, combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skrational.cells.compaction import what_remains

G = 3


@st.composite
def networks(draw):
    """Which gates vary, what they read and hear, and what the readout hears.

    Beside that, gates that something else moves. Then two rules: gate 1 of a unit is of
    no use where gate 2 hears no unit, and some units are silent if their gate 0 is
    constant.
    """
    n_units, n_features = draw(st.integers(0, 4)), draw(st.integers(1, 3))

    def mask(*shape):
        return draw(arrays(bool, shape))

    varies = mask(G, n_units)
    n_rows = int(varies.sum())
    W_ih, W_hh = mask(n_rows, n_features), mask(n_rows, n_units)
    # What is read and heard is rare, lest everything be connected.
    W_ih &= mask(n_rows, n_features)
    W_hh &= mask(n_rows, n_units)
    stirred = mask(G, n_units) & mask(G, n_units)
    mute = mask(n_units)

    def needed(moving, recurrent):
        useful = moving.copy()
        useful[1] &= moving[2] & recurrent[2]
        return useful

    def silent(moving):
        return mute & ~moving[0]

    return varies, W_ih, W_hh, mask(2, n_units), stirred, needed, silent


def subsets(n):
    items = range(n)
    return chain.from_iterable(combinations(items, k) for k in range(n + 1))


def by_definition(varies, W_ih, W_hh, A, stirred, needed, silent):
    """The units, gates and inputs that are left, as sets."""
    n_units = varies.shape[1]
    rows = dict(zip(map(tuple, np.argwhere(varies)), range(len(W_ih)), strict=True))

    def moving_if_silent(quiet):
        moving, recurrent = np.zeros_like(varies), np.zeros_like(varies)
        for place, row in rows.items():
            hears = set(np.flatnonzero(W_hh[row])) - set(quiet)
            recurrent[place] = bool(hears)
            moving[place] = W_ih[row].any() or recurrent[place] or stirred[place]
        return needed(moving, recurrent)

    # States begin at 0. Those of a set stay so if that follows from their having been
    # 0 so far; a union of such sets is one, too.
    quiet = set()
    for guess in subsets(n_units):
        if silent(moving_if_silent(guess))[list(guess)].all():
            quiet |= set(guess)
    moving = moving_if_silent(quiet)
    loud = set(range(n_units)) - quiet
    hears = np.eye(n_units, dtype=int)
    for (gate, unit), row in rows.items():
        if moving[gate, unit]:
            hears[unit] |= W_hh[row]
    hears[:, list(quiet)] = 0
    reaches = np.linalg.matrix_power(hears, n_units)
    ends = [k for k in loud if A[:, k].any()]
    units = {k for k in loud if reaches[ends, k].any()}
    gates = {place for place in rows if moving[place] and place[1] in units}
    inputs = {j for place in gates for j in np.flatnonzero(W_ih[rows[place]])}
    return units, gates, inputs


@settings(max_examples=200)
@given(networks())
def test_what_remains_is_what_the_definition_says(network):
    units, gates, inputs = by_definition(*network)
    left = what_remains(*network)
    assert set(np.flatnonzero(left.units)) == units
    assert set(map(tuple, np.argwhere(left.varies))) == gates
    assert set(np.flatnonzero(left.inputs)) == inputs
