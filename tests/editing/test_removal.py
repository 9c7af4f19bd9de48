import io
import pickle

import joblib
import numpy as np
import pytest
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline

from skrational import (
    ModuliRNNClassifier,
    ModuliRNNRegressor,
    SparseGRUClassifier,
    SparseRationalClassifier,
    SparseRationalClassifierCV,
    SparseRationalRegressor,
    WordVectorizer,
    load,
    save,
)
from skrational.datasets import make_planted_patterns, make_product_reviews
from skrational.editing import without
from skrational.inspection import explain, top_phrases
from skrational.model_selection import regularization_path
from skrational.reporting import report

SHORT = {
    "max_epochs": 2,
    "warmup_epochs": 1,
    "finetune_epochs": 1,
    "min_steps_per_epoch": 5,
    "lambda_": 1e-4,
    "random_state": 0,
}
REVIEWS = make_product_reviews(120, misspelled=0.0, random_state=0)
TEXTS, Y = REVIEWS.texts, REVIEWS.labels
DATA = make_planted_patterns(n_documents=90, random_state=0)
THREE = np.array(["b", "c", "a"])[np.arange(90) % 3]
RULES = [
    {"semiring": "plus-times", "readout": "sum"},
    {"semiring": "plus-times", "readout": "rho_softmax", "match": "end"},
    {"semiring": "max-plus", "readout": "rho"},
    {"semiring": "max-times", "readout": "last"},
]


def small(**options):
    return SparseRationalClassifier(
        **(SHORT | {"n_wfsas": 5, "n_states": (3, 2)} | options)
    )


@pytest.fixture(scope="module")
def pipeline():
    return make_pipeline(WordVectorizer(n_features=12, min_count=1), small()).fit(
        TEXTS, Y
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: "-".join(rule.values()))
@pytest.mark.parametrize("y", [DATA.y, THREE], ids=["two", "three"])
def test_scores_of_automata_go_from_the_logits(rule, y):
    clf = small(**rule).fit(DATA.X, y)
    before, scores = joblib.hash(vars(clf)), clf.transform(DATA.X)
    edited = without(clf, wfsas=[np.int64(3), 1])
    stays = [0, 2, 4]
    kept = scores[:, stays].astype(np.float64)
    logits = kept @ clf.coef_[:, stays].astype(np.float64).T + clf.intercept_
    np.testing.assert_array_equal(edited.transform(DATA.X), scores[:, stays])
    found = edited.decision_function(DATA.X).reshape(len(y), -1)
    np.testing.assert_allclose(found, logits, rtol=0, atol=1e-12)
    assert edited.learned_structure_.survivors == (0, 2, 4)
    assert edited.automata_.numbers == (0, 2, 4)
    assert edited.n_transitions_ == sum(
        clf.learned_structure_.lengths[i] for i in stays
    )
    assert joblib.hash(vars(clf)) == before


def forward(x, W_u, W_f, b_f, final, exponent):
    """Score a document by one automaton: section 2 of the paper, in float64."""
    c, total = np.zeros(len(b_f)), 0.0
    for token in x.astype(np.float64):
        f = expit(W_f @ token + b_f)
        u = (1 - f) * (W_u @ token)
        c = f * c + u * np.concatenate([[1.0], c[:-1]])
        total += final @ c
    return total / len(x) ** exponent


@pytest.mark.parametrize("readout", ["sum", "last", "rho", "rho_softmax"])
def test_a_shortened_automaton_is_one_of_its_first_states(readout):
    clf = small(readout=readout, dtype="float64").fit(DATA.X, DATA.y)
    assert clf.learned_structure_.lengths == (3, 3, 3, 2, 2)
    edited = without(clf, states={1: 2, 3: 1}, wfsas=[0])
    assert edited.learned_structure_.kept_lengths == (0, 2, 3, 1, 2)
    w, lengths, start = clf.weights_, clf.learned_structure_.lengths, 3
    columns = []
    for wfsa, n in ((1, 2), (2, 3), (3, 1), (4, 2)):
        rows = slice(start, start + n)
        final = {"sum": np.ones(n), "last": np.eye(n)[-1]}.get(readout)
        if final is None:
            rho = w["rho"][rows]
            final = expit(rho) if readout == "rho" else softmax(rho)
        parts = (w[name][rows] for name in ("W_u", "W_f", "b_f"))
        weights = (*parts, final, clf.length_exponent)
        columns.append([forward(DATA.X[i], *weights) for i in range(10)])
        start += lengths[wfsa]
    expected = np.array(columns).T
    np.testing.assert_allclose(edited.transform(DATA.X[:10]), expected, atol=1e-12)
    logits = expected @ clf.coef_[0, 1:] + clf.intercept_
    np.testing.assert_allclose(edited.decision_function(DATA.X[:10]), logits, atol=1e-9)


