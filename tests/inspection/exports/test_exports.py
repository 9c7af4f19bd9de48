"""Exported automata, read back and run arc by arc, beside the scores they stand for."""

import functools
import math
import os
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skrational import SequenceArray, SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_planted_patterns
from skrational.inspection import to_networkx, to_openfst
from skrational.inspection.exports import openfst
from skrational.inspection.exports.machines import build_machine
from skrational.kernels.reference import document_scores
from skrational.structures.automata import WeightedAutomata

SEMIRINGS = ("plus-times", "max-times", "max-plus")
RINGS = {
    # name: plus, times, zero
    "plus-times": (lambda a, b: a + b, lambda a, b: a * b, 0.0),
    "max-times": (max, lambda a, b: a * b, 0.0),
    "max-plus": (max, lambda a, b: a + b, -math.inf),
    # OpenFst's
    "log": (lambda a, b: -np.logaddexp(-a, -b), lambda a, b: a + b, math.inf),
    "tropical": (min, lambda a, b: a + b, math.inf),
}


def unescape(symbol):
    if symbol == "<empty>":
        return ""
    return symbol.encode("latin-1", "backslashreplace").decode("unicode_escape")


def read_lines(path):
    """Fields of each line; a line ends with \\n and with nothing else."""
    text = path.read_bytes().decode("utf-8")
    assert text.endswith("\n") and "\r" not in text
    return [line.split("\t") for line in text[:-1].split("\n")]


def read_symbols(folder):
    """Words in order, and the numbers of symbols."""
    lines = read_lines(folder / "symbols.txt")
    assert lines[0] == ["<eps>", "0"]
    assert [int(number) for _, number in lines] == list(range(len(lines)))
    assert len({symbol for symbol, _ in lines}) == len(lines)
    assert not any(c.isspace() for symbol, _ in lines for c in symbol)
    return [unescape(symbol) for symbol, _ in lines[1:]], {
        symbol: int(number) for symbol, number in lines
    }


def read_acceptor(path, numbers):
    """Arcs (source, target, number of the symbol, weight), and final weights."""
    arcs, final = [], {}
    for fields in read_lines(path):
        if len(fields) == 2:
            final[int(fields[0])] = float(fields[1])
        else:
            source, target, symbol, weight = fields
            assert not final, "final lines come last"
            arcs.append((int(source), int(target), numbers[symbol], float(weight)))
    assert arcs[0][0] == 0, "OpenFst starts where the first arc does"
    return arcs, final


def run(arcs, words, ring):
    """The ring's sum over all paths from state 0 that read the words, by state."""
    plus, times, zero = RINGS[ring]
    by_word = defaultdict(list)
    for source, target, word, weight in arcs:
        by_word[word].append((source, target, weight))
    silent = by_word[0]
    assert not {s for s, _, _ in silent} & {t for _, t, _ in silent}, "no chains"

    def step(state_weights, moves):
        after = {}
        for source, target, weight in moves:
            if source in state_weights:
                path = times(state_weights[source], weight)
                after[target] = plus(after.get(target, zero), path)
        return after

    at = {0: 1.0 if times(2, 3) == 6 else 0.0}
    for word in words:
        at = step(at, by_word[word])
        for state, weight in step(at, silent).items():
            at[state] = plus(at.get(state, zero), weight)
    return at


def weigh(acceptor, words, ring):
    """What an acceptor gives to a document, None without an accepting path."""
    arcs, final = acceptor
    plus, times, _ = RINGS[ring]
    at = run(arcs, words, ring)
    ends = [times(at[state], final[state]) for state in final if state in at]
    return functools.reduce(plus, ends) if ends else None


def scores_of_files(files, documents, ring, back=lambda weight: weight):
    """Sum over the files of each WFSA: (n_documents, n_wfsas)."""
    scores = np.zeros((len(documents), len(files)))
    for column, paths in enumerate(files.values()):
        for path in paths:
            acceptor = read_acceptor(path, read_symbols(path.parent)[1])
            for row, words in enumerate(documents):
                weight = weigh(acceptor, words, ring)
                scores[row, column] += 0.0 if weight is None else back(weight)
    return scores


