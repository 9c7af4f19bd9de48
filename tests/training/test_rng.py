import numpy as np
import pytest
import torch

from skrational.training.rng import Randomness


def draws(randomness):
    """Eight numbers of each stream."""
    return [
        torch.rand(8, generator=randomness.weights, dtype=torch.float64).numpy(),
        torch.rand(8, generator=randomness.noise, dtype=torch.float64).numpy(),
        randomness.order.random(8),
        randomness.split.random(8),
    ]


@pytest.mark.usefixtures("untouched_generators")
def test_a_seed_gives_the_same_numbers():
    np.testing.assert_array_equal(draws(Randomness(3)), draws(Randomness(3)))


def test_the_global_seeds_do_not_matter():
    states = np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    try:
        results = []
        for seed in (0, 1):
            np.random.seed(seed)  # noqa: NPY002
            torch.manual_seed(seed)
            results.append(draws(Randomness(3)))
    finally:
        np.random.set_state(states[0])  # noqa: NPY002
        torch.set_rng_state(states[1])
    np.testing.assert_array_equal(*results)


def test_streams_and_seeds_are_independent():
    rows = np.concatenate([draws(Randomness(seed)) for seed in (0, 1, 2**31 - 1)])
    assert len(np.unique(rows)) == rows.size


def test_drawing_from_one_stream_leaves_the_others():
    used = Randomness(5)
    used.order.permutation(100)
    torch.rand(100, generator=used.noise)
    fresh = draws(Randomness(5))
    weights, _, _, split = draws(used)
    np.testing.assert_array_equal(weights, fresh[0])
    np.testing.assert_array_equal(split, fresh[3])


def test_streams_of_a_seed_are_independent():
    names = [(1, i) for i in range(50)] + [(0, 1), (0, 2), (2, 1), (1, 1, 1)]
    rows = np.concatenate([draws(Randomness(*name)) for name in names])
    assert len(np.unique(rows)) == rows.size
    np.testing.assert_array_equal(draws(Randomness(1, 7)), draws(Randomness(1, 7)))


def test_a_copy_draws_the_same_numbers_by_itself():
    used = Randomness(5, 2)
    draws(used)
    twin, expected = used.copy(), used.copy()
    np.testing.assert_array_equal(draws(twin), draws(expected))
    untouched = Randomness(5, 2)
    draws(untouched)
    np.testing.assert_array_equal(draws(used), draws(untouched))
