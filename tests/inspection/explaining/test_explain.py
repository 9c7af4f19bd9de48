"""Explanations beside enumeration, numerical derivatives and plain predictions."""

import json
from functools import partial

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, log_expit
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrational import (
    SequenceArray,
    SparseRationalClassifier,
    SparseRationalClassifierCV,
    WordVectorizer,
)
from skrational.datasets import make_planted_patterns
from skrational.inspection import Explanation, Explanations, explain, find_paths

SETTINGS = [
    {},
    {"match": "end"},
    {"readout": "last"},
    {"readout": "rho", "length_exponent": 1.0},
    {"semiring": "max-times"},
    {"semiring": "max-plus", "match": "end"},
    {"semiring": "max-plus", "readout": "rho"},
]


def quick(**params):
    settings = {
        "n_wfsas": 3,
        "n_states": 3,
        "lambda_": 0,
        "min_steps_per_epoch": 1,
        "warmup_epochs": 2,
        "max_epochs": 3,
        "finetune_epochs": 2,
        "random_state": 0,
    }
    return SparseRationalClassifier(**(settings | params))


@pytest.fixture(scope="module")
def data():
    return make_planted_patterns(120, n_features=10, random_state=0)


@pytest.fixture(scope="module")
def three_classes():
    return make_planted_patterns(
        150, patterns=(2, 2), class_of_pattern=(1, 2), n_features=10, random_state=0
    )


@pytest.fixture(scope="module")
def pipeline(data):
    vectorizer = WordVectorizer(data.vectors, start_token=None)
    return make_pipeline(vectorizer, quick()).fit(data.texts, data.y)


def document(X, rows):
    """The type-level document of some rows."""
    return SequenceArray(X.features, [0, len(rows)], rows, X.labels)


def weights_of(clf, x):
    """The weights u and f of tokens, from the equations."""
    w = {name: array.astype(float) for name, array in clf.weights_.items()}
    z_u, z_f = x @ w["W_u"].T, x @ w["W_f"].T + w["b_f"]
    if clf.semiring == "plus-times":
        return (1 - expit(z_f)) * z_u, expit(z_f)
    return expit(z_u), log_expit(z_f) if clf.semiring == "max-plus" else expit(z_f)


def log_score(clf, paths, n_tokens):
    """Logarithm of a WFSA's score from all its paths; in max-plus the score."""
    if clf.semiring == "plus-times":
        return np.log(abs(sum(path.score for path in paths)))
    best = {}
    for path in paths:
        k = len(path.entries)
        best[k] = max(best.get(k, -np.inf), path.score)
    score = sum(best.values())
    return score if clf.semiring == "max-plus" else np.log(score)


@pytest.mark.parametrize("params", SETTINGS, ids=str)
def test_contributions_add_up_to_the_logit(data, params):
    clf = quick(**params).fit(data.X, data.y)
    logits = clf.decision_function(data.X)
    for explanation, logit in zip(explain(clf, data.X), logits, strict=True):
        total = explanation.bias + explanation.contributions.sum(axis=1)
        np.testing.assert_allclose(total, logit, rtol=0, atol=1e-12)
        assert explanation.logits == logit


def test_contributions_add_up_to_the_logit_of_each_class(three_classes):
    X, y = three_classes.X, np.array(["zero", "one", "two"])[three_classes.y]
    clf = quick(n_wfsas=5).fit(X, y)
    explanations = explain(clf, X)
    totals = [e.bias + e.contributions.sum(axis=1) for e in explanations]
    np.testing.assert_allclose(totals, clf.decision_function(X), rtol=0, atol=1e-12)
    assert [e.prediction for e in explanations] == clf.predict(X).tolist()
    np.testing.assert_array_equal(
        [e.probabilities for e in explanations], clf.predict_proba(X)
    )
    for e in explanations:
        row = clf.classes_.tolist().index(e.prediction)
        np.testing.assert_array_equal(e.support, e.contributions[row])


