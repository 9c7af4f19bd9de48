"""Whatever happens to the files of a checkpoint is told, or has changed nothing."""

import io
import json
import warnings
import zipfile
from contextlib import suppress

import numpy as np
import pytest

from skrational.model_selection._checkpoint import Checkpoint
from skrational.utils.records import pack, unpack

ABOUT = {"of": "this"}
POINTS = ("point-0000.npz", "point-0001.npz")
OTHER_VERSION = '{"format": 99, "about": {}, "seed": 1}'
GARBLED = (
    "",
    "{",
    "[]",
    "[" * 99_999,
    '{"format": 1}',
    '{"format": 1, "about": [], "seed": 0}',
    '{"format": 1, "about": {"of": 1}, "seed": 0}',
    '{"format": 1, "about": {}, "seed": -1}',
    '{"format": 1, "about": {}, "seed": 1e300}',
    '{"format": 1, "about": {}, "seed": 1%s}' % ("0" * 400),
    '{"format": 2, "about": {}, "seed": 0}',
)


def load(folder):
    return Checkpoint(folder, ABOUT, 7).load()


def write(folder, version=2):
    """Write a checkpoint of two points; of format 1 are those of version 0.1.0."""
    folder.mkdir()
    if version == 1:
        description = {"format": 1, "seed": 7, "about": ABOUT}
        (folder / "path.json").write_text(json.dumps(description))
    checkpoint = Checkpoint(folder, ABOUT, 7)
    for i in range(len(POINTS)):
        arrays = {"coef_": np.full((1, 2), i, np.float32), "weights/W": np.eye(2)}
        checkpoint.save(i, ({"lambda_": i}, arrays), ({"seconds": i}, arrays))
    return folder


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / "new")


@pytest.fixture
def earlier(tmp_path):
    return write(tmp_path / "old", version=1)


def damages(raw, step=1):
    for i in range(0, len(raw), step):
        yield raw[:i] + bytes([raw[i] ^ 1 << i % 8]) + raw[i + 1 :]
    for i in range(0, len(raw), 50 * step):
        yield raw[:i]
        yield raw[:i] + bytes(50) + raw[i + 50 :]
        yield raw[:i] + raw[i + 50 :]
    yield raw + b"\0"
    yield raw + raw


@pytest.mark.parametrize("role", ["trunk", None], ids=["sealed", "as 0.1.0 wrote it"])
def test_a_damaged_record_is_refused_or_equal(role):
    record = {"n": 1}, {"coef_": np.ones((1, 2), np.float32), "W": np.eye(2)}
    file = io.BytesIO()
    pack(file, record, role)
    found = [unpack(file, role)]
    for damaged in damages(file.getvalue()):
        with suppress(Exception):  # there is no end to what damage can raise
            found.append(unpack(io.BytesIO(damaged), role))
    for loaded in found:  # dates and the like don't count
        np.testing.assert_equal(loaded, record)
        assert loaded[1]["coef_"].dtype == np.float32
    assert len(found) < len(file.getvalue()) / 2


@pytest.mark.parametrize("name", ["path.json", POINTS[1], "trunk.npz"])
def test_damage_is_told_once_and_the_path_begins_anew(folder, name):
    intact = {path: path.read_bytes() for path in folder.iterdir()}
    expected, n_told = load(folder), 0
    for content in damages(intact[folder / name], step=17):
        for path, raw in intact.items():
            path.write_bytes(content if path.name == name else raw)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            loaded = load(folder)
        for warning in caught:
            assert f"{folder / name} is damaged" in str(warning.message)
        np.testing.assert_equal(loaded, ([], None) if caught else expected)
        n_told += len(caught)
        assert len(caught) <= 1
    assert n_told > 10


def test_points_that_changed_places(folder):
    first, second = (folder / name for name in POINTS)
    second.write_bytes(first.read_bytes())
    with pytest.warns(UserWarning, match=r"point-0001\.npz is damaged"):
        assert load(folder) == ([], None)


def test_files_of_another_path_of_the_same_data(tmp_path):
    for seed in (1, 2):
        Checkpoint(tmp_path / str(seed), ABOUT, seed).save(0, ({}, {}), ({}, {}))
    (tmp_path / "1" / "trunk.npz").replace(tmp_path / "2" / "trunk.npz")
    with pytest.warns(UserWarning, match=r"trunk\.npz is damaged"):
        assert load(tmp_path / "2") == ([], None)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: np.savez_compressed(path, _facts=np.zeros(9**7, np.uint8)),
        lambda path: np.savez(path, _facts=np.array([{}], dtype=object)),
        lambda path: archive(path, "(281474976710656,)"),
        lambda path: archive(path, "(-1,)"),
        lambda path: archive(path, "(7,)", version=2),
    ],
    ids=["zip bomb", "pickle", "huge array", "negative", "other npy"],
)
def test_no_room_is_made_for_what_is_not_there(earlier, write):
    write(earlier / "trunk.npz")
    with pytest.warns(UserWarning, match=r"trunk\.npz is damaged"):
        assert load(earlier) == ([], None)


def archive(path, shape, version=1):
    """An archive with the valid CRCs of an array of which there are seven bytes."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}\n"
    size = len(header).to_bytes(2 if version == 1 else 4, "little")
    npy = b"\x93NUMPY" + bytes([version, 0]) + size + header.encode() + bytes(7)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("_facts.npy", npy)


@pytest.mark.parametrize("n_points", [-1, "2", None, 1.0, True])
def test_what_is_no_number_of_points(earlier, n_points):
    write_points(earlier, n_points)
    with pytest.warns(UserWarning, match=r"trunk\.npz is damaged"):
        assert load(earlier) == ([], None)


@pytest.mark.parametrize("n_points", [3, 10**9, 10**400])
def test_more_points_than_there_are(earlier, n_points):
    write_points(earlier, n_points)
    assert load(earlier) == ([], None)


def write_points(folder, n_points):
    facts = np.frombuffer(json.dumps({"n_points": n_points}).encode(), np.uint8)
    np.savez(folder / "trunk.npz", _facts=facts)


@pytest.mark.parametrize("text", [*GARBLED, OTHER_VERSION], ids=lambda text: text[:40])
def test_a_garbled_file_that_may_be_another_s_is_left_alone(tmp_path, text):
    (tmp_path / "path.json").write_text(text)
    with pytest.raises(ValueError, match=r"path\.json is damaged.*Empty the folder"):
        load(tmp_path)
    assert (tmp_path / "path.json").read_text() == text


@pytest.mark.parametrize("text", GARBLED, ids=lambda text: text[:40])
def test_a_garbled_description_of_a_checkpoint_begins_anew(folder, text):
    (folder / "path.json").write_text(text)
    with pytest.warns(UserWarning, match=r"path\.json is damaged.*anew") as caught:
        anew = Checkpoint(folder, ABOUT, 8)
    assert len(caught) == 1
    assert (anew.seed, anew.load()) == (8, ([], None))
    anew.close()
    assert Checkpoint(folder, ABOUT, 9).seed == 8


def test_a_checkpoint_of_a_later_version_is_left_alone(folder):
    (folder / "path.json").write_text(OTHER_VERSION)
    with pytest.raises(ValueError, match=r"another version \(format 99\)"):
        load(folder)


@pytest.mark.parametrize("name", ["path.json", "trunk.npz", "point-0001.npz"])
def test_a_folder_in_place_of_a_file(folder, name):
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(IsADirectoryError, match=f"{name} is a folder; expected a file"):
        load(folder)
