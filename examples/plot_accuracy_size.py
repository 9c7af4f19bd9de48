"""The whole curve of accuracy and size in one call, and a choice on it.

Reviews of kitchenware if the variable SKRATIONAL_DATA names a folder of real data,
planted patterns otherwise. Needs pandas and matplotlib; the picture is written to
``build/accuracy_size.png``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import load_reviews, make_planted_patterns, reviews_available
from skrational.model_selection import RegularizationPathDisplay, regularization_path

PICTURE = Path("build/accuracy_size.png")
VECTORS = "vectors/glove.840B.300d.q8.10k.txt.gz"
SEEDS = (0, 1, 2)


def main() -> None:
    name, vectors, train, dev = load()
    vectorizer = WordVectorizer(vectors)
    X, X_dev = vectorizer.fit_transform(train[0]), vectorizer.transform(dev[0])
    paths = [
        regularization_path(
            SparseRationalClassifier(random_state=seed),
            X,
            train[1],
            X_val=X_dev,
            y_val=dev[1],
        )
        for seed in SEEDS
    ]
    print(f"{name}, seed {SEEDS[0]}: {paths[0]}\n")
    for text, clf in {
        "the best": paths[0].best(),
        "the smallest within one standard error": paths[0].smallest_within_one_se(),
        "the best of at most six transitions": paths[0].at(n_transitions=6),
    }.items():
        print(f"{text}: {clf.learned_structure_}, {clf.score(X_dev, dev[1]):.3f}")
    linear = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        LogisticRegression(C=10, max_iter=2000),
    )
    baseline = linear.fit(*train).score(*dev)
    display = RegularizationPathDisplay.from_path(
        paths, baselines={"TF-IDF(1,2) + logistic regression": baseline}
    )
    display.ax_.set_title(f"{name}, mean and deviation of {len(SEEDS)} seeds")
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    display.figure_.savefig(PICTURE, dpi=120)
    print(f"\npicture: {PICTURE}")


def load() -> tuple[str, Any, tuple[list[str], Any], tuple[list[str], Any]]:
    """A name, word vectors, and texts with labels to train and to validate on."""
    if reviews_available():
        vectors = Path(os.environ["SKRATIONAL_DATA"], VECTORS)
        train, dev = (
            tuple(load_reviews("amazon_kitchen", split, raw=True))
            for split in ("train", "dev")
        )
        return "kitchenware", vectors, train, dev
    data = make_planted_patterns(2500, random_state=0)
    parts = slice(0, 2000), slice(2000, 2500)
    train, dev = ((data.texts[part], data.y[part]) for part in parts)
    return "planted patterns", data.vectors, train, dev


if __name__ == "__main__":
    main()
