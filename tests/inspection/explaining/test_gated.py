"""Explanations of gated networks beside plain predictions of shortened documents."""

import json
import pickle
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from scipy.special import logit
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.pipeline import make_pipeline

from skrational import (
    SequenceArray,
    SparseGRUClassifier,
    SparseLSTMClassifier,
    SparseRationalClassifier,
    WordVectorizer,
)
from skrational.datasets import make_planted_patterns
from skrational.inspection import (
    Explanation,
    ExplanationDisplay,
    Explanations,
    GatedExplanation,
    explain,
)
from skrational.inspection.explaining import deletions, gated

THREE = {"patterns": (2, 2), "class_of_pattern": (1, 2)}
QUICK = {"lambda_": 0, "min_steps_per_epoch": 1, "random_state": 0}
QUICK |= {"warmup_epochs": 0, "max_epochs": 2, "finetune_epochs": 0}


def quick(data, estimator=SparseLSTMClassifier, **params):
    names = np.array(["zero", "one", "two"])
    return estimator(n_units=4, **QUICK | params).fit(data.X, names[data.y])


@pytest.fixture(scope="module", params=[{}, THREE], ids=["two", "three"])
def data(request):
    return make_planted_patterns(60, n_features=5, random_state=0, **request.param)


@pytest.fixture(
    scope="module",
    params=[
        (SparseLSTMClassifier, {}),
        (SparseLSTMClassifier, {"readout": "last", "dtype": "float64"}),
        (SparseGRUClassifier, {"length_exponent": 0}),
    ],
    ids=["LSTM", "last", "GRU"],
)
def clf(data, request):
    estimator, params = request.param
    return quick(data, estimator, **params)


@pytest.fixture(scope="module")
def planted():
    return make_planted_patterns(60, n_features=5, random_state=0)


@pytest.fixture(scope="module")
def pipeline(planted):
    clf = SparseLSTMClassifier(n_units=4, **QUICK)
    steps = make_pipeline(WordVectorizer(planted.vectors), clf)
    return steps.fit(planted.texts, planted.y)


@pytest.fixture(scope="module")
def texts(planted):
    return planted.texts


def log_odds(clf, documents, label):
    """From the probabilities, as a user would compute them."""
    column = list(clf.classes_).index(label)
    return logit(clf.predict_proba(documents)[:, column].astype(float))


def test_effects_are_those_of_shortened_documents(clf, data):
    documents = data.X[:4].to_list()
    for e, document in zip(explain(clf, documents), documents, strict=True):
        here = log_odds(clf, [document], e.prediction)
        shorter = [np.delete(document, t, axis=0) for t in range(len(document))]
        effects = here - log_odds(clf, shorter, e.prediction)
        np.testing.assert_allclose(e.effects, effects, atol=1e-5)
        empty = log_odds(clf, [document[:0]], e.prediction)
        assert e.remainder == pytest.approx(here - empty - effects.sum(), abs=1e-4)
        assert abs(e.remainder) > 1e-3


def test_a_logit_is_the_bias_and_what_units_add(clf, data):
    logits = clf.decision_function(data.X).reshape(len(data.X), -1)
    explanations = explain(clf, data.X)
    for e, expected in zip(explanations, logits, strict=True):
        np.testing.assert_array_equal(e.logits, expected)
        total = e.bias + e.contributions.sum(axis=1)
        np.testing.assert_allclose(total, expected, rtol=0, atol=1e-12)
        assert e.numbers == clf.learned_structure_.units
        assert e.gates == clf.learned_structure_.parts()
    assert [e.prediction for e in explanations] == list(clf.predict(data.X))
    np.testing.assert_array_equal(
        [e.scores for e in explanations], clf.transform(data.X)
    )


@pytest.mark.parametrize("most", [1, 7, 100])
def test_effects_do_not_depend_on_how_many_are_computed_at_once(
    clf, data, monkeypatch, most
):
    expected = explain(clf, data.X[:6])
    for module in (deletions, gated):
        monkeypatch.setattr(module, "MOST_TOKENS", most)
    for one, other in zip(explain(clf, data.X[:6]), expected, strict=True):
        np.testing.assert_allclose(one.effects, other.effects, rtol=0, atol=1e-6)


