import itertools
import os
import re

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from skrational.datasets import load_reviews
from skrational.text.tokenize import FLAGS, INVISIBLE, LETTER, shapes, tokenize
from skrational.text.words import alphabet, characters, foreign, scanner
from skrational.text.words.spans import Frame, split_by, split_compiled

PLAIN = Frame()
PIECES = [
    *"ntsmdrevlpNTSMDREVLPakK'-.,:/;=()[]|<3 1_\n\0\t",
    *"\u2019\u017f\u212a\u0130\u0131\u03a3\u03c3\u03c2\u0301\u0345\u0307\u00e9\u00df",
    *"\u0660\u00b2\u2028\u3000\u200d\ufeff\ud800\udc00\U0001f600\U00010400\u4e00",
    *"\u0915\u093f\u0939\u05d0\u05b8\u0964\u1100\u1161\u0338\u20e3\u00a0\u200b\u24b6\u1e9e",
    *"\u00ad\u034f\u2060\u200f\u3164\ufe0f\U000e0067\U0001f1e9\U0001f1ea\U00010428",
    *("n't", "N\u2019T", "'s", "'ll", "'re", "'ve", "...", "--", ":-)", "<3", "U.S."),
    *("1,000", "10:30", "o'clock", "well-", "isn't", "-1", " :D ", "'d've"),
]
texts_of_pieces = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
any_text = st.text() | st.text(st.characters()) | texts_of_pieces


def words_of(spans):
    """The tokens of each text, as strings."""
    places = zip(spans.starts, spans.ends, strict=True)
    words = [characters.text_of(spans.data[a:b]) for a, b in places]
    bounds = spans.offsets.tolist()
    return [words[a:b] for a, b in itertools.pairwise(bounds)]


def compiled(texts, frame=PLAIN, lowercase=False):
    return words_of(split_compiled(texts, frame, lowercase=lowercase))


@settings(max_examples=1500)
@given(st.lists(any_text, max_size=4), st.booleans())
@example(["1.2.3a 1.2.3 1.2a 1-2 a1-2 1-a", "a.b.c a.b. .b.c."], False)
@example(["n't isn't a-n't a-isn't isn'tt isn't\u0301 nn't's"], False)
@example([":-) :-)x :)/ =P_ ;'D :--) <3 <3a <3\u0301 :)\u0301 :)\u200d\u0301"], False)
@example(
    ["e\u0301.a\u00ad. 1\u2060,1 -\u200d- \u200d\u0301'\u00ads \ufeffa\u3164\u3000"],
    False,
)
@example(["\U0001f1e9\ufe0f\U0001f1ea\u0301\U0001f1e9", "\u2764\ufe0f\u200da"], False)
@example(["\u03a3 A\u03a3", "\u03a3", "\u0130'S", "A\u03a3"], True)
def test_compiled_tokens_are_those_of_the_pattern(texts, lowercase):
    expected = [tokenize(text.lower() if lowercase else text) for text in texts]
    assert compiled(texts, lowercase=lowercase) == expected


# So many characters that tokens lie on the borders of the blocks of 64 bytes.
@settings(max_examples=300)
@given(
    st.lists(st.sampled_from([*PIECES, *"aab  "]), min_size=60, max_size=300),
    st.integers(1, 4),
    st.booleans(),
)
def test_borders_of_blocks(pieces, n_texts, lowercase):
    texts = ["".join(pieces[i::n_texts]) for i in range(n_texts)]
    ascii_texts = [text.encode("ascii", "ignore").decode() for text in texts]
    for each in (texts, ascii_texts):
        expected = [tokenize(text.lower() if lowercase else text) for text in each]
        assert compiled(each, lowercase=lowercase) == expected


@pytest.mark.data
@pytest.mark.skipif(
    "SKRATIONAL_DATA" not in os.environ,
    reason="SKRATIONAL_DATA names no folder of real data",
)
@pytest.mark.parametrize("lowercase", [False, True])
def test_compiled_tokens_of_reviews(lowercase):
    texts = load_reviews("amazon_kitchen", "dev", raw=True).texts
    expected = [tokenize(text.lower() if lowercase else text) for text in texts]
    assert compiled(texts, lowercase=lowercase) == expected


def every_character():
    return "".join(map(chr, range(0x110000)))


