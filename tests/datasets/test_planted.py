from itertools import combinations

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skrational.datasets import make_planted_patterns

EVERYTHING = {
    "patterns": (1, 2, 4),
    "class_of_pattern": (2, 1, 2),
    "length_range": (7, 15),
    "max_gap": 1,
    "n_decoys": 3,
}


def matches(tokens, pattern, max_gap):
    """Try every choice of positions."""
    return any(
        all(tokens[t] in slot for t, slot in zip(positions, pattern, strict=True))
        and all(np.diff(positions) <= max_gap + 1)
        for positions in combinations(range(len(tokens)), len(pattern))
    )


@pytest.mark.parametrize("options", [{}, {"patterns": (3,)}, EVERYTHING])
def test_labels_agree_with_brute_force(options):
    data = make_planted_patterns(120, random_state=1, **options)
    max_gap = options.get("max_gap", 2)
    for tokens, y, planted in zip(data.documents, data.y, data.planted, strict=True):
        found = [p for p, of in enumerate(data.patterns) if matches(tokens, of, 99)]
        assert found == ([planted] if planted >= 0 else [])
        if planted >= 0:
            assert matches(tokens, data.patterns[planted], max_gap)
        assert y == (data.class_of_pattern[planted] if planted >= 0 else 0)


def test_X_holds_the_documents():
    data = make_planted_patterns(50, n_features=7, random_state=0)
    assert data.X.features.dtype == np.float32
    assert data.X.n_features == 7
    np.testing.assert_allclose(np.linalg.norm(data.X.features, axis=1), 1, rtol=1e-6)
    assert list(data.X.labels) == list(data.vectors)
    for i, tokens in enumerate(data.documents):
        assert list(data.X.labels[data.X.rows(i)]) == tokens
        np.testing.assert_array_equal(data.X[i], [data.vectors[w] for w in tokens])
        assert data.texts[i].split() == tokens


def test_default_patterns_and_sizes():
    data = make_planted_patterns(300, length_range=(9, 12), n_words=30, random_state=0)
    assert data.lengths == (2, 3)
    assert data.n_transitions == 5
    assert np.bincount(data.y).tolist() == [150, 150]
    assert np.bincount(data.planted[data.y == 1]).tolist() == [75, 75]
    assert set(data.X.lengths) == {9, 10, 11, 12}
    assert len(data.vectors) == 30 + 5 * 3


def test_three_classes_are_balanced():
    data = make_planted_patterns(
        90, patterns=(2, 2), class_of_pattern=(2, 1), random_state=0
    )
    assert np.bincount(data.y).tolist() == [30, 30, 30]
    assert set(data.planted[data.y == 2]) == {0}


def test_given_patterns_and_many_fillers():
    patterns = [[["the", "a"], ["best"]], [["of"], ["all"], ["time", "times"]]]
    data = make_planted_patterns(60, patterns=patterns, n_words=400, random_state=0)
    assert data.patterns == (
        (("the", "a"), ("best",)),
        (("of",), ("all",), ("time", "times")),
    )
    assert len(data.vectors) == 400 + 7


def test_invented_words_differ():
    data = make_planted_patterns(5, patterns=(3, 3, 3, 3), random_state=0)
    words = [word for pattern in data.patterns for slot in pattern for word in slot]
    assert len(set(words)) == 36


def test_words_of_a_slot_lie_close_together():
    data = make_planted_patterns(10, n_features=100, spread=0.2, random_state=0)
    slots = [slot for pattern in data.patterns for slot in pattern]
    for a, b in combinations(slots, 2):
        assert data.vectors[a[0]] @ data.vectors[b[0]] < 0.5
    for first, second, _ in slots:
        assert data.vectors[first] @ data.vectors[second] > 0.9


def test_random_state_decides_everything():
    one, two = (make_planted_patterns(40, random_state=3) for _ in range(2))
    other = make_planted_patterns(40, random_state=4)
    assert one.documents == two.documents != other.documents
    assert one.X == two.X
    np.testing.assert_array_equal(one.y, two.y)
    generator = np.random.RandomState(3)
    assert make_planted_patterns(40, random_state=generator).documents == one.documents
    assert make_planted_patterns(40, random_state=generator).documents != one.documents


@pytest.mark.parametrize("random_state", [0, None])
def test_global_generator_is_untouched(random_state):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    make_planted_patterns(10, random_state=random_state)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


@pytest.mark.parametrize("patterns", [None, (2,), (3,)])
def test_bag_of_words_fails(patterns):
    data = make_planted_patterns(800, patterns=patterns, random_state=0)
    words = make_pipeline(CountVectorizer(token_pattern=r"\S+"), LogisticRegression())
    assert cross_val_score(words, data.texts, data.y).mean() < 0.6


def test_label_noise_moves_labels_to_other_classes():
    clean, noisy = (
        make_planted_patterns(
            900, class_of_pattern=(1, 2), label_noise=share, random_state=0
        )
        for share in (0.0, 0.3)
    )
    assert clean.documents == noisy.documents
    assert abs(np.mean(clean.y != noisy.y) - 0.3) < 0.05
    assert set(noisy.y) == {0, 1, 2}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"n_documents": 0}, ValueError, "n_documents must be at least 1"),
        ({"n_documents": 2.5}, TypeError, "n_documents must be an integer"),
        ({"n_features": 1}, ValueError, "n_features must be at least 2"),
        ({"max_gap": -1}, ValueError, "max_gap"),
        ({"n_decoys": True}, TypeError, "n_decoys"),
        ({"spread": -0.1}, ValueError, "spread"),
        ({"label_noise": 1.5}, ValueError, "label_noise"),
        ({"length_range": (5, 9)}, ValueError, "raise length_range to at least 7"),
        ({"length_range": (12, 9)}, ValueError, "low <= high"),
        ({"length_range": 12}, ValueError, "two integers"),
        ({"patterns": ()}, ValueError, "patterns is empty"),
        ({"patterns": (2, 0)}, ValueError, "at least one slot"),
        ({"patterns": "not worth"}, TypeError, "sequence of lengths or of patterns"),
        ({"patterns": ["not worth"]}, ValueError, "pattern 0"),
        ({"patterns": [("not", "worth")]}, ValueError, "sequence of slots"),
        ({"patterns": [[["not"], []]]}, ValueError, "pattern 0"),
        ({"patterns": [[["not at"], ["all"]]]}, ValueError, "is not a word"),
        ({"patterns": [[["not"], ["not"]]]}, ValueError, "found twice: .'not'."),
        ({"class_of_pattern": (1,)}, ValueError, "2 integers"),
        ({"class_of_pattern": 1}, ValueError, "2 integers"),
        ({"class_of_pattern": (0, 1)}, ValueError, "every class from 1"),
        ({"class_of_pattern": (1, 3)}, ValueError, "every class from 1"),
        ({"random_state": "seed"}, ValueError, "seed"),
    ],
)
def test_invalid_parameters(options, error, message):
    with pytest.raises(error, match=message):
        make_planted_patterns(**{"n_documents": 10, **options})