def test_loops_that_are_fixed_are_counted_anew():
    options = {"penalty": "transitions", "lambda_": 3e-3, "max_epochs": 6}
    clf = small(**options).fit(DATA.X, DATA.y)
    structure = clf.learned_structure_
    assert structure.n_fixed_self_loops
    edited = without(clf, wfsas=[0])
    left = {
        name: values[structure.lengths[0] :] for name, values in clf.weights_.items()
    }
    n_fixed = sum(
        not row.any() and not bias
        for row, bias in zip(left["W_f"], left["b_f"], strict=True)
    )
    assert edited.learned_structure_.n_fixed_self_loops == n_fixed


@pytest.mark.parametrize("oov", ["random", "drop"])
def test_without_a_word_texts_read_as_if_it_were_not_there(oov):
    vectorizer = WordVectorizer(n_features=12, min_count=1, oov=oov)
    pipeline = make_pipeline(vectorizer, small()).fit(TEXTS, Y)
    words = [word for text in TEXTS for word in text.split()]
    assert "the" in words and "The" in words
    edited = without(pipeline, words=["THE"])
    deleted = [" ".join(w for w in t.split() if w.lower() != "the") for t in TEXTS]
    logits = pipeline.decision_function(deleted)
    assert (logits != pipeline.decision_function(TEXTS)).any()
    np.testing.assert_array_equal(edited.decision_function(TEXTS), logits)
    again = without(edited, words=["is"])
    assert again[0].stop_words == ("the", "is")
    refitted = clone(edited).fit(TEXTS, Y)
    np.testing.assert_allclose(
        refitted.decision_function(TEXTS),
        clone(pipeline).fit(deleted, Y).decision_function(deleted),
        atol=1e-4,
    )
    explained = explain(edited, "The lid broke.")
    assert "the" not in [word.lower() for word in explained.words]
    assert "The lid broke." in explained.text


def test_phrases_with_the_word_are_told_no_more(pipeline):
    rules = pipeline[-1].rules_
    word = next(w for w in rules[0, 0, 0].split() if w.isalpha())
    edited = without(pipeline, words=[word])[-1].rules_
    for found, known in zip(edited.reshape(-1, 3), rules.reshape(-1, 3), strict=True):
        left = [p for p in known if p and word not in p.split()]
        assert found.tolist() == left + [""] * (3 - len(left))
    one_state = without(pipeline, states={0: 1})[-1].rules_
    np.testing.assert_array_equal(one_state[1:], rules[1:])
    assert all(" " not in phrase for phrase in one_state[0].flat)


def gradient(S, codes, weights, coef, intercept):
    """Of the objective that the docstring names, in the weights of scaled scores."""
    mean = np.average(S, axis=0, weights=weights)
    scale = np.sqrt(np.average((S - mean) ** 2, axis=0, weights=weights))
    A, a = coef * scale, intercept + coef @ mean
    logits = (S - mean) / scale @ A.T + a
    n = max(codes) + 1
    p = expit(logits) if n == 2 else softmax(logits, axis=1)
    error = (p - (codes[:, None] if n == 2 else np.eye(n)[codes])) * weights[:, None]
    return A + error.T @ ((S - mean) / scale), error.sum(axis=0)


