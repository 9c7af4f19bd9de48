"""Read a model: its phrases, its automata, and why it predicts what it predicts.

Reviews of kitchenware if the variable SKRATIONAL_DATA names a folder of real data,
planted patterns otherwise. Needs matplotlib; the pictures and a page of explanations
are written to ``build/read_the_model``.
"""

from __future__ import annotations

import os
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

from sklearn.pipeline import Pipeline, make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import load_reviews, make_planted_patterns, reviews_available
from skrational.inspection import (
    AutomatonDisplay,
    ExplanationDisplay,
    PhraseDisplay,
    StructureDisplay,
    explain,
    top_phrases,
    top_words,
)

FOLDER = Path("build/read_the_model")
VECTORS = "vectors/glove.840B.300d.q8.10k.txt.gz"
EXPLAINED = 3


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    pipeline, texts, new_texts = fit()
    print(f"learned: {pipeline[-1].learned_structure_}\n")

    print("What each automaton looks for, in the words of the corpus:\n")
    print(top_phrases(pipeline, texts))

    print("\nThe words of the first one's transitions, in the whole vocabulary:\n")
    print(top_words(pipeline, n=5, wfsas=[0]))

    print("\nWhy it predicts what it predicts:\n")
    explanations = explain(pipeline, new_texts[:EXPLAINED])
    print(explanations)
    (FOLDER / "explanations.html").write_text(explanations.to_html(), encoding="utf-8")

    displays = {
        "structure": StructureDisplay.from_estimator(pipeline),
        "phrases": PhraseDisplay.from_estimator(pipeline, texts, n=3),
        "automaton": AutomatonDisplay.from_estimator(pipeline, wfsa=0),
        "explanation": ExplanationDisplay.from_estimator(pipeline, new_texts[0]),
    }
    for name, display in displays.items():
        display.figure_.savefig(FOLDER / f"{name}.png", dpi=120)
    print(f"\npictures and explanations.html: {FOLDER}")


def fit() -> tuple[Pipeline, list[str], list[str]]:
    """Fit a pipeline; return it with the texts it learned from and new ones."""
    if reviews_available():
        vectors = Path(os.environ["SKRATIONAL_DATA"], VECTORS)
        train, dev = (
            load_reviews("amazon_kitchen", s, raw=True) for s in ("train", "dev")
        )
        classifier = SparseRationalClassifier(lambda_=6e-3, random_state=0)
        texts, labels, new_texts = train.texts, train.labels, dev.texts
        # The shortest ones are soon read.
        new_texts = sorted(new_texts, key=len)[10:]
    else:
        data = make_planted_patterns(2500, random_state=0)
        vectors = data.vectors
        classifier = SparseRationalClassifier(
            n_wfsas=12,
            lambda_=5e-3,
            readout="rho",
            dropout=0.0,
            warmup_epochs=20,
            max_epochs=60,
            ramp_epochs=30,
            random_state=0,
        )
        texts, labels, new_texts = data.texts[:2000], data.y[:2000], data.texts[2000:]
    pipeline = make_pipeline(WordVectorizer(vectors), classifier)
    return pipeline.fit(texts, labels), texts, new_texts


if __name__ == "__main__":
    main()
