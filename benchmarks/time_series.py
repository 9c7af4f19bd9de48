"""Time series of an archive: accuracy and size at several strengths of the penalty.

    python -m benchmarks.time_series [--seeds 3]

Two sets that the package aeon ships: JapaneseVowels (9 speakers, 270 + 370 series of 12
channels and 7 to 29 steps) and BasicMotions (4 motions, 40 + 40 series of 6 channels
and 100 steps). Standardised by channel; of the classifier nothing but ``lambda_`` is
set. Prints the mean number of transitions kept and the mean accuracy on the test split,
which nothing was chosen on. Where aeon asks for an older numba, it can be installed by
``pip install --no-deps aeon deprecated wrapt``.
"""

from __future__ import annotations

import argparse

import numpy as np
from aeon.datasets import load_classification
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skrational import SparseRationalClassifier, TimeStepTransformer

SETS = ("JapaneseVowels", "BasicMotions")
LAMBDAS = (2e-3, 1e-2, 3e-2, 1e-1, 2e-1)

Split = tuple[list[np.ndarray], np.ndarray]


def load(name: str, split: str) -> Split:
    """Series as arrays of (n_steps, n_channels); aeon's are the other way round."""
    X, y = load_classification(name, split=split, load_equal_length=False)
    return [series.T for series in X], y


def measure(
    train: Split, test: Split, lambda_: float, seed: int
) -> tuple[float, float]:
    pipeline = make_pipeline(
        TimeStepTransformer(StandardScaler()),
        SparseRationalClassifier(lambda_=lambda_, random_state=seed),
    ).fit(*train)
    return pipeline[-1].n_transitions_, pipeline.score(*test)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    seeds = range(parser.parse_args().seeds)
    print("| set | " + " | ".join(f"{lambda_:g}" for lambda_ in LAMBDAS) + " |")
    print("|---" * (1 + len(LAMBDAS)) + "|")
    for name in SETS:
        train, test = load(name, "train"), load(name, "test")
        cells = []
        for lambda_ in LAMBDAS:
            results = [measure(train, test, lambda_, seed) for seed in seeds]
            size, score = np.mean(results, axis=0)
            cells.append(f"{size:.0f}: {score:.3f}")
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
