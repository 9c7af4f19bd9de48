"""Predictions in batches are those of all documents, and wait to be asked for."""

import itertools
from collections import deque

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skrational import (
    ModuliRNNRegressor,
    SequenceArray,
    SparseRationalClassifier,
    WordVectorizer,
)
from skrational.deployment import predict_batches, predict_partition

WORDS = ("not", "worth", "good", "bad", "tea")
RNG = np.random.default_rng(0)
TABLE = {word: RNG.normal(size=4) for word in WORDS}
TEXTS = [" ".join(RNG.choice(WORDS, RNG.integers(1, 6))) for _ in range(25)]
Y = np.array(["no" if "not" in text else "yes" for text in TEXTS])
SMALL = {"warmup_epochs": 1, "max_epochs": 2, "finetune_epochs": 1, "random_state": 0}


@pytest.fixture(scope="module")
def model():
    clf = SparseRationalClassifier(**SMALL, n_wfsas=3, lambda_=1e-4)
    return make_pipeline(WordVectorizer(TABLE), clf).fit(TEXTS, Y)


@pytest.mark.parametrize("size", [1, 4, 25, 100])
@pytest.mark.parametrize("method", ["predict", "predict_proba", "transform"])
def test_batches_join_to_what_is_predicted_at_once(model, size, method):
    expected = getattr(model, method)(TEXTS)
    for X in (TEXTS, iter(TEXTS), (t for t in TEXTS), tuple(TEXTS), pd.Series(TEXTS)):
        parts = list(predict_batches(model, X, method=method, batch_size=size))
        assert [len(part) for part in parts[:-1]] == [size] * (len(parts) - 1)
        np.testing.assert_array_equal(np.concatenate(parts), expected)


def test_sequences_in_any_form_are_predicted(model):
    X, clf = model[0].transform(TEXTS), model[-1]
    expected = clf.predict_proba(X)
    frame = pd.DataFrame({"x": X.to_list()})
    for form in (X, X.to_list(), iter(X), np.asarray(X, object), frame["x"]):
        parts = predict_batches(clf, form, method="predict_proba", batch_size=7)
        np.testing.assert_array_equal(np.concatenate(list(parts)), expected)


def test_a_generator_is_read_as_far_as_batches_are_asked_for(model):
    asked = []

    def texts():
        for i in itertools.count():
            asked.append(i)
            yield TEXTS[i % 25]

    batches = predict_batches(model, texts(), batch_size=4)
    assert asked == []
    for n in (4, 8, 12):
        assert len(next(batches)) == 4
        assert len(asked) == n


def test_no_documents_give_no_batches(model):
    for X in ([], iter([]), model[0].transform(TEXTS)[:0]):
        assert list(predict_batches(model, X)) == []


def test_faults_are_named_before_any_work(model):
    def never():
        raise AssertionError("was read")
        yield

    with pytest.raises(ValueError, match="method is 'guess', which Pipeline hasn't"):
        predict_batches(model, never(), method="guess")
    for size in (0, 1.5, None, True):
        with pytest.raises(ValueError, match="batch_size is"):
            predict_batches(model, never(), batch_size=size)
    with pytest.raises(TypeError, match=r"expected texts: \[text\]"):
        predict_batches(model, "a single text")
    with pytest.raises(TypeError, match="iterable"):
        predict_batches(model, 3)


def test_a_part_of_a_column_keeps_its_index(model):
    column = pd.Series(TEXTS, index=[f"t{i}" for i in range(25)])
    labels = predict_partition(column, model, batch_size=10)
    pd.testing.assert_series_equal(
        labels, pd.Series(model.predict(TEXTS), column.index, name="predict")
    )
    probabilities = predict_partition(column, model, "predict_proba")
    pd.testing.assert_frame_equal(
        probabilities,
        pd.DataFrame(model.predict_proba(TEXTS), column.index, model.classes_),
    )


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_an_empty_part_looks_like_the_others(model, method):
    column = pd.Series(TEXTS)
    empty = predict_partition(column[:0], model, method)
    full = predict_partition(column, model, method)
    assert type(empty) is type(full)
    assert len(empty) == 0
    if method == "predict_proba":
        assert list(empty.columns) == list(full.columns)
        assert list(empty.dtypes) == list(full.dtypes)
    else:
        assert (empty.dtype, empty.name) == (full.dtype, full.name)


@pytest.mark.parametrize("dtype", ["str", object, "category"])
def test_an_empty_part_has_the_type_of_labels_of_any_column(dtype):
    clf = SparseRationalClassifier(**SMALL, n_wfsas=2, lambda_=0)
    model = make_pipeline(WordVectorizer(TABLE), clf)
    model.fit(TEXTS, pd.Series(Y, dtype=dtype))
    empty, full = (predict_partition(pd.Series(TEXTS)[:n], model) for n in (0, 9))
    assert empty.dtype == full.dtype


def test_sequences_are_predicted_as_arrays_in_a_column(model):
    X = model[0].transform(TEXTS)
    regressor = ModuliRNNRegressor(max_epochs=1, n_hidden=3, random_state=0)
    regressor.fit(X, [x[:, :1] for x in X])
    column = pd.Series(X.to_list())
    found = predict_partition(column, regressor)
    for row, expected in zip(found, regressor.predict(X), strict=True):
        np.testing.assert_array_equal(row, expected)
    assert predict_partition(column[:0], regressor).dtype == object
    of_words = predict_partition(TEXTS, model[0], "transform")
    np.testing.assert_array_equal(of_words[3], X[3])
    in_column = predict_partition(pd.Series(TEXTS), model[0], "transform")
    np.testing.assert_array_equal(in_column[3], X[3])


def test_any_iterable_is_read(model):
    expected = model.predict(TEXTS)
    found = predict_batches(model, deque(TEXTS), batch_size=4)
    np.testing.assert_array_equal(np.concatenate(list(found)), expected)
    with pytest.raises(TypeError, match="X is a dict"):
        predict_batches(model, {"good": 1})


def test_parts_of_frames_are_predicted_by_what_reads_columns():
    frame = pd.DataFrame({"text": TEXTS, "n": np.arange(25.0)})
    clf = SparseRationalClassifier(**SMALL, n_wfsas=2, lambda_=0)
    of_text = make_pipeline(WordVectorizer(TABLE), clf)
    columns = ColumnTransformer([("text", of_text, "text")])
    model = make_pipeline(columns, LogisticRegression()).fit(frame, Y)
    for method in ("predict", "predict_proba"):
        found = predict_partition(frame, model, method, batch_size=9)
        np.testing.assert_array_equal(found, getattr(model, method)(frame))
        empty = predict_partition(frame[:0], model, method)
        assert empty.shape == (0, *found.shape[1:])


def test_regressors_and_bare_estimators_have_parts_too():
    X = SequenceArray(RNG.normal(size=(30, 2)), np.arange(0, 31, 3))
    reg = ModuliRNNRegressor(
        n_hidden=3, sparsity=0, lambda_=0, max_epochs=1, finetune_epochs=0,
        random_state=0,
    ).fit(X, np.arange(10.0))  # fmt: skip
    column = pd.Series(X.to_list())
    found = predict_partition(column, reg)
    np.testing.assert_array_equal(found, reg.predict(X))
    assert predict_partition(column[:0], reg).dtype == found.dtype
    assert predict_partition(X.to_list(), reg) == reg.predict(X).tolist()
