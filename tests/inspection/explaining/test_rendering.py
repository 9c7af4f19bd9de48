import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from skrational import SparseRationalClassifier
from skrational.datasets import make_planted_patterns
from skrational.inspection.explaining.explain import explain
from skrational.inspection.explaining.explanations import Explanation, Explanations
from skrational.inspection.explaining.html import document_html, documents_html
from skrational.inspection.explaining.summands import signed, summarize
from skrational.inspection.explaining.text import document_text
from skrational.inspection.explaining.tokens import (
    covered,
    entering,
    fill,
    shown_tokens,
    strengths,
)
from skrational.inspection.matching.paths import Path

NASTY = [
    "<script>alert(1)</script>",
    '"quoted"',
    "it's",
    "&amp;",
    "</span>",
    "<b onclick='x'>",
    "日本",
    "😀",
    "$x_1^2$",
    "\\alpha",
]
PATHS = (Path(0, 1.0, (2, 3), 5), Path(1, 0.5, (5,), 6))


def hand_made(
    tokens=("this", "is", "not", "worth", "the", "money"),
    contributions=((-1.9, 0.5),),
    bias=(-0.12,),
    classes=("neg", "pos"),
    prediction="neg",
    paths=PATHS,
    effects=None,
    without=None,
):
    """An explanation whose logit is the sum; phrase 0 decides, phrase 1 does not."""
    contributions = np.array(contributions, float).reshape(len(bias), len(paths))
    classes, n_tokens, d = np.array(classes), len(tokens), len(paths)
    at = int(np.flatnonzero(classes == prediction)[0])
    probabilities = np.full(len(classes), 0.07 / (len(classes) - 1))
    probabilities[at] = 0.93
    if without is None:
        without = np.tile(probabilities, (d, 1))
        without[:1] = np.where(
            np.arange(len(classes)) == (at + 1) % len(classes), 0.61, 0
        )
    if effects is None:
        effects = np.linspace(-0.4, 1.2, n_tokens)
    weights = np.zeros((d, n_tokens))
    with np.errstate(invalid="ignore"):
        logits = np.array(bias) + contributions.sum(axis=1)
    return Explanation(
        tokens=tuple(tokens),
        classes=classes,
        prediction=classes[at],
        probabilities=probabilities,
        logits=logits,
        bias=np.array(bias, float),
        contributions=contributions,
        scores=np.ones(d),
        numbers=tuple(range(d)),
        best=tuple(paths),
        worst=tuple(paths),
        paths=tuple(paths),
        shares=np.where([path is None for path in paths], np.nan, 0.81),
        main_path_weights=weights,
        self_loop_weights=weights,
        effects=np.asarray(effects, float),
        probabilities_without=without,
    )


def dense(n_wfsas=24, n_tokens=40):
    """Many WFSAs, each with its path."""
    rng = np.random.default_rng(0)
    return hand_made(
        tokens=[f"w{t}" for t in range(n_tokens)],
        contributions=rng.normal(size=(1, n_wfsas)),
        paths=[Path(i, 1.0, (i % n_tokens,), i % n_tokens + 1) for i in range(n_wfsas)],
        effects=rng.normal(size=n_tokens),
        prediction="pos",
    )


@pytest.fixture(
    scope="module", params=[{}, {"class_of_pattern": (1, 2)}], ids=["two", "three"]
)
def explained(request):
    data = make_planted_patterns(n_documents=200, random_state=0, **request.param)
    clf = SparseRationalClassifier(
        n_wfsas=3,
        lambda_=0,
        max_epochs=3,
        warmup_epochs=1,
        finetune_epochs=1,
        random_state=0,
    )
    return explain(clf.fit(data.X, data.y), data.X[:6])


class Page(HTMLParser):
    """Tags that were opened, what stands in the document, titles, and the balance."""

    VOID = frozenset({"br", "hr"})

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.attributes = [], [], []
        self.text, self.document, self.rows = "", "", []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append(dict(attrs))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in self.VOID:
            self.open.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        self.text += data
        inside = [attrs.get("data-part") for _, attrs in self.open]
        if "document" in inside and self.open[-1][0] != "sup":
            self.document += data
        if self.open and any(tag in ("td", "th") for tag, _ in self.open):
            self.rows[-1][-1] += data


