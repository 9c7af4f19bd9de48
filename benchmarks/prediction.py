"""Documents to labels, from word numbers, from tokens and from text.

    SKRATIONAL_DATA=... python -m benchmarks.prediction

Test reviews of kitchenware with 300-d vectors; without SKRATIONAL_DATA, invented texts
of 20,000 words. Two classifiers: one of 8 transitions, the size of a pruned one, and
the full 24 WFSAs of 4 states. The first call of a fitted classifier, which may prepare
a table of the words, is given by itself; all else is from the second call on. Networks
read batches of 128 documents of like length. Beside them stands a copy of as many bytes
as the kernel gathers: 64 numbers a token for each block of eight WFSAs.
"""

from __future__ import annotations

import pickle
import statistics
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from sklearn.pipeline import make_pipeline

from benchmarks import _harness as harness
from benchmarks import _peers as peers
from skrational import SequenceArray, SparseRationalClassifier, WordVectorizer

SMALL, FULL = "8 transitions", "24 x 4"
SIZES = {SMALL: {"n_wfsas": 2, "n_states": 4}, FULL: {"n_wfsas": 24, "n_states": 4}}
NETWORKS = ("nn.LSTM(24)", "nn.LSTM(100)", "CNN, 100 filters")
BLOCK, BLOCK_BYTES = 8, 4 * 64

Classifiers = dict[str, SparseRationalClassifier]


def named(size: str) -> str:
    return f"{harness.OURS}, {size}"


def rates(n_tokens: int, n_documents: int) -> dict[str, Callable[[float], str]]:
    """The columns of throughput."""
    return {
        "Mtok/s": lambda seconds: harness.digits(n_tokens / seconds / 1e6),
        "docs/s": lambda seconds: harness.digits(n_documents / seconds),
    }


def describe(X: SequenceArray, source: str, options: Any) -> str:
    return (
        f"{source}: {len(X)} documents, {X.n_tokens} tokens, {len(X.features)} words; "
        f"threads: {options.threads}"
    )


