from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational.kernels.cpu.layout import SlabLayout
from skrational.kernels.cpu.slabs import LEVELS, SLAB
from skrational.utils.simd import LANES

any_lengths = st.lists(st.integers(0, 13), max_size=40).map(tuple)
short_lengths = st.lists(st.integers(0, LEVELS), max_size=80).map(tuple)


def states_of(layout, lengths):
    """(slab, level, lane) of the states of each automaton, in order."""
    slab, entry = np.divmod(layout.columns, SLAB)
    places = np.column_stack([slab, *np.divmod(entry, LANES)])
    return np.split(places, np.cumsum(lengths)[:-1]) if lengths else []


def chain_of(layout):
    """The chain of each slab."""
    return [i for i, slabs in enumerate(layout.chains) for _ in slabs]


@given(any_lengths)
def test_every_state_has_its_own_place(lengths):
    layout = SlabLayout.of(lengths)
    assert len(set(layout.columns.tolist())) == len(layout.columns) == sum(lengths)
    assert ((layout.columns >= 0) & (layout.columns < layout.n_columns)).all()
    assert layout.n_columns == layout.n_slabs * LEVELS * LANES


@given(any_lengths)
def test_the_states_say_which_automaton_they_belong_to(lengths):
    expected = [i for i, length in enumerate(lengths) for _ in range(length)]
    assert SlabLayout.of(lengths).wfsa.tolist() == expected


@given(any_lengths)
def test_an_automaton_stands_in_one_lane_of_one_chain_from_top_to_bottom(lengths):
    layout = SlabLayout.of(lengths)
    chains = chain_of(layout)
    for states in filter(len, states_of(layout, lengths)):
        slab, level, lane = states.T
        assert len(set(lane.tolist())) == 1
        assert len({chains[i] for i in slab}) == 1
        assert (np.diff(slab * LEVELS + level) == 1).all()


@given(any_lengths)
def test_chains_are_runs_of_slabs_that_follow_each_other(lengths):
    layout = SlabLayout.of(lengths)
    slabs = [slab for chain in layout.chains for slab in chain]
    assert slabs == list(range(layout.n_slabs))
    assert max(map(len, layout.chains), default=0) == -(
        -max(lengths, default=0) // LEVELS
    )