def scores_of_graph(graph, documents):
    """Sum over the final nodes: (n_documents,)."""
    arcs = [
        (s, t, 0 if edge["label"] is None else key, edge["weight"])
        for s, t, key, edge in graph.edges(keys=True, data=True)
    ]
    scores = []
    for words in documents:
        at = run(arcs, words, graph.graph["semiring"])
        final = graph.nodes(data="final")
        scores.append(sum(at[node] * w for node, w in final if w and node in at))
    return np.array(scores)


@functools.cache
def planted():
    return make_planted_patterns(n_documents=200, random_state=0)


@functools.cache
def fitted(semiring="plus-times", match="anywhere", readout="sum", dtype="float64"):
    clf = SparseRationalClassifier(
        n_wfsas=3, semiring=semiring, match=match, readout=readout, dtype=dtype,
        lambda_=0, max_epochs=3, warmup_epochs=1, finetune_epochs=1, random_state=0,
    )  # fmt: skip
    return clf.fit(planted().X, planted().y)


def some_documents():
    """Random documents, one of them empty, one of a single word."""
    X = planted().X
    rng = np.random.default_rng(1)
    sizes = [0, 1, 2, 3, 8, 21]
    ids = rng.integers(0, len(X.features), sum(sizes))
    return SequenceArray(
        X.features, np.cumsum([0, *sizes]), indices=ids, labels=X.labels
    )


def words_of(X):
    return [[str(w) for w in X.labels[X.rows(i)]] for i in range(len(X))]


def numbered(words, folder):
    _, numbers = read_symbols(folder)
    return [[numbers[word] for word in document] for document in words]


