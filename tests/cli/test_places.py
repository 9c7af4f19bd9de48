"""Where commands write: never over what they read, nor over what is no model."""

import bz2
import gzip
import lzma
import os
import shutil
import zlib
from pathlib import Path

import joblib
import pytest

from skrational import load
from tests.cli.conftest import quick
from tests.persistence.test_folders import of_the_dead

COLUMNS = ("--text", "review", "--label", "stars")


@pytest.fixture
def tables(folder, tmp_path, monkeypatch):
    """A folder of its own with the tables and a model, which is worked in."""
    for path in folder.iterdir():
        shutil.copy(path, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def unfitted(monkeypatch):
    """Let a fit be an error: what is wrong is said before."""

    def fail(*args, **options):
        raise AssertionError("the model was learned")

    monkeypatch.setattr("sklearn.pipeline.Pipeline.fit", fail)
    monkeypatch.setattr("skrational.model_selection.regularization_path", fail)


@pytest.mark.parametrize(
    "args",
    [
        ("fit", "train.csv", *COLUMNS, "--out", "train.csv"),
        ("fit", "train.csv", *COLUMNS, "--out", "link.joblib"),
        ("fit", "train.csv", "--vectors", "corpus,test.csv", "--out", "test.csv"),
        ("path", "train.csv", *COLUMNS, "--dev", "test.csv", "--out", "test.csv"),
        ("path", "train.csv", *COLUMNS, "--out", "m", "--curve", "train.csv"),
        ("predict", "model.joblib", "test.csv", "--text", "review", "--out"),
        ("predict", "model.joblib", "./test.csv", "--text", "review", "--out"),
        ("test", "model.joblib", "test.csv", *COLUMNS, "--out", "model.joblib"),
        ("explain", "model.joblib", "test.csv", "--out", "link.html"),
        ("report", "model.joblib", "test.csv", "--out", "link.html"),
        ("vectors", "learn", "train.csv", "test.csv", "--text", "review", "--out"),
    ],
)
def test_what_is_read_is_not_replaced(tables, skrational, unfitted, args):
    args = (*args, "test.csv") if args[-1] == "--out" else args
    os.symlink("train.csv", "link.joblib")
    os.symlink("test.csv", "link.html")
    before = {path.name: path.read_bytes() for path in tables.iterdir()}
    code, printed, said = skrational(*args)
    assert (code, printed) == (2, "")
    assert "which is read; give another name" in said
    assert {path.name: path.read_bytes() for path in tables.iterdir()} == before


def test_the_standard_input_is_not_replaced(tables, skrational, monkeypatch):
    args = ("predict", "model.joblib", "-", "--text", "review", "--out", "test.csv")
    with open("test.csv", "rb") as file:
        monkeypatch.setattr("sys.stdin", file)
        code, _, said = skrational(*args)
    assert code == 2
    assert "would replace the standard input" in said


@pytest.mark.parametrize("name", ["notes", "notes.joblib", "notes.pkl", "packed.gz"])
def test_a_model_replaces_nothing_but_models(tables, skrational, unfitted, name):
    content = gzip.compress(b"mine") if name.endswith("gz") else b"mine"
    Path(name).write_bytes(content)
    code, _, said = skrational("fit", "train.csv", *COLUMNS, "--out", name)
    assert code == 2
    assert f"--out {name}: it's a file that is no model; give another name" in said
    assert Path(name).read_bytes() == content


@pytest.mark.parametrize(
    "pack",
    [bytes, zlib.compress, gzip.compress, bz2.compress, lzma.compress, lambda _: b""],
)
def test_models_of_joblib_and_empty_files_are_replaced(tables, skrational, pack):
    old = Path("old.joblib")
    old.write_bytes(pack(Path("model.joblib").read_bytes()))
    args = ("fit", "train.csv", *COLUMNS, *quick(), "--seed", 3)
    code, _, said = skrational(*args, "--out", old)
    assert code == 0, said
    assert joblib.load(old)[-1].random_state == 3


@pytest.mark.parametrize("command", ["fit", "path"])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--out", "m", "--checkpoint", ""), "a name is missing"),
        (("--out", "m", "--checkpoint", "m"), "is in the place of the model"),
        (("--out", "m", "--checkpoint", "./m/kept"), "is in the place of the model"),
        (("--out", "m", "--checkpoint", "test.csv"), "is a file; expected a folder"),
        (("--out", ""), "a name is missing"),
        (("--out", "~/no/model"), "there is no folder"),
    ],
)
def test_places_are_checked_before_the_fit(
    tables, skrational, unfitted, command, options, message
):
    code, printed, said = skrational(command, "train.csv", *COLUMNS, *options)
    assert (code, printed) == (2, "")
    assert message in said


def test_a_curve_and_a_model_have_two_names(tables, skrational, unfitted):
    args = ("path", "train.csv", *COLUMNS, "--out", "m.joblib")
    code, _, said = skrational(*args, "--curve", "./m.joblib")
    assert code == 2
    assert "--out and --curve both name m.joblib" in said


def test_the_home_folder_may_be_written_as_a_tilde(tables, skrational, monkeypatch):
    monkeypatch.setenv("HOME", str(tables))
    monkeypatch.setenv("USERPROFILE", str(tables))
    (tables / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    code, _, said = skrational("fit", "~/train.csv", *COLUMNS, "--out", "~/m", *quick())
    assert code == 0, said
    assert "Wrote ~/m (" in said
    args = ("predict", "~/m", "~/test.csv", "--text", "review", "--out", "~/p.csv")
    assert skrational(*args)[0] == 0
    assert (tables / "p.csv").is_file()
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("out", ["~nobody-of-this-name", "~nobody-of-this-name.joblib"])
def test_users_that_are_not_there_are_no_error(tables, skrational, out):
    code, _, said = skrational("fit", "train.csv", *COLUMNS, "--out", out, *quick())
    assert code == 0, said
    assert Path(out).exists()
    code, printed, _ = skrational("predict", out, "test.csv", "--text", "review")
    assert code == 0
    assert printed.startswith("prediction,")


def test_what_a_killed_save_left_is_found(tables, skrational):
    columns = ("--text", "review")
    skrational("fit", "train.csv", *COLUMNS, "--out", "model", *quick())
    _, expected, _ = skrational("predict", "model", "test.csv", *columns)
    os.rename("model", of_the_dead("model", "old"))
    code, printed, said = skrational("predict", "model", "test.csv", *columns)
    assert (code, printed) == (0, expected)
    assert "a save that was to replace it was killed" in said


def test_what_is_in_the_way_is_told_in_terms_of_the_command_line(
    tables, skrational, unfitted
):
    Path("mine").mkdir()
    Path("mine", "notes.txt").write_text("mine")
    code, _, said = skrational("fit", "train.csv", *COLUMNS, "--out", "mine")
    assert code == 2
    assert "('notes.txt'); give another name, or move that away" in said
    assert "overwrite" not in said


def test_what_came_into_the_place_during_the_fit_stays(tables, skrational, monkeypatch):
    from sklearn.pipeline import Pipeline

    fit = Pipeline.fit

    def slow(self, *args, **options):
        Path("m").mkdir()
        Path("m", "notes.txt").write_text("mine")
        return fit(self, *args, **options)

    monkeypatch.setattr(Pipeline, "fit", slow)
    code, _, said = skrational("fit", "train.csv", *COLUMNS, "--out", "m", *quick())
    assert code == 2
    assert "overwrite" not in said
    assert [path.name for path in Path("m").iterdir()] == ["notes.txt"]
    with pytest.raises(ValueError, match="holds no"):
        load("m")
