"""The targets of regressors, right and wrong ones."""

import numpy as np
import pytest

from skrational import as_sequences
from skrational.estimators._values import at_tokens, check_distributions, read_values

X = as_sequences([np.zeros((n, 2)) for n in (3, 0, 2)])
OF_TOKENS = [np.ones((3, 2)), np.ones((0, 2)), np.full((2, 2), 2.0)]


@pytest.mark.parametrize("y", [[1, 2, 3], np.array([1.5, 2.0, 3.0]), np.eye(3)])
def test_a_row_for_each_sequence(y):
    np.testing.assert_array_equal(read_values(y, X), np.asarray(y, float))


def ragged(arrays):
    y = np.empty(len(arrays), object)
    y[:] = arrays
    return y


def padded(arrays):
    y = np.full((len(arrays), 4, 2), np.nan)
    for i, array in enumerate(arrays):
        y[i, : len(array)] = array
    return y


@pytest.mark.parametrize("form", [list, tuple, ragged, padded])
def test_a_row_for_each_token(form):
    values = read_values(form(OF_TOKENS), X)
    assert values.shape == (3, 3, 2)
    np.testing.assert_array_equal(
        at_tokens(values, X.lengths), np.concatenate(OF_TOKENS)
    )


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([1, 2], "X has 3 sequences, y has 2 targets"),
        ([1, 2, np.nan], "contains NaN"),
        (np.zeros((3, 0)), "0 feature"),
        ("abc", "expected|could not convert|dtype"),
        (OF_TOKENS[:2], "X has 3 sequences, y has 2 arrays"),
        ([np.ones((3, 2)), np.ones((1, 2)), np.ones((2, 2))], r"y\[1\] has the shape"),
        ([np.ones((3, 2)), np.ones((0, 2)), np.ones((2, 1))], r"expected \(2, 2\)"),
        (
            [np.ones((3, 2)), np.ones((0, 2)), np.ones(2)],
            r"y\[2\] has the shape \(2,\)",
        ),
        ([np.ones((3, 2)), None, np.ones((2, 2))], r"y\[1\] is missing"),
        ([np.full((3, 2), np.inf), *OF_TOKENS[1:]], r"y\[0\] contains NaN or infinity"),
        ([[["a", "b"]] * 3, *OF_TOKENS[1:]], r"y\[0\] holds what is no number"),
    ],
)
def test_wrong_targets_are_named(y, message):
    with pytest.raises((ValueError, TypeError), match=message):
        read_values(y, X)


@pytest.mark.parametrize("row", [[0.5, 0.6], [-0.1, 1.1], [0.0, 0.0]])
def test_what_is_no_distribution_is_named(row):
    with pytest.raises(ValueError, match="Row 1 of y has the sum"):
        check_distributions(np.array([[0.5, 0.5], row]))
