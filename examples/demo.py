"""What skrational does, in three acts: ``make demo``.

Act one reads made-up product reviews from raw text: it learns word vectors and
automata, explains a prediction and writes a report, one page of HTML. Act two plants
soft patterns in documents and shows what was learned next to what was planted. Act
three, if the variable SKRATIONAL_DATA names a folder of real data, reads real reviews.

Report and pictures are written to ``build/demo``. Nothing is downloaded.
"""

from __future__ import annotations

import time
from pathlib import Path
from textwrap import fill
from typing import Any

from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import (
    load_reviews,
    make_planted_patterns,
    make_product_reviews,
    reviews_available,
)
from skrational.inspection import explain, top_phrases
from skrational.reporting import report

FOLDER = Path("build/demo")
PHRASES_SHOWN = 2
N_TRAINING = 2000
SENTENCE = "The handle feels sturdy, but this blender is not worth the money."
WIDTH = 78


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    read_product_reviews()
    find_planted_patterns()
    if reviews_available():
        read_real_reviews()
    else:
        print("\nSet SKRATIONAL_DATA to a folder of reviews for a third act.")
    title(f"Done in {time.perf_counter() - began:.0f} s. Open {FOLDER}/report.html")


def read_product_reviews() -> None:
    title("Act one: product reviews, from raw text to a report")
    reviews = make_product_reviews(random_state=0)
    for text, label in list(zip(reviews.texts, reviews.labels, strict=True))[:4]:
        print(
            fill(text, WIDTH, initial_indent=f"  {label}  ", subsequent_indent=5 * " ")
        )
    train = reviews.texts[:N_TRAINING], reviews.labels[:N_TRAINING]
    test = reviews.texts[N_TRAINING:], reviews.labels[N_TRAINING:]
    print(
        f"\n{len(train[0]):,} of them to learn from, {len(test[0]):,} to test on;",
        end="",
    )
    print(" the labels of 3 % are wrong\n")
    pipeline = fit(train)
    show(pipeline, train[0], "product_reviews")
    step("why it predicts what it predicts")
    print(f"{SENTENCE!r}\n")
    print(explain(pipeline, SENTENCE))
    step("the report, with TF-IDF and logistic regression for comparison")
    page = report(
        pipeline,
        *test,
        train=train,
        title="Product reviews",
        intended_use="To show what skrational does.",
    )
    for model in page.scores.baselines:
        print(f"  {model.accuracy:.3f}  {model.name}")
    print(f"  {page.scores.accuracy:.3f}  the automata")
    print(f"\npage: {page.save(FOLDER / 'report.html')}")
    print(f"card: {page.save(FOLDER / 'model_card.md')}")


def find_planted_patterns() -> None:
    title("Act two: patterns planted in made-up documents")
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


def read_real_reviews() -> None:
    title("Act three: reviews of kitchenware, as people wrote them")
    train, test = (
        load_reviews("amazon_kitchen", split, raw=True) for split in ("train", "test")
    )
    pipeline = fit(train)
    show(pipeline, train.texts, "kitchen")
    page = report(pipeline, *test, train=train, title="Reviews of kitchenware")
    step("on test")
    for model in page.scores.baselines:
        print(f"  {model.accuracy:.3f}  {model.name}")
    print(f"  {page.scores.accuracy:.3f}  the automata")
    print(f"\npage: {page.save(FOLDER / 'kitchen.html')}")


def fit(train: tuple[list[str], Any]) -> Pipeline:
    """Learn word vectors from texts, and automata from the vectors and labels."""
    began = time.perf_counter()
    pipeline = make_pipeline(
        WordVectorizer(), SparseRationalClassifier(lambda_=2e-3, random_state=0)
    )
    pipeline.fit(*train)
    print(f"fitted in {time.perf_counter() - began:.0f} s, from texts to automata")
    return pipeline


def show(estimator: Any, X: Any, name: str) -> None:
    """Print what each automaton looks for, and draw what was kept."""
    clf = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    step("learned")
    print(clf)
    step("the phrases that each automaton scores highest and lowest")
    print(top_phrases(estimator, X, n=PHRASES_SHOWN))
    picture = FOLDER / f"{name}.svg"
    picture.write_text(clf.learned_structure_.to_svg(), encoding="utf-8")
    print(f"\npicture: {picture}")


def arrows(slots: Any) -> str:
    return " -> ".join("[" + " ".join(slot) + "]" for slot in slots)


def title(text: str) -> None:
    print(f"\n{'=' * WIDTH}\n{text}\n{'=' * WIDTH}\n")


def step(text: str) -> None:
    print(f"\n--- {text} {'-' * max(WIDTH - len(text) - 5, 0)}\n")


if __name__ == "__main__":
    main()
