"""What few documents teach, and what a ``lambda_`` leaves of them and of many.

    SKRATIONAL_DATA=... python -m benchmarks.few_documents --out FOLDER [--split test]

Documents are drawn from train, of each class its share, five times with a seed each. On
them are fitted automata at the defaults, on 300-d vectors of GloVe; the same without
dropping features; and TF-IDF of words and pairs with logistic regression, C chosen by
cross-validation of what was drawn. Prints mean accuracy on dev or test, and the mean
number of transitions.

Each job leaves a file in FOLDER/rows; a run that was interrupted goes on from there.
"""

from __future__ import annotations

import argparse
import os
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline

from benchmarks import _harness as harness
from benchmarks._store import Row, Store, finish
from skrational import SequenceArray, SparseRationalClassifier, WordVectorizer
from skrational.datasets import load_reviews

SETS = ("amazon_kitchen", "amazon_dvd", "sst2", "ag_news_10k", "trec")
MIX = "amazon_mix"
NUMBERS = (100, 300)
SEEDS = range(5)
TFIDF = "TF-IDF"
AUTOMATA: dict[str, dict[str, Any]] = {
    "defaults": {},
    "feature_dropout=0": {"feature_dropout": 0.0},
}
COLUMNS = ("split", "set", "documents", "model", "seed", "accuracy", "size")
VECTORS = Path(os.environ.get("SKRATIONAL_DATA", ""), "vectors")


class FewJob(NamedTuple):
    """A model, fitted on so many documents."""

    split: str
    set: str
    documents: int
    model: str
    seed: int

    @property
    def key(self) -> str:
        """What the job's file is named after."""
        return ", ".join(map(str, self))


class Split(NamedTuple):
    """Documents of a split."""

    texts: NDArray[np.object_]
    X: SequenceArray
    y: NDArray[Any]


@cache
def load(name: str) -> dict[str, Split]:
    """Texts, word vectors and labels of the three splits."""
    vectors = VECTORS / "glove.840B.300d.q8.10k.txt.gz"
    vectorizer = WordVectorizer(vectors, tokenizer=str.split)
    splits = {}
    for split in ("train", "dev", "test"):
        texts, labels = load_reviews(name, split)[:2]
        X = vectorizer.fit_transform(texts)
        splits[split] = Split(np.array(texts, object), X, np.asarray(labels))
    return splits


def run(job: FewJob) -> tuple[FewJob, list[Row]]:
    """Draw documents, fit a model on one thread, and score it."""
    harness.set_threads(1)
    splits = load(job.set)
    train, other = splits["train"], splits[job.split]
    chosen, _ = train_test_split(
        np.arange(len(train.y)),
        train_size=job.documents,
        stratify=train.y,
        random_state=job.seed,
    )
    if job.model == TFIDF:
        model = tuned_tfidf(train.y[chosen], job.seed)
        model.fit(train.texts[chosen], train.y[chosen])
        accuracy, size = model.score(other.texts, other.y), 0
    else:
        params = AUTOMATA[job.model]
        clf = SparseRationalClassifier(random_state=job.seed, **params)
        clf.fit(train.X[chosen], train.y[chosen])
        accuracy, size = clf.score(other.X, other.y), clf.n_transitions_
    return job, [dict(zip(COLUMNS, (*job, float(accuracy), int(size)), strict=True))]


def tuned_tfidf(y: NDArray[Any], seed: int) -> GridSearchCV:
    """TF-IDF with logistic regression, C by cross-validation of these labels."""
    classes, counts = np.unique(y, return_counts=True)
    folds = StratifiedKFold(int(np.clip(min(counts), 2, 5)), shuffle=True)
    folds.random_state = seed
    solver = "liblinear" if len(classes) == 2 else "lbfgs"
    return GridSearchCV(
        make_pipeline(
            TfidfVectorizer(
                tokenizer=str.split,
                token_pattern=None,
                ngram_range=(1, 2),
                sublinear_tf=True,
            ),
            LogisticRegression(solver=solver, max_iter=1000, random_state=0),
        ),
        {"logisticregression__C": [1, 10, 100]},
        cv=folds,
    )


def jobs(options: Any) -> list[FewJob]:
    """All fits that were asked for."""
    return [
        FewJob(options.split, name, n, model, seed)
        for n in options.documents
        for name in options.sets
        for model in options.models
        for seed in SEEDS
    ]


def print_rows(rows: list[Row], split: str) -> None:
    """Print a line for each set and number of documents, a column for each model."""
    rows = [row for row in rows if row["split"] == split]
    table = []
    for n in sorted({row["documents"] for row in rows}):
        for name in (*SETS, MIX):
            here = [row for row in rows if (row["set"], row["documents"]) == (name, n)]
            if here:
                models = (*AUTOMATA, TFIDF)
                table.append(
                    [name, f"{n:,}", *(_cell(here, model) for model in models)]
                )
    harness.print_table(["set", "documents", *AUTOMATA, TFIDF], table)


def _cell(rows: list[Row], model: str) -> str:
    own = [row for row in rows if row["model"] == model]
    if not own:
        return ""
    size = np.mean([row["size"] for row in own])
    accuracy = f"{np.mean([row['accuracy'] for row in own]):.3f}"
    return accuracy if model == TFIDF else f"{accuracy} ({size:.0f})"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--sets", nargs="+", choices=(*SETS, MIX), default=SETS)
    parser.add_argument("--documents", nargs="+", type=int, default=NUMBERS)
    models = (*AUTOMATA, TFIDF)
    parser.add_argument("--models", nargs="+", choices=models, default=models)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    options = parser.parse_args()
    store = Store(options.out, {}, COLUMNS)
    finish(jobs(options), run, store, options.jobs)
    store.write_csv()
    print_rows(store.all_rows(), options.split)


if __name__ == "__main__":
    main()
