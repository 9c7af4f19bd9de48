"""Pickles and hashes of vectorizers with a dict."""

import copy
import io
import pickle
from collections import OrderedDict

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.pipeline import make_pipeline

from skrational import WordVectorizer

words = st.text(st.characters(), max_size=4)
numbers = st.floats(width=32)
dtypes = st.sampled_from(["f2", "f4", ">f8", "i2", "c8", "O"])
vectors = st.one_of(
    arrays.arrays(dtypes, st.integers(0, 2), elements=st.just(1)),
    arrays.arrays("f4", 2, elements=numbers),
    st.lists(numbers, max_size=2),
    st.lists(st.integers(), min_size=2, max_size=2),
    st.tuples(numbers, numbers),
    st.just(None),
)
same_kind = st.one_of(
    st.dictionaries(words, arrays.arrays("f4", 3, elements=numbers)),
    st.dictionaries(words, arrays.arrays(">i2", (1, 2), elements=st.just(1))),
    st.dictionaries(words, st.lists(numbers, min_size=2, max_size=2)),
    st.dictionaries(words, st.tuples(numbers)),
)


def described(table):
    """All that there is to a table, in its order, bit by bit."""
    return [
        (word, type(v), getattr(v, "dtype", None), getattr(v, "shape", None), repr(v))
        for word, v in table.items()
    ]


@given(same_kind | st.dictionaries(words, vectors) | st.dictionaries(words, vectors))
def test_a_pickled_table_is_equal(table):
    # Numpy forgets the order of bytes in protocols before the fifth.
    twin = pickle.loads(pickle.dumps(WordVectorizer(table), 5)).vectors
    assert type(twin) is dict
    assert described(twin) == described(table)


def dump_and_load(vectorizer):
    file = io.BytesIO()
    joblib.dump(vectorizer, file)
    return joblib.load(file)


@pytest.mark.parametrize("again", [dump_and_load, copy.deepcopy])
def test_other_ways_to_copy(again):
    table = {"a": np.float32([1, 2]), "b": np.float32([3, 4])}
    twin = again(WordVectorizer(table).fit(["a b"])).vectors
    assert described(twin) == described(table)
    assert twin["a"] is not table["a"]
    twin["a"][0] = 7
    assert table["a"][0] == 1


def test_a_shallow_copy_shares_the_table():
    table = {"a": np.float32([1, 2])}
    assert copy.copy(WordVectorizer(table)).vectors is table


def test_a_subclass_of_dict_stays_one():
    table = OrderedDict(a=np.float32([1, 2]))
    twin = pickle.loads(pickle.dumps(WordVectorizer(table))).vectors
    assert type(twin) is OrderedDict


@given(same_kind, same_kind)
def test_hashes_tell_tables_apart(a, b):
    same = described(a) == described(b)
    assert (joblib.hash(WordVectorizer(a)) == joblib.hash(WordVectorizer(b))) == same


def test_words_and_their_borders_are_hashed():
    row = np.float32([1, 2])
    tables = [
        {"ab": row, "c": row},
        {"a": row, "bc": row},
        {"ab": row, "c": row.astype("f8")},
        {"ab": row, "c": row.tolist()},
        {"ab": row.tolist(), "c": row.tolist()},
        {"ab": tuple(row.tolist()), "c": tuple(row.tolist())},
        {"ab": row, "c": -row},
        {"c": row, "ab": -row},
        {"abc": row},
    ]
    assert len({joblib.hash(WordVectorizer(table)) for table in tables}) == len(tables)


def test_a_hash_does_not_treat_each_vector_by_itself(monkeypatch):
    n_saved = []
    save = joblib.hashing.NumpyHasher.save

    def counting(self, obj):
        n_saved.append(obj)
        return save(self, obj)

    monkeypatch.setattr(joblib.hashing.NumpyHasher, "save", counting)
    rows = np.ones((4000, 2), dtype=np.float32)
    joblib.hash(WordVectorizer({f"w{i}": row for i, row in enumerate(rows)}))
    assert len(n_saved) < 200


def test_a_cached_pipeline_fits_a_table_once(tmp_path):
    table = {"a": np.float32([1, 2]), "b": np.float32([3, 4])}

    def fitted(table):
        pipeline = make_pipeline(
            WordVectorizer(table), "passthrough", memory=str(tmp_path)
        )
        return pipeline.fit(["a b"]).transform(["a"])

    first = fitted(table)
    assert fitted(dict(table)) == first
    assert fitted({**table, "a": np.float32([2, 1])}) != first
