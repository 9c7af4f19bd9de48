"""SparseRationalClassifier with several layers of automata."""

import json
import pickle
import subprocess
import sys
from copy import copy

import numpy as np
import pytest
from sklearn.base import clone

from skrational import SequenceArray, SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_planted_patterns
from skrational.model_selection import regularization_path
from skrational.structures import (
    LayeredStructure,
    RationalStructure,
    structure_from_json,
)

SHORT = {
    "n_layers": 2,
    "n_wfsas": 5,
    "n_states": 2,
    "warmup_epochs": 2,
    "max_epochs": 4,
    "finetune_epochs": 2,
    "min_steps_per_epoch": 10,
    "random_state": 0,
}


@pytest.fixture(scope="module")
def data():
    return make_planted_patterns(n_documents=120, n_features=8, random_state=0)


@pytest.fixture(scope="module")
def fitted(data):
    return SparseRationalClassifier(**SHORT).fit(data.X, data.y)


def scores_by_hand(clf, X):
    """Scores of the last layer from the fitted attributes, in a float64 loop."""
    *below, last = clf.layers_
    found = []
    for document in X.to_list():
        x = np.asarray(document, np.float64)
        for layer in below:
            states = run(layer, x)
            x = np.stack(
                [(states[:, part] * layer.final[part]).sum(1) for part in parts(layer)],
                axis=1,
            )
        states = run(last, x).sum(0) / max(len(x), 1) ** 0.5
        found.append([(states[part] * last.final[part]).sum() for part in parts(last)])
    return np.array(found)


def parts(layer):
    return [layer.states(i) for i in range(layer.n_wfsas)]


def run(layer, x):
    states = np.zeros((len(x), layer.n_transitions))
    for part in parts(layer):
        W_u, W_f, b_f = (
            v[part].astype(float) for v in (layer.W_u, layer.W_f, layer.b_f)
        )
        c = np.zeros(len(b_f))
        for t, row in enumerate(x):
            f = 1 / (1 + np.exp(-(W_f @ row + b_f)))
            c = f * c + (1 - f) * (W_u @ row) * np.concatenate([[1], c[:-1]])
            states[t, part] = c
    return states


def test_scores_are_those_of_the_equations(fitted, data):
    expected = scores_by_hand(fitted, data.X)
    np.testing.assert_allclose(fitted._scores(data.X), expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(fitted._exact_scores(data.X), expected, rtol=1e-9)
    logits = expected @ fitted.coef_[0] + fitted.intercept_[0]
    np.testing.assert_allclose(fitted.decision_function(data.X), logits, atol=1e-2)


@pytest.mark.parametrize("n_layers", [2, 3])
def test_every_way_to_score_agrees(n_layers, data):
    params = SHORT | {"n_layers": n_layers, "dtype": "float64", "readout": "rho"}
    params["lambda_"] = 1e-4
    clf = SparseRationalClassifier(**params).fit(data.X, data.y)
    expected = clf._exact_scores(data.X)
    copies = SequenceArray(data.X.features[data.X.indices], data.X.offsets)
    for X in (data.X, copies):
        np.testing.assert_allclose(clf._scores(X), expected, rtol=1e-9, atol=1e-12)
    alone = np.concatenate([clf._scores(data.X[i : i + 1]) for i in range(9)])
    np.testing.assert_array_equal(alone, clf._scores(data.X[:9]))


def test_two_layers_learn_planted_patterns():
    data = make_planted_patterns(n_documents=400, random_state=0)
    clf = SparseRationalClassifier(
        n_layers=2, n_wfsas=8, max_epochs=8, finetune_epochs=5, random_state=0
    )
    clf.fit(data.X[:300], data.y[:300])
    # Words alone are at chance.
    assert clf.score(data.X[300:], data.y[300:]) >= 0.85
    assert 0 < clf.n_transitions_ < clf.learned_structure_.n_transitions_initial == 64


def test_what_is_fitted_is_physically_small(fitted):
    structure = fitted.learned_structure_
    assert isinstance(structure, LayeredStructure)
    first, second = structure.layers
    assert fitted.weights_["layer1.W_u"].shape == (first.n_transitions, 8)
    assert fitted.weights_["layer2.W_u"].shape == (
        second.n_transitions,
        first.n_wfsas,
    )
    assert fitted.coef_.shape == (1, second.n_wfsas)
    assert fitted.n_transitions_ == first.n_transitions + second.n_transitions
    arrays = [*fitted.weights_.values(), fitted.coef_, fitted.intercept_]
    assert sum(a.size for a in arrays) == structure.n_parameters
    assert fitted.history_[-1]["n_transitions"] == fitted.n_transitions_
    assert structure.size_initial == 20


def test_a_large_lambda_leaves_nothing(data):
    clf = SparseRationalClassifier(**SHORT | {"lambda_": 1.0})
    with pytest.warns(Warning, match="removed every state"):
        clf.fit(data.X, data.y)
    assert clf.learned_structure_.is_empty
    assert clf.coef_.shape == (1, 0)
    assert len(set(clf.predict(data.X))) == 1
    assert "0 of 20 transitions" in str(clf)


@pytest.mark.parametrize("n_layers", [0, -1, 4, 1.5, "two", None, True])
def test_bad_numbers_of_layers_are_named(n_layers, data):
    clf = SparseRationalClassifier(**SHORT | {"n_layers": n_layers})
    if n_layers is True:
        pytest.skip("scikit-learn takes True for the integer 1")
    with pytest.raises(ValueError, match="'n_layers' parameter"):
        clf.fit(data.X, data.y)
    assert not hasattr(clf, "coef_")


def test_one_layer_is_as_before(data):
    params = SHORT | {"n_layers": 1}
    clf = SparseRationalClassifier(**params).fit(data.X, data.y)
    assert isinstance(clf.learned_structure_, RationalStructure)
    assert clf.weights_.keys() == {"W_u", "W_f", "b_f"}
    assert clf.layers_[0].lengths == clf.automata_.lengths


def test_automata_of_several_layers_are_in_layers_(fitted):
    with pytest.raises(AttributeError, match=r"has 2\. What is left .* in layers_"):
        _ = copy(fitted).set_params(n_layers=1).automata_
    first, second = fitted.layers_
    assert first.coef.shape == (0, first.n_wfsas)
    assert second.W_u.shape[1] == first.n_wfsas
    assert second.coef is fitted.coef_


@pytest.mark.parametrize("semiring", ["max-plus", "max-times"])
@pytest.mark.parametrize("penalty", ["wfsas", "transitions"])
def test_semirings_and_penalties(semiring, penalty, data):
    params = SHORT | {"semiring": semiring, "penalty": penalty, "lambda_": 1e-4}
    X, y = data.X[:30], data.y[:30]
    clf = SparseRationalClassifier(**params | {"min_steps_per_epoch": 1}).fit(X, y)
    found, exact = clf._scores(X), clf._exact_scores(X)
    np.testing.assert_allclose(found, exact, rtol=1e-3, atol=1e-3)


def test_a_pickle_a_clone_and_a_refit(fitted, data):
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(
        again.decision_function(data.X), fitted.decision_function(data.X)
    )
    twin = clone(fitted).fit(data.X, data.y)
    np.testing.assert_array_equal(twin.coef_, fitted.coef_)


def test_a_warm_start_goes_on_with_what_is_left(data):
    clf = SparseRationalClassifier(**SHORT, warm_start=True).fit(data.X, data.y)
    before = clf.learned_structure_
    clf.set_params(lambda_=8e-3).fit(data.X, data.y)
    after = clf.learned_structure_
    for here, there in zip(before.layers, after.layers, strict=True):
        assert all(np.asarray(there.kept_lengths) <= here.kept_lengths)
    assert after.size < before.size


def test_a_path_is_resumed_to_the_bit(data, tmp_path):
    clf = SparseRationalClassifier(**SHORT)
    lambdas = [1e-3, 4e-3, 1.0]
    whole = regularization_path(clf, data.X, data.y, lambdas=lambdas)
    sizes = [point.size for point in whole.points]
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] == 0
    kept = {"checkpoint_dir": tmp_path / "path", "lambdas": lambdas}
    regularization_path(clf, data.X, data.y, **kept)
    for name in ("point-0002.npz", "point-2.npz"):
        (tmp_path / "path" / name).unlink(missing_ok=True)
    again = regularization_path(clf, data.X, data.y, **kept)
    for one, other in zip(whole, again, strict=True):
        np.testing.assert_array_equal(
            one.decision_function(data.X), other.decision_function(data.X)
        )


