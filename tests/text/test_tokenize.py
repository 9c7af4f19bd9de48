import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrational.text.tokenize import tokenize


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
    ],
)
def test_examples(text, tokens):
    assert tokenize(text) == tokens


@given(st.text() | st.text(alphabet="ant's-.:,/10) \u2019\u0301"))
def test_nothing_but_space_is_lost(text):
    tokens = tokenize(text)
    assert "".join(tokens) == "".join(text.replace("\u2019", "'").split())
    assert all(tokens)


def test_long_runs_take_linear_time():
    for piece in ("a", "a-", "1.", "a.", "'", "a'", "n't", ":"):
        assert tokenize(piece * 50_000)


def test_pickles():
    assert pickle.loads(pickle.dumps(tokenize)) is tokenize
