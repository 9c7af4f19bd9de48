"""Are planted patterns found again, and is little else kept?

    python -m benchmarks.planted [--seeds 10] [--ramp-epochs 30]

For each seed: 2,000 documents with a planted bigram and trigram, lambda_ picked by
`GridSearchCV`. A pattern is found if the consecutive states of a surviving automaton
have, in order, two of the three words of each of its slots among their three strongest
(largest main-path weight by absolute value).
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from scipy.special import expit
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skrational import SparseRationalClassifier
from skrational.datasets import PlantedPatterns, make_planted_patterns

LAMBDAS = (8e-3, 5e-3, 3e-3)
ESTIMATOR = SparseRationalClassifier(
    n_wfsas=12,
    readout="rho",
    dropout=0.0,
    warmup_epochs=20,
    max_epochs=60,
    min_steps_per_epoch=1,
)


def strongest_words(clf: SparseRationalClassifier, data: PlantedPatterns) -> list[set]:
    """The three strongest words of each state."""
    x, weights = data.X.features, clf.weights_
    u = (1 - expit(x @ weights["W_f"].T + weights["b_f"])) * (x @ weights["W_u"].T)
    best = np.argsort(-np.abs(u), axis=0)[:3].T
    return [{data.X.labels[word] for word in words} for words in best]


def is_found(pattern: tuple, clf: SparseRationalClassifier, words: list[set]) -> bool:
    """Whether some automaton has the pattern's slots in consecutive states."""
    ends = np.cumsum(clf.learned_structure_.lengths)
    starts = ends - clf.learned_structure_.lengths
    return any(
        all(len(words[s + k] & set(slot)) >= 2 for k, slot in enumerate(pattern))
        for start, end in zip(starts, ends, strict=True)
        for s in range(start, end - len(pattern) + 1)
    )


def recover(
    seed: int, n_jobs: int | None = None, ramp_epochs: int = 30
) -> tuple[bool, int, GridSearchCV]:
    """Whether all patterns were found, and how many transitions more were kept."""
    data = make_planted_patterns(2000, random_state=seed)
    estimator = clone(ESTIMATOR).set_params(random_state=seed, ramp_epochs=ramp_epochs)
    search = GridSearchCV(estimator, {"lambda_": LAMBDAS}, cv=2, n_jobs=n_jobs)
    search.fit(data.X, data.y)
    clf = search.best_estimator_
    words = strongest_words(clf, data)
    found = all(is_found(pattern, clf, words) for pattern in data.patterns)
    surplus = clf.learned_structure_.n_transitions - data.n_transitions
    return found, surplus, search


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--ramp-epochs", type=int, default=30)
    parser.add_argument("--n-jobs", type=int, default=2)
    args = parser.parse_args()
    recovered = 0
    for seed in range(args.seeds):
        began = time.perf_counter()
        found, surplus, search = recover(seed, args.n_jobs, args.ramp_epochs)
        recovered += found and surplus <= 2
        scores = search.cv_results_["mean_test_score"].round(4).tolist()
        print(
            f"seed {seed}: found {found!s:5}, {surplus:+d} transitions, lengths "
            f"{search.best_estimator_.learned_structure_.lengths}, "
            f"lambda_={search.best_params_['lambda_']:g}, cv {scores}, "
            f"{time.perf_counter() - began:.0f} s",
            flush=True,
        )
    print(f"{recovered} of {args.seeds} recovered with at most two transitions more")


if __name__ == "__main__":
    main()
