import numpy as np

from skrational.pruning.threshold import Threshold


def test_what_is_above_the_threshold_stays():
    norms = np.array([[0.0, 0.1, 0.100001], [3.0, 1e-30, 0.0999]])
    expected = [[False, False, True], [True, False, False]]
    assert Threshold(0.1).survivors(norms).tolist() == expected


def test_zero_drops_exact_zeros_only():
    assert Threshold(0.0).survivors(np.array([0.0, 1e-30])).tolist() == [False, True]
