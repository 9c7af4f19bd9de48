import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrational.text.characters import code_points
from skrational.text.lexicon import Lexicon


def number(lexicon, words):
    ends = np.cumsum([len(word) for word in words], dtype=np.int64)
    starts = np.append(0, ends)[: len(words)]
    return lexicon.number(code_points("".join(words)), starts, ends).tolist()


def numbers_of_dict(words):
    numbers = {}
    return [numbers.setdefault(word, len(numbers)) for word in words]


def all_words(lexicon):
    return lexicon.words(np.arange(len(lexicon)))


# Lengths about eight, and characters on both sides of what a short key holds.
words = st.text(st.sampled_from("ab\0\x7f\x80\u0100\ud800\ufeff\U0001f600"), max_size=3)
words |= st.text("ab", min_size=6, max_size=10) | st.text()


@given(st.lists(words), st.lists(words))
def test_numbers_are_those_of_a_dict(first, second):
    lexicon = Lexicon()
    numbers = number(lexicon, first) + number(lexicon, second)
    assert numbers == numbers_of_dict(first + second)
    assert all_words(lexicon) == list(dict.fromkeys(first + second))


def test_words_of_equal_hash_are_told_apart():
    words = ["\u9467\u69f9\u62a0\u4e00", "\u9315\u63be\u837d\U000683ff"]
    lexicon = Lexicon()
    assert number(lexicon, words) == [0, 1]
    assert len(set(lexicon._tables.keys.tolist())) == 2
    assert number(lexicon, words[::-1]) == [1, 0]
    many = [f"number {i}" for i in range(20_000)]
    number(lexicon, many)
    assert number(lexicon, [*words, *many]) == list(range(20_002))


@pytest.mark.parametrize("form", ["{}", "{:08d}", "{:09d}", "\u00e4{}", "{:0100d}"])
def test_growth(form):
    words = [form.format(i) for i in range(30_000)]
    lexicon = Lexicon()
    assert number(lexicon, words) == list(range(30_000))
    assert number(lexicon, words[::-1]) == list(range(30_000))[::-1]
    assert all_words(lexicon) == words


def test_one_word_longer_than_all_room():
    lexicon = Lexicon()
    assert number(lexicon, ["a" * 10**6, "b", "a" * 10**6]) == [0, 1, 0]


def test_no_words():
    lexicon = Lexicon()
    assert number(lexicon, []) == []
    assert len(lexicon) == 0
    assert all_words(lexicon) == []


def test_threads():
    lists = [[f"w{i * step % 9973}" for i in range(20_000)] for step in range(1, 7)]
    lexicon, results = Lexicon(), {}

    def work(i):
        results[i] = number(lexicon, lists[i])

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(lists))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    words = all_words(lexicon)
    assert len(words) == len(set(words)) == 9973
    for i, list_ in enumerate(lists):
        assert [words[n] for n in results[i]] == list_
