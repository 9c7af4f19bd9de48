"""The benchmark of explanations beside what its definitions say."""

import numpy as np
import pytest

from benchmarks import faithfulness
from skrational import SequenceArray, SparseRationalClassifier
from skrational.datasets import make_planted_patterns


@pytest.fixture(scope="module")
def fitted():
    data = make_planted_patterns(150, n_features=8, random_state=0)
    clf = SparseRationalClassifier(
        n_wfsas=3,
        lambda_=0,
        warmup_epochs=1,
        max_epochs=3,
        finetune_epochs=1,
        dtype="float64",
        random_state=0,
    )
    return clf.fit(data.X, data.y), data.X[:6]


def test_gradient_times_input_is_the_derivative_by_a_token_s_size(fitted):
    clf, X = fitted
    h = 1e-6
    for i, values in enumerate(faithfulness.gradient_times_input(clf, X)):
        x = X[i].astype(float)
        sign = 1 if clf.predict([x])[0] == clf.classes_[1] else -1
        for t, value in enumerate(values):
            larger, smaller = x.copy(), x.copy()
            larger[t] *= 1 + h
            smaller[t] *= 1 - h
            low, high = clf.decision_function([smaller, larger])
            np.testing.assert_allclose(
                value, sign * (high - low) / (2 * h), rtol=1e-5, atol=1e-8
            )


def test_curves_are_losses_of_probability(fitted):
    clf, X = fitted
    rng = np.random.default_rng(0)
    ranking = [rng.normal(size=n) for n in X.lengths]
    found = faithfulness.curves(clf, X, ranking)
    for i, values in enumerate(ranking):
        rows = np.asarray(X.rows(i))
        p = clf.predict_proba(X[i : i + 1])[0]
        k = p.argmax()
        for j, share in enumerate(faithfulness.SHARES):
            inner = np.arange(1, len(rows) - 1)
            n_top = max(1, round(share * len(inner)))
            top = inner[np.argsort(-values[inner])][:n_top]
            kept = np.sort([0, *top, len(rows) - 1])
            for side, chosen in enumerate((np.delete(rows, top), rows[kept])):
                document = SequenceArray(X.features, [0, len(chosen)], chosen)
                loss = p[k] - clf.predict_proba(document)[0, k]
                np.testing.assert_allclose(found[side, j, i], loss, atol=1e-12)


def test_effects_are_more_faithful_than_chance(fitted):
    clf, X = fitted
    found = faithfulness.rankings(clf, X, seed=0)
    losses = {
        name: np.mean([faithfulness.curves(clf, X, draw)[0].mean() for draw in draws])
        for name, draws in found.items()
    }
    assert len(found["random"]) == faithfulness.RANDOM_DRAWS
    assert losses[faithfulness.OURS] > losses["random"]
