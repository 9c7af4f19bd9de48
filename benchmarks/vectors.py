"""What classifiers reach with vectors learned from their texts, and with others.

    SKRATIONAL_DATA=... python -m benchmarks.vectors --out FOLDER [--split test]

On dev (two seeds): vectors of the training texts by positive PMI, with the default
settings and their neighbours, and by gensim's word2vec. On test (five seeds): the
default, GloVe, both joined, and WordLlama's subwords where it is installed, beside
TF-IDF of words and pairs with logistic regression, C chosen on dev. Fits see train
only.

Each job leaves a file in FOLDER/rows; a run that was interrupted goes on from there.
Prints accuracy, mean over seeds, with the mean number of transitions, and the seconds
that making vectors and sequences takes once compiled.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks import _harness as harness
from benchmarks._features import load_texts
from benchmarks._figure3_peers import tfidf
from benchmarks._store import Row, Store, finish
from skrational import SparseRationalClassifier, StaticVectorizer, WordVectorizer
from skrational.datasets import load_reviews

SETS = ("sst2", "amazon_kitchen", "amazon_dvd", "ag_news_10k", "trec")
SEEDS = {"dev": range(2), "test": range(5)}
COLUMNS = ("split", "set", "vectors", "seed", "accuracy", "size", "seconds")
FOLDER = Path(os.environ.get("SKRATIONAL_DATA", ""), "vectors")
GLOVE_50 = FOLDER / "glove.6B.50d.vocab.txt.gz"
GLOVE_300 = FOLDER / "glove.840B.300d.q8.10k.txt.gz"
WORDLLAMA = "WordLlama"
TFIDF = "TF-IDF"

TABLES: dict[str, dict[str, Any]] = {
    "corpus": {},
    "corpus, n_features=50": {"n_features": 50},
    "corpus, n_features=100": {"n_features": 100},
    "corpus, n_features=300": {"n_features": 300},
    "corpus, window=2": {"window": 2},
    "corpus, window=10": {"window": 10},
    "corpus, min_count=1": {"min_count": 1},
    "corpus, min_count=2": {"min_count": 2},
    "corpus, min_count=5": {"min_count": 5},
    "GloVe, 50": {"vectors": GLOVE_50},
    "GloVe, 300": {"vectors": GLOVE_300},
    "GloVe, 50 and 300": {"vectors": [GLOVE_50, GLOVE_300]},
    "GloVe, 50, and corpus": {"vectors": [GLOVE_50, "corpus"]},
    "GloVe, 300, and corpus": {"vectors": [GLOVE_300, "corpus"]},
}
WORD2VEC: dict[str, dict[str, Any]] = {
    "word2vec, CBOW, 5 epochs": {"sg": 0, "epochs": 5},
    "word2vec, skip-gram, 1 epoch": {"sg": 1, "epochs": 1},
    "word2vec, skip-gram, 5 epochs": {"sg": 1, "epochs": 5},
}
TRIED = ("corpus", *WORD2VEC, *(name for name in TABLES if name.startswith("corpus,")))
FINAL = (
    TFIDF,
    "corpus",
    "GloVe, 50",
    "GloVe, 300",
    "GloVe, 50 and 300",
    "GloVe, 300, and corpus",
    WORDLLAMA,
)


class VectorsJob(NamedTuple):
    """A fit on a set, with vectors of one kind."""

    split: str
    set: str
    vectors: str
    seed: int

    @property
    def key(self) -> str:
        """What the job's file is named after."""
        return ", ".join(map(str, self))


def jobs(split: str, sets: list[str], names: list[str]) -> list[VectorsJob]:
    """All fits of a split, seed by seed."""
    names = names or (FINAL if split == "test" else TRIED)
    if not harness.is_installed("wordllama"):
        names = tuple(name for name in names if name != WORDLLAMA)
    return [
        VectorsJob(split, name, vectors, seed)
        for seed in SEEDS[split]
        for vectors in names
        for name in sets
        if vectors != TFIDF or seed == 0
    ]


def run(job: VectorsJob) -> tuple[VectorsJob, list[Row]]:
    """Fit on train, on one thread, and score on the job's split."""
    harness.set_threads(1)
    start = time.perf_counter()
    if job.vectors == TFIDF:
        found = tfidf(load_texts(job.set))
        accuracy, size = found["test"], found["n_parameters"] - 1
        seconds = time.perf_counter() - start
    else:
        train, other = (load_reviews(job.set, split) for split in ("train", job.split))
        for _ in range(2):  # once compiled
            start = time.perf_counter()
            vectorizer = make_vectorizer(job.vectors, train.texts)
            X = vectorizer.fit_transform(train.texts)
            seconds = time.perf_counter() - start
        clf = SparseRationalClassifier(random_state=job.seed).fit(X, train.labels)
        accuracy = clf.score(vectorizer.transform(other.texts), other.labels)
        size = clf.size_
    values = float(accuracy), int(size), seconds
    return job, [dict(zip(COLUMNS, (*job, *values), strict=True))]


def make_vectorizer(vectors: str, texts: list[str]) -> Any:
    if vectors == WORDLLAMA:
        return StaticVectorizer("wordllama")
    if vectors in WORD2VEC:
        table = word2vec(texts, **WORD2VEC[vectors])
        return WordVectorizer(table, tokenizer=str.split)
    return WordVectorizer(tokenizer=str.split, **TABLES[vectors])


def word2vec(texts: list[str], **settings: Any) -> Any:
    """Vectors by gensim, on one thread, so that they are the same each time."""
    from gensim.models import Word2Vec

    documents = [text.lower().split() for text in texts]
    return Word2Vec(documents, min_count=3, workers=1, seed=0, **settings).wv


def print_rows(rows: list[Row], split: str) -> None:
    """Print a line for each kind of vectors, a column for each set."""
    rows = [row for row in rows if row["split"] == split]
    sets = [name for name in SETS if any(row["set"] == name for row in rows)]
    names = dict.fromkeys(row["vectors"] for row in rows)
    order = [*TABLES, *WORD2VEC, WORDLLAMA, TFIDF]
    table = []
    for vectors in sorted(names, key=order.index):
        own = [row for row in rows if row["vectors"] == vectors]
        cells = []
        for name in sets:
            of_set = [row for row in own if row["set"] == name]
            accuracy, size = (
                np.mean([row[column] for row in of_set]) if of_set else np.nan
                for column in ("accuracy", "size")
            )
            cells.append(f"{accuracy:.4f} ({size:,.0f})")
        kitchen = [row["seconds"] for row in own if row["set"] == "amazon_kitchen"]
        table.append([vectors, *cells, f"{np.median(kitchen or np.nan):.2f}"])
    harness.print_table(["vectors", *sets, "s, kitchen"], table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--split", choices=SEEDS, default="dev")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    known = (*TABLES, *WORD2VEC, WORDLLAMA, TFIDF)
    parser.add_argument("--vectors", nargs="+", choices=known, default=())
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    options = parser.parse_args()
    store = Store(options.out, {}, COLUMNS)
    waiting = jobs(options.split, options.sets, options.vectors)
    finish(waiting, run, store, options.jobs)
    store.write_csv()
    print_rows(store.all_rows(), options.split)


if __name__ == "__main__":
    main()
