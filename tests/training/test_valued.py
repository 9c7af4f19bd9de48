"""Values as targets: their unit, their parts, and the losses of tokens."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from skrational import as_sequences
from skrational.training.losses import CrossEntropy, SquaredError
from skrational.training.valued import Scale, Valued


def values_of_tokens(lengths, n_values=2, seed=0):
    rng = np.random.default_rng(seed)
    values = np.full((len(lengths), max(lengths, default=0), n_values), np.nan)
    for i, length in enumerate(lengths):
        values[i, :length] = rng.normal(3, 2, (length, n_values))
    return values


def test_scaled_values_have_mean_0_and_variance_1_under_the_weights():
    rng = np.random.default_rng(0)
    values, weights = rng.normal([5, -100], [3, 1e4], (50, 2)), rng.random(50)
    scale = Scale.of(values, weights)
    scaled = (values - scale.center) / scale.spread
    np.testing.assert_allclose(
        np.average(scaled, axis=0, weights=weights), 0, atol=1e-9
    )
    np.testing.assert_allclose(np.average(scaled**2, axis=0, weights=weights), 1)


def test_a_constant_value_keeps_its_unit():
    scale = Scale.of(np.full((9, 1), 0.1 + 0.2), np.ones(9))
    np.testing.assert_array_equal(scale.spread, 1)


def test_a_readout_gets_the_unit_of_the_values():
    values = np.random.default_rng(0).normal(7, 3, (20, 2))
    X = as_sequences(np.zeros((20, 1)))
    data = Valued.of(X, values, Scale.of(values, np.ones(20)), np.ones(20))
    A, a = np.ones((2, 3)), np.zeros(2)
    coef, intercept = data.unscaled(A, a)
    h = np.random.default_rng(1).normal(size=3)
    expected = (A @ h + a) * values.std(axis=0) + values.mean(axis=0)
    np.testing.assert_allclose(coef @ h + intercept, expected)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6))
def test_the_loss_of_a_sequence_is_the_mean_over_its_tokens(lengths):
    values = values_of_tokens(lengths)
    n_tokens = sum(lengths)
    outputs = np.random.default_rng(1).normal(size=(n_tokens, 2))
    if n_tokens == 0:
        return
    loss = SquaredError()(torch.from_numpy(outputs), torch.from_numpy(values))
    start = 0
    for i, length in enumerate(lengths):
        part = outputs[start : start + length]
        start += length
        expected = np.mean((part - values[i, :length]) ** 2) if length else 0.0
        assert float(loss[i]) == pytest.approx(expected)


def test_cross_entropy_of_distributions_by_hand():
    outputs = np.random.default_rng(0).normal(size=(4, 3))
    targets = np.random.default_rng(1).dirichlet(np.ones(3), size=4)
    logs = outputs - np.log(np.exp(outputs).sum(axis=1, keepdims=True))
    found = CrossEntropy()(torch.from_numpy(outputs), torch.from_numpy(targets))
    np.testing.assert_allclose(found.numpy(), -(targets * logs).sum(axis=1))


def test_mean_target_of_tokens_leaves_out_what_is_behind_the_end():
    values = values_of_tokens([3, 1])
    data = Valued.of(
        as_sequences([np.zeros((3, 1)), np.zeros((1, 1))]),
        values,
        Scale.none(2),
        np.array([1.0, 2.0]),
    )
    rows = np.concatenate([values[0, :3], values[1, :1]])
    expected = np.average(rows, axis=0, weights=[1, 1, 1, 2])
    np.testing.assert_allclose(data.shares(), expected)


def test_a_share_is_held_out_and_one_sequence_stays():
    X, values = as_sequences(np.zeros((10, 1))), np.arange(10.0)
    data = Valued.of(X, values, Scale.none(1), np.ones(10))
    training, held_out = data.split(0.25, np.random.default_rng(0))
    assert len(training) == 7
    joined = np.concatenate([training.values, held_out.values])
    np.testing.assert_array_equal(np.sort(joined[:, 0]), values)
    one = data[np.array([3])]
    assert one.split(0.9, np.random.default_rng(0))[1] is None