@given(any_lengths)
def test_no_automaton_crosses_a_border_that_it_could_avoid(lengths):
    layout = SlabLayout.of(lengths)
    for states in filter(len, states_of(layout, lengths)):
        assert len(set(states[:, 0].tolist())) == -(-len(states) // LEVELS)
        if len(states) > LEVELS:
            assert states[0, 1] == 0


@given(any_lengths)
def test_links_lead_from_each_state_to_the_one_below_and_nowhere_else(lengths):
    layout = SlabLayout.of(lengths)
    expected = np.zeros((layout.n_slabs, LEVELS, LANES))
    owner = np.full((LEVELS * layout.n_slabs, LANES), -1)
    for i, states in enumerate(states_of(layout, lengths)):
        for slab, level, lane in states:
            owner[slab * LEVELS + level, lane] = i
    for depth in range(1, len(owner)):
        for lane in range(LANES):
            same = owner[depth, lane] == owner[depth - 1, lane] != -1
            expected[depth // LEVELS, depth % LEVELS, lane] = same
    link, opened = layout.links[:, :SLAB], layout.links[:, SLAB:]
    np.testing.assert_array_equal(link, expected.reshape(link.shape))
    np.testing.assert_array_equal(opened, 1 - link)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_links_come_in_the_type_of_the_table(dtype):
    layout = SlabLayout.of((9, 1, 4))
    links = layout.links_as(np.dtype(dtype))
    assert links.dtype == dtype
    assert links.flags.c_contiguous
    np.testing.assert_array_equal(links, layout.links)


@pytest.mark.parametrize(
    ("lengths", "n_slabs"),
    [
        ((1,) * 24, 1),
        ((1,) * 32, 1),
        ((1,) * 33, 2),
        ((2,) * 16, 1),
        ((3,) * 8 + (1,) * 8, 1),
        ((4,) * 8, 1),
        ((4,) * 24, 3),
        ((1,) * 6 + (2,) * 6 + (3,) * 6 + (4,) * 6, 2),
        ((5,), 2),
        ((5,) * 8 + (3,) * 8, 2),
        ((8,) * 8, 2),
        ((9,) + (4,) * 21, 3),
        ((9, 3) + (4,) * 21, 3),
        ((0, 0, 4, 0), 1),
    ],
    ids=str,
)
def test_little_is_wasted(lengths, n_slabs):
    assert SlabLayout.of(lengths).n_slabs == n_slabs


@settings(max_examples=200)
@given(short_lengths)
def test_nothing_is_wasted_on_automata_that_fit_into_a_slab(lengths):
    # The fewest lanes there are: states beside those of 3, pairs of 2, and the rest.
    n1, n2, n3, n4 = (lengths.count(n) for n in range(1, 5))
    lanes = n4 + n3 - -(2 * n2 + max(0, n1 - n3)) // LEVELS
    assert SlabLayout.of(lengths).n_slabs == -(-lanes // LANES)


@pytest.mark.parametrize("lengths", [(), (0,), (0, 0, 0)])
def test_no_states_need_no_slab(lengths):
    layout = SlabLayout.of(lengths)
    assert layout.n_slabs == layout.n_columns == 0
    assert layout.links.shape == (0, 2 * SLAB)
    assert not any(range(*share) for share in layout.shares(3))
    weight, bias = layout.pack(np.ones((0, 7)), np.ones((0, 7)), np.ones(0))
    assert weight.shape == (0, 7)
    assert bias.shape == (0,)


@given(any_lengths, st.sampled_from(["float32", "float64"]))
def test_packed_rows_are_the_weights_and_zeros_elsewhere(lengths, dtype):
    layout, n_states = SlabLayout.of(lengths), sum(lengths)
    drawn = np.random.default_rng(0).normal(size=(2, n_states, 3)) + 9
    W_u, W_f = drawn.astype(dtype)
    b_f = np.arange(1, n_states + 1, dtype=dtype)
    weight, bias = layout.pack(W_u, W_f, b_f)
    expected = np.zeros((layout.n_slabs, 2, SLAB, 3), dtype)
    expected_bias = np.zeros(layout.n_columns, dtype)
    for s, column in enumerate(layout.columns.tolist()):
        slab, entry = divmod(column, SLAB)
        expected[slab, 0, entry] = W_f[s]
        expected[slab, 1, entry] = W_u[s]
        expected_bias[column] = b_f[s]
    np.testing.assert_array_equal(weight, expected.reshape(-1, 3))
    np.testing.assert_array_equal(bias, expected_bias)
    assert weight.dtype == bias.dtype == dtype
    np.testing.assert_array_equal(weight[layout.f_rows], W_f)
    np.testing.assert_array_equal(weight[layout.u_rows], W_u)


def test_packing_leaves_the_weights_as_they_were():
    W_u, W_f, b_f = np.ones((5, 3)), np.ones((5, 3)), np.ones(5)
    weight, bias = SlabLayout.of((2, 3)).pack(W_u, W_f, b_f)
    weight.fill(7)
    bias.fill(7)
    assert all((w == 1).all() for w in (W_u, W_f, b_f))


@given(any_lengths, st.integers(1, 9))
def test_shares_cover_all_slabs_once_and_cut_between_chains_only(lengths, n_threads):
    layout = SlabLayout.of(lengths)
    shares = layout.shares(n_threads)
    slabs = [slab for share in shares for slab in range(*share)]
    assert slabs == list(range(layout.n_slabs))
    assert len(shares) == min(n_threads, len(layout.chains))
    assert not sum(lengths) or all(start < stop for start, stop in shares)
    assert {start for start, _ in shares} <= {chain.start for chain in layout.chains}
    assert all(a[1] == b[0] for a, b in pairwise(shares))


def test_equal_automata_are_shared_out_evenly():
    shares = SlabLayout.of((4,) * 64).shares(3)
    assert sorted(stop - start for start, stop in shares) == [2, 3, 3]


def test_a_layout_is_made_once():
    assert SlabLayout.of((4, 2)) is SlabLayout.of((4, 2))
