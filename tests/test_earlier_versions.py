"""What earlier versions saved loads, and computes what it computed then.

tests/fixtures/0.1.0/make.py wrote the files, with that version.
"""

import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from matplotlib.figure import Figure
from sklearn.base import clone

from skrational import (
    SequenceArray,
    SparseRationalClassifier,
    SparseRationalClassifierCV,
)
from skrational.model_selection import RegularizationPathDisplay, regularization_path
from skrational.utils.moved import MOVED

# A pickle that numpy 2 has written names modules that numpy 1 lacks.
pytest.importorskip("numpy", "2.0")

FOLDER = Path(__file__).parent / "fixtures" / "0.1.0"


def read(name):
    return pickle.loads((FOLDER / name).read_bytes())


def load_skops(name):
    path = FOLDER / name
    return skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))


@pytest.fixture(scope="module")
def expected():
    return read("expected.pkl")


@pytest.fixture(scope="module")
def X(expected):
    return SequenceArray(**expected["X"])


def assert_predicts(clf, X, expected, rtol=1e-6):
    """The same, but for the last bits, in which processors multiply differently."""
    for name, values in expected.items():
        found = getattr(clf, name)(X)
        if np.asarray(values).dtype.kind == "f":
            np.testing.assert_allclose(found, values, rtol, rtol, err_msg=name)
        else:
            np.testing.assert_array_equal(found, values, err_msg=name)


CLASSIFIERS = read("classifiers.pkl")


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_pickled_classifiers_predict_the_same(name, X, expected):
    documents = X
    if name == "named":
        documents = pd.DataFrame(X.features[:, :3], columns=["p", "q", "r"])
    assert_predicts(CLASSIFIERS[name], documents, expected["classifiers"][name])


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_pickled_classifiers_are_pickled_anew(name, X, expected):
    if name == "named":
        pytest.skip("has features of its own")
    again = pickle.loads(pickle.dumps(CLASSIFIERS[name]))
    assert_predicts(again, X, expected["classifiers"][name])


def test_a_pickled_classifier_goes_on_learning(X, expected):
    clf = read("classifiers.pkl")["rho"].set_params(warm_start=True, lambda_=1e-3)
    before = clf.learned_structure_
    clf.fit(X, expected["y"])
    assert clf.learned_structure_.initial_lengths == before.initial_lengths
    assert clf.n_transitions_ <= before.n_transitions


def test_joblib_and_skops_files_predict_the_same(X, expected):
    default = joblib.load(FOLDER / "classifier.joblib")
    assert_predicts(default, X, expected["classifiers"]["default"])
    learned = load_skops("classifier.skops")
    assert_predicts(learned, X, expected["classifiers"]["rho"])


@pytest.mark.parametrize("name", ["pipeline.pkl", "pipeline.skops"])
@pytest.mark.filterwarnings("ignore:[0-9]+ of [0-9]+ texts hold no word")
def test_pipelines_from_texts_predict_the_same(name, expected):
    pipeline = read(name) if name.endswith("pkl") else load_skops(name)
    of_texts = dict(expected["pipeline"])
    assert_predicts(pipeline, of_texts.pop("texts"), of_texts)


def test_what_model_selection_returned(X, expected):
    values, then = read("model_selection.pkl"), expected["model_selection"]
    frame = pd.DataFrame(then["path"])
    pd.testing.assert_frame_equal(values["path"].to_frame(), frame)
    for clf, point in zip(values["path"], then["points"], strict=True):
        assert_predicts(clf, X, point)
    for name in ("search", "grid"):
        assert_predicts(values[name], X, then[name])
    np.testing.assert_equal(values["search"].cv_results_, then["cv_results_"])
    assert repr(values["stability"]) == then["stability"]
    assert values["structure"].to_json() == then["structure"]
    assert values["X"] == X
    clf = values["path"][0]
    for name in ("W_u", "W_f", "b_f", "final", "coef"):
        np.testing.assert_array_equal(
            getattr(values["automata"], name), getattr(clf.automata_, name)
        )


def test_what_was_loaded_is_shown_cloned_and_fitted_again(X, expected):
    search = read("model_selection.pkl")["search"]
    assert "SparseRationalClassifierCV" in repr(search)
    assert search.max_size is None
    assert "max_size" in search.get_params()
    again = clone(search).fit(X, expected["y"])
    assert len(again.lambdas_) == len(search.lambdas_)
    for clf in CLASSIFIERS.values():
        assert clone(clf).get_params() == clf.get_params()
        assert repr(clf)


def test_what_a_version_did_not_have_gets_its_default():
    display = RegularizationPathDisplay({"": [[4, 2]]}, {"": [[0.9, 0.8]]})
    for value in (
        display,
        SparseRationalClassifier(n_wfsas=7),
        SparseRationalClassifierCV(n_lambdas=5),
    ):
        before = dict(vars(value))
        for name in before:
            twin = type(value).__new__(type(value))
            twin.__setstate__({k: v for k, v in before.items() if k != name})
            assert set(vars(twin)) >= set(before) - {name}
    old = {k: v for k, v in vars(display).items() if k != "size_label"}
    twin = RegularizationPathDisplay.__new__(RegularizationPathDisplay)
    twin.__setstate__(old)
    assert twin.plot(Figure().subplots()).ax_.get_xlabel() == "main-path transitions"


def test_a_path_goes_on_from_its_checkpoint(X, expected, tmp_path):
    then = expected["checkpoint"]
    folder = tmp_path / "checkpoint"
    shutil.copytree(FOLDER / "checkpoint", folder)
    path = regularization_path(
        SparseRationalClassifier(**then["params"]),
        X,
        expected["y"],
        n_lambdas=5,
        checkpoint_dir=folder,
    )
    frame = pd.DataFrame(then["path"]).drop(columns="seconds")
    found = path.to_frame().drop(columns="seconds")
    pd.testing.assert_frame_equal(found, frame, rtol=1e-4)
    for clf, point in zip(path, then["points"], strict=True):
        # Steps of training let the last bits grow, and have a bounded metric since.
        values = {name: v for name, v in point.items() if name != "predict"}
        assert_predicts(clf, X, values, rtol=2e-2)
        assert np.mean(clf.predict(X) == point["predict"]) >= 0.95


def test_a_function_that_has_its_old_module_s_name_is_found_in_it():
    script = (
        "from skrational.inspection.explain import explain as there\n"
        "from skrational.inspection import explain\n"
        "import skrational.inspection as inspection\n"
        "assert callable(inspection.explain) and explain is there is inspection.explain"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)


def test_every_old_name_of_a_module_leads_to_the_new_one():
    # In a process of its own: an import binds the old name in its package.
    script = "from importlib import import_module as get\n" + "\n".join(
        f"assert get({old!r}) is get({new!r}), {old!r}" for old, new in MOVED.items()
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=120)
