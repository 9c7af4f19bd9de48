from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrational.text.tokenize import tokenize
from skrational.text.vocabulary import Vocabulary

texts = st.lists(st.text(max_size=30), min_size=1, max_size=6)


def split(text, level):
    return tokenize(text.lower()) if level == "word" else list(text.lower())


@given(texts, st.sampled_from(["word", "character"]), st.integers(1, 3))
def test_every_token_is_read_as_what_it_is(texts, level, min_count):
    vocabulary, encoded = Vocabulary.learn(texts, level, True, None, min_count)
    tokens = [split(text, level) for text in texts]
    counts = Counter(t for text in tokens for t in text)
    known = {t for t, n in counts.items() if n >= min_count}
    assert set(vocabulary.words[2:]) == known
    assert len(vocabulary) == len(known)
    expected = [t if t in known else "<unk>" for text in tokens for t in text]
    assert [vocabulary.words[n] for n in encoded.tokens] == expected
    again = vocabulary.encode(texts)
    assert again.tokens.tolist() == encoded.tokens.tolist()
    assert again.offsets.tolist() == encoded.offsets.tolist()


def test_the_commonest_come_first_and_of_equals_the_first():
    vocabulary, _ = Vocabulary.learn(["c b b a a"], "word", True, 2, 1)
    assert vocabulary.words == ["</s>", "<unk>", "b", "a"]
    assert vocabulary.encode(["a c"]).tokens.tolist() == [3, 1]


def test_lists_of_tokens_stay_as_they_are_under_both_levels():
    for level in ("word", "character"):
        vocabulary, _ = Vocabulary.learn([["New York", "is"]], level, False, None, 1)
        assert vocabulary.words[2:] == ["New York", "is"]


def test_characters_are_joined_without_spaces():
    vocabulary, encoded = Vocabulary.learn(["a b"], "character", True, None, 1)
    assert vocabulary.join(encoded.tokens) == "a b"


def test_the_mark_of_the_end_is_no_token():
    with pytest.raises(ValueError, match="which marks the end of a text"):
        Vocabulary.learn([["a", "</s>"]], "word", True, None, 1)
