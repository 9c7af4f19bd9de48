"""Texts are numbered the same however many threads share them out."""

import threading
from functools import partial

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrational import WordVectorizer
from skrational.text.tokenize import tokenize
from skrational.text.words import encoded_texts
from skrational.text.words.encoded_texts import encode_texts
from skrational.text.words.lexicon import Lexicon
from skrational.text.words.spans import Frame, split_documents


@pytest.fixture
def shared(monkeypatch):
    """Set the number of threads, and cut texts into chunks of few characters."""

    def share(n_threads, n_characters=8, monkeypatch=monkeypatch):
        monkeypatch.setattr(encoded_texts, "given_threads", lambda: n_threads)
        monkeypatch.setattr(encoded_texts, "_CHUNK", n_characters)

    return share


def encoded(texts, lexicon, tokenizer=None):
    split = partial(split_documents, tokenizer, frame=Frame(), lowercase=True)
    tokens, offsets = encode_texts(texts, split, lexicon, is_compiled=True)
    return tokens.tolist(), offsets.tolist()


def numbered(texts, numbers):
    """Do the same by a dict, token by token."""
    documents = [tokenize(text.lower()) for text in texts]
    tokens = [numbers.setdefault(word, len(numbers)) for d in documents for word in d]
    return tokens, np.cumsum([0, *map(len, documents)]).tolist()


words = st.sampled_from(["a", "B", "it's", "\u00e4", "\u0130", "of more than 15 bytes"])
words |= st.text("abc", min_size=1, max_size=40)
texts = st.lists(st.lists(words, max_size=9).map(" ".join), min_size=1, max_size=60)


@given(texts, texts, st.integers(2, 3), st.integers(1, 30))
def test_numbers_are_those_of_a_dict(first, second, n_threads, n_characters):
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(encoded_texts, "given_threads", lambda: n_threads)
        monkeypatch.setattr(encoded_texts, "_CHUNK", n_characters)
        lexicon, numbers = Lexicon(), {}
        assert encoded(first, lexicon) == numbered(first, numbers)
        assert encoded(iter(second), lexicon) == numbered(second, numbers)
    assert lexicon.words(np.arange(len(lexicon))) == list(numbers)


@pytest.mark.parametrize("method", ["fit_transform", "transform"])
def test_sequences_do_not_depend_on_the_threads(shared, method):
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{n}" for n in rng.zipf(1.3, 30) % 997) for _ in range(200)]
    vectors = {f"w{n}": [n, 1.0] for n in range(500)}
    results = []
    for n_threads in (1, 2, 3):
        shared(n_threads, 500)
        vectorizer = WordVectorizer(vectors, unit_norm=False).fit(texts[:1])
        results.append(getattr(vectorizer, method)(texts))
    alone = results[0]
    for X in results[1:]:
        np.testing.assert_array_equal(X.indices, alone.indices)
        np.testing.assert_array_equal(X.features, alone.features)
        assert X.labels.tolist() == alone.labels.tolist()


@pytest.mark.parametrize("kind", [list, iter])
def test_an_error_names_the_text(shared, kind):
    texts = [f"text number {i}" for i in range(40)]
    texts[17] = None
    left = []
    for n_threads in (1, 2, 3):
        shared(n_threads)
        lexicon = Lexicon()
        with pytest.raises(TypeError, match=r"Text 17 of X is None"):
            encoded(kind(texts), lexicon)
        left.append(lexicon.words(np.arange(len(lexicon))))
    assert left[0] == left[1] == left[2]


def test_an_error_of_a_chunk_is_raised(shared):
    shared(2)

    def split(chunk):
        if "bad" in chunk[0]:
            raise MemoryError(chunk[0])
        return split_documents(None, chunk, Frame(), lowercase=True)

    texts = ["some text"] * 9 + ["bad text"] + ["some text"] * 9
    with pytest.raises(MemoryError, match="bad text"):
        encode_texts(texts, split, Lexicon(), is_compiled=True)


def test_other_threads_help(shared, monkeypatch):
    seen = set()

    def split(chunk):
        seen.add(threading.current_thread().name)
        both.wait(30)
        return split_documents(None, chunk, Frame(), lowercase=True)

    # Each of two threads waits for the other.
    both = threading.Barrier(2)
    shared(2)
    lexicon = Lexicon()
    encoded(["known"], lexicon)
    encode_texts(["one text"] * 8, split, lexicon, is_compiled=True)
    assert len(seen) == 2


def test_a_tokenizer_in_python_stays_in_its_thread(shared):
    names = set()

    def tokenizer(text):
        names.add(threading.current_thread().name)
        return text.split()

    shared(3)
    vectorizer = WordVectorizer({"good": [1.0], "text": [0.0]}, tokenizer=tokenizer)
    vectorizer.fit_transform(["good text"] * 50)
    assert names == {threading.current_thread().name}
