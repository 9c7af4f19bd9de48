"""Read a gated network: which gates are left, and why it predicts what it predicts.

Diaries, invented here with a seed: somebody earns and spends, and an audit sets the
balance to zero. Whether the last balance is positive takes a sum, and the order of the
words. Needs matplotlib; the pictures and a page of explanations are written to
``build/gates``.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from skrational import SparseLSTMClassifier, WordVectorizer
from skrational.inspection import ExplanationDisplay, GateDisplay, explain

FOLDER = Path("build/gates")
WORDS = ("earn", "spend", "audit", "tea", "and", "then", "walk", "rain", "sun")
FREQUENCIES = (0.25, 0.25, 0.08, *[0.07] * 6)
EFFECTS = {"earn": 1, "spend": -1}
N_DIARIES, N_TRAINED = 3000, 2000


def is_rich(words: NDArray[np.str_]) -> bool:
    """Whether more was earned than spent since the last audit."""
    after = np.flatnonzero(words == "audit").max(initial=-1) + 1
    return sum(EFFECTS.get(word, 0) for word in words[after:]) > 0


def draw_diaries(n: int) -> tuple[list[str], NDArray[np.str_]]:
    """Texts of 6 to 24 words, and whether each ends rich or poor."""
    rng = np.random.default_rng(0)
    diaries = [rng.choice(WORDS, rng.integers(6, 25), p=FREQUENCIES) for _ in range(n)]
    labels = np.where([is_rich(words) for words in diaries], "rich", "poor")
    return [" ".join(words) for words in diaries], labels


def build_pipeline() -> Pipeline:
    """Random vectors will do: they tell words apart."""
    vectors = np.random.default_rng(1).normal(size=(len(WORDS), 12))
    classifier = SparseLSTMClassifier(
        n_units=16,
        lambda_=1e-2,
        learning_rate=5e-3,
        readout="last",
        dropout=0.0,
        warmup_epochs=8,
        max_epochs=25,
        finetune_epochs=10,
        random_state=0,
    )
    return make_pipeline(
        WordVectorizer(dict(zip(WORDS, vectors, strict=True))), classifier
    )


def say_gates(pipeline: Pipeline) -> str:
    """What each gate that varies is at each word, after a state of zeros."""
    vectorizer, classifier = pipeline
    structure, weights = classifier.learned_structure_, classifier.weights_
    gates, units = np.nonzero(structure.varies)
    vocabulary = vectorizer.vocabulary()
    X = np.concatenate(vocabulary.to_list())[:, structure.inputs]
    entering = weights["W_ih"] @ X.T
    entering += weights["b"][gates, units][:, None]
    names = np.array(structure.gate_names)[gates]
    is_flow = (names == "g")[:, None]
    values = np.where(is_flow, np.tanh(entering), expit(entering))
    lines = ["unit  gate" + "".join(f"{w:>7}" for w in vocabulary.labels)]
    for i in np.lexsort([gates, units]):
        unit = structure.units[units[i]]
        numbers = "".join(f"{value:z7.2f}" for value in values[i])
        lines.append(f"{unit:4}  {names[i]:4}{numbers}")
    return "\n".join(lines)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    texts, labels = draw_diaries(N_DIARIES)
    pipeline = build_pipeline().fit(texts[:N_TRAINED], labels[:N_TRAINED])
    accuracy = pipeline.score(texts[N_TRAINED:], labels[N_TRAINED:])
    print(f"accuracy on {N_DIARIES - N_TRAINED} other diaries: {accuracy:.3f}")
    counts = make_pipeline(CountVectorizer(), LogisticRegression())
    counts.fit(texts[:N_TRAINED], labels[:N_TRAINED])
    accuracy = counts.score(texts[N_TRAINED:], labels[N_TRAINED:])
    print(f"counts of words with logistic regression: {accuracy:.3f}\n")

    structure = pipeline[-1].learned_structure_
    print(f"{structure.reading()}\n")
    print(f"{structure.n_bytes:,} of {structure.n_bytes_initial:,} bytes\n")
    print(f"gates after a state of zeros, at each word:\n{say_gates(pipeline)}\n")

    explanations = explain(
        pipeline,
        [
            "spend earn tea earn earn and walk",
            "earn earn rain earn audit then spend",
        ],
    )
    print(explanations)
    (FOLDER / "explanations.html").write_text(explanations.to_html(), encoding="utf-8")

    displays = {
        "gates": GateDisplay.from_estimator(pipeline),
        "explanation": ExplanationDisplay.from_explanation(explanations[1]),
    }
    for name, display in displays.items():
        display.figure_.savefig(FOLDER / f"{name}.png", dpi=120)
    print(f"\npictures and explanations.html: {FOLDER}")


if __name__ == "__main__":
    main()