def test_no_more_tokens_are_predicted_at_once_than_are_allowed(clf, data, monkeypatch):
    monkeypatch.setattr(deletions, "MOST_TOKENS", 200)
    sizes = []
    scores = type(clf)._scores

    def counted(self, X):
        sizes.append(X.n_tokens)
        return scores(self, X)

    monkeypatch.setattr(type(clf), "_scores", counted)
    document = np.concatenate(data.X[:4].to_list())[:50]
    explain(clf, [document])
    assert sizes[0] == 50
    assert sum(sizes[1:]) == 50 * 49
    assert max(sizes) <= 200


@pytest.mark.parametrize("n_tokens", [0, 1])
def test_the_shortest_documents(clf, data, n_tokens):
    document = data.X[0][:n_tokens]
    (e,) = explain(clf, [document])
    assert e.effects.shape == (n_tokens,)
    assert e.remainder == pytest.approx(0, abs=1e-6)
    if not n_tokens:
        np.testing.assert_array_equal(e.logits, e.bias)
        assert "the document is empty" in e.to_text()
        assert "add up" not in e.to_text()
    e.to_html()
    json.loads(e.to_json())


def test_documents_of_all_lengths_together(clf, data):
    documents = [data.X[i][:n] for i, n in enumerate((0, 3, 0, 1, 5, 0))]
    explanations = explain(clf, documents)
    assert [len(e.tokens) for e in explanations] == [0, 3, 0, 1, 5, 0]
    for e, document in zip(explanations, documents, strict=True):
        alone = explain(clf, [document])[0]
        np.testing.assert_allclose(e.effects, alone.effects, atol=1e-6)


def test_features_of_types_and_of_tokens_are_explained_alike(clf, data):
    X = data.X[:5]
    of_tokens = SequenceArray(X.features[X.row_numbers()], X.offsets)
    for one, other in zip(explain(clf, X), explain(clf, of_tokens), strict=True):
        np.testing.assert_allclose(one.effects, other.effects, atol=1e-6)


@pytest.mark.filterwarnings("ignore:1 of 1 texts hold no word")
def test_raw_texts_and_unknown_words(pipeline, texts):
    e = explain(pipeline, texts[0])
    assert isinstance(e, GatedExplanation)
    assert isinstance(e, Explanation)
    words = texts[0].split()
    assert [t for t in e.tokens if t not in ("<s>", "</s>")] == words
    assert explain(pipeline, texts[:2])[0] == e
    known = explain(pipeline, f"{words[0]} neverheardof")
    assert known.tokens[-2:] == ("<unk>", "</s>")
    assert "1 of 2 words unknown" in known.to_text()
    assert explain(pipeline, "neverheardof").n_unknown == 1
    assert explain(pipeline, "").n_words == 0


@pytest.mark.parametrize(
    "around",
    [
        FrozenEstimator,
        lambda p: make_pipeline(make_pipeline(p[0]), FrozenEstimator(p[1])),
        lambda p: FixedThresholdClassifier(FrozenEstimator(p)),
        lambda p: CalibratedClassifierCV(p, cv=2, ensemble=False),
        lambda p: GridSearchCV(p, {"sparselstmclassifier__lambda_": [0]}, cv=2),
    ],
    ids=["frozen", "nested", "threshold", "calibrated", "search"],
)
def test_the_classifier_is_found_in_what_holds_it(pipeline, planted, around):
    outer = around(pipeline).fit(planted.texts, planted.y)
    found = replace(explain(outer, planted.texts[0]), verdicts=())
    assert found == explain(pipeline, planted.texts[0])


@pytest.mark.parametrize(
    "name",
    [
        "best",
        "worst",
        "paths",
        "shares",
        "main_path_weights",
        "self_loop_weights",
        "token_weights",
        "probabilities_without",
        "predictions_without",
    ],
)
def test_what_is_about_paths_says_that_there_are_none(pipeline, texts, name):
    e = explain(pipeline, texts[0])
    with pytest.raises(AttributeError, match=f"^{name} is about the paths of weighted"):
        getattr(e, name)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = e.nonsense


def test_explanations_are_values(pipeline, texts):
    explanations = explain(pipeline, texts[:3])
    assert isinstance(explanations, Explanations)
    assert pickle.loads(pickle.dumps(explanations)) == explanations
    assert explanations[0] != explanations[1]
    assert repr(explanations[0]) == explanations[0].to_text()


