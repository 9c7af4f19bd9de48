"""What a curve of sizes and scores is made of: paths, tables, baselines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skrational.model_selection._pipelines import classifier_of

__all__ = [
    "check_curve",
    "checked_baseline",
    "fit_paths",
    "points_of_runs",
    "rows_by_value",
    "score_column",
    "size_label_of",
    "sizes_and_scores",
    "stacked",
]


def fit_paths(
    estimator: Any,
    X: Any,
    y: Any,
    random_states: Iterable[int] | None,
    options: dict[str, Any],
) -> list[Any]:
    """Fit a path with each seed.

    Parameters
    ----------
    estimator : estimator
    X, y : like those of ``fit``, or None
    random_states : iterable of int or None
    options : dict
        Passed on to `regularization_path`.
    """
    if X is None or y is None:
        raise ValueError(
            f"X or y is None, and the {type(estimator).__name__} has no paths_; "
            "expected X and y, or a fitted SparseRationalClassifierCV."
        )
    from skrational.model_selection._path_fit import regularization_path

    if random_states is None:
        return [regularization_path(estimator, X, y, **options)]
    paths = []
    for seed in random_states:
        seeded = clone(estimator)
        classifier_of(seeded).set_params(random_state=seed)
        paths.append(regularization_path(seeded, X, y, **options))
        if paths[-1].interrupted:
            break
    return paths


def points_of_runs(paths: Any) -> list[Sequence[Any]]:
    """Return the points of each path, of one or of several."""
    # A path is a sequence itself, of classifiers.
    several = isinstance(paths, Iterable) and not hasattr(paths, "points")
    paths = list(paths) if several else [paths]
    if not paths:
        raise ValueError("paths holds no path for a curve; expected at least one.")
    for path in paths:
        if not hasattr(path, "points"):
            raise TypeError(
                f"paths holds a {type(path).__name__}; expected RegularizationPath."
            )
    return [path.points for path in paths]


def sizes_and_scores(points: Sequence[Any], column: str) -> list[tuple[float, float]]:
    """Size and score of each point, the size by whichever of its names there is."""
    return [
        (p.size if hasattr(p, "size") else p.n_transitions, getattr(p, column))
        for p in points
    ]


def size_label_of(points: Iterable[Any], default: str) -> str:
    """How the first structure of some points calls their size on an axis."""
    labels = (p.structure.size_label for p in points if hasattr(p, "structure"))
    return next(labels, default)


def rows_by_value(frame: Any, column: str | None) -> list[tuple[Any, Any]]:
    """The rows of each value of a column, in order of appearance."""
    return [("", frame)] if column is None else list(frame.groupby(column, sort=False))


def stacked(runs: Sequence[Any]) -> NDArray[np.floating]:
    """Stack runs of (size, score) pairs, filled up with NaN to the longest."""
    stacked = np.full((len(runs), max(map(len, runs)), 2), np.nan)
    for row, run in zip(stacked, runs, strict=True):
        row[: len(run)] = run
    return stacked


def score_column(score: str) -> str:
    """Name the column of a score."""
    if score not in ("validation", "test"):
        raise ValueError(f"score is {score!r}; expected 'validation' or 'test'.")
    return f"{score}_score"


def check_curve(
    name: str, sizes: NDArray[np.floating], scores: NDArray[np.floating]
) -> None:
    """Raise a ValueError if sizes and scores don't fit together."""
    if sizes.ndim != 2 or sizes.shape != scores.shape:
        raise ValueError(
            f"n_transitions[{name!r}] and scores[{name!r}] have the shapes "
            f"{sizes.shape} and {scores.shape}; expected (n_runs, n_lambdas) for both."
        )
    if np.isnan(scores).all():
        raise ValueError(
            f"scores[{name!r}] holds no number; expected at least one. A path has test "
            "scores only where X_test and y_test were given."
        )


def checked_baseline(label: str, value: Any) -> tuple[float, ...]:
    """Return a baseline as a tuple of numbers."""
    values = (value,) if isinstance(value, Real) else value
    if (
        not isinstance(values, tuple | list)
        or len(values) not in (1, 2, 4)
        or not all(isinstance(v, Real) for v in values)
    ):
        raise ValueError(
            f"baselines[{label!r}] is {value!r}; expected score, "
            "(n_transitions, score) or (n_transitions, score, n_transitions_std, "
            "score_std)."
        )
    return tuple(float(v) for v in values)
