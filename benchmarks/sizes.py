"""How accurate a few transitions are, and TF-IDF beside them.

    SKRATIONAL_DATA=... python -m benchmarks.sizes --out FOLDER [--jobs 2]

For each set and seed a regularization path with default settings. Of its points those
of at most 6 and 20 transitions, and of any size, that are the best on dev are scored on
test, once. Vectors of words are GloVe's, of 50 and 300 numbers, side by side, or these
and, where ``wordllama`` is installed, the mean of the subwords of WordLlama. Beside
them stands logistic regression on TF-IDF of words and pairs, C chosen on dev.

Each job leaves a file in FOLDER/rows; a run that was interrupted goes on from there.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import _harness as harness
from benchmarks._features import JOINED, WITH_SUBWORDS, load_features, load_texts
from benchmarks._figure3_peers import tfidf
from benchmarks._store import Row, Store, finish
from skrational import SparseRationalClassifier
from skrational.model_selection import regularization_path

FIGURE_3 = ("amazon_kitchen", "amazon_dvd", "amazon_books", "amazon_mix", "sst2")
SETS = (*FIGURE_3, "trec", "ag_news_10k", "imdb")
TFIDF = "TF-IDF(1,2) + LR"
MODELS = (TFIDF, JOINED, WITH_SUBWORDS)
LIMITS = {"6": 6, "20": 20, "any": 10**9}
COLUMNS = ("set", "model", "seed", "limit", "size", "dev", "test")


class SizesJob(NamedTuple):
    """A path on a set, or the model beside it."""

    set: str
    model: str
    seed: int

    @property
    def key(self) -> str:
        """What the job's file is named after."""
        return ", ".join(map(str, self))


def run(job: SizesJob, folder: Path) -> tuple[SizesJob, list[Row]]:
    """Fit on train, on one thread; choose on dev, score on test."""
    harness.set_threads(1)
    if job.model == TFIDF:
        found = tfidf(load_texts(job.set, whole=True))
        chosen = {"any": (found["n_parameters"], found["dev"], found["test"])}
    else:
        features = load_features(job.set, job.model, folder / job.model, whole=True)
        (X, y), (X_dev, y_dev), (X_test, y_test) = (
            features[split] for split in ("train", "dev", "test")
        )
        clf = SparseRationalClassifier(random_state=job.seed)
        path = regularization_path(
            clf, X, y, X_val=X_dev, y_val=y_dev, X_test=X_test, y_test=y_test
        )
        chosen = {name: best_below(path, most) for name, most in LIMITS.items()}
    return job, [
        dict(zip(COLUMNS, (*job, limit, *found), strict=True))
        for limit, found in chosen.items()
    ]


def best_below(path: Any, most: int) -> tuple[int, float, float]:
    """Size, dev score and test score of the best point on dev of at most a size."""
    points = [point for point in path.points if point.size <= most]
    best = max(points, key=lambda point: (point.validation_score, -point.size))
    return int(best.size), float(best.validation_score), float(best.test_score)


def print_rows(rows: list[Row]) -> None:
    """Print a line for each set: TF-IDF, and what of it is kept at each limit.

    Which vectors a limit takes is chosen by the mean score on dev.
    """
    table = []
    for name in SETS:
        here = [row for row in rows if row["set"] == name]
        beside = [row["test"] for row in here if row["model"] == TFIDF]
        if not here:
            continue
        line = [name, f"{beside[0]:.4f}" if beside else ""]
        for limit in LIMITS:
            of_model = {
                model: [
                    row
                    for row in here
                    if (row["model"], row["limit"]) == (model, limit)
                ]
                for model in MODELS[1:]
            }
            of_model = {model: found for model, found in of_model.items() if found}
            if not of_model:
                line += [""]
                continue
            model = max(
                of_model, key=lambda m: np.mean([r["dev"] for r in of_model[m]])
            )
            found = of_model[model]
            test = [row["test"] for row in found]
            size = np.mean([row["size"] for row in found])
            spread = f" ± {np.std(test, ddof=1):.4f}" if len(test) > 1 else ""
            mark = "*" if model == WITH_SUBWORDS else ""
            line += [f"{np.mean(test):.4f}{spread} ({size:.3g}){mark}"]
        table.append(line)
    head = ["set", TFIDF, *(f"at most {limit}" for limit in ("6", "20")), "any size"]
    harness.print_table(head, table)
    print(f"\n* {WITH_SUBWORDS}; the others {JOINED}. Mean and deviation of the seeds.")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    options = parser.parse_args()
    models = [
        model
        for model in options.models
        if model != WITH_SUBWORDS or harness.is_installed("wordllama")
    ]
    jobs = [
        SizesJob(name, model, seed)
        for seed in range(options.seeds)
        for model in models
        for name in options.sets
        if model != TFIDF or seed == 0
    ]
    store = Store(options.out, {}, COLUMNS)
    finish(jobs, lambda job: run(job, options.out), store, options.jobs)
    store.write_csv()
    print_rows(store.all_rows())


if __name__ == "__main__":
    main()
