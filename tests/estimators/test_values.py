"""The targets of regressors, right and wrong ones."""

import numpy as np
import pandas as pd
import pytest
import torch

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


def tensor(arrays):
    return torch.from_numpy(padded(arrays)).requires_grad_()


def nested(arrays):
    return [array.tolist() for array in arrays]


def tensors(arrays):
    return [torch.from_numpy(array).requires_grad_() for array in arrays]


def frame(arrays):
    return pd.DataFrame({"y": arrays})


def objects(arrays):
    return padded(arrays).astype(object)


FORMS = (list, tuple, ragged, nested, padded, objects, as_sequences)
COLUMNS_AND_TENSORS = (pd.Series, frame, tensor, tensors)


@pytest.mark.parametrize("form", (*FORMS, *COLUMNS_AND_TENSORS))
def test_a_row_for_each_token(form):
    values = read_values(form(OF_TOKENS), X)
    assert values.shape == (3, 3, 2)
    np.testing.assert_array_equal(
        at_tokens(values, X.lengths), np.concatenate(OF_TOKENS)
    )


@pytest.mark.parametrize("nothing", [[], np.empty((0, 0)), np.empty((0, 2))])
@pytest.mark.parametrize("place", [0, 1])
def test_an_empty_sequence_needs_no_width(nothing, place):
    order = [1, 0] if place == 0 else [0, 1]
    values = read_values([[OF_TOKENS[0], nothing][i] for i in order], X[order])
    assert values.shape == (2, 3, 2)
    np.testing.assert_array_equal(values[1 - place], OF_TOKENS[0])
    assert np.isnan(values[place]).all()


@pytest.mark.parametrize("form", [list, ragged, pd.Series])
def test_flat_arrays_of_one_length_are_values_of_sequences(form):
    y = [np.array([i, 2.0]) for i in range(3)]
    np.testing.assert_array_equal(read_values(form(y), X), y)


@pytest.mark.parametrize("form", [list, ragged, pd.Series])
@pytest.mark.parametrize("lengths", [(3, 0, 2), (1, 2, 3)])
def test_flat_arrays_of_several_lengths_are_told_what_they_should_be(form, lengths):
    y = form([np.ones(n) for n in lengths])
    with pytest.raises(ValueError, match=r"y_val holds .* use part\[:, None\]"):
        read_values(y, X, "y_val")


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
        ([[[1], [1, 2], [1]], *OF_TOKENS[1:]], r"y\[0\] holds what is no number"),
        ([OF_TOKENS[0] + 1j, *OF_TOKENS[1:]], r"y\[0\] holds what is no number"),
        ([np.ones((3, 0)), *OF_TOKENS[1:]], r"y\[0\] has the shape \(3, 0\)"),
        ([[], *OF_TOKENS[1:]], r"y\[0\] has the shape \(0, 0\); expected \(3, 2\)"),
        ([1.0, [1.0, 2.0], 2.0], "y holds values of different shapes"),
        (pd.DataFrame({"a": OF_TOKENS, "b": OF_TOKENS}), r"y is a DataFrame of 2"),
        (pd.Series([1.0, 2.0, None]).convert_dtypes(), "y contains NaN"),
    ],
)
def test_wrong_targets_are_named(y, message):
    with pytest.raises((ValueError, TypeError), match=message):
        read_values(y, X)


@pytest.mark.parametrize("row", [[0.5, 0.6], [-0.1, 1.1], [0.0, 0.0]])
def test_what_is_no_distribution_is_named(row):
    with pytest.raises(ValueError, match="Row 1 of y has the sum"):
        check_distributions(np.array([[0.5, 0.5], row]))