def copy_of_gathered(n_tokens: int, n_wfsas: int) -> Callable[[], Any]:
    """Copy as many bytes as the kernel gathers from its table."""
    n_bytes = n_tokens * -(-n_wfsas // BLOCK) * BLOCK_BYTES
    source = torch.zeros(n_bytes, dtype=torch.uint8)
    target = torch.empty_like(source)
    return lambda: target.copy_(source)


def from_ids(X: SequenceArray, models: Classifiers, source: str, options: Any) -> None:
    contestants: dict[str, Callable[[], Any]] = {}
    for size, clf in models.items():
        contestants[named(size)] = partial(clf.predict, X)
        n_wfsas = SIZES[size]["n_wfsas"]
        contestants[f"copy of the bytes of {size}"] = copy_of_gathered(
            X.n_tokens, n_wfsas
        )
    for name in NETWORKS:
        net = peers.network(name, X.n_features)
        contestants[name] = peers.predictor(net, X)
    times = harness.race(contestants, harness.rounds_of(options, full=9))
    harness.print_heading("Word numbers to labels", describe(X, source, options))
    columns = rates(X.n_tokens, len(X))
    harness.print_race(times, options, named(SMALL), **columns)
    full = times[named(FULL)]
    print()
    for name, of_name in times.items():
        if name in NETWORKS:
            print(f"{name} / {FULL}: {harness.digits(harness.ratio(of_name, full))}")
    for size in SIZES:
        floor = times[f"copy of the bytes of {size}"]
        share = harness.digits(harness.ratio(times[named(size)], floor))
        print(f"{size} / copy: {share}")


def first_calls(X: SequenceArray, models: Classifiers, options: Any) -> None:
    """Print the first call of classifiers just unpickled, on documents just packed."""
    harness.print_heading("The first call")
    rows = []
    for size, clf in models.items():
        seconds = []
        for _ in range(harness.rounds_of(options, full=9)):
            fresh = pickle.loads(pickle.dumps(clf))
            unseen = SequenceArray(np.array(X.features), X.offsets, X.indices)
            seconds.append(harness.clock(partial(fresh.predict, unseen))[0])
        rows.append([named(size), harness.digits(1e3 * statistics.median(seconds))])
    harness.print_table(["", "ms"], rows)


def from_tokens(
    train: harness.Texts, test: harness.Texts, models: Classifiers, options: Any
) -> None:
    """Texts that are tokenized already, their tokens joined by spaces."""
    vectorizer = WordVectorizer(
        harness.load_vectors(), tokenizer=str.split, lowercase=False
    ).fit(train.texts)
    contestants: dict[str, Callable[[], Any]] = {
        named(size): partial(make_pipeline(vectorizer, clf).predict, test.texts)
        for size, clf in models.items()
    }
    linear = peers.tfidf_classifier(
        1, tokenizer=str.split, token_pattern=None, lowercase=False
    ).fit(train.texts, train.labels)
    contestants["TF-IDF(1) + logistic regression"] = partial(linear.predict, test.texts)
    times = harness.race(contestants, harness.rounds_of(options, full=7))
    harness.print_heading("Tokens joined by spaces to labels, by str.split")
    n_tokens = sum(len(text.split()) for text in test.texts)
    columns = rates(n_tokens, len(test.texts))
    harness.print_race(times, options, named(SMALL), **columns)


def text_contestants(
    train: harness.Texts, test: harness.Texts, models: Classifiers
) -> dict[str, Callable[[], Any]]:
    """Each way from text to labels, fitted."""
    vectors = harness.load_vectors()
    own = WordVectorizer(vectors).fit(train.texts)
    contestants: dict[str, Callable[[], Any]] = {}
    for size, clf in models.items():
        pipeline = make_pipeline(own, clf)
        contestants[named(size)] = partial(pipeline.predict, test.texts)
    for n, words in ((1, "1"), (2, "1,2")):
        linear = peers.tfidf_classifier(n).fit(train.texts, train.labels)
        name = f"TF-IDF({words}) + logistic regression"
        contestants[name] = partial(linear.predict, test.texts)
    if harness.is_installed("fasttext"):
        for n, words in ((1, "1"), (2, "1,2")):
            model = peers.fasttext_classifier(train.texts, train.labels, n)
            predict = peers.fasttext_predictor(model, test.texts)
            contestants[f"fastText({words}), 100-d"] = predict
    return contestants


def from_text(
    train: harness.Texts, test: harness.Texts, models: Classifiers, options: Any
) -> None:
    contestants = text_contestants(train, test, models)
    times = harness.race(contestants, harness.rounds_of(options, full=7))
    n_tokens = sum(len(text.split()) for text in test.texts)
    n_characters = sum(map(len, test.texts))
    harness.print_heading(
        "Text to labels",
        f"{test.source}: {len(test.texts)} documents, {n_tokens} tokens, "
        f"{n_characters} characters; threads: {options.threads}",
    )
    columns = rates(n_tokens, len(test.texts))
    harness.print_race(times, options, named(SMALL), **columns)


def on_threads(n: int, predict: Callable[[], Any]) -> Callable[[], Any]:
    def call() -> None:
        torch.set_num_threads(n)
        predict()

    return call


def two_threads(X: SequenceArray, models: Classifiers, options: Any) -> None:
    harness.print_heading("Word numbers to labels, one thread and two")
    for size, clf in models.items():
        one, two = (f"{named(size)}, threads: {n}" for n in (1, 2))
        contestants = {
            one: on_threads(1, partial(clf.predict, X)),
            two: on_threads(2, partial(clf.predict, X)),
        }
        times = harness.race(contestants, harness.rounds_of(options, full=15))
        harness.set_threads(options.threads)
        harness.print_race(times, options, one, **rates(X.n_tokens, len(X)))
        print()


def build_models(X: SequenceArray) -> Classifiers:
    """Classifiers of just these sizes: without a penalty, nothing is pruned."""
    return {size: harness.brief_fit(X[:256], **SIZES[size]) for size in SIZES}


def run(options: Any) -> None:
    train, test = (harness.load_texts(s, options.quick) for s in ("train", "test"))
    vectorizer = WordVectorizer(harness.load_vectors(), tokenizer=str.split)
    X: SequenceArray = vectorizer.fit(train.texts).transform(test.texts)
    models = build_models(X)
    from_ids(X, models, test.source, options)
    first_calls(X, models, options)
    from_tokens(train, test, models, options)
    from_text(train, test, models, options)
    two_threads(X, models, options)


if __name__ == "__main__":
    harness.main(harness.common_options(__doc__), run)
