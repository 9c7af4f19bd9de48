"""The user's own text is shown: every character once, in order, whatever it is."""

import json
import pickle
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn.pipeline import make_pipeline

from skrational import SparseLSTMClassifier, SparseRationalClassifier, WordVectorizer
from skrational.inspection import ExplanationDisplay, explain, top_phrases
from skrational.inspection.explaining.pieces import pieces_of
from skrational.inspection.explaining.underlined import MarkedText, columns, underlined
from skrational.sequences import Original

matplotlib = pytest.importorskip("matplotlib")
from matplotlib.colors import to_hex  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

pytestmark = pytest.mark.filterwarnings(
    "ignore::skrational.exceptions.OutOfVocabularyWarning"
)

TEXT = "Looks great, but it is NOT worth the money."
KNOWN = "looks great , but it is not worth the money .".split()
VECTORS = dict(zip(KNOWN, np.eye(len(KNOWN)), strict=True))


def letters(text):
    return [*text]


OPTIONS = {
    "random": {},
    "drop": {"oov": "drop"},
    "cut": {"max_length": 2, "keep": "end", "start_token": None},
    "own": {"tokenizer": str.split, "lowercase": False},
    "lost": {"tokenizer": letters, "end_token": None},
}


@pytest.fixture(scope="module")
def classifier():
    texts = ["great", "not worth the money"] * 4
    size = {"n_wfsas": 2, "n_states": 2}
    clf = SparseRationalClassifier(**size, lambda_=0, max_epochs=1, random_state=0)
    return make_pipeline(WordVectorizer(VECTORS), clf).fit(texts, [1, 0] * 4)[-1]


def reading(classifier, **options):
    return make_pipeline(WordVectorizer(VECTORS, **options).fit([TEXT]), classifier)


@pytest.fixture(scope="module")
def readers(classifier):
    return {name: reading(classifier, **options) for name, options in OPTIONS.items()}


class Shown(HTMLParser):
    """What a page shows of the document, without the marks around it and numbers."""

    def __init__(self, html):
        super().__init__()
        self.open, self.text, self.pale = [], "", []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag != "br":
            self.open.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        self.open.pop()

    def handle_data(self, data):
        parts = [attrs.get("data-part") for _, attrs in self.open]
        if "document" in parts and "mark" not in parts and self.open[-1][0] != "sup":
            self.text += data
            if "opacity:.5" == self.open[-1][1].get("style"):
                self.pale.append(data)


def test_a_text_is_shown_exactly_as_it_is(readers):
    e = explain(readers["random"], TEXT)
    assert e.text == TEXT
    assert f"  <s> {TEXT} </s>\n" in e.to_text()
    assert Shown(e.to_html()).text == TEXT
    display = ExplanationDisplay(e).plot(Figure().subplots())
    tokens = [text.get_text() for text in display.tokens_]
    assert tokens == [
        "<s>",
        *TEXT.replace(",", " ,").replace(".", " .").split(),
        "</s>",
    ]
    assert list(e.words) == tokens
    assert list(e.tokens)[1:-1] == KNOWN
    assert f"{e.words[e.paths[0].start]}" in e.to_text().split("tokens that")[0]


@given(st.text(max_size=40), st.sampled_from(sorted(OPTIONS)))
@settings(max_examples=60)
@example(
    "İstanbul\u2019s e\u0301t\u00e9 \U0001f468\u200d\U0001f469\u200d\U0001f467!",
    "random",
)
@example("\u202e\x00\x1b[31m \ud800 \u200b\u00ad", "drop")
@example(" \n\t", "drop")
@example("", "cut")
def test_the_pieces_are_the_text(readers, text, name):
    e = explain(readers[name], [text])[0]
    pieces = pieces_of(e)
    if e.text is not None:
        assert "".join(piece.text for piece in pieces if piece.is_own) == text
    assert [t for piece in pieces for t in piece.tokens] == list(range(len(e.tokens)))
    if text.isprintable() and e.text is not None:
        assert Shown(e.to_html()).text == text
    e.to_text().encode(), e.to_json()


spans = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 3)), max_size=6)


@given(spans, spans, st.integers(0, 2), st.integers(0, 2))
def test_tokens_that_share_characters_share_a_piece(tokens, others, before, behind):
    text = "a\u00e9\U0001f600 b,  c"

    def sort(found):
        found = sorted((start, min(start + n, len(text))) for start, n in found)
        return np.array(found, int).reshape(-1, 2)

    marks = [np.full((n, 2), -1) for n in (before, behind)]
    own = np.concatenate([marks[0], sort(tokens), marks[1]])
    labels = tuple(f"t{i}" for i in range(len(own)))
    pieces = pieces_of(Stub(labels, Original(text, own, sort(others), before)))
    assert "".join(piece.text for piece in pieces if piece.is_own) == text
    assert [t for piece in pieces for t in piece.tokens] == list(range(len(own)))


class Stub:
    def __init__(self, tokens, original):
        self.tokens, self.original = tokens, original


def test_what_was_not_read_is_shown_too(readers):
    e = explain(readers["cut"], "It IS great; not bad")
    assert pieces_of(e)[0].text == "It IS great; "
    assert e.words == ("not", "bad", "</s>")


