"""A model of three automata, to be read: what docs/reading.md is written from.

    SKRATIONAL_DATA=... python -m benchmarks.reading [--out build/reading]

Fits the regularization path on amazon_mix, 14 domains of reviews, and takes its largest
model of three WFSAs. Prints its phrases, as the paper's Table 1 does, its strongest
words, explanations of minimal pairs, and the short reviews of dev that it is surest of,
rightly and wrongly. Draws its pictures into the folder.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
import torch
from sklearn.pipeline import Pipeline, make_pipeline

from benchmarks._harness import print_heading, print_table
from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import load_reviews
from skrational.inspection import (
    AutomataDisplay,
    AutomatonDisplay,
    ExplanationDisplay,
    Explanations,
    PhraseDisplay,
    StructureDisplay,
    explain,
    top_phrases,
    top_words,
)
from skrational.inspection.meaning import readout_signs
from skrational.model_selection import regularization_path

VECTORS = "vectors/glove.840B.300d.q8.10k.txt.gz"
N_WFSAS = 3
SHORT, SHOWN = 40, 3
COMMON = ("not", "n't", "never", "no", "<s>", "this", "very", "so", "a", "the", "is")
PAIRS = (
    "i was disappointed .",
    "i was not disappointed .",
    "this is an excellent book .",
    "this is not an excellent book .",
    "it is worth the money .",
    "it is not worth the money .",
    "i would recommend it .",
    "i would not recommend it .",
    "i can not recommend it enough .",
    "there was no problem .",
    "it is a waste of money .",
    "it is neither good nor bad .",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("build/reading"))
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    train, dev, test = (load_reviews("amazon_mix", s) for s in ("train", "dev", "test"))
    vectors = Path(os.environ["SKRATIONAL_DATA"], VECTORS)
    vectorizer = WordVectorizer(vectors, lowercase=False, tokenizer=str.split)
    X, X_dev = vectorizer.fit_transform(train.texts), vectorizer.transform(dev.texts)
    clf = fit(X, train.labels, X_dev, dev.labels)
    pipeline = make_pipeline(vectorizer, clf)
    print_heading(
        "The model",
        f"{clf.learned_structure_}, lengths {clf.learned_structure_.lengths}; accuracy "
        f"{clf.score(X_dev, dev.labels):.3f} on dev, "
        f"{pipeline.score(test.texts, test.labels):.3f} on test.",
    )
    print_heading("Phrases of the training reviews")
    print(top_phrases(clf, X, min_count=0))
    print_heading("Words of each transition")
    print(top_words(pipeline, X, n=6))
    print_first_words(clf, vectorizer)
    print_alone(clf, X_dev, dev.labels)
    print_heading("Minimal pairs")
    print_pairs(pipeline)
    print_surest(pipeline, dev, right=True)
    wrong = print_surest(pipeline, dev, right=False)
    draw(pipeline, X, wrong, folder)


def fit(X: Any, y: Any, X_dev: Any, y_dev: Any) -> SparseRationalClassifier:
    """Return the largest model of three WFSAs on the path."""
    estimator = SparseRationalClassifier(random_state=0)
    path = regularization_path(estimator, X, y, X_val=X_dev, y_val=y_dev)
    print(path)
    return next(clf for clf in path if clf.learned_structure_.n_wfsas == N_WFSAS)


def print_first_words(clf: SparseRationalClassifier, vectorizer: Any) -> None:
    """Print what common words weigh as the first word of a phrase.

    The readout's signs are folded in, as `top_words` does.
    """
    print_heading("Common words, the weight u of each WFSA's first transition")
    vocabulary = vectorizer.vocabulary()
    u, _ = clf.automata_.transition_weights(vocabulary.features)
    row_of = {word: row for row, word in enumerate(vocabulary.labels)}
    firsts, signs = clf.automata_.starts[:-1], readout_signs(clf.automata_)
    print_table(
        ["", *(f"WFSA {i}" for i in range(N_WFSAS))],
        [
            [word, *(f"{v:+z.2f}" for v in signs * u[row_of[word], firsts])]
            for word in COMMON
        ],
    )


def print_alone(clf: SparseRationalClassifier, X: Any, y: Any) -> None:
    """Print how right each WFSA is by itself, and the others without it."""
    print_heading("Each WFSA by itself, and the others without it (dev)")
    scores, coef = clf.transform(X).astype(float), clf.coef_[0]
    rows = []
    for i in range(len(coef)):
        alone = np.arange(len(coef)) == i
        accuracies = []
        for chosen in (alone, ~alone):
            logits = scores[:, chosen] @ coef[chosen]
            # The bias belongs to all of them together: halve the documents instead.
            accuracies.append(((logits > np.median(logits)) == y).mean())
        rows.append([f"WFSA {i}", *(f"{a:.3f}" for a in accuracies)])
    print_table(["", "alone", "without it"], rows)


def print_pairs(pipeline: Pipeline) -> None:
    print_table(
        ["text", "logit", *(f"WFSA {i}" for i in range(N_WFSAS))],
        [
            [text, *(f"{v:+.2f}" for v in (*e.logits, *e.contributions[0]))]
            for text, e in zip(PAIRS, explain(pipeline, PAIRS), strict=True)
        ],
    )


def print_surest(pipeline: Pipeline, dev: Any, *, right: bool) -> Explanations:
    """Explain the short reviews whose predictions are surest, and right or wrong."""
    texts = np.array(dev.texts, dtype=object)
    short = np.array([len(text.split()) <= SHORT for text in texts])
    logits, labels = pipeline.decision_function(dev.texts), np.asarray(dev.labels)
    chosen = ((logits > 0) == (labels == 1)) == right
    title = "right" if right else "wrong"
    print_heading(f"Short reviews of dev it is surest of and {title} about")
    candidates = np.flatnonzero(short & chosen)
    surest = candidates[np.argsort(-np.abs(logits[candidates]))[:SHOWN]]
    explanations = explain(pipeline, texts[surest].tolist())
    for i, e in zip(surest, explanations, strict=True):
        print(f"label {labels[i]}: {texts[i]}\n{e}\n")
    return explanations


def draw(pipeline: Pipeline, X: Any, wrong: Explanations, folder: Path) -> None:
    pictures: dict[str, Any] = {
        f"automaton{i}": AutomatonDisplay.from_estimator(pipeline, X, wfsa=i)
        for i in range(N_WFSAS)
    }
    pictures["automata"] = AutomataDisplay.from_estimator(pipeline, X)
    pictures["structure"] = StructureDisplay.from_estimator(pipeline)
    pictures["phrases"] = PhraseDisplay.from_estimator(pipeline, X, min_count=0)
    pictures["explanation"] = ExplanationDisplay.from_explanation(wrong[1])
    for name, display in pictures.items():
        display.figure_.savefig(folder / f"{name}.png", dpi=120)
        print(f"picture: {folder / name}.png")


if __name__ == "__main__":
    main()