@pytest.mark.parametrize("readout", ["sum", "last", "rho", "rho_softmax"])
@pytest.mark.parametrize("match", ["end", "anywhere"])
@pytest.mark.parametrize("semiring", SEMIRINGS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_exports_score_as_the_classifier_does(
    tmp_path, semiring, match, readout, dtype
):
    clf = fitted(semiring, match, readout, dtype)
    X = some_documents()
    factor = X.lengths[:, None] ** clf.automata_.length_exponent
    expected = clf.transform(X) * factor
    assert np.all(expected[0] == 0)
    rtol = 1e-10 if dtype == "float64" else 1e-5
    # Paths that cancel leave an error of some units in the last place of the largest.
    near = {"rtol": rtol, "atol": rtol * 1e-1 * abs(expected).max()}

    files = to_openfst(clf, tmp_path / "new" / "folder", X)
    documents = numbered(words_of(X), tmp_path / "new" / "folder")
    np.testing.assert_allclose(
        scores_of_files(files, documents, semiring), expected, **near
    )
    for wfsa in range(3):
        graph = to_networkx(clf, wfsa, X)
        scores = scores_of_graph(graph, words_of(X))
        np.testing.assert_allclose(scores, expected[:, wfsa], **near)


class Given(BaseEstimator):
    """An estimator of given automata."""

    def __init__(self, automata=None):
        self.automata = automata

    def fit(self, X=None, y=None):
        self.fitted_ = True
        return self

    @property
    def n_features_in_(self):
        return self.automata_.W_u.shape[1]

    @property
    def automata_(self):
        return self.automata


def given_automata(lengths=(2,), n_features=3, *, seed=0, **changes):
    rng = np.random.default_rng(seed)
    n, d = sum(lengths), len(lengths)
    parts = {
        "W_u": rng.normal(size=(n, n_features)),
        "W_f": rng.normal(size=(n, n_features)),
        "b_f": rng.normal(size=n),
        "final": np.ones(n),
        "lengths": tuple(lengths),
        "numbers": tuple(range(1, 2 * d, 2)),
        "coef": rng.normal(size=(2, d)),
        "intercept": np.zeros(2),
    }
    return Given(WeightedAutomata(**{**parts, **changes})).fit()


def vocabulary(labels, n_features=3, seed=0):
    features = np.random.default_rng(seed).normal(size=(len(labels), n_features))
    labels = None if labels is None else np.array(labels, dtype=object)
    return SequenceArray(features, np.arange(len(features) + 1), labels=labels)


@st.composite
def drawn(draw):
    lengths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    model = given_automata(
        lengths,
        seed=seed,
        final=rng.choice([0.0, 0.25, 1.0, 3.0], sum(lengths)),
        semiring=draw(st.sampled_from(SEMIRINGS)),
        match=draw(st.sampled_from(["anywhere", "end"])),
        length_exponent=draw(st.sampled_from([0.0, 0.5])),
    )
    sizes = draw(st.lists(st.integers(0, 7), min_size=1, max_size=4))
    return model, vocabulary(["a", "b", "c", "d"], seed=seed), sizes, rng


@settings(max_examples=60, derandomize=True)
@given(drawn())
def test_drawn_automata_score_as_the_reference_does(tmp_path_factory, problem):
    model, X, sizes, rng = problem
    automata = model.automata_
    ids = rng.integers(0, 4, sum(sizes)).astype(np.int32)
    offsets = np.cumsum([0, *sizes])
    tensors = (
        torch.tensor(a, dtype=torch.float64)
        for a in (X.features, automata.W_u, automata.W_f, automata.b_f, automata.final)
    )
    expected = document_scores(
        *tensors, ids, offsets, automata.lengths,
        anywhere=automata.match == "anywhere", semiring=automata.semiring,
    ).numpy()  # fmt: skip
    documents = np.split(ids + 1, offsets[1:-1])
    folder = tmp_path_factory.mktemp("drawn")
    files = to_openfst(model, folder, X)
    near = {"rtol": 1e-10, "atol": 1e-13}
    np.testing.assert_allclose(
        scores_of_files(files, documents, automata.semiring), expected, **near
    )
    words = [["abcd"[i - 1] for i in document] for document in documents]
    for wfsa in range(automata.n_wfsas):
        scores = scores_of_graph(to_networkx(model, wfsa, X), words)
        np.testing.assert_allclose(scores, expected[:, wfsa], **near)


def test_file_of_a_plus_times_automaton(tmp_path):
    model = given_automata((2,), final=np.array([0.0, 0.5]))
    X = vocabulary(["a", "b"])
    assert to_openfst(model, tmp_path, X) == {0: [tmp_path / "wfsa_0.txt"]}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["symbols.txt", "wfsa_0.txt"]
    u, f = model.automata_.transition_weights(X.features)
    (a1, a2), (b1, b2) = u.tolist()
    (c1, c2), (d1, d2) = f.tolist()
    # repr gives the same double when it is read.
    assert (tmp_path / "wfsa_0.txt").read_text() == (
        "0\t0\ta\t1.0\n0\t0\tb\t1.0\n"
        f"0\t1\ta\t{a1!r}\n0\t1\tb\t{b1!r}\n1\t1\ta\t{c1!r}\n1\t1\tb\t{d1!r}\n"
        f"1\t2\ta\t{a2!r}\n1\t2\tb\t{b2!r}\n2\t2\ta\t{c2!r}\n2\t2\tb\t{d2!r}\n"
        "2\t3\t<eps>\t0.5\n3\t3\ta\t1.0\n3\t3\tb\t1.0\n3\t1.0\n"
    )


def test_a_max_semiring_has_a_file_for_each_final_state(tmp_path):
    final = np.array([0.5, 0.0, 1.0])
    model = given_automata((3,), final=final, semiring="max-plus", match="end")
    X = vocabulary(["a", "b"])
    files = to_openfst(model, tmp_path, X)
    assert [p.name for p in files[0]] == ["wfsa_0_state_1.txt", "wfsa_0_state_3.txt"]
    u, f = model.automata_.transition_weights(X.features)
    arcs, ends = read_acceptor(files[0][0], {"a": 1, "b": 2})
    assert arcs == [
        (0, 0, 1, 0.0), (0, 0, 2, 0.0),
        (0, 1, 1, 0.5 * u[0, 0]), (0, 1, 2, 0.5 * u[1, 0]),
        (1, 1, 1, 0.5 * f[0, 0]), (1, 1, 2, 0.5 * f[1, 0]),
    ]  # fmt: skip
    assert ends == {1: 0.0}


def test_automata_that_are_asked_for_are_written(tmp_path):
    model, X = given_automata((1, 2, 1)), vocabulary(["a"])
    files = to_openfst(model, tmp_path, X, wfsas=[np.int64(2), 0, 2])
    assert files == {2: [tmp_path / "wfsa_2.txt"], 0: [tmp_path / "wfsa_0.txt"]}
    assert not (tmp_path / "wfsa_1.txt").exists()


@pytest.mark.parametrize("match", ["end", "anywhere"])
def test_an_automaton_without_final_states_scores_nothing(tmp_path, match):
    X = vocabulary(["a"])
    for semiring in SEMIRINGS:
        model = given_automata(final=np.zeros(2), semiring=semiring, match=match)
        files = to_openfst(model, tmp_path, X)
        assert scores_of_files(files, [[1, 1, 1]], semiring).tolist() == [[0.0]]
        assert scores_of_graph(to_networkx(model, 0, X), [["a", "a"]]) == [0.0]


@pytest.mark.parametrize("match", ["end", "anywhere"])
@pytest.mark.parametrize("semiring", SEMIRINGS)
def test_negative_logarithms_are_weights_of_openfst(tmp_path, semiring, match):
    rng = np.random.default_rng(0)
    model = given_automata(
        (1, 3), W_u=rng.uniform(size=(4, 3)), final=np.array([1.0, 0.5, 0.0, 0.75]),
        semiring=semiring, match=match,
    )  # fmt: skip
    positive = SequenceArray(
        rng.uniform(size=(4, 3)), [0, 4], labels=np.array(list("abcd"))
    )
    documents = [rng.integers(1, 5, size) for size in (0, 1, 5, 9)]
    real = to_openfst(model, tmp_path / "real", positive)
    expected = scores_of_files(real, documents, semiring)
    files = to_openfst(model, tmp_path / "logs", positive, weights="negative_log")
    ring = "log" if semiring == "plus-times" else "tropical"
    back = (lambda w: -w) if semiring == "max-plus" else (lambda w: math.exp(-w))
    np.testing.assert_allclose(
        scores_of_files(files, documents, ring, back), expected, rtol=1e-10
    )
    for paths in files.values():
        for path in paths:
            assert "\t-0.0\n" not in path.read_text()
            assert path.read_text().startswith("0\t0\ta\t0.0\n")


def test_the_negative_logarithm_of_nothing_is_infinity(tmp_path):
    model = given_automata((1,), W_u=np.zeros((1, 3)))
    files = to_openfst(model, tmp_path, vocabulary(["a"]), weights="negative_log")
    assert "0\t1\ta\tInfinity\n" in files[0][0].read_text()


def test_the_first_negative_weight_is_named(tmp_path):
    W_u = np.array([[1.0], [1.0], [-1.0]])
    model = given_automata((1, 2), 1, W_u=W_u, W_f=np.zeros((3, 1)), b_f=np.zeros(3))
    X = SequenceArray([[0.0], [2.0], [3.0]], [0, 3], labels=["a", "b c", "d"])
    message = r"WFSA 1 enters state 2 with -1 on 'b c'. Write weights='real'"
    with pytest.raises(ValueError, match=message):
        to_openfst(model, tmp_path / "new", X, weights="negative_log")
    assert not list(tmp_path.iterdir())
    to_openfst(model, tmp_path, X, weights="negative_log", wfsas=[0])


WORDS = [
    "plain", "two words", "tab\there", "line\nfeed", "\r", "", "<eps>", "<empty>", "\\",
    "\\u0020", "<", "é", "日本", "👍🏽", "\u00a0", "\u2028",
    "\u200d", "\x00", "\x85", "\U000e0020", "\ud800", "\ufeff", "-1", "0",
    "\\u003ceps>", "\\n", "\\x41", "\\", "plain", "ÿ",
]  # fmt: skip


def test_any_word_can_be_a_symbol(tmp_path):
    model, X = given_automata((1,)), vocabulary(WORDS)
    files = to_openfst(model, tmp_path, X)
    words, numbers = read_symbols(tmp_path)
    assert words == list(dict.fromkeys(WORDS))
    arcs, _ = read_acceptor(files[0][0], numbers)
    entering = [arc for arc in arcs if arc[:2] == (0, 1)]
    # A word of several rows has the weight of the first.
    first = [WORDS.index(word) for word in words]
    u, _ = model.automata_.transition_weights(X.features[first])
    assert [(number, weight) for *_, number, weight in entering] == list(
        enumerate(u[:, 0].tolist(), 1)
    )
    graph = to_networkx(model, 0, X)
    assert list(graph[0][1]) == words
    assert [edge["label"] for edge in graph[0][1].values()] == words
    assert graph.number_of_edges(2, 2) == len(words)
    assert dict(graph[1][2]) == {
        "<eps>": {"label": None, "weight": 1.0, "kind": "final"}
    }


@settings(max_examples=200, derandomize=True)
@given(st.text())
def test_symbols_are_read_back(word):
    symbol = openfst._symbol(word)
    assert symbol and symbol != "<eps>" and not any(c.isspace() for c in symbol)
    assert unescape(symbol) == word
    symbol.encode("utf-8")


def test_words_without_labels_are_rows(tmp_path):
    X = SequenceArray(np.eye(3), [0, 3])
    to_openfst(given_automata(), tmp_path, X)
    assert read_symbols(tmp_path)[0] == ["#0", "#1", "#2"]


def test_the_words_of_a_pipeline_are_the_default(tmp_path):
    data = planted()
    clf = SparseRationalClassifier(
        n_wfsas=2, max_epochs=1, warmup_epochs=0, finetune_epochs=1, lambda_=0,
        random_state=0,
    )  # fmt: skip
    pipeline = make_pipeline(WordVectorizer(data.vectors), clf)
    pipeline.fit(data.texts, data.y)
    to_openfst(pipeline, tmp_path)
    words, _ = read_symbols(tmp_path)
    assert set(data.vectors) <= set(words)
    some = to_networkx(pipeline, 0, data.texts[:1])
    assert set(data.documents[0]) <= set(some[0][1])


def entries(folder):
    return {
        str(p.relative_to(folder)): p.read_bytes() if p.is_file() else None
        for p in Path(folder).rglob("*")
    }


@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize("failing", [1, 2, 3])
def test_a_full_disk_leaves_the_folder_as_it_was(
    tmp_path, monkeypatch, existing, failing
):
    folder = tmp_path / "deep" / "folder"
    if existing:
        folder.mkdir(parents=True)
        for name in ("symbols.txt", "wfsa_0.txt", "other.txt"):
            (folder / name).write_text("before")
    before = entries(tmp_path)
    write, calls = openfst._write, []

    def fail(home, name, lines):
        calls.append(name)
        if len(calls) < failing:
            return write(home, name, lines)
        (Path(home) / name).write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(openfst, "_write", fail)
    model, X = given_automata((1, 2)), vocabulary(["a"])
    with pytest.raises(OSError, match="No space left"):
        to_openfst(model, folder, X)
    assert len(calls) == failing
    assert entries(tmp_path) == before
    monkeypatch.undo()
    to_openfst(model, folder, X)
    names = {"symbols.txt", "wfsa_0.txt", "wfsa_1.txt"}
    if existing:
        names.add("other.txt")
    assert {p.name for p in folder.iterdir()} == names
    assert "before" not in (folder / "wfsa_0.txt").read_text()


def test_a_folder_in_the_place_of_a_file_is_told_before_a_file_is_replaced(tmp_path):
    (tmp_path / "symbols.txt").write_text("before")
    (tmp_path / "wfsa_0.txt").mkdir()
    before = entries(tmp_path)
    with pytest.raises(IsADirectoryError, match=r"wfsa_0\.txt"):
        to_openfst(given_automata(), tmp_path, vocabulary(["a"]))
    assert entries(tmp_path) == before


def test_lines_are_written_as_they_come(tmp_path):
    X = SequenceArray(np.zeros((50_000, 1)), [0, 50_000])
    model = given_automata((2,), 1)
    lines = openfst._lines(
        build_machine(model.automata_, *[np.zeros((50_000, 2))] * 2, [1.0, 1.0]),
        [str(i) for i in range(50_000)], "real", "plus-times",
    )  # fmt: skip
    assert next(lines) == "0\t0\t0\t1.0\n"
    to_openfst(model, tmp_path, X)
    with open(tmp_path / "wfsa_0.txt", encoding="utf-8") as file:
        assert sum(1 for _ in file) == 6 * 50_000 + 3


def test_permissions_are_those_of_any_file(tmp_path):
    (tmp_path / "usual").mkdir()
    (tmp_path / "usual" / "file").write_text("")
    to_openfst(given_automata(), tmp_path / "new", vocabulary(["a"]))
    for new, usual in (("new", "usual"), ("new/wfsa_0.txt", "usual/file")):
        assert os.stat(tmp_path / new).st_mode == os.stat(tmp_path / usual).st_mode


@pytest.mark.parametrize("match", ["end", "anywhere"])
@pytest.mark.parametrize("semiring", SEMIRINGS)
def test_graph_attributes(semiring, match):
    final = np.array([1.0, 0.5, 0.0, 0.75])
    model = given_automata((1, 3), final=final, semiring=semiring, match=match)
    automata = model.automata_
    graph = to_networkx(model, 1, vocabulary(["a", "b"]))
    assert graph.graph == {
        "wfsa": 1, "number": 3, "semiring": semiring, "match": match,
        "length_exponent": 0.0, "coef": automata.coef[:, 1].tolist(),
    }  # fmt: skip
    if match == "end":
        ends = {1: 0.5, 3: 0.75}
    else:
        ends = {4: 1.0} if semiring == "plus-times" else {4: 0.5, 5: 0.75}
    assert list(graph) == sorted({0, 1, 2, 3} | set(ends))
    assert [n for n, initial in graph.nodes(data="initial") if initial] == [0]
    assert {n: w for n, w in graph.nodes(data="final") if w} == ends
    kinds = {(s, t): kind for s, t, kind in graph.edges(data="kind")}
    steps = {(0, 0): "start"}
    for k in (1, 2, 3):
        steps |= {(k - 1, k): "main path", (k, k): "self-loop"}
    if match == "anywhere":
        low, high = min(ends), max(ends)
        steps |= dict.fromkeys([(1, low), (3, high), (low, low), (high, high)], "final")
    assert kinds == steps
    for _, _, key, data in graph.edges(keys=True, data=True):
        assert key == (data["label"] or "<eps>")
        assert type(data["weight"]) is float


@pytest.mark.parametrize("semiring", SEMIRINGS)
def test_a_graph_keeps_the_words_of_the_largest_weights(semiring):
    labels = list("abcdefgh")
    model, X = given_automata(semiring=semiring), vocabulary(labels)
    u, f = model.automata_.transition_weights(X.features)
    graph = to_networkx(model, 0, X, n_words=3)
    for k in (1, 2):
        for edge, weights in ((graph[k - 1][k], u), (graph[k][k], f)):
            column = weights[:, k - 1]
            size = column if semiring == "max-plus" else abs(column)
            largest = sorted(range(8), key=lambda i: -size[i])[:3]
            assert list(edge) == [labels[i] for i in sorted(largest)]
            assert [d["weight"] for d in edge.values()] == column[
                sorted(largest)
            ].tolist()
    assert list(graph[0][0]) == ["a", "b", "c"]
    everything = to_networkx(model, 0, X, n_words=100)
    assert everything.edges == to_networkx(model, 0, X).edges


def test_bad_input_is_told_before_a_file_is_written(tmp_path):
    model, X = given_automata((1, 2)), vocabulary(["a"])
    wide = np.ones((1, 2, 5))
    folder, file = tmp_path / "folder", tmp_path / "file"
    file.write_text("text")
    before = entries(tmp_path)
    unfitted = SparseRationalClassifier()
    no_words = SequenceArray(np.empty((0, 3)), [0, 0])
    empty = given_automata((), coef=np.zeros((1, 0)))
    for error, message, call in [
        (NotFittedError, "fitted", lambda: to_openfst(unfitted, folder, X)),
        (NotFittedError, "fitted", lambda: to_networkx(unfitted, 0, X)),
        (TypeError, "expected a fitted", lambda: to_openfst(object(), folder, X)),
        (ValueError, "no WFSA left", lambda: to_openfst(empty, folder, X)),
        (ValueError, "no WFSA left", lambda: to_networkx(empty, 0, X)),
        (ValueError, "0 to 1", lambda: to_openfst(model, folder, X, wfsas=[0, 2])),
        (TypeError, "integer", lambda: to_openfst(model, folder, X, wfsas=[0, 1.0])),
        (TypeError, "sequence", lambda: to_openfst(model, folder, X, wfsas="01")),
        (ValueError, "wfsas is empty", lambda: to_openfst(model, folder, X, wfsas=[])),
        (TypeError, "sequence", lambda: to_openfst(model, folder, X, wfsas=1)),
        (ValueError, "0 to 1", lambda: to_networkx(model, -1, X)),
        (ValueError, "'log'", lambda: to_openfst(model, folder, X, weights="log")),
        (ValueError, "X is None", lambda: to_openfst(model, folder)),
        (ValueError, "X is None", lambda: to_networkx(model)),
        (ValueError, "no words", lambda: to_openfst(model, folder, no_words)),
        (ValueError, "5 features", lambda: to_openfst(model, folder, wide)),
        (NotADirectoryError, "is a file", lambda: to_openfst(model, file, X)),
        (NotADirectoryError, "is a file", lambda: to_openfst(model, file / "on", X)),
        (ValueError, "n_words is 0", lambda: to_networkx(model, 0, X, n_words=0)),
        (ValueError, "n_words is 1.5", lambda: to_networkx(model, 0, X, n_words=1.5)),
        (ValueError, "n_words is True", lambda: to_networkx(model, 0, X, n_words=True)),
    ]:  # fmt: skip
        with pytest.raises(error, match=message):
            call()
        assert entries(tmp_path) == before


def test_without_networkx_the_error_says_so(monkeypatch):
    monkeypatch.setitem(sys.modules, "networkx", None)
    with pytest.raises(ImportError, match="pip install networkx"):
        to_networkx(given_automata(), 0, vocabulary(["a"]))


def test_a_relative_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = to_openfst(given_automata(), "here", vocabulary(["a"]))
    assert files[0] == [tmp_path / "here" / "wfsa_0.txt"]
    to_openfst(given_automata(), ".", vocabulary(["a"]))
    assert {p.name for p in tmp_path.iterdir()} == {"here", "symbols.txt", "wfsa_0.txt"}
