"""The accuracy-size curve: one path beside one dense fit and beside cold fits.

    SKRATIONAL_DATA=... python -m benchmarks.path

The path goes over 20 values of lambda_ by default and gets the accuracy of each point
on test; so do fits that each begin anew, for some values of lambda_. They are compared
at equal size: between the two points of the path of the same seed that are next to it,
accuracy is interpolated along the logarithm of the size. Kitchen reviews; without
SKRATIONAL_DATA, invented texts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import _harness as harness
from skrational import SequenceArray, SparseRationalClassifier, WordVectorizer
from skrational.model_selection import RegularizationPath, regularization_path

LAMBDAS = (1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2)
SEEDS = (0, 1, 2)
SPLITS = ("train", "dev", "test")
SHORT = {"warmup_epochs": 1, "max_epochs": 2, "finetune_epochs": 1}

Data = dict[str, tuple[SequenceArray, Any]]


def run(options: Any) -> None:
    texts = {split: harness.load_texts(split, options.quick) for split in SPLITS}
    vectorizer = WordVectorizer(harness.load_vectors(), tokenizer=str.split)
    vectorizer.fit(texts["train"].texts)
    data = {s: (vectorizer.transform(t.texts), t.labels) for s, t in texts.items()}
    harness.brief_fit(data["train"][0][:64])
    params = SHORT if options.quick else {}
    X = data["train"][0]
    harness.print_heading(
        "A curve of accuracy and size",
        f"{texts['train'].source}: {len(X)} documents of {X.n_tokens} tokens; seeds "
        f"{', '.join(map(str, SEEDS))}; accuracy on test.",
    )
    paths = {seed: follow(data, seed, params) for seed in SEEDS}
    dense = {seed: cold_fit(data, 0.0, seed, params)[0] for seed in SEEDS}
    print_cost(paths, dense)
    rows = [compare(data, lambda_, paths, params) for lambda_ in LAMBDAS]
    harness.print_table(
        ["cold fits, lambda_", "s", "transitions", "accuracy", "path there", "points"],
        rows,
    )


def follow(data: Data, seed: int, params: dict[str, int]) -> RegularizationPath:
    (X_val, y_val), (X_test, y_test) = data["dev"], data["test"]
    return regularization_path(
        SparseRationalClassifier(random_state=seed, **params),
        *data["train"],
        X_val=X_val,
        y_val=y_val,
        X_test=X_test,
        y_test=y_test,
    )


def cold_fit(
    data: Data, lambda_: float, seed: int, params: dict[str, int]
) -> tuple[float, SparseRationalClassifier]:
    clf = SparseRationalClassifier(lambda_=lambda_, random_state=seed, **params)
    seconds, _ = harness.clock(lambda: clf.fit(*data["train"]))
    return seconds, clf


def print_cost(paths: dict[int, RegularizationPath], dense: dict[int, float]) -> None:
    """How long a path takes, in dense fits, and how many points it has."""
    rows = [
        [
            seed,
            len(path),
            harness.digits(path.seconds),
            harness.digits(dense[seed]),
            f"{path.seconds / dense[seed]:.2f}",
        ]
        for seed, path in paths.items()
    ]
    harness.print_table(["seed", "points", "path, s", "dense fit, s", "ratio"], rows)
    ratio = np.median([path.seconds / dense[seed] for seed, path in paths.items()])
    print(f"\nmedian: a path takes {ratio:.2f} dense fits\n")


def compare(
    data: Data,
    lambda_: float,
    paths: dict[int, RegularizationPath],
    params: dict[str, int],
) -> list[str]:
    """Cold fits of one strength, and the paths at their sizes."""
    fits = {seed: cold_fit(data, lambda_, seed, params) for seed in paths}
    sizes = [clf.n_transitions_ for _, clf in fits.values()]
    cold = [clf.score(*data["test"]) for _, clf in fits.values()]
    warm = [at_size(paths[seed], n) for seed, n in zip(fits, sizes, strict=True)]
    return [
        f"{lambda_:g}",
        harness.digits(float(np.mean([seconds for seconds, _ in fits.values()]))),
        ", ".join(map(str, sizes)),
        f"{np.mean(cold):.4f}",
        f"{np.mean(warm):.4f}",
        f"{100 * (np.mean(warm) - np.mean(cold)):+.2f}",
    ]


def at_size(path: RegularizationPath, n_transitions: int) -> float:
    """Accuracy on test of the path at a size, interpolated."""
    of_size: dict[int, list[float]] = {}
    for point in path.points:
        if point.n_transitions:
            of_size.setdefault(point.n_transitions, []).append(point.test_score)
    sizes = sorted(of_size)
    means = [np.mean(of_size[size]) for size in sizes]
    return float(np.interp(np.log(n_transitions), np.log(sizes), means))


if __name__ == "__main__":
    harness.main(harness.common_options(__doc__), run)
