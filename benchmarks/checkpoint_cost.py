"""What it costs to keep every epoch: fits with checkpoints, and without.

    SKRATIONAL_DATA=... python -m benchmarks.checkpoint_cost [--repeats 5] [--out DIR]

Kitchen reviews with 300-d vectors and the default classifier; without SKRATIONAL_DATA,
invented texts. Both kinds of fits take turns. Prints the median of the seconds of each,
their ratio, and what a fit spends on the parts: on the hash of the data, and on writing
an epoch.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

from benchmarks import _harness as harness
from benchmarks.fit_time import time_inside
from skrational import SparseRationalClassifier, WordVectorizer
from skrational.training import identity
from skrational.training.checkpoints import KeptEpochs
from skrational.training.snapshots import Snapshot


def main() -> None:
    """Time the fits, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--out", default=None, help="on the disk that is to be timed")
    options = parser.parse_args()
    data = harness.load_texts()
    X = WordVectorizer(data.vectors).fit_transform(data.train.texts)
    y = data.train.labels
    SparseRationalClassifier(max_epochs=1, finetune_epochs=0).fit(X[:100], y[:100])
    writing = ((KeptEpochs, "save"), (Snapshot, "of"), (Snapshot, "to_record"))
    plain, kept, written, hashed = [], [], [], []
    for i in range(options.repeats):
        clf = SparseRationalClassifier(random_state=i)
        seconds, _ = harness.clock(lambda clf=clf: clf.fit(X, y))
        plain.append(seconds)
        folder = Path(tempfile.mkdtemp(dir=options.out))
        with time_inside(writing) as of_writing:
            seconds, _ = harness.clock(
                lambda clf=clf, folder=folder: clf.fit(X, y, checkpoint_dir=folder)
            )
        kept.append(seconds)
        written.append(sum(of_writing))
        seconds, _ = harness.clock(lambda: identity._digest(clf._read_fit(X, y, None)))
        hashed.append(seconds)
        size = sum(path.stat().st_size for path in folder.iterdir())
        shutil.rmtree(folder)
    medians = [statistics.median(values) for values in (plain, kept, written, hashed)]
    n_epochs = clf.n_iter_
    print(f"{len(y)} documents, {n_epochs} epochs, {options.repeats} fits of each kind")
    print(f"without checkpoints    {medians[0]:8.3f} s")
    print(f"with checkpoints       {medians[1]:8.3f} s, {medians[1] / medians[0]:.3f}x")
    print(f"  an epoch is written in {1e3 * medians[2] / n_epochs:.2f} ms")
    print(f"  reading and hash of the data {1e3 * medians[3]:.1f} ms")
    print(f"the folder holds {size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
