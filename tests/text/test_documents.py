"""Documents that are tokenised already, and texts of which nothing is known."""

import itertools
import pickle
import warnings
from functools import partial
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.exceptions import OutOfVocabularyWarning
from skrational.inspection import explain
from skrational.text.vectors import word_rows

VECTORS = {
    "new york": [1.0, 0.0],
    "New York": [0.5, 0.5],
    "is": [0.0, 1.0],
    "big": [-1.0, 1.0],
    "": [2.0, 2.0],
    "ὀδυσσεύς": [0.0, -1.0],
}
DOCUMENTS = [["New York", "is", "BIG"], ["is"], ["ὈΔΥΣΣΕΎΣ", "is"]]
LOWER = [[word.lower() for word in words] for words in DOCUMENTS]


def identity(document):
    return document


def named(X):
    return [X.labels[X.rows(i)].tolist() for i in range(len(X))]


def plain(**options):
    return WordVectorizer(VECTORS, **{"start_token": None, "end_token": None} | options)


class TestLists:
    @pytest.mark.parametrize(
        "container",
        [
            list,
            tuple,
            iter,
            pd.Series,
            lambda X: [tuple(words) for words in X],
            lambda X: [np.array(words) for words in X],
            lambda X: [np.array(words, dtype=object) for words in X],
            lambda X: [pd.Series(words, index=range(3, 3 + len(words))) for words in X],
            lambda X: np.fromiter(X, dtype=object),
        ],
    )
    def test_tokens_are_taken_as_they_are(self, container):
        vectorizer = plain()
        assert named(vectorizer.fit_transform(container(DOCUMENTS))) == LOWER
        assert named(vectorizer.transform(container(DOCUMENTS))) == LOWER

    def test_lowercase_can_be_left_out(self):
        vectorizer = plain(lowercase=False, oov="drop")
        with pytest.warns(OutOfVocabularyWarning):
            X = vectorizer.fit_transform(DOCUMENTS)
        assert named(X) == [["New York", "is"], ["is"], ["is"]]

    @given(st.lists(st.lists(st.text()), min_size=1), st.booleans())
    @example([["\xad"]], False)
    @pytest.mark.filterwarnings("ignore::skrational.exceptions.OutOfVocabularyWarning")
    def test_as_by_a_function(self, documents, lowercase):
        options = {"lowercase": lowercase, "max_length": 2, "keep": "end"}
        given, by_function = (
            WordVectorizer(VECTORS, tokenizer=tokenizer, **options)
            for tokenizer in (None, identity)
        )
        assert given.fit_transform(documents) == by_function.fit_transform(documents)

    def test_a_tokenizer_gets_the_document_whatever_it_is(self):
        documents = [{"words": ["is"]}, {"words": ["New York"]}]
        vectorizer = plain(tokenizer=lambda document: document["words"])
        assert named(vectorizer.fit_transform(documents)) == [["is"], ["new york"]]
        # One that reads strings is given them in lower case.
        assert named(plain(tokenizer=str.split).fit_transform(["IS"])) == [["is"]]

    def test_a_word_of_the_table_may_be_empty(self):
        assert named(plain().fit_transform([["", "is"]])) == [["", "is"]]

    @pytest.mark.parametrize(
        ("documents", "message"),
        [
            ([["is"], "is"], r"Text 1 of X is 'is' \(str\); expected a list of tokens"),
            (["is", ["is"]], r"Text 1 of X is \['is'\] \(list\); expected a str, as"),
            ([["is"], None], r"Text 1 of X is None .*a str or a list of tokens"),
            ([["is"], {"is"}], r"Text 1 of X is \{'is'\} \(set\); expected a str or"),
            ([["is"], b"is"], r"Text 1 of X .*decode it"),
            ([["is"], 3], r"Text 1 of X is 3 \(int\)"),
            ([["is"], ["is", 3]], r"Token 1 of text 1 of X is 3 \(int\); expected a"),
            ([["is", None]], r"Token 1 of text 0 of X is None"),
            ([[b"is"]], r"Token 0 of text 0 of X is b'is' \(bytes\).*decode it"),
            ([[["is"]]], r"Token 0 of text 0 of X is \['is'\] \(list\)"),
            ([np.array([["is"]])], r"Text 0 of X is array.*\(ndarray\)"),
            ([pd.Series(["is", np.nan], dtype=object)], r"Token 1 of text 0 .* nan"),
            ([(word for word in ["is"])], r"Text 0 of X is <gener.*\(generator\)"),
        ],
    )
    def test_faults_are_named_by_their_position(self, documents, message):
        vectorizer = plain().fit(DOCUMENTS)
        for method in (vectorizer.fit, vectorizer.transform):
            with pytest.raises(TypeError, match=message):
                method(documents)
        assert named(vectorizer.transform(DOCUMENTS)) == LOWER

    @pytest.mark.parametrize("document", [None, b"is", 3, np.nan])
    def test_a_tokenizer_gets_no_missing_value(self, document):
        with pytest.raises(TypeError, match=r"Text 1 of X is .*what the tokenizer"):
            plain(tokenizer=identity).fit([["is"], document])

    def test_in_pipelines_and_explanations(self):
        clf = SparseRationalClassifier(n_wfsas=2, max_epochs=2, random_state=0)
        pipeline = make_pipeline(WordVectorizer(VECTORS), clf)
        texts, labels = [["new york", "is"], ["is", "big"]] * 6, [0, 1] * 6
        scores = cross_val_score(pipeline, texts, labels, cv=2, error_score="raise")
        assert len(scores) == 2
        pipeline.fit(texts, labels)
        explanation = explain(pipeline, [["NEW YORK", "is"]])[0]
        assert list(explanation.tokens) == ["<s>", "new york", "is", "</s>"]


