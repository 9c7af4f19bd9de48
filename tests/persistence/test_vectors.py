"""Word vectors in saved models: those that are used, all, or where they are."""

import pickle
import shutil

import numpy as np
import pytest
from gensim.models import FastText, KeyedVectors
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skrational import SequenceArray, WordVectorizer
from skrational.exceptions import ModelFileError, VectorFileError
from skrational.persistence import load, save
from tests.persistence.models import (
    LABELS,
    TEXTS,
    WORDS,
    assert_same,
    pipeline,
    predictions,
    table,
)

OTHER = ["the zebra sat", "Mat in the park ."]
MORE = (*WORDS, "zebra", "unused")


def write(path, vectors):
    rows = [f"{w} " + " ".join(map(repr, row.tolist())) for w, row in vectors.items()]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "vectors.txt", table(words=MORE))


@pytest.fixture
def fitted(file):
    vectorizer = WordVectorizer(str(file), cache=False)
    model = pipeline().set_params(wordvectorizer=vectorizer)
    return model.fit(TEXTS, LABELS)


def size(folder):
    return sum(path.stat().st_size for path in folder.iterdir())


def test_a_folder_with_the_words_of_the_texts_needs_no_file(fitted, file, tmp_path):
    folder = save(fitted, tmp_path / "model", vectors="used")
    file.unlink()
    again = load(folder)
    expected, found = fitted.predict_proba(TEXTS), again.predict_proba(TEXTS)
    np.testing.assert_allclose(found, expected, atol=2e-3)
    np.testing.assert_array_equal(again.predict(TEXTS), fitted.predict(TEXTS))
    vectorizer = again[0]
    assert vectorizer.vocabulary().labels.tolist() == ["<s>", "</s>", *WORDS]
    told = "<9 vectors of 'vectors.txt', kept with the model>"
    assert repr(vectorizer.vectors) == told
    assert told in repr(again)
    rows = vectorizer._table.vectors
    assert rows.dtype == np.float16
    exact = fitted[0].vocabulary().features[2 : 2 + len(WORDS)]
    np.testing.assert_allclose(vectorizer.vocabulary().features[2:], exact, atol=1e-3)


def test_words_that_are_not_kept_are_unknown(fitted, tmp_path):
    again = load(save(fitted, tmp_path / "model", vectors="used"))
    before, after = fitted[0].transform(OTHER), again[0].transform(OTHER)
    words = [after.labels[after.rows(i)].tolist() for i in range(2)]
    assert words[0] == ["<s>", "the", "<unk>", "sat", "</s>"]
    assert before.labels[before.rows(0)].tolist()[2] == "zebra"
    unknown = after.features[after.rows(0)[2]]
    np.testing.assert_array_equal(unknown, fitted[0].unknown_vector_)
    texts = [*TEXTS, *OTHER]
    wider = load(save(fitted, tmp_path / "wider", vectors="used", texts=texts))[0]
    assert "zebra" in wider.transform(OTHER).labels.tolist()


@pytest.mark.parametrize("vectors", ["all", "used"])
def test_a_loaded_model_learns_from_what_is_kept(
    vectors, fitted, file, tmp_path, monkeypatch
):
    folder = save(fitted, tmp_path / "model", vectors=vectors)
    expected = predictions(clone(fitted).fit(TEXTS, LABELS), TEXTS)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    file.unlink()
    write(elsewhere / "vectors.txt", table(seed=9, words=MORE))
    search = GridSearchCV(load(folder), {"sparserationalclassifier__n_wfsas": [3]})
    for again in (
        load(folder).fit(TEXTS, LABELS),
        clone(load(folder)).fit(TEXTS, LABELS),
        pickle.loads(pickle.dumps(load(folder))).fit(TEXTS, LABELS),
        search.set_params(cv=2).fit(TEXTS, LABELS).best_estimator_,
    ):
        for twin in (again, pickle.loads(pickle.dumps(again))):
            for name, values in predictions(twin, TEXTS).items():
                if vectors == "all" or values.dtype.kind != "f":
                    np.testing.assert_array_equal(values, expected[name])
                else:
                    np.testing.assert_allclose(values, expected[name], atol=5e-3)
    texts = TEXTS + OTHER if vectors == "all" else TEXTS
    folder = save(search, tmp_path / "search", vectors="all")
    assert_same(predictions(load(folder), texts), predictions(search, texts))


