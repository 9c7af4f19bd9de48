"""What classifiers reach with vectors learned from their texts, on dev.

    SKRATIONAL_DATA=... python -m benchmarks.vectors [--sets sst2 ...] [--only corpus]

Word vectors of the training texts by positive PMI, with other settings, and by gensim's
word2vec in about the same time; vectors of GloVe; and both joined. Prints accuracy on
dev, mean over seeds, with the mean number of transitions, and the seconds that learning
the vectors takes once compiled. Fits see train only, and no test split is read.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from benchmarks import _harness as harness
from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import load_reviews

SETS = ("sst2", "amazon_kitchen", "amazon_dvd", "ag_news_10k", "trec")
SEEDS = range(2)
FOLDER = Path(os.environ.get("SKRATIONAL_DATA", ""), "vectors")
GLOVE_50 = FOLDER / "glove.6B.50d.vocab.txt.gz"
GLOVE_300 = FOLDER / "glove.840B.300d.q8.10k.txt.gz"

Vectors = Callable[[list[str]], Any]


def word2vec(texts: list[str], **settings: Any) -> Any:
    """Vectors by gensim, on one thread, so that they are the same each time."""
    from gensim.models import Word2Vec

    documents = [text.lower().split() for text in texts]
    return Word2Vec(documents, min_count=3, workers=1, seed=0, **settings).wv


def corpus(**settings: Any) -> dict[str, Any]:
    return {"vectors": "corpus", **settings}


PRETRAINED: dict[str, dict[str, Any]] = {
    "GloVe, 50": {"vectors": GLOVE_50},
    "GloVe, 300": {"vectors": GLOVE_300},
}
LEARNED: dict[str, dict[str, Any]] = {
    "corpus": corpus(),
    "corpus, n_features=50": corpus(n_features=50),
    "corpus, n_features=100": corpus(n_features=100),
    "corpus, n_features=300": corpus(n_features=300),
    "corpus, window=2": corpus(window=2),
    "corpus, window=10": corpus(window=10),
    "corpus, min_count=1": corpus(min_count=1),
    "corpus, min_count=2": corpus(min_count=2),
    "corpus, min_count=5": corpus(min_count=5),
}
JOINED: dict[str, dict[str, Any]] = {
    "GloVe, 50, and corpus": {"vectors": [GLOVE_50, "corpus"]},
    "GloVe, 300, and corpus": {"vectors": [GLOVE_300, "corpus"]},
}
WORD2VEC: dict[str, dict[str, Any]] = {
    "word2vec, CBOW, 5 epochs": {"sg": 0, "epochs": 5},
    "word2vec, skip-gram, 1 epoch": {"sg": 1, "epochs": 1},
    "word2vec, skip-gram, 5 epochs": {"sg": 1, "epochs": 5},
}
GROUPS = {
    "pretrained": PRETRAINED,
    "corpus": LEARNED,
    "word2vec": WORD2VEC,
    "joined": JOINED,
}


def measure(name: str, group: str, setting: str) -> tuple[float, float, float]:
    """Accuracy on dev, transitions, and seconds for the vectors."""
    harness.set_threads(1)
    train, dev = (load_reviews(name, split) for split in ("train", "dev"))
    settings = GROUPS[group][setting]
    for _ in range(2):  # once compiled
        start = time.perf_counter()
        if group == "word2vec":
            settings = {"vectors": word2vec(train.texts, **GROUPS[group][setting])}
        vectorizer = WordVectorizer(tokenizer=str.split, **settings)
        X = vectorizer.fit_transform(train.texts)
        seconds = time.perf_counter() - start
    X_dev = vectorizer.transform(dev.texts)
    fits = [
        SparseRationalClassifier(random_state=seed).fit(X, train.labels)
        for seed in SEEDS
    ]
    accuracy = np.mean([clf.score(X_dev, dev.labels) for clf in fits])
    return float(accuracy), float(np.mean([clf.size_ for clf in fits])), seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="+", choices=SETS, default=SETS)
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=list(GROUPS))
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    print("| vectors | " + " | ".join(options.sets) + " | s, kitchen |")
    print("|---" * (2 + len(options.sets)) + "|")
    for group in options.only:
        for setting in GROUPS[group]:
            found = Parallel(options.jobs)(
                delayed(measure)(name, group, setting) for name in options.sets
            )
            cells = [f"{accuracy:.4f} ({size:.0f})" for accuracy, size, _ in found]
            seconds = dict(zip(options.sets, found, strict=True))
            at = seconds.get("amazon_kitchen", found[0])[2]
            print(f"| {setting} | " + " | ".join(cells) + f" | {at:.2f} |", flush=True)


if __name__ == "__main__":
    main()
