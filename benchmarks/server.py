"""A server's life: single texts labelled one by one, after ever more words were met.

    SKRATIONAL_DATA=... python -m benchmarks.server

Test reviews of kitchenware, each with a word that was never met before, to a pipeline
of 8 transitions, to the full 24 x 4, and to TF-IDF with logistic regression. Between
the rows as many invented words go by as the first column says.
"""

from __future__ import annotations

import itertools
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import make_pipeline

from benchmarks import _harness as harness
from benchmarks import _peers as peers
from benchmarks.prediction import FULL, SIZES, SMALL, named
from skrational import WordVectorizer

WORDS_MET = (0, 100_000, 1_000_000)
WORDS_A_TEXT = 1_000

Predict = Callable[[list[str]], Any]


def new_words(prefix: str) -> Iterator[str]:
    return (f"{prefix}{i}" for i in itertools.count())


def meet(predict: Predict, words: Iterator[str], n: int) -> None:
    """Label texts of words that no table has."""
    for _ in range(n // WORDS_A_TEXT):
        predict([" ".join(itertools.islice(words, WORDS_A_TEXT))])


def live(predict: Predict, texts: list[str], words: Iterator[str], n: int) -> NDArray:
    """Wall and CPU milliseconds of single texts, (n, 2)."""
    times = np.empty((n, 2))
    for i, text in enumerate(itertools.islice(itertools.cycle(texts), n)):
        request = [f"{text} {next(words)}"]
        cpu, wall = time.process_time(), time.perf_counter()
        predict(request)
        times[i] = time.perf_counter() - wall, time.process_time() - cpu
    return 1e3 * times


def contestants(options: Any) -> tuple[dict[str, Predict], list[str]]:
    train, test = (harness.load_texts(s, options.quick) for s in ("train", "test"))
    predictors: dict[str, Predict] = {}
    for size in (SMALL, FULL):
        vectorizer = WordVectorizer(harness.load_vectors())
        X = vectorizer.fit_transform(train.texts[:256])
        clf = harness.brief_fit(X, **SIZES[size])
        predictors[named(size)] = make_pipeline(vectorizer, clf).predict
    linear = peers.tfidf_classifier(1).fit(train.texts, train.labels)
    predictors["TF-IDF(1) + logistic regression"] = linear.predict
    return predictors, test.texts


def run(options: Any) -> None:
    predictors, texts = contestants(options)
    n = 500 if options.quick else 10_000
    words = {name: new_words("met") for name in predictors}
    met, rows = 0, []
    for target in WORDS_MET[:2] if options.quick else WORDS_MET:
        for name, predict in predictors.items():
            meet(predict, words[name], target - met)
            # What is loaded, compiled or met for the first time isn't counted.
            live(predict, texts, words[name], min(n, len(texts)))
            times = live(predict, texts, words[name], n)
            values = (*np.percentile(times[:, 0], (50, 99)), times[:, 1].mean())
            rows.append([f"{target:,}", name, *map(harness.digits, values)])
        met = target
    harness.print_heading(
        "A server's life", f"{n} single texts a row; threads: {options.threads}"
    )
    head = ["words met before", "", "p50, ms", "p99, ms", "CPU ms a text"]
    harness.print_table(head, rows)


def main() -> None:
    warnings.filterwarnings("ignore", message=".*texts hold no word")
    harness.main(harness.common_options(__doc__), run)


if __name__ == "__main__":
    main()
