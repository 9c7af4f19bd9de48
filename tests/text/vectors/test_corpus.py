"""Vectors learned from texts, beside the definitions in plain Python."""

import math
import pickle
import warnings
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from sklearn.base import clone

from skrational import WordVectorizer
from skrational.text.vectors.cooccurrence import count_neighbours
from skrational.text.vectors.corpus import main_directions, positive_pmi

TEXTS = [
    "the kettle leaks and the handle broke",
    "the kettle works and the handle holds",
    "the pan leaks , the lid broke",
    "the pan works , the lid holds",
] * 3


def neighbours_by_a_loop(texts, n_words, window):
    counts = Counter()
    for text in texts:
        for i, word in enumerate(text):
            for j, other in enumerate(text):
                if i != j and abs(i - j) <= window and max(word, other) < n_words:
                    counts[word, other] += (window + 1 - abs(i - j)) / window
    return counts


@given(
    texts=st.lists(st.lists(st.integers(0, 5), max_size=9), min_size=1, max_size=6),
    n_words=st.integers(1, 6),
    window=st.integers(1, 4),
)
def test_neighbours_are_counted_as_by_a_loop(texts, n_words, window):
    tokens = np.array([word for text in texts for word in text], np.int32)
    offsets = np.cumsum([0, *map(len, texts)])
    found = count_neighbours(tokens, offsets, n_words, window).toarray()
    expected = np.zeros((n_words, n_words))
    for place, count in neighbours_by_a_loop(texts, n_words, window).items():
        expected[place] = count
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(found, found.T, rtol=1e-6)


def test_many_neighbours_fit():
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, 2000, 20_000).astype(np.int32)
    found = count_neighbours(tokens, np.array([0, len(tokens)]), 2000, 5)
    n = np.arange(1, 6)
    expected = 2 * np.sum((6 - n) / 5 * (len(tokens) - n))
    assert found.sum() == pytest.approx(expected, rel=1e-6)


def test_pmi_is_that_of_the_definition():
    rng = np.random.default_rng(0)
    counts = rng.poisson(1.0, (7, 7)).astype(np.float32)
    counts += counts.T
    found = positive_pmi(csr_array(counts)).toarray()
    n = counts.sum(axis=1)
    chance = n**0.75 / (n**0.75).sum()
    for w in range(7):
        for c in range(7):
            pmi = math.log(counts[w, c] / n[w] / chance[c]) if counts[w, c] else 0
            assert found[w, c] == pytest.approx(max(0, pmi), abs=1e-6)


def test_directions_keep_what_singular_values_say():
    rng = np.random.default_rng(0)
    dense = np.maximum(rng.normal(size=(30, 30)), 0).astype(np.float32)
    rows = main_directions(csr_array(dense), 30)
    # U S^(1/2) of all directions: its Gram matrix is the root of M M^T.
    u, s, _ = np.linalg.svd(dense.astype(float))
    np.testing.assert_allclose(rows @ rows.T, u * s @ u.T, atol=1e-3)


def test_words_in_the_same_places_are_alike():
    rng = np.random.default_rng(0)
    kinds = {"kettle": 0, "pan": 0, "mug": 0, "leaks": 1, "works": 1, "broke": 1}
    nouns, verbs = ([word for word, kind in kinds.items() if kind == k] for k in (0, 1))
    texts = [f"the {rng.choice(nouns)} {rng.choice(verbs)} ." for _ in range(300)]
    vectorizer = WordVectorizer(n_features=4, window=1).fit(texts)
    rows = {word: vectorizer.transform([word])[0][1] for word in kinds}
    for word, row in rows.items():
        alike = sorted(kinds, key=lambda other: -(row @ rows[other]))[:3]
        assert {kinds[other] for other in alike} == {kinds[word]}


def test_the_texts_alone_decide_about_vectors():
    first, again = (WordVectorizer().fit_transform(TEXTS) for _ in range(2))
    np.testing.assert_array_equal(first.features, again.features)
    other = WordVectorizer(window=1).fit_transform(TEXTS)
    assert not np.array_equal(first.features, other.features)


def test_width_is_what_is_asked_for_or_the_number_of_words():
    assert WordVectorizer(n_features=4).fit(TEXTS).n_features_out_ == 4
    words = {word for text in TEXTS for word in text.split()} | {"<s>", "</s>"}
    assert WordVectorizer().fit(TEXTS).n_features_out_ == len(words)


