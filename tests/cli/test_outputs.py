"""What a command writes: by the name of the file, packed if it says so, and whole."""

import gzip
import re
from pathlib import Path

import joblib
import pytest
from sklearn.linear_model import LogisticRegression

from skrational import WordVectorizer
from skrational.cli.main import main


def test_the_name_of_a_report_tells_page_from_card(folder, skrational, tmp_path):
    args = ("report", folder / "model.joblib", folder / "test.csv")
    columns = ("--text", "review", "--label", "stars")
    card, page = tmp_path / "card.md", tmp_path / "page.html"
    for out in (card, page):
        assert skrational(*args, *columns, "--out", out)[0] == 0
    assert card.read_text().startswith("---\n")
    assert "<html" not in card.read_text()
    assert page.read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("name", ["report.pdf", "report"])
@pytest.mark.parametrize("command", ["report", "explain"])
def test_names_that_tell_no_format_are_refused(
    folder, skrational, tmp_path, command, name
):
    out = tmp_path / name
    code, _, said = skrational(
        command, folder / "model.joblib", folder / "test.csv", "--out", out
    )
    assert code == 2
    assert re.search(r"its ending tells no format; expected .*\.html", said)
    assert not out.exists()


def test_what_ends_in_gz_is_compressed(folder, skrational, tmp_path):
    args = ("predict", folder / "model.joblib", folder / "test.csv", "--text", "review")
    for name in ("p.csv", "p.tsv"):
        plain, packed = tmp_path / name, tmp_path / f"{name}.gz"
        for out in (plain, packed):
            assert skrational(*args, "--out", out)[0] == 0
        assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()


@pytest.mark.parametrize("name", ["v.txt", "v.bin"])
def test_compressed_vectors_are_those_of_the_plain_file(
    folder, skrational, tmp_path, name
):
    args = ("vectors", "learn", folder / "train.csv", "--text", "review")
    plain, packed = tmp_path / name, tmp_path / f"{name}.gz"
    for out in (plain, packed):
        assert skrational(*args, "--n-features", 4, "--out", out)[0] == 0
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    read = WordVectorizer(str(packed), cache=False).fit(["great"])
    assert read.n_features_out_ == 4


def test_a_model_of_other_things_is_told_before_anything_is_written(
    folder, skrational, tmp_path
):
    model = tmp_path / "m"
    joblib.dump(LogisticRegression().fit([[0.0], [1.0]], ["a", "b"]), model)
    args = ("predict", model, folder / "test.csv", "--text", "review")
    code, printed, said = skrational(*args)
    assert (code, printed) == (1, "")
    assert "The model is a LogisticRegression, which can't predict texts" in said
    assert len(said) < 500


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device here")
def test_a_full_disk_is_told_of_the_output(folder, monkeypatch, capsys):
    args = ("predict", folder / "model.joblib", folder / "test.csv", "--text", "review")
    with open("/dev/full", "w") as full:
        monkeypatch.setattr("sys.stdout", full)
        code = main([*map(str, args)])
    assert code == 1
    assert capsys.readouterr().err == (
        "error: the output can't be written: No space left on device.\n"
    )
