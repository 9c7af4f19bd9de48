"""Phrases beside a scan of all paths, and the tables that show them."""

import pickle
from html.parser import HTMLParser

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_planted_patterns
from skrational.inspection.matching import weighted_tokens
from skrational.inspection.matching.paths import find_paths
from skrational.inspection.names import token_names
from skrational.inspection.phrases.search import top_phrases
from skrational.inspection.tables import shorten, three_digits
from skrational.sequences import SequenceArray
from skrational.structures.automata import WeightedAutomata


class Fitted(BaseEstimator):
    """A classifier of given automata."""

    def __init__(self, automata, classes):
        self.automata, self.classes = automata, classes

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    @property
    def n_features_in_(self):
        return self.automata_.W_u.shape[1]

    @property
    def automata_(self):
        return self.automata

    @property
    def classes_(self):
        return np.array(self.classes)


def of_words(weights, *, lengths=None, coef=None, classes=("neg", "pos"), **kwargs):
    """Automata whose u is half of ``weights`` (n_states, n_words), and f a half."""
    W_u = np.array(weights, float)
    n_states = len(W_u)
    lengths = (n_states,) if lengths is None else lengths
    coef = np.ones((1, len(lengths))) if coef is None else np.array(coef)
    automata = {
        "W_u": W_u,
        "W_f": np.zeros_like(W_u),
        "b_f": np.zeros(n_states),
        "final": np.ones(n_states),
        "lengths": lengths,
        "numbers": tuple(range(len(lengths))),
        "coef": coef,
        "intercept": np.zeros(len(coef)),
    }
    return Fitted(WeightedAutomata(**automata | kwargs), classes)


def corpus(*documents, words, labels=True):
    row = {word: i for i, word in enumerate(words)}
    documents = [document.split() for document in documents]
    return SequenceArray(
        np.eye(len(words)),
        np.cumsum([0, *map(len, documents)]),
        np.array([row[word] for document in documents for word in document], int),
        list(words) if labels else None,
    )


def brute_force(estimator, X, n, merge):
    """(wfsa, side, rank, score, count, document, cells), by a scan of all paths."""
    names, automata = token_names(X), estimator.automata_
    for wfsa in range(automata.n_wfsas):
        # High scores speak for the second class; a maximum doesn't keep a sign.
        turned = automata.semiring == "plus-times" and automata.coef[0, wfsa] < 0
        fold = -1 if turned else 1
        both = find_paths(estimator, X)[::fold]
        for side, paths in zip(("top", "bottom"), both, strict=True):
            sign = -fold if side == "top" else fold
            groups = {}
            for i in range(len(X)):
                if path := paths.path(i, wfsa):
                    cells = tuple(path.cells(names(i)))
                    key = cells if merge else i
                    groups.setdefault(key, []).append((sign * path.score, i, cells))
            ranked = sorted((min(group), len(group)) for group in groups.values())
            for rank, ((cost, i, cells), count) in enumerate(ranked[:n], 1):
                yield wfsa, side, rank, sign * fold * cost, count, i, cells


def random_problem(seed, semiring, match, labels):
    rng = np.random.default_rng(seed)
    lengths = (1, 3, 2)
    weights = {
        "W_u": rng.normal(size=(6, 4)).round(1),
        "W_f": rng.normal(size=(6, 4)).round(1),
        "b_f": rng.normal(2, 1, size=6),
        "final": rng.choice([0.0, 0.5, 1.0], 6),
    }
    estimator = of_words(
        weights.pop("W_u"),
        lengths=lengths,
        coef=rng.normal(size=(1, 3)),
        semiring=semiring,
        match=match,
        **weights,
    )
    sizes = rng.integers(0, 9, 300)
    # Two rows read the same, and weigh differently.
    names = ["a", "b", "c", "b"] if labels else None
    tokens = rng.integers(0, 4, sizes.sum())
    return estimator, SequenceArray(np.eye(4), np.cumsum([0, *sizes]), tokens, names)


