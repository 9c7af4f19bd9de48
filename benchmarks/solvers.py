"""The two solvers at about equal size.

    SKRATIONAL_DATA=... python -m benchmarks.solvers [--seeds 8]

Each solver has the lambda_ that leaves about 15 transitions. Test accuracy, mean over
the seeds with its standard error.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from skrational import SequenceArray, SparseRationalClassifier, WordVectorizer
from skrational.datasets import load_reviews

SETS = {
    "sst2": ("glove.6B.50d.vocab.txt.gz", {"prox": 2e-3, "subgradient": 2e-3}),
    "amazon_kitchen": (
        "glove.840B.300d.q8.10k.txt.gz",
        {"prox": 2.5e-3, "subgradient": 3.5e-3},
    ),
}

Split = tuple[SequenceArray, np.ndarray]


def measure(
    solver: str, lambda_: float, seed: int, train: Split, test: Split
) -> tuple[float, int]:
    clf = SparseRationalClassifier(solver=solver, lambda_=lambda_, random_state=seed)
    clf.fit(*train)
    return clf.score(*test), clf.learned_structure_.n_transitions


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    seeds = range(parser.parse_args().seeds)
    for name, (file, lambdas) in SETS.items():
        path = Path(os.environ["SKRATIONAL_DATA"], "vectors", file)
        vectorizer = WordVectorizer(path, lowercase=False, tokenizer=str.split)
        reviews = [load_reviews(name, split) for split in ("train", "test")]
        vectorizer.fit(reviews[0].texts)
        splits = [(vectorizer.transform(r.texts), r.labels) for r in reviews]
        for solver, lambda_ in lambdas.items():
            results = Parallel(2)(
                delayed(measure)(solver, lambda_, seed, *splits) for seed in seeds
            )
            scores, sizes = np.transpose(results)
            error = scores.std(ddof=1) / len(scores) ** 0.5
            print(
                f"{name:>15} {solver:>12}, lambda_={lambda_:g}: "
                f"{sizes.mean():.1f} transitions, test {scores.mean():.4f} "
                f"+- {error:.4f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
