"""Whether the tokens that explain ranks highest are those that decide.

    SKRATIONAL_DATA=... python -m benchmarks.faithfulness [--seeds 3] [--split test]

Comprehensiveness and sufficiency as in the ERASER benchmark (DeYoung et al., ACL 2020,
section 4): by how much the predicted class's probability falls when the highest ranked
tokens are deleted, and when all others are; at 20 % of the tokens, and their mean over
1, 5, 10, 20 and 50 % (AOPC). Start and end tokens always stay. Each ranking is of the
same models: fits of the defaults with different seeds, never trained on what is ranked.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks._harness import print_heading, print_table
from skrational import SequenceArray, SparseRationalClassifier, WordVectorizer
from skrational.datasets import load_reviews
from skrational.inspection import Explanations, explain
from skrational.kernels.reference import document_scores

SETS = {
    "amazon_kitchen": "glove.840B.300d.q8.10k.txt.gz",
    "sst2": "glove.6B.50d.vocab.txt.gz",
}
SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)
SHOWN = SHARES.index(0.2)
OURS, GRADIENT = "explain: effects", "gradient x input"
RANDOM_DRAWS = 5

Ranking = list[NDArray[np.float64]]
"""For each document the values of its tokens; the highest are ranked first."""
Curves = NDArray[np.float64]
"""Losses of probability, (2, n_shares, n_documents): comprehensiveness, sufficiency."""


def rankings(
    clf: SparseRationalClassifier, X: SequenceArray, seed: int
) -> dict[str, list[Ranking]]:
    """All rankings of all tokens by name; several where they are drawn at random."""
    explanations = explain(clf, X)
    rng = np.random.default_rng(seed)
    draws = [[rng.random(n) for n in X.lengths] for _ in range(RANDOM_DRAWS)]
    return {
        OURS: [[e.effects for e in explanations]],
        "explain: main-path weights": [main_path_values(explanations)],
        "explain: leading paths": [leading_path_values(explanations)],
        GRADIENT: [gradient_times_input(clf, X)],
        "random": draws,
    }


def main_path_values(explanations: Explanations) -> Ranking:
    """What each token's main-path transitions contribute to the predicted class."""
    return [e.support @ e.main_path_weights for e in explanations]


def leading_path_values(explanations: Explanations) -> Ranking:
    """Contributions of the WFSAs, laid on the main-path tokens of their paths."""
    values = []
    for e in explanations:
        values.append(np.zeros(len(e.tokens)))
        for support, path in zip(e.support, e.paths, strict=True):
            if path is not None:
                values[-1][list(path.entries)] += support
    return values


def gradient_times_input(clf: SparseRationalClassifier, X: SequenceArray) -> Ranking:
    """Gradient of the predicted class's log-odds by a token's vector, times the vector.

    By autograd through the torch definition of the automata, in double precision.
    """
    automata = clf.automata_
    W_u, W_f, b_f, final, coef = (
        torch.from_numpy(np.asarray(getattr(automata, name), np.float64))
        for name in ("W_u", "W_f", "b_f", "final", "coef")
    )
    signs = np.where(clf.predict(X) == clf.classes_[1], 1, -1)
    values = []
    for x, sign in zip(X, signs, strict=True):
        tokens = torch.from_numpy(x.astype(np.float64)).requires_grad_()
        scores = document_scores(
            tokens, W_u, W_f, b_f, final,
            np.arange(len(x), dtype=np.int32), np.array([0, len(x)]), automata.lengths,
            anywhere=automata.match == "anywhere",
            semiring=automata.semiring,
            length_exponent=automata.length_exponent,
        )  # fmt: skip
        (scores @ coef.T)[0, 0].backward()
        values.append(sign * (tokens.grad * tokens.detach()).sum(dim=1).numpy())
    return values


def curves(clf: SparseRationalClassifier, X: SequenceArray, ranking: Ranking) -> Curves:
    """Comprehensiveness and sufficiency of each document at each share of tokens."""
    probabilities = clf.predict_proba(X)
    predicted = np.arange(len(X)), probabilities.argmax(axis=1)
    losses = []
    for share in SHARES:
        tops = [top_tokens(values, share) for values in ranking]
        deleted = keep(X, [~top for top in tops])
        alone = keep(X, [with_framing(top) for top in tops])
        losses.append(
            [
                probabilities[predicted] - clf.predict_proba(part)[predicted]
                for part in (deleted, alone)
            ]
        )
    return np.array(losses).swapaxes(0, 1)


def top_tokens(values: NDArray[np.float64], share: float) -> NDArray[np.bool_]:
    """Mask of the highest ranked share of the words, at least one."""
    n_words = len(values) - 2
    top = np.zeros(len(values), bool)
    order = np.argsort(-values[1:-1], kind="stable")
    top[1 + order[: max(1, round(share * n_words))]] = True
    return top


def with_framing(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    framed = mask.copy()
    framed[[0, -1]] = True
    return framed


def keep(X: SequenceArray, masks: list[NDArray[np.bool_]]) -> SequenceArray:
    """The documents with the tokens of the masks only."""
    offsets = np.cumsum([0, *(mask.sum() for mask in masks)])
    rows = X.row_numbers()[np.concatenate(masks)]
    return SequenceArray(X.features, offsets, rows, X.labels)


def measure(name: str, file: str, split: str, seeds: int) -> None:
    vectors = Path(os.environ["SKRATIONAL_DATA"], "vectors", file)
    vectorizer = WordVectorizer(vectors, lowercase=False, tokenizer=str.split)
    train, held_out = load_reviews(name, "train"), load_reviews(name, split)
    X_train = vectorizer.fit_transform(train.texts)
    X = vectorizer.transform(held_out.texts)
    found: dict[str, list[Curves]] = {}
    sizes, scores = [], []
    for seed in range(seeds):
        clf = SparseRationalClassifier(random_state=seed).fit(X_train, train.labels)
        sizes.append(clf.n_transitions_)
        scores.append(clf.score(X, held_out.labels))
        for ranking, draws in rankings(clf, X, seed).items():
            drawn = np.mean([curves(clf, X, draw) for draw in draws], axis=0)
            found.setdefault(ranking, []).append(drawn)
    print_heading(
        f"{name}, {split}",
        f"{len(X)} documents; {seeds} models of {', '.join(map(str, sizes))} "
        f"transitions, accuracy {np.mean(scores):.3f}.",
    )
    means = {ranking: np.mean(curves, axis=0) for ranking, curves in found.items()}
    print_table(
        ["", "comprehensiveness at 20 %", "AOPC", "sufficiency at 20 %", "AOPC"],
        [[ranking, *map(digits, summary(curves))] for ranking, curves in means.items()],
    )
    lead = (means[OURS] - means[GRADIENT])[0, SHOWN]
    error = lead.std(ddof=1) / len(lead) ** 0.5
    print(
        f"\n{OURS} less {GRADIENT}, comprehensiveness at 20 %: {lead.mean():+.4f}, "
        f"standard error over documents {error:.4f}",
        flush=True,
    )


def summary(curves: Curves) -> list[float]:
    """Comprehensiveness, at 20 % and its AOPC, then sufficiency."""
    by_share = curves.mean(axis=2)
    return [v for losses in by_share for v in (losses[SHOWN], losses.mean())]


digits: Callable[[float], str] = "{:+.3f}".format


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--split", default="test", choices=["dev", "test"])
    parser.add_argument("--sets", nargs="+", default=list(SETS), choices=list(SETS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    for name in options.sets:
        measure(name, SETS[name], options.split, options.seeds)


if __name__ == "__main__":
    main()
