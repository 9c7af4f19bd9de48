"""Seconds until something happens: import, first fit, with and without a numba cache.

    python -m benchmarks.start

Each figure is the median of fresh interpreters, less what a bare interpreter takes. The
fit, of 50 documents, comes right after the import. torch and scikit-learn take most of
an import; the second column leaves them out.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

LIBRARIES = ("torch", "sklearn.base", "sklearn.utils", "sklearn.pipeline")


def measure_inside() -> dict[str, float]:
    """Seconds of the imports and of the first fit, in this interpreter."""
    import importlib

    seconds, began = {}, time.perf_counter()
    for name in LIBRARIES:
        importlib.import_module(name)
    seconds["libraries"] = time.perf_counter() - began
    began = time.perf_counter()
    from skrational import SequenceArray, SparseRationalClassifier

    seconds["import"] = time.perf_counter() - began
    import numpy as np

    rng = np.random.default_rng(0)
    ids = rng.integers(1000, size=50 * 20)
    features = rng.standard_normal((1000, 50), dtype=np.float32)
    X = SequenceArray(features, np.arange(0, len(ids) + 1, 20), ids)
    y = np.arange(50) % 2
    for fit in ("first fit", "second fit"):
        clf = SparseRationalClassifier(random_state=0)
        began = time.perf_counter()
        clf.fit(X, y)
        seconds[fit] = time.perf_counter() - began
    began = time.perf_counter()
    clf.predict(X)
    seconds["first prediction"] = time.perf_counter() - began
    return seconds


def interpreter_seconds(code: str) -> float:
    """Seconds of a fresh interpreter that runs this."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - began


def median_over(rounds: int, codes: dict[str, str]) -> dict[str, float]:
    """Median seconds of each program, which take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(rounds):
        for name, code in codes.items():
            seconds[name].append(interpreter_seconds(code))
    return {name: statistics.median(values) for name, values in seconds.items()}


def print_imports(options: Any) -> None:
    from benchmarks import _harness as harness

    programs = {
        "import skrational": "import skrational",
        "import torch and scikit-learn": f"import {', '.join(LIBRARIES)}",
        "from skrational import WordVectorizer": (
            "from skrational import WordVectorizer"
        ),
        "from skrational import SparseRationalClassifier": (
            "from skrational import SparseRationalClassifier"
        ),
    }
    rounds = harness.rounds_of(options, full=5)
    seconds = median_over(rounds, {"bare": "pass", **programs})
    harness.print_heading(
        "Import",
        f"Median of {rounds} fresh interpreters, less a bare one "
        f"({harness.digits(seconds['bare'])} s)",
    )
    rows = [
        [name, harness.digits(seconds[name] - seconds["bare"])] for name in programs
    ]
    harness.print_table(["", "s"], rows)


def print_fits(options: Any) -> None:
    from benchmarks import _harness as harness

    rounds = harness.rounds_of(options, full=5)
    harness.print_heading(
        "The first fit",
        f"50 documents, defaults, right after the import; median of {rounds} fresh "
        "interpreters. Cold: numba's cache is empty.",
    )
    answers: dict[str, list[dict[str, float]]] = {"cold": [], "warm": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            for state in answers:
                answer = harness.ask_child("start", "--inside", NUMBA_CACHE_DIR=folder)
                answers[state].append(answer)
    rows = []
    for state, each in answers.items():
        of = {name: statistics.median(a[name] for a in each) for name in each[0]}
        bare = of["import"] + of["first fit"]
        values = (
            of["libraries"] + bare,
            bare,
            of["first fit"],
            of["second fit"],
            of["first prediction"],
        )
        rows.append([state, *map(harness.digits, values)])
    head = ["numba's cache", "all imports + first fit, s"]
    head += ["without torch, scikit-learn, s", "first fit, s", "second fit, s"]
    harness.print_table([*head, "first prediction, s"], rows)


def run(options: Any) -> None:
    print_imports(options)
    print_fits(options)


def main() -> None:
    if sys.argv[1:] == ["--inside"]:
        print(json.dumps(measure_inside()))
        return
    # Only here: a child must find nothing imported.
    from benchmarks import _harness as harness

    harness.main(harness.common_options(__doc__), run)


if __name__ == "__main__":
    main()
