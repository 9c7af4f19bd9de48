import pickle
from itertools import chain, pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from joblib import Parallel, delayed
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.utils import _safe_indexing

from skrational.exceptions import SequenceError
from skrational.sequences import SequenceArray, as_sequences
from skrational.sequences.forms import is_ragged

WORDS = np.array(["not", "a", "good", "film", "."])
LENGTHS = [3, 0, 1, 4, 2]


def expand(X):
    """The same documents with a row of its own for each token."""
    rows = X.row_numbers()
    labels = None if X.labels is None else X.labels[rows]
    return SequenceArray(X.features[rows], X.offsets, labels=labels)


def assert_holds(X, plain):
    assert isinstance(X, SequenceArray)
    assert X.lengths.tolist() == [len(x) for x in plain]
    for mine, theirs in zip(X.to_list(), plain, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.fixture
def by_word():
    table = np.random.default_rng(0).normal(size=(5, 3))
    indices = [4, 0, 1, 2, 2, 0, 0, 3, 1, 1]
    return SequenceArray(table, np.cumsum([0, *LENGTHS]), indices, WORDS)


@pytest.fixture(params=["type-level", "token-level"])
def X(request, by_word):
    return by_word if request.param == "type-level" else expand(by_word)


@st.composite
def ragged(draw):
    """A SequenceArray, and the same documents as a plain list."""
    lengths = draw(st.lists(st.integers(0, 5), min_size=1, max_size=7))
    width, n_rows = draw(st.integers(1, 3)), draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    dtype = draw(st.sampled_from([np.float16, np.float32, np.float64]))
    table = rng.integers(-2, 3, (n_rows, width)).astype(dtype)
    offsets = np.cumsum([0, *lengths])
    X = SequenceArray(table, offsets, rng.integers(0, n_rows, offsets[-1]))
    plain = [table[X.indices[start:stop]] for start, stop in pairwise(offsets)]
    return (X if draw(st.booleans()) else expand(X)), plain


@st.composite
def keys(draw, n):
    kind = draw(st.sampled_from(["slice", "positions", "mask"]))
    if kind == "slice" or n == 0:
        return draw(st.slices(n))
    if kind == "mask":
        return draw(st.lists(st.booleans(), min_size=n, max_size=n))
    return draw(st.lists(st.integers(-n, n - 1), max_size=8))


def select(plain, key):
    if isinstance(key, slice):
        return plain[key]
    if key and isinstance(key[0], bool):
        return [x for x, is_kept in zip(plain, key, strict=True) if is_kept]
    return [plain[i] for i in key]


@settings(max_examples=60)
@given(ragged())
def test_a_list_comes_back_as_it_was(both):
    X, plain = both
    assert_holds(X, plain)
    assert_holds(as_sequences(X.to_list()), plain)
    assert as_sequences(X.to_list()) == X == expand(X)


@settings(max_examples=120)
@given(ragged(), st.data())
def test_indexing_is_that_of_a_list(both, data):
    X, plain = both
    for _ in range(data.draw(st.integers(1, 3))):
        key = data.draw(keys(len(plain)))
        as_array = data.draw(st.booleans()) and not isinstance(key, slice)
        X, plain = X[np.array(key) if as_array else key], select(plain, key)
        assert_holds(X, plain)


@settings(max_examples=60)
@given(st.lists(ragged(), min_size=1, max_size=3), st.booleans())
def test_concatenation_is_that_of_lists(pairs, again):
    arrays, lists = zip(*pairs, strict=True)
    width = arrays[0].n_features
    arrays = [a for a in arrays if a.n_features == width]
    lists = [x for x in lists if x[0].shape[1] == width]
    if again:
        arrays, lists = [*arrays, arrays[0][::-1]], [*lists, lists[0][::-1]]
    assert_holds(SequenceArray.concatenate(arrays), list(chain(*lists)))


def test_describes_itself(by_word):
    assert len(by_word) == 5
    assert by_word.shape == (5,)
    assert by_word.ndim == 1
    assert by_word.dtype == np.float64
    assert by_word.n_features == 3
    assert by_word.n_tokens == 10
    assert by_word.lengths.tolist() == LENGTHS
    assert "10 tokens of 3 features in 5 rows, type-level" in repr(by_word)
    assert "in 10 rows, token-level" in repr(expand(by_word))


def test_one_sequence_is_an_array(X):
    plain = X.to_list()
    assert X[3].shape == (4, 3)
    assert X[1].shape == (0, 3)
    for i in range(-5, 5):
        np.testing.assert_array_equal(X[i], plain[i])
    np.testing.assert_array_equal(X[np.int64(2)], plain[2])
    assert [len(x) for x in X] == LENGTHS


def test_a_key_may_be_followed_by_an_ellipsis(X):
    assert X[[3, 0], ...] == X[[3, 0]]
    assert X[1:3, ...] == X[1:3]
    np.testing.assert_array_equal(X[-1, ...], X[4])


@pytest.mark.parametrize(
    "key", [[], slice(2, 2), slice(4, 1), np.zeros(5, bool), np.array([])]
)
def test_a_selection_may_be_empty(X, key):
    nothing = X[key]
    assert len(nothing) == nothing.n_tokens == 0
    assert nothing.n_features == 3
    assert nothing.to_list() == []


@pytest.mark.parametrize("key", [5, -6, [0, 5], [-6], np.array([9])])
def test_positions_out_of_range_are_refused(X, key):
    with pytest.raises(IndexError, match="out of range"):
        X[key]


@pytest.mark.parametrize(
    "key", [(0, 1), (0, ..., 1), "0", 1.5, [0.5], np.zeros((2, 2), int), None]
)
def test_other_keys_are_refused(X, key):
    with pytest.raises(IndexError):
        X[key]


def test_a_mask_of_another_length_is_refused(X):
    with pytest.raises(IndexError, match="length 3; expected 5"):
        X[[True, False, True]]


@pytest.mark.parametrize("key", [slice(1, 4), slice(None, None, -1), [3, 0, 0]])
def test_selections_share_the_features(X, key):
    assert np.shares_memory(X[key].features, X.features)


def test_joining_parts_of_one_table_shares_it(by_word):
    joined = by_word[3:] + by_word[[0, 1]]
    assert np.shares_memory(joined.features, by_word.features)
    assert len(joined.features) == 5
    assert joined == by_word[[3, 4, 0, 1]]


def test_joining_token_level_arrays_stays_token_level(by_word):
    tokens = expand(by_word)
    joined = SequenceArray.concatenate([tokens[:2], tokens[2:]])
    assert joined.indices is None
    assert joined == tokens


def test_joining_levels_keeps_vectors_and_labels(by_word):
    tokens = expand(by_word)
    joined = SequenceArray.concatenate([tokens[3:], by_word[:2], tokens[:1]])
    assert joined == by_word[[3, 4, 0, 1, 0]]


def test_joining_keeps_labels_only_if_all_have_them(by_word):
    bare = SequenceArray(by_word.features.copy(), by_word.offsets, by_word.indices)
    assert (by_word + bare).labels is None


def test_joining_keeps_labels_only_if_all_have_them_also_on_a_shared_table(by_word):
    bare = SequenceArray(by_word.features, by_word.offsets, by_word.indices)
    assert (by_word + bare).labels is None


def test_joining_arrays_with_other_labels_on_a_shared_table_keeps_them(by_word):
    other = SequenceArray(by_word.features, [0, 1], [2], labels=list("vwxyz"))
    joined = by_word[:1] + other
    assert joined.labels[joined.row_numbers()].tolist() == [".", "not", "a", "x"]


def test_joining_needs_arrays_of_one_width(by_word):
    other = SequenceArray(np.zeros((1, 2)), [0, 1])
    with pytest.raises(SequenceError, match=r"\[2, 3\]"):
        by_word + other
    with pytest.raises(SequenceError, match="concatenate needs"):
        SequenceArray.concatenate([])
    with pytest.raises(TypeError):
        by_word + np.zeros((1, 3)).tolist()


def test_equality_is_that_of_the_documents(by_word):
    tokens = expand(by_word)
    swapped = SequenceArray(
        by_word.features[::-1], by_word.offsets, 4 - by_word.indices, WORDS[::-1]
    )
    assert by_word == tokens == swapped
    assert by_word[:4] != by_word
    assert by_word[[0, 1, 2, 4, 3]] != by_word
    assert by_word != by_word.to_list()
    nudged = by_word.features.copy()
    nudged[2, 1] += 1
    assert SequenceArray(nudged, by_word.offsets, by_word.indices, WORDS) != by_word


def test_labels_count_in_equality(by_word):
    parts = by_word.features, by_word.offsets, by_word.indices
    assert SequenceArray(*parts, WORDS.tolist()) == by_word
    assert SequenceArray(*parts) != by_word
    renamed = np.where(WORDS == "film", "movie", WORDS)
    assert SequenceArray(*parts, renamed) != by_word
    assert SequenceArray(*parts, renamed)[:3] == by_word[:3]  # no film among them


def test_selections_keep_the_labels_of_their_tokens(X):
    expected = [".", "not", "a", "good", "good", "not", "not", "film", "a", "a"]
    assert X.labels[X.row_numbers()].tolist() == expected
    for part in (X[3:], X[[3, 4]]):
        assert part.labels[part.row_numbers()].tolist() == expected[4:]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_float_features_are_not_copied(dtype):
    features = np.ones((3, 2), dtype)
    X = SequenceArray(features, [0, 3])
    assert X.dtype == X[0].dtype == dtype
    assert np.shares_memory(X.features, features)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, bool])