def test_json_is_plain_and_complete(pipeline, texts):
    explanations = explain(pipeline, texts[:3])
    records = json.loads(explanations.to_json())
    assert records == explanations.to_dict()
    first = records[0]
    assert first["effects"] == explanations[0].effects.tolist()
    assert first["remainder"] == explanations[0].remainder
    total = sum(unit["contributions"][0] for unit in first["units"])
    assert first["bias"][0] + total == pytest.approx(first["logits"][0], abs=1e-12)
    assert "wfsas" not in first


def test_a_frame_has_a_row_for_each_document_and_unit(pipeline, texts):
    pytest.importorskip("pandas")
    explanations = explain(pipeline, texts[:3])
    frame = explanations.to_frame()
    columns = ["document", "prediction", "unit", "gates", "score", "contribution"]
    assert list(frame.columns) == columns
    sums = frame.groupby("document")["contribution"].sum() + explanations[0].bias[0]
    np.testing.assert_allclose(sums, [e.logits[0] for e in explanations])


class Text(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.pieces = []
        self.feed(html)

    def handle_data(self, data):
        self.pieces.append(data)


def test_text_and_html_say_that_effects_do_not_add_up(clf, data):
    (e,) = explain(clf, data.X[:1])
    html = " ".join(Text(e.to_html()).pieces)
    for shown in (" ".join(e.to_text().split()), html):
        assert "token effects, each exact by itself, don't add up" in shown
        assert "gates that vary" in shown
        for word in ("WFSA", "phrase", "share"):
            assert word not in shown
    written = html.partition("they sum to ")[2].split()[0].strip(",")
    assert float(written) == pytest.approx(e.effects.sum(), abs=0.01)
    rest = html.partition("difference of ")[2].split()[0]
    assert float(rest) == pytest.approx(e.remainder, abs=0.01)


def test_units_are_called_by_their_numbers_before_pruning(clf, data):
    (e,) = explain(clf, data.X[:1])
    object.__setattr__(e, "numbers", (3, 14, 15, 92))
    object.__setattr__(e, "gates", ("g", "-", e.gates[2], e.gates[3]))
    rows = [line.split() for line in e.to_text().splitlines()]
    first = {row[0]: row for row in rows}
    assert first["3"][2:] == ["g"]
    assert first["14"][2:] == ["none"]
    assert ", ".join(e.gates[3]).split() == first["92"][2:]
    assert "<td" in e.to_html()


def test_markup_in_tokens_and_classes_is_escaped(data):
    names = np.array(["<b>no</b>", "<i>yes</i>", "<u>maybe</u>"])
    clf = SparseLSTMClassifier(n_units=2, **QUICK).fit(data.X, names[data.y])
    X = data.X[:1]
    labels = [f"<script>{i}</script>" for i in range(len(X.features))]
    X = SequenceArray(X.features, X.offsets, X.row_numbers(), labels)
    html = explain(clf, X)[0].to_html()
    for tag in ("<b>no", "<i>yes", "<u>maybe", "<script>"):
        assert tag not in html


def test_an_emptied_network_is_explained_by_the_bias(data):
    with pytest.warns(UserWarning, match="removed every unit"):
        clf = quick(data, lambda_=1e3)
    (e,) = explain(clf, data.X[:1])
    np.testing.assert_array_equal(e.logits, e.bias)
    np.testing.assert_array_equal(e.effects, 0)
    assert "no unit is left: the bias alone decides" in e.to_text()
    assert "no unit is left: the bias alone decides" in e.to_html()


def test_the_picture_of_an_explanation(clf, data):
    figure = pytest.importorskip("matplotlib.figure")
    ax = figure.Figure(figsize=(8, 6)).subplots()
    display = ExplanationDisplay.from_estimator(clf, data.X[:1], ax=ax)
    e = display.explanation
    target = e.logits[e.output]
    assert sum(bar.get_width() for bar in display.bars_) == pytest.approx(target)
    labels = [label.get_text() for label in display.phrases_]
    assert labels[0] == "bias"
    assert labels[1].startswith(f"unit {e.numbers[e.order[0]]}, varying gates: ")


def test_rational_explanations_have_a_remainder_and_no_gates(data):
    clf = SparseRationalClassifier(n_wfsas=2, **QUICK).fit(data.X, data.y)
    (e,) = explain(clf, data.X[:1])
    label = e.prediction
    gained = log_odds(clf, data.X[:1], label) - log_odds(clf, [data.X[0][:0]], label)
    assert e.effects.sum() + e.remainder == pytest.approx(gained[0], abs=1e-4)
    assert e.gates == ()
    assert "add up" not in e.to_text() + e.to_html()
