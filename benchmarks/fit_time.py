"""A default fit on reviews: its time, where it goes, and that of other networks.

    SKRATIONAL_DATA=... python -m benchmarks.fit_time

Kitchen reviews with 300-d vectors; without SKRATIONAL_DATA, invented texts. A step is
the batch, forward, backward, the optimizer and the penalty's proximal operator. The
other networks are trained with the same batch size, on the same vectors, by Adam; one
epoch is timed and multiplied by the number of ours. They need padding, so they are
timed twice: with batches as drawn, and with batches of documents of like length. Their
denormal numbers are flushed to zero; ours are as in any fit.
"""

from __future__ import annotations

import pickle
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial, wraps
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.pipeline import make_pipeline

from benchmarks import _harness as harness
from benchmarks import _peers as peers
from skrational import SequenceArray, SparseRationalClassifier, WordVectorizer
from skrational.cells.batches import Corpus
from skrational.training.loop import PhaseRun

STEP = ((PhaseRun, "_step"), (Corpus, "batch"))
NETWORKS = ("nn.LSTM(100)", "nn.GRU(100)", "CNN, 100 filters")


@contextmanager
def time_inside(methods: tuple[tuple[type, str], ...]) -> Iterator[list[float]]:
    """Collect the seconds of each call; a call within a call counts once."""
    seconds: list[float] = []
    depth = 0

    def timed(method: Any) -> Any:
        @wraps(method)
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal depth
            depth += 1
            began = time.perf_counter()
            try:
                return method(*args, **kwargs)
            finally:
                depth -= 1
                if not depth:
                    seconds.append(time.perf_counter() - began)

        return call

    originals = [getattr(owner, name) for owner, name in methods]
    for (owner, name), method in zip(methods, originals, strict=True):
        setattr(owner, name, timed(method))
    try:
        yield seconds
    finally:
        for (owner, name), method in zip(methods, originals, strict=True):
            setattr(owner, name, method)


def fit_ours(
    X: SequenceArray, y: NDArray, options: Any
) -> tuple[SparseRationalClassifier, float, float]:
    """A fit with the defaults, its seconds, and those within steps."""
    epochs = {"warmup_epochs": 1, "max_epochs": 2, "finetune_epochs": 2}
    clf = SparseRationalClassifier(random_state=0, **(epochs if options.quick else {}))
    with time_inside(STEP) as steps:
        wall, _ = harness.clock(lambda: clf.fit(X, y))
    return clf, wall, sum(steps)


def time_ours(data: harness.Texts, options: Any) -> tuple[SequenceArray, int, float]:
    """Print the times of a fit and of what surrounds it.

    Returns the documents, the number of epochs, and the seconds of the fit.
    """
    texts, y, _ = data
    vectorizer = WordVectorizer(harness.load_vectors(), tokenizer=str.split).fit(texts)
    harness.brief_fit(vectorizer.transform(texts[:50]))
    seconds: dict[str, list[float]] = {"text to vectors": [], "fit": []}
    seconds["text to labels"], shares = [], []
    for _ in range(harness.rounds_of(options, full=3, quick=1)):
        wall, _ = harness.clock(partial(vectorizer.transform, texts))
        seconds["text to vectors"].append(wall)
        X = vectorizer.transform(texts)
        clf, wall, inside = fit_ours(X, y, options)
        seconds["fit"].append(wall)
        shares.append(inside / wall)
        wall, _ = harness.clock(partial(make_pipeline(vectorizer, clf).predict, texts))
        seconds["text to labels"].append(wall)
    harness.print_heading(
        "A default fit",
        f"{data.source}: {len(X)} documents of {X.n_tokens} tokens, {X.n_features} "
        f"features, {clf.n_iter_} epochs, {clf.learned_structure_}",
    )
    rows = [
        (name, harness.digits(statistics.median(values)) + " s")
        for name, values in seconds.items()
    ]
    rows.append(("fit: share within steps", f"{100 * statistics.median(shares):.1f} %"))
    rows.append(("pickled model", f"{len(pickle.dumps(clf)) / 1000:.1f} kB"))
    harness.print_table(["", ""], rows)
    return X, clf.n_iter_, statistics.median(seconds["fit"])


def epoch_seconds(
    name: str, X: SequenceArray, y: NDArray, alike: bool, size: int
) -> float:
    """Seconds of an epoch of another network, after a few batches of warm-up."""
    net = peers.network(name, X.n_features)
    train = partial(peers.train_epoch, net, size=size, alike=alike)
    train(X[:size], y[:size])
    return harness.clock(lambda: train(X, y))[0]


def time_networks(X: SequenceArray, y: NDArray, epochs: int, ours: float) -> None:
    """Print what as many epochs of other networks take."""
    harness.print_heading(
        "The same training of other networks",
        f"One epoch, times {epochs}, the epochs of ours; the ratio is to our fit, all "
        "of it.",
    )
    size = SparseRationalClassifier().batch_size
    torch.set_flush_denormal(True)
    rows = []
    for name in NETWORKS:
        for alike in (False, True):
            seconds = epochs * epoch_seconds(name, X, y, alike, size)
            order = "of like length" if alike else "as drawn"
            cells = [f"{name}, batches {order}", harness.digits(seconds)]
            rows.append([*cells, harness.digits(seconds / ours)])
    torch.set_flush_denormal(False)
    harness.print_table(["", "s", f"x {harness.OURS}"], rows)


def time_linear(data: harness.Texts, ours: float, options: Any) -> None:
    """Print the time of fits of linear models on texts."""
    harness.print_heading("Linear models, text to fitted model")
    contestants = {
        f"TF-IDF({'1' if n == 1 else '1,2'}) + logistic regression": partial(
            peers.tfidf_classifier(n).fit, data.texts, data.labels
        )
        for n in (1, 2)
    }
    rounds = harness.rounds_of(options, full=3, quick=1)
    times = harness.race(contestants, rounds)
    rows = []
    for name, of_name in times.items():
        seconds = harness.median(of_name)
        rows.append([name, harness.digits(seconds), harness.digits(seconds / ours)])
    harness.print_table(["", "s", f"x {harness.OURS}"], rows)


def run(options: Any) -> None:
    data = harness.load_texts("train", options.quick)
    X, epochs, ours = time_ours(data, options)
    time_networks(X, np.asarray(data.labels), epochs, ours)
    time_linear(data, ours, options)


if __name__ == "__main__":
    harness.main(harness.common_options(__doc__), run)
