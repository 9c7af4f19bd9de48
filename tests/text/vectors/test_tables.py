"""Vectors that can't be used, in tables and dicts."""

import pickle
import warnings

import numpy as np
import pytest
from gensim.models import KeyedVectors

from skrational.exceptions import UnusableVectorWarning, VectorFileError
from skrational.text import WordVectorizer
from skrational.text.vectors import loading, tables
from skrational.text.vectors.rows import find_unusable
from skrational.text.vectors.subwords import Subwords, SubwordTable
from skrational.text.vectors.word_source import scale_rows

GOOD = {f"good{i}": [1.0, i] for i in range(5)}
BAD = {
    "nan": [np.nan, 1.0],
    "inf": [1.0, -np.inf],
    "large": [1e300, 1.0],
    "short": [1.0],
    "long": [1.0, 2.0, 3.0],
    "text": ["1", "2"],
    "none": None,
    "holes": [None, 1.0],
    "ragged": [[1.0], [2.0, 3.0]],
    "scalar": 3.0,
    "matrix": [[1.0, 2.0]],
    "complex": [1j, 2j],
    "object": object(),
}


def of_floats(words):
    return {word: row for word, row in words.items() if np.shape(row) == (2,)}


def as_file(words, folder):
    path = folder / "v.txt"
    path.write_text("".join(f"{w} {a} {b}\n" for w, (a, b) in words.items()))
    return path


def as_keyed(words, folder, dtype=np.float64):
    keyed = KeyedVectors(2, dtype=dtype)
    rows = np.array(list(words.values()), dtype=dtype)
    keyed.add_vectors(list(words), rows)
    return keyed


NUMBERS = {word: BAD[word] for word in ("nan", "inf", "large")}


@pytest.mark.parametrize("make", [as_file, as_keyed, lambda words, folder: words])
def test_words_without_usable_vectors_are_unknown(make, tmp_path):
    bad = BAD if make not in (as_file, as_keyed) else NUMBERS
    vectors = make({"nan": bad["nan"]} | GOOD | bad, tmp_path)
    vectorizer = WordVectorizer(vectors, cache=tmp_path / "cache")
    texts = ["good1 good2 good3 nan"]
    with pytest.warns(
        UnusableVectorWarning, match=rf"'nan', '.*{len(bad)} in all.*NaN"
    ):
        vectorizer.fit(texts)
    assert vectorizer.out_of_vocabulary_ == 1 / 4
    for fitted in (vectorizer, pickle.loads(pickle.dumps(vectorizer))):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            X = fitted.transform([" ".join([*GOOD, *GOOD, *GOOD, *bad])])
            words = fitted.vocabulary().labels.tolist()
        assert X.labels.tolist() == ["<s>", *GOOD, "<unk>", "</s>"]
        assert words == ["<s>", "</s>", *GOOD]
        assert np.isfinite(X.features).all()


@pytest.mark.parametrize("make", [as_file, as_keyed, lambda words, folder: words])
def test_a_table_of_such_words_only_is_an_error(make, tmp_path):
    vectorizer = WordVectorizer(make(NUMBERS, tmp_path), cache=False)
    with pytest.raises(ValueError, match="no usable vector: that of 'nan' holds NaN"):
        vectorizer.fit(["good"])


def test_a_dict_that_changes_never_ends_a_batch():
    vectors = dict(GOOD)
    vectorizer = WordVectorizer(vectors, oov="drop").fit(["good1"])
    vectors["good2"] = [1.0]
    del vectors["good3"]
    vectors["new"] = [1.0, 1.0]
    X = vectorizer.transform(["good1 good2 good3 new"])
    assert X.labels.tolist() == ["<s>", "good1", "new", "</s>"]


def test_a_mapped_table_is_looked_through_once(tmp_path, monkeypatch):
    keyed = as_keyed(GOOD, tmp_path, np.float32)
    keyed.save(str(tmp_path / "v.kv"), separately=["vectors"])
    scans = []
    monkeypatch.setattr(
        tables, "find_unusable", lambda v: scans.append(v) or frozenset()
    )
    mapped = KeyedVectors.load(str(tmp_path / "v.kv"), mmap="r")
    for vectors in (tmp_path / "v.kv", mapped):
        for _ in range(3):
            WordVectorizer(vectors).fit(["good1"]).transform(["good2"])
    assert len(scans) == 2
    loading.forget_tables()