def test_rare_words_are_unknown():
    texts = [*TEXTS, "the rare mug", "the mug", "the mug"]
    vectorizer = WordVectorizer(min_count=4).fit(texts)
    assert "mug" not in vectorizer.vocabulary().labels
    with pytest.warns(match="no word"):
        assert vectorizer.transform(["mug"]).labels.tolist()[1] == "<unk>"


def test_texts_of_rare_words_only_are_refused_and_nothing_is_lost():
    vectorizer = WordVectorizer(min_count=3).fit(TEXTS)
    before = vectorizer.transform(TEXTS)
    with pytest.raises(ValueError, match="occurs min_count=3 times"):
        vectorizer.fit(["each word once"])
    assert vectorizer.transform(TEXTS) == before


def test_texts_of_single_words_teach_nothing():
    alone = WordVectorizer(start_token=None, end_token=None)
    with pytest.raises(ValueError, match="texts of single words"):
        alone.fit(["good", "bad"] * 5)


def test_a_pickle_holds_what_was_learned():
    vectorizer = WordVectorizer().fit(TEXTS)
    expected = vectorizer.transform(TEXTS)
    saved = pickle.dumps(vectorizer)
    assert pickle.loads(saved).transform(TEXTS) == expected
    assert pickle.loads(pickle.dumps(pickle.loads(saved))).transform(TEXTS) == expected
    assert len(saved) < 10_000
    with pytest.raises(Exception, match="fitted"):
        clone(vectorizer).transform(TEXTS)


TABLE = {"kettle": [3.0, 4.0], "mug": [0.0, 2.0]}


class TestJoined:
    def test_a_word_has_the_vectors_of_all_tables(self):
        vectorizer = WordVectorizer([TABLE, "corpus"], n_features=5).fit(TEXTS)
        alone = WordVectorizer(n_features=5).fit(TEXTS)
        (row,), (learned,) = (
            v.transform(["kettle"])[0][1:2] for v in (vectorizer, alone)
        )
        expected = np.concatenate([[0.6, 0.8], learned]) / np.sqrt(2)
        np.testing.assert_allclose(row, expected, rtol=1e-3)
        assert vectorizer.n_features_out_ == 7

    def test_zeros_stand_where_a_table_lacks_the_word(self):
        vectorizer = WordVectorizer([TABLE, "corpus"], n_features=5).fit(TEXTS)
        mug, lid = (vectorizer.transform([word])[0][1] for word in ("mug", "lid"))
        np.testing.assert_allclose(mug, [0, 1, 0, 0, 0, 0, 0])
        assert not lid[:2].any()
        assert np.linalg.norm(lid) == pytest.approx(1)

    def test_two_tables_are_joined_without_a_warning(self):
        other = {"kettle": [1.0], "lid": [2.0]}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            WordVectorizer([TABLE, other]).fit(["kettle mug lid"])
        assert not caught, [str(w.message) for w in caught]

    def test_a_pickle_finds_files_and_holds_the_rest(self, tmp_path):
        path = tmp_path / "table.txt"
        path.write_text("kettle 3 4\nmug 0 2\n")
        vectorizer = WordVectorizer([path, "corpus"], cache=False).fit(TEXTS)
        expected = vectorizer.transform(TEXTS)
        saved = pickle.dumps(vectorizer)
        assert pickle.loads(saved).transform(TEXTS) == expected
        moved = path.rename(tmp_path / "moved.txt")
        copy = pickle.loads(saved)
        with pytest.raises(FileNotFoundError, match="pickled without"):
            copy.transform(TEXTS)
        assert copy.set_params(vectors=[moved, "corpus"]).transform(TEXTS) == expected
        with pytest.raises(ValueError, match=r"holds 1 tables, but .* with 2"):
            pickle.loads(saved).set_params(vectors=[moved]).transform(TEXTS)

    @pytest.mark.parametrize(
        ("vectors", "message"),
        [([], "empty list"), (["corpus", "corpus"], "'corpus' more than once")],
    )
    def test_lists_that_say_nothing_are_refused(self, vectors, message):
        with pytest.raises(ValueError, match=message):
            WordVectorizer(vectors).fit(TEXTS)
