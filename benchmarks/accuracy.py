"""Test accuracy of small models on real reviews.

    SKRATIONAL_DATA=... python -m benchmarks.accuracy [--sets sst2 amazon_kitchen]

For each set and each limit on the number of transitions, lambda_ is chosen on dev: of
the values whose three fits (seeds 0 to 2) all keep to the limit, the one of the best
mean dev accuracy. Fits see train only. The test split is scored once, with the chosen
value. Beside it: TF-IDF of words and pairs of words that occur at least twice, with
logistic regression; its C, too, is chosen on dev.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from skrational import SequenceArray, SparseRationalClassifier, WordVectorizer
from skrational.datasets import load_reviews

SMALL, LARGE = "glove.6B.50d.vocab.txt.gz", "glove.840B.300d.q8.10k.txt.gz"
SETS = {
    "sst2": (SMALL, (20,)),
    "amazon_kitchen": (LARGE, (20, 6)),
    "amazon_dvd": (LARGE, (20, 6)),
    "amazon_books": (LARGE, (20, 6)),
    "trec": (SMALL, (60,)),
}
LAMBDAS = (1.5e-3, 2e-3, 3e-3, 8e-3, 1.2e-2)
SEEDS = (0, 1, 2)


def fit(
    lambda_: float, seed: int, solver: str, X: SequenceArray, y: np.ndarray
) -> SparseRationalClassifier:
    clf = SparseRationalClassifier(lambda_=lambda_, solver=solver, random_state=seed)
    return clf.fit(X, y)


def linear_model(texts: dict[str, list[str]], labels: dict[str, np.ndarray]) -> str:
    """Logistic regression on TF-IDF, its strength chosen on dev."""
    tfidf = TfidfVectorizer(
        tokenizer=str.split,
        token_pattern=None,
        ngram_range=(1, 2),
        min_df=2,
        sublinear_tf=True,
    )
    X = {"train": tfidf.fit_transform(texts["train"])}
    X |= {split: tfidf.transform(texts[split]) for split in ("dev", "test")}
    models = [
        LogisticRegression(C=C, max_iter=2000).fit(X["train"], labels["train"])
        for C in (1, 10, 100)
    ]
    best = max(models, key=lambda model: model.score(X["dev"], labels["dev"]))
    n_features, score = X["dev"].shape[1], best.score(X["test"], labels["test"])
    return (
        f"TF-IDF(1,2) + logistic regression (C={best.C}): {n_features} features, "
        f"test {score:.4f}"
    )


def run(name: str, solver: str, lambdas: list[float], n_jobs: int) -> None:
    file, limits = SETS[name]
    texts, labels, X = {}, {}, {}
    path = Path(os.environ["SKRATIONAL_DATA"], "vectors", file)
    vectorizer = WordVectorizer(path, lowercase=False, tokenizer=str.split)
    for split in ("train", "dev", "test"):
        texts[split], labels[split] = load_reviews(name, split)
        vectorize = vectorizer.fit_transform if split == "train" else None
        X[split] = (vectorize or vectorizer.transform)(texts[split])
    print(f"\n{name} ({solver}): {linear_model(texts, labels)}", flush=True)
    grid = [(lambda_, seed) for lambda_ in lambdas for seed in SEEDS]
    fits = dict(
        zip(
            grid,
            Parallel(n_jobs)(
                delayed(fit)(*point, solver, X["train"], labels["train"])
                for point in grid
            ),
            strict=True,
        )
    )
    dev = {}
    for lambda_ in lambdas:
        of_seeds = [fits[lambda_, seed] for seed in SEEDS]
        scores = [clf.score(X["dev"], labels["dev"]) for clf in of_seeds]
        sizes = [clf.learned_structure_.n_transitions for clf in of_seeds]
        seconds = [sum(row["seconds"] for row in clf.history_) for clf in of_seeds]
        dev[lambda_] = np.mean(scores), max(sizes)
        print(f"  lambda_={lambda_:<7g} transitions {sizes!s:14}", end=" ")
        print(f"dev {np.mean(scores):.4f}  {np.mean(seconds):5.1f} s a fit")
    for limit in limits:
        small = [lam for lam in lambdas if 0 < dev[lam][1] <= limit]
        if not small:
            print(f"  no lambda_ keeps to {limit} transitions")
            continue
        chosen = max(small, key=lambda lam: dev[lam][0])
        scores = [fits[chosen, seed].score(X["test"], labels["test"]) for seed in SEEDS]
        print(f"  at most {limit:2d} transitions: lambda_={chosen:g}", end=" ")
        each = ", ".join(f"{score:.4f}" for score in scores)
        print(f"test {np.mean(scores):.4f} ({each})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--solver", choices=["prox", "subgradient"], default="prox")
    parser.add_argument("--lambdas", nargs="*", type=float, default=LAMBDAS)
    parser.add_argument("--n-jobs", type=int, default=2)
    args = parser.parse_args()
    for name in args.sets:
        run(name, args.solver, args.lambdas, args.n_jobs)


if __name__ == "__main__":
    main()