def towards(e):
    """The logit of the predicted class; of two, the first has minus the second's."""
    if len(e.logits) > 1:
        return e.logits[list(e.classes).index(e.prediction)]
    return e.logits[0] if e.prediction == e.classes[1] else -e.logits[0]


def numbers_in_text(text):
    """The column of what is added, and the logit, of a text."""
    lines = text.splitlines()
    stop = next(i for i, line in enumerate(lines) if line.startswith("tokens that"))
    rows = [re.match(r"  (?:bias|\d+(?: others?)?) +([+-]\S+)", row) for row in lines]
    logit = re.search(r"logit of .* = ([+-][\d.]+);", text)
    return [float(row[1]) for row in rows[3:stop] if row], float(logit[1])


def test_the_numbers_in_the_text_add_up_to_the_logit(explained):
    for e in [*explained, dense()]:
        adds, logit = numbers_in_text(document_text(e))
        assert len(adds) == 1 + min(len(e.scores), 9)
        np.testing.assert_allclose(sum(adds), logit, atol=0.005 * (len(adds) + 1))
        np.testing.assert_allclose(logit, towards(e), atol=0.006)


def test_the_numbers_in_html_add_up_to_the_logit(explained):
    for e in [*explained, dense()]:
        rows = Page(document_html(e)).rows[1:]
        adds = [float(row[1]) for row in rows]
        np.testing.assert_allclose(sum(adds), towards(e), atol=0.005 * (len(adds) + 1))


def test_the_summands_add_up_exactly(explained):
    for e in [*explained, dense()]:
        for max_wfsas in (0, 1, 8, 100):
            summands = summarize(e, max_wfsas).summands
            total = sum(summand.amount for summand in summands)
            np.testing.assert_allclose(total, towards(e), atol=1e-5)


def test_a_text_tells_all():
    assert document_text(hand_made()).splitlines() == [
        "'neg' (p = 0.93)",
        "logit of 'neg' = +1.52; positive numbers speak for 'neg', negative ones for "
        "'pos'",
        "  WFSA   adds  share  without it           phrase",
        "  bias  +0.12",
        "  0     +1.90   0.81  'pos' (0.61), flips  not | worth (the)",
        "  1     -0.50   0.81  'neg' (0.93)         money",
        "tokens that speak most for 'neg': money +1.20, the +0.88, worth +0.56, not "
        "+0.24",
        "tokens that speak most for 'pos': this -0.40, is -0.08",
        "document (+ speaks for 'neg', - for 'pos', 0 is in the phrase of WFSA 0):",
        "  this is not worth the money",
        "  ----        +++++ +++ +++++",
        "          0   0         1",
    ]


def test_a_text_can_count_towards_the_second_class():
    assert document_text(replace(hand_made(), toward="positive")).splitlines() == [
        "'neg' (p = 0.93)",
        "logit of 'pos' = -1.52; positive numbers speak for 'pos', negative ones for "
        "'neg'",
        "  WFSA   adds  share  without it           phrase",
        "  bias  -0.12",
        "  0     -1.90   0.81  'pos' (0.61), flips  not | worth (the)",
        "  1     +0.50   0.81  'neg' (0.93)         money",
        "tokens that speak most for 'pos': this +0.40, is +0.08",
        "tokens that speak most for 'neg': money -1.20, the -0.88, worth -0.56, not "
        "-0.24",
        "document (+ speaks for 'pos', - for 'neg', 0 is in the phrase of WFSA 0):",
        "  this is not worth the money",
        "  ++++        ----- --- -----",
        "          0   0         1",
    ]


def test_the_direction_is_no_part_of_the_values():
    e = hand_made()
    turned = replace(e, toward="positive")
    assert turned == e and turned.support.tolist() == e.support.tolist()
    for name in ("contributions", "logits", "bias", "effects"):
        assert getattr(turned, name) is getattr(e, name)


def test_towards_the_second_class_html_keeps_colours_and_lines():
    e = hand_made()
    plain, turned = document_html(e), document_html(replace(e, toward="positive"))
    for look in (r"rgba\([^)]*\)", "solid|dashed"):
        # The legend names both classes in the other order.
        table = [
            re.findall(look, html.split("</table>")[0]) for html in (plain, turned)
        ]
        assert table[0] == table[1]
    titles = [
        [float(a["title"]) for a in Page(html).attributes if "title" in a]
        for html in (plain, turned)
    ]
    assert titles[0] == [-effect for effect in titles[1]]
    assert Page(turned).rows[2][1] == "-1.90"


