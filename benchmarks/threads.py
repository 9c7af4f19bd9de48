"""Fits and predictions on one thread and two, and beside each other.

    python -m benchmarks.threads

Two threads must give the same bits as one. Two fits at once, in two processes or two
threads of joblib, should take little longer than one fit alone on a machine of two
cores; a collapse, as from threads that fight over the cores, would show as a multiple.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import time
from typing import Any

import numpy as np
import torch
from joblib import Parallel, delayed, parallel_config

from benchmarks import _harness as harness
from skrational import SequenceArray, SparseRationalClassifier

FEW_EPOCHS = {"warmup_epochs": 1, "max_epochs": 2, "finetune_epochs": 2}


def documents(quick: bool) -> tuple[SequenceArray, np.ndarray]:
    X = harness.make_documents(64 if quick else 1000, 100)
    return X, harness.alternating(len(X))


def fitted(
    X: SequenceArray, y: np.ndarray, quick: bool, seed: int = 0
) -> SparseRationalClassifier:
    epochs = FEW_EPOCHS if quick else {}
    return SparseRationalClassifier(random_state=seed, **epochs).fit(X, y)


def digest(*arrays: np.ndarray) -> str:
    """Equal for equal bits."""
    return hashlib.sha256(b"".join(a.tobytes() for a in arrays)).hexdigest()


def one_process(n_threads: int, quick: bool) -> dict[str, Any]:
    """Seconds of a fit and of predictions on so many threads, and their bits."""
    X, y = documents(quick)
    fitted(X[:64], y[:64], quick=True).predict(X[:64])
    torch.set_num_threads(n_threads)
    began = time.perf_counter()
    clf = fitted(X, y, quick)
    seconds = time.perf_counter() - began
    full = harness.brief_fit(X[:256])
    many = SequenceArray.concatenate([X] * (2 if quick else 20))
    return {
        "fit, s": seconds,
        "predict, ms": 1e3 * harness.median_seconds(lambda: full.predict(many), 7),
        "bits": digest(*clf.weights_.values(), full.decision_function(many)),
    }


def at_once(backend: str, n_jobs: int, inner: int | None, quick: bool) -> float:
    """Seconds of as many fits as jobs, all workers warm."""
    X, y = documents(quick)
    options = {} if inner is None else {"inner_max_num_threads": inner}
    with parallel_config(backend, n_jobs=n_jobs, **options):
        # Enough small fits that each worker has one.
        Parallel()(delayed(fitted)(X[:64], y[:64], True) for _ in range(4 * n_jobs))
        began = time.perf_counter()
        Parallel()(delayed(fitted)(X, y, quick, seed) for seed in range(n_jobs))
        return time.perf_counter() - began


CASES = {
    "one fit, alone": ("loky", 1, None),
    "two loky workers": ("loky", 2, None),
    "two loky workers, each allowed two threads": ("loky", 2, 2),
    "two threads of joblib": ("threading", 2, None),
}


def measure(case: str, quick: bool) -> Any:
    """Measure one case in this process."""
    if case.isdigit():
        return one_process(int(case), quick)
    return at_once(*CASES[case], quick)


def ask(case: str, options: Any) -> Any:
    flags = ["--quick"] * options.quick
    return harness.ask_child("threads", "--bare", *flags, "--case", case)


def print_threads(rounds: int, options: Any) -> None:
    answers: dict[str, list[dict[str, Any]]] = {"1": [], "2": []}
    for _ in range(rounds):
        for n, of_n in answers.items():
            of_n.append(ask(n, options))
    bits = {answer["bits"] for of_n in answers.values() for answer in of_n}
    assert len(bits) == 1, "one thread and two differ in the last bits"
    harness.print_heading(
        "One thread and two",
        f"Median of {rounds} fresh processes; the fits and predictions of all are "
        "equal to the last bit",
    )
    measures = ("fit, s", "predict, ms")
    rows = [
        [n, *(harness.digits(statistics.median(a[m] for a in of_n)) for m in measures)]
        for n, of_n in answers.items()
    ]
    harness.print_table(["threads", *measures], rows)


def print_at_once(rounds: int, options: Any) -> None:
    seconds: dict[str, list[float]] = {case: [] for case in CASES}
    for _ in range(rounds):
        for case, of_case in seconds.items():
            of_case.append(ask(case, options))
    harness.print_heading(
        "Fits beside each other", f"Median of {rounds} fresh processes"
    )
    alone = np.array(seconds["one fit, alone"])
    rows = []
    for case, of_case in seconds.items():
        values = statistics.median(of_case), np.median(np.array(of_case) / alone)
        rows.append([case, *map(harness.digits, values)])
    harness.print_table(["", "s", "x one fit"], rows)


def run(options: Any) -> None:
    if options.case:
        print(json.dumps(measure(options.case, options.quick)))
        return
    rounds = harness.rounds_of(options, full=3, quick=1)
    print_threads(rounds, options)
    print_at_once(rounds, options)


def options_parser() -> argparse.ArgumentParser:
    parser = harness.common_options(__doc__)
    # What a child process is asked for.
    parser.add_argument("--case", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    harness.main(options_parser(), run)
