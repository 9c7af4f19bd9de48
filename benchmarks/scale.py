"""A corpus larger than memory should be: written, fitted and predicted in batches.

    SKRATIONAL_DATA=... python -m benchmarks.scale --out FOLDER --documents 1000000

Documents of about a hundred tokens are put together from sentences of real reviews of
kitchenware, drawn at random among those of one label; with --quick, or without the
data, from invented reviews. For a tenth of the documents and for all of them, each in a
process of its own:

- write: texts to word vectors, ten thousand at a time, and these to files;
- fit: the default recipe, on the files mapped into memory;
- predict: the classes of as many other texts, from a generator, a thousand at a time;
- mapped: the classes of what was written.

Memory is the process's own (anonymous) at its height, watched every hundredth of a
second, and what the step has added to what was there before it; pages of mapped files,
which the system drops where it needs the room, are not part of it (Linux only). What
ten times as many would take is computed on the straight line through both measurements,
of which a fall counts as none.

Each step leaves a file in FOLDER/rows; a run that was killed goes on behind them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import joblib
import numpy as np
from numpy.typing import NDArray

from benchmarks import _harness as harness
from benchmarks._store import Row, Store, finish, stem
from skrational import (
    SequenceArray,
    SparseRationalClassifier,
    WordVectorizer,
    warm_up,
)
from skrational.datasets import (
    data_folder,
    load_reviews,
    make_product_reviews,
    reviews_available,
)
from skrational.deployment import predict_batches

STEPS = ("write", "fit", "predict", "mapped")
NUMBERS = ("seconds", "cpu_seconds", "mib", "added_mib")
COLUMNS = ("documents", "step", *NUMBERS, "tokens", "accuracy")
SENTENCES, BATCH = 6, 10_000
"""Of a document; documents that are vectorized at a time."""
VECTORS = "vectors/glove.6B.50d.vocab.txt.gz"
QUICK = {"max_epochs": 2, "finetune_epochs": 2, "warmup_epochs": 1, "n_wfsas": 4}

Pools = list[list[str]]


class Job(NamedTuple):
    """A step, for so many documents."""

    documents: int
    step: str

    @property
    def key(self) -> str:
        """By which its rows are found again; steps are sorted as they are done."""
        return f"{self.documents:09d} {STEPS.index(self.step)} {self.step}"


def sentence_pools(quick: bool, split: str) -> Pools:
    """Sentences of the reviews of each label."""
    if quick or not reviews_available():
        data = make_product_reviews(500, random_state=0 if split == "train" else 1)
        texts, labels = data.texts, np.unique(data.labels, return_inverse=True)[1]
    else:
        texts, labels = load_reviews("amazon_kitchen", split)
    pools: Pools = [[], []]
    for text, label in zip(texts, labels, strict=True):
        pools[label] += [s for part in text.split(" . ") if (s := part.strip())]
    return pools


def draw_batch(pools: Pools, number: int, n: int) -> tuple[list[str], NDArray[Any]]:
    """Draw the texts and labels of a batch, known by its number."""
    rng = np.random.default_rng([0, number])
    labels = rng.integers(0, 2, n)
    drawn = rng.random((n, SENTENCES))
    texts = [
        " . ".join([pool[int(x * len(pool))] for x in row])
        for row, pool in zip(drawn, (pools[label] for label in labels), strict=True)
    ]
    return texts, labels


def batches(pools: Pools, documents: int) -> Iterator[tuple[list[str], NDArray[Any]]]:
    for i, start in enumerate(range(0, documents, BATCH)):
        yield draw_batch(pools, i, min(BATCH, documents - start))


# What each step does


def write(folder: Path, documents: int, quick: bool) -> Row:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    pools, root = sentence_pools(quick, "train"), data_folder()
    known = not quick and root is not None and (root / VECTORS).is_file()
    vectorizer = WordVectorizer(root / VECTORS if known and root else "corpus")
    vectorizer.fit(draw_batch(pools, 0, min(BATCH, documents))[0])
    joblib.dump(vectorizer, folder / "vectorizer.joblib")
    labels = []

    def vectorized() -> Iterator[SequenceArray]:
        for texts, codes in batches(pools, documents):
            labels.append(codes)
            yield vectorizer.transform(texts)

    X = SequenceArray.write(folder / "corpus", vectorized())
    np.save(folder / "labels.npy", np.concatenate(labels))
    return {"tokens": X.n_tokens}


def fit(folder: Path, documents: int, quick: bool) -> Row:
    X = SequenceArray.open(folder / "corpus")
    y = np.load(folder / "labels.npy")
    clf = SparseRationalClassifier(random_state=0, **(QUICK if quick else {}))
    joblib.dump(clf.fit(X, y), folder / "model.joblib")
    return {"tokens": X.n_tokens}


def predict(folder: Path, documents: int, quick: bool) -> Row:
    from sklearn.pipeline import make_pipeline

    vectorizer = joblib.load(folder / "vectorizer.joblib")
    model = make_pipeline(vectorizer, joblib.load(folder / "model.joblib"))
    pools, labels = sentence_pools(quick, "test"), []

    def texts() -> Iterator[str]:
        for drawn, codes in batches(pools, documents):
            labels.append(codes)
            yield from drawn

    found = np.concatenate(list(predict_batches(model, texts())))
    return {"accuracy": float(np.mean(found == np.concatenate(labels)))}


def mapped(folder: Path, documents: int, quick: bool) -> Row:
    X = SequenceArray.open(folder / "corpus")
    found = joblib.load(folder / "model.joblib").predict(X)
    labels = np.load(folder / "labels.npy")
    return {"tokens": X.n_tokens, "accuracy": float(np.mean(found == labels))}


def own_memory() -> int:
    """Bytes of this process that are no file's."""
    with open("/proc/self/status") as file:
        fields = dict(line.split(":", 1) for line in file)
    return 1024 * int(fields["RssAnon"].split()[0])


