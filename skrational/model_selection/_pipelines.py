"""Pipelines on a path: the steps before the classifier are fitted once, for all points.

A point of the path is then a pipeline of these steps and of a classifier of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sklearn.base import clone
from sklearn.pipeline import Pipeline

__all__ = ["FirstSteps", "classifier_of", "split_steps"]


@dataclass(frozen=True)
class FirstSteps:
    """What comes before the classifier.

    Attributes
    ----------
    pipeline : Pipeline
        These steps.
    name : str
        Of the classifier's step.
    """

    pipeline: Pipeline
    name: str

    def fit_transform(self, X: Any, y: Any) -> tuple[FirstSteps, Any]:
        """Fit a copy of the steps; return it, and what it makes of X."""
        fitted = clone(self.pipeline)
        return FirstSteps(fitted, self.name), fitted.fit_transform(X, y)

    def transform(self, X: Any) -> Any:
        """Turn documents into what the classifier reads; None stays None."""
        return None if X is None else self.pipeline.transform(X)

    def followed_by(self, classifier: Any) -> Pipeline:
        """Return a fitted pipeline; the fitted steps are shared, not copied."""
        return _like(self.pipeline, [*self.pipeline.steps, (self.name, classifier)])


def split_steps(estimator: Any) -> tuple[FirstSteps | None, Any]:
    """Split a pipeline before its last step; what is no pipeline is all classifier."""
    if not isinstance(estimator, Pipeline):
        return None, estimator
    *steps, (name, classifier) = estimator.steps
    if not steps:
        steps = [("nothing", "passthrough")]
    return FirstSteps(_like(estimator, steps), name), classifier


def classifier_of(estimator: Any) -> Any:
    """Return the last step of a pipeline, or what is none."""
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


def _like(pipeline: Pipeline, steps: list[tuple[str, Any]]) -> Pipeline:
    """Return a pipeline of other steps, and of the same options."""
    options = pipeline.get_params(deep=False)
    return Pipeline(**(options | {"steps": steps}))
