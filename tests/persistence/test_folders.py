"""Folders are replaced whole: by whoever is killed, fails, or writes beside others."""

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from skrational.exceptions import ModelFileError, ModelVersionWarning
from skrational.persistence import load, save
from skrational.utils import folders
from skrational.utils.files import short_name
from tests.persistence.models import predictions

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def two(models):
    """Two models, and what they predict of the same data."""
    first, X = models["rational"]
    second = models["max-plus"][0]
    return X, (first, second), [predictions(model, X) for model in (first, second)]


def which(folder, two):
    """Return which of the two models a folder holds."""
    found = predictions(load(folder), two[0])
    for i, expected in enumerate(two[2]):
        if all(np.array_equal(found[name], expected[name]) for name in expected):
            return i
    raise AssertionError("it holds neither")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_model_is_replaced_by_another(two, tmp_path):
    folder = tmp_path / "model"
    for i in (0, 1, 0):
        assert save(two[1][i], folder) == folder
        assert which(folder, two) == i
    assert names(tmp_path) == ["model"]


def test_folders_on_the_way_are_made_and_links_are_followed(two, tmp_path, monkeypatch):
    folder = save(two[1][0], tmp_path / "a" / "b" / "model")
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert save(two[1][1], link) == folder
    assert link.is_symlink()
    assert which(link, two) == 1
    monkeypatch.chdir(tmp_path)
    assert which(save(two[1][0], "relative"), two) == 0


def test_what_stands_beside_a_model_stays(two, tmp_path):
    folder = save(two[1][0], tmp_path / "model")
    (folder / "README.md").write_text("A card.")
    (folder / "LICENSE").write_text("Free.")
    save(two[1][1], folder)
    assert (folder / "README.md").read_text() == "A card."
    assert (folder / "LICENSE").read_text() == "Free."
    assert which(folder, two) == 1


@pytest.mark.parametrize("content", ["notes.txt", ".git/HEAD", "sub/manifest.json"])
def test_what_is_no_model_is_left_alone(content, two, tmp_path):
    for folder in (tmp_path / "plain", save(two[1][0], tmp_path / "model")):
        place = folder / content
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("mine")
        with pytest.raises(
            FileExistsError, match="it holds what is no part of a model"
        ):
            save(two[1][1], folder)
        assert place.read_text() == "mine"
        save(two[1][1], folder, overwrite=True)
        assert not place.exists()
        assert which(folder, two) == 1


def test_files_and_folders_in_the_way(two, tmp_path, monkeypatch):
    place = tmp_path / "model"
    place.write_text("a file")
    with pytest.raises(FileExistsError, match="it's a file; overwrite=True removes"):
        save(two[1][0], place)
    assert which(save(two[1][0], place, overwrite=True), two) == 0
    (tmp_path / "empty").mkdir()
    assert which(save(two[1][1], tmp_path / "empty"), two) == 1
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    for folder in (".", "..", "/", Path.home()):
        with pytest.raises(FileExistsError, match="a folder that you work in"):
            save(two[1][0], folder, overwrite=True)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "full")])
@pytest.mark.parametrize("there", ["model", "file", "nothing"])
def test_an_interrupt_between_two_renames(there, error, two, tmp_path, monkeypatch):
    place, rename = tmp_path / "model", os.rename
    if there == "model":
        save(two[1][0], place)
    elif there == "file":
        place.write_text("mine")

    def interrupted(old, new):
        if str(old).endswith(".new"):
            raise error
        rename(old, new)

    monkeypatch.setattr(os, "rename", interrupted)
    with pytest.raises(type(error)):
        save(two[1][1], place, overwrite=True)
    monkeypatch.undo()
    assert names(tmp_path) == ([] if there == "nothing" else ["model"])
    if there == "model":
        assert which(place, two) == 0
    elif there == "file":
        assert place.read_text() == "mine"


@pytest.mark.parametrize("failing", ["write", "sync", "rename"])
def test_a_save_that_fails_leaves_what_was_there(failing, two, tmp_path, monkeypatch):
    folder = save(two[1][0], tmp_path / "model")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def full(*args, **options):
        raise OSError(28, "No space left on device")

    if failing == "write":
        monkeypatch.setattr(folders, "_write", full)
    elif failing == "sync":
        monkeypatch.setattr(folders, "_sync", full)
    else:
        rename = os.rename
        monkeypatch.setattr(
            os,
            "rename",
            lambda a, b: full() if str(a).endswith("new") else rename(a, b),
        )
    with pytest.raises(OSError, match="No space left"):
        save(two[1][1], folder)
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert names(tmp_path) == ["model"]


