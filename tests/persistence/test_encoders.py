"""Vectorizers of models elsewhere are saved by reference, which is checked."""

import shutil

import pytest
from sklearn.base import clone

from skrational import BertVectorizer
from skrational.persistence import load, save
from tests.persistence.models import assert_same, predictions

TEXTS = ["a good book", "not worth it", "a book"]


def test_static_vectors_are_named(tmp_path):
    static = pytest.importorskip("tests.text.test_static", reason="needs tokenizers")
    from skrational import StaticVectorizer

    tokenizer = static.make_tokenizer()
    folder = static.write(
        tmp_path / "static", tokenizer, embeddings=static.matrix_for(tokenizer)
    )
    vectorizer = StaticVectorizer(folder).fit(TEXTS)
    model = save(vectorizer, tmp_path / "model")
    again = load(model)
    assert again.revision_ == vectorizer.revision_
    assert again.model == folder
    assert_same(predictions(again, TEXTS), predictions(vectorizer, TEXTS))
    other = static.matrix_for(tokenizer, seed=1)
    shutil.rmtree(folder)
    static.write(folder, tokenizer, embeddings=other)
    with pytest.raises(ValueError, match="is another model"):
        load(model).transform(TEXTS)


def test_encoders_are_named(tmp_path):
    bert = pytest.importorskip("tests.text.test_bert", reason="needs transformers")
    folder = bert.write_model(tmp_path / "bert")
    vectorizer = BertVectorizer(folder, overlap=8, cache=False, layers=[-1, -2])
    vectorizer.fit(TEXTS)
    model = save(vectorizer, tmp_path / "model")
    again = load(model)
    assert again.get_params() == vectorizer.get_params()
    assert clone(again).get_params() == vectorizer.get_params()
    assert_same(predictions(again, TEXTS), predictions(vectorizer, TEXTS))
    bert.write_model(tmp_path / "bert", seed=1)
    with pytest.raises(ValueError, match="revision"):
        load(model).transform(TEXTS)
