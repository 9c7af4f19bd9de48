"""Sequences know the texts they were made of, and where their tokens stand in them."""

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrational import TimeStepTransformer, WordVectorizer
from skrational.sequences import SequenceArray
from skrational.text.tokenize import tokenize

pytestmark = pytest.mark.filterwarnings(
    "ignore::skrational.exceptions.OutOfVocabularyWarning"
)

VECTORS = {"not": [1.0, 0.0], "good": [0.0, 1.0], "'s": [1.0, 1.0]}
TEXT = "It\u2019s  NOT good,\nZoe\u0301."


def vectorizer(**options):
    return WordVectorizer(VECTORS, **options).fit(["good"])


def words(X, i=0):
    return X.original(i).read(X.labels[X.rows(i)])


def test_tokens_are_read_as_they_stand_in_the_text():
    X = vectorizer().transform([TEXT])
    assert X.labels[X.rows(0)].tolist()[:4] == ["<s>", "<unk>", "'s", "not"]
    assert words(X) == (
        *("<s>", "It", "\u2019s", "NOT", "good", ",", "Zoe\u0301", ".", "</s>"),
    )
    assert X.original(0).text == TEXT


@given(st.lists(st.text(max_size=30), min_size=1, max_size=4), st.booleans())
@example(
    ["\u0130stanbul\u2019S", "\u0391\u03a3 \ud800a", "\U0001f468\u200d\U0001f469"], True
)
@example(["e\u0301 \u200b\u200d x", "U.S. isn't 1,000 :-)"], False)
def test_places_are_those_of_the_tokenizer(texts, lowercase):
    X = vectorizer(lowercase=lowercase, start_token=None, end_token=None).transform(
        texts
    )
    for i, text in enumerate(texts):
        original = X.original(i)
        tokens = tokenize(text.lower() if lowercase else text)
        assert len(original.spans) == len(tokens)
        for token, (start, stop) in zip(tokens, original.spans, strict=True):
            part = text[start:stop].replace("\u2019", "'")
            assert part.lower() == token.lower() or "\u03a3" in part


def test_words_left_out_have_places_of_their_own():
    original = vectorizer(oov="drop").transform([TEXT]).original(0)
    assert original.read(["<s>", "'s", "not", "good", "</s>"])[2:4] == ("NOT", "good")
    left_out = [TEXT[i:j] for i, j in original.left_out]
    assert left_out == ["It", ",", "Zoe\u0301", "."]


@pytest.mark.parametrize(("keep", "kept"), [("start", "a b"), ("end", "d e")])
def test_what_is_cut_off_has_no_place(keep, kept):
    X = vectorizer(max_length=2, keep=keep, end_token=None).transform(["a b c d e"])
    assert words(X) == ("<s>", *kept.split())


def test_lists_of_tokens_are_taken_as_they_are():
    X = vectorizer().transform([["New York", "NOT"]])
    assert words(X) == ("<s>", "New York", "NOT", "</s>")
    assert X.original(0).text == "New York NOT"


def test_a_tokenizer_of_ones_own_is_searched_for():
    X = vectorizer(tokenizer=str.split).transform([TEXT])
    assert words(X) == ("<s>", "It\u2019s", "NOT", "good,", "Zoe\u0301.", "</s>")
    lost = vectorizer(tokenizer=lambda text: ["lost", "words"]).transform([TEXT])
    assert lost.original(0) is None


CONTAINERS = [
    list,
    tuple,
    lambda texts: np.array(texts, object),
    np.array,
    lambda texts: pd.Series(texts, index=[7, 8, 9]),
    lambda texts: pd.Series(texts).astype("string"),
]


@pytest.mark.parametrize("container", CONTAINERS)
def test_whatever_holds_the_texts(container):
    X = vectorizer().transform(container(["NOT", "Good", "GOOD"]))
    assert [words(X, i)[1] for i in range(3)] == ["NOT", "Good", "GOOD"]


def test_an_iterator_is_not_held():
    X = vectorizer().transform(iter(["NOT"]))
    assert X.originals is None and X.original(0) is None


def test_a_list_that_changes_later_does_not_matter():
    texts = ["NOT"]
    X = vectorizer().transform(texts)
    texts[0] = "Good"
    assert X.original(0).text == "NOT"
    array = np.array(["NOT"], object)
    X = vectorizer().transform(array)
    array[0] = "Good good"
    assert X.original(0) is None  # it has other tokens


def test_a_vectorizer_that_changes_later_does_not_matter():
    own = vectorizer(max_length=1)
    X = own.transform(["NOT good"])
    own.set_params(max_length=None, lowercase=False).fit(["good"])
    assert words(X) == ("<s>", "NOT", "</s>")


def text_of(X):
    return [None if (o := X.original(i)) is None else o.text for i in range(len(X))]


def test_selections_and_joins_keep_their_texts():
    texts = [f"Good {i}" for i in range(6)]
    X = vectorizer().transform(texts)
    assert text_of(X[1:3]) == texts[1:3]
    assert text_of(X[::-2]) == texts[::-2]
    assert text_of(X[[3, 3, 0]][1:]) == [texts[3], texts[0]]
    assert text_of(X[2:][[0, 1]]) == texts[2:4]
    assert text_of(X[np.arange(6) % 2 == 0][[True, False, True]]) == [
        texts[0],
        texts[4],
    ]
    assert text_of(X.with_index(pd.RangeIndex(6))[1:2]) == texts[1:2]
    other = vectorizer(tokenizer=str.split).transform(["NOT a"])
    bare = SequenceArray(np.zeros((1, 2)), [0, 1], labels=["x"])
    joined = SequenceArray.concatenate([X[4:], bare, other, X[:1]])
    assert text_of(joined) == [*texts[4:], None, "NOT a", texts[0]]
    assert text_of(joined[[2, 0]]) == [None, texts[4]]
    assert (bare + bare).originals is None


def test_pickles_hold_no_texts():
    texts = [f"NOT {'x' * 1000} {i}" for i in range(50)]
    X = vectorizer().transform(texts)
    pickled = pickle.dumps(X)
    assert len(pickled) < 20_000
    again = pickle.loads(pickled)
    assert again == X and again.originals is None
    # As versions before this one wrote them.
    parts = X.features, X.offsets, X.indices, X.labels
    assert SequenceArray._trusted(*parts) == SequenceArray._trusted(*parts, None) == X


def test_fit_transform_and_steps_behind_keep_texts():
    steps = make_pipeline(
        WordVectorizer(VECTORS), TimeStepTransformer(StandardScaler())
    )
    assert text_of(steps.fit_transform(["NOT good", "Good"])) == ["NOT good", "Good"]
    assert text_of(steps.transform(["Good"])) == ["Good"]
