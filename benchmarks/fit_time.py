"""Time and size of a default fit on real reviews.

SKRATIONAL_DATA=... python -m benchmarks.fit_time
"""

from __future__ import annotations

import os
import pickle
import statistics
import time
from pathlib import Path

from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import load_reviews

VECTORS = "vectors/glove.840B.300d.q8.10k.txt.gz"
ROUNDS = 3


def main() -> None:
    texts, y = load_reviews("amazon_kitchen", "train")
    vectors = Path(os.environ["SKRATIONAL_DATA"], VECTORS)
    vectorizer = WordVectorizer(vectors, tokenizer=str.split).fit(texts)
    seconds = {"text to vectors": [], "fit": [], "text to label": []}
    for _ in range(ROUNDS):
        began = time.perf_counter()
        X = vectorizer.transform(texts)
        vectorized = time.perf_counter()
        clf = SparseRationalClassifier(random_state=0).fit(X, y)
        fitted = time.perf_counter()
        make_pipeline(vectorizer, clf).predict(texts)
        seconds["text to vectors"].append(vectorized - began)
        seconds["fit"].append(fitted - vectorized)
        seconds["text to label"].append(time.perf_counter() - fitted)
    print(f"{len(texts)} reviews, {X.n_tokens} tokens: {clf.learned_structure_}")
    for name, values in seconds.items():
        print(f"{name:>16}: {statistics.median(values):6.2f} s")
    print(f"{'pickled model':>16}: {len(pickle.dumps(clf)) / 1000:6.1f} kB")


if __name__ == "__main__":
    main()