def test_large_logits_are_split_as_exactly(data):
    clf = quick().fit(data.X, data.y)
    clf.coef_ = 1e3 * clf.coef_
    logits = clf.decision_function(data.X)
    assert abs(logits).max() > 40
    totals = [e.bias + e.contributions.sum() for e in explain(clf, data.X)]
    np.testing.assert_allclose(np.concatenate(totals), logits, rtol=1e-14)


@pytest.mark.parametrize("params", SETTINGS, ids=str)
def test_shares_and_weights_equal_those_of_all_paths(data, all_paths, params):
    clf = quick(**params).fit(data.X, data.y)
    automata = clf.automata_
    anywhere, additive = clf.match == "anywhere", clf.semiring == "max-plus"
    for n_tokens in (1, 2, 5, 7):
        rows = np.arange(n_tokens) + 3
        X = document(data.X, rows)
        (e,) = explain(clf, X)
        u, f = weights_of(clf, X[0].astype(float))
        for i in range(automata.n_wfsas):
            states = automata.states(i)
            enumerate_all = partial(
                all_paths,
                final=automata.final[states],
                anywhere=anywhere,
                additive=additive,
            )
            paths = list(enumerate_all(u[:, states], f[:, states]))
            if not paths:
                assert e.paths[i] is None and np.isnan(e.shares[i])
                assert not e.token_weights[i].any() and e.scores[i] == 0
                continue
            scale = automata.scale(n_tokens)
            side = max if e.scores[i] >= 0 else min
            leading = side(paths, key=lambda path: path.score)
            np.testing.assert_allclose(e.paths[i].score, leading.score, rtol=1e-10)
            share = leading.score * scale / e.scores[i]
            np.testing.assert_allclose(e.shares[i], share, rtol=1e-4)
            for t in range(n_tokens):
                for kind, weights in (
                    ("u", e.main_path_weights),
                    ("f", e.self_loop_weights),
                ):
                    logs = []
                    for h in (1e-5, -1e-5):
                        # The weights of the token's transitions, times e^h.
                        changed = {"u": u.copy(), "f": f.copy()}
                        if additive:
                            changed[kind][t] += h
                        else:
                            changed[kind][t] *= np.exp(h)
                        moved = list(
                            enumerate_all(
                                changed["u"][:, states], changed["f"][:, states]
                            )
                        )
                        logs.append(log_score(clf, moved, n_tokens))
                    derivative = (logs[0] - logs[1]) / 2e-5
                    np.testing.assert_allclose(
                        weights[i, t], derivative, rtol=1e-4, atol=1e-6
                    )


def test_weights_add_up_to_the_mean_numbers_of_transitions(data, all_paths):
    clf = quick().fit(data.X, data.y)
    X = document(data.X, np.arange(6))
    (e,) = explain(clf, X)
    u, f = weights_of(clf, X[0].astype(float))
    states = clf.automata_.states(1)
    paths = list(
        all_paths(u[:, states], f[:, states], np.ones(3), anywhere=True, additive=False)
    )
    shares = np.array([path.score for path in paths])
    shares /= shares.sum()
    n_main = np.array([len(path.entries) for path in paths])
    n_all = np.array([path.end - path.start for path in paths])
    np.testing.assert_allclose(e.main_path_weights[1].sum(), shares @ n_main)
    np.testing.assert_allclose(e.token_weights[1].sum(), shares @ n_all)


def test_with_one_final_state_the_main_path_weights_add_up_to_its_number(data):
    clf = quick(readout="last").fit(data.X, data.y)
    for e in explain(clf, data.X):
        np.testing.assert_allclose(e.main_path_weights.sum(axis=1), 3, rtol=1e-6)