def test_unusable_rows_are_found_in_every_block():
    rows = np.ones((5000, 300), dtype=np.float32)
    rows[[0, 874, 4999], 299] = np.nan
    assert find_unusable(rows) == {0, 874, 4999}


def with_key(vectors, key):
    if isinstance(vectors, dict):
        return vectors | {key: [1.0, 1.0]}
    vectors.add_vectors(["spare"], np.ones((1, 2)))
    vectors.key_to_index[key] = vectors.key_to_index.pop("spare")
    return vectors


@pytest.mark.parametrize("make", [as_keyed, lambda words, folder: words])
@pytest.mark.parametrize("key", [float("nan"), None, ("a", "b"), 7, b"bytes"])
def test_keys_that_are_no_words_are_told_and_ignored(make, key, tmp_path):
    vectors = with_key(make(GOOD | {"cafe\u0301": [1.0, 0.0]}, tmp_path), key)
    vectorizer = WordVectorizer(vectors, tokenizer=str.split)
    kind = f"has a {type(key).__name__} for a word"
    with pytest.warns(UnusableVectorWarning, match=kind) as caught:
        vectorizer.fit(["good1 caf\u00e9"])
    assert ("keep_default_na=False" in str(caught[0].message)) == (key != key)
    assert vectorizer.out_of_vocabulary_ == 0
    assert key not in vectorizer.vocabulary(None).labels.tolist()


def test_an_odd_key_may_come_first():
    vectors = {float("nan"): [1.0, 1.0]} | GOOD
    with pytest.warns(UnusableVectorWarning, match="float for a word"):
        vectorizer = WordVectorizer(vectors).fit(["good1 good2"])
    assert vectorizer.out_of_vocabulary_ == 0


def test_messages_show_words_as_plain_str():
    vectors = GOOD | {np.str_("odd"): [np.nan, 1.0]}
    with pytest.warns(UnusableVectorWarning, match=r"The vectors of 'odd' in"):
        WordVectorizer(vectors).fit(["good1"])


def test_keys_and_rows_that_do_not_fit():
    with pytest.raises(TypeError, match=r"keys that are bytes.*str"):
        WordVectorizer({b"good": [1.0]}).fit(["good"])
    with pytest.raises(VectorFileError, match="1 vectors, but a word with number 1"):
        tables.VectorTable({"a": 0, "b": 1}, np.ones((1, 2)))
    with pytest.raises(VectorFileError, match="vectors of object"):
        tables.VectorTable({"a": 0}, np.array([[None]]))


@pytest.mark.parametrize("size", [1e-30, 1e-20, 1.0, 1e20, 1e30, 3e38])
def test_norms_neither_overflow_nor_vanish(size):
    rows = np.float32([[3, 4], [0, 0], [1, -1]]) * np.float32(size / 4)
    exact = rows.astype(float)
    norms = np.linalg.norm(exact, axis=1, keepdims=True)
    norms[norms == 0] = 1
    np.testing.assert_allclose(scale_rows(rows), exact / norms, rtol=1e-6)


class Walked(dict):
    """Words that count how often somebody goes through all of them."""

    n_walks = 0

    def __iter__(self):
        self.n_walks += 1
        return super().__iter__()


def subword_table(index, vectors):
    subwords = Subwords(np.float32([[1, 0], [0, 1]]), shortest=1, longest=2)
    return SubwordTable(index, vectors, subwords=subwords)


@pytest.mark.parametrize("make", [tables.VectorTable, subword_table])
def test_a_table_is_compared_by_what_was_computed_once(make):
    words = Walked({"good": 0, "bad": 1})
    table = make(words, np.float32([[1, 0], [0, 1]]))
    known = table.fingerprint, table.sampled_fingerprint
    before = words.n_walks
    for _ in range(3):
        assert all(map(table.is_known_as, known))
        assert not table.is_known_as("another")
        if make is subword_table:
            assert table.words_only.is_known_as(table.words_only.fingerprint)
    assert words.n_walks <= before + (make is subword_table)