@pytest.mark.parametrize("y", [DATA.y, THREE], ids=["two", "three"])
def test_the_readout_is_the_minimum_of_what_the_docstring_says(y):
    classes = np.unique(y)
    of_class = {label: 1.0 + i for i, label in enumerate(classes.tolist())}
    clf = small(class_weight=of_class, dtype="float64").fit(DATA.X, y)
    sample_weight = np.random.default_rng(0).integers(0, 4, len(y)).astype(float)
    data = {"X": DATA.X, "y": y, "sample_weight": sample_weight}
    edited = without(clf, wfsas=[2], **data)
    codes = np.searchsorted(classes, y)
    weights = sample_weight * np.array([of_class[label] for label in y.tolist()])
    S = edited.transform(DATA.X)
    found = gradient(S, codes, weights, edited.coef_, edited.intercept_)
    for part in found:
        np.testing.assert_allclose(part, 0, atol=1e-3)
    assert edited.classes_.tolist() == classes.tolist()
    assert edited.temperature_ == 1.0
    repeated = np.repeat(np.arange(len(y)), sample_weight.astype(int))
    twin = without(clf, wfsas=[2], X=DATA.X[repeated], y=y[repeated])
    np.testing.assert_allclose(twin.coef_, edited.coef_, rtol=1e-3, atol=1e-6)


def test_the_temperature_is_that_of_documents_left_out():
    clf = small(calibration="temperature").fit(DATA.X, DATA.y)
    assert without(clf, wfsas=[0]).temperature_ == clf.temperature_ != 1.0
    edited = without(clf, wfsas=[0], X=DATA.X, y=DATA.y)
    S = edited.transform(DATA.X).astype(np.float64)
    logits = np.empty(len(S))
    for fitted, left in StratifiedKFold(5, shuffle=True, random_state=0).split(
        S, DATA.y
    ):
        mean, scale = S[fitted].mean(0), S[fitted].std(0)
        model = LogisticRegression(tol=1e-8, max_iter=10_000)
        model.fit((S[fitted] - mean) / scale, DATA.y[fitted])
        logits[left] = model.decision_function((S[left] - mean) / scale)

    def loss(log_t):
        p = expit(logits / np.exp(log_t) * np.where(DATA.y == 1, 1, -1))
        return log_t**2 / 8 - np.log(p).sum()

    grid = np.linspace(-4, 4, 4001)
    best = np.exp(grid[np.argmin([loss(t) for t in grid])])
    assert edited.temperature_ == pytest.approx(best, rel=5e-3)


def test_what_is_left_can_be_finetuned(pipeline):
    edited = without(pipeline, wfsas=[1], words=["the"])
    sizes = edited[-1].learned_structure_.kept_lengths
    edited[-1].set_params(warm_start=True, lambda_=0.0)
    edited[-1].fit(edited[0].transform(TEXTS), Y)
    assert edited[-1].learned_structure_.kept_lengths == sizes


def test_what_works_with_a_model_works_with_an_edited_one(pipeline, tmp_path):
    pytest.importorskip("onnx")
    from skrational import export_onnx

    edited = without(pipeline, wfsas=[0], states={1: 1}, words=["The"], X=TEXTS, y=Y)
    logits = edited.decision_function(TEXTS)
    buffer = io.BytesIO()
    joblib.dump(edited, buffer)
    buffer.seek(0)
    copies = [
        pickle.loads(pickle.dumps(edited)),
        joblib.load(buffer),
        load(save(edited, tmp_path / "model")),
    ]
    for copy in copies:
        np.testing.assert_allclose(copy.decision_function(TEXTS), logits, atol=2e-2)
        assert copy[0].stop_words == ("the",)
        assert copy[-1].learned_structure_ == edited[-1].learned_structure_
    np.testing.assert_array_equal(copies[0].decision_function(TEXTS), logits)
    d = edited[-1].coef_.shape[1]
    assert str(edited[-1]).count("WFSA ") == d
    assert {phrase.wfsa for phrase in top_phrases(edited, TEXTS)} == {*range(d)}
    for i, explanation in enumerate(explain(edited, TEXTS[:5])):
        total = explanation.contributions.sum() + explanation.bias[0]
        assert total == pytest.approx(logits[i], abs=1e-6)
    assert "WFSA" in report(edited, TEXTS, Y).to_html()
    assert edited[-1].learned_structure_.to_svg().startswith("<svg")
    export_onnx(edited, tmp_path / "graph")
    search = GridSearchCV(edited, {"sparserationalclassifier__lambda_": [1e-4]}, cv=2)
    assert search.fit(TEXTS, Y).best_estimator_[0].stop_words == ("the",)


