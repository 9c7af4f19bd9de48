"""Whatever scikit-learn, pandas, polars and Arrow hand over, and ask for."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import StackingClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_predict,
    train_test_split,
)
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_consistent_length

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_planted_patterns
from skrational.exceptions import SequenceError
from skrational.model_selection import SparseRationalClassifierCV


def of_string_dtype(texts, **options):
    """An array of strings of any length, which numpy has from 2.0 on."""
    np = pytest.importorskip("numpy", "2.0")
    return np.array(texts, dtype=np.dtypes.StringDType(**options))


SMALL = {"n_wfsas": 3, "n_states": 2, "lambda_": 0, "warmup_epochs": 0}
QUICK = {"max_epochs": 1, "finetune_epochs": 1, "random_state": 0}


@pytest.fixture(scope="module")
def data():
    return make_planted_patterns(40, n_features=5, random_state=0)


@pytest.fixture(scope="module")
def frame(data):
    """As train_test_split leaves it: the index is no range."""
    stars = np.arange(len(data.y)) % 5.0
    frame = pd.DataFrame({"review": data.texts, "stars": stars, "y": data.y})
    return frame.sample(frac=1, random_state=0)


def classifier(**params):
    return SparseRationalClassifier(**(SMALL | QUICK | params))


def pipeline(data, last=None):
    return make_pipeline(WordVectorizer(data.vectors), last or classifier())


def columns(data):
    number = "stars", StandardScaler(), ["stars"]
    return ColumnTransformer([("text", pipeline(data), "review"), number])


NAMES = [f"sparserationalclassifier{i}" for i in range(3)]


class TestNamesAndFrames:
    def test_a_pipeline_names_what_its_classifier_returns(self, data):
        fitted = pipeline(data).fit(data.texts, data.y)
        assert fitted.get_feature_names_out().tolist() == NAMES
        assert fitted.get_feature_names_out(["review"]).tolist() == NAMES
        vectors = fitted[0].get_feature_names_out()
        assert vectors.tolist() == [f"wordvectorizer{i}" for i in range(5)]

    def test_an_unfitted_vectorizer_knows_no_names(self, data):
        with pytest.raises(sklearn.exceptions.NotFittedError):
            WordVectorizer(data.vectors).get_feature_names_out()

    def test_a_pipeline_returns_a_frame_of_the_column_s_index(self, data, frame):
        plain = pipeline(data).fit(frame["review"], frame["y"])
        framed = pipeline(data).set_output(transform="pandas")
        scores = framed.fit_transform(frame["review"], frame["y"])
        expected = plain.transform(frame["review"])
        expected = pd.DataFrame(expected, index=frame.index, columns=NAMES)
        pd.testing.assert_frame_equal(scores, expected)
        few = frame["review"].iloc[[4, 2, 4]]
        pd.testing.assert_frame_equal(
            framed.transform(few), expected.iloc[[4, 2, 4]], rtol=1e-5
        )
        assert framed.transform(data.texts).index.equals(pd.RangeIndex(40))

    def test_a_column_transformer_puts_scores_beside_other_columns(self, data, frame):
        whole = columns(data).set_output(transform="pandas")
        result = clone(whole).fit_transform(frame, frame["y"])
        assert result.index.equals(frame.index)
        assert result.columns.tolist() == [f"text__{n}" for n in NAMES] + [
            "stars__stars"
        ]
        plain = columns(data).fit_transform(frame, frame["y"])
        np.testing.assert_array_equal(result.to_numpy(), plain)
        logistic = make_pipeline(whole, LogisticRegression())
        logistic.fit(frame, frame["y"])
        assert logistic[-1].feature_names_in_.tolist() == result.columns.tolist()
        assert logistic.predict(frame).shape == (40,)

    def test_a_union_names_both_its_parts(self, data):
        union = make_union(pipeline(data), pipeline(data))
        result = union.set_output(transform="pandas").fit_transform(data.texts, data.y)
        assert result.shape == (40, 6)
        assert result.columns.tolist() == union.get_feature_names_out().tolist()

    def test_a_search_along_paths_keeps_the_index(self, data, frame):
        search = SparseRationalClassifierCV(
            classifier(), lambdas=[1e-5, 1e-4], cv=2, random_state=0
        )
        whole = pipeline(data, search).set_output(transform="pandas")
        result = whole.fit(frame["review"], frame["y"]).transform(frame["review"])
        assert result.index.equals(frame.index)
        assert result.columns.tolist() == whole.get_feature_names_out().tolist()

    @pytest.mark.parametrize("repeated", [False, True])
    def test_the_global_configuration_asks_for_frames_too(self, data, frame, repeated):
        column = frame["review"].set_axis([7] * 40) if repeated else frame["review"]
        fitted = pipeline(data).fit(column, frame["y"])
        with sklearn.config_context(transform_output="pandas"):
            assert fitted.transform(column).index.equals(column.index)
            assert isinstance(fitted.predict(column), np.ndarray)

    def test_sequences_carry_an_index_only_where_frames_are_asked_for(
        self, data, frame
    ):
        vectorizer = WordVectorizer(data.vectors)
        assert vectorizer.fit_transform(frame["review"]).index is None
        vectorizer.set_output(transform="pandas")
        X = vectorizer.transform(frame["review"])
        assert X.index.equals(frame.index)
        assert X[5:8].index.equals(frame.index[5:8])
        assert X[[3, 0]].index.equals(frame.index[[3, 0]])
        assert X == vectorizer.set_output(transform="default").transform(
            frame["review"]
        )
        assert vectorizer.set_output() is vectorizer

    def test_polars(self, data, frame):
        pl = pytest.importorskip("polars")
        table = pl.DataFrame({name: frame[name].to_list() for name in frame})
        result = columns(data).set_output(transform="polars")
        result = result.fit_transform(table, table["y"])
        assert isinstance(result, pl.DataFrame)
        plain = columns(data).fit_transform(frame, frame["y"])
        np.testing.assert_array_equal(result.to_numpy(), plain)


class TestSequencesAreNoMatrix:
    @pytest.mark.parametrize(
        "use",
        [
            np.asarray,
            StandardScaler().fit,
            lambda X: LogisticRegression().fit(X, np.arange(len(X)) % 2),
            sklearn.utils.check_array,
            lambda X: make_pipeline(StandardScaler()).fit(X),
            lambda X: X == np.arange(len(X)),
        ],
    )
    @pytest.mark.parametrize("n", [40, 1])
    def test_what_expects_a_matrix_is_told(self, data, use, n):
        with pytest.raises(SequenceError, match=r"matrix.*SparseRationalClassifier"):
            use(data.X[:n])

    def test_a_pipeline_without_the_classifier_is_told(self, data):
        wrong = make_pipeline(WordVectorizer(data.vectors), LogisticRegression())
        with pytest.raises(ValueError, match="SparseRationalClassifier right after"):
            wrong.fit(data.texts, data.y)

    def test_importances_of_columns_are_refused(self, data):
        clf = classifier().fit(data.X, data.y)
        with pytest.raises(SequenceError, match="matrix"):
            permutation_importance(clf, data.X, data.y)

    def test_an_object_array_holds_the_sequences(self, data):
        array = np.asarray(data.X, dtype=object)
        assert array.shape == (40,)
        for sequence, expected in zip(array, data.X, strict=True):
            np.testing.assert_array_equal(sequence, expected)

    @pytest.mark.skipif(
        np.lib.NumpyVersion(np.__version__) < "2.0.0",
        reason="numpy 1 copies in spite of copy=False where it has to",
    )
    def test_an_object_array_is_a_copy(self, data):
        with pytest.raises(ValueError, match="copy"):
            np.array(data.X, dtype=object, copy=False)

    @pytest.mark.skipif(
        int(pd.__version__.split(".")[0]) < 3,
        reason="pandas 2 shows what is in a sequence",
    )
    def test_a_series_shows_sequences_in_a_line(self, data):
        assert "SequenceArray(40" in repr(pd.Series([data.X, data.X]))

    def test_what_goes_through_numpy_by_right_still_does(self, data):
        X = data.X
        several = np.empty(2, dtype=object)
        several[:] = [X, X[:3]]
        assert several[1] is not X and several[1] == X[:3]
        assert "SequenceArray(40" in repr(several)
        assert X in [1, X]
        check_consistent_length(X, data.y)
        training, test, *_ = train_test_split(X, data.y, random_state=0)
        assert type(training) is type(X) and len(training) + len(test) == 40
        predicted = cross_val_predict(classifier(), X, data.y, cv=2)
        listed = cross_val_predict(classifier(), X.to_list(), data.y, cv=2)
        np.testing.assert_array_equal(predicted, listed)


@pytest.fixture(scope="module")
def expected(data):
    return classifier().fit(data.X.to_list(), data.y).decision_function(data.X)


class TestColumns:
    """Columns of arrays, read to the bit as the list of the arrays is."""

    @pytest.mark.parametrize(
        "form",
        [
            pd.Series,
            lambda arrays: pd.Series(arrays, index=[f"r{i}" for i in range(40)][::-1]),
            lambda arrays: pd.Series([array.tolist() for array in arrays]),
            lambda arrays: pd.DataFrame({"vectors": arrays}),
            lambda arrays: pd.Series(arrays).array,
        ],
    )
    def test_of_pandas(self, data, expected, form):
        column = form([array.astype("f8") for array in data.X])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            clf = classifier().fit(column, data.y)
            np.testing.assert_array_equal(clf.decision_function(column), expected)
        assert not hasattr(clf, "feature_names_in_")
        assert clf.n_features_in_ == 5

    @pytest.mark.parametrize("form", ["array", "chunked", "fixed", "table", "pandas"])
    def test_of_arrow(self, data, expected, form):
        pa = pytest.importorskip("pyarrow")
        lists = [array.astype("f8").tolist() for array in data.X]
        vectors = pa.list_(pa.list_(pa.float64(), 5))
        column = {
            "array": lambda: pa.array(lists),
            "chunked": lambda: pa.chunked_array([lists[:7], lists[7:]]),
            "fixed": lambda: pa.array(lists, vectors),
            "table": lambda: pa.table({"vectors": lists}),
            "pandas": lambda: pd.Series(
                pa.array(lists),
                dtype=pd.ArrowDtype(pa.list_(pa.list_(pa.float64()))),
            ),
        }[form]()
        clf = classifier().fit(column, data.y)
        np.testing.assert_array_equal(clf.decision_function(column), expected)

    @pytest.mark.parametrize("form", ["lists", "arrays", "frame", "objects"])
    def test_of_polars(self, data, expected, form):
        pl = pytest.importorskip("polars")
        arrays = [array.astype("f8") for array in data.X]
        lists = [array.tolist() for array in arrays]
        column = {
            "lists": lambda: pl.Series(lists),
            "arrays": lambda: pl.Series(lists, dtype=pl.List(pl.Array(pl.Float64, 5))),
            "frame": lambda: pl.DataFrame({"vectors": lists}),
            "objects": lambda: pl.Series("vectors", arrays, dtype=pl.Object),
        }[form]()
        clf = classifier().fit(column, data.y)
        np.testing.assert_array_equal(clf.decision_function(column), expected)

    def test_a_search_splits_a_column(self, data):
        grid = {"lambda_": [0, 1e-3]}
        searches = [
            GridSearchCV(classifier(), grid, cv=2).fit(X, data.y)
            for X in (data.X, pd.Series(data.X.to_list()))
        ]
        scores = [search.cv_results_["mean_test_score"] for search in searches]
        np.testing.assert_array_equal(*scores)

    def test_frames_of_numbers_keep_their_names(self):
        X = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [4.0, 3, 2, 1]})
        clf = classifier().fit(X, [0, 1, 0, 1])
        assert clf.feature_names_in_.tolist() == ["a", "b"]
        one = classifier().fit(X[["a"]].astype("Float64"), [0, 1, 0, 1])
        assert one.feature_names_in_.tolist() == ["a"]

    @pytest.mark.parametrize(
        ("X", "error", "message"),
        [
            (lambda a: pd.DataFrame({"v": a, "w": 1}), ValueError, "of 2 columns"),
            (lambda a: pd.Series([a[0], None, a[1]]), ValueError, "sequence 1 is miss"),
            (lambda a: [a[0], float("nan")], ValueError, "sequence 1 is missing"),
            (lambda a: [a[0], [[1.0, 2.0], [3.0]]], ValueError, "sequence 1 is no arr"),
            (lambda a: pd.DataFrame({"t": ["x", "y"]}), TypeError, "holds strings"),
            (lambda a: pd.Series(["x", "y"], dtype="category"), TypeError, "strings"),
            (lambda a: [None, "x"], TypeError, "holds strings"),
            (lambda a: of_string_dtype(["x"]), TypeError, "holds strings"),
            (iter, TypeError, "X is a list_iterator; expected a Seq"),
            (lambda a: dict(enumerate(a)), TypeError, "X is a dict; expected a Seq"),
        ],
    )
    def test_what_is_no_such_column_is_named(self, data, X, error, message):
        with pytest.raises(error, match=message):
            classifier().fit(X(data.X.to_list()), data.y)


class TestTexts:
    @pytest.mark.parametrize(
        "form",
        [
            "string",
            "category",
            pd.Index,
            np.array,
            of_string_dtype,
            lambda texts: [np.str_(text) for text in texts],
        ],
    )
    def test_columns_of_strings(self, data, form):
        column = pd.Series(data.texts, dtype=form) if isinstance(form, str) else None
        column = form(data.texts) if column is None else column
        vectorizer = WordVectorizer(data.vectors)
        assert vectorizer.fit_transform(column) == vectorizer.fit_transform(data.texts)

    @pytest.mark.parametrize("form", ["array", "chunks", "codes", "view", "pandas"])
    def test_of_arrow(self, data, form):
        pa = pytest.importorskip("pyarrow")
        texts = list(data.texts)
        column = {
            "array": lambda: pa.array(texts),
            "chunks": lambda: pa.chunked_array([texts[:9], texts[9:]]),
            "codes": lambda: pa.array(texts).dictionary_encode(),
            "view": lambda: pa.array(texts, pa.string_view()),
            "pandas": lambda: pd.Series(texts, dtype="string[pyarrow]"),
        }[form]()
        vectorizer = WordVectorizer(data.vectors)
        assert vectorizer.fit_transform(column) == vectorizer.fit_transform(texts)
        with pytest.raises(TypeError, match="Text 1 of X is None"):
            vectorizer.fit(pa.array([texts[0], None]))

    def test_of_polars(self, data):
        pl = pytest.importorskip("polars")
        vectorizer = WordVectorizer(data.vectors)
        for dtype in (pl.String, pl.Categorical):
            column = pl.Series(list(data.texts), dtype=dtype)
            assert vectorizer.fit_transform(column) == vectorizer.transform(data.texts)
        with pytest.raises(TypeError, match="Text 1 of X is None"):
            vectorizer.fit(pl.Series(["good", None]))
        with pytest.raises(ValueError, match=r"X\['name'\]"):
            vectorizer.fit(pl.DataFrame({"review": ["good"]}))

    @pytest.mark.parametrize(
        ("X", "error", "message"),
        [
            (pd.Series(["good", pd.NA], dtype="string"), TypeError, "Text 1 .* <NA>"),
            (pd.Series(["good", None], dtype=object), TypeError, "Text 1 of X is None"),
            (pd.DataFrame({"t": ["good"]}), ValueError, "without brackets"),
            ({"good": "bad"}, ValueError, "X is a dict"),
            ({"good"}, ValueError, "X is a set"),
        ],
    )
    def test_what_holds_no_texts_is_named(self, data, X, error, message):
        with pytest.raises(error, match=message):
            WordVectorizer(data.vectors).fit(X)

    def test_a_missing_text_of_an_array_of_strings_is_named(self, data):
        X = of_string_dtype(["good", np.nan], na_object=np.nan)
        with pytest.raises(TypeError, match="Text 1 of X is nan"):
            WordVectorizer(data.vectors).fit(X)


NAMED = np.array(["neg", "pos"])


class TestLabels:
    @pytest.mark.parametrize(
        "form",
        [
            lambda named: pd.Series(named, dtype="category"),
            lambda named: pd.Series(named, dtype="string"),
            lambda named: pd.Series(named, dtype="str"),
            lambda named: named.astype(object),
            of_string_dtype,
        ],
    )
    def test_columns_of_strings(self, data, form):
        named = NAMED[data.y]
        y = form(named)
        clf = classifier(early_stopping=True).fit(data.X, y, X_val=data.X, y_val=y)
        assert clf.classes_.tolist() == ["neg", "pos"]
        expected = classifier(early_stopping=True)
        expected.fit(data.X, named, X_val=data.X, y_val=named)
        np.testing.assert_array_equal(clf.predict(data.X), expected.predict(data.X))

    @pytest.mark.parametrize("dtype", ["boolean", "Int64", "Float64"])
    def test_nullable_numbers_are_read_as_scikit_learn_reads_them(self, data, dtype):
        y = pd.Series(data.y).astype(dtype)
        logistic = LogisticRegression().fit(np.arange(40.0)[:, None], y)
        clf = classifier().fit(data.X, y)
        np.testing.assert_array_equal(clf.classes_, logistic.classes_)
        assert clf.classes_.dtype == logistic.classes_.dtype

    @pytest.mark.parametrize("name", ["y", "y_val"])
    @pytest.mark.parametrize(
        ("missing", "dtype"),
        [
            (None, object),
            (np.nan, object),
            (pd.NA, "string"),
            (pd.NA, "boolean"),
            (None, "category"),
        ],
    )
    def test_a_missing_label_is_named(self, data, missing, dtype, name):
        values = (
            (data.y == 1).tolist() if dtype == "boolean" else NAMED[data.y].tolist()
        )
        values[3] = missing
        faulty = pd.Series(values, dtype=dtype)
        whole = faulty.copy()
        whole[3] = faulty[0]
        labels = {"y": whole, "y_val": whole} | {name: faulty}
        clf = classifier(early_stopping=True)
        with pytest.raises(ValueError, match=rf"^{name} contains .*: label 3 is"):
            clf.fit(data.X, labels["y"], X_val=data.X, y_val=labels["y_val"])

    @pytest.mark.parametrize("dtype", ["Float64", "category", object])
    def test_weights_may_be_any_column(self, data, dtype):
        weights = np.where(data.y == 1, 2.0, 1.0)
        expected = classifier().fit(data.X, data.y, weights)
        clf = classifier().fit(data.X, data.y, pd.Series(weights, dtype=dtype))
        np.testing.assert_array_equal(clf.coef_, expected.coef_)

    def test_of_polars_and_arrow(self, data):
        pl, pa = pytest.importorskip("polars"), pytest.importorskip("pyarrow")
        named = NAMED[data.y].tolist()
        for y in (
            pl.Series(named),
            pl.Series(named, dtype=pl.Enum(["neg", "pos"])),
            pa.array(named),
            pa.chunked_array([named]).dictionary_encode(),
        ):
            clf = classifier().fit(data.X, y, pl.Series([1.0] * 40))
            assert clf.classes_.tolist() == ["neg", "pos"]
        with pytest.raises(ValueError, match="label 0 is None"):
            classifier().fit(data.X, pa.array([None, *named[1:]]))


class TestValidationTexts:
    def test_two_ways_lead_from_texts_to_validation_data(self, data):
        texts, y = list(data.texts), data.y
        early = classifier(early_stopping=True, finetune_epochs=3)
        whole = pipeline(data, early)
        faulty = {
            "sparserationalclassifier__X_val": texts[30:],
            "sparserationalclassifier__y_val": y[30:],
        }
        message = re.escape("transform_input=['X_val']")
        with pytest.raises(TypeError, match=f"vectorizer.transform.*{message}"):
            whole.fit(texts[:30], y[:30], **faulty)
        transformed = WordVectorizer(data.vectors).fit(texts[:30]).transform(texts[30:])
        one = whole.fit(
            texts[:30],
            y[:30],
            sparserationalclassifier__X_val=transformed,
            sparserationalclassifier__y_val=y[30:],
        )
        with sklearn.config_context(enable_metadata_routing=True):
            requesting = clone(early).set_fit_request(X_val=True, y_val=True)
            other = make_pipeline(
                WordVectorizer(data.vectors), requesting, transform_input=["X_val"]
            ).fit(texts[:30], y[:30], X_val=texts[30:], y_val=y[30:])
        losses = [
            [row["validation_loss"] for row in fitted[-1].history_]
            for fitted in (one, other)
        ]
        assert losses[0] == losses[1]
        np.testing.assert_array_equal(one[-1].coef_, other[-1].coef_)


def test_pipelines_are_stacked(data):
    estimators = [("a", pipeline(data)), ("b", pipeline(data))]
    stacked = StackingClassifier(estimators, cv=2).fit(data.texts, data.y)
    assert stacked.predict(data.texts).shape == (40,)
