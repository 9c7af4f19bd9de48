"""Everything takes an estimator of the family: shown by a second, toy method."""

import pickle

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrational import SparseRationalClassifierCV, as_sequences
from skrational.datasets import make_planted_patterns
from skrational.model_selection import (
    RegularizationPathDisplay,
    lambda_max,
    regularization_path,
    score_and_size,
    smallest_within_one_se,
    structure_stability,
)
from skrational.structures import structure_from_json
from tests.extensions.method import (
    GatedUnigramCell,
    GatedUnigramClassifier,
    UnigramStructure,
)


@parametrize_with_checks([GatedUnigramClassifier(max_epochs=60)])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def data():
    return make_planted_patterns(120, random_state=1)


@pytest.fixture(scope="module")
def clf(data):
    return GatedUnigramClassifier(lambda_=0.02, random_state=0).fit(data.X, data.y)


@pytest.fixture(scope="module")
def path(data):
    clf = GatedUnigramClassifier(max_epochs=30, random_state=0)
    return regularization_path(clf, data.X, data.y, n_lambdas=6)


def loop_logits(clf, documents):
    """The equations, a document and a word at a time."""
    W, G, g = (clf.weights_[name] for name in ("W", "G", "g"))
    scores = np.zeros((len(documents), len(g)))
    for score, document in zip(scores, documents, strict=True):
        for x in document:
            score += (W @ x) / (1 + np.exp(-(G @ x + g)))
    return (scores @ clf.coef_.T + clf.intercept_)[:, 0]


def test_it_fits_prunes_and_predicts_what_the_equations_say(clf, data):
    structure = clf.learned_structure_
    assert 0 < clf.size_ == len(clf.weights_["g"]) < structure.size_initial == 8
    assert structure.units == sorted({*structure.units})
    expected = loop_logits(clf, data.X.to_list())
    np.testing.assert_allclose(clf.decision_function(data.X), expected, rtol=1e-10)
    phases = [row["phase"] for row in clf.history_]
    assert sorted({*phases}) == ["finetune", "regularize", "warmup"]
    live = [row["n_units"] for row in clf.history_]
    assert live[0] == 8
    assert live[-1] == clf.size_


def test_pruning_keeps_what_the_penalty_left(data):
    clf = GatedUnigramClassifier(lambda_=0.02, random_state=0)
    clf.finetune_epochs = 0
    clf.fit(data.X, data.y)
    twin = clone(clf).set_params(lambda_=0.0)
    assert twin.fit(data.X, data.y).size_ == 8
    assert clf.learned_structure_.diff(twin.learned_structure_)


class MaskedCell(GatedUnigramCell):
    """A cell that stays as large as it was: what is pruned is zero."""

    def pruned(self, kind, live):
        self.groups(kind).zero_(live)
        return self, lambda values: list(values)


class MaskedClassifier(GatedUnigramClassifier):
    def _blank_cell(self, structure, dtype):
        return MaskedCell(structure, dtype)

    def _dense_cell(self, *args):
        cell = super()._dense_cell(*args)
        return MaskedCell(cell.structure(), cell.a.dtype).set_arrays(cell.to_arrays())


def test_a_cell_that_masks_stays_sparse_through_finetuning(data, clf):
    masked = MaskedClassifier(lambda_=0.02, random_state=0).fit(data.X, data.y)
    rows = np.hstack([masked.weights_[n].reshape(8, -1) for n in ("W", "G", "g")])
    alive = rows.any(axis=1)
    assert np.flatnonzero(alive).tolist() == clf.learned_structure_.units
    logits = masked.decision_function(data.X)
    np.testing.assert_allclose(logits, clf.decision_function(data.X), rtol=1e-8)


def test_it_is_pickled_and_its_structure_is_read_again(clf, data):
    again = pickle.loads(pickle.dumps(clf))
    logits = again.decision_function(data.X)
    np.testing.assert_array_equal(logits, clf.decision_function(data.X))
    text = clf.learned_structure_.to_json()
    assert structure_from_json(text) == clf.learned_structure_


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            '"size_initial": 8',
            '"size_initial": 4294967296',
            "size_initial is 4294967296",
        ),
        ("[0, 1]", "[0, NaN]", r"units\[1\] is nan, beyond 16,777,216"),
        ('"n_outputs": 1', '"n_outputs": 1, "units": []', "a key stands twice"),
    ],
)
def test_the_structure_s_numbers_are_bounded(old, new, message):
    text = UnigramStructure([0, 1], 8, 5, 1).to_json()
    assert old in text
    with pytest.raises(ValueError, match=message):
        structure_from_json(text.replace(old, new))