@pytest.mark.parametrize("labels", [True, False])
@pytest.mark.parametrize("merge", [True, False])
@pytest.mark.parametrize("match", ["anywhere", "end"])
@pytest.mark.parametrize("semiring", ["plus-times", "max-times", "max-plus"])
def test_phrases_equal_a_scan_of_all_paths(monkeypatch, semiring, match, merge, labels):
    monkeypatch.setattr(weighted_tokens, "_CHUNK_TOKENS", 150)  # several parts
    for seed in range(3):
        estimator, X = random_problem(seed, semiring, match, labels)
        found = top_phrases(estimator, X, 7, merge=merge)
        assert [
            (r.wfsa, r.side, r.rank, r.score, r.count, r.document, r.cells)
            for r in found
        ] == list(brute_force(estimator, X, 7, merge))
    assert max(row.count for row in found) > 1 or not merge


@pytest.mark.parametrize("n_tokens", [1, 2**17])
def test_phrases_that_read_the_same_are_counted_in_all_parts(monkeypatch, n_tokens):
    monkeypatch.setattr(weighted_tokens, "_CHUNK_TOKENS", n_tokens)
    X = corpus(
        "not x x x worth",
        "not x x x x worth",  # reads as the first, and scores lower
        "worth",
        "not worth",
        "",
        "not x x x worth",
        words=["not", "worth", "x"],
    )
    estimator = of_words([[4, 0, 0], [0, 4, 0]], final=np.array([0.0, 1.0]))
    top = [row for row in top_phrases(estimator, X) if row.side == "top"]
    assert [(r.cells, r.score, r.count, r.document) for r in top] == [
        (("not", "worth"), 4.0, 1, 3),
        (("not (x) (x) ...", "worth"), 0.5, 3, 0),
    ]
    apart = [row for row in top_phrases(estimator, X, merge=False) if row.side == "top"]
    assert [(r.document, r.score, r.count) for r in apart] == [
        (3, 4.0, 1),
        (0, 0.5, 1),
        (5, 0.5, 1),
        (1, 0.25, 1),
    ]
    assert top[1].main_path == ("not", "worth")


def test_duplicates_do_not_crowd_others_out():
    words = list("abcde")
    X = corpus(*["a"] * 50, "b", *["c"] * 50, "d", "e", words=words)
    phrases = top_phrases(of_words([[9, 7, 7, 3, -2]]), X, 4)
    assert [(r.side, *r.cells, r.count) for r in phrases] == [
        ("top", "a", 50),
        ("top", "b", 1),  # scores as c does, and comes first
        ("top", "c", 50),
        ("top", "d", 1),
        ("bottom", "e", 1),
        ("bottom", "d", 1),
        ("bottom", "b", 1),
        ("bottom", "c", 50),
    ]


def test_a_path_read_at_the_end_shows_the_tokens_to_the_end():
    X = corpus("good x x x", words=["good", "x"])
    phrases = top_phrases(of_words([[2, 0.001]], match="end"), X)
    assert phrases.rows[0].cells == ("good (x) (x) ...",)


@pytest.fixture(scope="module")
def planted():
    data = make_planted_patterns(2000, random_state=0)
    classifier = SparseRationalClassifier(
        n_wfsas=12,
        readout="rho",
        dropout=0.0,
        warmup_epochs=20,
        max_epochs=60,
        ramp_epochs=30,
        lambda_=5e-3,
        random_state=0,
    )
    return data, classifier.fit(data.X, data.y)


def shows(main_path, pattern):
    """Whether a word of each slot is there, in the pattern's order."""
    words = iter(main_path)
    return all(any(word in slot for word in words) for slot in pattern)


def test_planted_patterns_are_read_off(planted):
    data, classifier = planted
    phrases = top_phrases(classifier, data.X)
    shown = set()
    for wfsa in phrases.wfsas:
        for side in ("top", "bottom"):
            rows = [r for r in phrases if (r.wfsa, r.side) == (wfsa, side)]
            if phrases.class_of(wfsa, rows[0].score) == 1:
                shown |= {
                    pattern
                    for pattern in data.patterns
                    if all(shows(row.main_path, pattern) for row in rows)
                }
    assert shown == set(data.patterns)


