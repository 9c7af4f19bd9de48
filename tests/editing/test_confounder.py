"""A word that gives labels away in training only is found, and taken out."""

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from benchmarks.confounder import WORD, effects, make_data, moved_by_the_word
from skrational import SparseRationalClassifier, WordVectorizer
from skrational.editing import compare, without
from skrational.reporting import report


def test_a_planted_confounder_is_found_and_removed():
    data = make_data(600, 600, seed=0)
    blank = make_pipeline(
        WordVectorizer(), SparseRationalClassifier(dropout=0.0, random_state=0)
    )
    never = clone(blank).fit(data.plain, data.labels)
    misled = clone(blank).fit(data.texts, data.labels)

    def score(model):
        return model.score(data.test_texts, data.test_labels)

    assert score(misled) < score(never) - 0.1
    assert any(WORD in phrase.split() for phrase in misled[-1].rules_.flat)
    assert WORD in report(misled, data.texts, data.labels).to_html()

    edited = without(misled, words=[WORD])
    assert not effects(edited, data.plain).any()
    assert score(edited) > score(misled) + 0.03
    again = clone(edited).fit(data.texts, data.labels)
    assert score(again) > score(never) - 0.02
    found = compare(misled, again, data.test_texts, data.test_labels)
    assert found.accuracy == (score(misled), score(again))
    assert found.n_gained > found.n_lost

    wfsas = moved_by_the_word(misled, data.plain)
    without_wfsas = without(misled, wfsas=wfsas)
    assert score(without_wfsas) > score(misled) + 0.03
    left = np.delete(effects(misled, data.plain), wfsas)
    np.testing.assert_allclose(effects(without_wfsas, data.plain), left, rtol=1e-6)
