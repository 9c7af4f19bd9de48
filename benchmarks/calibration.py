"""How honest probabilities are, with a temperature and without, beside TF-IDF's.

    SKRATIONAL_DATA=... python -m benchmarks.calibration --out FOLDER [--split test]

Fits the classifier with its defaults on train, and its temperature on the tenth that a
second fit leaves out; TF-IDF of words and pairs with logistic regression, of the C that
has the least log loss on dev, and of C = 10. Prints a row for each set and model, the
mean over seeds: accuracy, log loss, and the expected calibration error in 15 bins of
equal width and in 15 of equally many documents.

Each job leaves a file in FOLDER/rows; a run that was interrupted goes on from there.
"""

from __future__ import annotations

import argparse
import os
import time
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from benchmarks import _harness as harness
from benchmarks._store import Row, Store, finish
from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import load_reviews

SHORT, LONG = "glove.6B.50d.vocab.txt.gz", "glove.840B.300d.q8.10k.txt.gz"
OWN = "corpus"
"""Vectors that `WordVectorizer` learns from the training texts."""
SETS = {
    "amazon_kitchen": ("amazon_kitchen", LONG),
    "amazon_dvd": ("amazon_dvd", LONG),
    "sst2": ("sst2", SHORT),
    "trec": ("trec", SHORT),
    "ag_news_10k": ("ag_news_10k", SHORT),
    "amazon_kitchen, own vectors": ("amazon_kitchen", OWN),
}
"""Texts and word vectors."""
RAW, SCALED, TFIDF = "automata", "automata, temperature", "TF-IDF + LR"
MODELS = (RAW, SCALED, f"{TFIDF}, C = 10", f"{TFIDF}, C chosen")
CS = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
BINS = 15
SCORES = ("accuracy", "log_loss", "ece", "ece_equal_mass")
COLUMNS = (
    *("set", "model", "seed", "split", *SCORES),
    *("temperature", "transitions", "C", "seconds"),
)


class Job(NamedTuple):
    """A fit of the classifier with a seed, or of TF-IDF (of no seed)."""

    set: str
    seed: int | None

    @property
    def key(self) -> str:
        """Name the job."""
        return f"{self.set} {TFIDF if self.seed is None else self.seed}"


def calibration_error(
    p: NDArray[Any], codes: NDArray[np.intp], equal_mass: bool = False
) -> float:
    """Mean distance of confidence and accuracy, over bins of the confidence."""
    confidence, right = p.max(axis=1), p.argmax(axis=1) == codes
    if equal_mass:
        bins = np.array_split(np.argsort(confidence, kind="stable"), BINS)
    else:
        number = np.minimum((confidence * BINS).astype(int), BINS - 1)
        bins = [np.flatnonzero(number == i) for i in range(BINS)]
    gaps = [abs(np.sum(confidence[b] - right[b], dtype=float)) for b in bins]
    return float(np.sum(gaps) / len(codes))


def scores(log_p: NDArray[np.float64], codes: NDArray[np.intp]) -> dict[str, float]:
    p = np.exp(log_p)
    values = (
        float(np.mean(p.argmax(axis=1) == codes)),
        float(-log_p[np.arange(len(codes)), codes].mean()),
        calibration_error(p, codes),
        calibration_error(p, codes, equal_mass=True),
    )
    return dict(zip(SCORES, values, strict=True))


def automata(job: Job, train: Any, others: dict[str, Any]) -> list[Row]:
    name = SETS[job.set][1]
    path = name if name == OWN else Path(os.environ["SKRATIONAL_DATA"], "vectors", name)
    vectorizer = WordVectorizer(path, lowercase=False, tokenizer=str.split)
    X = vectorizer.fit_transform(train.texts)
    start = time.perf_counter()
    clf = SparseRationalClassifier(calibration="temperature", random_state=job.seed)
    clf.fit(X, train.labels)
    seconds = time.perf_counter() - start
    rows = []
    for split, (texts, labels) in others.items():
        X_other, codes = (
            vectorizer.transform(texts),
            np.searchsorted(clf.classes_, labels),
        )
        for model, temperature in ((RAW, 1.0), (SCALED, clf.temperature_)):
            twin = copy(clf)
            twin.temperature_ = temperature
            rows.append(
                {
                    "model": model,
                    "split": split,
                    **scores(twin.predict_log_proba(X_other), codes),
                    "temperature": temperature,
                    "transitions": clf.n_transitions_,
                    "seconds": round(seconds, 1),
                }
            )
    return rows


def tfidf(train: Any, others: dict[str, Any]) -> list[Row]:
    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2), lowercase=False, tokenizer=str.split, token_pattern=None
    )
    X = vectorizer.fit_transform(train.texts)
    matrices = {s: vectorizer.transform(texts) for s, (texts, _) in others.items()}
    found = {}
    for C in CS:
        clf = LogisticRegression(C=C, max_iter=5000).fit(X, train.labels)
        found[C] = {
            split: scores(
                clf.predict_log_proba(matrices[split]),
                np.searchsorted(clf.classes_, labels),
            )
            for split, (_, labels) in others.items()
        }
    chosen = min(CS, key=lambda C: found[C]["dev"]["log_loss"])
    named = {f"{TFIDF}, C = 10": 10.0, f"{TFIDF}, C chosen": chosen}
    return [
        {"model": model, "split": split, "C": C, **found[C][split]}
        for model, C in named.items()
        for split in others
    ]


def run(job: Job, splits: tuple[str, ...]) -> tuple[Job, list[Row]]:
    harness.set_threads(1)
    name = SETS[job.set][0]
    train, *others = (load_reviews(name, split) for split in ("train", *splits))
    of_split = dict(zip(splits, others, strict=True))
    rows = (
        tfidf(train, of_split) if job.seed is None else automata(job, train, of_split)
    )
    return job, [{"set": job.set, "seed": job.seed, **row} for row in rows]


def report(rows: list[Row], split: str) -> None:
    head = ("set", "model", *SCORES, "temperature", "transitions")
    print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
    for name in SETS:
        for model in MODELS:
            of_model = [
                row
                for row in rows
                if (row["set"], row["model"], row["split"]) == (name, model, split)
            ]
            if not of_model:
                continue
            cells = [f"{np.mean([row[s] for row in of_model]):.3f}" for s in SCORES]
            known = [row for row in of_model if "temperature" in row]
            for column, form in (("temperature", ".2f"), ("transitions", ".0f")):
                values = [row[column] for row in known]
                cells.append(f"{np.mean(values):{form}}" if values else "")
            print(f"| {name} | {model} | " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--report", action="store_true", help="of the rows there are")
    options = parser.parse_args()
    splits = ("dev",) if options.split == "dev" else ("dev", "test")
    store = Store(options.out, {"splits": list(splits), "Cs": list(CS)}, COLUMNS)
    seeds = (None, *range(options.seeds))
    jobs = [Job(name, seed) for seed in seeds for name in options.sets]
    if not options.report:
        finish(jobs, partial(run, splits=splits), store, options.jobs)
    report(store.all_rows(), options.split)


if __name__ == "__main__":
    main()