def test_an_interrupt_leaves_what_was_there(two, tmp_path, monkeypatch):
    folder = save(two[1][0], tmp_path / "model")

    def interrupt(path, content):
        raise KeyboardInterrupt

    monkeypatch.setattr(folders, "_write", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save(two[1][1], folder)
    assert which(folder, two) == 0
    assert names(tmp_path) == ["model"]


def of_the_dead(name, kind):
    """Name a leftover of a process that has ended."""
    process = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                             capture_output=True, text=True, check=True)  # fmt: skip
    host = folders._host()
    return f".{name}.{host}-{process.stdout.strip()}-0123abcd.{kind}"


def test_killed_between_two_renames(two, tmp_path):
    folder = save(two[1][0], tmp_path / "model")
    aside = tmp_path / of_the_dead("model", "old")
    os.rename(folder, aside)
    (tmp_path / of_the_dead("model", "new")).mkdir()
    with pytest.warns(ModelVersionWarning, match="was to replace it was killed"):
        assert which(folder, two) == 0
    save(two[1][1], folder)
    assert which(folder, two) == 1
    assert names(tmp_path) == ["model"]


def test_a_failed_save_after_a_killed_one_puts_the_model_back(
    two, tmp_path, monkeypatch
):
    folder = save(two[1][0], tmp_path / "model")
    os.rename(folder, tmp_path / of_the_dead("model", "old"))

    def full(path, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folders, "_write", full)
    with pytest.raises(OSError, match="No space"):
        save(two[1][1], folder)
    assert names(tmp_path) == ["model"]
    assert which(folder, two) == 0


@pytest.mark.parametrize("other", ["model.v1", "model.new", "model.a-b-c"])
def test_leftovers_are_those_of_the_whole_name(other, two, tmp_path):
    aside = tmp_path / of_the_dead(other, "old")
    os.rename(save(two[1][0], tmp_path / other), aside)
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        load(tmp_path / "model")
    save(two[1][1], tmp_path / "model")
    assert names(tmp_path) == sorted([aside.name, "model"])
    with pytest.warns(ModelVersionWarning, match="was to replace it was killed"):
        assert which(tmp_path / other, two) == 0
    save(two[1][0], tmp_path / other)
    assert names(tmp_path) == ["model", other]


def test_nothing_else_is_taken_for_a_leftover(two, tmp_path):
    mine = [
        ".model.old",
        ".model.mine.old",
        ".model.backup-2024-01.old",
        f".model.{folders._host()}-x-0123abcd.old",
        f".model.{folders._host()}-1-0123abcd.old.zip",
    ]
    for name in mine:
        (tmp_path / name).mkdir()
        os.utime(tmp_path / name, (0, 0))
    save(two[1][0], tmp_path / "model")
    assert names(tmp_path) == sorted([*mine, "model"])


@pytest.mark.parametrize("name", ["n" * 201, "n" * 230, "n" * 255, "é" * 127])
def test_names_as_long_as_a_file_system_takes(name, two, tmp_path):
    folder = save(two[1][0], tmp_path / name)
    save(two[1][1], folder)
    assert which(folder, two) == 1
    assert names(tmp_path) == [name]
    aside = tmp_path / of_the_dead(short_name(name), "old")
    os.rename(folder, aside)
    with pytest.warns(ModelVersionWarning, match="was to replace it was killed"):
        assert which(folder, two) == 1
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        load(tmp_path / ("m" + name[1:]))


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
@pytest.mark.parametrize("mode", [0o700, 0o770, 0o500])
def test_permissions_stay(mode, two, tmp_path):
    folder = save(two[1][0], tmp_path / "model")
    (folder / "README.md").write_text("A card.")
    for path in folder.iterdir():
        path.chmod(mode & 0o666)
    folder.chmod(mode)
    save(two[1][1], folder)
    assert folder.stat().st_mode & 0o777 == mode
    assert {p.stat().st_mode & 0o777 for p in folder.iterdir()} == {mode & 0o666}
    assert which(folder, two) == 1
    assert names(tmp_path) == ["model"]


