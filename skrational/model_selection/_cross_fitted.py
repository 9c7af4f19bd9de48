"""The score of what is chosen, on documents that it wasn't chosen by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["cross_fitted"]


def cross_fitted(points: Sequence[Any], n_splits: int, random_state: int) -> float:
    """Choose the best point by all but one part of the documents, and score it on that.

    Parameters
    ----------
    points : sequence of PathPoint
    n_splits : int
    random_state : int

    Returns
    -------
    float
        The mean over all documents.
    """
    kept = [point.validation_scores for point in points]
    if any(scores is None for scores in kept):
        raise ValueError(
            "The points of this path don't hold what each validation document adds to "
            "their scores: an earlier version has followed it. Follow it again."
        )
    scores = np.array(kept, dtype=float)
    n = scores.shape[1]
    if n_splits > n:
        raise ValueError(
            f"n_splits is {n_splits}; expected 2 to {n}, as many as there are "
            "validation documents."
        )
    sizes = np.array([point.size for point in points])
    order = np.random.default_rng(random_state).permutation(n)
    total = 0.0
    for part in np.array_split(order, n_splits):
        others = scores.sum(axis=1) - scores[:, part].sum(axis=1)
        best = np.lexsort((sizes, -np.round(others, 9)))[0]
        total += scores[best, part].sum()
    return float(total / n)
