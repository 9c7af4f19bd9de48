"""The accuracy-size curve: fits over five values of lambda_, beside one dense fit.

    SKRATIONAL_DATA=... python -m benchmarks.path

One cold fit each; a path on which each fit starts from the one before comes in a later
release. Kitchen reviews, accuracy on dev; without SKRATIONAL_DATA, invented texts.
"""

from __future__ import annotations

from typing import Any

from benchmarks import _harness as harness
from skrational import SparseRationalClassifier, WordVectorizer

DENSE = 0.0
LAMBDAS = (1e-3, 2e-3, 4e-3, 8e-3, 1.2e-2)


def run(options: Any) -> None:
    train, dev = (harness.load_texts(s, options.quick) for s in ("train", "dev"))
    vectorizer = WordVectorizer(harness.load_vectors(), tokenizer=str.split)
    X, X_dev = vectorizer.fit_transform(train.texts), vectorizer.transform(dev.texts)
    harness.brief_fit(X[:64])
    epochs = {"warmup_epochs": 1, "max_epochs": 2, "finetune_epochs": 1}
    params = epochs if options.quick else {}
    seconds, rows = {}, []
    for lambda_ in (DENSE, *LAMBDAS):
        clf = SparseRationalClassifier(lambda_=lambda_, random_state=0, **params)
        seconds[lambda_], _ = harness.clock(lambda clf=clf: clf.fit(X, train.labels))
        rows.append(
            [
                f"lambda_={lambda_:g}",
                harness.digits(seconds[lambda_]),
                harness.digits(seconds[lambda_] / seconds[DENSE]),
                clf.learned_structure_.n_transitions,
                f"{clf.score(X_dev, dev.labels):.4f}",
            ]
        )
    harness.print_heading(
        "A curve of accuracy and size",
        f"{train.source}: {len(X)} documents of {X.n_tokens} tokens. One cold fit for "
        "each lambda_;\na warm-started path comes in a later release.",
    )
    harness.print_table(["", "s", "x dense fit", "transitions", "accuracy, dev"], rows)
    total = sum(seconds[lambda_] for lambda_ in LAMBDAS)
    print(
        f"\nall {len(LAMBDAS)}: {harness.digits(total)} s, "
        f"{total / seconds[DENSE]:.1f} dense fits"
    )


if __name__ == "__main__":
    harness.main(harness.common_options(__doc__), run)