def test_whole_numbers_become_float64(dtype):
    assert SequenceArray(np.ones((3, 2), dtype), [0, 3]).dtype == np.float64


@pytest.mark.parametrize("dtype", [complex, object, "U3"])
def test_other_features_are_refused(dtype):
    with pytest.raises(TypeError, match="expected float16, float32 or float64"):
        SequenceArray(np.ones((3, 2)).astype(dtype), [0, 3])


def test_is_read_only(by_word):
    table = np.ones((2, 2))
    X = SequenceArray(table, [0, 2])
    with pytest.raises(ValueError, match="read-only"):
        X.features[0, 0] = 2
    with pytest.raises(ValueError, match="read-only"):
        X[0][0, 0] = 2
    with pytest.raises(ValueError, match="read-only"):
        by_word[1:].indices[0] = 2
    with pytest.raises(AttributeError, match="'offsets'"):
        X.offsets = [0, 1, 2]
    table[0, 0] = 2  # the caller's own array stays writeable


def test_a_memory_map_stays_one(tmp_path, by_word):
    file = np.memmap(tmp_path / "table", np.float16, "w+", shape=(5, 3))
    file[:] = by_word.features
    X = SequenceArray(file, by_word.offsets, by_word.indices)
    tokens = SequenceArray(file, [0, 2, 5])
    arrays = X, X[1:3], X[[4, 0]], X[:1] + X[2:], tokens[1:], tokens[[1]]
    for array in arrays:
        assert type(array.features) is np.memmap
        assert np.shares_memory(array.features, file)