@pytest.mark.parametrize("changed", [(0, 0), (9, 3)])
@pytest.mark.parametrize("cache", [True, False])
def test_a_file_changed_after_the_fit_is_no_reference(
    cache, changed, file, tmp_path, monkeypatch
):
    monkeypatch.setenv("SKRATIONAL_CACHE", str(tmp_path / "cache"))
    vectorizer = WordVectorizer(str(file), cache=cache).fit(TEXTS)
    save(vectorizer, tmp_path / "model", vectors="reference")
    vectors = table(words=MORE)
    vectors[MORE[changed[0]]][changed[1]] *= -1
    write(file, vectors)
    with pytest.raises(ValueError, match=r"changed after the fit.*vectors='all'"):
        save(vectorizer, tmp_path / "other", vectors="reference")
    assert not (tmp_path / "other").exists()
    again = load(save(vectorizer, tmp_path / "all"))
    file.unlink()
    assert_same(predictions(again, TEXTS), predictions(vectorizer, TEXTS))
    file.write_text("".join(f"{w} 1 2 3 4\n" for w in MORE[:-1]))
    with pytest.raises(ValueError, match="changed after the fit"):
        save(vectorizer, tmp_path / "other", vectors="reference")


def test_a_file_changed_after_the_load(file, tmp_path):
    """One number of many, which a sample of rows would miss."""
    vectors = table(words=[*MORE, *(f"w{i}" for i in range(600))])
    write(file, vectors)
    vectorizer = WordVectorizer(str(file), cache=False).fit(TEXTS)
    folder = save(vectorizer, tmp_path / "model", vectors="reference")
    loaded, pickled = load(folder), pickle.dumps(load(folder))
    vectors["w100"][2] *= -1
    write(file, vectors)
    with pytest.raises(ModelFileError, match="is not the file of vectors"):
        load(folder)
    for again in (loaded, pickle.loads(pickled)):
        with pytest.raises(VectorFileError, match="is not the table"):
            again.transform(TEXTS)
        with pytest.raises(VectorFileError, match="is not the table"):
            save(again, tmp_path / "other", vectors="reference")
    assert not (tmp_path / "other").exists()


def test_other_tables_than_those_of_the_fit(fitted, tmp_path):
    fitted[0].set_params(vectors=["corpus", "corpus"])
    with pytest.raises(ValueError, match=r"holds 2 tables, and it was fitted with 1"):
        save(fitted, tmp_path / "model")


def test_unfitted_tables_in_memory(tmp_path):
    model = WordVectorizer(table(words=MORE))
    again = load(save(model, tmp_path / "model"))
    np.testing.assert_equal(again.vectors, model.vectors)
    with pytest.raises(ValueError, match="isn't fitted, and vectors='used'"):
        save(model, tmp_path / "used", vectors="used")
    used = load(save(model, tmp_path / "used", vectors="used", texts=TEXTS))
    assert set(used.vectors) == set(WORDS)


def test_texts_are_of_use_with_the_words_of_texts_only(fitted, tmp_path):
    with pytest.raises(ValueError, match="texts is of use with vectors='used'"):
        save(fitted, tmp_path / "model", texts=TEXTS)
    assert not (tmp_path / "model").exists()


def test_all_is_the_default_and_exact_for_any_text(fitted, file, tmp_path):
    folder = save(fitted, tmp_path / "model")
    expected = predictions(fitted, TEXTS + OTHER)
    file.unlink()
    assert_same(predictions(load(folder), TEXTS + OTHER), expected)


