"""A vectorizer with a large table is printed in a line, wherever it stands."""

import copy
import pickle
from collections import OrderedDict, UserDict
from types import MappingProxyType

import numpy as np
import pandas as pd
import pytest
import sklearn
from gensim.models import KeyedVectors
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer


class Unprintable:
    """What stands for a vector here, since to print even one would be too much."""

    def __repr__(self):
        raise AssertionError("a vector was printed")

    def __array__(self, dtype=None, copy=None):
        return np.ones(2, dtype=dtype)


def large(kind=dict):
    return kind({f"w{i}": Unprintable() for i in range(4000)})


def keyed():
    vectors = KeyedVectors(2)
    vectors.add_vectors(["a", "b"], np.ones((2, 2), dtype=np.float32))
    return vectors


AROUND = {
    "alone": lambda v: v,
    "pipeline": lambda v: make_pipeline(v, SparseRationalClassifier()),
    "union": lambda v: FeatureUnion([("words", v), ("again", clone(v))]),
    "columns": lambda v: ColumnTransformer([("words", v, "text")]),
    "search": lambda v: GridSearchCV(
        make_pipeline(v, SparseRationalClassifier()),
        {"wordvectorizer__max_length": [1, 2]},
    ),
    "deep": lambda v: Pipeline([("all", FeatureUnion([("p", make_pipeline(v))]))]),
}


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("changed_only", [True, False])
@pytest.mark.parametrize("display", ["text", "diagram"])
def test_printed_in_a_line(around, changed_only, display):
    estimator = AROUND[around](WordVectorizer(large()))
    with sklearn.config_context(print_changed_only=changed_only, display=display):
        shown = [repr(estimator), str(estimator), estimator.__repr__(N_CHAR_MAX=10**6)]
        shown += list(estimator._repr_mimebundle_().values())
        with pytest.raises(ValueError, match="Invalid parameter") as caught:
            estimator.set_params(nonsense=1)
    assert "dict of 4,000 vectors" in shown[2]
    assert max(map(len, shown[:3])) < 5000
    assert len(str(caught.value)) < 5000


@pytest.mark.parametrize(
    "kind", [dict, OrderedDict, UserDict, MappingProxyType, pd.Series]
)
def test_every_kind_of_table(kind):
    shown = repr(WordVectorizer(large(kind)))
    assert shown == f"WordVectorizer(vectors=<{kind.__name__} of 4,000 vectors>)"


def test_html_shows_the_line():
    pipeline = make_pipeline(WordVectorizer(large()), SparseRationalClassifier())
    assert "&lt;dict of 4,000 vectors&gt;" in pipeline._repr_html_()
    assert "<KeyedVectors of 2 vectors>" in repr(WordVectorizer(keyed()))


@pytest.mark.parametrize("vectors", ["glove.txt", None, 3])
def test_what_is_short_is_shown_as_it_is(vectors):
    assert repr(WordVectorizer(vectors)) == f"WordVectorizer(vectors={vectors!r})"


@pytest.mark.parametrize("vectors", [large(), {"a": [1.0]}, keyed(), "glove.txt"])
def test_parameters_are_the_very_objects(vectors):
    vectorizer = WordVectorizer(vectors)
    pipeline = make_pipeline(vectorizer)
    for deep in (True, False):
        params = vectorizer.get_params(deep)
        assert params["vectors"] is dict(params)["vectors"] is vectors
        assert {**params}["vectors"] is params.copy()["vectors"] is vectors
        assert type(vectorizer)(**params).vectors is vectors
        assert list(params) == list(WordVectorizer("x").get_params())
        assert len(repr(params)) < 1000
    assert dict(vectorizer.get_params().items())["vectors"] is vectors
    assert pipeline.get_params()["wordvectorizer__vectors"] is vectors
    assert clone(pipeline)[0].vectors is copy.copy(vectorizer).vectors is vectors
    shallow, deep = vectorizer.get_params(False), vectorizer.get_params()
    assert all(item in deep.items() for item in shallow.items())


@pytest.mark.parametrize("vectors", [{"a": [1.0, 2.0]}, keyed()])
def test_what_stands_for_a_table_is_as_good_as_the_table(vectors):
    shown = dict(WordVectorizer(vectors).get_params(False).items())
    assert WordVectorizer(**shown).fit_transform(["a"]) == (
        WordVectorizer(vectors).fit_transform(["a"])
    )
    again = pickle.loads(pickle.dumps(shown["vectors"]))
    assert repr(again) == repr(shown["vectors"])
