"""What a new user does wrong, and what each message says: what came and what to do."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.exceptions import OutOfVocabularyWarning, SequenceFormWarning
from skrational.inspection import AutomatonDisplay, explain, top_phrases

RNG = np.random.default_rng(0)
FILLERS = "the a it is of this pan lid price box".split()
TEXTS = [
    " ".join([*RNG.choice(FILLERS, 4), word, *RNG.choice(FILLERS, 2)])
    for word in ["good", "bad", "nice", "awful"] * 15
]
LABELS = ["pos", "neg"] * 30
TOKENS = [text.split() for text in TEXTS]
TFIDF = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2)).fit_transform(TEXTS)
FRAME = pd.DataFrame({"text": TEXTS, "label": LABELS})


def classifier(**params):
    brief = {
        "n_wfsas": 2,
        "n_states": 2,
        "warmup_epochs": 1,
        "max_epochs": 1,
        "finetune_epochs": 1,
        "min_steps_per_epoch": 1,
        "random_state": 0,
    }
    return SparseRationalClassifier(**brief | params)


def pipeline(**params):
    return make_pipeline(
        WordVectorizer(n_features=8, min_count=1), classifier(**params)
    )


@pytest.fixture(scope="module")
def fitted():
    return pipeline().fit(TEXTS, LABELS)


def label_3(value):
    return [*LABELS[:3], value, *LABELS[4:]]


def vectors(name):
    return make_pipeline(WordVectorizer(name), classifier())


REFUSED = {
    "texts without a vectorizer": (
        lambda: classifier().fit(TEXTS, LABELS),
        TypeError,
        "X holds strings.*make_pipeline.WordVectorizer",
    ),
    "lists of tokens without a vectorizer": (
        lambda: classifier().fit(TOKENS, LABELS),
        TypeError,
        "X holds strings.*make_pipeline.WordVectorizer",
    ),
    "sparse TF-IDF": (
        lambda: classifier().fit(TFIDF, LABELS),
        TypeError,
        "X is a sparse matrix, such as TF-IDF.*put WordVectorizer",
    ),
    "TfidfVectorizer in the pipeline": (
        lambda: make_pipeline(TfidfVectorizer(), classifier()).fit(TEXTS, LABELS),
        TypeError,
        "X is a sparse matrix, such as TF-IDF.*put WordVectorizer",
    ),
    "numbers of tokens, ragged": (
        lambda: classifier().fit([[1, 2], [3]] * 30, LABELS),
        ValueError,
        "flat sequences of inhomogeneous lengths, 2 and others; expected arrays",
    ),
    "a label that is NaN": (
        lambda: pipeline().fit(TEXTS, label_3(float("nan"))),
        ValueError,
        "y contains NaN or another missing value: label 3 is nan",
    ),
    "a label that is None": (
        lambda: pipeline().fit(TEXTS, label_3(None)),
        ValueError,
        "y contains NaN or another missing value: label 3 is None",
    ),
    "a label that is pandas' NA": (
        lambda: pipeline().fit(TEXTS, pd.Series(label_3(None), dtype="string")),
        ValueError,
        "y contains NaN or another missing value: label 3 is <NA>",
    ),
    "labels of two kinds": (
        lambda: pipeline().fit(TEXTS, label_3(1)),
        ValueError,
        r"y mixes texts with other labels: label 3 is 1 \(int\); expected .* one kind",
    ),
    "labels of two kinds in an array": (
        lambda: pipeline().fit(TEXTS, np.array(label_3(1), dtype=object)),
        ValueError,
        r"y mixes texts with other labels: label 3 is 1 \(int\); expected .* one kind",
    ),
    "labels of two kinds in a series": (
        lambda: pipeline().fit(TEXTS, pd.Series([1] + ["pos"] * 59, dtype=object)),
        ValueError,
        r"y mixes texts with other labels: label 0 is 1 \(int\); expected .* one kind",
    ),
    "one class": (
        lambda: pipeline().fit(TEXTS, ["pos"] * 60),
        ValueError,
        "y holds only one class.*needs samples.*of at least two",
    ),
    "too few labels": (
        lambda: pipeline().fit(TEXTS, LABELS[:-1]),
        ValueError,
        "X has 60 sequences, y has 59 labels",
    ),
    "two labels of three classes": (
        lambda: pipeline().fit(TEXTS, np.array([[0, 1], [2, 0]] * 30)),
        ValueError,
        "expected one label for each sequence, or 0 and 1",
    ),
    "numbers to predict": (
        lambda: pipeline().fit(TEXTS, RNG.normal(size=60)),
        ValueError,
        "Unknown label type: continuous.*regression target",
    ),
    "a text that is None": (
        lambda: pipeline().fit([None, *TEXTS[1:]], LABELS),
        TypeError,
        r"Text 0 of X is None \(NoneType\); expected a str or a list of tokens",
    ),
    "a text that is NaN": (
        lambda: pipeline().fit(pd.Series([np.nan, *TEXTS[1:]]), LABELS),
        TypeError,
        r"Text 0 of X is nan \(float\); expected a str or a list of tokens",
    ),
    "bytes": (
        lambda: pipeline().fit([text.encode() for text in TEXTS], LABELS),
        TypeError,
        "expected a str or a list of tokens: decode it",
    ),
    "texts and lists of tokens": (
        lambda: pipeline().fit(TEXTS[:30] + TOKENS[30:], LABELS),
        TypeError,
        r"Text 30 of X is \[.* \(list\); expected a str, as text 0 of X is",
    ),
    "a whole data frame": (
        lambda: pipeline().fit(FRAME, LABELS),
        ValueError,
        r"X is a DataFrame of shape \(60, 2\).*A column of a data frame is X\['name'\]",
    ),
    "a data frame of one column": (
        lambda: pipeline().fit(FRAME[["text"]], LABELS),
        ValueError,
        r"X is a DataFrame of shape \(60, 1\).*A column of a data frame is X\['name'\]",
    ),
    "a file of vectors that isn't there": (
        lambda: vectors("glove.6B.300d.txt").fit(TEXTS, LABELS),
        FileNotFoundError,
        "no file 'glove.6B.300d.txt'.*Without vectors, they are learned from the texts",
    ),
    "no texts": (
        lambda: pipeline().fit([], []),
        ValueError,
        "X holds no texts; expected at least one",
    ),
    "a negative lambda_": (
        lambda: pipeline(lambda_=-1).fit(TEXTS, LABELS),
        ValueError,
        r"'lambda_' parameter of SparseRationalClassifier must be .* \[0.0, inf\).*-1",
    ),
    "a semiring that isn't there": (
        lambda: pipeline(semiring="plus_times").fit(TEXTS, LABELS),
        ValueError,
        "'semiring' parameter of SparseRationalClassifier must be .*'plus-times'",
    ),
    "a search for lambda_ without the step's name": (
        lambda: GridSearchCV(pipeline(), {"lambda_": [1e-3]}, cv=2).fit(TEXTS, LABELS),
        ValueError,
        "Invalid parameter 'lambda_' for estimator Pipeline",
    ),
    "explain before fit": (
        lambda: explain(pipeline(), "a good pan"),
        NotFittedError,
        "SparseRationalClassifier instance is not fitted yet. Call 'fit'",
    ),
    "explain of another model": (
        lambda: explain(LogisticRegression().fit([[0], [1]], [0, 1]), "a good pan"),
        TypeError,
        "estimator is a LogisticRegression; expected a fitted SparseRationalClassifier",
    ),
    "NaN amid a padded sequence": (
        lambda: classifier().fit(np.full((60, 3, 2), [[1.0], [np.nan], [1.0]]), LABELS),
        ValueError,
        "Input X contains NaN: sequence 0, step 1. Rows of NaN are padding at the end",
    ),
}


@pytest.mark.parametrize("mistake", REFUSED)
def test_a_mistake_is_refused_with_what_to_do(mistake):
    do, error, message = REFUSED[mistake]
    with pytest.raises(error, match=f"(?s){message}"):
        do()


REFUSED_OF_A_FITTED_ONE = {
    "a single text": (
        lambda fitted: fitted.predict("not worth it"),
        ValueError,
        "str object received: put a single text into a list",
    ),
    "explain of the classifier alone, on a text": (
        lambda fitted: explain(fitted[-1], "not worth it"),
        TypeError,
        "X is a string",
    ),
    "explain of the classifier alone, on texts": (
        lambda fitted: explain(fitted[-1], ["not worth it"]),
        TypeError,
        "X holds strings.*make_pipeline.WordVectorizer",
    ),
    "sequences of another width": (
        lambda fitted: fitted[-1].predict(np.zeros((2, 3, 5))),
        ValueError,
        "X has 5 features, but SparseRationalClassifier is expecting 8",
    ),
    "an automaton that isn't there": (
        lambda fitted: AutomatonDisplay.from_estimator(fitted, wfsa=9),
        ValueError,
        "wfsa is 9; expected 0 to 1",
    ),
}


@pytest.mark.parametrize("mistake", REFUSED_OF_A_FITTED_ONE)
def test_a_mistake_with_a_fitted_model_is_refused(mistake, fitted):
    do, error, message = REFUSED_OF_A_FITTED_ONE[mistake]
    with pytest.raises(error, match=f"(?s){message}"):
        do(fitted)


PADDED = np.pad(np.ones((60, 3, 2)), ((0, 0), (0, 2), (0, 0)))
WARNED = {
    "dense TF-IDF": (
        lambda: classifier().fit(TFIDF.toarray(), LABELS),
        SequenceFormWarning,
        r"X, an array of shape \(60, \d+\), is read as 60 sequences of one vector each"
        ".*Most of its numbers are 0, as in TF-IDF",
    ),
    "numbers of tokens, padded": (
        lambda: classifier().fit(RNG.integers(0, 3000, (60, 25)), LABELS),
        SequenceFormWarning,
        "Its integers, up to 2...?, may be numbers of tokens: give the texts to",
    ),
    "sequences padded with zeros": (
        lambda: classifier().fit(PADDED * RNG.normal(size=(60, 5, 2)), LABELS),
        SequenceFormWarning,
        "mostly end in rows of zeros.*lengths",
    ),
    "X and y swapped": (
        lambda: pipeline().fit(LABELS, TEXTS),
        UserWarning,
        "y has 60 classes for 60 samples. Are X and y swapped",
    ),
    "a lambda_ that removes all": (
        lambda: pipeline(lambda_=10.0).fit(TEXTS, LABELS),
        ConvergenceWarning,
        "lambda_=10.0 removed every state.*Lower lambda_",
    ),
}


@pytest.mark.parametrize("mistake", WARNED)
def test_a_mistake_that_may_be_meant_is_warned_of(mistake):
    do, warning, message = WARNED[mistake]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        do()
    said = " ".join(str(w.message) for w in caught if issubclass(w.category, warning))
    assert re.search(message, said, re.DOTALL), said


def test_texts_without_a_known_word_are_warned_of(fitted):
    with pytest.warns(OutOfVocabularyWarning, match="1 of 1 texts hold no word that"):
        fitted.predict(["xyzzy plugh"])


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_model_without_automata_says_why_there_is_nothing_to_read():
    emptied = pipeline(lambda_=10.0).fit(TEXTS, LABELS)
    with pytest.raises(ValueError, match=r"no WFSA left to read.*lower lambda_"):
        top_phrases(emptied, TEXTS)


@pytest.mark.filterwarnings("error::skrational.exceptions.SequenceFormWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    "X",
    [
        RNG.normal(size=(60, 30)),
        np.tile(RNG.integers(0, 17, (60, 1)), (1, 64)),
        (RNG.random((60, 3)) < 0.1).astype(float),
        RNG.normal(size=(60, 4, 3)),
    ],
    ids=["table", "pixels", "few columns", "series"],
)
def test_what_is_meant_as_it_is_read_is_not_warned_of(X):
    classifier().fit(X, LABELS)
