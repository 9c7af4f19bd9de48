"""Columns of Arrow are the sequences that they say, and share their memory."""

import itertools
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational import SequenceArray, SparseRationalClassifier, as_sequences
from skrational.exceptions import SequenceError
from skrational.sequences import arrow

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
pl = pytest.importorskip("polars")

VECTORS = pa.list_(pa.list_(pa.float32(), 2))
LISTS = [[[1.0, 2.0], [3.0, 4.0]], [], [[5.0, 6.0]]]


def expected(lists=LISTS, dtype=np.float32):
    return SequenceArray(
        np.array([v for x in lists for v in x], dtype).reshape(-1, 2),
        np.cumsum([0, *map(len, lists)]),
    )


TYPES = {
    "list of fixed": VECTORS,
    "list of list": pa.list_(pa.list_(pa.float32())),
    "large": pa.large_list(pa.large_list(pa.float32())),
    "large of fixed": pa.large_list(pa.list_(pa.float32(), 2)),
    "views": pa.list_view(pa.list_(pa.float32(), 2)),
    "large views": pa.large_list_view(pa.list_view(pa.float32())),
}


@pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
def test_lists_of_any_kind_are_read(kind):
    column = pa.array(LISTS, kind)
    assert SequenceArray.from_arrow(column) == expected()
    assert as_sequences(column) == expected()
    for part in (slice(1, 3), slice(0, 2), slice(2, 3)):
        assert SequenceArray.from_arrow(column[part]) == expected(LISTS[part])
    chunks = pa.chunked_array([column[:1], column[1:1], column[1:]])
    assert SequenceArray.from_arrow(chunks) == expected()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_types_of_features_are_kept(dtype):
    kind = pa.list_(pa.list_(pa.from_numpy_dtype(dtype), 2))
    # Older versions take no Python number for a half.
    lists = [[list(np.array(vector, dtype)) for vector in part] for part in LISTS]
    X = SequenceArray.from_arrow(pa.array(lists, kind))
    assert X.dtype == dtype
    assert X == expected(dtype=dtype)


def test_integers_become_floats():
    X = SequenceArray.from_arrow(pa.array([[[1, 2]]], pa.list_(pa.list_(pa.int8()))))
    assert X.dtype == np.float64


def address(array):
    return array.__array_interface__["data"][0]


def test_nothing_is_copied_on_the_way_in_and_out():
    features = np.arange(12, dtype=np.float32).reshape(6, 2)
    X = SequenceArray(features, [0, 4, 6])
    column = X.to_arrow()
    assert column.type == pa.large_list(pa.list_(pa.float32(), 2))
    back = SequenceArray.from_arrow(column)
    assert back == X
    assert address(back.features) == address(features)
    assert address(back.offsets) == address(X.offsets)
    part = SequenceArray.from_arrow(column[1:])
    assert address(part.features) == address(features[4:])


def test_row_numbers_are_not_copied_either():
    table = np.eye(3)
    X = SequenceArray(table, [0, 2, 2, 5], [2, 1, 0, 0, 1], ["a", "b", "c"])
    column = X.to_arrow("rows")
    back = SequenceArray.from_arrow(column, table)
    assert address(back.indices) == address(X.indices)
    assert back.features.base is table or address(back.features) == address(table)
    named = SequenceArray.from_arrow(column, X.table_to_arrow())
    assert named == X
    assert SequenceArray.from_arrow(X.to_arrow()) == SequenceArray(X.features, [0, 3])[
        :0
    ] + SequenceArray(table[X.indices], X.offsets)


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint32(), pa.int64()])
def test_row_numbers_may_be_any_integers(kind):
    column = pa.array([[1, 0], [], [1]], pa.list_(kind))
    X = SequenceArray.from_arrow(column, np.eye(2))
    assert X == SequenceArray(np.eye(2), [0, 2, 2, 3], [1, 0, 1])