class TestUnknown:
    @pytest.mark.parametrize(
        ("oov", "basis"),
        [
            ("random", "the vector that unknown words share"),
            ("zero", "the vector that unknown words share"),
            ("drop", "the classifier's intercept and the start and end tokens"),
        ],
    )
    def test_transform_warns(self, oov, basis):
        vectorizer = WordVectorizer(VECTORS, oov=oov).fit([["is"]])
        texts = ["is big", "xx yy " * 50, "is", "zz"]
        with pytest.warns(OutOfVocabularyWarning) as caught:
            vectorizer.transform(texts)
        (warning,) = caught
        message = str(warning.message)
        assert message.startswith("2 of 4 texts hold no word that has a vector")
        assert "the first is text 1, 'xx yy xx" in message
        assert f"{basis}. 97% of the tokens of this call have no word vector" in message
        assert len(message) < 600
        assert warning.filename == __file__

    @pytest.mark.parametrize(
        ("texts", "first"),
        [
            (["is", ""], "text 1, which is empty"),
            ([" \n\t", "is"], "text 0, which is empty"),
            ([["is"], []], r"text 1, \[\]"),
            ([["xx", "yy"]], r"text 0, \['xx', 'yy'\]"),
            (pd.Series(["is", "xx"], index=[5, 6]), "text 1, 'xx'"),
            (iter(["is", "xx"]), r"text 1\."),
            (["is", "\u4e2d\u6587"], "text 1, '\u4e2d\u6587'"),
        ],
    )
    def test_the_first_is_shown(self, texts, first):
        vectorizer = WordVectorizer(VECTORS).fit([["is"]])
        with pytest.warns(OutOfVocabularyWarning, match=first):
            vectorizer.transform(texts)

    @given(
        st.lists(
            st.lists(st.sampled_from(["is", "big", "xx", "<s>", "."])), min_size=1
        ),
        st.sampled_from([None, "<s>", "is"]),
        st.sampled_from([None, "</s>", "big"]),
        st.sampled_from(["random", "zero", "drop"]),
        st.sampled_from([None, 1, 2]),
        st.sampled_from([None, identity]),
    )
    def test_as_counted_one_by_one(self, texts, start, end, oov, max_length, tokenizer):
        unknown = [
            i
            for i, words in enumerate(texts)
            if not any(word in VECTORS for word in words[:max_length])
        ]
        vectorizer = WordVectorizer(
            VECTORS,
            start_token=start,
            end_token=end,
            oov=oov,
            max_length=max_length,
            tokenizer=tokenizer,
        )
        for method in ("fit_transform", "fit", "transform"):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                getattr(vectorizer, method)(texts)
            found = [str(warning.message) for warning in caught]
            expected = f"{len(unknown)} of {len(texts)} texts"
            assert len(found) <= 1
            assert bool(unknown) == any(expected in message for message in found)
            if unknown:
                assert f"the first is text {unknown[0]}," in found[0]

    @pytest.mark.parametrize("method", ["fit", "fit_transform"])
    def test_fit_says_all_in_one_warning(self, method):
        with pytest.warns(OutOfVocabularyWarning) as caught:
            getattr(WordVectorizer(VECTORS), method)(["is big", "xx yy zz"])
        (warning,) = caught
        for part in ("60% of the tokens", "1 of 2 texts", "text 1, 'xx yy zz'"):
            assert part in str(warning.message)
        assert warning.filename == __file__
        with pytest.warns(OutOfVocabularyWarning, match=r"^1 of 9 texts hold no word"):
            getattr(WordVectorizer(VECTORS), method)(["is big"] * 8 + [""])

    def test_a_server_does_not_remember_warnings_for_ever(self, monkeypatch):
        monkeypatch.setattr(word_rows, "MOST_WARNINGS", 3)
        vectorizer = WordVectorizer(VECTORS).fit(["is"])
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for i in range(5):
                vectorizer.transform([f"x{i}"])
            assert len(caught) == 3
            pickle.loads(pickle.dumps(vectorizer)).transform(["xx"])
        assert len(caught) == 4
        told = [str(warning.message) for warning in caught]
        assert ["of this call" in message for message in told] == [
            True,
            False,
            False,
            True,
        ]


