import re
import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrational.text import WordVectorizer
from skrational.text.tokenize import INVISIBLE as ALL_INVISIBLE
from skrational.text.vectors.canonical import aliases, canonical
from skrational.text.vectors.tables import VectorDict, VectorTable

INVISIBLE = [
    "\u00ad", "\u200c", "\u200d", "\u2060", "\ufeff", "\ufe0f", "\ufe00", "\u180b",
    "\u180f", "\U000e0100", "\U000e01ef", "\u200e", "\u061c", "\u202a", "\u202e",
    "\u2066", "\u2069", "\u034f",
]  # fmt: skip


def tables(words):
    rows = np.arange(2 * len(words), dtype=np.float32).reshape(-1, 2) + 1
    yield VectorTable({word: row for row, word in enumerate(words)}, rows)
    yield VectorDict(dict(zip(words, rows, strict=True)))


@given(st.text())
def test_a_form_is_its_own(word):
    form = canonical(word)
    assert canonical(form) == form
    seen = "".join(c for c in word if c not in INVISIBLE)
    if not re.search(f"[{ALL_INVISIBLE}]", seen):
        assert form == unicodedata.normalize("NFC", seen)


@pytest.mark.parametrize("mark", INVISIBLE)
def test_marks_on_either_side(mark):
    for table in tables(["co-op", "café", f"mar{mark}ked"]):
        assert table.take([f"caf{mark}e\u0301"]).tolist() == [[3, 4]]
        assert table.take(["marked"]).tolist() == [[5, 6]]
        assert f"co{mark}op" not in table


def test_the_exact_word_comes_first_then_the_first_row():
    words = ["cafe\u0301", "caf\u00e9", "o\u00adk", "o\u200dk"]
    for table in tables(words):
        assert table.take(words[:2]).tolist() == [[1, 2], [3, 4]]
        assert table.take(["ok", "o\u200dk"]).tolist() == [[5, 6], [7, 8]]


def test_aliases_of_many_words_are_found():
    words = [f"w{i}" for i in range(2500)] + ["e\u0301"]
    assert aliases(words) == {"\u00e9": "e\u0301"}


def test_labels_keep_their_spelling():
    vectorizer = WordVectorizer({"café": [1.0, 0.0]}, tokenizer=str.split)
    X = vectorizer.fit_transform(["cafe\u0301 caf\u00e9"])
    assert X.labels.tolist()[1:-1] == ["cafe\u0301", "caf\u00e9"]
    assert vectorizer.out_of_vocabulary_ == 0
