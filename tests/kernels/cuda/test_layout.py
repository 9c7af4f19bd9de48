import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from skrational.kernels.cuda.layout import LEVELS, LevelLayout

any_lengths = st.lists(st.integers(0, 13), max_size=40).map(tuple)


def lay_out(lengths):
    return LevelLayout.of(lengths, torch.device("cpu"))


def depths(lengths):
    """Level of the state in each column."""
    return np.array([k for length in lengths for k in range(length)], dtype=int)


@given(any_lengths)
def test_every_state_has_its_own_place(lengths):
    layout = lay_out(lengths)
    assert sorted(layout.columns.tolist()) == list(range(sum(lengths)))
    assert layout.columns[layout.places].tolist() == list(range(layout.n_states))


@given(any_lengths)
def test_states_stand_level_by_level_and_long_automata_first(lengths):
    columns = lay_out(lengths).columns.numpy()
    level = depths(lengths)[columns]
    length = np.repeat(lengths, lengths)[columns]
    assert (np.lexsort((-length, level)) == np.arange(len(columns))).all()


@given(any_lengths)
def test_a_state_is_entered_from_the_one_before(lengths):
    layout = lay_out(lengths)
    columns, source = layout.columns.numpy(), layout.entered_from.numpy()
    first = depths(lengths)[columns] == 0
    assert ((source == -1) == first).all()
    assert (columns[source[~first]] == columns[~first] - 1).all()


@given(any_lengths)
def test_slabs_cut_the_levels(lengths):
    slabs = lay_out(lengths).slabs
    assert sum(slab.n_levels for slab in slabs) == max(lengths, default=0)
    assert all(slab.n_levels == LEVELS for slab in slabs[:-1])
    widths = [w for s in slabs for w in s.starts.diff()[: s.n_levels].tolist()]
    assert widths == np.bincount(depths(lengths)).tolist()
    for i, slab in enumerate(slabs):
        assert slab.n_lanes == sum(length > i * LEVELS for length in lengths)
        assert (slab.has_below, slab.has_above) == (i > 0, i < len(slabs) - 1)
