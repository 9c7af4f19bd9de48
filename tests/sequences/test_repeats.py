import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational.sequences import repeats
from skrational.sequences.repeats import (
    blocks,
    distinct_rows,
    distinct_share,
    equal_rows,
    find_repeats,
)


@st.composite
def tables(draw):
    """A table with many equal rows, and some row numbers."""
    n_rows, width = draw(st.integers(1, 12)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    dtype = draw(st.sampled_from([np.float16, np.float32, np.float64]))
    table = rng.integers(0, 3, (n_rows, width)).astype(dtype)
    return table, rng.integers(0, n_rows, draw(st.integers(0, 30)))


def check_repeats(table, rows):
    distinct, place = find_repeats(table, rows)
    position = place[rows]
    expected = np.unique(table[rows], axis=0)
    np.testing.assert_array_equal(table[distinct][position], table[rows])
    np.testing.assert_array_equal(np.unique(table[distinct], axis=0), expected)
    assert len(distinct) == len(expected)
    assert position.dtype == np.int32


@settings(max_examples=100)
@given(tables())
def test_repeats_are_those_of_unique_rows(table_and_rows):
    check_repeats(*table_and_rows)


@settings(max_examples=50)
@given(tables())
def test_vectors_that_share_a_hash_stay_apart(table_and_rows):
    def constant(features, rows):
        return np.zeros(len(rows), np.uint64)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "row_hashes", constant)
        check_repeats(*table_and_rows)


@settings(max_examples=50)
@given(tables())
def test_the_distinct_share_is_that_of_unique_rows(table_and_rows):
    table, rows = table_and_rows
    n_distinct = len(np.unique(table[rows], axis=0))
    expected = n_distinct / len(rows) if len(rows) else 1
    assert distinct_share(table, rows) == expected


def test_values_in_other_columns_are_other_vectors():
    table = np.concatenate([np.eye(50), 2 * np.eye(50), np.zeros((2, 50))])
    distinct, _ = find_repeats(table, np.arange(102))
    assert len(distinct) == 101


def test_blocks_cover_all_rows_once():
    rows = np.arange(11)
    width = 2**18  # four rows a block
    pieces = [rows[block] for block in blocks(11, width)]
    assert [len(piece) for piece in pieces] == [4, 4, 3]
    np.testing.assert_array_equal(np.concatenate(pieces), rows)


def test_rows_are_compared_beyond_the_first_block():
    table = np.zeros((6, 2**19), np.float16)  # two rows a block
    table[5, -1] = 1
    first, second = np.array([0, 1, 2, 3]), np.array([0, 1, 2, 4])
    assert equal_rows(table, first, table, second)
    assert not equal_rows(table, first, table, np.array([0, 1, 2, 5]))
    rows = np.array([0, 5, 1, 5, 4])
    distinct, place = find_repeats(table, rows)
    position = place[rows]
    assert len(distinct) == 2
    assert position[1] == position[3] != position[0] == position[2] == position[4]


@given(st.lists(st.integers(0, 20), max_size=40), st.sampled_from([21, 1000]))
def test_distinct_rows_are_found_in_order(rows, n_rows):
    found = distinct_rows(np.array(rows, np.int32), n_rows)
    assert found.tolist() == sorted(set(rows))
