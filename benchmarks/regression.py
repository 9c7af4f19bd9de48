"""Numbers predicted of texts: automata, and what ridge regression makes of bags.

    SKRATIONAL_DATA=... python -m benchmarks.regression [--seeds 5]

Two tasks: 2,000 and 1,000 documents of `make_planted_scores`, in which the order of
words alone tells the score; and kitchen reviews with their label, 0 or 1, as a number,
train and dev. Ridge regression chooses its alpha by leave-one-out on the training part,
of TF-IDF of words and pairs or of mean vectors. Prints R squared on the second part,
mean and standard deviation over the seeds, and the transitions that are left.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline

from benchmarks import _harness as harness
from skrational import SequenceArray, SparseRationalRegressor, WordVectorizer
from skrational.datasets import make_planted_scores

ALPHAS = np.geomspace(1e-2, 1e2, 9)


class Task(NamedTuple):
    """Texts and numbers, to learn from and to predict, and their word vectors."""

    name: str
    train: tuple[list[str], NDArray[Any]]
    test: tuple[list[str], NDArray[Any]]
    vectors: Any


def tasks(n_seeds: int, quick: bool) -> Iterator[tuple[int, Task]]:
    """Yield each task with each seed."""
    vectors, train, test = (
        harness.load_vectors(),
        harness.load_texts("train", quick),
        harness.load_texts("dev", quick),
    )
    parts = ((part.texts, np.asarray(part.labels, float)) for part in (train, test))
    reviews = Task(train.source, *parts, vectors)
    n = 400 if quick else 2000
    for seed in range(n_seeds):
        data = make_planted_scores(n + n // 2, random_state=seed)
        texts, y = data.texts, data.y
        planted = (texts[:n], y[:n]), (texts[n:], y[n:])
        yield seed, Task("planted scores", *planted, data.vectors)
        yield seed, reviews


def means(X: SequenceArray) -> NDArray[np.float64]:
    """Mean vector of each document, 0 of an empty one."""
    return np.array([x.sum(axis=0, dtype=float) / max(len(x), 1) for x in X])


def r2_of_tfidf(task: Task, seed: int) -> tuple[float, float]:
    bag = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    model = make_pipeline(bag, RidgeCV(ALPHAS)).fit(*task.train)
    return model.score(*task.test), np.nan


def r2_of_means(task: Task, seed: int) -> tuple[float, float]:
    vectorizer = WordVectorizer(task.vectors).fit(task.train[0])
    X, X_test = (means(vectorizer.transform(part[0])) for part in task[1:3])
    model = RidgeCV(ALPHAS).fit(X, task.train[1])
    return model.score(X_test, task.test[1]), np.nan


def r2_of_automata(task: Task, seed: int) -> tuple[float, float]:
    regressor = SparseRationalRegressor(random_state=seed)
    model = make_pipeline(WordVectorizer(task.vectors), regressor).fit(*task.train)
    return model.score(*task.test), regressor.n_transitions_


MODELS: dict[str, Callable[[Task, int], tuple[float, float]]] = {
    "SparseRationalRegressor": r2_of_automata,
    "TF-IDF(1,2), ridge": r2_of_tfidf,
    "mean vectors, ridge": r2_of_means,
}


def run(options: Any) -> None:
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for seed, task in tasks(options.seeds, options.quick):
        for name, model in MODELS.items():
            found.setdefault((task.name, name), []).append(model(task, seed))
    rows = []
    for (task_name, model_name), runs in found.items():
        scores, sizes = np.array(runs).T
        size = "" if np.isnan(sizes).all() else f"{sizes.mean():.0f}"
        spread = f"{scores.mean():.3f} ± {scores.std(ddof=min(1, len(runs) - 1)):.3f}"
        rows.append((task_name, model_name, spread, size))
    harness.print_heading("R squared", f"{options.seeds} seeds")
    harness.print_table(("task", "model", "R²", "transitions"), rows)


def _parser() -> argparse.ArgumentParser:
    parser = harness.common_options(__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    return parser


if __name__ == "__main__":
    harness.main(_parser(), run)