def test_a_reference_is_checked(fitted, file, tmp_path):
    folder = save(fitted, tmp_path / "model", vectors="reference")
    assert size(folder) < size(save(fitted, tmp_path / "all", vectors="all"))
    expected = predictions(fitted, TEXTS + OTHER)
    assert_same(predictions(load(folder), TEXTS + OTHER), expected)
    moved = shutil.move(file, tmp_path / "moved.txt")
    with pytest.raises(FileNotFoundError, match=r"isn't there. Put the file back, or"):
        load(folder)
    again = load(folder, vectors=moved)
    assert_same(predictions(again, TEXTS + OTHER), expected)
    assert_same(predictions(pickle.loads(pickle.dumps(again)), TEXTS),
                predictions(fitted, TEXTS))  # fmt: skip
    write(file, table(seed=1, words=MORE))
    with pytest.raises(
        ModelFileError, match=r"vectors\.txt is not the file of vectors"
    ):
        load(folder)


@pytest.mark.parametrize("vectors", ["used", "all", "reference"])
@pytest.mark.parametrize("kind", ["dict", "lists", "keyed", "float64"])
def test_tables_in_memory(kind, vectors, tmp_path):
    given = table(words=MORE)
    if kind == "keyed":
        keyed = KeyedVectors(4)
        keyed.add_vectors(list(given), np.array(list(given.values())))
        given = keyed
    elif kind == "lists":
        given = {word: row.tolist() for word, row in given.items()}
    elif kind == "float64":
        given = {word: row.astype(float) / 3 for word, row in given.items()}
    model = pipeline(given).fit(TEXTS, LABELS)
    again = load(save(model, tmp_path / "model", vectors=vectors))
    assert isinstance(again[0].vectors, dict)
    texts = TEXTS if vectors == "used" else TEXTS + OTHER
    for name, values in predictions(model, texts).items():
        found = predictions(again, texts)[name]
        if vectors == "used" and values.dtype.kind == "f":
            np.testing.assert_allclose(found, values, atol=5e-3)
        else:
            np.testing.assert_array_equal(found, values)
    twin = pickle.loads(pickle.dumps(again))
    assert_same(predictions(twin, texts), predictions(again, texts))
    refitted = pipeline(again[0].vectors).fit(TEXTS, LABELS)
    assert (refitted.predict(TEXTS) == model.predict(TEXTS)).all()


@pytest.mark.parametrize("vectors", ["used", "all", "reference"])
@pytest.mark.parametrize("unit_norm", [True, False])
def test_joined_tables(unit_norm, vectors, file, tmp_path):
    parts = [str(file), "corpus", table(seed=2, words=WORDS[:4], width=3)]
    vectorizer = WordVectorizer(
        parts, cache=False, unit_norm=unit_norm, min_count=7, n_features=2
    ).fit(TEXTS)
    again = load(save(vectorizer, tmp_path / "model", vectors=vectors))
    texts = TEXTS if vectors == "used" else TEXTS + OTHER
    before, after = vectorizer.transform(texts), again.transform(texts)
    assert before.offsets.tolist() == after.offsets.tolist()
    for i in range(len(texts)):
        atol = 2e-3 if vectors == "used" else 0
        np.testing.assert_allclose(after[i], before[i], rtol=0, atol=atol)
    twin = pickle.loads(pickle.dumps(again))
    assert isinstance(twin.transform(texts), SequenceArray)
    np.testing.assert_array_equal(twin.transform(texts)[0], after[0])