def test_unknown_words_are_told_apart_and_counted(readers):
    text = "Looks Splendid, not worht it"
    for name, n_words in (("random", 6), ("drop", 6)):
        e = explain(readers[name], text)
        assert (e.n_words, e.n_unknown) == (n_words, 2)
        assert "; 2 of 6 words unknown)" in e.to_text().splitlines()[0]
        line, *rows = e.to_text().split(":\n")[-1].splitlines()
        below = [row[line.index("Splendid") :][:1] for row in rows]
        assert "?" in below
        assert Shown(e.to_html()).pale == ["Splendid", "worht"]
        display = ExplanationDisplay(e).plot(Figure().subplots())
        colours = {t.get_text(): to_hex(t.get_color()) for t in display.tokens_}
        assert colours["Splendid"] == "#767676" != colours["Looks"]
        assert "; 2 of 6 words unknown)" in display.ax_.get_title()


def test_phrases_show_the_words_of_the_text(readers):
    phrases = top_phrases(readers["random"], ["NOT Worth", "GREAT worht"], n=9)
    written = {word for row in phrases for cell in row.cells for word in cell.split()}
    bare = {word.strip("()").removesuffix("[?]") for word in written}
    assert bare <= {"<s>", "NOT", "Worth", "GREAT", "worht", "</s>"} and written
    assert not {"worht", "(worht)"} & written  # "[?]" stands behind it
    assert all(
        cell.startswith(token)
        for row in phrases
        for token, cell in zip(row.main_path, row.cells, strict=True)
    )
    e = explain(readers["random"], "NOT worht it")
    cells = [cell for path in e.paths for cell in path.cells(e.marked_words)]
    assert e.to_dict()["wfsas"][0]["path"]["phrase"] == cells[: len(e.paths[0].entries)]


def test_texts_come_with_their_sequences_and_with_iterators(readers):
    pipeline = readers["random"]
    (of_texts,) = explain(pipeline, [TEXT])
    X = pipeline[0].transform(["great", TEXT])
    assert (
        explain(pipeline[-1], X[1:])[0]
        == of_texts
        == explain(pipeline, iter([TEXT]))[0]
    )
    bare = explain(pipeline[-1], pickle.loads(pickle.dumps(X)))[1]
    assert bare.text is None and bare.words == bare.tokens == of_texts.tokens
    assert "  <s> looks great , but" in bare.to_text()


def test_an_explanation_keeps_its_text(readers):
    e = explain(readers["random"], TEXT)
    assert pickle.loads(pickle.dumps(e)) == e
    values = json.loads(e.to_json())
    assert values["text"] == TEXT and values["spans"][1] == [0, 5]
    earlier = replace(e, original=None)
    assert "text" not in earlier.to_dict() and earlier != e


def test_gated_networks_show_the_text_too():
    clf = SparseLSTMClassifier(n_units=2, max_epochs=1, random_state=0)
    pipeline = make_pipeline(WordVectorizer(VECTORS), clf)
    e = explain(pipeline.fit([TEXT, "great"] * 2, [0, 1] * 2), TEXT)
    assert f"  <s> {TEXT} </s>\n" in e.to_text()
    assert Shown(e.to_html()).text == TEXT


@given(st.lists(st.tuples(st.text(max_size=12), st.sampled_from(["", "+", "-"]))))
def test_lines_under_a_text_stand_below_it(parts):
    lines = underlined([MarkedText(text, sign) for text, sign in parts], 20)
    for line in lines:
        assert columns(line.expandtabs(1)) <= 20 or len(line.split()) <= 1
    text = "".join(text for text, _ in parts)
    if text.isprintable() and not set("+-") & set(text):
        rows = [line for line in lines if line.strip(" +-")]
        assert "".join("".join(rows).split()) == "".join(text.split())


def test_marks_that_need_more_room_have_rows_of_their_own():
    parts = [MarkedText("a", "+", "0,1"), MarkedText(","), MarkedText("b", "-", "1?")]
    assert underlined(parts, 40) == ["a,b", "+ -", "0,1", "  1?"]
    wide = [MarkedText("日本", "+"), MarkedText(" "), MarkedText("e\u0301", "-", "2")]
    assert underlined(wide, 40) == ["日本 e\u0301", "++++ -", "     2"]
    assert underlined([MarkedText("a\tb"), MarkedText("c", "+")], 40) == [
        "a\tbc",
        " \t +",
    ]
    assert underlined([MarkedText("a\n\nb")], 40) == ["a", "", "b"]


def test_words_beyond_the_most_that_are_read_are_told_from_those_of_no_effect(readers):
    (cut,) = explain(readers["cut"], [TEXT])
    (whole,) = explain(readers["random"], [TEXT])
    unread = [piece.text for piece in pieces_of(cut) if piece.is_unread]
    assert unread == ["Looks great, but it is NOT worth the "]
    assert not any(piece.is_unread for piece in pieces_of(whole))
    assert "~ is not read" in cut.to_text()
    assert "~~~~~ ~~~~~" in cut.to_text()
    assert "~" not in whole.to_text()
    assert "what isn't read is pale" in cut.to_html()
    assert "what isn't read is pale" not in whole.to_html()
