import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from skrational.datasets import PlaceCells, make_navigation
from skrational.sequences import SequenceArray

STEP_SECONDS = 0.02


@pytest.fixture(scope="module")
def task():
    return make_navigation(60, random_state=0)


@settings(max_examples=25)
@given(st.integers(1, 6), st.integers(1, 30), st.integers(3, 40), st.floats(0.1, 4))
def test_shapes_ranges_and_sums(n_trajectories, n_steps, n_places, box):
    task = make_navigation(
        n_trajectories, n_steps, n_places=n_places, box=box, width=1.0, random_state=1
    )
    assert isinstance(task.X, SequenceArray)
    assert task.X.dtype == np.float32
    assert task.X.n_features == 2 + n_places
    assert task.X.lengths.tolist() == [n_steps + 1] * n_trajectories
    assert task.positions.shape == (n_trajectories, n_steps + 1, 2)
    assert np.abs(task.positions).max() <= box / 2
    assert len(task.y) == n_trajectories
    for y in task.y:
        assert y.shape == (n_steps + 1, n_places)
        assert y.dtype == np.float32
        assert (y >= 0).all()
        np.testing.assert_allclose(y.sum(axis=1), 1, rtol=1e-5)


def test_the_first_token_is_the_place_and_the_others_are_velocities(task):
    for x, y in zip(task.X, task.y, strict=True):
        np.testing.assert_array_equal(x[0, 2:], y[0])
        assert not x[0, :2].any()
        assert not x[1:, 2:].any()


def test_velocities_integrate_to_positions(task):
    for x, positions in zip(task.X, task.positions, strict=True):
        moves = np.cumsum(x[1:, :2].astype(np.float64), axis=0) * STEP_SECONDS
        np.testing.assert_allclose(positions[0] + moves, positions[1:], atol=1e-6)


def test_targets_are_the_codes_of_the_positions(task):
    for y, positions in zip(task.y, task.positions, strict=True):
        np.testing.assert_array_equal(y, task.place_cells.encode(positions))


def test_speeds_and_turns_follow_the_published_distributions():
    task = make_navigation(300, 20, n_places=3, box=1e4, width=1e4, random_state=0)
    velocity = np.diff(task.positions, axis=1) / STEP_SECONDS
    speed = np.linalg.norm(velocity, axis=2)
    assert stats.kstest(speed.ravel(), stats.rayleigh(scale=0.8168).cdf).pvalue > 0.01
    heading = np.arctan2(velocity[..., 1], velocity[..., 0])
    turn = (np.diff(heading, axis=1) + np.pi) % (2 * np.pi) - np.pi
    assert stats.kstest(turn.ravel(), stats.norm(scale=0.2304).cdf).pvalue > 0.01
    first = heading[:, 0] / np.pi
    assert stats.kstest(first, stats.uniform(-1, 2).cdf).pvalue > 0.01


def test_walks_turn_and_slow_down_at_walls():
    box = 2.2
    task = make_navigation(400, 60, n_places=32, surround=None, random_state=0)
    before, velocity = task.positions[:, :-1], np.diff(task.positions, axis=1) / 0.02
    speed = np.linalg.norm(velocity, axis=2)
    near = box / 2 - np.abs(before).max(axis=2) < 0.03
    parallel = near & (np.abs(velocity).min(axis=2) < 1e-6 * speed)
    assert parallel.sum() > 300
    assert 0.9 < speed[~near].mean() / 1.0237 < 1.02
    assert 0.9 < speed[parallel].mean() / (0.25 * 1.0237) < 1.1
    assert (np.abs(task.positions[:, -1]).max(axis=1) < box / 2 - 0.03).mean() > 0.7


def test_the_error_of_the_truth_is_that_of_the_decoder(task):
    decoded = [task.place_cells.decode(y)[1:] for y in task.y]
    distances = [
        np.hypot(*(a - b).T)
        for a, b in zip(decoded, task.positions[:, 1:], strict=True)
    ]
    expected = 100 * np.concatenate(distances).mean()
    assert task.error_cm(task.y) == pytest.approx(expected)
    assert expected < 5
    assert task.error_cm(np.stack(task.y)) == task.error_cm(task.y)


def test_the_start_does_not_count_but_staying_there_does(task):
    wrong_start = [np.concatenate([y[-1:], y[1:]]) for y in task.y]
    assert task.error_cm(wrong_start) == task.error_cm(task.y)
    stays = [np.repeat(y[:1], len(y), axis=0) for y in task.y]
    assert task.error_cm(stays) > 3 * task.error_cm(task.y)


def test_another_task_can_have_the_same_place_cells(task):
    test = make_navigation(
        5, 30, n_places=7, place_cells=task.place_cells, random_state=1
    )
    assert test.place_cells is task.place_cells
    assert test.y[0].shape == (31, 512)
    assert not np.isin(test.positions, task.positions).any()


def test_random_state_decides_everything(untouched_generators):
    small = {"n_trajectories": 4, "n_places": 30, "surround": None}
    one, two = (make_navigation(**small, random_state=3) for _ in range(2))
    assert one.X == two.X
    np.testing.assert_array_equal(one.y, two.y)
    np.testing.assert_array_equal(one.place_cells.centers, two.place_cells.centers)
    generator = np.random.RandomState(3)
    assert make_navigation(**small, random_state=generator).X == one.X
    assert make_navigation(**small, random_state=generator).X != one.X
    assert make_navigation(**small).X != make_navigation(**small).X


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"n_trajectories": 0}, ValueError, "n_trajectories is 0"),
        ({"n_steps": 2.5}, ValueError, "n_steps is 2.5; expected an integer from 1"),
        ({"n_places": 2}, ValueError, "n_places is 2; expected an integer from 3"),
        ({"box": 0.05}, ValueError, "box must be above 0.06 metres; got 0.05"),
        ({"box": np.inf}, ValueError, "box must be above"),
        ({"width": -1}, ValueError, "width must be above 0 metres; got -1"),
        ({"surround": 0.5}, ValueError, "surround must be above 1, or None; got 0.5"),
        ({"place_cells": 64}, TypeError, "place_cells must be PlaceCells; got 64"),
        (
            {"place_cells": PlaceCells(np.eye(3, 2)), "box": 1.5},
            ValueError,
            "place_cells reach 1 metres from the middle, beyond a box of 1.5 metres",
        ),
        ({"random_state": "seed"}, ValueError, "seed"),
    ],
)
def test_invalid_parameters(params, error, message):
    with pytest.raises(error, match=message):
        make_navigation(**{"n_trajectories": 2, **params})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda y: y[1:], "holds 59 predictions .* expected 60 of shape"),
        (lambda y: [codes[1:] for codes in y], r"shapes \[\(20, 512\)\]"),
        (lambda y: [*y[:-1], y[0][:, 1:]], r"\[\(21, 511\), \(21, 512\)\]"),
    ],
)
def test_predictions_of_another_shape(task, change, message):
    with pytest.raises(ValueError, match=message):
        task.error_cm(change(task.y))
