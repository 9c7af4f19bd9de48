"""How the defaults compare with their neighbours, on dev.

    SKRATIONAL_DATA=... python -m benchmarks.defaults

Prints a row for each setting: mean accuracy on dev over three seeds, and the mean
number of transitions kept. Fits see train only, and no test split is read.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from skrational import SequenceArray, SparseRationalClassifier, WordVectorizer
from skrational.datasets import load_reviews

SETS = {
    "sst2": "glove.6B.50d.vocab.txt.gz",
    "amazon_kitchen": "glove.840B.300d.q8.10k.txt.gz",
    "trec": "glove.6B.50d.vocab.txt.gz",
}
SETTINGS = {
    "defaults": {},
    "word_dropout=0.1": {"word_dropout": 0.1},
    "dropout=0": {"dropout": 0.0},
    "warmup_epochs=0": {"warmup_epochs": 0},
    "ramp_epochs=10": {"ramp_epochs": 10},
    "early_stopping=True": {"early_stopping": True},
    "finetune_epochs=10": {"finetune_epochs": 10},
    "finetune_epochs=40": {"finetune_epochs": 40},
    'finetune_schedule="constant"': {"finetune_schedule": "constant"},
    "learning_rate=0.01": {"learning_rate": 0.01},
    "learning_rate=0.04": {"learning_rate": 0.04},
    "n_wfsas=48, lambda_=3e-3": {"n_wfsas": 48, "lambda_": 3e-3},
    "length_exponent=0.25": {"length_exponent": 0.25},
    "length_exponent=1": {"length_exponent": 1.0},
    'readout="rho"': {"readout": "rho"},
    'match="end"': {"match": "end"},
}
SEEDS = range(3)

Split = tuple[SequenceArray, np.ndarray]


def load(name: str) -> dict[str, Split]:
    path = Path(os.environ["SKRATIONAL_DATA"], "vectors", SETS[name])
    vectorizer = WordVectorizer(path, lowercase=False, tokenizer=str.split)
    splits = {split: load_reviews(name, split) for split in ("train", "dev")}
    vectorizer.fit(splits["train"].texts)
    return {
        split: (vectorizer.transform(reviews.texts), reviews.labels)
        for split, reviews in splits.items()
    }


def measure(params: dict, seed: int, data: dict[str, Split]) -> tuple[float, int]:
    clf = SparseRationalClassifier(random_state=seed, **params).fit(*data["train"])
    return clf.score(*data["dev"]), clf.learned_structure_.n_transitions


def main() -> None:
    data = {name: load(name) for name in SETS}
    print("| setting | " + " | ".join(SETS) + " |")
    print("|---" * (1 + len(SETS)) + "|")
    for setting, params in SETTINGS.items():
        cells = []
        for name in SETS:
            results = Parallel(2)(
                delayed(measure)(params, seed, data[name]) for seed in SEEDS
            )
            score, size = np.mean(results, axis=0)
            cells.append(f"{score:.4f} ({size:.0f})")
        print(f"| `{setting}` | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