def test_a_path_gets_sparser_and_is_drawn(path, data):
    sizes = [point.size for point in path.points]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > sizes[-1]
    assert path.at(size=4).size_ <= 4
    assert path[0].decision_function(data.X).shape == (len(data.y),)
    frame = path.to_frame()
    assert list(frame["n_units"]) == sizes
    assert frame["units"].map(len).tolist() == sizes
    assert "n_units" in repr(path)
    display = RegularizationPathDisplay.from_path(path, ax=Figure().subplots())
    assert display.ax_.get_xlabel() == "units"


def test_an_interrupted_path_goes_on(data, path, tmp_path):
    clf = GatedUnigramClassifier(max_epochs=30, random_state=0)
    arguments = {"n_lambdas": 6, "checkpoint_dir": tmp_path}
    regularization_path(clf, data.X, data.y, **arguments)
    (tmp_path / "point-0005.npz").unlink(missing_ok=True)
    again = regularization_path(clf, data.X, data.y, **arguments)
    assert [p.structure for p in again.points] == [p.structure for p in path.points]
    for one, other in zip(again, path, strict=True):
        np.testing.assert_array_equal(one.coef_, other.coef_)


class OtherClassifier(GatedUnigramClassifier):
    """Another class with equal parameters."""


def test_the_checkpoint_of_another_class_is_refused(data, tmp_path):
    arguments = {"lambdas": [1e-3], "checkpoint_dir": tmp_path}
    clf = GatedUnigramClassifier(max_epochs=5, random_state=0)
    regularization_path(clf, data.X, data.y, **arguments)
    with pytest.raises(ValueError, match=r"estimator: .*GatedUnigramClassifier there"):
        other = OtherClassifier(max_epochs=5, random_state=0)
        regularization_path(other, data.X, data.y, **arguments)


class BufferCell(GatedUnigramCell):
    """A cell with a buffer whose name others use, too."""

    def __init__(self, structure, dtype):
        super().__init__(structure, dtype)
        self.register_buffer("mean", torch.full((3,), 0.5, dtype=dtype))

    def blank(self, structure):
        return BufferCell(structure, self.a.dtype)


class BufferClassifier(GatedUnigramClassifier):
    def _dense_cell(self, *args):
        cell = super()._dense_cell(*args)
        return BufferCell(cell.structure(), cell.a.dtype).set_arrays(cell.to_arrays())


def test_buffers_of_a_cell_go_through_a_checkpoint(data, tmp_path):
    clf = BufferClassifier(max_epochs=5, random_state=0)
    arguments = {"lambdas": [1e-3, 5e-2], "checkpoint_dir": tmp_path}
    path = regularization_path(clf, data.X, data.y, **arguments)
    again = regularization_path(clf, data.X, data.y, **arguments)
    assert [p.structure for p in again.points] == [p.structure for p in path.points]


def test_cross_validation_chooses_a_size(data):
    search = SparseRationalClassifierCV(
        GatedUnigramClassifier(max_epochs=20),
        n_lambdas=3,
        cv=2,
        refit="max_size",
        max_size=5,
        random_state=0,
    ).fit(data.X, data.y)
    assert search.size_ <= 5
    assert {"mean_n_units", "split1_n_units"} <= search.cv_results_.keys()
    assert search.predict(data.X).shape == data.y.shape


def test_a_grid_search_chooses_the_smallest(data):
    search = GridSearchCV(
        GatedUnigramClassifier(max_epochs=5, random_state=0),
        {"lambda_": [1e-3, 5e-2]},
        cv=2,
        scoring=score_and_size("size_"),
        refit=smallest_within_one_se("size_"),
    ).fit(data.X, data.y)
    assert {"mean_test_size_", "mean_test_score"} <= search.cv_results_.keys()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_lambda_max_leaves_nothing_and_a_little_less_leaves_something(data):
    clf = GatedUnigramClassifier(max_epochs=10, random_state=0)
    most = lambda_max(data.X, data.y, estimator=clf)
    assert clf.set_params(lambda_=most).fit(data.X, data.y).size_ == 0
    assert clf.set_params(lambda_=0.98 * most).fit(data.X, data.y).size_ > 0


def test_an_emptied_model_says_so(data):
    with pytest.warns(ConvergenceWarning, match="removed every unit"):
        clf = GatedUnigramClassifier(lambda_=100.0).fit(data.X, data.y)
    assert clf.predict(as_sequences(data.X)).shape == data.y.shape


def test_stability_counts_units(data):
    clf = GatedUnigramClassifier(max_epochs=5)
    runs = structure_stability(clf, data.X, data.y, cv=2, random_states=[0, 1])
    assert repr(runs).startswith("4 runs (2 folds x 2 seeds)\n  units ")
    frame = runs.to_frame()
    assert frame["n_units"].tolist() == [s.size for s in runs.structures]
    assert runs.lengths_frame().index.name == "unit"
    assert runs.counts_frame()["n_runs"].sum() == 4
    assert "units of each unit" in runs._repr_html_()
