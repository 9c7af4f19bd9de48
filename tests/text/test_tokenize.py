import pickle
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from benchmarks._languages import ARTICLE
from skrational import WordVectorizer
from skrational.text.tokenize import INVISIBLE, tokenize


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        (" \n\t\u00a0", []),
        ("don't can't", ["do", "n't", "ca", "n't"]),
        ("DON'T I'M", ["DO", "N'T", "I", "'M"]),
        ("well-isn't it", ["well-is", "n't", "it"]),
        ("do n't it 's", ["do", "n't", "it", "'s"]),
        ("she'd've", ["she", "'d", "'ve"]),
        ("it\u2019s", ["it", "'s"]),
        ("O'Brien's rock'n'roll", ["O'Brien", "'s", "rock'n'roll"]),
        ("the dogs' 'tis", ["the", "dogs", "'", "'", "tis"]),
        ("sub-standard a--b -x-", ["sub-standard", "a", "--", "b", "-", "x", "-"]),
        ("10-year 10-11", ["10-year", "10", "-", "11"]),
        ("$1,000.50, 1/2", ["$", "1,000.50", ",", "1/2"]),
        ("at 10:30.", ["at", "10:30", "."]),
        ("U.S. end.Next", ["U.S.", "end", ".", "Next"]),
        ("what?!!", ["what", "?", "!", "!"]),
        ("so....", ["so", "...", "."]),
        (":) :-( :P <3", [":)", ":-(", ":P", "<3"]),
        ("http://x note:(see", ["http", ":", "/", "/", "x", "note", ":", "(", "see"]),
        ("naïve cafe\u0301 Привет", ["naïve", "cafe\u0301", "Привет"]),
        ("हिन्दी, बी.बी.सी. है।", ["हिन्दी", ",", "बी.बी.सी.", "है", "।"]),
        (
            "e\u0301.a\u0300. :D\u0323 isn't\u0301",
            ["e\u0301.a\u0300.", ":", "D\u0323", "isn't\u0301"],
        ),
        (
            "a =\u0338 #\ufe0f\u20e3 \u25cc\u093f",
            ["a", "=\u0338", "#\ufe0f\u20e3", "\u25cc\u093f"],
        ),
        ("\u0301a -\u0301 --\u0301b", ["\u0301a", "-\u0301", "--\u0301", "b"]),
        (
            "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7\U0001f1e9",
            ["\U0001f1e9\U0001f1ea", "\U0001f1eb\U0001f1f7", "\U0001f1e9"],
        ),
        (
            "\u2764\ufe0f\u2764 \U0001f44d\U0001f3fd",
            ["\u2764\ufe0f", "\u2764", "\U0001f44d", "\U0001f3fd"],
        ),
        ("\U0001f468\u200d\U0001f467", ["\U0001f468\u200d", "\U0001f467"]),
    ],
)
def test_examples(text, tokens):
    assert tokenize(text) == tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("\ufeffco\u00adop \u00ad \u200d\ufe0f", ["co\u00adop"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("ภาษา\u200bไทย\u200b", ["ภาษา", "ไทย"]),
        (
            "\u2068it\u2019s\u2069 (\u200fdon't\u200e)",
            ["it", "'s\u2069", "(\u200f", "do", "n't\u200e", ")"],
        ),
        (
            "1,\u2060000 10:\u200e30 U.\u00adS. :\u200d)",
            ["1,\u2060000", "10:\u200e30", "U.\u00adS.", ":\u200d)"],
        ),
    ],
)
def test_invisible_characters_make_no_difference(text, tokens):
    assert tokenize(text) == tokens
    visible = re.sub(f"[{INVISIBLE}]", "", text)
    assert tokenize(visible) == [re.sub(f"[{INVISIBLE}]", "", word) for word in tokens]


SCRIPTS = "\u0915\u093f\u05d0\u05b8\u0627\u064e\u0e01\u0e31"
SCRIPTS += "\u1100\u1161\uac00\u4e00\u2764\u20e3"
any_text = st.text() | st.text(
    alphabet=f"ant's-.:,/10) \u2019\u0301{SCRIPTS}\u200b\u200d\u00ad\ufe0f"
)


@given(any_text)
def test_nothing_but_space_and_what_follows_none_is_lost(text):
    tokens = tokenize(text)
    lone = rf"(?:^|[\s\u200b])[\s\u200b{INVISIBLE}]*"
    assert "".join(tokens) == re.sub(lone, "", text.replace("\u2019", "'"))
    # Neither marks nor invisible characters begin a token, but behind a space.
    for word in tokens:
        assert not re.match(f"[{INVISIBLE}]", word)


@given(
    st.text(
        alphabet=f"ant's-.:,/=1) \u00e9\u00dc\u1e0d\u2260\u1ec7\ud55c\u0958{SCRIPTS}"
    )
)
@example("\uac00.\ub098. \uac01.\ub0a0.")
def test_composed_and_decomposed_texts_have_the_same_tokens(text):
    composed = unicodedata.normalize("NFC", text)
    decomposed = unicodedata.normalize("NFD", text)
    words = [unicodedata.normalize("NFD", word) for word in tokenize(composed)]
    assert tokenize(decomposed) == words


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("language", ARTICLE)
def test_words_of_all_scripts_stay_whole(language, form):
    text = unicodedata.normalize(form, ARTICLE[language])
    words = "".join(
        c if unicodedata.category(c)[0] != "P" else " " for c in text
    ).split()
    assert [
        word for word in tokenize(text) if unicodedata.category(word[0])[0] != "P"
    ] == words
    vectorizer = WordVectorizer({word.lower(): [1.0, 2.0] for word in words})
    assert not vectorizer.fit([" ".join(words)]).out_of_vocabulary_


def test_long_runs_take_linear_time():
    for piece in (
        "a",
        "a-",
        "1.",
        "a.",
        "'",
        "a'",
        "n't",
        ":",
        "a\u0301",
        "\u0301",
        "\u200da",
    ):
        assert tokenize(piece * 50_000)


def test_pickles():
    assert pickle.loads(pickle.dumps(tokenize)) is tokenize