def watched(call: Callable[[], Row]) -> Row:
    """Do a step; return its row with its time, and the memory at its height."""
    before = peak = own_memory()
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.01):
            peak = max(peak, own_memory())

    thread = threading.Thread(target=watch)
    thread.start()
    start, cpu_start = time.perf_counter(), time.process_time()
    try:
        row = call()
    finally:
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu_start
        done.set()
        thread.join()
    numbers = (seconds, cpu, peak / 2**20, (peak - before) / 2**20)
    return row | dict(zip(NUMBERS, numbers, strict=True))


# The run


def work(job: Job, out: Path, quick: bool) -> tuple[Job, list[Row]]:
    """Do a step in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.scale", "--out", str(out)]
    command += ["--documents", str(job.documents), "--step", job.step]
    done = subprocess.run(
        command + ["--quick"] * quick, stdout=subprocess.PIPE, text=True, check=True
    )
    row = json.loads(done.stdout.splitlines()[-1])
    return job, [dict.fromkeys(COLUMNS, "") | job._asdict() | row]


def report(rows: list[Row]) -> str:
    """The table of both sizes, and of the next one, which is computed."""
    lines = [
        "| step | documents | seconds | CPU seconds | own memory, MiB | of it added |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for step in STEPS:
        few, many = (row for row in rows if row["step"] == step)
        ten = {"documents": 10 * many["documents"]}
        more = ten["documents"] - many["documents"]
        for name in NUMBERS:
            slope = (many[name] - few[name]) / (many["documents"] - few["documents"])
            ten[name] = many[name] + max(slope, 0) * more
        for row, how in ((few, ""), (many, ""), (ten, ", computed")):
            numbers = " | ".join(f"{row[name]:.0f}" for name in NUMBERS)
            lines.append(f"| {step} | {row['documents']:,}{how} | {numbers} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--quick", action="store_true", help="a tiny fit")
    parser.add_argument("--step", choices=STEPS, help="that alone, in this process")
    options = parser.parse_args()
    home = options.out / f"documents-{options.documents}"
    if options.step:
        step = globals()[options.step]
        call = watched(lambda: step(home, options.documents, options.quick))
        print(json.dumps(call))
        return
    settings = {"documents": options.documents, "quick": options.quick}
    store = Store(options.out, settings, COLUMNS)
    sizes = (max(20, options.documents // 10), options.documents)
    jobs = [Job(n, step) for n in sizes for step in STEPS]
    print(harness.describe_machine(), flush=True)
    warm_up(fit=True)  # so that no step compiles
    finish(jobs, lambda job: work(job, options.out, options.quick), store, 1)
    rows = [row for job in jobs for row in store.rows[stem(job)]]
    table = report(rows)
    (options.out / "scale.md").write_text(table + "\n", encoding="utf-8")
    print(table)


if __name__ == "__main__":
    main()