def test_a_pipeline_reads_texts_as_its_classifier_reads_sequences():
    data = make_planted_patterns(200, random_state=0)
    classifier = SparseRationalClassifier(n_wfsas=8, max_epochs=5, random_state=0)
    pipeline = make_pipeline(WordVectorizer(data.vectors), classifier)
    pipeline.fit(data.texts, data.y)
    from_texts = top_phrases(pipeline, data.texts, 2)
    from_sequences = top_phrases(classifier, pipeline[0].transform(data.texts), 2)
    assert from_texts.rows == from_sequences.rows
    assert len(from_texts) == 4 * classifier.coef_.shape[1]


def test_without_labels_positions_are_shown():
    words = ["x", "good"]
    X = corpus("x x good", "good", words=words, labels=False)
    phrases = top_phrases(of_words([[0, 2]]), X, 2)
    assert [r.cells for r in phrases if r.side == "top"] == [("#2",), ("#0",)]


@pytest.mark.parametrize(
    ("coef", "meaning"),
    [
        (1.5, "weight 1.50: high scores speak for 'pos', negative ones for 'neg'"),
        (-0.25, "weight 0.250: high scores speak for 'pos', negative ones for 'neg'"),
        (0.0, "weight 0.00: scores speak for no class"),
    ],
)
def test_a_heading_says_what_scores_speak_for(coef, meaning):
    X = corpus("a", words=["a"])
    estimator = of_words([[1]], coef=[[coef]], numbers=(17,))
    head = "WFSA 0 (number 17 before pruning): 1 transition"
    phrases = top_phrases(estimator, X)
    assert phrases.heading(0) == f"{head}, {meaning}"
    assert phrases.to_text().splitlines()[0] == f"{head}, {meaning}"


def test_a_heading_of_maxima_tells_what_high_scores_speak_for():
    X = corpus("a", words=["a"])
    estimator = of_words([[1]], coef=[[-0.25]], semiring="max-times")
    phrases = top_phrases(estimator, X)
    assert phrases.heading(0).endswith(
        "weight -0.250: high scores speak for 'neg', negative ones for 'pos'"
    )
    assert phrases.rows[0].score > 0
    assert phrases.class_of(0, phrases.rows[0].score) == "neg"


@pytest.mark.parametrize("weight", [2.0, -2.0])
def test_top_phrases_speak_for_the_second_class(weight):
    X = corpus("good", "bad", words=["good", "bad"])
    estimator = of_words([[weight, -weight]], coef=[[0.5 * weight]])
    phrases = top_phrases(estimator, X, 1)
    assert [(r.side, r.score, r.cells) for r in phrases] == [
        ("top", 1.0, ("good",)),
        ("bottom", -1.0, ("bad",)),
    ]
    np.testing.assert_array_equal(phrases.coef, [[1.0]])
    assert [phrases.class_of(0, r.score) for r in phrases] == ["pos", "neg"]


def test_a_heading_names_all_classes_but_weak_ones():
    coef = np.array([[-2.0], [1.0], [0.9], [0.1]])
    estimator = of_words([[1]], coef=coef, classes=("a", "b", "c", "d"))
    phrases = top_phrases(estimator, corpus("a", words=["a"]))
    assert phrases.heading(0) == (
        "WFSA 0: 1 transition, high scores speak for 'a' (+2.00), "
        "negative ones for 'b' (-1.00), 'c' (-0.900)"
    )
    assert phrases.classes_of(0, 3.0) == ("a",)
    assert phrases.classes_of(0, -3.0) == ("b", "c")
    assert phrases.classes_of(0, 0.0) == ()
    assert phrases.rows[0].score == -0.5  # the weight of "a" is negative
    np.testing.assert_array_equal(phrases.coef, -coef)


def test_what_all_classes_have_in_common_speaks_for_none():
    coef = np.array([[5.0], [4.0], [4.0]])
    estimator = of_words([[1]], coef=coef, classes=("a", "b", "c"))
    phrases = top_phrases(estimator, corpus("a", words=["a"]))
    assert phrases.classes_of(0, 1.0) == ("a",)
    assert phrases.classes_of(0, -1.0) == ("b", "c")


