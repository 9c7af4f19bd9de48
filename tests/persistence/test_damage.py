"""Damaged folders: each a clear error or the same model, never another one."""

import json
import shutil
import tracemalloc

import numpy as np
import pytest

from skrational.exceptions import ModelFileError
from skrational.persistence import load, save
from skrational.persistence.documents import parse
from skrational.persistence.manifest import manifest_bytes
from skrational.persistence.tensors import arrays_from_bytes
from tests.persistence.models import TEXTS, assert_same, predictions, rational
from tests.persistence.models import pipeline as make

FILES = ("config.json", "manifest.json", "structure.json", "weights.safetensors")


@pytest.fixture(scope="module")
def pipeline(models, tmp_path_factory):
    """A folder and what its model predicts."""
    model, _ = models["pipeline"]
    folder = save(model, tmp_path_factory.mktemp("whole") / "model")
    return folder, predictions(model, TEXTS)


@pytest.fixture
def folder(pipeline, tmp_path):
    return shutil.copytree(pipeline[0], tmp_path / "model")


def damage(content, rng):
    """Return bytes that have been damaged in one of the ways that happen."""
    content, kind = bytearray(content), rng.integers(6)
    at = int(rng.integers(len(content)))
    if kind == 0:
        content[at] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        del content[at:]
    elif kind == 2:
        content[at : at + 8] = rng.bytes(8)
    elif kind == 3:
        content += rng.bytes(9)
    elif kind == 4:
        del content[at : at + int(rng.integers(1, 30))]
    else:
        content[at : at + 60] = bytes(60)
    return bytes(content)


def reseal(folder):
    """Give a folder the manifest of the files that it holds."""
    files = {p.name: p.read_bytes() for p in folder.iterdir()}
    files.pop("manifest.json")
    (folder / "manifest.json").write_bytes(manifest_bytes(files))


def assert_refused_or_same(folder, expected):
    try:
        model = load(folder)
    except ModelFileError as error:
        assert str(folder) in str(error)
        return True
    assert_same(predictions(model, TEXTS), expected)
    return False


@pytest.mark.parametrize("name", FILES)
def test_any_damage_of_a_file_is_noticed(name, pipeline, folder):
    whole = (folder / name).read_bytes()
    for seed in range(80):
        damaged = damage(whole, np.random.default_rng(seed))
        (folder / name).write_bytes(damaged)
        if damaged == whole:
            continue
        # Spaces between the tokens of the manifest say nothing.
        assert assert_refused_or_same(folder, pipeline[1]) or name == "manifest.json"


@pytest.mark.parametrize("name", ["config.json", "structure.json"])
def test_forged_texts_are_refused_or_harmless(name, pipeline, folder):
    """Checksums don't help if they are those of the damage."""
    whole = (folder / name).read_bytes()
    refused = 0
    for seed in range(100):
        (folder / name).write_bytes(damage(whole, np.random.default_rng(seed)))
        reseal(folder)
        try:
            load(folder)
        except (ModelFileError, FileNotFoundError) as error:
            assert "Traceback" not in str(error)
            refused += 1
    assert refused > 80


def test_forged_weights_are_refused_or_numbers(folder):
    name = "weights.safetensors"
    whole = (folder / name).read_bytes()
    for seed in range(100):
        (folder / name).write_bytes(damage(whole, np.random.default_rng(seed)))
        reseal(folder)
        try:
            model = load(folder)
        except ModelFileError:
            continue
        assert np.isfinite(model[-1].weights_["W_u"]).all()


def replaced(value, rng):
    """Return a value of another type, or far too large."""
    others = [None, True, -1, 10**30, 1e308, "x", [], {}, [[1]], {"$array": "no"}]
    others += [{"$class": "os.system"}, {"$float": "nan"}, {"$same": 99}, [value] * 3]
    return others[int(rng.integers(len(others)))]


def mutate(tree, rng):
    """Replace one node of a tree, or remove or add one."""
    places = []

    def visit(node):
        if isinstance(node, dict | list):
            keys = list(node) if isinstance(node, dict) else range(len(node))
            for key in keys:
                places.append((node, key))
                visit(node[key])

    visit(tree)
    node, key = places[int(rng.integers(len(places)))]
    kind = rng.integers(4)
    if kind == 0 and isinstance(node, dict):
        del node[key]
    elif kind == 1 and isinstance(node, dict):
        node[f"{key}_"] = node[key]
    else:
        node[key] = replaced(node[key], rng)
    return tree


@pytest.mark.parametrize("name", ["config.json", "structure.json", "manifest.json"])
def test_json_of_wrong_types_gives_a_clear_error_or_a_model(name, folder):
    whole = (folder / name).read_bytes()
    refused = 0
    for seed in range(70):
        rng = np.random.default_rng(seed)
        tree = mutate(json.loads(whole), rng)
        (folder / name).write_text(json.dumps(tree))
        if name != "manifest.json":
            reseal(folder)
        try:
            model = load(folder)
        except (ModelFileError, FileNotFoundError) as error:
            refused += 1
            assert str(error)
            continue
        model.predict(TEXTS)
    assert refused > 30


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(name, folder):
    (folder / name).unlink()
    with pytest.raises(ModelFileError, match=name):
        load(folder)


def test_one_file_too_many_is_named_but_not_what_hubs_and_people_add(pipeline, folder):
    for name in ("README.md", "LICENSE", ".gitattributes", ".DS_Store"):
        (folder / name).write_text("beside")
    (folder / ".cache").mkdir()
    assert_same(predictions(load(folder), TEXTS), pipeline[1])
    (folder / "weights-2.safetensors").write_bytes(b"")
    with pytest.raises(ModelFileError, match=r"weights-2.*doesn't list it"):
        load(folder)