def test_what_surrounds_the_classifier_stays(pipeline):
    clf = small().fit(DATA.X, DATA.y)
    search = GridSearchCV(small(), {"lambda_": [1e-4]}, cv=2).fit(DATA.X, DATA.y)
    paths = SparseRationalClassifierCV(
        small(), lambdas=[1e-5, 1e-4], cv=2, refit="best", random_state=0
    )
    paths.fit(DATA.X, DATA.y)
    n = paths.best_estimator_.coef_.shape[1]
    assert n > 1
    point = regularization_path(small(), DATA.X, DATA.y, lambdas=[1e-5, 1e-4])[0]
    for outer, inner in [
        (search, lambda e: e.best_estimator_),
        (paths, lambda e: e.best_estimator_),
        (FrozenEstimator(clf), lambda e: e.estimator),
        (Pipeline([("none", None), ("clf", clf)]), lambda e: e.steps[1][1]),
        (point, lambda e: e),
    ]:
        before = outer.predict_proba(DATA.X)
        edited = without(outer, wfsas=[0])
        expected = without(inner(outer), wfsas=[0])
        assert type(edited) is type(outer)
        assert inner(edited).coef_.shape[1] == inner(outer).coef_.shape[1] - 1
        np.testing.assert_array_equal(
            edited.predict_proba(DATA.X), expected.predict_proba(DATA.X)
        )
        np.testing.assert_array_equal(outer.predict_proba(DATA.X), before)


@pytest.mark.parametrize(
    "network",
    [
        SparseGRUClassifier(n_units=4, **SHORT),
        ModuliRNNClassifier(
            n_hidden=4, **{k: v for k, v in SHORT.items() if k != "lambda_"}
        ),
    ],
    ids=lambda network: type(network).__name__,
)
def test_other_networks_lose_words_and_get_readouts(network):
    vectorizer = WordVectorizer(n_features=8, min_count=1)
    pipeline = make_pipeline(vectorizer, network).fit(TEXTS, Y)
    deleted = [" ".join(w for w in t.split() if w.lower() != "the") for t in TEXTS]
    edited = without(pipeline, words=["the"])
    np.testing.assert_array_equal(
        edited.predict_proba(TEXTS), pipeline.predict_proba(deleted)
    )
    refitted = without(pipeline, words=["the"], X=TEXTS, y=Y)[-1]
    logits = refitted.decision_function(edited[0].transform(TEXTS))
    S = refitted.transform(edited[0].transform(TEXTS)).astype(np.float64)
    np.testing.assert_allclose(logits, S @ refitted.coef_[0] + refitted.intercept_)
    with pytest.raises(
        TypeError, match=r"only a SparseRationalClassifier or Spar.*; got a"
    ):
        without(pipeline, wfsas=[0])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"wfsas": [5]}, ValueError, "wfsas holds 5, but the automata are WFSA 0 to 4"),
        ({"wfsas": [-1]}, ValueError, "wfsas holds -1"),
        ({"wfsas": [0.0]}, TypeError, r"wfsas holds 0\.0"),
        ({"wfsas": [True]}, TypeError, "wfsas holds True"),
        ({"wfsas": 2}, TypeError, "expected a list of the numbers"),
        ({"wfsas": range(5)}, ValueError, "At least one has to stay"),
        ({"states": {7: 1}}, ValueError, "states holds 7"),
        ({"states": {0: 0}}, ValueError, "which has 3; expected 1 to 3"),
        ({"states": {0: 4}}, ValueError, "keeps 4 states of WFSA 0"),
        ({"states": {0: "a"}}, TypeError, "keeps 'a' of WFSA 0"),
        ({"states": [1]}, TypeError, "expected a dict"),
        ({"states": {0: 1}, "wfsas": [0]}, ValueError, "in wfsas and in states"),
        ({"words": "film"}, TypeError, "expected a list of words"),
        ({"words": [3]}, TypeError, "words holds 3"),
        ({"words": ["qwrtz"]}, ValueError, "'qwrtz', which has no vector"),
        ({"words": ["don't go"]}, ValueError, r"3 tokens \['do', \"n't\", 'go'\]"),
        ({"words": [" "]}, ValueError, "0 tokens"),
        ({"words": ["</s>"]}, ValueError, "stands around each text"),
        ({"X": TEXTS}, ValueError, "X and y go together.*got X only"),
        ({"y": Y}, ValueError, "got y only"),
        ({"sample_weight": Y}, ValueError, "X, which isn't given"),
        ({"X": TEXTS, "y": Y + 1}, ValueError, r"y holds \[2\], but the classes"),
        ({"X": TEXTS, "y": Y * 0}, ValueError, r"y has no label of \[1\]"),
        ({"X": TEXTS, "y": [None] * 120}, ValueError, "missing values"),
        ({"X": TEXTS, "y": Y[1:]}, ValueError, "inconsistent numbers of samples"),
        (
            {"X": TEXTS, "y": Y, "sample_weight": Y},
            ValueError,
            r"no document of positive weight of \[0\]|only one class",
        ),
    ],
)
def test_faults_are_told(pipeline, options, error, message):
    with pytest.raises(error, match=message):
        without(pipeline, **options)


