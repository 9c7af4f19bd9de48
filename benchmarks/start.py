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


def measure_loading(path: str) -> dict[str, float]:
    """Seconds to load a pipeline and to label a text, and the memory of it all."""
    began = time.perf_counter()
    import joblib

    pipeline = joblib.load(path)
    seconds = {"load": time.perf_counter() - began}
    pipeline.predict(["Not worth the money: it broke after two days."])
    seconds["load and label"] = time.perf_counter() - began
    with open("/proc/self/status") as file:
        status = dict(line.split(":", 1) for line in file)
    seconds["MB"] = int(status["VmRSS"].split()[0]) / 1024
    return seconds | {"torch": "torch" in sys.modules}


def measure_libraries() -> dict[str, float]:
    """The same of what such a pipeline can't do without: scikit-learn and numba."""
    began = time.perf_counter()
    import joblib  # noqa: F401
    import sklearn.pipeline  # noqa: F401
    from numba.core.registry import cpu_target

    # What the first compiled function that is loaded sets up.
    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()
    seconds = {"load and label": time.perf_counter() - began}
    with open("/proc/self/status") as file:
        status = dict(line.split(":", 1) for line in file)
    return seconds | {"MB": int(status["VmRSS"].split()[0]) / 1024}


def print_loading(options: Any) -> None:
    """Time a fitted pipeline that is loaded to label one text."""
    import joblib
    from sklearn.pipeline import make_pipeline

    from benchmarks import _harness as harness
    from skrational import SparseRationalClassifier, WordVectorizer

    rounds = harness.rounds_of(options, full=5)
    texts, labels, _ = harness.load_texts("train", quick=True)
    pipeline = make_pipeline(
        WordVectorizer(harness.load_vectors()),
        SparseRationalClassifier(max_epochs=5, finetune_epochs=2, random_state=0),
    ).fit(texts, labels)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/pipeline.joblib"
        joblib.dump(pipeline, path)
        answers = [harness.ask_child("start", "--load", path) for _ in range(rounds)]
        cold, warmed = [], []
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as cache:
                place = {"NUMBA_CACHE_DIR": cache}
                cold.append(harness.ask_child("start", "--load", path, **place))
            with tempfile.TemporaryDirectory() as cache:
                place = {"NUMBA_CACHE_DIR": cache}
                harness.ask_child("start", "--warm-up", **place)
                warmed.append(harness.ask_child("start", "--load", path, **place))
    floors = [harness.ask_child("start", "--libraries") for _ in range(rounds)]
    harness.print_heading(
        "A fitted pipeline, loaded to label one text",
        f"Median of {rounds} fresh interpreters; torch is imported: "
        f"{any(answer['torch'] for answer in answers)}",
    )
    rows = [
        [
            name,
            *(
                harness.digits(statistics.median(answer[key] for answer in given))
                for key in ("load and label", "MB")
            ),
        ]
        for name, given in (
            ("load, label one text", answers),
            ("the same, no kernel compiled before", cold),
            ("the same, after warm_up", warmed),
            ("scikit-learn and numba alone", floors),
        )
    ]
    harness.print_table(["", "s", "resident memory, MB"], rows)


def run(options: Any) -> None:
    print_imports(options)
    print_fits(options)
    print_loading(options)


def main() -> None:
    if sys.argv[1:2] == ["--load"]:
        print(json.dumps(measure_loading(sys.argv[2])))
        return
    if sys.argv[1:] == ["--warm-up"]:
        import skrational

        print(json.dumps(list(map(str, skrational.warm_up()))))
        return
    if sys.argv[1:] == ["--libraries"]:
        print(json.dumps(measure_libraries()))
        return
    if sys.argv[1:] == ["--inside"]:
        print(json.dumps(measure_inside()))
        return
    # Only here: a child must find nothing imported.
    from benchmarks import _harness as harness

    harness.main(harness.common_options(__doc__), run)


if __name__ == "__main__":
    main()
