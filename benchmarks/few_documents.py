"""What a ``lambda_`` leaves of few documents and of many, on dev.

    SKRATIONAL_DATA=... python -m benchmarks.few_documents [--seeds 3]

Prints a row for each number of documents that are drawn from train, of each class its
share: with the default ``min_steps_per_epoch`` and with single passes, the mean number
of transitions kept and the mean accuracy on dev, over draws that have a seed each. All
else are the defaults, ``lambda_`` among them. No test split is read.
"""

from __future__ import annotations

import argparse

import numpy as np
from joblib import Parallel, delayed
from sklearn.model_selection import train_test_split

from benchmarks import defaults
from skrational import SparseRationalClassifier

SETS = ("amazon_kitchen", "sst2", "trec")
NUMBERS = (50, 100, 300, 1000, 3000)
RULES = {"default": {}, "single passes": {"min_steps_per_epoch": 1}}


def measure(
    params: dict, seed: int, n: int, data: dict[str, defaults.Split]
) -> tuple[float, float]:
    X, y = data["train"]
    chosen, _ = train_test_split(
        np.arange(len(y)), train_size=n, stratify=y, random_state=seed
    )
    clf = SparseRationalClassifier(random_state=seed, **params)
    clf.fit(X[chosen], y[chosen])
    return clf.n_transitions_, clf.score(*data["dev"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    seeds = range(parser.parse_args().seeds)
    head = ["set", "documents", *RULES]
    print("| " + " | ".join(head) + " |\n" + "|---" * len(head) + "|")
    for name in SETS:
        data = defaults.load(name)
        for n in NUMBERS:
            cells = []
            for params in RULES.values():
                results = Parallel(2)(
                    delayed(measure)(params, seed, n, data) for seed in seeds
                )
                size, score = np.mean(results, axis=0)
                cells.append(f"{size:.0f}: {score:.3f}")
            print(f"| {name} | {n:,} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
