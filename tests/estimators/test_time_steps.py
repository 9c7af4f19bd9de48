import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from skrational import (
    SequenceArray,
    SparseRationalClassifier,
    TimeStepTransformer,
    as_sequences,
)
from skrational.inspection import explain


def draw_series(lengths, n_features=3, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(5, 3, size=(n, n_features)) for n in lengths]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6).filter(any))
def test_steps_are_transformed_as_the_rows_of_one_table(lengths):
    X = draw_series(lengths)
    scaled = TimeStepTransformer(StandardScaler()).fit_transform(X)
    table = np.concatenate(X)
    expected = (table - table.mean(axis=0)) / np.where(table.std(0), table.std(0), 1)
    np.testing.assert_allclose(np.concatenate(scaled.to_list()), expected, atol=1e-12)
    assert scaled.lengths.tolist() == lengths


def test_a_row_that_repeats_counts_as_often_and_is_kept_once():
    features = np.array([[0.0], [9.0], [100.0]])
    X = SequenceArray(features, [0, 3, 4], [0, 0, 0, 1], ["a", "b", "unused"])
    fitted = TimeStepTransformer(StandardScaler()).fit(X)
    assert fitted.transformer_.mean_ == pytest.approx(9 / 4)
    scaled = fitted.transform(X)
    assert len(scaled.features) == 2
    assert scaled.labels.tolist() == ["a", "b"]
    steps = [x.ravel() for x in scaled.to_list()]
    other = fitted.transform(X.to_list())
    np.testing.assert_array_equal(
        np.concatenate(steps), np.concatenate(other.to_list()).ravel()
    )


def test_missing_values_are_filled_in_and_padding_is_left_out():
    padded = np.array([[[1.0], [np.nan], [3.0], [np.nan]], [[5.0]] * 4])
    filled = TimeStepTransformer(SimpleImputer()).fit_transform(padded)
    assert filled.lengths.tolist() == [3, 4]
    assert filled[0].ravel().tolist() == [1, 4, 3]
    with pytest.raises(ValueError, match=r"sequence 0, step 1.*TimeStepTransformer"):
        as_sequences(padded)


def test_a_label_is_that_of_each_step():
    X, y = draw_series([4, 6, 5, 7]), [0, 1, 0, 1]
    lda = LinearDiscriminantAnalysis(n_components=1)
    fitted = TimeStepTransformer(lda).fit(X, y)
    expected = clone(lda).fit(np.concatenate(X), np.repeat(y, [4, 6, 5, 7]))
    np.testing.assert_array_equal(fitted.transformer_.coef_, expected.coef_)
    assert fitted.n_features_out_ == 1


def test_rows_of_labels_are_those_of_sequences():
    X, y = draw_series([4, 6, 5]), np.arange(6.0).reshape(3, 2)
    fitted = TimeStepTransformer(PLSRegression(1)).fit(X, y)
    expected = PLSRegression(1).fit(np.concatenate(X), np.repeat(y, [4, 6, 5], axis=0))
    np.testing.assert_array_equal(fitted.transformer_.coef_, expected.coef_)


@pytest.mark.parametrize("form", [list, pd.Series])
def test_labels_of_each_step_are_its_own(form):
    X = draw_series([4, 6, 5])
    y = [x[:, :2].cumsum(axis=0) for x in X]
    fitted = TimeStepTransformer(PLSRegression(1)).fit(X, form(y))
    expected = PLSRegression(1).fit(np.concatenate(X), np.concatenate(y))
    np.testing.assert_array_equal(fitted.transformer_.coef_, expected.coef_)


def test_sparse_rows_become_dense_ones():
    X = [np.array([[0.0], [1.0]]), np.array([[2.0]])]
    coded = TimeStepTransformer(OneHotEncoder()).fit_transform(X)
    np.testing.assert_array_equal(np.concatenate(coded.to_list()), np.eye(3))


def test_documents_without_a_step_stay_so():
    fitted = TimeStepTransformer(PCA(2)).fit(draw_series([3, 4]))
    X = fitted.transform([np.empty((0, 3)), np.empty((0, 3))])
    assert X.lengths.tolist() == [0, 0]
    assert X.n_features == 2


