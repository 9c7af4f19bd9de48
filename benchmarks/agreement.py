"""What learns whether a verb agrees with its subject.

    python -m benchmarks.agreement --out FOLDER [--models "two layers"]

Sentences of `make_agreement`, 4,000 to learn from and 2,000 others; random vectors, the
same for both. Prints mean accuracy over seeds and the mean number of transitions.

Each fit leaves a file in FOLDER/rows; a run that was interrupted goes on from there.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from benchmarks import _harness as harness
from benchmarks._store import Row, Store, finish
from skrational import SparseRationalClassifier
from skrational.datasets import make_agreement

TASKS = ((0, 0), (1, 0), (1, 2), (2, 0))
"""Attractors, and adverbs before the verb."""
BAG = "TF-IDF of words and pairs"
LONG = {"warmup_epochs": 40}
MODELS: dict[str, dict[str, Any]] = {
    "defaults": {},
    'lambda_="auto"': {"lambda_": "auto"},
    "lambda_=0": {"lambda_": 0.0},
    'solver="subgradient"': {"solver": "subgradient"},
    "long warm-up": LONG,
    "long warm-up, six states": LONG | {"n_states": 6},
    "long warm-up, read at the end": LONG | {"match": "end"},
    "long warm-up, no dropout": LONG | {"dropout": 0.0, "feature_dropout": 0.0},
    "max-times, long warm-up": LONG | {"semiring": "max-times"},
    "two layers": {"n_layers": 2},
    'two layers, lambda_="auto"': {"n_layers": 2, "lambda_": "auto"},
    "two layers, long warm-up": LONG | {"n_layers": 2},
    "two layers, long warm-up, no dropout": LONG
    | {"n_layers": 2, "dropout": 0.0, "feature_dropout": 0.0},
}
COLUMNS = ("n_attractors", "distance", "model", "seed", "accuracy", "size", "training")


class AgreementJob(NamedTuple):
    """A model, fitted on sentences of a kind."""

    n_attractors: int
    distance: int
    model: str
    seed: int

    @property
    def key(self) -> str:
        """What the job's file is named after."""
        return ", ".join(map(str, self))


def run(job: AgreementJob) -> tuple[AgreementJob, list[Row]]:
    """Fit a model on one thread, and score it on other sentences."""
    harness.set_threads(1)
    kind = {"n_attractors": job.n_attractors, "distance": job.distance}
    train = make_agreement(4000, **kind, random_state=2 * job.seed)
    test = make_agreement(
        2000, **kind, vectors=train.vectors, random_state=2 * job.seed + 1
    )
    size = 0
    if job.model == BAG:
        words = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2))
        bag = make_pipeline(words, LogisticRegression(C=10, max_iter=1000))
        bag.fit(train.texts, train.y)
        scores = [bag.score(data.texts, data.y) for data in (test, train)]
    else:
        params = MODELS[job.model]
        clf = SparseRationalClassifier(random_state=job.seed, **params)
        clf.fit(train.X, train.y)
        scores = [clf.score(data.X, data.y) for data in (test, train)]
        size = clf.n_transitions_
    values = (*job, float(scores[0]), int(size), float(scores[1]))
    return job, [dict(zip(COLUMNS, values, strict=True))]


def print_rows(rows: list[Row]) -> None:
    """Print a line for each model, a column for each task."""
    table = []
    for model in (BAG, *MODELS):
        cells = []
        for task in TASKS:
            own = [
                row
                for row in rows
                if (row["n_attractors"], row["distance"]) == task
                and row["model"] == model
            ]
            if not own:
                cells.append("")
                continue
            accuracy, size = (
                np.mean([r[name] for r in own]) for name in ("accuracy", "size")
            )
            cells.append(f"{accuracy:.3f} ({size:.0f})")
        if any(cells):
            table.append([model, *cells])
    heads = [f"{a} attractors, {d} adverbs" for a, d in TASKS]
    harness.print_table(["model", *heads], table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    models = (BAG, *MODELS)
    parser.add_argument("--models", nargs="+", choices=models, default=models)
    parser.add_argument("--tasks", nargs="+", type=int, default=range(len(TASKS)))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    options = parser.parse_args()
    store = Store(options.out, {}, COLUMNS)
    jobs = [
        AgreementJob(*TASKS[task], model, seed)
        for seed in range(options.seeds)
        for task in options.tasks
        for model in options.models
    ]
    finish(jobs, run, store, options.jobs)
    store.write_csv()
    print_rows(store.all_rows())


if __name__ == "__main__":
    main()
