"""What it costs to keep every epoch: fits with checkpoints, and without.

    SKRATIONAL_DATA=... python -m benchmarks.checkpoint_cost [--rounds 5] [--out DIR]

Kitchen reviews with 300-d vectors and the default classifier; without SKRATIONAL_DATA,
invented texts. Both kinds of fits take turns. What a fit spends on the hash of the data
and on writing epochs is told, too: on a busy machine, seconds of fits vary by more.
"""

from __future__ import annotations

import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import _harness as harness
from benchmarks.fit_time import time_inside
from skrational import SparseRationalClassifier, WordVectorizer
from skrational.training import identity
from skrational.training.checkpoints import FitCheckpoint
from skrational.training.snapshots import Snapshot

WRITING = ((Snapshot, "to_record"), (FitCheckpoint, "save"))


def run(options: Any) -> None:
    data = harness.load_texts("train", options.quick)
    vectorizer = WordVectorizer(harness.load_vectors(), tokenizer=str.split)
    X, y = vectorizer.fit_transform(data.texts), data.labels
    epochs = {"warmup_epochs": 1, "max_epochs": 2, "finetune_epochs": 2}
    params = {"random_state": 0, **(epochs if options.quick else {})}
    clf = SparseRationalClassifier(**params)
    folders: list[Path] = []
    writing: list[float] = []

    def with_checkpoints() -> None:
        folders.append(Path(tempfile.mkdtemp(dir=options.out)))
        with time_inside(WRITING) as seconds:
            clf.fit(X, y, checkpoint_dir=folders[-1])
        writing.append(sum(seconds))

    rounds = harness.rounds_of(options, full=5)
    contestants = {"without": lambda: clf.fit(X, y), "with": with_checkpoints}
    times = harness.race(contestants, rounds)
    read = clf._read_fit(X, y, None)
    hashing = harness.median_seconds(lambda: identity._digest(read), rounds)
    n_bytes = sum(path.stat().st_size for path in folders[-1].iterdir())
    for folder in folders:
        shutil.rmtree(folder)
    harness.print_heading(
        "A fit that keeps every epoch",
        f"{data.source}: {len(X)} documents, {clf.n_iter_} epochs, medians of {rounds} "
        f"fits of each kind; the folder holds {n_bytes / 1e6:.2f} MB",
    )
    plain, kept = (times[name] for name in contestants)
    of_cpu = float(np.nanmedian(kept.cpu / plain.cpu))
    rows = [
        ("without checkpoints", f"{harness.median(plain):.3f} s"),
        ("with checkpoints", f"{harness.median(kept):.3f} s"),
        ("median ratio of a round", f"{harness.ratio(kept, plain):.3f}"),
        ("the same of CPU seconds", f"{of_cpu:.3f}"),
        ("writing all epochs", f"{1e3 * statistics.median(writing):.0f} ms"),
        ("hash of the data", f"{1e3 * hashing:.0f} ms"),
    ]
    harness.print_table(["", ""], rows)


if __name__ == "__main__":
    parser = harness.common_options(__doc__)
    parser.add_argument("--out", help="folder on the disk that is to be timed")
    harness.main(parser, run)
