"""What it takes to serve a model: from joblib, from a saved folder, from an ONNX graph.

    SKRATIONAL_DATA=... python -m benchmarks.serving

A pipeline of `WordVectorizer` and `SparseRationalClassifier`, both with their defaults,
is fitted on the training reviews of kitchenware, and so is TF-IDF with logistic
regression. Each is then served by processes of its own, one thread each, which take
turns. A round is a fresh process that loads the model and labels one text (the cold
start, which begins with the process), then one by one as many as ``--texts`` says.
Resident memory is that of the process after these; unique is what of it no other
process shares. CPU times tell what a text takes where others use the machine, too.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FIRST = "Not worth the money: it broke after two days."
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PYTHON = "Python alone"
GRAPH = "ONNX: onnxruntime and numpy"

Predict = Callable[[list[str]], Any]


def load_joblib(place: str) -> Predict:
    import joblib

    return joblib.load(place).predict_proba


def load_folder(place: str) -> Predict:
    from skrational.persistence import load

    return load(place).predict_proba


def load_graph(place: str) -> Predict:
    import onnxruntime

    sys.path.insert(0, place)
    from tokenizer import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(f"{place}/model.onnx", options)
    tokenize = Tokenizer(place)
    return lambda texts: session.run(["probabilities"], tokenize(texts))[0]


def load_nothing(place: str) -> Predict:
    return lambda texts: [[0.0]] * len(texts)


LOADERS = {
    "joblib": load_joblib,
    "folder": load_folder,
    "graph": load_graph,
    "nothing": load_nothing,
}


def memory() -> dict[str, float]:
    """Resident megabytes of this process, and those that it shares with no other."""
    fields = Path("/proc/self/smaps_rollup").read_text().splitlines()[1:]
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in fields}
    unique = kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]
    return {"resident": kilobytes["Rss"] / 1024, "unique": unique / 1024}


def serve(loader: str, place: str, texts_file: str, began: float) -> dict[str, Any]:
    """Load a model and label texts; what that takes."""
    predict = LOADERS[loader](place)
    predict([FIRST])
    answer: dict[str, Any] = {"cold": time.time() - began, "cpu": time.process_time()}
    texts = json.loads(Path(texts_file).read_text())
    for text in texts[:100]:
        predict([text])
    wall, cpu, found = [], [], []
    for text in texts:
        one_cpu, one_wall = time.thread_time(), time.perf_counter()
        p = predict([text])
        wall.append(1e3 * (time.perf_counter() - one_wall))
        cpu.append(1e3 * (time.thread_time() - one_cpu))
        found.append(float(p[0][0]))
    for name, times in (("wall", wall), ("cpu", cpu)):
        cuts = statistics.quantiles(times, n=100)
        answer |= {f"{name} p50": cuts[49], f"{name} p99": cuts[98]}
    return answer | memory() | {"probabilities": found}


def ask(loader: str, place: str, texts_file: str) -> dict[str, Any]:
    """Serve a model in a fresh process."""
    # A package that is installed has its modules compiled.
    environment = {**os.environ, **dict.fromkeys(THREADS, "1")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    # Of texts in other languages.
    environment["PYTHONWARNINGS"] = "ignore"
    arguments = ["--serve", loader, place, texts_file, repr(time.time())]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.serving", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def write_models(place: Path, quick: bool) -> tuple[dict[str, tuple[str, str]], list]:
    """Fit both models and write them in all forms: loader and path of each, texts."""
    import joblib
    from sklearn.pipeline import make_pipeline

    from benchmarks import _harness as harness
    from benchmarks import _peers as peers
    from skrational import SparseRationalClassifier, WordVectorizer, export_onnx

    train, test = (harness.load_texts(split, quick) for split in ("train", "test"))
    clf = SparseRationalClassifier(random_state=0)
    ours = make_pipeline(WordVectorizer(), clf).fit(train.texts, train.labels)
    linear = peers.tfidf_classifier(1).fit(train.texts, train.labels)
    joblib.dump(ours, place / "ours.joblib")
    joblib.dump(linear, place / "linear.joblib")
    export_onnx(ours, place / "graph")
    served = {"joblib": ("joblib", "ours.joblib")}
    if harness.is_installed("skrational.persistence"):
        from skrational.persistence import save

        save(ours, place / "folder")
        served["save and load"] = ("folder", "folder")
    served |= {
        GRAPH: ("graph", "graph"),
        "TF-IDF + logistic regression, joblib": ("joblib", "linear.joblib"),
        PYTHON: ("nothing", ""),
    }
    print(f"\n{ours[-1].size_} transitions, fitted on {len(train.texts)} texts")
    return {n: (k, str(place / p)) for n, (k, p) in served.items()}, test.texts


def size(path: str) -> float:
    """Megabytes of a file, or of those in a folder."""
    place = Path(path)
    files = [place] if place.is_file() else list(place.iterdir())
    return sum(file.stat().st_size for file in files) / 2**20


def run(options: Any) -> None:
    from benchmarks import _harness as harness

    with tempfile.TemporaryDirectory() as folder:
        served, texts = write_models(Path(folder), options.quick)
        n = 200 if options.quick else options.texts
        many = (texts * -(-n // len(texts)))[:n]
        texts_file = Path(folder, "texts.json")
        texts_file.write_text(json.dumps(many))
        sizes = {
            name: 0.0 if name == PYTHON else size(path)
            for name, (_, path) in served.items()
        }
        answers: dict[str, list[dict[str, Any]]] = {name: [] for name in served}
        # The first round compiles what isn't compiled, and isn't counted.
        for round_ in range(1 + harness.rounds_of(options, full=5)):
            for name, (loader, path) in served.items():
                answer = ask(loader, path, str(texts_file))
                if round_:
                    answers[name].append(answer)
    harness.print_heading(
        "Serving",
        f"{n} texts one by one; median of {len(answers[PYTHON])} fresh processes",
    )
    print_answers(answers, sizes)
    pairs = zip(
        answers[GRAPH][0]["probabilities"],
        answers["joblib"][0]["probabilities"],
        strict=True,
    )
    largest = max(abs(a - b) for a, b in pairs)
    print(f"\nProbabilities of the graph differ by {largest:.1e} at most.")


def print_answers(
    answers: dict[str, list[dict[str, Any]]], sizes: dict[str, float]
) -> None:
    from benchmarks import _harness as harness

    columns = {
        "cold start, s": "cold",
        "CPU s": "cpu",
        "resident, MB": "resident",
        "unique, MB": "unique",
        "p50, ms": "wall p50",
        "p99, ms": "wall p99",
        "CPU p50, ms": "cpu p50",
        "CPU p99, ms": "cpu p99",
    }
    rows = []
    for name, each in answers.items():
        medians = [statistics.median(a[key] for a in each) for key in columns.values()]
        shown = list(map(harness.digits, medians))
        if name == PYTHON:
            shown[4:] = [""] * 4
        rows.append([name, *shown, harness.digits(sizes[name]) if sizes[name] else ""])
    harness.print_table(["", *columns, "on disk, MB"], rows)


def main() -> None:
    if sys.argv[1:2] == ["--serve"]:
        loader, place, texts_file, began = sys.argv[2:]
        print(json.dumps(serve(loader, place, texts_file, float(began))))
        return
    # Only here: a child must find nothing imported.
    from benchmarks import _harness as harness

    parser = harness.common_options(__doc__)
    parser.add_argument("--texts", type=int, default=2000, help="of a round")
    harness.main(parser, run)


if __name__ == "__main__":
    main()