@pytest.mark.parametrize("toward", ["class", None, 1])
def test_other_directions_are_refused(explained, toward):
    data = make_planted_patterns(n_documents=60, random_state=0)
    clf = SparseRationalClassifier(n_wfsas=1, max_epochs=1, random_state=0)
    clf.fit(data.X, data.y)
    with pytest.raises(ValueError, match=r"toward is .*; expected 'prediction'"):
        explain(clf, data.X[:1], toward=toward)
    (e,) = explain(clf, data.X[:1], toward="positive")
    assert e.toward == "positive"
    assert f"logit of 1 = {e.logits[0]:+.2f}"[:14] in document_text(e)


def test_with_many_classes_no_single_one_is_positive():
    data = make_planted_patterns(60, class_of_pattern=(1, 2), random_state=0)
    clf = SparseRationalClassifier(n_wfsas=1, max_epochs=1, random_state=0)
    with pytest.raises(ValueError, match="there are 3 classes"):
        explain(clf.fit(data.X, data.y), data.X[:1], toward="positive")


def test_a_token_speaks_for_neither_side_by_less_than_is_written():
    lines = document_text(hand_made(effects=[1.2, -1e-3, -0.4, 2e-3, 0, 0.1]))
    assert "most for 'neg': this +1.20, money +0.10\n" in lines
    assert "most for 'pos': not -0.40\n" in lines


def test_html_tells_all():
    page = Page(document_html(hand_made()))
    assert page.rows == [
        ["WFSA", "adds", "", "share", "without its phrase", "phrase"],
        ["bias", "+0.12", "", "", "", ""],
        ["0", "+1.90", "", "0.81", "flips: 'pos' (0.61)", "not | worth the"],
        ["1", "-0.50", "", "0.81", "'neg' (0.93)", "money"],
    ]
    assert page.document == "this is not worth the money"
    titles = [a["title"] for a in page.attributes if "title" in a]
    assert titles == ["-0.40", "-0.08", "+0.24", "+0.56", "+0.88", "+1.20"]
    assert "positive numbers speak for 'neg', negative ones for 'pos'" in page.text
    assert page.tags.count("sup") == 3


def test_colour_is_that_of_the_class_and_lines_follow_the_prediction():
    summary = summarize(hand_made())
    assert [summand.support for summand in summary.summands] == [0.12, 1.9, -0.5]
    for_neg, for_pos = document_html(hand_made()).split("<tr")[3:5]
    assert "rgba(213,94,0" in for_neg and "solid" in for_neg
    assert "rgba(0,114,178" in for_pos and "dashed" in for_pos


def test_more_classes_name_the_runner_up():
    e = hand_made(
        contributions=[[0, 0], [2, -1], [1, 1]],
        bias=[0, 0.5, 0],
        classes=["a", "b", "c"],
        prediction="b",
    )
    e = replace(e, probabilities=np.array([0.1, 0.7, 0.2]))
    first, second, *_ = document_text(e).splitlines()
    assert first == "'b' (p = 0.70; runner-up 'c', p = 0.20)"
    assert second.startswith("logit of 'b' = +1.50; positive numbers speak for 'b'")
    assert "runner-up 'c', p = 0.20" in Page(document_html(e)).text


def test_many_wfsas_are_summed_up():
    e = dense()
    others = e.contributions[0, e.order[8:]].sum()
    assert f"  16 others  {others:+.2f}" in document_text(e)
    rows = Page(document_html(e)).rows
    assert len(rows) == 11
    assert rows[-1][:2] == ["16 others", f"{others:+.2f}"]
    assert summarize(dense(9)).summands[-1].name == "1 other"


def test_whatever_comes_from_outside_is_escaped():
    e = hand_made(
        tokens=NASTY,
        classes=['<i class="a">', "b'&\"<script>"],
        prediction="b'&\"<script>",
    )
    html = document_html(e)
    page = Page(html)
    assert page.document == " ".join(NASTY)
    assert not {"script", "b onclick", "i"} & (set(page.tags) - {"i"})
    assert page.tags.count("i") == 1  # the self-loop of the phrase
    assert all(not name.startswith("on") for a in page.attributes for name in a)
    assert "<script" not in html
    assert "<script" not in documents_html(Explanations([e]))


