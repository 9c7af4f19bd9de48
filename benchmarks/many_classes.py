"""Accuracy with 77 classes: the defaults, a path, and what is usual beside them.

    SKRATIONAL_DATA=... python -m benchmarks.many_classes --out FOLDER [--seeds 5]

Intents of a bank's customers (banking77), GloVe's vectors of 50 and 300 numbers side by
side, and once these and, where ``wordllama`` is installed, the mean of the subwords of
WordLlama. Automata are fitted with their defaults; with 24 of them, whatever the number
of classes; with ``lambda_="auto"``; and along a path, of which the best point
on dev is taken. Beside them stand TF-IDF of words and pairs and the mean of a text's
vectors, each with logistic regression, an NB-SVM on words and pairs, and fastText,
where it is installed; what they are tuned by is chosen on dev. Test is scored once.

Each job leaves a file in FOLDER/rows; a run that was interrupted goes on from there.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks import _harness as harness
from benchmarks._features import JOINED, SPLITS, WITH_SUBWORDS, _word_vectors
from benchmarks._store import Row, Store, finish
from skrational import SequenceArray, SparseRationalClassifier, WordVectorizer
from skrational.datasets import load_reviews
from skrational.model_selection import regularization_path

SET = "banking77"
OURS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "24 automata": {"n_wfsas": 24},
    'lambda_="auto"': {"lambda_": "auto"},
}
PATH = "path"
WITH_MORE = ", with WordLlama"
TFIDF, MEAN, NB_SVM, FASTTEXT = "TF-IDF(1,2) + LR", "mean + LR", "NB-SVM", "fastText"
BESIDE = (TFIDF, MEAN, NB_SVM, FASTTEXT)
MODELS = (
    *(name + more for more in ("", WITH_MORE) for name in (*OURS, PATH)),
    *BESIDE,
)
COLUMNS = ("model", "seed", "size", "dev", "test", "seconds")


class ClassesJob(NamedTuple):
    """A model with a seed."""

    model: str
    seed: int

    @property
    def key(self) -> str:
        """What the job's file is named after."""
        return ", ".join(map(str, self))


class Split(NamedTuple):
    """Documents of a split."""

    texts: list[str]
    X: SequenceArray
    y: NDArray[Any]


@cache
def load(vectors: str) -> dict[str, Split]:
    """Texts, word vectors and labels of the three splits."""
    vectorizer = WordVectorizer(_word_vectors(vectors))
    splits = {}
    for split in SPLITS:
        texts, labels = load_reviews(SET, split)
        read = vectorizer.fit_transform if split == "train" else vectorizer.transform
        splits[split] = Split(texts, read(texts), labels)
    return splits


def run(job: ClassesJob) -> tuple[ClassesJob, list[Row]]:
    """Fit on train, on one thread; choose on dev, score on test."""
    harness.set_threads(1)
    with_more = job.model.endswith(WITH_MORE)
    train, dev, test = load(WITH_SUBWORDS if with_more else JOINED).values()
    name = job.model.removesuffix(WITH_MORE)
    start = time.process_time()
    if name == PATH:
        clf = SparseRationalClassifier(random_state=job.seed)
        path = regularization_path(clf, train.X, train.y, X_val=dev.X, y_val=dev.y)
        model = path.best()
    elif name in OURS:
        model = SparseRationalClassifier(random_state=job.seed, **OURS[name])
        model.fit(train.X, train.y)
    else:
        found = {TFIDF: tfidf, MEAN: means, NB_SVM: nb_svm, FASTTEXT: fasttext}
        size, *scores = found[job.model](train, dev, test)
    seconds = time.process_time() - start
    if job.model not in BESIDE:
        size, scores = model.size_, [model.score(s.X, s.y) for s in (dev, test)]
    row = (*job, int(size), *map(float, scores), seconds)
    return job, [dict(zip(COLUMNS, row, strict=True))]


def best_on_dev(models: Any, A: Any, B: Any, C: Any, splits: Any) -> tuple[Any, ...]:
    """Features, dev score and test score of the model that does best on dev.

    Parameters
    ----------
    models : iterable of estimator
    A, B, C : matrices
        Features of train, dev and test.
    splits : tuple of Split
    """
    train, dev, test = splits
    fitted = [model.fit(A, train.y) for model in models]
    best = max(fitted, key=lambda model: model.score(B, dev.y))
    return A.shape[1], best.score(B, dev.y), best.score(C, test.y)


