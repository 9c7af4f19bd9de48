"""Tokens found in the text that they were made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrational.text.words.searching import find_in_order

# A mark belongs to what stands before it, be it a space.
WORDS = st.text(
    st.characters(exclude_categories=["Z", "C", "M"]), min_size=1, max_size=5
)


def found(text, tokens):
    places = find_in_order(text, tokens)
    return places if places is None else [text[i:j] for i, j in places]


@given(st.lists(st.tuples(WORDS, st.sampled_from([" ", "  ", "\n", "\t "]))))
def test_words_between_spaces_are_found_where_they_are(parts):
    text = "".join(word + space for word, space in parts)
    places = find_in_order(text, text.split())
    ends = [sum(len("".join(part)) for part in parts[:i]) for i in range(len(parts))]
    words = [word for word, _ in parts if word.split() == [word]]
    if len(words) == len(parts):
        assert places == [
            (end, end + len(word)) for end, word in zip(ends, words, strict=True)
        ]


@pytest.mark.parametrize(
    ("text", "tokens", "expected"),
    [
        ("It IS Good", ["it", "is", "good"], ["It", "IS", "Good"]),
        ("Cafe\u0301 Noir", ["caf\u00e9", "noir"], ["Cafe\u0301", "Noir"]),
        ("Caf\u00e9 Noir", ["cafe\u0301", "noir"], ["Caf\u00e9", "Noir"]),
        ("\u0130stanbul!", ["i\u0307stanbul", "!"], ["\u0130stanbul", "!"]),
        ("o\ufb03ce", ["office"], ["o\ufb03ce"]),
        ('"Good"', ["``", "good", "''"], ['"', "Good", '"']),
        ("This is his", ["is"], ["is"]),
        ("isn't this", ["is", "n't", "this"], ["is", "n't", "this"]),
        ("a\u200db c", ["a\u200db", "c"], ["a\u200db", "c"]),
        ("running well", ["run", "well"], ["run", "well"]),
        ("better still", ["good", "still"], ["better", "still"]),
        ("", [], []),
        ("nothing", [], []),
    ],
)
def test_what_tokenizers_change_does_not_matter(text, tokens, expected):
    assert found(text, tokens) == expected


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("good", ["good", "good"]),  # nothing is left for the second
        ("better better", ["good", "good"]),  # two share what is between
        ("", ["<s>"]),
        ("a b", ["b", "a", "b"]),
    ],
)
def test_where_tokens_cannot_be_found_none_is(text, tokens):
    assert find_in_order(text, tokens) is None