def test_what_cannot_be_printed_is_spelled_out():
    e = hand_made(tokens=["a\nb", "\x1b[31mred", "\u202egnp", "\ud800", "ok", "\x00"])
    shown = "a\nb \\x1b[31mred \\u202egnp \\ud800 ok \\x00"
    page = Page(document_html(e))
    assert page.document == shown
    page.text.encode()
    text = document_text(e)
    assert "\x1b" not in text
    text.encode()


def test_breaks_that_are_no_lines_are_spelled_out():
    e = hand_made(tokens=["a\rb", "c\x0bd", "e\x0cf", "g\r\nh", "i\nj", "k"])
    text = document_text(e)
    assert not {"\r", "\x0b", "\x0c"} & set(text)
    for shown in ("a\\rb", "c\\x0bd", "e\\x0cf"):
        assert shown in text
    document = text.partition("document (")[2]
    assert "  h i\n" in document
    assert "g\\r" not in document


def test_html_has_no_colour_of_its_own(explained):
    for html in (document_html(explained[0]), documents_html(explained)):
        assert not re.search(r"(?<![-\w])color:(?!inherit)", html)
        backgrounds = re.findall(r"background[\w-]*:\s*([^;\"]+)", html)
        assert backgrounds
        for value in set(backgrounds) - {"none"}:
            alpha = re.fullmatch(r"rgba\(\d+,\d+,\d+,([\d.]+)\)", value)
            assert float(alpha[1]) <= 0.45
        assert "http" not in html
        Page(html)


def test_every_token_of_a_short_document_is_shown_in_order(explained):
    for e in explained:
        assert Page(document_html(e)).document.split() == list(e.tokens)
        lines = document_text(e).split("WFSA 0):\n")[1].splitlines()
        words = " ".join(line for line in lines if re.search("[a-z]", line)).split()
        assert words == list(e.tokens)


def long_document(n_tokens=100_000):
    effects = np.full(n_tokens, 0.001)
    effects[70_000] = -3.0
    return hand_made(
        tokens=[f"w{t}" for t in range(n_tokens)],
        paths=[
            Path(0, 1.0, (10, 50_000), 50_003),
            Path(1, 1.0, (n_tokens - 1,), n_tokens),
        ],
        effects=effects,
    )


def test_of_a_long_document_the_surroundings_of_what_matters_are_shown():
    e = long_document()
    page = Page(document_html(e))
    words = page.document.split()
    assert len(words) < 2100
    for t in (10, 50_000, 70_000, 99_999):
        assert f"w{t - 1} w{t}" in page.document
    assert "…" in words
    text = document_text(e)
    lines = text.splitlines()
    at = next(
        i
        for i, line in enumerate(lines)
        if line.startswith("  w") and " w70000 " in line
    )
    line, signs = lines[at : at + 2]
    assert signs[line.index("w70000") :].startswith("------")
    assert " w10 " in text and "…" in text
    assert len(text) < 10_000
    assert all(len(line) <= 100 for line in text.splitlines())


@pytest.mark.parametrize("max_tokens", [0, 1, 20, 100, 2000])
def test_no_more_tokens_are_shown_than_asked_for(max_tokens):
    e = long_document()
    shown = shown_tokens(e, [0, 1], max_tokens)
    tokens = [t for t in shown if t is not None]
    assert len(tokens) <= max_tokens
    assert tokens == sorted(set(tokens))
    assert all(None in (a, b) or b == a + 1 for a, b in itertools.pairwise(shown))
    assert None in shown


def test_as_many_tokens_as_there_may_be_are_all_shown():
    assert shown_tokens(dense(), [0], 40) == list(range(40))


def test_several_documents_are_folded():
    page = Page(documents_html(Explanations([hand_made()] * 3)))
    details = [
        a for t, a in zip(page.tags, page.attributes, strict=True) if t == "details"
    ]
    assert ["open" in attributes for attributes in details] == [True, False, False]
    assert page.tags.count("summary") == 3
    assert "more: index the result" not in page.text
    assert "no documents" in documents_html(Explanations([]))


