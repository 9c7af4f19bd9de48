"""How the defaults compare with their neighbours, on dev.

    SKRATIONAL_DATA=... python -m benchmarks.defaults [rational | steps | lstm | moduli]
        [--settings SETTING ...] [--jobs 2]

Prints a row for each setting: mean accuracy on dev over three seeds, and the mean
number of transitions kept, of gates that vary, or of weights; or how many of the three
diverged. Fits see train only, and no test split is read.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed

from skrational import (
    ModuliRNNClassifier,
    SequenceArray,
    SparseLSTMClassifier,
    SparseRationalClassifier,
    WordVectorizer,
)
from skrational.datasets import load_reviews

SHORT, LONG = "glove.6B.50d.vocab.txt.gz", "glove.840B.300d.q8.10k.txt.gz"


class Question(NamedTuple):
    """What is tried: an estimator's class, the word vectors of each set, settings.

    Of some sets so many documents are trained on, and so many of their tokens read.
    """

    kind: Any
    sets: dict[str, str]
    settings: dict[str, dict[str, Any]]
    most: dict[str, tuple[int, int]] = {}  # noqa: RUF012


OF_RATIONAL = {
    "defaults": {},
    'lambda_="auto"': {"lambda_": "auto"},
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
OF_STEPS = {
    f"max_steps_per_epoch={most}": {"max_steps_per_epoch": most}
    for most in (None, 200, 100, 50)
}
OF_LSTM = {
    "defaults": {},
    "learning_rate=0.01": {"learning_rate": 0.01},
    "dropout=0": {"dropout": 0.0},
    "dropout=0.3": {"dropout": 0.3},
    "warmup_epochs=2": {"warmup_epochs": 2},
    "warmup_epochs=10": {"warmup_epochs": 10},
    'readout="last"': {"readout": "last"},
    'solver="subgradient"': {"solver": "subgradient"},
    'framework="bayes", dropout=0': {"framework": "bayes", "dropout": 0.0},
}
OF_MODULI = {
    "defaults": {},
    "learning_rate=0.001": {"learning_rate": 0.001},
    "learning_rate=0.01": {"learning_rate": 0.01},
    "dropout=0": {"dropout": 0.0},
    "dropout=0.3": {"dropout": 0.3},
    'readout="last"': {"readout": "last"},
    'activation="relu"': {"activation": "relu"},
    'activation="relu", learning_rate=0.001': {
        "activation": "relu",
        "learning_rate": 0.001,
    },
    "lambda_=10": {"lambda_": 10.0},
    'solver="prox"': {"solver": "prox"},
    'pruned="all"': {"pruned": "all"},
    "sparsity=0": {"sparsity": 0.0},
    "n_hidden=64": {"n_hidden": 64},
    "finetune_epochs=20": {"finetune_epochs": 20},
    'cell="gru"': {"cell": "gru"},
    'cell="lstm"': {"cell": "lstm"},
}
QUESTIONS = {
    "rational": Question(
        SparseRationalClassifier,
        {"sst2": SHORT, "amazon_kitchen": LONG, "trec": SHORT},
        OF_RATIONAL,
    ),
    "steps": Question(
        SparseRationalClassifier, {"amazon_mix": LONG, "imdb": SHORT}, OF_STEPS
    ),
    "lstm": Question(
        SparseLSTMClassifier,
        {"ag_news_10k": SHORT, "trec": SHORT, "imdb": SHORT},
        OF_LSTM,
        {"imdb": (2000, 200)},
    ),
    "moduli": Question(
        ModuliRNNClassifier,
        {"sst2": SHORT, "amazon_kitchen": SHORT, "trec": SHORT},
        OF_MODULI,
    ),
}
SEEDS = range(3)

Split = tuple[SequenceArray, np.ndarray]


def load(
    name: str, vectors: str | None = None, most: tuple[int, int] | None = None
) -> dict[str, Split]:
    vectors = vectors or QUESTIONS["rational"].sets[name]
    path = Path(os.environ["SKRATIONAL_DATA"], "vectors", vectors)
    vectorizer = WordVectorizer(path, lowercase=False, tokenizer=str.split)
    n_documents, n_tokens = most or (None, None)
    splits = {split: load_reviews(name, split) for split in ("train", "dev")}
    texts = {
        split: [" ".join(text.split()[:n_tokens]) for text in reviews.texts]
        for split, reviews in splits.items()
    }
    texts["train"] = texts["train"][:n_documents]
    vectorizer.fit(texts["train"])
    return {
        split: (vectorizer.transform(texts[split]), labels[: len(texts[split])])
        for split, labels in ((s, reviews.labels) for s, reviews in splits.items())
    }


def measure(
    params: dict[str, Any],
    seed: int,
    data: dict[str, Split],
    kind: Any = SparseRationalClassifier,
) -> tuple[float, int] | None:
    """Accuracy on dev, and size; None if training diverged."""
    try:
        clf = kind(random_state=seed, **params).fit(*data["train"])
    except ValueError as error:
        if "diverged" not in str(error):
            raise
        return None
    return clf.score(*data["dev"]), clf.size_


def summary(results: list[tuple[float, int] | None]) -> str:
    if None in results:
        return f"{results.count(None)} of {len(results)} diverged"
    score, size = np.mean(results, axis=0)
    return f"{score:.4f} ({size:.0f})"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("question", nargs="?", choices=QUESTIONS, default="rational")
    parser.add_argument("--settings", nargs="+", help="those alone")
    parser.add_argument("--jobs", type=int, default=2, help="fits at a time")
    options = parser.parse_args()
    question = QUESTIONS[options.question]
    data = {
        name: load(name, vectors, question.most.get(name))
        for name, vectors in question.sets.items()
    }
    print("| setting | " + " | ".join(data) + " |")
    print("|---" * (1 + len(data)) + "|")
    for setting in options.settings or question.settings:
        params = question.settings[setting]
        print(f"| `{setting}` |", end="", flush=True)
        for name in data:
            results = Parallel(options.jobs)(
                delayed(measure)(params, seed, data[name], question.kind)
                for seed in SEEDS
            )
            print(f" {summary(results)} |", end="", flush=True)
        print()


if __name__ == "__main__":
    main()