@pytest.mark.filterwarnings("ignore:1 of 19 texts hold no word")
def test_vectors_of_n_grams(tmp_path):
    tokens = [text.lower().split() for text in TEXTS] * 3
    words = FastText(tokens, vector_size=4, min_count=1, bucket=50, seed=0, workers=1)
    vectorizer = WordVectorizer(words.wv, cache=False).fit(TEXTS)
    texts = [*TEXTS, "catlike dogs"]
    whole = load(save(vectorizer, tmp_path / "all", vectors="all"))
    before = vectorizer.transform(texts)
    after = whole.transform(texts)
    for i in range(len(texts)):
        np.testing.assert_array_equal(after[i], before[i])
    refitted = whole.fit(TEXTS).transform(texts)
    np.testing.assert_array_equal(refitted[-1], before[-1])
    used = load(save(vectorizer, tmp_path / "used", vectors="used"))
    after = used.transform(texts)
    for i in range(len(TEXTS)):
        np.testing.assert_allclose(after[i], before[i], atol=1e-3)
    assert after.labels[after.rows(len(TEXTS))].tolist()[1:3] == ["<unk>"] * 2


def test_what_half_precision_cannot_hold_stays_whole(tmp_path):
    given = {word: row * 1e6 for word, row in table().items()}
    for scale in (1e6, 1e-9):
        given = {word: row * scale for word, row in table().items()}
        vectorizer = WordVectorizer(given, unit_norm=False).fit(TEXTS)
        again = load(save(vectorizer, tmp_path / "model", vectors="used"))
        np.testing.assert_array_equal(
            again.vocabulary().features, vectorizer.vocabulary().features
        )


def test_learned_vectors_are_exact_by_any_setting(models, tmp_path):
    model, _ = models["pipeline"]
    expected = predictions(model, TEXTS + OTHER)
    for vectors in ("used", "all", "reference"):
        folder = save(model, tmp_path / vectors, vectors=vectors)
        assert_same(predictions(load(folder), TEXTS + OTHER), expected)


def test_a_loaded_model_is_saved_once_more(fitted, tmp_path):
    for vectors in ("used", "all", "reference"):
        again = load(save(fitted, tmp_path / vectors, vectors=vectors))
        for other in ("used", "all", "reference"):
            once_more = load(save(again, tmp_path / "more", vectors=other))
            found = once_more.predict_proba(TEXTS)
            np.testing.assert_allclose(found, fitted.predict_proba(TEXTS), atol=2e-3)


def test_words_are_kept_as_of_fit_not_as_of_predict(fitted, tmp_path):
    first = save(fitted, tmp_path / "first", vectors="used")
    fitted.predict(OTHER)
    second = save(fitted, tmp_path / "second", vectors="used")
    twin = pickle.loads(pickle.dumps(fitted))
    third = save(twin, tmp_path / "third", vectors="used")
    weights = [(f / "weights.safetensors").read_bytes() for f in (first, second, third)]
    assert weights[0] == weights[1] == weights[2]


def test_of_an_earlier_version_texts_have_to_be_given(fitted, tmp_path):
    del fitted[0]._training_words
    with pytest.raises(ValueError, match=r"step 'wordvectorizer'.*Give texts=, or"):
        save(fitted, tmp_path / "model", vectors="used")
    again = load(save(fitted, tmp_path / "model", vectors="used", texts=TEXTS))
    np.testing.assert_allclose(
        again.predict_proba(TEXTS), fitted.predict_proba(TEXTS), atol=2e-3
    )


def test_the_folders_of_a_path_stay_at_home(fitted, tmp_path):
    for vectors in ("used", "all"):
        folder = save(fitted, tmp_path / "model", vectors=vectors)
        assert all(
            str(tmp_path).encode() not in p.read_bytes() for p in folder.iterdir()
        )


def test_other_spellings_are_found_in_what_is_kept(tmp_path):
    words = ("cafe\u0301", "th\u00e9", "noon")
    vectorizer = WordVectorizer(table(words=words)).fit(["caf\u00e9 the\u0301 noon"])
    again = load(save(vectorizer, tmp_path / "model", vectors="used"))
    texts = ["cafe\u0301 th\u00e9", "caf\u00e9 the\u0301"]
    found = again.transform(texts)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_allclose(found[0], vectorizer.transform(texts)[0], atol=1e-3)
