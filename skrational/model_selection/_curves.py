"""What is drawn of a curve of sizes and scores: means, a line, a choice, baselines."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.model_selection._one_se import within_one_se

__all__ = [
    "RULES",
    "Means",
    "baseline_of",
    "check_curve",
    "check_position",
    "check_rule",
    "check_shapes",
    "choose_position",
    "line_positions",
    "means_of_runs",
]

RULES = {
    "smallest_within_one_se": "smallest within one standard error of the best",
    "best": "best",
}
"""Ways to choose a point, and what the legend calls it."""


class Means(NamedTuple):
    """Means over runs, at each position on the grid.

    Attributes
    ----------
    x, y : ndarray of shape (n_lambdas,)
        Sizes and scores.
    x_std, y_std : ndarray of shape (n_lambdas,)
        Standard deviations (ddof=1) over the runs, 0 of a single run.
    y_error : ndarray of shape (n_lambdas,)
        Standard errors of the scores; NaN if not known.
    n_runs : ndarray of shape (n_lambdas,), integer
        Runs that are there.
    most : int
        Runs in all.
    """

    x: NDArray[np.floating]
    y: NDArray[np.floating]
    x_std: NDArray[np.floating]
    y_std: NDArray[np.floating]
    y_error: NDArray[np.floating]
    n_runs: NDArray[np.intp]
    most: int


def means_of_runs(
    sizes: NDArray[np.floating],
    scores: NDArray[np.floating],
    errors: NDArray[np.floating] | None = None,
) -> Means:
    """Average runs.

    Parameters
    ----------
    sizes, scores : ndarray of shape (n_runs, n_lambdas)
    errors : ndarray of shape (n_runs, n_lambdas), default=None
        Standard errors of the scores. They count where there is one run in all; of
        several, the standard error of their mean comes from how they differ.

    Returns
    -------
    Means
    """
    there = ~np.isnan(sizes) & ~np.isnan(scores)
    n_runs = there.sum(axis=0)
    (x, x_std), (y, y_std) = (_mean_std(v, there) for v in (sizes, scores))
    if len(sizes) > 1:
        error = np.where(n_runs > 1, y_std / np.sqrt(np.maximum(n_runs, 1)), np.nan)
    else:
        error = np.full(len(x), np.nan) if errors is None else errors[0]
    return Means(x, y, x_std, y_std, error, n_runs, len(sizes))


def _mean_std(
    values: NDArray[np.floating], there: NDArray[np.bool_]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Mean and standard deviation (ddof=1) over the runs that are there."""
    n = there.sum(axis=0)
    values = np.where(there, values, 0.0)
    mean = np.divide(values.sum(axis=0), n, out=np.full(n.shape, np.nan), where=n > 0)
    squares = np.where(there, (values - mean) ** 2, 0.0).sum(axis=0)
    # A single run has no spread to show.
    return mean, np.sqrt(squares / np.maximum(n - 1, 1))


def line_positions(
    x: NDArray[np.floating], ranking: NDArray[np.floating]
) -> NDArray[np.intp]:
    """Positions of the best point of each size, by falling size.

    Parameters
    ----------
    x : ndarray of shape (n_lambdas,)
        Sizes; NaN is left out.
    ranking : ndarray of shape (n_lambdas,)
        What the best one has most of; NaN is worst.

    Examples
    --------
    >>> line_positions(np.array([9, 4, 4, np.nan]), np.array([0.8, 0.7, 0.9, 0.6]))
    array([0, 2])
    """
    order = np.lexsort((-ranking, -x))
    order = order[~np.isnan(x[order])]
    is_first = np.append(True, np.diff(x[order]) != 0)[: len(order)]
    return order[is_first]


def choose_position(means: Means, rule: str) -> int | None:
    """Position that a rule chooses, None if it lacks scores or their errors.

    Only positions at which all runs are there count.
    """
    is_full = means.n_runs == means.n_runs.max(initial=0)
    scores = np.where(is_full, means.y, np.nan)
    if np.isnan(scores).all():
        return None
    if rule == "best":
        return int(np.lexsort((means.x, -scores))[0])
    if np.isnan(means.y_error[np.nanargmax(scores)]):
        return None
    return within_one_se(scores, means.y_error, means.x)


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


def check_shapes(
    what: str,
    values: Mapping[str, NDArray[np.floating]],
    scores: Mapping[str, NDArray[np.floating]],
) -> None:
    """Raise a ValueError if values, by curve, don't pair up with the scores."""
    for name, of_curve in values.items():
        expected = scores[name].shape if name in scores else "no curve of this name"
        if of_curve.shape != expected:
            raise ValueError(
                f"{what}[{name!r}] has the shape {of_curve.shape}; expected {expected}."
            )


def check_rule(rule: Any) -> None:
    """Raise a ValueError if there is no such way to choose a point."""
    if rule is not None and rule not in RULES:
        raise ValueError(f"choose is {rule!r}; expected one of {[*RULES]}, or None.")


def check_position(
    name: str, position: int, sizes: Mapping[str, NDArray[np.floating]]
) -> None:
    """Raise a ValueError if a curve has no point at a position."""
    n_lambdas = sizes[name].shape[1] if name in sizes else 0
    if not 0 <= position < n_lambdas:
        raise ValueError(
            f"chosen[{name!r}] is {position}, but the curve of this name has "
            f"{n_lambdas} points."
        )


def baseline_of(label: str, value: Any, split: str) -> tuple[float, ...] | None:
    """Return a baseline as a tuple of numbers, None if it has none on a split."""
    if isinstance(value, Mapping):
        return baseline_of(label, value[split], split) if split in value else None
    values = (value,) if isinstance(value, Real) else value
    if (
        not isinstance(values, tuple | list)
        or len(values) not in (1, 2, 4)
        or not all(isinstance(v, Real) for v in values)
    ):
        raise ValueError(
            f"baselines[{label!r}] is {value!r}; expected score, "
            "(n_transitions, score) or (n_transitions, score, n_transitions_std, "
            "score_std), or a dict of these by what they were scored on."
        )
    return tuple(float(v) for v in values)