class TestMostlyUnknown:
    """A call of which most tokens are unknown says so, once for each method."""

    TEXTS: ClassVar = ["das is gut", "Gut is das"]
    MESSAGE = (
        "^67% of the tokens of this call have no word vector, such as 'das', 'gut': "
        ".* Try lowercase=False, another tokenizer, or vectors trained on such texts.$"
    )

    @pytest.fixture
    def pipeline(self):
        clf = SparseRationalClassifier(n_wfsas=2, max_epochs=1, random_state=0)
        pipeline = make_pipeline(WordVectorizer(VECTORS), clf.set_params(lambda_=0))
        return pipeline.fit(["is", "big"] * 4, [0, 1] * 4)

    @pytest.mark.parametrize("oov", ["random", "zero", "drop"])
    @pytest.mark.parametrize("container", [list, iter, np.array, pd.Series])
    def test_its_share_and_words_are_told(self, oov, container):
        vectorizer = WordVectorizer(VECTORS, oov=oov).fit(["is"])
        with pytest.warns(OutOfVocabularyWarning, match=self.MESSAGE) as caught:
            vectorizer.transform(container(self.TEXTS))
        assert [warning.filename for warning in caught] == [__file__]

    def test_once_for_each_method(self, pipeline):
        calls = {
            "predict": pipeline.predict,
            "predict_proba": pipeline.predict_proba,
            "decision_function": pipeline.decision_function,
            "explain": partial(explain, pipeline),
            "transform": pipeline.transform,
        }
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for _ in range(3):
                for call in calls.values():
                    call(self.TEXTS)
        assert len(caught) == len(calls)
        assert {warning.filename for warning in caught} == {__file__}
        with pytest.warns(OutOfVocabularyWarning, match="tokens of this call"):
            pickle.loads(pickle.dumps(pipeline)).predict(self.TEXTS)

    @pytest.mark.parametrize("oov", ["random", "drop"])
    def test_half_of_them_is_not_most(self, oov):
        vectorizer = WordVectorizer(VECTORS, oov=oov).fit(["is"])
        vectorizer.transform(["das is", "is gut", "is"])

    @given(st.lists(st.lists(st.sampled_from(["is", "big", "xx", "yy", "<s>"]))))
    def test_as_counted_one_by_one(self, texts):
        texts = [["is"], *texts]
        words = list(itertools.chain.from_iterable(texts))
        unknown = sum(word in ("xx", "yy") for word in words)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            WordVectorizer(VECTORS).fit([["is"]]).transform(texts)
        told = [str(warning.message) for warning in caught]
        expected = f"{unknown / len(words):.0%} of the tokens of this call"
        assert any(expected in m for m in told) == (2 * unknown > len(words))
