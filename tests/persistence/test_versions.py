"""Folders of each format load in every later version, which tells of what changed.

tests/fixtures/format-1/make.py wrote the folders.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import sklearn

import skrational
from skrational import SequenceArray
from skrational.exceptions import ModelFileError, ModelVersionWarning
from skrational.persistence import changes, load
from skrational.persistence.changes import Change
from tests.persistence.test_damage import with_manifest

FOLDER = Path(__file__).parents[1] / "fixtures" / "format-1"
TEXTS = ["not worth it", "a very good book", "bad tea", "it good", "the the bad"] * 6
NAMES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def expected():
    return dict(np.load(FOLDER / "expected.npz"))


@pytest.fixture(scope="module")
def X():
    return SequenceArray(**np.load(FOLDER / "features.npz"))


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(FOLDER / "scaled", tmp_path / "model")


@pytest.mark.parametrize("name", NAMES)
def test_folders_of_format_1_predict_what_they_predicted(name, X, expected):
    model = load(FOLDER / name)
    of_texts = name in ("corpus", "vectors") or "language" in name
    recorded = {k: v for k, v in expected.items() if k.split(".")[0] == name}
    assert recorded
    for key, values in recorded.items():
        found = getattr(model, key.split(".")[1])(TEXTS if of_texts else X)
        if values.dtype.kind == "f":
            # Words of the table are in half precision, and processors differ.
            tolerance = 2e-3 if name == "vectors" else 1e-6
            np.testing.assert_allclose(found, values, tolerance, tolerance)
        else:
            np.testing.assert_array_equal(found, values)


def test_there_is_a_folder_of_every_kind():
    assert len(NAMES) == 13


@pytest.mark.parametrize("version", ["9.0.0", "0.99", "1.0.0rc1", "10.2.3"])
def test_a_later_version_is_refused(version, folder):
    with_manifest(folder, versions={"skrational": version})
    with pytest.raises(ModelFileError, match=rf"written by skrational {version}; this"):
        load(folder)


def test_a_later_patch_and_earlier_versions_load_quietly(folder):
    ours = skrational.__version__.split(".")
    for version in (f"{ours[0]}.{ours[1]}.99", "0.0.1", "0.1"):
        versions = {"skrational": version, "scikit-learn": sklearn.__version__}
        with_manifest(folder, versions=versions)
        load(folder)


@pytest.mark.parametrize("version", ["", "one", "1", "v1.0", None, 3])
def test_what_is_no_version_is_refused(version, folder):
    with_manifest(folder, versions={"skrational": version})
    with pytest.raises(ModelFileError, match=r"manifest\.json"):
        load(folder)


def test_a_change_of_behaviour_warns_who_is_concerned(folder, monkeypatch):
    what = "the sigmoid is another one"
    change = Change("0.1.0", frozenset({"SparseRationalClassifier"}), what)
    monkeypatch.setattr(changes, "CHANGES", (change,))
    load(folder)
    versions = {"skrational": "0.0.9", "scikit-learn": sklearn.__version__}
    with_manifest(folder, versions=versions)
    with pytest.warns(ModelVersionWarning, match=f"since 0.1.0, {what}"):
        load(folder)
    other = Change("0.1.0", frozenset({"SparseLSTMClassifier"}), what)
    monkeypatch.setattr(changes, "CHANGES", (other,))
    load(folder)


def test_every_change_is_of_a_version_and_of_classes_there_are():
    from skrational.persistence.registry import KNOWN

    for change in changes.CHANGES:
        assert changes._numbers(change.version, "") <= changes._numbers(
            skrational.__version__, ""
        )
        assert change.classes <= set(KNOWN)


@pytest.mark.parametrize("version", ["1.0.0", "2.0.0", ""])
def test_estimators_of_another_scikit_learn_are_told_of(version, folder, tmp_path):
    versions = {"skrational": skrational.__version__, "scikit-learn": version}
    with_manifest(folder, versions=versions)
    with pytest.warns(ModelVersionWarning, match=r"wrote its sklearn\.Pipeline"):
        load(folder)
    alone = shutil.copytree(FOLDER / "rational", tmp_path / "alone")
    with_manifest(alone, versions=versions)
    load(alone)


def test_manifests_name_the_format(folder):
    record = json.loads((folder / "manifest.json").read_text())
    assert (record["kind"], record["format"]) == ("skrational model", 1)
