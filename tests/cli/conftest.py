import csv
import json
import random

import pytest

from skrational.cli.main import main

OTHERS = ["the", "a", "toaster", "kettle", "it", "is", "came", "box", "and", "in"]


def write_table(path, rows, delimiter=","):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(rows[0])
        writer.writerows(row.values() for row in rows)
    return str(path)


def write_json(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def reviews(n, seed):
    """Texts whose class hangs on a word, with commas, quotes and line ends."""
    rng = random.Random(seed)
    rows = []
    for i in range(n):
        words = rng.choices(OTHERS, k=8)
        words[rng.randrange(8)] = rng.choice(["awful", "bad"] if i % 2 else ["great"])
        text = " ".join(words)
        text = text.replace(" and ", ',\n"and" ', 1)
        rows.append({"id": str(i), "review": text, "stars": "bad" if i % 2 else "good"})
    return rows


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A folder with tables and a model."""
    folder = tmp_path_factory.mktemp("cli")
    write_table(folder / "train.csv", reviews(200, 0))
    write_table(folder / "test.csv", reviews(40, 1))
    code = main([
        "fit", str(folder / "train.csv"), "--text", "review", "--label", "stars",
        "--out", str(folder / "model.joblib"), "--quiet", *quick(),
    ])  # fmt: skip
    assert code == 0
    return folder


def quick():
    """Arguments of a fit that takes no time."""
    settings = {
        "n_wfsas": 2, "n_states": 2, "min_steps_per_epoch": 10, "warmup_epochs": 5,
        "max_epochs": 5, "finetune_epochs": 5, "vectorizer__n_features": 17,
    }  # fmt: skip
    return [a for n, v in settings.items() for a in ("--set", f"{n}={v}")]


@pytest.fixture
def skrational(capsys):
    """Run a command; return its exit code, its output and what it said beside it."""

    def run(*args):
        capsys.readouterr()
        code = main([str(arg) for arg in args])
        return code, *capsys.readouterr()

    return run