def test_survives_pickling(X):
    for array in (X, X[1:4], X[[3, 3]]):
        copy = pickle.loads(pickle.dumps(array))
        assert copy == array
        assert (copy.indices is None) == (array.indices is None)
        assert not copy.features.flags.writeable


def test_scikit_learn_splits_it(X):
    y = np.array([0, 1, 0, 1, 1])
    training, test, _, y_test = train_test_split(X, y, random_state=0)
    assert isinstance(training, SequenceArray)
    assert len(training) + len(test) == 5
    assert y_test.tolist() == [y[LENGTHS.index(n)] for n in test.lengths]
    assert _safe_indexing(X, [4, 0]) == X[[4, 0]]
    assert _safe_indexing(X, np.arange(5) > 2) == X[3:]
    assert _safe_indexing(X, slice(1, 3)) == X[1:3]


def test_scikit_learn_searches_over_it():
    # Defined here, so that a worker gets the class itself and not its module's name.
    class IsLong(ClassifierMixin, BaseEstimator):
        def __init__(self, limit=0):
            self.limit = limit

        def fit(self, X, y):
            self.classes_ = np.unique(y)
            return self

        def predict(self, X):
            return X.lengths > self.limit

    lengths = np.arange(30) % 10
    X = SequenceArray(np.ones((lengths.sum(), 2)), np.cumsum([0, *lengths]))
    search = GridSearchCV(IsLong(), {"limit": [0, 3, 6]}, cv=3, n_jobs=2)
    search.fit(X, lengths > 3)
    assert search.best_params_ == {"limit": 3}
    assert search.best_score_ == 1