def tfidf(*splits: Split) -> tuple[Any, ...]:
    """Words and pairs of words."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    A = vectorizer.fit_transform(splits[0].texts)
    B, C = (vectorizer.transform(split.texts) for split in splits[1:])
    models = (LogisticRegression(C=C, max_iter=500) for C in (1, 10, 100))
    return best_on_dev(models, A, B, C, splits)


def means(*splits: Split) -> tuple[Any, ...]:
    """The mean vector of each text."""
    A, B, C = (np.array([x.mean(axis=0) for x in split.X]) for split in splits)
    models = (
        make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=500))
        for C in (1e-2, 1e-1, 1)
    )
    return best_on_dev(models, A, B, C, splits)


class NBSVM:
    """Logistic regression on words times their log odds: Wang and Manning, 2012."""

    def __init__(self, C: float) -> None:
        self.C = C

    def fit(self, A: Any, y: NDArray[Any]) -> NBSVM:
        """Fit one model a class, on features of its own."""
        self.classes_ = np.unique(y)
        self.models_ = []
        for label in self.classes_:
            mine = y == label
            p, q = (np.asarray(A[m].sum(axis=0)).ravel() + 1 for m in (mine, ~mine))
            odds = np.log(p / p.sum()) - np.log(q / q.sum())
            model = LogisticRegression(C=self.C, solver="liblinear")
            self.models_.append((odds, model.fit(A.multiply(odds).tocsr(), mine)))
        return self

    def score(self, A: Any, y: NDArray[Any]) -> float:
        """Return the share of the texts whose surest model is that of their class."""
        logits = [
            model.decision_function(A.multiply(odds).tocsr())
            for odds, model in self.models_
        ]
        return float((self.classes_[np.argmax(logits, axis=0)] == y).mean())


def nb_svm(*splits: Split) -> tuple[Any, ...]:
    """Whether words and pairs of words occur, by class."""
    vectorizer = CountVectorizer(ngram_range=(1, 2), binary=True)
    A = vectorizer.fit_transform(splits[0].texts)
    B, C = (vectorizer.transform(split.texts) for split in splits[1:])
    return best_on_dev((NBSVM(C) for C in (1, 10)), A, B, C, splits)


def fasttext(*splits: Split) -> tuple[Any, ...]:
    """Words and pairs of words, hashed and embedded; epochs are chosen on dev."""
    import fasttext as library

    tokens = CountVectorizer().build_analyzer()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "train.txt")
        lines = (
            f"__label__{label} {' '.join(tokens(text))}\n"
            for text, label in zip(splits[0].texts, splits[0].y, strict=True)
        )
        file.write_text("".join(lines), encoding="utf-8")
        for epochs in (25, 50, 100):
            model = library.train_supervised(
                str(file), epoch=epochs, lr=0.5, wordNgrams=2, thread=1, verbose=0
            )
            scores = []
            for split in splits[1:]:
                texts = [" ".join(tokens(text)) for text in split.texts]
                labels = [label[0] for label in model.predict(texts)[0]]
                right = np.array(labels) == np.char.add("__label__", split.y)
                scores.append(right.mean())
            found.append((scores[0], scores[1]))
    return 0, *max(found)


def print_rows(rows: list[Row]) -> None:
    """Print a line for each model: means and deviations of the seeds."""
    table = []
    for model in MODELS:
        here = [row for row in rows if row["model"] == model]
        if not here:
            continue
        values = {name: [row[name] for row in here] for name in COLUMNS[2:]}
        cells = [
            f"{np.mean(values[name]):.4f}"
            + (f" ± {np.std(values[name], ddof=1):.4f}" if len(here) > 1 else "")
            for name in ("dev", "test")
        ]
        size, seconds = (np.mean(values[name]) for name in ("size", "seconds"))
        table.append([model, f"{size:.0f}", *cells, f"{seconds:.1f}", len(here)])
    head = ["model", "size", "dev", "test", "CPU s", "seeds"]
    harness.print_table(head, table)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    options = parser.parse_args()
    jobs = [
        ClassesJob(model, seed)
        for seed in range(options.seeds)
        for model in options.models
        if seed == 0 or model not in BESIDE
        if model != FASTTEXT or harness.is_installed("fasttext")
        if WITH_MORE not in model or harness.is_installed("wordllama")
    ]
    store = Store(options.out, {}, COLUMNS)
    finish(jobs, run, store, options.jobs)
    store.write_csv()
    print_rows(store.all_rows())


if __name__ == "__main__":
    main()
