"""Estimators within estimators: pipelines, searches, what is frozen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

__all__ = ["flat", "steps_of", "wrapped"]


def steps_of(pipeline: Pipeline) -> list[Any]:
    """Return the steps that do something: neither None nor "passthrough"."""
    return [step for _, step in pipeline.steps if hasattr(step, "fit")]


def flat(step: Any) -> Iterator[Any]:
    """Yield a step or, of a pipeline, its steps; frozen ones as what they freeze."""
    if isinstance(step, FrozenEstimator):
        yield from flat(step.estimator)
    elif isinstance(step, Pipeline):
        for inner in steps_of(step):
            yield from flat(inner)
    else:
        yield step


def wrapped(outer: Any, estimator: Any, expected: str) -> Any:
    """Return the one fitted estimator that another one holds.

    Parameters
    ----------
    outer : object
        Neither a pipeline nor a classifier of ours.
    estimator : object
        What the user gave, for messages.
    expected : str
        The classifiers that should be in it, for messages.
    """
    if isinstance(outer, FrozenEstimator):
        return outer.estimator
    # Beside several fitted ones, ``estimator_`` is their unfitted model.
    if not hasattr(outer, "estimators_"):
        for attribute in ("best_estimator_", "estimator_"):
            if hasattr(outer, attribute):
                return getattr(outer, attribute)
    if hasattr(outer, "fit") and hasattr(outer, "estimator"):
        check_is_fitted(outer)
    found = type(estimator).__name__
    if outer is not estimator:
        found += f" that holds a {type(outer).__name__}"
    raise TypeError(
        f"estimator is a {found}; expected a fitted {expected}, a Pipeline that ends "
        "with one, or a search, a FrozenEstimator or another estimator that is fitted "
        f"around a single one of them. {_advice(outer)}"
    )


def _advice(outer: Any) -> str:
    """Say what to do with an estimator that doesn't hold a single classifier."""
    for several in ("estimators_[0]", "calibrated_classifiers_[0].estimator"):
        if hasattr(outer, several.partition("[")[0]):
            return f"It holds several: pass one of them, such as its {several}."
    if hasattr(outer, "cv_results_"):
        return "A search holds its best one if refit=True."
    return "Of a longer pipeline pass the part that ends with the classifier."