def test_workers_map_its_memory(X):
    def look(part):
        return type(part.features).__name__, part[1:]

    results = Parallel(n_jobs=2, max_nbytes=16)(delayed(look)(X) for _ in range(2))
    for kind, part in results:
        assert kind == "memmap"
        assert part == X[1:]


FORMS = [np.arange(6.0).reshape(2, 3), np.empty((0, 3)), np.full((1, 3), 9.0)]


@pytest.fixture
def padded():
    array = np.full((3, 4, 3), np.nan)
    for i, sequence in enumerate(FORMS):
        array[i, : len(sequence)] = sequence
    return array


def objects(sequences):
    array = np.empty(len(sequences), dtype=object)
    array[:] = sequences
    return array


@pytest.mark.parametrize(
    "form",
    [
        list,
        tuple,
        objects,
        lambda arrays: [a.tolist() for a in arrays],
        lambda arrays: [[list(row) for row in a] for a in arrays],
        lambda arrays: [[np.array(row) for row in a] for a in arrays],
        lambda arrays: [torch.from_numpy(a) for a in arrays],
        lambda arrays: [arrays[0], [], arrays[2]],
    ],
)
def test_reads_lists(form):
    assert_holds(as_sequences(form(FORMS)), FORMS)


def test_reads_padded_arrays(padded):
    assert_holds(as_sequences(padded), FORMS)
    assert_holds(as_sequences(padded.astype(np.float32)), FORMS)
    assert_holds(as_sequences(torch.from_numpy(padded)), FORMS)


def test_reads_padded_arrays_with_lengths(padded):
    full = np.nan_to_num(padded, nan=7)
    assert_holds(as_sequences(full, lengths=[2, 0, 1]), FORMS)
    assert_holds(as_sequences(full.astype(int), lengths=[2, 0, 1]), FORMS)
    assert as_sequences(full).lengths.tolist() == [4, 4, 4]
    assert as_sequences(full.astype(int)).lengths.tolist() == [4, 4, 4]


def test_reads_a_matrix_as_sequences_of_one_vector():
    X = as_sequences(FORMS[0])
    assert_holds(X, FORMS[0][:, None])
    assert np.shares_memory(X.features, FORMS[0])


def test_a_sequence_array_is_returned_as_it_is(X):
    assert as_sequences(X) is X


def test_all_sequences_may_be_empty():
    X = as_sequences([np.empty((0, 3)), np.empty((0, 3))])
    assert X.lengths.tolist() == [0, 0]
    assert X.n_features == 3
    assert as_sequences(np.full((2, 4, 3), np.nan)).lengths.tolist() == [0, 0]


@pytest.mark.parametrize("X", [[np.empty((0, 0))], [[[]], [[]]]])
def test_sequences_without_a_width_are_refused(X):
    with pytest.raises(SequenceError):
        as_sequences(X)


def test_an_empty_list_does_not_widen_the_features():
    assert as_sequences([np.ones((2, 3), np.float16), []]).dtype == np.float16


def test_labels_go_with_the_tokens(padded):
    for form in (FORMS, padded):
        X = as_sequences(form, labels=["a", "b", "c"])
        assert X[2:].labels[X[2:].row_numbers()].tolist() == ["c"]


def test_ragged_is_what_holds_matrices():
    assert is_ragged(FORMS)
    assert is_ragged(objects(FORMS))
    assert is_ragged([[], FORMS[0]])
    assert not is_ragged(FORMS[0])
    assert not is_ragged([[1.0, 2.0], [3.0, 4.0]])
    assert not is_ragged(["a", "b"])
    assert not is_ragged([])


@pytest.mark.parametrize(
    ("offsets", "message"),
    [
        ([0, 2, 1, 3], "decreases at sequence 1: 2 is followed by 1"),
        ([1, 2, 3], "runs from 1 to 3; expected 0 to 3"),
        ([0, 2], "runs from 0 to 2; expected 0 to 3"),
        ([0, 4], "runs from 0 to 4"),
        ([0, 4, 3], "decreases"),
        ([], "is empty"),
        ([0.0, 3.0], "integers"),
        ([[0, 3]], "one-dimensional"),
    ],
)
def test_bad_offsets_are_refused(offsets, message):
    with pytest.raises(SequenceError, match=message):
        SequenceArray(np.ones((3, 2)), offsets)


