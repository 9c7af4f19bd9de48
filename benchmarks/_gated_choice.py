"""Which models of the gated benchmark are compared: by dev, or at equal accuracy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._gated_plan import DENSE, Plan
from benchmarks._store import Row

POINT, SHARE = 0.01, 0.05
"""How much worse than the dense network a model may be: in accuracy, and as a share of
perplexity or bits."""
MEASURES = {"word": "perplexity", "character": "bits a character"}


class Results:
    """The rows, with what is compared of them.

    ``sets`` and ``tasks``, of which language models are a part, are those whose dense
    network is there to compare with.
    """

    def __init__(self, rows: Iterable[Row], plan: Plan) -> None:
        self.rows, self._plan = list(rows), plan
        there = {row["set"] for row in self.rows if row["arm"] == DENSE}
        self.sets = [name for name in plan.recipes if name in there]
        languages = [name for name in plan.languages if name in there]
        self.tasks = [*self.sets, *languages]

    def select(self, task: str, **values: Any) -> list[Row]:
        """The rows of a task and these values, those of one seed together."""
        values |= {"set": task}
        found = [r for r in self.rows if all(r[k] == v for k, v in values.items())]
        return sorted(found, key=lambda row: row["seed"])

    def measure(self, task: str) -> str:
        """What a model of the task is judged by."""
        languages = self._plan.languages
        return MEASURES[languages[task].level] if task in languages else "accuracy"

    def tolerance(self, task: str) -> str:
        if self.measure(task) == "accuracy":
            return f"at most {100 * POINT:.0f} point below"
        return f"at most {SHARE:.0%} above"

    def dense(self, task: str, split: str) -> float:
        """The dense network's mean over seeds."""
        return float(np.mean([row[split] for row in self.select(task, arm=DENSE)]))

    def smallest(self, task: str, **values: Any) -> list[Row]:
        """Of each seed the smallest model within the tolerance on dev, if any is."""
        dense = self.dense(task, "dev")
        if self.measure(task) == "accuracy":
            good = [r for r in self.select(task, **values) if r["dev"] >= dense - POINT]
        else:
            most = dense * (1 + SHARE)
            good = [r for r in self.select(task, **values) if r["dev"] <= most]
        good.sort(key=lambda row: row["n_bytes"])
        return _first_of_each_seed(good)

    def best(self, task: str, **values: Any) -> list[Row]:
        """Of each seed the best model on dev; of equal ones the smallest."""
        sign = -1 if self.measure(task) == "accuracy" else 1
        found = self.select(task, **values)
        found.sort(key=lambda row: (sign * row["dev"], row["n_bytes"]))
        return _first_of_each_seed(found)


def _first_of_each_seed(rows: list[Row]) -> list[Row]:
    first: dict[int, Row] = {}
    for row in rows:
        first.setdefault(row["seed"], row)
    return [first[seed] for seed in sorted(first)]


def bytes_at(results: Results, task: str, below: float, **values: Any) -> float:
    """How many times fewer bytes than the dense network's, interpolated on test.

    So far below the dense network, the geometric mean over the seeds that reach it.
    """
    found = results.select(task, **values)
    level = np.array([results.dense(task, "test") - below])
    sizes = [
        size_at([r for r in found if r["seed"] == seed], "n_bytes", "test", level)
        for seed in sorted({row["seed"] for row in found})
    ]
    known = np.array([size for size in sizes if np.isfinite(size)])
    if not len(known):
        return float("nan")
    return float(found[0]["n_bytes_initial"] / np.exp(np.log(known).mean()))


def gates_ratio(
    results: Results, task: str, framework: str, split: str, points: Sequence[float]
) -> NDArray[np.float64]:
    """Gates of W+G+N for each of W+N, so many points below the dense network.

    Returns
    -------
    ndarray of shape (n_seeds, n_points)
        NaN where one of the two paths doesn't reach the accuracy, or begins above it.
    """
    levels = results.dense(task, split) - np.asarray(points) / 100
    of_arms = [
        results.select(task, arm=arm, framework=framework) for arm in ("W+G+N", "W+N")
    ]
    seeds = sorted(set.intersection(*({r["seed"] for r in rows} for rows in of_arms)))
    ratios = np.empty((len(seeds), len(points)))
    for i, seed in enumerate(seeds):
        ours, theirs = (
            size_at([r for r in rows if r["seed"] == seed], "n_gates", split, levels)
            for rows in of_arms
        )
        ratios[i] = ours / theirs
    return ratios


def size_at(
    path: list[Row], size: str, split: str, levels: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The size with which a path reaches accuracies, NaN outside its range.

    A path's accuracy at a size is the best of at most that size, interpolated over the
    logarithm of the size.
    """
    points = sorted((row[size], row[split]) for row in path if row[size])
    if not points:
        return np.full(len(levels), np.nan)
    sizes, accuracies = np.array(points, dtype=float).T
    best, first = np.unique(np.maximum.accumulate(accuracies), return_index=True)
    inside = np.interp(levels, best, np.log(sizes[first]), left=np.nan, right=np.nan)
    return np.exp(inside)