def test_what_can_not_be_edited_is_told(pipeline):
    with pytest.raises(NotFittedError):
        without(small(), wfsas=[0])
    with pytest.raises(TypeError, match="expected a fitted SparseRationalClassifier"):
        without(LogisticRegression(), wfsas=[0])
    with pytest.raises(TypeError, match="this estimator reads vectors"):
        without(pipeline[-1], words=["the"])
    with pytest.raises(TypeError, match="SequenceArray, which holds the vectors"):
        without(pipeline, words=["the"], X=pipeline[0].transform(TEXTS), y=Y)
    with pytest.raises(ValueError, match="left out already"):
        without(without(pipeline, words=["the"]), words=["The"])
    calibrated = CalibratedClassifierCV(FrozenEstimator(pipeline)).fit(TEXTS, Y)
    with pytest.raises(TypeError, match="holds a CalibratedClassifierCV"):
        without(calibrated, wfsas=[0])
    regressor = ModuliRNNRegressor(
        n_hidden=6, max_epochs=1, sparsity=0.1, lambda_=1e-3, random_state=0
    )
    regressor.fit(DATA.X, DATA.y.astype(float))
    with pytest.raises(TypeError, match="readout of a classifier"):
        without(regressor, X=DATA.X, y=DATA.y)


def test_automata_of_several_layers_stay():
    layered = make_pipeline(
        WordVectorizer(n_features=12, min_count=1), small(n_layers=2)
    ).fit(TEXTS, Y)
    for options in ({"wfsas": [99]}, {"states": {99: 0}}):
        with pytest.raises(TypeError, match="has n_layers=2: an automaton that goes"):
            without(layered, **options)
    edited = without(layered, words=["the"], X=TEXTS, y=Y)
    text = next(text for text in TEXTS if "the" in text.split())
    rest = " ".join(word for word in text.split() if word != "the")
    found = edited.decision_function([text, rest])
    assert found[0] == found[1] == edited.decision_function([rest])[0]


def test_automata_of_a_regressor_and_of_several_labels_go():
    labels = np.column_stack([DATA.y, 1 - DATA.y])
    clf = small().fit(DATA.X, labels)
    regressor = SparseRationalRegressor(**SHORT, n_wfsas=3).fit(DATA.X, DATA.y * 1.0)
    for estimator in (clf, regressor):
        edited = without(estimator, wfsas=[1])
        stays = [i for i in range(estimator.coef_.shape[1]) if i != 1]
        kept = estimator.transform(DATA.X)[:, stays].astype(np.float64)
        outputs = kept @ estimator.coef_[:, stays].T + estimator.intercept_
        method = getattr(edited, "decision_function", edited.predict)
        found = method(DATA.X).reshape(outputs.shape)
        np.testing.assert_allclose(found, outputs, rtol=0, atol=1e-9)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_nothing_can_be_taken_from_nothing():
    empty = small(lambda_=10.0).fit(DATA.X, DATA.y)
    with pytest.raises(ValueError, match="no WFSA left"):
        without(empty, wfsas=[0])
    with pytest.raises(ValueError, match="no hidden unit left"):
        without(empty, X=DATA.X, y=DATA.y)
