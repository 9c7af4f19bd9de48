"""Ordered classes by what there is: a number that is rounded, or a label for each cut.

`docs/howto/numbers.md` has both.
"""

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error

from skrational import SparseRationalClassifier, SparseRationalRegressor
from skrational.datasets import make_planted_scores

DATA = make_planted_scores(500, random_state=0)
STARS = 1 + np.searchsorted(np.quantile(DATA.y, [0.1, 0.3, 0.7, 0.9]), DATA.y)
TRAIN, TEST = slice(0, 400), slice(400, 500)


def error_of(stars):
    return mean_absolute_error(STARS[TEST], stars)


@pytest.fixture(scope="module")
def best_constant():
    return min(error_of(np.full(100, star)) for star in range(1, 6))


def test_numbers_that_are_rounded_are_ordered_classes(best_constant):
    reg = SparseRationalRegressor(n_wfsas=8, random_state=0)
    reg.fit(DATA.X[TRAIN], STARS[TRAIN])
    found = np.clip(np.rint(reg.predict(DATA.X[TEST])), 1, 5)
    assert set(found) <= {1, 2, 3, 4, 5}
    assert error_of(found) < 0.8 * best_constant


def test_labels_that_say_above_which_cut_are_ordered_classes(best_constant):
    above = (STARS[:, None] > [1, 2, 3, 4]).astype(int)
    clf = SparseRationalClassifier(n_wfsas=8, random_state=0)
    clf.fit(DATA.X[TRAIN], above[TRAIN])
    p = clf.predict_proba(DATA.X[TEST])
    assert error_of(1 + (p > 0.5).sum(axis=1)) < 0.8 * best_constant
    p = np.minimum.accumulate(p, axis=1)
    of_stars = -np.diff(p, axis=1, prepend=1, append=0)
    assert of_stars.shape == (100, 5)
    assert of_stars.min() >= 0
    np.testing.assert_allclose(of_stars.sum(axis=1), 1, rtol=1e-6)
    # The mean of the stars is one and the chances of having more than 1, 2, 3 and 4.
    np.testing.assert_allclose(of_stars @ np.arange(1, 6), 1 + p.sum(axis=1), rtol=1e-6)
