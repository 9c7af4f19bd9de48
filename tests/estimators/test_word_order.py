"""What only the order of words tells is learned."""

import numpy as np
import pytest

from skrational import SequenceArray, SparseRationalClassifier
from skrational.datasets import make_agreement


def which_comes_first(n_documents, rng, vectors):
    """Ten words; two of them are always there, and the first of these is the class."""
    ids = rng.integers(2, len(vectors), size=(n_documents, 10))
    y = rng.integers(2, size=n_documents)
    for document, label in zip(ids, y, strict=True):
        places = np.sort(rng.choice(10, 2, replace=False))
        document[places] = [label, 1 - label]
    offsets = np.arange(n_documents + 1) * 10
    return SequenceArray(vectors, offsets, ids.ravel().astype(np.int32)), y


def test_which_of_two_words_comes_first_is_learned_at_the_defaults():
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(30, 20)).astype(np.float32) / 20**0.5
    train, y = which_comes_first(2000, rng, vectors)
    test, expected = which_comes_first(500, rng, vectors)
    clf = SparseRationalClassifier(random_state=0).fit(train, y)
    assert clf.score(test, expected) == 1
    assert clf.n_transitions_ <= 24


@pytest.mark.parametrize("distance", [0, 2])
@pytest.mark.parametrize("lambda_", [2e-3, "auto"])
def test_whether_verb_and_subject_agree_is_learned(lambda_, distance):
    """A bag of words is at chance.

    Without an error in training there are no gradients, and nothing that tells a
    proximal step in Adam's metric which states are needed: it would take them all.
    """
    made = {"n_attractors": 1, "distance": distance}
    train = make_agreement(3000, **made, random_state=0)
    test = make_agreement(500, **made, vectors=train.vectors, random_state=1)
    clf = SparseRationalClassifier(lambda_=lambda_, random_state=0)
    assert clf.fit(train.X, train.y).score(test.X, test.y) >= 0.95
