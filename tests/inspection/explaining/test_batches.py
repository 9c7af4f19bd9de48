"""Explanations of a corpus, some documents at a time."""

from collections import deque

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.inspection import explain, explain_batches

TEXTS = ["really good", "bad", "a good one", "not bad", "good"]


@pytest.fixture(scope="module")
def pipeline():
    words = "good bad not really a one".split()
    vectors = dict(zip(words, np.eye(6), strict=True))
    clf = SparseRationalClassifier(n_wfsas=2, lambda_=0, random_state=0)
    pipeline = make_pipeline(WordVectorizer(vectors), clf)
    return pipeline.fit(["good", "bad"] * 9, ["+", "-"] * 9)


@pytest.mark.parametrize("size", [1, 2, 5, 9])
def test_batches_explain_as_all_at_once(pipeline, size):
    expected = explain(pipeline, TEXTS).to_json()
    for form in (TEXTS, tuple(TEXTS), deque(TEXTS), iter(TEXTS)):
        parts = list(explain_batches(pipeline, form, batch_size=size))
        assert [len(part) for part in parts[:-1]] == [size] * (len(parts) - 1)
        inner = ",".join(part.to_json()[1:-1] for part in parts)
        assert f"[{inner}]" == expected


def test_a_generator_is_read_as_far_as_batches_are_asked_for(pipeline):
    read = []

    def texts():
        for text in TEXTS:
            read.append(text)
            yield text

    batches = explain_batches(pipeline, texts(), toward="positive", batch_size=2)
    assert not read
    assert next(batches)[1].toward == "positive"
    assert read == TEXTS[:2]


def test_nothing_is_explained_of_no_documents(pipeline):
    assert list(explain_batches(pipeline, [])) == []


def test_wrong_input_is_named_before_a_document_is_read(pipeline):
    def never():
        raise AssertionError("read")
        yield

    with pytest.raises(ValueError, match="toward is 'sideways'"):
        explain_batches(pipeline, never(), toward="sideways")
    with pytest.raises(ValueError, match="batch_size is 0"):
        explain_batches(pipeline, never(), batch_size=0)
    with pytest.raises(TypeError, match="single text"):
        explain_batches(pipeline, "good")
    with pytest.raises(TypeError, match="expected a fitted"):
        explain_batches(object(), never())
