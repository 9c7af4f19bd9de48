"""One layer of automata against two, at equal size.

    SKRATIONAL_DATA=... python -m benchmarks.layers --out FOLDER [--sets amazon_kitchen]

For each set, number of layers and seed, a regularization path on the training set with
joined vectors. Of each path, the point that is best on dev of those of at most so many
transitions, of all layers; prints its accuracy on dev and, with ``--split test``, on
test: mean and standard deviation over seeds, and what two layers are ahead.

Each path leaves a file in FOLDER/rows; a run that was interrupted goes on from there,
and a path that was from its last point.
"""

from __future__ import annotations

import argparse
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import _harness as harness
from benchmarks._features import JOINED, Features, load_features
from benchmarks._store import Row, Store, finish
from skrational import SparseRationalClassifier
from skrational.model_selection import regularization_path

SETS = ("amazon_kitchen", "amazon_dvd", "amazon_books", "amazon_mix", "sst2")
LAYERS = (1, 2)
BUDGETS = (6, 12, 20, 40)
COLUMNS = (
    "set", "n_layers", "seed", "lambda_", "size", "sizes", "dev", "test", "seconds",
)  # fmt: skip


class LayerJob(NamedTuple):
    """A path of a network of so many layers."""

    folder: Path
    set: str
    n_layers: int
    seed: int
    n_lambdas: int

    @property
    def key(self) -> str:
        """What the job's file is named after."""
        return f"{self.set}, {self.n_layers} layers, seed {self.seed}"


@cache
def features(name: str, folder: Path) -> Features:
    """Word vectors and labels of the three splits."""
    return load_features(name, JOINED, folder)


def run(job: LayerJob) -> tuple[LayerJob, list[Row]]:
    """Fit a path on one thread, and keep what each point scores."""
    harness.set_threads(1)
    splits = features(job.set, job.folder)
    clf = SparseRationalClassifier(n_layers=job.n_layers, random_state=job.seed)
    path = regularization_path(
        clf,
        *splits["train"],
        n_lambdas=job.n_lambdas,
        X_val=splits["dev"][0],
        y_val=splits["dev"][1],
        X_test=splits["test"][0],
        y_test=splits["test"][1],
        checkpoint_dir=job.folder / "paths" / job.key.replace(", ", "-"),
    )
    rows = []
    for point in path.points:
        layers = getattr(point.structure, "layers", (point.structure,))
        sizes = "+".join(str(layer.n_transitions) for layer in layers)
        own = point.lambda_, point.size, sizes, point.validation_score
        values = (*job[1:4], *own, point.test_score, point.seconds)
        rows.append(dict(zip(COLUMNS, values, strict=True)))
    return job, rows


def chosen(rows: list[Row], budget: int) -> Row | None:
    """The point of a path that is best on dev, of those of at most a size."""
    allowed = [row for row in rows if 0 < row["size"] <= budget]
    return max(allowed, key=lambda row: (row["dev"], -row["size"]), default=None)


def print_rows(rows: list[Row], split: str) -> None:
    """Print a line for each set and budget."""
    table = []
    for name in dict.fromkeys(row["set"] for row in rows):
        for budget in BUDGETS:
            found = {n: _picked(rows, name, n, budget) for n in LAYERS}
            cells = [_cell([row[split] for row in found[n]]) for n in LAYERS]
            ahead = ""
            if all(found.values()):
                one, two = (np.mean([r[split] for r in found[n]]) for n in LAYERS)
                ahead = f"{100 * (two - one):+.1f}"
            table.append([name, str(budget), *cells, ahead])
    head = ["set", "transitions up to", "one layer", "two layers", "points ahead"]
    harness.print_table(head, table)


def _picked(rows: list[Row], name: str, n_layers: int, budget: int) -> list[Row]:
    """The chosen point of each seed."""
    own = [r for r in rows if (r["set"], r["n_layers"]) == (name, n_layers)]
    seeds = sorted({row["seed"] for row in own})
    picked = (chosen([r for r in own if r["seed"] == s], budget) for s in seeds)
    return [row for row in picked if row is not None]


def _cell(accuracies: list[Any]) -> str:
    if not accuracies:
        return ""
    return f"{np.mean(accuracies):.3f} ± {np.std(accuracies):.3f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--layers", nargs="+", type=int, default=LAYERS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--n-lambdas", type=int, default=12)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args()
    store = Store(options.out, {"n_lambdas": options.n_lambdas}, COLUMNS)
    jobs = [
        LayerJob(options.out, name, n_layers, seed, options.n_lambdas)
        for seed in range(options.seeds)
        for name in options.sets
        for n_layers in options.layers
    ]
    finish(jobs, run, store, options.jobs)
    store.write_csv()
    print_rows(store.all_rows(), options.split)


if __name__ == "__main__":
    main()
