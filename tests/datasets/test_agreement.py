import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from skrational.datasets import make_agreement
from skrational.datasets.agreement import _NOUNS, _VERBS

PLURAL = {pair[1] for pair in (*_NOUNS, *_VERBS)}
NOUNS = {word for pair in _NOUNS for word in pair}
VERBS = {word for pair in _VERBS for word in pair}


def read(document):
    """Subject, verb and nouns between them of a sentence, from its words alone."""
    behind = document[document.index(",") + 1 :]
    verb = next(i for i, word in enumerate(behind) if word in VERBS)
    before = [word for word in behind[:verb] if word in NOUNS]
    return before[0], behind[verb], before[1:]


@pytest.mark.parametrize(("n_attractors", "distance"), [(0, 0), (1, 0), (2, 3)])
def test_the_label_is_whether_subject_and_verb_agree(n_attractors, distance):
    data = make_agreement(
        200, n_attractors=n_attractors, distance=distance, random_state=0
    )
    assert data.y.sum() == 100
    for i, document in enumerate(data.documents):
        subject, verb, between = read(document)
        assert len(between) == n_attractors
        assert ((subject in PLURAL) == (verb in PLURAL)) == data.y[i]
        assert (subject in PLURAL) == data.subject_is_plural[i]
        assert (verb in PLURAL) == data.verb_is_plural[i]
        told = [word in PLURAL for word in document if word in NOUNS]
        assert told == data.nouns_are_plural[i].tolist()
        assert len(document) == 6 + 3 * n_attractors + distance + 1 + 6
        rows = np.stack([data.vectors[word] for word in document])
        np.testing.assert_array_equal(data.X[i], rows)


def test_attractors_are_of_either_number():
    data = make_agreement(4000, n_attractors=1, random_state=0)
    differ = data.nouns_are_plural[:, 2] != data.subject_is_plural
    assert 0.5 < differ.mean() < 0.7


def test_a_bag_of_words_is_at_chance():
    train = make_agreement(4000, random_state=0)
    test = make_agreement(2000, random_state=1)
    bag = CountVectorizer(token_pattern=r"\S+")
    clf = LogisticRegression(C=0.1).fit(bag.fit_transform(train.texts), train.y)
    # Four standard deviations of 2,000 throws of a coin are .045.
    assert abs(clf.score(bag.transform(test.texts), test.y) - 0.5) < 0.045


def test_numbers_are_even_given_how_many_are_plural():
    data = make_agreement(8000, random_state=0)
    n_plural = data.nouns_are_plural.sum(axis=1)
    assert set(n_plural) == {1, 2, 3, 4}
    for n in (1, 2, 3, 4):
        for which in (data.subject_is_plural, data.verb_is_plural, data.y):
            assert abs(which[n_plural == n].mean() - 0.5) < 0.05


def test_the_same_seed_makes_the_same_sentences():
    first, again = (make_agreement(20, random_state=3) for _ in range(2))
    assert first.texts == again.texts
    np.testing.assert_array_equal(first.X.features, again.X.features)
    assert first.texts != make_agreement(20, random_state=4).texts


def test_given_vectors_are_used():
    drawn = make_agreement(5, random_state=0).vectors
    given = {word: np.arange(6) + i for i, word in enumerate(drawn)}
    data = make_agreement(5, vectors=given, random_state=0)
    assert data.X.n_features == 6
    np.testing.assert_array_equal(data.X[0][0], given[data.documents[0][0]])


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"n_sentences": 0}, ValueError, "n_sentences"),
        ({"n_attractors": -1}, ValueError, "n_attractors"),
        ({"distance": 1.5}, (TypeError, ValueError), "distance"),
        ({"n_features": 3}, ValueError, "n_features"),
        ({"vectors": {"the": [1.0]}}, ValueError, "','"),
    ],
)
def test_bad_parameters_are_named(params, error, message):
    with pytest.raises(error, match=message):
        make_agreement(**params)


def test_vectors_of_several_lengths_are_refused():
    given = {w: np.ones(3) for w in make_agreement(1, random_state=0).vectors}
    with pytest.raises(ValueError, match="shapes"):
        make_agreement(1, vectors=given | {"the": np.ones(4)})
