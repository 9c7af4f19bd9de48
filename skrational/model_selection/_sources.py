"""Where curves of sizes and scores come from: paths and tables of them.

A curve is an array of shape (n_runs, n_lambdas, 4): size, score, validation score and
its standard error, NaN where they aren't known or a path has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skrational.model_selection._curves import (
    RULES,
    check_rule,
    choose_position,
    means_of_runs,
)
from skrational.model_selection._pipelines import classifier_of

__all__ = [
    "curves_of_frame",
    "curves_of_paths",
    "fit_paths",
    "parameters_of",
    "score_column",
]


def curves_of_paths(
    paths: Any, name: str | None, column: str, size_label: str
) -> tuple[dict[str, NDArray[np.floating]], dict[str, str]]:
    """Stack the runs of each curve.

    Parameters
    ----------
    paths : RegularizationPath, list of them, or dict of str to either
    name : str or None
        Of a single curve.
    column : str
        The attribute of a point that is its score.
    size_label : str
        What sizes count, unless the points' structures say so.

    Returns
    -------
    curves : dict of str to ndarray of shape (n_runs, n_lambdas, 4)
    labels : dict of str to str
        ``size_label``, and ``metric``, what the scores are.
    """
    if isinstance(paths, Mapping) and name is not None:
        raise ValueError(
            f"name is {name!r}, but paths is a dict, whose keys are the names; "
            "expected None."
        )
    named = paths if isinstance(paths, Mapping) else {name or "": paths}
    listed = {str(name): _listed(value) for name, value in named.items()}
    runs = {name: [path.points for path in of] for name, of in listed.items()}
    curves = {
        name: _stacked([_columns_of_points(run, column) for run in of_curve])
        for name, of_curve in runs.items()
    }
    points = chain.from_iterable(chain.from_iterable(runs.values()))
    sizes = (p.structure.size_label for p in points if hasattr(p, "structure"))
    metrics = (
        getattr(path, "metric", "accuracy") for of in listed.values() for path in of
    )
    metric = next(metrics, "accuracy")
    return curves, {"size_label": next(sizes, size_label), "metric": metric}


def curves_of_frame(
    frame: Any, by: str | None, seed: str | None, size: str, column: str
) -> dict[str, NDArray[np.floating]]:
    """Stack the runs of each curve in a table.

    Parameters
    ----------
    frame : DataFrame
    by, seed : str or None
        Columns that tell curves, and runs of a curve, apart.
    size, column : str
        Columns of sizes and of scores.

    Returns
    -------
    dict of str to ndarray of shape (n_runs, n_lambdas, 4)
    """
    labels = [label for label in (by, seed) if label is not None]
    expected = [*labels, "lambda_", size, column]
    if missing := set(expected) - set(frame.columns):
        raise ValueError(f"frame has no {sorted(missing)}; expected {expected}.")
    if (again := frame.duplicated([*labels, "lambda_"])).any():
        row = frame.loc[again, [*labels, "lambda_"]].iloc[0].to_dict()
        raise ValueError(
            f"frame has several rows of {row}; expected one, with by={by!r} and "
            f"seed={seed!r} telling the paths apart."
        )
    return {
        str(name): _stacked(
            [
                _columns_of_rows(run, size, column)
                for _, run in _rows_by_value(curve, seed)
            ]
        )
        for name, curve in _rows_by_value(frame, by)
    }


def parameters_of(
    curves: Mapping[str, NDArray[np.floating]], score: str, choose: str | None
) -> dict[str, Any]:
    """Parameters of a display, but for baselines and labels.

    Parameters
    ----------
    curves : dict of str to ndarray of shape (n_runs, n_lambdas, 4)
    score : {"validation", "test"}
    choose : str or None
        The rule by which a point is chosen.
    """
    check_rule(choose)
    sizes, scores, ranking, errors = (
        {name: runs[..., i] for name, runs in curves.items()} for i in range(4)
    )
    known = {k: v for k, v in ranking.items() if not np.isnan(v).all()}
    chosen = {
        name: choose_position(means_of_runs(sizes[name], v, errors[name]), choose)
        for name, v in known.items()
        if choose is not None
    }
    return {
        "n_transitions": sizes,
        "scores": scores,
        "score_name": score,
        "errors": errors if score == "validation" else None,
        "ranking": known,
        "chosen": {k: v for k, v in chosen.items() if v is not None},
        "choice": RULES.get(choose or "", "chosen"),
    }


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


def _listed(paths: Any) -> list[Any]:
    """Return a list of paths, of one or of several."""
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
    return paths


def _columns_of_points(points: Sequence[Any], column: str) -> NDArray[np.floating]:
    """Size, score, validation score and its error of each point, NaN if not known.

    The size is there by whichever of its names a point has.

    Returns
    -------
    ndarray of shape (n_points, 4)
    """
    return np.array(
        [
            (
                p.size if hasattr(p, "size") else p.n_transitions,
                getattr(p, column),
                p.validation_score,
                getattr(p, "validation_error", np.nan),
            )
            for p in points
        ],
        float,
    ).reshape(-1, 4)


def _columns_of_rows(frame: Any, size: str, column: str) -> NDArray[np.floating]:
    """The same of the rows of a table, by rising ``lambda_``.

    Returns
    -------
    ndarray of shape (n_rows, 4)
    """
    rows = frame.sort_values("lambda_")
    names = size, column, "validation_score", "validation_error"
    nothing = np.full(len(rows), np.nan)
    return np.column_stack([rows[n] if n in rows else nothing for n in names])


def _rows_by_value(frame: Any, column: str | None) -> list[tuple[Any, Any]]:
    """The rows of each value of a column, in order of appearance."""
    return [("", frame)] if column is None else list(frame.groupby(column, sort=False))


def _stacked(runs: Sequence[NDArray[np.floating]]) -> NDArray[np.floating]:
    """Stack runs of rows, filled up with NaN to the longest.

    Returns
    -------
    ndarray of shape (n_runs, n_rows, n_columns)
    """
    shape = len(runs), max(map(len, runs)), runs[0].shape[1]
    stacked = np.full(shape, np.nan)
    for row, run in zip(stacked, runs, strict=True):
        row[: len(run)] = run
    return stacked


def score_column(score: str) -> str:
    """Name the column of a score."""
    if score not in ("validation", "test"):
        raise ValueError(f"score is {score!r}; expected 'validation' or 'test'.")
    return f"{score}_score"