@pytest.mark.parametrize(
    ("pattern", "holds"),
    [
        (r"\s", lambda kinds: kinds == scanner.SPACE),
        (LETTER, lambda kinds: kinds >= scanner.MARK),
        (r"\w", lambda kinds: kinds >= scanner.UNDERSCORE),
        (
            r"[\w/]",
            lambda kinds: (kinds >= scanner.UNDERSCORE) | (kinds == scanner.SLASH),
        ),
        (r"\d", lambda kinds: (kinds == scanner.DIGIT) | (kinds == scanner.THREE)),
        (r"[^\W\d_]", lambda kinds: kinds >= scanner.ALPHA),
        (
            r"[()\[\]DP|]",
            lambda kinds: np.isin(kinds, [scanner.MOUTH, scanner.D, scanner.P]),
        ),
        ("n", lambda kinds: kinds == scanner.N),
        ("t", lambda kinds: kinds == scanner.T),
        ("[sm]", lambda kinds: kinds == scanner.M_OR_S),
    ],
)
def test_kinds_of_all_characters(pattern, holds):
    kinds = alphabet.alphabet_of(0x110000).kinds % foreign.CAPITAL
    found = all_matches(pattern, every_character().translate(shapes()))
    is_visible = ~all_matches(f"[{INVISIBLE}]", every_character())
    np.testing.assert_array_equal(holds(kinds)[is_visible], found[is_visible])
    np.testing.assert_array_equal(kinds != scanner.INVISIBLE, is_visible)


def all_matches(pattern, text):
    """Which characters are in matches."""
    found = np.zeros(len(text), dtype=bool)
    for match in re.finditer(f"{pattern}+", text, FLAGS):
        found[slice(*match.span())] = True
    return found


def test_alphabet_of_ascii():
    ascii_, all_ = alphabet.alphabet_of(128), alphabet.alphabet_of(0x110000)
    np.testing.assert_array_equal(ascii_.kinds, all_.kinds[:128])
    np.testing.assert_array_equal(ascii_.small, all_.small[: len(ascii_.small)])


def test_lower_case_of_all_capitals():
    # Each alone, for some make Python turn all to lower case.
    for capital in filter(lambda c: c != c.lower(), every_character()):
        text = f"{capital} x{capital}"
        assert compiled([text], lowercase=True) == [tokenize(text.lower())]


def test_lower_case_on_borders_of_blocks():
    for capital in "\u0410\u03a3\u10a0\U00010400":
        for n in range(59, 64):
            text = f"{'a' * n} {capital}a {capital}\u0130"
            for part in (text, text[:-1], text[:-2]):
                assert compiled([part], lowercase=True) == [tokenize(part.lower())]


@pytest.mark.parametrize("lowercase", [False, True])
def test_tokens_of_all_characters(lowercase):
    # Each behind one that has to do with what comes behind it.
    texts = [
        f"{mark}{c}{mark} {c}" for mark in "a1'-.:/<=" for c in map(chr, range(192))
    ]
    expected = [tokenize(text.lower() if lowercase else text) for text in texts]
    assert compiled(texts, lowercase=lowercase) == expected
    ascii_texts = [text for text in texts if text.isascii()]
    assert compiled(ascii_texts, lowercase=lowercase) == [
        words for text, words in zip(texts, expected, strict=True) if text.isascii()
    ]
    # Without a space between that isn't ASCII, so that texts meet in a block.
    every = every_character()
    text = every.lower() if lowercase else every
    assert compiled([every], lowercase=lowercase) == [tokenize(text)]


@given(
    st.lists(any_text, max_size=4),
    st.sampled_from([None, "", "<s>", "\U0001f600\ud800"]),
    st.sampled_from([None, "", "</s>"]),
    st.sampled_from([None, 1, 2, 5]),
    st.booleans(),
)
def test_frames(texts, start, end, max_length, keep_end):
    frame = Frame(start, end, max_length, keep_end)
    expected = []
    for words in map(tokenize, texts):
        if max_length is not None:
            words = words[-max_length:] if keep_end else words[:max_length]
        framed = [start, *words, end]
        expected.append([word for word in framed if word is not None])
    assert compiled(texts, frame) == expected
    assert words_of(split_by(tokenize, texts, frame, lowercase=False)) == expected


@given(st.lists(any_text, max_size=4), st.booleans())
def test_tokens_of_functions(texts, lowercase):
    spans = split_by(
        lambda text: iter(text.split("n")), texts, PLAIN, lowercase=lowercase
    )
    lowered = [text.lower() if lowercase else text for text in texts]
    assert words_of(spans) == [text.split("n") for text in lowered]


def test_long_runs_take_linear_time():
    for piece in ("a", "a-", "1.", "a.", "'", "a'", "n't", ":", "-", "a-n't", "1,1a"):
        text = piece * 50_000
        assert compiled([text]) == [tokenize(text)]
