"""Saving and loading a model of kitchenware reviews: seconds, sizes and agreement.

    SKRATIONAL_DATA=... python -m benchmarks.saving

The default pipeline, and one with a file of pre-trained vectors, go through joblib and
through `save` with each of its settings. Times are medians of several calls in one
process; "first prediction" is a new process that loads the model and labels a text.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import joblib
import numpy as np
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer, load, save
from skrational.datasets import data_folder, load_reviews

VECTORS = "vectors/glove.840B.300d.q8.10k.txt.gz"
N_CALLS = 7
FIRST = (
    "import sys, joblib, skrational\n"
    "read = joblib.load if sys.argv[1].endswith('.joblib') else skrational.load\n"
    "read(sys.argv[1]).predict(['not worth the money'])"
)


def median_seconds(call, n=N_CALLS):
    """Time a call several times."""
    times = []
    for _ in range(n):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def size_of(place):
    files = [place] if place.is_file() else place.iterdir()
    return sum(file.stat().st_size for file in files)


def first_prediction(place):
    """Time a process that loads a model and uses it."""
    command = [sys.executable, "-W", "ignore", "-c", FIRST, str(place)]
    return median_seconds(lambda: subprocess.run(command, check=True), 3)


def measure(name, write, read, place, model, texts):
    """Print a row: of a model, a way to keep it, and texts to predict.

    Parameters
    ----------
    name : str
    write, read : callable
        They take the model and the place; the place.
    place : Path
    model : pipeline
    texts : dict of str to list of str
        Training texts and others.
    """
    seconds = median_seconds(lambda: write(model, place))
    loading = median_seconds(lambda: read(place))
    again, cells = read(place), []
    for some in texts.values():
        before, after = model.predict_proba(some), again.predict_proba(some)
        same = np.mean(before.argmax(1) == after.argmax(1))
        cells.append(f"{np.abs(before - after).max():.1e} {same:8.2%}")
    print(
        f"{name:>20}  {1000 * seconds:7.1f}  {1000 * loading:7.1f}  "
        f"{size_of(place) / 1e6:7.3f}  {first_prediction(place):6.2f}  "
        + "  ".join(cells),
        flush=True,
    )


def main():
    argparse.ArgumentParser(description=__doc__.split("\n")[0]).parse_args()
    splits = {
        split: load_reviews("amazon_kitchen", split) for split in ("train", "test")
    }
    texts = {split: list(reviews.texts) for split, reviews in splits.items()}
    vectors = str(Path(data_folder(), VECTORS))
    print(
        "             kept by  save ms  load ms      MB  first s  "
        "largest difference of a probability, equal classes: train, test"
    )
    for title, vectorizer in (
        ("default", WordVectorizer()),
        ("vectors of a file", WordVectorizer(vectors)),
    ):
        classifier = SparseRationalClassifier(random_state=0)
        model = make_pipeline(vectorizer, classifier)
        model.fit(texts["train"], splits["train"].labels)
        print(title)
        with tempfile.TemporaryDirectory() as around:
            place = Path(around)
            measure(
                "joblib",
                joblib.dump,
                joblib.load,
                place / "m.joblib",
                model,
                texts,
            )
            for setting in ("used", "all", "reference"):

                def write(model, folder, setting=setting):
                    return save(model, folder, vectors=setting)

                measure(f"save, {setting}", write, load, place / setting, model, texts)


if __name__ == "__main__":
    main()