@pytest.mark.parametrize("params", SETTINGS, ids=str)
def test_effects_are_what_deleting_a_token_changes(data, params):
    clf = quick(dtype="float64", **params).fit(data.X, data.y)
    X = data.X[:5]
    for i, e in enumerate(explain(clf, X)):
        sign = 1 if e.prediction == clf.classes_[1] else -1
        rows = X.rows(i)
        without = [document(X, np.delete(rows, t)) for t in range(len(rows))]
        logits = clf.decision_function(SequenceArray.concatenate(without))
        np.testing.assert_allclose(
            e.effects, sign * (e.logits[0] - logits), rtol=1e-9, atol=1e-11
        )


def test_effects_are_on_the_log_odds_of_the_predicted_class(three_classes):
    clf = quick(dtype="float64").fit(three_classes.X, three_classes.y)
    X = three_classes.X[:3]
    for i, e in enumerate(explain(clf, X)):
        k, rows = list(clf.classes_).index(e.prediction), X.rows(i)
        for t, effect in enumerate(e.effects):
            p = clf.predict_proba(document(X, np.delete(rows, t)))[0, k]
            own = e.probabilities[k]
            change = np.log(own / (1 - own)) - np.log(p / (1 - p))
            np.testing.assert_allclose(effect, change, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("params", SETTINGS[:3], ids=str)
def test_a_phrase_is_cut_out(data, params):
    clf = quick(**params).fit(data.X, data.y)
    X = data.X[:20]
    for i, e in enumerate(explain(clf, X)):
        for j, path in enumerate(e.paths):
            rows = np.delete(X.rows(i), np.arange(*path.span))
            expected = clf.predict_proba(document(X, rows))[0]
            np.testing.assert_array_equal(e.probabilities_without[j], expected)
            assert e.predictions_without[j] == clf.classes_[expected.argmax()]


def test_the_leading_path_is_that_of_the_score_s_sign(data):
    clf = quick().fit(data.X, data.y)
    best, worst = find_paths(clf, data.X)
    explanations = explain(clf, data.X)
    scores = clf.transform(data.X)
    assert (scores < 0).any() and (scores >= 0).any()
    for i, e in enumerate(explanations):
        assert (e.best, e.worst) == (best[i], worst[i])
        for j, path in enumerate(e.paths):
            assert path == (best if scores[i, j] >= 0 else worst)[i][j]


@pytest.mark.filterwarnings("ignore:[0-9]+ of [0-9]+ texts hold no word")
def test_text_sequences_and_a_loaded_pipeline_give_the_same(pipeline, data, tmp_path):
    texts = [*data.texts[:10], "", "no word of it is known"]
    expected = explain(pipeline, texts)
    X = pipeline[0].transform(texts)
    joblib.dump(pipeline, tmp_path / "pipeline.joblib")
    loaded = joblib.load(tmp_path / "pipeline.joblib")
    assert explain(pipeline[-1], X) == expected
    assert explain(pipeline, X) == expected
    assert explain(loaded, texts) == expected
    assert explain(pipeline, texts[0]) == expected[0]
    assert isinstance(explain(pipeline, texts[0]), Explanation)
    joblib.dump(expected, tmp_path / "explanations.joblib")
    assert joblib.load(tmp_path / "explanations.joblib") == expected
    # The same vectors in a list have no labels: all else is the same.
    for e, nameless in zip(
        expected.to_dict(), explain(pipeline[-1], X.to_list()).to_dict(), strict=True
    ):
        assert nameless["tokens"] == [f"#{t}" for t in range(len(e["tokens"]))]
        assert nameless["effects"] == e["effects"]
        assert nameless["logits"] == e["logits"]


def test_a_search_is_explained_by_its_best_pipeline(pipeline, data):
    name = "sparserationalclassifier__lambda_"
    search = GridSearchCV(pipeline, {name: [0, 1e-4]}, cv=2)
    with pytest.raises(NotFittedError):
        explain(search, data.texts[:2])
    search.fit(data.texts, data.y)
    expected = explain(search.best_estimator_, data.texts[:2])
    assert explain(search, data.texts[:2]) == expected


def test_a_search_along_paths_is_explained_by_its_best_classifier(data):
    vectorizer = WordVectorizer(data.vectors)
    search = SparseRationalClassifierCV(
        quick(lambda_=1e-3), lambdas=[1e-3, 1e-2], cv=2, random_state=0
    )
    with pytest.raises(NotFittedError):
        explain(search, data.X)
    pipeline = make_pipeline(vectorizer, search).fit(data.texts, data.y)
    X = vectorizer.transform(data.texts[:3])
    expected = explain(search.best_estimator_, X)
    assert explain(pipeline, data.texts[:3]) == explain(search, X) == expected


def test_an_empty_document_is_explained_by_the_bias(data):
    clf = quick().fit(data.X, data.y)
    (e,) = explain(clf, document(data.X, []))
    assert e.tokens == () and e.paths == (None,) * 3
    assert e.logits == e.bias and not e.contributions.any()
    assert e.token_weights.shape == (3, 0) and e.effects.shape == (0,)
    np.testing.assert_array_equal(
        e.probabilities_without, np.tile(e.probabilities, (3, 1))
    )
    assert json.loads(e.to_json())["wfsas"][0]["path"] is None


def test_a_model_without_automata_is_explained_by_the_bias(data):
    with pytest.warns(ConvergenceWarning):
        clf = quick(lambda_=1e3, max_epochs=10).fit(data.X, data.y)
    for e in explain(clf, data.X[:3]):
        assert e.logits == e.bias and e.contributions.shape == (1, 0)
        np.testing.assert_array_equal(e.effects, 0)
        assert json.loads(e.to_json())["wfsas"] == []


@pytest.mark.filterwarnings("ignore:[0-9]+ of [0-9]+ texts hold no word")
def test_unknown_words_are_explained_as_such(pipeline):
    e = explain(pipeline, "neverheardof")
    assert e.tokens == ("<unk>", "</s>")


def test_json_is_plain_and_complete(pipeline, data):
    explanations = explain(pipeline, data.texts[:3])
    records = json.loads(explanations.to_json())
    assert records == explanations.to_dict()
    first = records[0]
    assert first["tokens"] == list(explanations[0].tokens)
    total = sum(wfsa["contributions"][0] for wfsa in first["wfsas"])
    assert first["bias"][0] + total == pytest.approx(first["logits"][0], abs=1e-12)
    phrase = explanations[0].paths[0].cells(explanations[0].tokens)
    assert first["wfsas"][0]["path"]["phrase"] == phrase


def test_a_frame_has_a_row_for_each_document_and_wfsa(pipeline, data):
    explanations = explain(pipeline, data.texts[:4])
    frame = explanations.to_frame()
    assert len(frame) == 12 and frame["document"].nunique() == 4
    sums = frame.groupby("document")["contribution"].sum() + explanations[0].bias[0]
    np.testing.assert_allclose(sums, [e.logits[0] for e in explanations])


def test_explanations_are_a_sequence(pipeline, data):
    explanations = explain(pipeline, data.texts[:4])
    assert isinstance(explanations, Explanations) and len(explanations) == 4
    assert explanations[1:3] == Explanations([explanations[1], explanations[2]])
    assert explanations[0] != explanations[1] and explanations != 3
    assert repr(explanations[0]) == explanations[0].to_text()
    shown = [explanation.to_text() for explanation in explanations[:3]]
    expected = ["Explanations of 4 documents", *shown, "... and 1 more"]
    assert repr(explanations) == "\n\n".join(expected)


def test_parts_of_a_corpus_are_explained_alike(data, monkeypatch):
    clf = quick().fit(data.X, data.y)
    expected = explain(clf, data.X)
    for i in range(0, len(data.X), 7):
        assert explain(clf, data.X[i : i + 1])[0] == expected[i]
    monkeypatch.setattr(
        "skrational.inspection.matching.weighted_tokens._CHUNK_TOKENS", 40
    )
    assert explain(clf, data.X) == expected


def test_a_long_document_takes_memory_in_proportion(data):
    import tracemalloc

    clf = quick().fit(data.X, data.y)
    rows = np.resize(data.X.indices, 100_000)
    explain(clf, data.X[:2])

    def peak(n):
        tracemalloc.start()
        (e,) = explain(clf, document(data.X, rows[:n]))
        assert len(e.effects) == n and np.isfinite(e.effects).all()
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    assert peak(100_000) < 12 * peak(10_000)
    assert peak(100_000) < 100 * 2**20


def test_many_documents_show_a_progress_bar(data, capfd):
    clf = quick().fit(data.X, data.y)
    X = data.X[np.resize(np.arange(len(data.X)), 10_000)]
    assert len(explain(clf, X)) == 10_000
    out, err = capfd.readouterr()
    assert not out and "explain" in err and "100%" in err
    explain(clf, X[:5])
    explain(clf, X[:1000], progress=False)
    assert capfd.readouterr() == ("", "")
    explain(clf, X[:5], progress=True)
    assert "100%" in capfd.readouterr().err


def test_a_progress_bar_without_rich_says_what_to_install(data, monkeypatch):
    clf = quick().fit(data.X, data.y)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'skrational\[progress\]'"):
        explain(clf, data.X[:2], progress=True)
    assert len(explain(clf, data.X[np.zeros(1000, int)])) == 1000


def test_bad_input_is_named_before_any_work(data, pipeline):
    with pytest.raises(NotFittedError):
        explain(quick(), data.X)
    with pytest.raises(NotFittedError):
        explain(make_pipeline(WordVectorizer(data.vectors), quick()), ["a text"])
    with pytest.raises(TypeError, match="estimator is a WordVectorizer; expected"):
        explain(pipeline[0], ["a text"])
    with pytest.raises(TypeError, match="X is a string"):
        explain(pipeline[-1], "a text")
    with pytest.raises(ValueError, match=r"X has 4 features, but Sparse.* with 10"):
        explain(pipeline[-1], [np.zeros((2, 4))])
    with pytest.raises(ValueError, match="X is empty"):
        explain(pipeline[-1], data.X[:0])
    with pytest.raises(ValueError, match="contains NaN: sequence 0, token 1"):
        explain(pipeline[-1], [np.array([[0.0] * 10, [np.nan] * 10])])


def test_column_names_are_compared_and_not_warned_about(data):
    frame = pd.DataFrame(np.arange(60.0).reshape(20, 3), columns=list("abc"))
    clf = quick(n_states=1).fit(frame, np.arange(20) % 2)
    explanations = explain(clf, frame)
    assert [e.prediction for e in explanations] == clf.predict(frame).tolist()
    for read in (explain, find_paths):
        with pytest.raises(ValueError, match="feature names should match"):
            read(clf, frame.rename(columns={"a": "z"}))


def test_a_frame_of_an_emptied_model_has_its_columns(data):
    with pytest.warns(ConvergenceWarning):
        clf = quick(lambda_=1e3, max_epochs=10).fit(data.X, data.y)
    frame = explain(clf, data.X[:2]).to_frame()
    assert len(frame) == 0 and list(frame)[:3] == ["document", "prediction", "wfsa"]


def test_each_document_is_scored_once(data, monkeypatch):
    clf = quick(n_wfsas=12).fit(data.X, data.y)
    scored, score = [], type(clf)._scores

    def counted(self, X):
        scored.append(len(X))
        return score(self, X)

    monkeypatch.setattr(type(clf), "_scores", counted)
    explain(clf, data.X)
    # Once as they are, and once without each of the twelve phrases.
    assert scored == [120, 12 * 120]
