"""Which gates a language model keeps, and what that costs, on dev.

    SKRATIONAL_DATA=... python -m benchmarks.language_models [--words N]
        [--levels word] [--lambdas 0 1e-3] [--params dropout=0.5 early_stopping=True]

Reviews of amazon_mix and imdb, in turn: as many of train as hold N words, half of them
for characters, and of dev a fifth as many; no test split is read. A row for each level
and each ``lambda_``: what dev costs, the gates that vary by kind, units, words (or
characters) whose embeddings are left, weights before pruning by weights left, and CPU
seconds of the fit. Characters have a ``dropout`` of their own; all else are the
defaults, but for the sizes. Rows of ``lambda_=0`` are dense, and trained for as many
epochs.
"""

from __future__ import annotations

import argparse
import time
from ast import literal_eval
from collections.abc import Iterator
from itertools import chain
from typing import Any

import numpy as np

from skrational import SparseLSTMLanguageModel
from skrational.datasets import load_reviews

LEVELS = {
    "word": {"n_units": 64, "n_embedding": 64, "max_vocabulary": 5000},
    "character": {"n_units": 64, "n_embedding": 32, "dropout": 0.1},
}


def reviews(split: str, n_words: float) -> list[str]:
    """Reviews of both sets in turn that hold about so many words."""
    sets = (load_reviews(name, split).texts for name in ("amazon_mix", "imdb"))
    texts = list(chain.from_iterable(zip(*sets, strict=False)))
    sizes = np.cumsum([len(text.split()) for text in texts])
    return texts[: int(np.searchsorted(sizes, n_words)) + 1]


def measure(params: dict[str, Any], n_words: float) -> Iterator[str]:
    """Yield the cells of a row."""
    model = SparseLSTMLanguageModel(random_state=0, **params)
    began = time.process_time()
    model.fit(reviews("train", n_words))
    seconds = time.process_time() - began
    structure, dev = model.learned_structure_, reviews("dev", n_words / 5)
    yield model.level
    yield f"{model.lambda_:g}"
    yield f"{-model.score(dev):.3f}"
    yield f"{model.perplexity(dev):.1f}"
    yield from map(str, structure.gates_by_kind().values())
    yield str(structure.n_units)
    yield f"{structure.n_words} of {structure.n_words_initial}"
    yield f"{structure.compression:.1f}"
    yield f"{seconds:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--words", type=float, default=60_000)
    parser.add_argument("--levels", nargs="+", default=list(LEVELS), choices=LEVELS)
    lambdas = [0.0, 1e-4, 3e-4, 1e-3]
    parser.add_argument("--lambdas", nargs="+", type=float, default=lambdas)
    parser.add_argument("--params", nargs="+", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    given = dict(param.split("=", 1) for param in options.params)
    given = {name: literal_eval(value) for name, value in given.items()}
    head = "level lambda_ bits perplexity i f g o units words compression seconds"
    print("| " + " | ".join(head.split()) + " |\n" + "|---" * 12 + "|", flush=True)
    for level in options.levels:
        n_words = options.words / (2 if level == "character" else 1)
        for lambda_ in options.lambdas:
            params = {"level": level, "lambda_": lambda_, **LEVELS[level], **given}
            row = measure(params, n_words)
            print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
