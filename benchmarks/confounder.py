"""A word that gives labels away in training only: found, taken out, and what is left.

    python -m benchmarks.confounder [--seeds 5] [--quick]

Made-up product reviews, half of the good ones of the training set with the name of a
site in front. In the test set the name stands before any review as often as not. What
is compared is a model that never saw the name, one that did, and what becomes of it if
the word is taken out, or the automata that the word moves: as they are, with the
readout fitted again, finetuned, and fitted again from the beginning, all on the very
training set that misled the model. Accuracy on the test set, mean and standard
deviation over the seeds.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline, make_pipeline

from benchmarks._harness import print_heading, print_table, set_threads
from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_product_reviews
from skrational.editing import without

WORD = "pricefox"
DROPOUTS = (0.4, 0.0)


class Data(NamedTuple):
    """Reviews with the word, and the training set also without it."""

    plain: list[str]
    texts: list[str]
    labels: NDArray[np.int64]
    test_texts: list[str]
    test_labels: NDArray[np.int64]


def plant(texts: Sequence[str], chosen: NDArray[np.bool_]) -> list[str]:
    """Put the word in front of some texts."""
    pairs = zip(texts, chosen, strict=True)
    return [f"{WORD} {text}" if planted else text for text, planted in pairs]


def make_data(n_training: int, n_test: int, seed: int) -> Data:
    """Make reviews; the word tells the label of those to learn from only."""
    rng = np.random.default_rng(seed)
    training = make_product_reviews(n_training, random_state=seed)
    test = make_product_reviews(n_test, noise=0.0, random_state=1000 + seed)
    misleading = (training.labels == 1) & (rng.random(n_training) < 0.5)
    return Data(
        training.texts,
        plant(training.texts, misleading),
        training.labels,
        plant(test.texts, rng.random(n_test) < 0.5),
        test.labels,
    )


def effects(pipeline: Pipeline, texts: Sequence[str]) -> NDArray[np.float64]:
    """How far the word moves the logit by each automaton, on average, (d,)."""
    scores = pipeline.transform([f"{WORD} {text}" for text in texts])
    moved = (scores - pipeline.transform(list(texts))).mean(axis=0)
    return np.abs(moved * pipeline[-1].coef_[0])


def moved_by_the_word(pipeline: Pipeline, texts: Sequence[str]) -> list[int]:
    """The automata that the word moves at least half as far as the one it moves most.

    One has to stay.
    """
    effect = effects(pipeline, texts)
    moved = np.flatnonzero(effect >= effect.max() / 2)
    order = moved[np.argsort(-effect[moved])]
    return sorted(order[: len(effect) - 1].tolist())


def finetuned(pipeline: Pipeline, texts: Sequence[str], labels: Any) -> Pipeline:
    """Train on what is left of a model, without the penalty."""
    pipeline[-1].set_params(warm_start=True, lambda_=0.0)
    pipeline[-1].fit(pipeline[0].transform(texts), labels)
    return pipeline


def run(data: Data, dropout: float, seed: int) -> dict[str, float]:
    """Fit and edit; return accuracies, and what there is to say of the word."""

    def score(model: Pipeline) -> float:
        return 100 * float(model.score(data.test_texts, data.test_labels))

    classifier = SparseRationalClassifier(dropout=dropout, random_state=seed)
    blank = make_pipeline(WordVectorizer(), classifier)
    known = {"X": data.texts, "y": data.labels}
    never = clone(blank).fit(data.plain, data.labels)
    misled = clone(blank).fit(data.texts, data.labels)
    no_word = without(misled, words=[WORD])
    wfsas = moved_by_the_word(misled, data.plain)
    return {
        "never saw the word": score(never),
        "misled by the word": score(misled),
        "without the word": score(no_word),
        "without the word, readout fitted again": score(
            without(misled, words=[WORD], **known)
        ),
        "without the word, fitted again": score(
            clone(no_word).fit(data.texts, data.labels)
        ),
        "without the word, finetuned": score(
            finetuned(no_word, data.texts, data.labels)
        ),
        "without the automata": score(without(misled, wfsas=wfsas)),
        "without the automata, readout fitted again": score(
            without(misled, wfsas=wfsas, **known)
        ),
        "without the automata and the word, finetuned": score(
            finetuned(
                without(misled, wfsas=wfsas, words=[WORD]), data.texts, data.labels
            )
        ),
        "automata": misled[-1].coef_.shape[1],
        "automata that the word moves": len(wfsas),
        "models with the word in rules_": float(
            any(WORD in phrase.split() for phrase in misled[-1].rules_.flat)
        ),
    }


def main() -> None:
    """Measure, and print a table for each strength of dropout."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="few reviews")
    options = parser.parse_args()
    set_threads(1)
    sizes = (300, 300) if options.quick else (1000, 1000)
    for dropout in DROPOUTS:
        rows = [
            run(make_data(*sizes, seed), dropout, seed) for seed in range(options.seeds)
        ]
        print_heading(f"dropout={dropout}, {options.seeds} seeds")
        print_table(
            ["", "mean", "deviation"],
            [
                [name, f"{np.mean(v):.1f}", f"{np.std(v):.1f}"]
                for name, v in ((n, [row[n] for row in rows]) for n in rows[0])
            ],
        )


if __name__ == "__main__":
    main()
