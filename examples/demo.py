"""What skrational does, in two acts: ``make demo``.

Act one plants soft patterns in made-up documents, picks lambda_ by cross-validation
and shows what was learned next to what was planted. Act two, if the variable
SKRATIONAL_DATA names a folder of real data, reads real reviews from raw text and
explains a prediction.

Pictures of the learned structures are written to ``build/demo``.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skrational import SequenceArray, SparseRationalClassifier, WordVectorizer
from skrational.datasets import load_reviews, make_planted_patterns, reviews_available
from skrational.inspection import explain, top_phrases

PICTURES = Path("build/demo")
VECTORS = "vectors/glove.840B.300d.q8.10k.txt.gz"
PHRASES_SHOWN = 2
SENTENCE = "Looks great, but it is not worth the money."


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    find_planted_patterns()
    if reviews_available():
        read_reviews(Path(os.environ["SKRATIONAL_DATA"]))
    else:
        print("\nSet SKRATIONAL_DATA to a folder of reviews to see act two.")


def find_planted_patterns() -> None:
    print("Act one: patterns planted in made-up documents\n")
    data = make_planted_patterns(2500, random_state=0)
    X, y = data.X[:2000], data.y[:2000]
    estimator = SparseRationalClassifier(
        n_wfsas=12,
        readout="rho",
        dropout=0.0,
        warmup_epochs=20,
        max_epochs=60,
        ramp_epochs=30,
        random_state=0,
    )
    search = GridSearchCV(estimator, {"lambda_": [8e-3, 5e-3, 3e-3]}, cv=2, n_jobs=2)
    clf = search.fit(X, y).best_estimator_
    print(f"lambda_ = {clf.lambda_:g}, picked by cross-validation")
    print(f"accuracy on new documents: {clf.score(data.X[2000:], data.y[2000:]):.3f}")
    print("\nplanted:")
    for pattern in data.patterns:
        print("  " + arrows(pattern))
    show(clf, data.X, "planted")


def read_reviews(folder: Path) -> None:
    print("\n\nAct two: reviews of kitchenware, from raw text\n")
    train = load_reviews("amazon_kitchen", "train", raw=True)
    test = load_reviews("amazon_kitchen", "test", raw=True)
    began = time.perf_counter()
    pipeline = make_pipeline(
        WordVectorizer(folder / VECTORS),
        SparseRationalClassifier(lambda_=2e-3, random_state=0),
    )
    pipeline.fit(train.texts, train.labels)
    print(f"fitted on {len(train.texts)} reviews", end=" ")
    print(f"in {time.perf_counter() - began:.0f} s, words to automata")
    print(f"accuracy on test: {pipeline.score(test.texts, test.labels):.3f}")
    show(pipeline[-1], pipeline[0].transform(train.texts), "reviews")
    print(f"\nwhy it predicts what it predicts for {SENTENCE!r}:\n")
    print(explain(pipeline, SENTENCE))


def show(clf: SparseRationalClassifier, X: SequenceArray, name: str) -> None:
    """Print what each automaton looks for, and draw what was kept."""
    structure = clf.learned_structure_
    print(f"\nlearned: {structure}\n")
    print(top_phrases(clf, X, n=PHRASES_SHOWN))
    picture = PICTURES / f"{name}.svg"
    picture.write_text(structure.to_svg(), encoding="utf-8")
    print(f"\npicture: {picture}")


def arrows(slots: object) -> str:
    return " -> ".join("[" + " ".join(slot) + "]" for slot in slots)


if __name__ == "__main__":
    main()
