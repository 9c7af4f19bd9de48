"""Scores that planted patterns are worth."""

import numpy as np
import pytest

from skrational.datasets import make_planted_scores


def test_a_score_is_the_value_of_the_pattern_and_noise():
    data = make_planted_scores(900, values=[3.0, -1.5], noise=0.1, random_state=0)
    exact = np.array([3.0, -1.5, 0.0])[data.planted]
    np.testing.assert_array_equal(data.expected, exact)
    rest = data.y - exact
    assert abs(rest.mean()) < 0.02
    assert rest.std() == pytest.approx(0.1, rel=0.1)
    assert len(data.texts) == len(data.X) == 900
    assert np.bincount(data.planted + 1).tolist() == [300, 300, 300]


def test_without_noise_the_score_is_the_value():
    data = make_planted_scores(60, patterns=(2, 2, 3), noise=0, random_state=0)
    assert data.values == (1.0, -1.0, 2.0)
    np.testing.assert_array_equal(data.y, data.expected)


def test_the_same_seed_makes_the_same_documents():
    first, again = (make_planted_scores(30, random_state=3) for _ in range(2))
    assert first.documents == again.documents
    np.testing.assert_array_equal(first.y, again.y)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"noise": -1}, "noise is -1"),
        ({"noise": np.nan}, "noise is nan"),
        ({"noise": "much"}, "noise is 'much'"),
        ({"values": [1.0]}, "expected 2 finite numbers"),
        ({"values": [1.0, np.inf]}, "expected 2 finite numbers"),
        ({"values": ["a", "b"]}, "expected 2 finite numbers"),
    ],
)
def test_wrong_parameters_are_named(wrong, match):
    with pytest.raises(ValueError, match=match):
        make_planted_scores(30, **wrong)
