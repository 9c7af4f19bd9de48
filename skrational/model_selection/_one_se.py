"""The rule of one standard error: as small as a model may be and still be level."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import check_scoring, get_scorer
from sklearn.pipeline import Pipeline

__all__ = [
    "final_estimator",
    "score_and_size",
    "smallest_within_one_se",
    "within_one_se",
]


def within_one_se(means: ArrayLike, errors: ArrayLike, sizes: ArrayLike) -> int:
    """Choose the smallest candidate whose score is level with the best one's.

    Level is a score of at least the best one minus the standard error of the best one.
    Among the smallest the better score wins, then the first.

    Parameters
    ----------
    means : array-like of shape (n_candidates,)
        Scores, higher is better. NaN never wins.
    errors : array-like of shape (n_candidates,)
        Standard errors of the scores.
    sizes : array-like of shape (n_candidates,)
        NaN counts as larger than any number.

    Returns
    -------
    int
        Position of the candidate.

    Raises
    ------
    ValueError
        If lengths differ, no score is a number, or the best one has no standard error.

    Examples
    --------
    >>> within_one_se([0.90, 0.91, 0.85], [0.02, 0.02, 0.02], [10, 20, 5])
    0
    """
    means, errors, sizes = (
        np.asarray(values, dtype=float) for values in (means, errors, sizes)
    )
    if means.ndim != 1 or not means.shape == errors.shape == sizes.shape:
        raise ValueError(
            f"means, errors and sizes have the shapes {means.shape}, {errors.shape} "
            f"and {sizes.shape}; expected (n_candidates,) for each."
        )
    if np.isnan(means).all():
        raise ValueError(
            f"None of the {len(means)} scores is a number; expected at least one. "
            "Where a fit or a scorer failed, a warning above tells why."
        )
    best = np.nanargmax(means)
    if not errors[best] >= 0:
        raise ValueError(
            f"The standard error of the best score is {errors[best]}; expected a "
            "number from 0 upwards, which takes at least two splits."
        )
    level = np.flatnonzero(means >= means[best] - errors[best])
    return int(level[np.lexsort((-means[level], sizes[level]))[0]])


def smallest_within_one_se(
    size: str = "n_transitions_", *, score: str = "score"
) -> Callable[[Mapping[str, Any]], int]:
    """Make a search take the smallest model that is level with the best one.

    For ``GridSearchCV(refit=...)`` and its like. Of the candidates whose mean score is
    within one standard error of the best one's (the standard deviation of the best
    one's scores over the splits, with ddof=1, by the root of their number) it takes the
    one of the smallest mean size; ties go to the better score, then to the first.

    Parameters
    ----------
    size : str
        Name of the size among the scores of the search, as `score_and_size` reports
        it, by default ``"n_transitions_"``. If the search doesn't report it, but its
        grid varies nothing but ``lambda_``, alone or as the parameter of a step
        (``..__lambda_``), the candidate of the largest value counts as the smallest.
    score : str, default="score"
        Name of the score: "score" in a search with a single one and with
        `score_and_size`, else a key of its ``scoring``.

    Returns
    -------
    callable
        Takes ``cv_results_`` and returns an index. It can be pickled. It raises a
        ValueError if the score or the size isn't there, no mean score is a number, or
        the search has a single split, which leaves no standard error.

    References
    ----------
    .. [1] Breiman, Friedman, Olshen, Stone, "Classification and Regression Trees",
       Wadsworth 1984, section 3.4.3, for the rule.

    Examples
    --------
    >>> choose = smallest_within_one_se()
    >>> choose
    smallest_within_one_se('n_transitions_')
    >>> choose({
    ...     "params": [{"lambda_": 0.001}, {"lambda_": 0.01}],
    ...     "mean_test_score": [0.81, 0.80],
    ...     "split0_test_score": [0.83, 0.80],
    ...     "split1_test_score": [0.79, 0.80],
    ... })
    1
    """
    return _SmallestWithinOneSE(size, score)


def score_and_size(
    size: str = "n_transitions_",
    scoring: str | Callable[..., float] | None = None,
) -> Callable[..., dict[str, float]]:
    """Report the size of a model beside its score, for use in a search.

    Parameters
    ----------
    size : str
        An attribute of the fitted classifier, by default ``"n_transitions_"``; of a
        pipeline, that of its last step.
    scoring : str, callable or None, default=None
        The score: a name that `sklearn.metrics.get_scorer` knows, or a callable
        ``(estimator, X, y)``. None is the estimator's own ``score``.

    Returns
    -------
    callable
        A scorer ``(estimator, X, y)`` that returns ``{"score": ..., size: ...}``. It
        can be pickled. It raises an AttributeError if the attribute isn't there.

    Raises
    ------
    ValueError
        If ``scoring`` is a name that scikit-learn doesn't know.
    TypeError
        If ``scoring`` is neither a name, nor a callable, nor None.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skrational import SparseRationalClassifier
    >>> search = GridSearchCV(
    ...     SparseRationalClassifier(),
    ...     {"lambda_": [1e-3, 2e-3, 4e-3], "n_wfsas": [12, 24]},
    ...     scoring=score_and_size(),
    ...     refit=smallest_within_one_se(),
    ... )
    """
    if isinstance(scoring, str):
        get_scorer(scoring)
    elif scoring is not None and not callable(scoring):
        raise TypeError(
            f"scoring is {scoring!r}; expected the name of a score, a callable "
            "(estimator, X, y) or None."
        )
    return _ScoreAndSize(size, scoring)


@dataclass(frozen=True, repr=False)
class _SmallestWithinOneSE:
    size: str
    score: str

    def __call__(self, cv_results: Mapping[str, Any]) -> int:
        mean = f"mean_test_{self.score}"
        if mean not in cv_results:
            raise ValueError(
                f"score is {self.score!r}, which the search doesn't report; expected "
                f"one of {_reported(cv_results)}."
            )
        split = re.compile(rf"split\d+_test_{re.escape(self.score)}")
        scores = np.array([v for k, v in cv_results.items() if split.fullmatch(k)])
        if len(scores) < 2:
            raise ValueError(
                f"The search has {len(scores)} split; expected at least two, without "
                "which a score has no standard error."
            )
        errors = scores.std(axis=0, ddof=1) / np.sqrt(len(scores))
        return within_one_se(cv_results[mean], errors, self._sizes(cv_results))

    def _sizes(self, cv_results: Mapping[str, Any]) -> NDArray[np.floating]:
        if (mean := f"mean_test_{self.size}") in cv_results:
            return np.asarray(cv_results[mean], dtype=float)
        candidates = cv_results["params"]
        varied = _varied(candidates)
        strength = _strengths(candidates)
        if len(strength) == 1 and varied <= strength:
            (name,) = strength
            return -np.array([c.get(name, np.nan) for c in candidates], dtype=float)
        raise ValueError(
            f"The search reports no {self.size!r}, only {_reported(cv_results)}, and "
            f"its grid varies {sorted(varied)}; expected lambda_ alone, or "
            f"GridSearchCV(..., scoring=score_and_size({self.size!r}), "
            f"refit=smallest_within_one_se({self.size!r}))."
        )

    def __repr__(self) -> str:
        score = "" if self.score == "score" else f", score={self.score!r}"
        return f"smallest_within_one_se({self.size!r}{score})"


@dataclass(frozen=True, repr=False)
class _ScoreAndSize:
    size: str
    scoring: str | Callable[..., float] | None

    def __call__(self, estimator: Any, X: Any, y: Any = None) -> dict[str, float]:
        classifier = final_estimator(estimator)
        if not hasattr(classifier, self.size):
            raise AttributeError(
                f"size is {self.size!r}, which the fitted {type(classifier).__name__} "
                "doesn't have; expected an attribute like 'size_'."
            )
        scorer = check_scoring(estimator, scoring=self.scoring)
        score = scorer(estimator, X, y)
        return _Scores({"score": score, self.size: getattr(classifier, self.size)})

    def __repr__(self) -> str:
        scoring = "" if self.scoring is None else f", scoring={self.scoring!r}"
        return f"score_and_size({self.size!r}{scoring})"


class _Scores(dict[Any, float]):
    """Scores by name, for a search's own ``score`` too.

    With several scores, GridSearchCV.score looks for the one named by ``refit``, though
    that be a callable.
    """

    def __missing__(self, name: Any) -> float:
        if callable(name):
            return self["score"]
        raise KeyError(name)


def final_estimator(estimator: Any) -> Any:
    """Return the last step of a pipeline, or else the estimator itself."""
    return (
        final_estimator(estimator[-1]) if isinstance(estimator, Pipeline) else estimator
    )


def _reported(cv_results: Mapping[str, Any]) -> list[str]:
    """Names of the scores that a search reports."""
    prefix = "mean_test_"
    return sorted(k.removeprefix(prefix) for k in cv_results if k.startswith(prefix))


def _strengths(candidates: list[dict[str, Any]]) -> set[str]:
    """Names of the parameters that are a ``lambda_``, of whatever step."""
    names = {name for candidate in candidates for name in candidate}
    return {name for name in names if name.split("__")[-1] == "lambda_"}


def _varied(candidates: list[dict[str, Any]]) -> set[str]:
    """Names of the parameters in which candidates differ."""
    names = {name for candidate in candidates for name in candidate}
    # Values may be estimators or arrays, which can't be compared by ==.
    values = {
        name: {joblib.hash((name in c, c.get(name))) for c in candidates}
        for name in names
    }
    return {name for name, hashes in values.items() if len(hashes) > 1}
