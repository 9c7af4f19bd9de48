import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrational.text.words.characters import join
from skrational.text.words.lexicon import Lexicon


def number(lexicon, words):
    data, lengths = join(words)
    ends = np.cumsum(lengths)
    return lexicon.number(data, ends - lengths, ends).tolist()


def numbers_of_dict(words):
    numbers = {}
    return [numbers.setdefault(word, len(numbers)) for word in words]


def all_words(lexicon):
    return lexicon.words(np.arange(len(lexicon)))


# Lengths about what a short key holds, and bytes that it might mistake for none.
words = st.text(st.sampled_from("ab\0\x7f\x80\u0100\ud800\ufeff\U0001f600"), max_size=3)
words |= st.text("ab\0\x0f\x10", min_size=6, max_size=9) | st.text()
words |= st.text("ab\0\x0f\x10", min_size=13, max_size=18)


@given(st.lists(words), st.lists(words))
def test_numbers_are_those_of_a_dict(first, second):
    lexicon = Lexicon()
    numbers = number(lexicon, first) + number(lexicon, second)
    assert numbers == numbers_of_dict(first + second)
    assert all_words(lexicon) == list(dict.fromkeys(first + second))


def test_words_of_equal_hash_are_told_apart():
    words = ["the wordequality", "?WUR!(8)defnging"]
    lexicon = Lexicon()
    assert number(lexicon, words) == [0, 1]
    # None, and the two halves of one key.
    assert len(set(lexicon._tables.keys.tolist())) == 3
    assert number(lexicon, words[::-1]) == [1, 0]
    many = [f"number {i}" for i in range(20_000)]
    number(lexicon, many)
    assert number(lexicon, [*words, *many]) == list(range(20_002))


@pytest.mark.parametrize("form", ["{}", "{:015d}", "{:016d}", "\u00e4{}", "{:0100d}"])
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
