"""Reading a model: paths, phrases and explanations of a whole corpus.

    SKRATIONAL_DATA=... python -m benchmarks.inspection

A model of about 20 transitions and the kitchen training reviews, vectorized before;
without SKRATIONAL_DATA, invented texts. Beside `explain`, which finds the effect of
each token by a pass forwards and one backwards, the same effects are found by as many
predictions as there are tokens, for one long document.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks import _harness as harness
from skrational import SequenceArray, SparseRationalClassifier, WordVectorizer
from skrational.inspection import explain, find_paths, top_phrases, top_words

LAMBDA = 1.6e-3
LONG = 5000
WRITTEN, SHOWN = 1200, 100


def run(options: Any) -> None:
    texts = harness.load_texts("train", options.quick)
    vectorizer = WordVectorizer(harness.load_vectors(), tokenizer=str.split)
    X = vectorizer.fit_transform(texts.texts)
    clf = fit(X, texts.labels, options.quick)
    harness.print_heading(
        "Reading a model",
        f"{texts.source}: {len(X)} documents of {X.n_tokens} tokens; "
        f"{clf.learned_structure_}.",
    )
    times = harness.race(
        {
            "predict": lambda: clf.predict(X),
            "find_paths": lambda: find_paths(clf, X),
            "top_phrases": lambda: top_phrases(clf, X),
            "explain": lambda: explain(clf, X, progress=False),
            "top_words": lambda: top_words(clf, X),
        },
        harness.rounds_of(options, 7),
    )
    harness.print_race(times, options, ours="find_paths")
    written = X[:WRITTEN]
    explanations = explain(clf, written, progress=False)
    size = len(explanations.to_json()) / 1e6
    harness.print_heading(
        "Explanations as JSON",
        f"{len(written)} documents of {written.n_tokens} tokens; {size:.1f} MB.",
    )
    times = harness.race(
        {
            "explain": lambda: explain(clf, written, progress=False),
            "to_json": explanations.to_json,
            f"to_html of {SHOWN}": lambda: [e.to_html() for e in explanations[:SHOWN]],
        },
        harness.rounds_of(options, 5),
    )
    harness.print_race(times, options, ours="to_json")
    rows = X.row_numbers()[:LONG]
    long = SequenceArray(X.features, [0, len(rows)], rows, X.labels)
    harness.print_heading(f"One document of {len(rows)} tokens")
    times = harness.race(
        {
            "explain": lambda: explain(clf, long),
            "predictions": lambda: effects_by_prediction(clf, long),
        },
        harness.rounds_of(options, 5),
    )
    harness.print_race(times, options, ours="explain")


def fit(X: SequenceArray, y: Any, quick: bool) -> SparseRationalClassifier:
    if quick:
        return harness.brief_fit(X, n_wfsas=5)
    return SparseRationalClassifier(lambda_=LAMBDA, random_state=0).fit(X, y)


def effects_by_prediction(clf: SparseRationalClassifier, X: SequenceArray) -> None:
    """Predict a document without each of its tokens."""
    rows = X.row_numbers()
    n = len(rows)
    others = np.tile(rows, (n, 1))[~np.eye(n, dtype=bool)]
    offsets = np.arange(n + 1) * (n - 1)
    clf.decision_function(SequenceArray(X.features, offsets, others, X.labels))


if __name__ == "__main__":
    harness.main(harness.common_options(__doc__), run)
