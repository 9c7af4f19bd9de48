"""Forks while another thread works: no child may hang, and all compute the same.

::

    python -m benchmarks.forks                 # 40 forks of each kind, some minutes
    python -m benchmarks.forks --forks 5 --kinds words predict

Each kind of work runs in a thread of a process of its own, which forks again and again
at random moments; a child does the same work once and compares. Printed are, for each
kind, the children that were right, wrong, and killed after 30 seconds. The exit status
tells whether all were right.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

_SECONDS = 30


def _vectors(n_words: int) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    return {f"w{i}": row for i, row in enumerate(rng.normal(size=(n_words, 8)))}


def new_words(folder: Path) -> Callable[[], Any]:
    """Transform texts, each time with words that were never met."""
    from skrational import WordVectorizer

    vectorizer = WordVectorizer(_vectors(50_000)).fit(["w0"])
    order = random.Random(0)

    def work() -> Any:
        texts = [
            " ".join(f"w{order.randrange(50_000)}" for _ in range(300)),
            " ".join(f"x{order.randrange(10**9)}" for _ in range(300)),
            "w1 w2 w3",
        ]
        return vectorizer.transform(texts).to_list()[-1]

    return work


def reading(folder: Path) -> Callable[[], Any]:
    """Read a table of vectors."""
    from skrational import WordVectorizer
    from skrational.text.vectors.loading import forget_tables

    path = folder / "vectors.txt"
    path.write_text(
        "".join(
            f"{word} {' '.join(f'{x:.4f}' for x in row)}\n"
            for word, row in _vectors(20_000).items()
        )
    )

    def work() -> Any:
        forget_tables()
        vectorizer = WordVectorizer(path, cache=False).fit(["w0 w1"])
        return vectorizer.transform(["w1 w2 w3"]).to_list()[0]

    return work


def _classifier() -> Any:
    from skrational import SparseRationalClassifier

    return SparseRationalClassifier(
        n_wfsas=4,
        n_states=2,
        lambda_=0.0,
        warmup_epochs=0,
        max_epochs=1,
        finetune_epochs=1,
        batch_size=None,
        random_state=0,
    )


def _data() -> tuple[Any, Any]:
    from skrational import SequenceArray

    rng = np.random.default_rng(0)
    features = rng.normal(size=(2_000, 16)).astype(np.float32)
    ids = rng.integers(0, 2_000, 6_000)
    return SequenceArray(features, np.arange(0, 6_001, 20), ids), np.arange(300) % 2


def predict(folder: Path) -> Callable[[], Any]:
    """Predict, each time of features that were never met."""
    X, y = _data()
    classifier = _classifier().fit(X, y)

    def work() -> Any:
        fresh = type(X)(X.features.copy(), X.offsets, X.indices)
        return classifier.decision_function(fresh)

    return work


def text_pipeline(folder: Path) -> Callable[[], Any]:
    """Predict of texts, with words that were never met."""
    from sklearn.pipeline import make_pipeline

    from skrational import WordVectorizer

    texts = [f"w{i} w{i + 1} w{i % 7}" for i in range(100)]
    pipeline = make_pipeline(WordVectorizer(_vectors(20_000)), _classifier())
    pipeline.fit(texts, np.arange(100) % 2)
    order = random.Random(0)

    def work() -> Any:
        met = " ".join(f"w{order.randrange(20_000)}" for _ in range(300))
        return pipeline.decision_function([met, "w1 w2 w3"])[1:]

    return work


def fit(folder: Path) -> Callable[[], Any]:
    """Fit."""
    X, y = _data()
    return lambda: _classifier().fit(X, y).coef_


KINDS: dict[str, Callable[[Path], Callable[[], Any]]] = {
    "words": new_words,
    "read": reading,
    "predict": predict,
    "pipeline": text_pipeline,
    "fit": fit,
}


def fork_while_at_work(work: Callable[[], Any], n_forks: int) -> dict[str, int]:
    """Fork while a thread works; count what became of the children."""
    warnings.simplefilter("ignore")  # a fork of a process with threads
    expected, stop, moment = work(), threading.Event(), random.Random(0)

    def go_on() -> None:
        while not stop.is_set():
            work()

    worker = threading.Thread(target=go_on)
    worker.start()
    try:
        ended = [
            _outcome_of_child(work, expected, moment.uniform(0, 0.05))
            for _ in range(n_forks)
        ]
    finally:
        stop.set()
        worker.join()
    return {kind: ended.count(kind) for kind in ("right", "wrong", "hanging")}


def _outcome_of_child(work: Callable[[], Any], expected: Any, delay: float) -> str:
    time.sleep(delay)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            faulthandler.dump_traceback_later(_SECONDS - 1)
            signal.alarm(_SECONDS)
            status = 0 if np.array_equal(work(), expected) else 1
        finally:
            os._exit(status)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return "hanging" if os.WTERMSIG(status) == signal.SIGALRM else "wrong"
    return "wrong" if os.WEXITSTATUS(status) else "right"


def main(arguments: list[str] | None = None) -> int:
    """Run the kinds that are named, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--forks", type=int, default=40)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--here", action="store_true", help="no process for each kind")
    options = parser.parse_args(arguments)
    if not options.here:
        command = [sys.executable, "-m", "benchmarks.forks", "--here"]
        command += ["--forks", str(options.forks), "--kinds"]
        codes = [subprocess.run([*command, kind]).returncode for kind in options.kinds]
        return int(any(codes))
    failed = False
    for kind in options.kinds:
        with tempfile.TemporaryDirectory() as folder:
            counts = fork_while_at_work(KINDS[kind](Path(folder)), options.forks)
        told = ", ".join(f"{n} {outcome}" for outcome, n in counts.items())
        print(f"{kind:9} {told}", flush=True)
        failed |= counts["right"] < options.forks
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