@pytest.mark.parametrize(
    ("transformer", "X", "y", "error", "match"),
    [
        (StandardScaler, [[[1.0]]], None, TypeError, "expected an estimator"),
        ("scale", [[[1.0]]], None, TypeError, "transformer is 'scale'"),
        (StandardScaler(), [np.empty((0, 2))], None, ValueError, "not one step"),
        (StandardScaler(), [[[1.0]], [[2.0]]], [1], ValueError, "inconsistent"),
        (StandardScaler(), [[[1.0]]], [[[1.0], [2.0]]], ValueError, r"y\[0\] has the"),
        (
            StandardScaler(),
            [[[1.0]], [[2.0]] * 2],
            [np.ones(1), np.ones(2)],
            ValueError,
            r"use part\[:, None\]",
        ),
        (StandardScaler(), ["text"], None, TypeError, "strings"),
        (
            FunctionTransformer(lambda rows: rows[:1]),
            [[[1.0], [2.0]]],
            None,
            ValueError,
            "a row for each step",
        ),
    ],
)
def test_what_does_not_fit_is_refused(transformer, X, y, error, match):
    with pytest.raises(error, match=match):
        TimeStepTransformer(transformer).fit(X, y).transform(X)


def test_another_width_is_refused_and_a_failed_fit_changes_nothing():
    fitted = TimeStepTransformer(StandardScaler()).fit(draw_series([3, 4]))
    with pytest.raises(ValueError, match="X has 2 features, but TimeStepTransformer"):
        fitted.transform(draw_series([3], n_features=2))
    mean = fitted.transformer_.mean_
    with pytest.raises(ValueError, match="not one step"):
        fitted.fit([np.empty((0, 2))])
    assert fitted.n_features_in_ == 3
    assert fitted.transformer_.mean_ is mean


def test_in_a_pipeline_a_search_and_an_explanation():
    X, y = draw_series([5] * 40), np.arange(40) % 2
    for series, label in zip(X, y, strict=True):
        series[2] += 12 * label
    pipeline = make_pipeline(
        TimeStepTransformer(StandardScaler()),
        SparseRationalClassifier(n_wfsas=2, n_states=2, random_state=0),
    )
    grid = {"timesteptransformer__transformer__with_mean": [True, False]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    assert search.best_score_ > 0.9
    names = [f"t={t}" for t in range(5)]
    explanation = explain(search, as_sequences(X[1:2], labels=names))[0]
    assert explanation.tokens == tuple(names)
    assert names[np.argmax(explanation.effects)] == "t=2"
    named = explain(search, as_sequences(X[1:2]))[0]
    np.testing.assert_array_equal(named.effects, explanation.effects)
    again = pickle.loads(pickle.dumps(search))
    np.testing.assert_array_equal(again.predict(X), search.predict(X))


def test_frames_of_a_pipeline_keep_the_index():
    X = pd.Series(draw_series([4] * 20), index=[f"r{i}" for i in range(20)])
    pipeline = make_pipeline(
        TimeStepTransformer(StandardScaler()),
        SparseRationalClassifier(n_wfsas=2, lambda_=0, max_epochs=1, random_state=0),
    ).set_output(transform="pandas")
    frame = pipeline.fit(X, np.arange(20) % 2).transform(X)
    assert frame.index.tolist() == X.index.tolist()
    assert frame.columns.tolist() == pipeline.get_feature_names_out().tolist()
    assert pipeline[:1].get_feature_names_out().tolist() == ["x0", "x1", "x2"]


@pytest.mark.parametrize(
    "series",
    [
        np.ma.masked_invalid([[1.0, np.nan], [3.0, 4.0]]),
        np.ma.masked_equal([[1, 99], [3, 4]], 99),
        pd.DataFrame({"a": [1.0, 3.0], "b": [None, 4.0]}).convert_dtypes(),
        [[1.0, None], [3.0, 4.0]],
    ],
    ids=["masked", "masked integers", "frame", "list"],
)
def test_missing_values_of_any_kind_are_nan(series):
    filled = TimeStepTransformer(SimpleImputer()).fit_transform([series] * 2)
    np.testing.assert_array_equal(filled[0], [[1, 4], [3, 4]])


@pytest.mark.parametrize(
    ("X", "match"),
    [
        ([np.arange(4.0), np.arange(5.0)], r"flat sequences.*\[:, None\]"),
        ([pd.DataFrame({"a": ["x"], "b": [1.0]})], "sequence 0 is no array of num"),
    ],
)
def test_what_no_series_is_is_told(X, match):
    with pytest.raises((TypeError, ValueError), match=match):
        TimeStepTransformer(StandardScaler()).fit(X)