def test_token_level_features_have_row_numbers_too():
    X = expected()
    rows = X.to_arrow("rows")
    assert rows.to_pylist() == [[0, 1], [], [2]]
    assert SequenceArray.from_arrow(rows, X.table_to_arrow()) == X


def test_vectors_are_sequences_of_one_token():
    column = pa.array([[1.0, 2.0], [3.0, 4.0]], pa.list_(pa.float64(), 2))
    X = SequenceArray.from_arrow(column)
    assert X == SequenceArray(np.array([[1.0, 2.0], [3.0, 4.0]]), [0, 1, 2])


def test_parquet_holds_both_kinds(tmp_path):
    rng = np.random.default_rng(0)
    X = SequenceArray(rng.normal(size=(9, 3)), [0, 4, 4, 9])
    words = SequenceArray(np.eye(3), [0, 2, 2, 6], [0, 1, 2, 2, 1, 0], list("abc"))
    pq.write_table(
        pa.table({"vectors": X.to_arrow(), "words": words.to_arrow("rows")}),
        tmp_path / "corpus.parquet",
    )
    pq.write_table(words.table_to_arrow(), tmp_path / "table.parquet")
    table = pq.read_table(tmp_path / "corpus.parquet")
    assert SequenceArray.from_arrow(table["vectors"]) == X
    read = SequenceArray.from_arrow(
        table["words"], pq.read_table(tmp_path / "table.parquet")
    )
    assert read == words
    assert read.labels.tolist() == ["a", "b", "c"]


def test_other_libraries_hand_their_columns_over():
    X = expected(dtype=np.float64)
    series = pl.Series(LISTS)
    assert SequenceArray.from_arrow(series) == X == as_sequences(series)
    fixed = pl.Series(LISTS, dtype=pl.List(pl.Array(pl.Float64, 2)))
    assert SequenceArray.from_arrow(fixed) == X == as_sequences(fixed)
    column = pd.Series(pa.array(LISTS), dtype=pd.ArrowDtype(pa.array(LISTS).type))
    assert SequenceArray.from_arrow(column) == X == as_sequences(column)
    objects = pd.Series([np.array(x).reshape(-1, 2) for x in LISTS])
    assert as_sequences(objects) == X


def test_sequences_hand_themselves_over():
    X = expected()
    assert pa.array(X).to_pylist() == LISTS
    assert pl.Series(X).to_list() == LISTS


def test_an_estimator_reads_columns_without_a_copy(monkeypatch):
    rng = np.random.default_rng(0)
    X = SequenceArray(rng.normal(size=(40, 3)).astype(np.float32), np.arange(0, 41, 2))
    clf = SparseRationalClassifier(
        n_wfsas=2, lambda_=0, warmup_epochs=1, max_epochs=1, random_state=0
    )
    y = np.arange(20) % 2
    expected = clf.fit(X, y).decision_function(X)
    for column in (X.to_arrow(), pl.Series(X.to_arrow())):
        found = clf.fit(column, y).decision_function(column)
        np.testing.assert_array_equal(found, expected)


FAULTS = {
    "null sequence": (pa.array([[[1.0]], None]), "sequence 1 is missing"),
    "null token": (pa.array([[[1.0], None]]), "token 1 of all is missing"),
    "null number": (pa.array([[[1.0, None]]]), "number 1 of all 2 is missing"),
    "widths": (pa.array([[[1.0]], [[1.0, 2.0]]]), "vectors of 1 and 2 numbers"),
    "no token": (pa.array([[]], pa.list_(pa.list_(pa.float32()))), "no vector at all"),
    "no sequence": (pa.array([], pa.list_(pa.list_(pa.float32()))), "no vector at all"),
    "no chunk": (pa.chunked_array([], pa.list_(pa.list_(pa.float32()))), "no vector"),
    "flat": (pa.array([[1.0], [1.0, 2.0]]), "expected lists of vectors"),
    "row numbers": (pa.array([[1, 2]]), "together with the table"),
    "empty vectors": (pa.array([[[]]], pa.list_(pa.list_(pa.float32()))), "vectors of"),
}