def test_files_that_the_manifest_does_not_name_are_not_the_models(two, tmp_path):
    folder = save(two[1][0], tmp_path / "model")
    mine = folder / "mine.skops"
    mine.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match=r"no part of a model \('mine\.skops'\)"):
        save(two[1][1], folder)
    with pytest.raises(ModelFileError, match=r"mine\.skops is no file of this model"):
        load(folder)
    assert mine.read_bytes() == b"mine"
    save(two[1][1], folder, overwrite=True)
    assert not mine.exists()
    assert which(folder, two) == 1


def test_a_damaged_model_is_replaced(two, tmp_path):
    folder = save(two[1][0], tmp_path / "model")
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"sha256": "', '"sha256": "0'))
    (folder / "weights.safetensors").write_bytes(b"")
    save(two[1][1], folder)
    assert which(folder, two) == 1


def test_what_downloads_leave_beside_a_model_stays(two, tmp_path):
    folder = save(two[1][0], tmp_path / "model")
    (folder / ".cache" / "huggingface").mkdir(parents=True)
    (folder / ".cache" / "huggingface" / "x.metadata").write_text("mine")
    save(two[1][1], folder)
    assert (folder / ".cache" / "huggingface" / "x.metadata").read_text() == "mine"
    assert which(folder, two) == 1


def test_what_cannot_be_removed_is_told_of(two, tmp_path, monkeypatch):
    folder = save(two[1][0], tmp_path / "model")
    remove = folders._remove
    monkeypatch.setattr(  # it's another user's
        folders, "_remove", lambda path: path if path.is_dir() else remove(path)
    )
    with pytest.warns(UserWarning, match="can't be removed") as told:
        save(two[1][1], folder)
    monkeypatch.undo()
    (left,) = folders.leftovers(folder)
    assert str(left) in str(told[0].message)
    assert told[0].filename == __file__
    assert which(folder, two) == 1
    assert which(left, two) == 0


@pytest.mark.parametrize("name", ["~nobody-of-this-name/model", "~nobody-of-this-name"])
def test_users_without_a_home_folder(name, two, tmp_path, monkeypatch):
    def homeless(path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", homeless)
    monkeypatch.chdir(tmp_path)
    assert save(two[1][0], name) == tmp_path / name
    assert which(name, two) == 0


def test_half_removed_folders_are_not_put_back(two, tmp_path, monkeypatch):
    folder, rmtree = save(two[1][0], tmp_path / "model"), shutil.rmtree

    def killed(path, **options):
        (path / "weights.safetensors").unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        save(two[1][1], folder)
    monkeypatch.setattr(shutil, "rmtree", rmtree)
    (gone,) = set(tmp_path.iterdir()) - {folder}
    os.rename(gone, tmp_path / of_the_dead("model", "gone"))
    rmtree(folder)
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        load(folder)
    save(two[1][0], folder)
    assert names(tmp_path) == ["model"]


def test_writers_that_live_are_left_alone(two, tmp_path):
    alive = tmp_path / f".model.{folders._host()}-{os.getpid()}-0123abcd.new"
    alive.mkdir()
    elsewhere = tmp_path / ".model.0badcafe-1-0123abcd.new"
    elsewhere.mkdir()
    forgotten = tmp_path / ".model.0badcafe-2-0123abcd.new"
    forgotten.mkdir()
    os.utime(forgotten, (0, 0))
    save(two[1][0], tmp_path / "model")
    assert names(tmp_path) == sorted([alive.name, elsewhere.name, "model"])


def test_threads_that_save_and_load_at_once(two, tmp_path):
    folder = save(two[1][0], tmp_path / "model")
    errors, found = [], set()
    end = time.monotonic() + 1.5

    def write(i):
        try:
            while time.monotonic() < end:
                save(two[1][i], folder)
        except Exception as error:
            errors.append(error)

    def read():
        try:
            while time.monotonic() < end:
                found.add(which(folder, two))
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(i,)) for i in (0, 1, 1)]
    threads += [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert found <= {0, 1}
    assert names(tmp_path) == ["model"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.skipif(
    not (ROOT / "benchmarks" / "kills_of_save.py").is_file(),
    reason="benchmarks/ is not part of this copy",
)
def test_killed_saves_leave_one_model_or_the_other():
    script = "from benchmarks import kills_of_save as kills; kills.run(4, n_words=500)"
    # In a process of its own, which has no threads when it forks.
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT, timeout=300)
