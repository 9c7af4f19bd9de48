"""Kill saving at random moments, and look at what is left.

    python -m benchmarks.kills_of_save                              # 20 moments
    python -m benchmarks.kills_of_save --n 1000 --out kills.jsonl

A child process replaces a model by another one and back, until it's killed by SIGKILL,
in every other moment without the time that it takes to look through the model; in every
fourth moment no model is there at first. What is left has to be one of the two
models to the bit, or none where there was none, and the next save has to leave nothing
else behind. Each moment is a line of ``--out``: a run that was interrupted goes on
after the last one. It needs a system that can fork.
"""

import argparse
import json
import os
import random
import shutil
import signal
import tempfile
import time
import warnings
from collections import Counter
from itertools import cycle
from pathlib import Path

import numpy as np
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.exceptions import ModelVersionWarning
from skrational.persistence import load, save
from skrational.persistence.saving import files_of
from skrational.utils.folders import replace

TEXTS = [f"w{i} w{i % 7} w{i % 3}" for i in range(60)]


def fit_two(n_words, width=50):
    """Fit two pipelines whose folders take some time to write."""
    models = []
    for seed in (0, 1):
        rng = np.random.default_rng(seed)
        rows = rng.normal(size=(n_words, width)).astype("f4")
        vectors = {f"w{i}": row for i, row in enumerate(rows)}
        classifier = SparseRationalClassifier(
            n_wfsas=3,
            max_epochs=1,
            warmup_epochs=1,
            finetune_epochs=1,
            random_state=seed,
        )
        labels = [i % 3 == seed for i in range(len(TEXTS))]
        pipeline = make_pipeline(WordVectorizer(vectors), classifier)
        models.append(pipeline.fit(TEXTS, labels))
    return models


def kill_one(models, folder, seconds):
    """Let a child save again and again, and kill it after some seconds.

    What is written may be given instead of the models: then more of the time goes to
    writing, and more of the moments are amid it.
    """
    process = os.fork()
    if process == 0:
        for model in cycle(models):
            if isinstance(model, dict):
                replace(folder, model, {})
            else:
                save(model, folder, vectors="all")
    time.sleep(seconds)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)


def what_is_left(models, folder):
    """Return 0 or 1 for one of the models, None for none, and whether it was aside."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ModelVersionWarning)
        try:
            found = load(folder).predict_proba(TEXTS)
        except FileNotFoundError:
            return None, False
    for i, model in enumerate(models):
        if np.array_equal(found, model.predict_proba(TEXTS)):
            return i, bool(told)
    raise AssertionError("what is left is neither of the two models")


def one_moment(i, models, files, around, durations):
    """Kill at a random moment; return what was found.

    Parameters
    ----------
    i : int
        Number of the moment, which seeds it.
    models : list of two pipelines
    files : list of two dicts
        What is written of them.
    around : Path
        An empty folder.
    durations : (float, float)
        Of a save and of its writing, in seconds.
    """
    folder, was_there = around / "model", i % 4 != 0
    if was_there:
        save(models[1], folder, vectors="all")
    seconds = random.Random(i).uniform(0, 3 * durations[i % 2])
    kill_one((models, files)[i % 2], folder, seconds)
    left, aside = what_is_left(models, folder)
    if was_there and left is None:
        raise AssertionError("the model that was there is gone")
    n_leftovers = len(list(around.iterdir())) - folder.exists()
    save(models[0], folder, vectors="all")
    if what_is_left(models, folder) != (0, False) or len(list(around.iterdir())) != 1:
        raise AssertionError("the next save doesn't tidy up")
    return {
        "moment": i,
        "seconds": round(seconds, 4),
        "was_there": was_there,
        "left": left,
        "aside": aside,
        "leftovers": n_leftovers,
    }


def seconds(function, *args, **options):
    """Time a call."""
    start = time.perf_counter()
    function(*args, **options)
    return time.perf_counter() - start


def run(n, out=None, n_words=10_000, tell=print):
    """Kill at n moments, those that are in the file not again; return all outcomes."""
    done = [json.loads(line) for line in out.read_text().splitlines()] if (
        out is not None and out.exists()
    ) else []  # fmt: skip
    models = fit_two(n_words)
    for model in models:
        model.predict_proba(TEXTS)
    with tempfile.TemporaryDirectory() as place:
        files = [files_of(model, "all", None) for model in models]
        durations = [
            seconds(save, models[0], Path(place, "timed"), vectors="all"),
            seconds(replace, Path(place, "timed"), files[0], {}),
        ]
        for i in range(len(done), n):
            around = Path(place, str(i))
            around.mkdir()
            done.append(one_moment(i, models, files, around, durations))
            shutil.rmtree(around)
            if out is not None:
                with open(out, "a") as file:
                    file.write(json.dumps(done[-1]) + "\n")
            tell(done[-1])
    return done


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--n", type=int, default=20)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    done = run(args.n, args.out)
    left = Counter(str(one["left"]) for one in done)
    print(
        f"{len(done)} kills: none lost a model; left were {dict(left)}, "
        f"{sum(one['aside'] for one in done)} times aside; "
        f"{sum(one['leftovers'] > 0 for one in done)} left folders to tidy up."
    )


if __name__ == "__main__":
    main()