def test_lambdas_of_a_path_by_default_reach_from_much_to_little(data):
    clf = SparseRationalClassifier(**SHORT)
    path = regularization_path(clf, data.X, data.y, n_lambdas=3)
    sizes = [point.size for point in path.points]
    assert sizes[0] > sizes[-1]


def test_a_fit_is_resumed_to_the_bit(fitted, data, tmp_path):
    clf = SparseRationalClassifier(**SHORT)
    clf.fit(data.X, data.y, checkpoint_dir=tmp_path / "fit")
    again = clone(clf).fit(data.X, data.y, checkpoint_dir=tmp_path / "fit")
    np.testing.assert_array_equal(again.coef_, fitted.coef_)


def test_predictions_need_no_torch(fitted, data, tmp_path):
    file = tmp_path / "model.pickle"
    file.write_bytes(pickle.dumps((fitted, data.X[:5])))
    code = (
        "import pickle, sys; "
        f"clf, X = pickle.load(open({str(file)!r}, 'rb')); "
        "clf.predict(X); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_print_tells_of_both_layers():
    words = {"good": [1.0, 0.0], "bad": [-1.0, 0.0], "film": [0.0, 1.0]}
    texts = ["good film", "bad film"] * 20
    X = WordVectorizer(words, min_count=1).fit_transform(texts)
    clf = SparseRationalClassifier(**SHORT | {"lambda_": 1e-3}).fit(X, ["+", "-"] * 20)
    told = str(clf)
    for line in ("Layer 1", "Layer 2", "over WFSAs of layer 1", "Readout of layer 2"):
        assert line in told
    assert "good" in told and "bias:" in told


def test_the_structure_is_a_value(fitted):
    structure = fitted.learned_structure_
    again = structure_from_json(structure.to_json())
    assert again == structure and hash(again) == hash(structure)
    assert not structure.diff(again)
    each = structure.layers
    assert structure.survivors == tuple(layer.survivors for layer in each)
    assert structure.to_dot() == f"{each[1].to_dot()}\n{each[0].to_dot()}"
    content = json.loads(structure.to_json())
    content["layers"][1]["n_features"] += 1
    with pytest.raises(ValueError, match="layers"):
        structure_from_json(json.dumps(content))
    assert "2 layers" in repr(structure)
    assert structure._repr_html_().count("<svg") == 2
