"""Graphs that read vectors say what the estimators say."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_selection import SelectKBest
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from skrational import (
    ModuliRNNClassifier,
    ModuliRNNRegressor,
    SequenceArray,
    SparseGRUClassifier,
    SparseLSTMClassifier,
    SparseRationalClassifier,
    SparseRationalClassifierCV,
    SparseRationalRegressor,
    TimeStepTransformer,
    export_onnx,
)
from tests.deployment.exported import EPOCHS, padded

onnx = pytest.importorskip("onnx")

WIDTH = 4
RNG = np.random.default_rng(0)
X = [RNG.normal(size=(n, WIDTH)).astype("f4") for n in RNG.integers(1, 9, size=60)]
TOTALS = np.array([x.sum(axis=0) for x in X])
TWO = np.where(TOTALS[:, 0] > 0, "good", "bad")
THREE = (TOTALS[:, 0] > 0).astype(int) + (TOTALS[:, 1] > 0)


def rational(**options):
    small = {"n_wfsas": 4, "n_states": (1, 3, 2, 3), "lambda_": 1e-3}
    return SparseRationalClassifier(**EPOCHS | small | options)


def gated(kind, **options):
    return kind(**EPOCHS | {"n_units": 6, "lambda_": 0.05} | options)


def moduli(**options):
    small = {"n_hidden": 6, "sparsity": 0.5}
    return ModuliRNNClassifier(**EPOCHS | small | options)


AUTOMATA = {
    f"{semiring} {match} {readout} {dtype}": rational(
        semiring=semiring, match=match, readout=readout, dtype=dtype
    )
    for semiring, match, readout, dtype in (
        ("plus-times", "anywhere", "sum", "float32"),
        ("plus-times", "end", "last", "float64"),
        ("plus-times", "anywhere", "rho", "float64"),
        ("max-plus", "anywhere", "sum", "float32"),
        ("max-plus", "end", "rho_softmax", "float64"),
        ("max-times", "anywhere", "last", "float64"),
        ("max-times", "end", "sum", "float32"),
    )
}
NETWORKS = AUTOMATA | {
    "automata, none left": rational(lambda_=10.0),
    "automata, length_exponent": rational(length_exponent=1.0, dtype="float64"),
    "automata, tempered": rational(calibration="temperature"),
    "lstm": gated(SparseLSTMClassifier),
    "lstm, none left": gated(SparseLSTMClassifier, lambda_=20.0),
    "lstm, last": gated(SparseLSTMClassifier, readout="last", dtype="float64"),
    "lstm, inputs": gated(SparseLSTMClassifier, sparsify=("inputs", "gates")),
    "lstm, bayes": gated(SparseLSTMClassifier, framework="bayes"),
    "gru": gated(SparseGRUClassifier),
    "gru, last": gated(SparseGRUClassifier, readout="last", dtype="float64"),
    "gru, bayes": gated(SparseGRUClassifier, framework="bayes", dtype="float64"),
    "elman": moduli(),
    "elman, relu": moduli(activation="relu", readout="last", dtype="float64"),
    "elman, no bias": moduli(bias=False, pruned="all"),
    "placed lstm": moduli(cell="lstm"),
    "placed gru": moduli(cell="gru", readout="last", dtype="float64"),
}


@pytest.fixture(scope="module")
def fitted():
    """Fit each network once, those with an even number for three classes."""
    kept = {}

    def fit(name):
        if name not in kept:
            y = (THREE, TWO)[list(NETWORKS).index(name) % 2]
            kept[name] = NETWORKS[name].fit(X, y)
        return kept[name]

    return fit


@pytest.fixture(scope="module")
def session(fitted, open_session):
    """Export each network once."""
    kept = {}

    def get(name):
        if name not in kept:
            kept[name] = open_session(fitted(name))
        return kept[name]

    return get


def assert_agree(session, estimator, sequences, **options):
    labels, p = session.run(None, padded(sequences, WIDTH, **options))
    expected = estimator.predict_proba(sequences)
    assert p.dtype == np.float32
    np.testing.assert_allclose(p, expected, rtol=0, atol=1e-5)
    # The loop may round otherwise where two classes are all but equal.
    ordered = np.sort(expected, axis=1)
    clear = ordered[:, -1] - ordered[:, -2] > 1e-4
    assert (labels == estimator.predict(sequences))[clear].all()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", NETWORKS)
def test_probabilities_and_labels_are_those_of_the_estimator(name, fitted, session):
    clf = fitted(name)
    empty = np.empty((0, WIDTH), "f4")
    long = RNG.normal(size=(300, WIDTH)).astype("f4")
    assert_agree(session(name), clf, X)
    assert_agree(session(name), clf, [empty, X[0][:1], long, empty, X[1]])
    assert_agree(session(name), clf, [empty])


# Whichever test is first fits the models, one of which nothing is left of.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_gates_are_constant_and_features_unread_in_what_is_tested(fitted):
    for name in ("lstm", "gru", "lstm, inputs"):
        structure = fitted(name).learned_structure_
        assert 0 < structure.n_gates < structure.n_gates_initial
    assert fitted("automata, none left").size_ == 0
    assert fitted("lstm, none left").coef_.shape[1] == 0
    assert fitted("automata, tempered").temperature_ != 1


@given(
    name=st.sampled_from(list(NETWORKS)),
    lengths=st.lists(st.integers(0, 12), min_size=1, max_size=6),
    seed=st.integers(0, 2**16),
    padding=st.sampled_from([np.nan, np.inf, -1e30, 0.0]),
    more=st.integers(0, 3),
)
@settings(max_examples=150)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_ragged_batches_of_any_padding(
    fitted, session, name, lengths, seed, padding, more
):
    rng = np.random.default_rng(seed)
    drawn = [3 * rng.normal(size=(n, WIDTH)).astype("f4") for n in lengths]
    assert_agree(session(name), fitted(name), drawn, padding=padding, more=more)
    together = session(name).run(["probabilities"], padded(drawn, WIDTH))[0]
    for x, expected in zip(drawn, together, strict=True):
        alone = session(name).run(["probabilities"], padded([x], WIDTH))[0]
        np.testing.assert_allclose(alone[0], expected, rtol=0, atol=1e-6)


def test_lengths_beyond_the_batch_and_no_sequences(fitted, session):
    read = padded(X[:2], WIDTH)
    _, p = session("elman").run(None, padded([], WIDTH))
    assert p.shape == (0, len(fitted("elman").classes_))
    for name in ("lstm", "lstm, last", "automata, length_exponent"):
        exact = {**read, "vectors": read["vectors"][:, : read["lengths"].min()]}
        short = {
            **exact,
            "lengths": np.minimum(read["lengths"], exact["vectors"].shape[1]),
        }
        expected = session(name).run(["probabilities"], short)[0]
        found = session(name).run(["probabilities"], exact)[0]
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(
    "labels",
    [
        np.array([False, True]),
        np.array([3, 7]),
        np.array([1.0, 2.0]),
        np.array(["schlecht", "gut\u2009\U0001f600"]),
        np.array(["no", "yes"], dtype=object),
    ],
    ids=str,
)
def test_labels_of_any_type(labels, open_session):
    y = labels[(TOTALS[:, 0] > 0).astype(int)]
    clf = rational().fit(X, y)
    found = open_session(clf).run(["labels"], padded(X, WIDTH))[0]
    assert found.tolist() == clf.predict(X).tolist()


@pytest.mark.parametrize("cell", ["elman", "lstm", "gru"])
def test_values_of_regressors(cell, open_session):
    small = EPOCHS | {"n_hidden": 6, "sparsity": 0.3, "cell": cell}
    for y in (TOTALS[:, 0], TOTALS[:, :3]):
        reg = ModuliRNNRegressor(**small).fit(X, y)
        found = open_session(reg).run(["values"], padded(X, WIDTH))[0]
        np.testing.assert_allclose(found, reg.predict(X), atol=1e-5)
    shares = np.exp(TOTALS)
    shares /= shares.sum(axis=1, keepdims=True)
    reg = ModuliRNNRegressor(**small, loss="cross_entropy").fit(X, shares)
    found = open_session(reg).run(["values"], padded(X, WIDTH))[0]
    np.testing.assert_allclose(found, reg.predict(X), atol=1e-5)


@pytest.mark.parametrize("semiring", ["plus-times", "max-plus"])
def test_values_of_automata(semiring, open_session):
    for y in (TOTALS[:, 0] + 50, TOTALS[:, :3]):
        reg = SparseRationalRegressor(**EPOCHS, n_wfsas=3, semiring=semiring)
        found = open_session(reg.fit(X, y)).run(["values"], padded(X, WIDTH))[0]
        np.testing.assert_allclose(found, reg.predict(X), rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("lambda_", [1e-3, 10.0])
@pytest.mark.parametrize("calibration", [None, "temperature"])
@pytest.mark.filterwarnings("ignore:lambda_=10.0 removed")
def test_several_labels(calibration, lambda_, open_session):
    y = (TOTALS[:, :2] > 0).astype(int)
    clf = rational(lambda_=lambda_, calibration=calibration).fit(X, y)
    labels, p = open_session(clf).run(["labels", "probabilities"], padded(X, WIDTH))
    np.testing.assert_array_equal(labels, clf.predict(X))
    np.testing.assert_allclose(p, clf.predict_proba(X), atol=1e-5)


def test_values_after_every_token(open_session):
    reg = ModuliRNNRegressor(**EPOCHS, n_hidden=6)
    reg.fit(X, [x[:, :2].cumsum(axis=0) for x in X])
    found = open_session(reg).run(["values"], padded(X, WIDTH))[0]
    assert found.shape == (len(X), max(map(len, X)), 2)
    for row, expected in zip(found, reg.predict(X), strict=True):
        np.testing.assert_allclose(row[: len(expected)], expected, atol=1e-5)
        assert not row[len(expected) :].any()


def evenness(X, y):
    # The default computes in single precision, which has no variance around 50.
    return -np.std(X, axis=0, dtype=float)


@pytest.mark.parametrize(
    "transformer",
    [
        StandardScaler(),
        RobustScaler(),
        MinMaxScaler(),
        PCA(3, whiten=True),
        make_pipeline(StandardScaler(), "passthrough", TruncatedSVD(2)),
        SelectKBest(evenness, k=2),
    ],
    ids=lambda transformer: type(transformer).__name__,
)
def test_affine_steps_are_a_part_of_the_graph(transformer, open_session):
    scale = np.array([1e-3, 1.0, 30.0, 1e3])
    wide = [(50 + scale * x).astype("f4") for x in X]
    pipeline = make_pipeline(TimeStepTransformer(transformer), rational())
    pipeline.fit(wide, TWO)
    found = open_session(pipeline).run(["probabilities"], padded(wide, WIDTH))[0]
    np.testing.assert_allclose(found, pipeline.predict_proba(wide), rtol=0, atol=1e-5)


def test_what_holds_a_classifier_is_opened(fitted, open_session):
    grid = GridSearchCV(rational(), {"length_exponent": [0.0, 1.0]}, cv=2).fit(X, TWO)
    of_path = SparseRationalClassifierCV(
        rational(), lambdas=[1e-3, 1e-2], cv=2, random_state=0
    ).fit(X, TWO)
    for outer in (
        grid,
        of_path,
        FrozenEstimator(fitted("gru")),
        make_pipeline(TimeStepTransformer(StandardScaler()), of_path).fit(X, TWO),
    ):
        assert_agree(open_session(outer), outer, X)


def test_the_graph_says_what_it_is(fitted, tmp_path):
    folder = export_onnx(fitted("lstm"), tmp_path / "model")
    model = onnx.load(folder / "model.onnx")
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    shapes = {
        value.name: [
            d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim
        ]
        for value in (*inferred.graph.input, *inferred.graph.output)
    }
    n_classes = len(fitted("lstm").classes_)
    assert shapes == {
        "vectors": ["batch", "tokens", WIDTH],
        "lengths": ["batch"],
        "labels": ["batch"],
        "probabilities": ["batch", n_classes],
    }
    assert [opset.version for opset in model.opset_import] == [13]
    told = {prop.key: prop.value for prop in model.metadata_props}
    assert json.loads(told["classes"]) == fitted("lstm").classes_.tolist()
    assert told["opset"] == "13"
    config = json.loads((folder / "config.json").read_text())
    assert config["estimator"] == told["estimator"] == "SparseLSTMClassifier"
    assert config["inputs"] == ["vectors", "lengths"]
    assert config["outputs"] == ["labels", "probabilities"]
    assert config["n_features"] == WIDTH


@pytest.mark.parametrize("name", ["automata, tempered", "gru", "elman, no bias"])
def test_numbers_of_rows_that_are_given(name, fitted, open_session):
    rows = RNG.normal(size=(20, WIDTH)).astype("f4")
    lengths = np.array([3, 0, 7, 1])
    ids = RNG.integers(20, size=(4, 7))
    sequences = [rows[row[:n]] for row, n in zip(ids, lengths, strict=True)]
    ids[np.arange(7) >= lengths[:, None]] = 10**9
    read = {"ids": ids, "lengths": lengths}
    found = open_session(fitted(name), table=rows).run(["probabilities"], read)[0]
    np.testing.assert_allclose(found, fitted(name).predict_proba(sequences), atol=1e-5)
    steps = make_pipeline(TimeStepTransformer(MinMaxScaler(clip=True)), fitted(name))
    steps[0].fit(X)
    found = open_session(steps, table=rows).run(["probabilities"], read)[0]
    np.testing.assert_allclose(found, steps.predict_proba(sequences), atol=1e-5)


@pytest.mark.parametrize("length_exponent", [0.0, 1.0])
@pytest.mark.parametrize(
    "make", [SparseRationalClassifier, SparseLSTMClassifier, SparseGRUClassifier]
)
def test_long_texts_are_summed_exactly(make, length_exponent, open_session):
    rng = np.random.default_rng(0)
    x = [rng.normal(size=(n, 3)).astype("f4") for n in rng.integers(1, 9, 20)]
    clf = make(length_exponent=length_exponent, **EPOCHS).fit(x, np.arange(20) % 2)
    token = x[0][:1]
    for n, atol in ((500, 1e-5), (3000, None), (30_000, None)):
        sequence = SequenceArray(np.repeat(token, n, axis=0), np.array([0, n]))
        logits = clf._logits_of(clf._exact_scores(sequence))
        # So that the probability tells of the logit.
        temperature = clf.temperature_ * max(1.0, abs(logits).max())
        clf.temperature_ = float(temperature)
        session = open_session(clf, table=token)
        inputs = {"ids": np.zeros((1, n), np.int64), "lengths": np.array([n])}
        (found,) = session.run(["probabilities"], inputs)
        exact = clf._probabilities(logits)
        np.testing.assert_allclose(found, exact, rtol=0, atol=2e-7)
        if atol:
            expected = clf.predict_proba(sequence)
            np.testing.assert_allclose(found, expected, rtol=0, atol=atol)