def test_files_of_two_models_are_not_mixed(folder, models, tmp_path):
    other = save(models["rho"][0], tmp_path / "other")
    for name in FILES:
        mixed = shutil.copytree(folder, tmp_path / f"with {name}")
        shutil.copy(other / name, mixed / name)
        with pytest.raises(ModelFileError):
            load(mixed)


def with_manifest(folder, **changes):
    place = folder / "manifest.json"
    record = json.loads(place.read_text())
    record.pop("seal")
    record |= changes
    from skrational.persistence.manifest import _seal

    place.write_text(json.dumps(record | {"seal": _seal(record)}))


def test_other_formats_and_kinds_are_refused(folder):
    versions = {"skrational": "9.0.0"}
    with_manifest(folder, format=2, versions=versions)
    with pytest.raises(ModelFileError, match=r"format is 2, written by skrational '9"):
        load(folder)
    for value in (0, "1", None, 1.5, True, [1]):
        with_manifest(folder, format=value)
        with pytest.raises(ModelFileError, match="format"):
            load(folder)
    with_manifest(folder, format=1, kind="another model")
    with pytest.raises(ModelFileError, match="no manifest of a model"):
        load(folder)


@pytest.mark.parametrize(
    "files",
    [
        None,
        {},
        [],
        {"config.json": {}},
        {name: {"bytes": 10**18, "sha256": "0" * 64} for name in FILES[:1] + FILES[2:]},
        {name: {"bytes": -1, "sha256": "0"} for name in FILES[:1] + FILES[2:]},
        {name: {"bytes": 1, "sha256": 3} for name in FILES[:1] + FILES[2:]},
    ],
)
def test_a_manifest_of_other_files_is_refused(files, folder):
    with_manifest(folder, files=files)
    with pytest.raises(ModelFileError):
        load(folder)


def test_a_manifest_names_no_file_elsewhere(folder):
    record = json.loads((folder / "manifest.json").read_text())["files"]
    for name in ("../other.skops", "/etc/x.skops", "a\\b.skops", "sub/x.skops"):
        with_manifest(folder, files={**record, name: record["config.json"]})
        with pytest.raises(ModelFileError, match=r"manifest\.json: what it says"):
            load(folder)


def header(**tensors):
    text = json.dumps(tensors).encode()
    return len(text).to_bytes(8, "little") + text


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 8,
        (2**62).to_bytes(8, "little") + b"{}",
        header(x={"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}),
        header(x={"dtype": "F32", "shape": [2**70], "data_offsets": [0, 4]}),
        header(x={"dtype": "F32", "shape": [-1, -1], "data_offsets": [0, 4]}) + b"1234",
        header(x={"dtype": "F4", "shape": [2], "data_offsets": [0, 8]}) + bytes(8),
        header(x={"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}) + bytes(8),
        header(x={"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}) + bytes(12),
        header(x=[1]),
        header(x={"shape": "a"}),
    ],
)
def test_headers_that_announce_what_is_not_there(content):
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"."):
        arrays_from_bytes(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_documents_that_would_fill_memory_are_refused():
    for content in (b"[[],[]" + b",[]" * 10**6 + b"]", b"[" * 10**6):
        tracemalloc.start()
        with pytest.raises(ModelFileError):
            parse(content, "config.json", len(content))
        assert tracemalloc.get_traced_memory()[1] < 4 * len(content) + 2**25
        tracemalloc.stop()
    with pytest.raises(ModelFileError, match="a key stands twice"):
        parse(b'{"a": 1, "a": 2}', "config.json", 99)
    with pytest.raises(ModelFileError, match="NaN is no number"):
        parse(b'{"a": NaN}', "config.json", 99)


def test_loading_takes_three_times_the_folder_at_most(tmp_path):
    vectors = {f"w{i}": row for i, row in enumerate(np.eye(2500, 600, dtype="f4"))}
    model = make(vectors, n_wfsas=1).fit([f"w{i} w{i + 1}" for i in range(40)],
                                         np.arange(40) % 2)  # fmt: skip
    folder = save(model, tmp_path / "model", vectors="all")
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert size > 5e6
    load(folder)
    tracemalloc.start()
    load(folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * size


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_forged_weights_that_are_no_numbers_are_refused(value, models, tmp_path):
    from safetensors.numpy import load as read
    from safetensors.numpy import save as written

    folder = save(rational().set_params(n_wfsas=2), tmp_path / "unfitted")
    folder = save(models["pipeline"][0], folder)
    place = folder / "weights.safetensors"
    for name in read(place.read_bytes()):
        arrays = read(place.read_bytes())
        if arrays[name].dtype.kind != "f" or "history_" in name:
            continue
        arrays[name] = arrays[name].copy()
        arrays[name].ravel()[:1] = value
        forged = shutil.copytree(folder, tmp_path / "forged", dirs_exist_ok=True)
        (forged / place.name).write_bytes(written(arrays))
        reseal(forged)
        with pytest.raises(ModelFileError, match="NaN or infinity"):
            load(forged)


def test_links_to_files_are_followed_and_pipes_are_not(pipeline, folder, tmp_path):
    # As the cache of the hub has them.
    place = folder / "weights.safetensors"
    shutil.move(place, tmp_path / "blob")
    place.symlink_to(tmp_path / "blob")
    assert_same(predictions(load(folder), TEXTS), pipeline[1])
    place.unlink()
    place.mkdir()
    with pytest.raises(ModelFileError, match="is no file"):
        load(folder)