@pytest.mark.parametrize("column, message", FAULTS.values(), ids=FAULTS)
def test_faults_are_named(column, message):
    with pytest.raises(SequenceError, match=message):
        SequenceArray.from_arrow(column)


@pytest.mark.parametrize(
    "column, message",
    [
        (pa.array(["a"]), "holds string"),
        (pa.array([1.0]), "holds double"),
        (pa.array([[["a"]]]), "string"),
        (pa.array([[[[1.0]]]]), "lists of vectors"),
        (pa.table({"a": LISTS}), r"such as table\['a'\]"),
        (object(), "no column of Arrow"),
    ],
)
def test_other_columns_are_refused(column, message):
    with pytest.raises((TypeError, SequenceError), match=message):
        SequenceArray.from_arrow(column)


def test_no_sequences_may_have_a_width():
    for column in (pa.array([], VECTORS), pa.chunked_array([], VECTORS)):
        X = SequenceArray.from_arrow(column)
        assert (len(X), X.n_features) == (0, 2)


def test_faults_of_row_numbers_are_named():
    rows = pa.array([[0, 5]])
    with pytest.raises(SequenceError, match="out of range for the 2 feature rows"):
        SequenceArray.from_arrow(rows, np.eye(2))
    with pytest.raises(SequenceError, match="reach from -1 to 0"):
        SequenceArray.from_arrow(pa.array([[0, -1]]), np.eye(2))
    with pytest.raises(SequenceError, match="expected 'vector'"):
        SequenceArray.from_arrow(rows, pa.table({"a": [1]}))
    with pytest.raises(SequenceError, match="row 1 is missing"):
        SequenceArray.from_arrow(rows, pa.table({"vector": [[1.0], None]}))
    with pytest.raises(SequenceError, match="row numbers go with a table"):
        SequenceArray.from_arrow(pa.array(LISTS), np.eye(2))
    with pytest.raises(TypeError, match="table is a int"):
        SequenceArray.from_arrow(rows, 3)
    with pytest.raises(ValueError, match="expected 'vectors' or 'rows'"):
        expected().to_arrow("words")


def test_columns_of_texts_stay_columns_of_texts():
    for column in (pa.array(["a b"]), pl.Series(["a b"]), pa.array([["a", "b"]])):
        assert not arrow.is_column_of_vectors(column)


def test_without_pyarrow_polars_columns_are_read_in_another_way(monkeypatch):
    def missing():
        raise ImportError("no pyarrow")

    series = pl.Series(LISTS)
    array = series.to_numpy()
    monkeypatch.setattr(arrow, "_pyarrow", missing)
    assert not arrow.is_column_of_vectors(series)
    assert as_sequences(array) == expected(dtype=np.float64)
    with pytest.raises(ImportError):
        SequenceArray.from_arrow(series)


def test_importing_sequences_loads_neither_pyarrow_nor_torch():
    script = (
        "import sys, skrational.sequences; "
        "heavy = {'torch', 'pyarrow', 'dask', 'pandas'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


@settings(max_examples=50)
@given(st.data())
def test_chunks_and_slices_are_what_arrow_says_they_are(data):
    width = data.draw(st.integers(1, 3))
    vector = st.lists(st.integers(-9, 9), min_size=width, max_size=width)
    lists = data.draw(st.lists(st.lists(vector, max_size=4), min_size=1, max_size=6))
    inner = data.draw(
        st.sampled_from([pa.list_(pa.float64(), width), pa.list_(pa.float64())])
    )
    column = pa.array(lists, pa.list_(inner))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(lists)), max_size=3)))
    ends = [0, *cuts, len(lists)]
    chunks = pa.chunked_array([column[a:b] for a, b in itertools.pairwise(ends)])
    n_tokens = sum(map(len, lists))
    if not n_tokens and inner == pa.list_(pa.float64()):
        return
    X = SequenceArray.from_arrow(chunks)
    assert [x.tolist() for x in X] == chunks.to_pylist()
    assert X.to_arrow().to_pylist() == lists