def test_of_very_many_classes_some_are_counted():
    coef = np.linspace(-1, 1, 40)[:, None]
    estimator = of_words([[1]], coef=coef, classes=tuple(range(40)))
    heading = top_phrases(estimator, corpus("a", words=["a"])).heading(0)
    assert heading.count("(+") == heading.count("(-") == 8
    assert heading.endswith("and 7 more")


def test_a_heading_gives_each_of_several_classes_its_weight():
    coef = np.array([[0.5, 1.0], [-2.0, 1.0], [1.5, 1.0]])
    estimator = of_words(
        [[1], [1], [1]], lengths=(2, 1), coef=coef, classes=("x", "y", "z")
    )
    phrases = top_phrases(estimator, corpus("a", words=["a"]))
    assert phrases.heading(0) == (
        "WFSA 0: 2 transitions, high scores speak for 'y' (+2.00), "
        "negative ones for 'z' (-1.50), 'x' (-0.500)"
    )
    assert [phrases.class_of(0, score) for score in (2.0, -2.0)] == ["y", "z"]
    assert phrases.class_of(1, 1.0) is None


def test_rows_are_those_of_the_wfsas_asked_for():
    data = make_planted_patterns(100, random_state=0)
    classifier = SparseRationalClassifier(n_wfsas=8, max_epochs=2, random_state=0)
    phrases = top_phrases(classifier.fit(data.X, data.y), data.X, 1, wfsas=[3, 1, 3])
    assert [row.wfsa for row in phrases] == [3, 3, 1, 1]
    assert [line[:6] for line in str(phrases).splitlines() if line[:4] == "WFSA"] == [
        "WFSA 3",
        "WFSA 1",
    ]


def test_a_wfsa_without_a_path_says_so():
    X = corpus("a", "", words=["a"])
    estimator = of_words([[1], [1], [1]], lengths=(2, 1), final=np.array([0.0, 1.0, 1]))
    phrases = top_phrases(estimator, X)
    assert [row.wfsa for row in phrases] == [1, 1]
    assert "WFSA 0: 2 transitions" in phrases.to_text()
    for written in (phrases.to_text(), phrases.to_html()):
        assert written.count("No document has a path.") == 1
    assert not top_phrases(estimator, X, wfsas=[0]).to_frame().size


def test_the_frame_has_a_row_for_each_phrase():
    X = corpus("not x worth", "worth", words=["not", "worth", "x"])
    phrases = top_phrases(of_words([[3, 1, 0], [0, 8, 0]]), X, 1)
    frame = phrases.to_frame()
    assert frame.to_dict("list") == {
        "wfsa": [0, 0],
        "side": ["top", "bottom"],
        "rank": [1, 1],
        "score": [3.0, 0.0],
        "count": [1, 1],
        "document": [0, 0],
        "transition_1": ["not (x)", "x"],
        "transition_2": ["worth", ""],
    }


def test_phrases_survive_pickling():
    phrases = top_phrases(of_words([[1]]), corpus("a", words=["a"]))
    again = pickle.loads(pickle.dumps(phrases))
    assert again.rows == phrases.rows and str(again) == str(phrases)


def test_text_is_aligned_whatever_the_tokens_are():
    words = ["a", "x" * 100_000, "日本語", "new\nline", "e\u0301t\u0301", "z"]
    X = corpus(*words[:3], *words[4:], words=words)
    X = SequenceArray(X.features, [0, 1, 2, 3, 5, 6], [0, 1, 2, 3, 5, 4], words)
    weights = [[6, 5, 4, 3, 2, 1], [1, 1, 1, 1, 1, 3]]
    text = top_phrases(of_words(weights), X, 5).to_text()
    heading, *lines = text.splitlines()
    assert heading.startswith("WFSA 0")
    assert "transition 2" in lines[0] and len(lines) == 11
    assert r"new\nline" in text and "x" * 23 + "…" in text and "x" * 24 not in text
    left = lines[0].index("transition 1")
    for line in lines[1:]:
        assert line[left - 2 : left] == "  " and line[left] != " "
    ends = {len(line[: left - 2].rstrip()) for line in lines}
    assert len(ends) == 1  # counts are flush right
    (pair,) = (line for line in lines[:6] if "new" in line)
    assert pair.index("z") == lines[0].index("transition 2")


