"""What a temperature may be fitted on, on dev.

    SKRATIONAL_DATA=... python -m benchmarks.temperatures [--sets sst2] [--numbers 100]

Prints a row for each set and number of documents, drawn from train: log loss on dev of
the classifier as it is, and with temperatures, each in parentheses. "held out" is that
of the package, from documents that a second fit leaves out, "finetuning" one from such
documents that only a second finetuning leaves out, "structure" one from those that the
learned structure, trained anew, leaves out, "training" one from the documents that were
trained on, and "dev" the best that there is. No test split is read.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from benchmarks import _harness as harness
from benchmarks import defaults
from skrational import SparseRationalClassifier
from skrational.cells.rational import RationalCell
from skrational.training import held_out
from skrational.training.calibration import fit_temperature, log_probabilities
from skrational.training.fit import SparseFit, training_resources
from skrational.training.labelled import Labelled
from skrational.training.recipe import finetune, phases, warmup
from skrational.training.rng import Randomness

SETS = ("amazon_kitchen", "sst2", "trec")
NUMBERS = (100, 300, 1000, None)


def train(run: SparseFit, forks: list[SparseFit] | None = None) -> None:
    """As `fit` does; a copy of the run before finetuning goes to ``forks``."""
    run.begin(None, {})
    for phase in phases(run.params):
        if forks is not None and phase.name == "finetune":
            forks.append(run.copy())
        run.run(phase)
        run.prune(phase)
        if phase.settles:
            run.settle()


def temperatures(
    run: SparseFit, fork: SparseFit, labelled: Labelled, seed: int
) -> Iterator[tuple[str, float]]:
    """Yield the name of each source, and what it says."""
    share = max(0.1, min(1 / 3, 100 / len(labelled)))
    rest, left_out = labelled.split(share, np.random.default_rng(seed))
    assert left_out is not None
    yield "held out", held_out.temperature_of(run, train)
    fork.training = fork.examples(rest)
    fork.run(finetune(run.params))
    yield "finetuning", held_out.temperature_on(fork.cell, fork.examples(left_out))
    other = SparseFit(run.params, rest, Randomness(seed, 1))
    other.begin(None, {})
    cell: Any = run.cell
    other.cell = RationalCell.of_structure(cell.structure(), cell.rule, other.dtype)
    other.cell.initialize(other.randomness.weights)
    for phase in (warmup(run.params), finetune(run.params)):
        other.run(phase)
    yield "structure", held_out.temperature_on(other.cell, other.examples(left_out))
    yield "training", held_out.temperature_on(run.cell, run.training)


def measure(data: dict[str, defaults.Split], n: int | None, seed: int) -> dict:
    """Log loss on dev, and temperature, by source."""
    X, y = data["train"]
    if n is not None:
        chosen, _ = train_test_split(
            np.arange(len(y)), train_size=n, stratify=y, random_state=seed
        )
        X, y = X[chosen], y[chosen]
    clf = SparseRationalClassifier(feature_dropout=0.0, random_state=seed)
    labelled = clf._read_fit(X, y, None)
    run, forks = SparseFit(clf, labelled, Randomness.drawn_from(seed)), []
    with training_resources(0):
        train(run, forks)
        clf._adopt(run.fitted())
        X_dev, y_dev = data["dev"]
        logits, codes = clf._logits(X_dev), np.searchsorted(clf.classes_, y_dev)
        found = {"as it is": 1.0, **dict(temperatures(run, *forks, labelled, seed))}
    found["dev"] = fit_temperature(logits, codes)
    rows = np.arange(len(codes))
    return {
        name: (-log_probabilities(logits, T)[rows, codes].mean(), T)
        for name, T in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--numbers", nargs="+", type=int, default=NUMBERS)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    harness.set_threads(1)
    for i, name in enumerate(options.sets):
        data = defaults.load(name)
        for j, n in enumerate(options.numbers):
            found = [measure(data, n, seed) for seed in range(options.seeds)]
            if i == j == 0:
                head = ["set", "documents", *found[0]]
                print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
            cells = [name, f"{n or len(data['train'][1]):,}"]
            for source in found[0]:
                loss, T = np.mean([one[source] for one in found], axis=0)
                cells.append(f"{loss:.3f} ({T:.1f})")
            print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