def test_at_most_fifty_documents_are_shown():
    page = Page(documents_html(Explanations([hand_made()] * 1234)))
    assert page.tags.count("details") == 50
    assert "and 1,184 more: index the result" in page.text


def both(e):
    text, html = document_text(e), document_html(e)
    Page(html)
    documents_html(Explanations([e]))
    return text, html


def test_an_empty_document():
    e = hand_made(tokens=[], contributions=[[0, 0]], paths=[None, None])
    for rendering in both(e):
        assert "the document is empty" in rendering
        assert "(no path)" in rendering


def test_an_empty_model():
    for rendering in both(hand_made(contributions=[[]], paths=[])):
        assert "no WFSA is left: the bias alone decides" in rendering


def test_scores_of_zero_have_no_share():
    e = replace(hand_made(), scores=np.zeros(2), shares=np.full(2, np.nan))
    assert "nan" not in document_text(e)
    assert Page(document_html(e)).rows[2][3] == "-"


@pytest.mark.parametrize(
    ("contributions", "effects"),
    [
        ([[np.inf, -3.0]], [np.inf, -np.inf, np.nan, 1, 0, -2]),
        ([[np.inf, -np.inf]], [np.nan] * 6),
        ([[1e30, -3e38]], [1e300, -1e308, 0, 1, 2, 3]),
        ([[0.0, 0.0]], [0.0] * 6),
        ([[1e-12, -1e-9]], [np.inf] + [0.0] * 5),
    ],
)
def test_numbers_of_any_size(contributions, effects):
    e = hand_made(contributions=contributions, effects=effects)
    both(replace(e, shares=np.array([1e12, -np.inf])))


@pytest.mark.parametrize(
    ("classes", "prediction", "shown"),
    [
        ([0, 1], 1, "1"),
        ([False, True], True, "True"),
        (np.array(["a", "b"], object), "b", "'b'"),
        (np.array([-1.5, 2.5]), 2.5, "2.5"),
        (["x" * 1000, "y"], "x" * 1000, "'" + "x" * 22 + "…"),
    ],
)
def test_classes_of_any_type(classes, prediction, shown):
    text, html = both(hand_made(classes=classes, prediction=prediction))
    assert text.startswith(f"{shown} (p = 0.93)")
    assert f"<b>{shown}</b>".replace("'", "&#x27;") in html


def test_long_phrases_are_wrapped_under_their_column():
    tokens = [f"{'word' * 5}{t}" for t in range(12)]
    e = hand_made(
        tokens=tokens, contributions=[[1.0]], paths=[Path(0, 1.0, tuple(range(12)), 12)]
    )
    text = document_text(e)
    assert all(len(line) <= 100 for line in text.splitlines())
    assert all(token in text.split("tokens that")[0] for token in tokens)


def test_wide_letters_take_two_columns():
    e = hand_made(classes=["日本語", "b"], prediction="b")
    _, _, head, *_ = document_text(e).splitlines()
    row = next(r for r in document_text(e).splitlines() if r.startswith("  0"))
    assert row.index("not | worth") == head.index("phrase") - 3


def test_numbers_are_written_to_a_common_precision():
    assert signed([1.234, -0.001]) == ["+1.23", "+0.00"]
    assert signed([0.01234, -0.5]) == ["+0.012", "-0.500"]
    assert signed([2e6, -np.inf]) == ["+2e+06", "-inf"]
    assert signed([]) == []


def test_strengths_are_shares_of_the_largest():
    np.testing.assert_array_equal(strengths(np.array([2.0, -4, np.nan])), [0.5, -1, 0])
    np.testing.assert_array_equal(strengths(np.array([2.0, -np.inf])), [1, -1])
    np.testing.assert_array_equal(strengths(np.zeros(2)), [0, 0])


def test_tokens_know_their_phrases():
    e = hand_made(paths=[Path(0, 1.0, (2, 4), 6), Path(1, 1.0, (4,), 5)])
    assert entering(e, [1, 0]) == {2: [0], 4: [0, 1]}
    np.testing.assert_array_equal(covered(e, [0, 1]), [0, 0, 1, 1, 1, 0])


def test_lines_are_filled():
    assert fill(["aa", "bb", "cccccc", "d"], len, 5, 1) == [
        ["aa", "bb"],
        ["cccccc"],
        ["d"],
    ]
    assert fill([], len, 5, 1) == []
