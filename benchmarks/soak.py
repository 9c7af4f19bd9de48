"""Fits and predictions, again and again: memory, descriptors and threads stay flat.

::

    python -m benchmarks.soak --fits 1000 --predictions 100000

Fits take turns among the methods, and predictions among forms of X: texts with words
that were never met, type-level and token-level sequences, lists. After a warm-up of a
tenth of each, what the process holds is read ten times; the table has a row for each
reading. Flat means that the median of the last three readings is within 5 % of that of
the first three. The exit status tells whether all was flat.
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
import warnings
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import psutil
from sklearn.pipeline import make_pipeline

from skrational import (
    ModuliRNNClassifier,
    ModuliRNNRegressor,
    SequenceArray,
    SparseGRUClassifier,
    SparseLSTMClassifier,
    SparseLSTMLanguageModel,
    SparseRationalClassifier,
    WordVectorizer,
)

__all__ = ["main", "measure", "soak"]

_READINGS = 10
_MOST = 0.05
_SHORT = {
    "warmup_epochs": 1,
    "max_epochs": 1,
    "finetune_epochs": 1,
    "min_steps_per_epoch": 2,
    "random_state": 0,
}
_AUTOMATA = {"n_wfsas": 4, "n_states": 2, "lambda_": 1e-4}

Reading = dict[str, float]


def measure() -> Reading:
    """Read what this process holds: memory in MiB, open files, threads."""
    gc.collect()
    process = psutil.Process()
    memory = process.memory_full_info()
    return {
        "rss": memory.rss / 2**20,
        "uss": memory.uss / 2**20,
        "descriptors": process.num_fds(),
        "threads": process.num_threads(),
    }


def _data(seed: int) -> tuple[SequenceArray, Any]:
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(500, 16)).astype(np.float32)
    lengths = rng.integers(1, 20, 60)
    X = SequenceArray(
        features, np.cumsum([0, *lengths]), rng.integers(0, 500, lengths.sum())
    )
    return X, np.arange(60) % 2


def fits() -> list[Callable[[], Any]]:
    """Return what is fitted in turn: each time the same data, made anew."""
    texts = [f"w{i % 50} w{i % 7} good bad w{i % 11}" for i in range(60)]
    vectors = {f"w{i}": row for i, row in enumerate(np.eye(50, 16))}
    values = np.random.default_rng(0).normal(size=(60, 2))

    def on_sequences(estimator: Any, y: Any = None) -> Callable[[], Any]:
        def fit() -> Any:
            X, labels = _data(0)
            return estimator.fit(X, labels if y is None else y).predict(X)

        return fit

    def pipeline() -> Any:
        clf = SparseRationalClassifier(**_AUTOMATA, **_SHORT)
        model = make_pipeline(WordVectorizer(vectors), clf)
        return model.fit(texts, np.arange(60) % 2).predict(texts)

    return [
        on_sequences(SparseRationalClassifier(**_AUTOMATA, **_SHORT)),
        on_sequences(
            SparseRationalClassifier(
                **_AUTOMATA, **_SHORT, semiring="max-plus", calibration="temperature"
            )
        ),
        on_sequences(SparseLSTMClassifier(n_units=3, **_SHORT)),
        on_sequences(SparseGRUClassifier(n_units=3, **_SHORT)),
        on_sequences(ModuliRNNClassifier(n_hidden=8, sparsity=0.5, **_SHORT)),
        on_sequences(ModuliRNNRegressor(n_hidden=8, sparsity=0.5, **_SHORT), values),
        lambda: SparseLSTMLanguageModel(n_units=3, **_SHORT).fit(texts).score(texts),
        pipeline,
    ]


def predictions() -> list[Callable[[], Any]]:
    """Return what is predicted in turn."""
    X, y = _data(0)
    clf = SparseRationalClassifier(**_AUTOMATA, **_SHORT).fit(X, y)
    gated = SparseLSTMClassifier(n_units=3, **_SHORT).fit(X, y)
    vectors = {f"w{i}": row for i, row in enumerate(np.eye(50, 16))}
    texts = [f"w{i % 50} w{i % 7} good bad" for i in range(60)]
    classifier = SparseRationalClassifier(**_AUTOMATA, **_SHORT)
    model = make_pipeline(WordVectorizer(vectors), classifier).fit(texts, y)
    tokens, arrays, order = X.features[X.indices], X.to_list(), random.Random(0)

    def of_new_words() -> Any:
        words = [f"x{order.randrange(10**9)}" for _ in range(5)]
        return model.predict([" ".join(["w1", *words]), "w2 w3"])

    return [
        lambda: clf.predict(X),
        lambda: clf.predict_proba(X[3:9]),
        lambda: clf.predict(SequenceArray(tokens, X.offsets)),
        lambda: clf.predict(SequenceArray(X.features.copy(), X.offsets, X.indices)),
        lambda: clf.predict(arrays[:5]),
        lambda: gated.predict(X[:5]),
        of_new_words,
    ]


def soak(
    calls: list[Callable[[], Any]], n_calls: int, n_readings: int = _READINGS
) -> list[Reading]:
    """Make calls in turn; return what the process held after the warm-up, in order."""
    for i in range(max(len(calls), n_calls // 10)):
        calls[i % len(calls)]()
    readings = []
    for k in range(n_readings):
        for i in range(n_calls * k // n_readings, n_calls * (k + 1) // n_readings):
            calls[i % len(calls)]()
        readings.append(measure())
    return readings


def growth(readings: list[Reading]) -> dict[str, float]:
    """Return by which share each number has grown from the first to the last three."""
    return {
        name: median(r[name] for r in readings[-3:])
        / median(r[name] for r in readings[:3])
        - 1
        for name in readings[0]
    }


def main(arguments: list[str] | None = None) -> int:
    """Soak; return 1 if something has grown."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fits", type=int, default=1000)
    parser.add_argument("--predictions", type=int, default=100_000)
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    failed = False
    for title, calls, n in (
        ("fits", fits(), options.fits),
        ("predictions", predictions(), options.predictions),
    ):
        readings = soak(calls, n)
        print(
            f"\n{n} {title}\n\n{'done':>8}" + "".join(f"{k:>13}" for k in readings[0])
        )
        for k, reading in enumerate(readings, 1):
            numbers = "".join(f"{value:13.1f}" for value in reading.values())
            print(f"{n * k // _READINGS:8}{numbers}")
        grown = growth(readings)
        print(f"{'growth':>8}" + "".join(f"{100 * g:12.1f}%" for g in grown.values()))
        failed |= any(share > _MOST for share in grown.values())
        sys.stdout.flush()
    print("\nGROWN" if failed else "\nflat")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