class Tags(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.tags, self.data = [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs).get("style", "")))

    def handle_data(self, data):
        self.data += data


def test_html_is_escaped_and_takes_the_colours_of_the_notebook():
    markup = "<script>alert(1)</script>"
    X = corpus(f"a {markup} b", words=["a", "b", markup])
    estimator = of_words(
        [[4, 0, 0], [0, 4, 0]], final=np.array([0.0, 1.0]), classes=("<b>", "&amp;")
    )
    phrases = top_phrases(estimator, X)
    html = phrases._repr_html_()
    assert html == phrases.to_html()
    parsed = Tags(html)
    assert {tag for tag, _ in parsed.tags} == {
        *("div", "table", "thead", "tbody", "tr", "th", "td", "i", "span")
    }
    assert f"({markup})" in parsed.data
    assert "'<b>'" in parsed.data and "'&amp;'" in parsed.data
    styles = " ".join(style for _, style in parsed.tags)
    assert "overflow-x:auto" in styles
    assert "#" not in styles and "background:none" in styles
    assert ("i", "opacity:.6") in parsed.tags


def test_the_entry_is_told_from_the_loops_by_what_it_is():
    X = corpus("a x", words=["a", "x"])
    X = SequenceArray(X.features, X.offsets, X.indices, ["a (b)", "(c)"])
    html = top_phrases(of_words([[4, 0.001]], match="end"), X, 1).to_html()
    assert '>a (b)<i style="opacity:.6"> ((c))</i></td>' in html


def emptied():
    return of_words(np.zeros((0, 1)), lengths=())


@pytest.mark.parametrize(
    ("estimator", "arguments", "error", "message"),
    [
        (SparseRationalClassifier(), {}, NotFittedError, "not fitted"),
        (object(), {}, TypeError, "estimator is a object"),
        (emptied(), {}, ValueError, "no WFSA left"),
        (of_words([[1]]), {"n": 0}, ValueError, "n is 0; expected an integer"),
        (of_words([[1]]), {"n": 2.0}, ValueError, "n is 2.0; expected an integer"),
        (of_words([[1]]), {"n": True}, ValueError, "n is True"),
        (of_words([[1]]), {"wfsas": [0, 1]}, ValueError, "wfsa is 1; expected 0 to 0"),
        (of_words([[1]]), {"wfsas": [-1]}, ValueError, "wfsa is -1"),
        (of_words([[1]]), {"wfsas": []}, ValueError, "wfsas is empty"),
        (of_words([[1]]), {"wfsas": 0}, TypeError, "wfsas is 0; expected a sequence"),
        (of_words([[1]]), {"wfsas": "0"}, TypeError, "wfsas is '0'"),
        (of_words([[1]]), {"wfsas": [0.0]}, TypeError, "wfsa is 0.0"),
    ],
)
def test_what_cannot_be_read_is_refused_before_the_documents_are(
    estimator, arguments, error, message
):
    with pytest.raises(error, match=message):
        top_phrases(estimator, None, **arguments)


def test_a_single_text_is_refused():
    with pytest.raises(TypeError, match="X is a string"):
        top_phrases(of_words([[1]]), "not worth it")


@pytest.mark.parametrize(
    ("value", "written"),
    [(1.0, "1.00"), (-0.0604, "-0.0604"), (123.4, "123"), (5678.0, "5.68e+03")],
)
def test_numbers_have_three_digits(value, written):
    assert three_digits(value) == written


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("word", "word"),
        ("w" * 24, "w" * 24),
        ("w" * 25, "w" * 23 + "…"),
        ("語" * 13, "語" * 11 + "…"),
        ("\x1b[31m", r"\x1b[31m"),
        ("", ""),
    ],
)
def test_cells_are_shortened_to_what_a_terminal_shows(text, short):
    assert shorten(text) == short


def test_accents_of_their_own_take_no_room():
    text = "e\u0301" * 20
    assert shorten(text) == text
    cut = shorten("e\u0301" * 30)
    assert cut == "e\u0301" * 23 + "…"
    assert shorten("a" + "\u0301" * 10_000).endswith("…")
