"""Memory that a call adds at its height, each in a fresh process.

    python -m benchmarks.memory

Before it, the same call on a small part loads, compiles and starts everything; after
it, the resident memory's high-water mark is read (Linux only). The input, which is
there already, is not part of what is added; the result is. Features on disk count as
far as they are in memory: the last case maps random float16 ones of 1024 numbers a
token, 4 GB of them, from a temporary file.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from benchmarks import _harness as harness
from skrational import SequenceArray, SparseRationalClassifier, WordVectorizer

FULL = {"n_wfsas": 24, "n_states": 4}
SMALL = {"n_wfsas": 2, "n_states": 4}
N_TOKENS = 100
"""Of each document."""


class Case(NamedTuple):
    """A call and what it is given; it takes a part of the input, or all of it."""

    call: Callable[[slice], Any]
    n_tokens: int
    n_bytes: int


def n_bytes(X: SequenceArray) -> int:
    arrays = (X.features, X.offsets, X.indices)
    return sum(array.nbytes for array in arrays if array is not None)


def prediction(X: SequenceArray, size: dict[str, int]) -> Case:
    clf = harness.brief_fit(X[:64], **size)
    return Case(lambda part: clf.predict(X[part]), X.n_tokens, n_bytes(X))


def type_level(size: dict[str, int], quick: bool) -> Case:
    n_tokens = 100_000 if quick else 10_000_000
    return prediction(harness.make_documents(n_tokens // N_TOKENS, N_TOKENS), size)


def token_level(size: dict[str, int], quick: bool) -> Case:
    n_tokens = 10_000 if quick else 200_000
    return prediction(harness.make_contextual(n_tokens // N_TOKENS, N_TOKENS), size)


def text(size: dict[str, int], quick: bool) -> Case:
    # A text of `make_texts` has a hundred words, on average.
    texts = harness.make_texts(200 if quick else 20_000, seed=0).texts
    vectorizer = WordVectorizer(harness.invented_vectors()).fit(texts[:64])
    n_tokens = sum(len(text.split()) for text in texts)
    n_bytes = sum(map(sys.getsizeof, texts))
    return Case(lambda part: vectorizer.transform(texts[part]), n_tokens, n_bytes)


def training(size: dict[str, int], quick: bool) -> Case:
    X = harness.make_documents(200 if quick else 3000, N_TOKENS)
    y = harness.alternating(len(X))
    clf = SparseRationalClassifier(
        warmup_epochs=1, max_epochs=2, finetune_epochs=1, random_state=0, **size
    )
    return Case(lambda part: clf.fit(X[part], y[part]), X.n_tokens, n_bytes(X))


def mapped(size: dict[str, int], quick: bool) -> Case:
    """Contextual features larger than memory should be, of which batches are read."""
    n_tokens = 20_000 if quick else 2_000_000
    file = tempfile.NamedTemporaryFile()  # removed with the process
    rng = np.random.default_rng(0)
    for _ in range(0, n_tokens, 10_000):
        harness.word_vectors(10_000, 1024, rng).astype(np.float16).tofile(file)
    features = np.memmap(file.name, np.float16, "r", shape=(n_tokens, 1024))
    X = SequenceArray(features, np.arange(0, n_tokens + 1, N_TOKENS))
    y = harness.alternating(len(X))
    clf = SparseRationalClassifier(
        warmup_epochs=1, max_epochs=1, finetune_epochs=1, random_state=0, **size
    )

    def fit(part: slice) -> None:
        assert not file.closed  # nor removed while it is in use
        clf.fit(X[part], y[part])

    return Case(fit, X.n_tokens, n_bytes(X))


CASES = {
    "predict, type-level, 24 x 4": (type_level, FULL),
    "predict, type-level, 8 transitions": (type_level, SMALL),
    "predict, token-level, 24 x 4": (token_level, FULL),
    "text to word numbers": (text, FULL),
    "fit, 24 x 4": (training, FULL),
    "fit, token-level, on disk, 12 x 4": (mapped, {"n_wfsas": 12, "n_states": 4}),
}


def measure(name: str, quick: bool) -> tuple[int, int, int]:
    """Tokens, bytes given and bytes added, measured in this process."""
    prepare, size = CASES[name]
    case = prepare(size, quick)
    case.call(slice(64))
    added = harness.peak_bytes(lambda: case.call(slice(None)))
    return case.n_tokens, case.n_bytes, added


def print_all(options: Any) -> None:
    harness.print_heading(
        "Memory added by a call",
        "In fresh processes; type-level: 300 features of 20,000 words, token-level: "
        "1024 features",
    )
    rows = []
    for case in CASES:
        flags = ["--quick"] * options.quick + ["--threads", options.threads]
        answer = harness.ask_child("memory", "--bare", *flags, "--case", case)
        n_tokens, given, added = answer
        row = [case, f"{n_tokens:,}"]
        row += [harness.digits(n / 1e6) for n in (given, added)]
        rows.append([*row, harness.digits(added / n_tokens)])
    head = ["", "tokens", "input, MB", "added, MB", "added bytes a token"]
    harness.print_table(head, rows)


def run(options: Any) -> None:
    if options.case:
        print(json.dumps(measure(options.case, options.quick)))
    else:
        print_all(options)


def options_parser() -> argparse.ArgumentParser:
    parser = harness.common_options(__doc__)
    # What a child process is asked for.
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    harness.main(options_parser(), run)
