"""Fitted estimators within others: the same ones around another inside."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

__all__ = ["rebuilt"]


def rebuilt(outer: Any, swaps: Mapping[int, Any]) -> Any:
    """Return a fitted estimator in which others stand in place of some.

    What holds none of these is shared, what holds one is copied.

    Parameters
    ----------
    outer : object
        An estimator, or what else is a step of a pipeline.
    swaps : mapping of int to estimator
        What is to stand in the place of the object of an ``id``.

    Returns
    -------
    object
    """
    if id(outer) in swaps:
        return swaps[id(outer)]
    if isinstance(outer, Pipeline):
        return _with(outer, steps=[(n, rebuilt(s, swaps)) for n, s in outer.steps])
    if isinstance(outer, FrozenEstimator):
        return _with(outer, estimator=rebuilt(outer.estimator, swaps))
    for attribute in ("best_estimator_", "estimator_"):
        if hasattr(outer, attribute):
            inner = rebuilt(getattr(outer, attribute), swaps)
            return _with(outer, **{attribute: inner})
    return outer


def _with(outer: Any, **attributes: Any) -> Any:
    """Copy an estimator, with other attributes."""
    new = copy(outer)
    vars(new).update(attributes)
    return new
