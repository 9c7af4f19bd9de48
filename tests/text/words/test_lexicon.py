import itertools
import subprocess
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrational.text.words import lexicon as lexicons
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


def test_words_of_equal_hash_are_told_apart(monkeypatch):
    # With these secrets a hash is the exclusive or of a word's two halves.
    monkeypatch.setattr(lexicons, "_SECRET", np.ones(4, np.uint64))
    words = ["the wordequality", "equalitythe word"]
    lexicon = Lexicon()
    assert number(lexicon, words) == [0, 1]
    # None, and the two halves of one key.
    assert len(set(lexicon._tables.keys.tolist())) == 3
    assert number(lexicon, words[::-1]) == [1, 0]
    many = [f"number {i}" for i in range(500)]
    number(lexicon, many)
    assert number(lexicon, [*words, *many]) == list(range(502))


def probes(words):
    """How many slots are looked at for each word, of as many as a lexicon ends with."""
    lexicon = Lexicon()
    numbers = np.array(number(lexicon, words))
    slots = lexicon._tables.slots
    place_of = np.empty(len(words) + 1, np.int64)
    place_of[slots[slots > 0]] = np.flatnonzero(slots)
    low, high = lexicon._tables.keys[2 : 2 * len(words) + 2].reshape(-1, 2).T
    secret = lexicons._SECRET
    shift = np.uint64(65 - len(slots).bit_length())
    homes = (low * secret[0] + high * secret[1]) >> shift
    steps = (place_of[1:] - homes.astype(np.int64)) % len(slots)
    assert numbers.tolist() == list(range(len(words)))
    return steps


LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
CHOSEN = {
    # The low bits of a product don't depend on the high bits of a key.
    "last of the first half": "aaaaa{}{}{}",
    "last of all": "aaaaaaaaaaaa{}{}{}",
    "first": "{}{}{}aaaaaaaaaaaa",
    "long": "aaaaa{}{}{}aaaaa{}{}{}",
    "longer": "aaaaaa{}{}aaaaaa{}{}aaaaaa{}{}",
}


@pytest.mark.parametrize("form", CHOSEN.values(), ids=CHOSEN.keys())
def test_chosen_words_take_few_steps(form):
    letters = itertools.islice(itertools.product(LETTERS, repeat=3), 30_000)
    if form.count("{}") == 6:
        letters = (group * 2 for group in letters)
    steps = probes([form.format(*group) for group in letters])
    assert steps.mean() < 20


def test_numbers_do_not_depend_on_the_secret(monkeypatch):
    words = [f"word {i % 700} of {i % 9}" for i in range(2000)]
    numbers = []
    for seed in range(3):
        secret = np.random.default_rng(seed).integers(2**63, size=4, dtype=np.uint64)
        monkeypatch.setattr(lexicons, "_SECRET", secret | np.uint64(1))
        numbers.append(number(Lexicon(), words))
    assert numbers[0] == numbers[1] == numbers[2]


def test_processes_have_secrets_of_their_own():
    code = "from skrational.text.words import lexicon; print(lexicon._SECRET.tolist())"
    found = {
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, text=True
        ).stdout
        for _ in range(2)
    }
    assert len(found) == 2


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