@pytest.mark.parametrize(
    "indices", [[0, 3], [-1, 0], [0.0, 1.0], [[0, 1]], [True, False]]
)
def test_bad_indices_are_refused(indices):
    with pytest.raises(SequenceError, match="indices"):
        SequenceArray(np.ones((3, 2)), [0, 2], indices)


@pytest.mark.parametrize("shape", [(3,), (3, 0), (3, 2, 1), ()])
def test_features_must_be_a_matrix(shape):
    with pytest.raises(SequenceError, match="features has shape"):
        SequenceArray(np.ones(shape), [0, 3])


def test_there_is_one_label_a_row():
    with pytest.raises(SequenceError, match=r"labels has shape \(2,\).* the 3 feature"):
        SequenceArray(np.ones((3, 2)), [0, 3], labels=["a", "b"])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([np.ones((1, 3)), np.ones((2, 4))], "sequence 1 has 4 features"),
        ([np.ones((1, 3)), np.ones(3)], r"sequence 1 has shape \(3,\)"),
        ([np.ones((1, 3)), np.ones((1, 1, 3))], "sequence 1 has shape"),
        (np.ones(3), "1 dimensions"),
        (np.ones((2, 2, 2, 2)), "4 dimensions"),
        ([], "1 dimensions"),
        (3.0, "0 dimensions"),
        ([[1.0, 2.0], [3.0]], "inhomogeneous"),
    ],
)
def test_bad_shapes_are_refused(X, message):
    with pytest.raises(ValueError, match=message):
        as_sequences(X)


@pytest.mark.parametrize("missing", [(0, 0), (0, 0, 1), (2, 0, 2), (0, 1, 0)])
def test_nan_before_the_end_is_refused(padded, missing):
    padded[missing] = np.nan
    i, t = missing[:2]
    with pytest.raises(SequenceError, match=f"NaN: sequence {i}, step {t}"):
        as_sequences(padded)


@pytest.mark.parametrize("lengths", [[2, 0], [2, 0, 5], [-1, 0, 1], [2.0, 0.0, 1.0]])
def test_bad_lengths_are_refused(padded, lengths):
    with pytest.raises(SequenceError, match="lengths"):
        as_sequences(padded, lengths=lengths)


@pytest.mark.parametrize("X", [FORMS, FORMS[0]])
def test_lengths_go_with_padded_arrays_only(X):
    with pytest.raises(SequenceError, match="three-dimensional"):
        as_sequences(X, lengths=[2, 0, 1])


@pytest.mark.parametrize(
    "X",
    [
        "a film",
        ["a film", "not good"],
        ("a film",),
        [["a", "film"], ["good"]],
        np.array(["a film"]),
        np.array(["a film"], dtype=object),
        np.array([b"a film"]),
    ],
)
def test_strings_are_sent_to_the_vectorizer(X):
    with pytest.raises(TypeError, match="WordVectorizer"):
        as_sequences(X)


@pytest.mark.parametrize("dtype", ["object", "str", "string"])
def test_columns_of_strings_are_sent_to_the_vectorizer(dtype):
    pandas = pytest.importorskip("pandas")
    with pytest.raises(TypeError, match="WordVectorizer"):
        as_sequences(pandas.Series(["a film", "good"], dtype=dtype))


@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_matrix])
def test_sparse_matrices_are_refused(form):
    with pytest.raises(TypeError, match="sparse"):
        as_sequences(form(np.eye(3)))


def test_a_sequence_array_keeps_its_own_labels():
    X = SequenceArray(np.eye(3), [0, 3])
    assert as_sequences(X) is X
    with pytest.raises(SequenceError, match="its own labels"):
        as_sequences(X, labels=list("abc"))


@pytest.mark.parametrize("labels", [None, [f"w{i}" for i in range(100)]])
def test_a_pickle_of_few_documents_holds_their_rows_only(labels):
    features = np.arange(200.0).reshape(100, 2)
    X = SequenceArray(features, [0, 2, 5], [7, 99, 7, 0, 99], labels)
    again = pickle.loads(pickle.dumps(X))
    assert again == X
    assert len(again.features) == 3
    assert (
        len(
            pickle.loads(
                pickle.dumps(SequenceArray(features[:9], [0, 5], [1] * 5))
            ).features
        )
        == 9
    )
