"""Steps of a pipeline between feature vectors and the estimator: affine maps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    RobustScaler,
    StandardScaler,
)

from skrational.deployment.onnx.network import Array
from skrational.estimators.time_steps import TimeStepTransformer

__all__ = ["Affine", "affine_of"]

_AFFINE = (
    MaxAbsScaler,
    MinMaxScaler,
    PCA,
    RobustScaler,
    StandardScaler,
    TruncatedSVD,
)


class Affine(NamedTuple):
    """What becomes of rows: ``(x - center) @ matrix + offset``.

    Attributes
    ----------
    center : ndarray of shape (n_features_in,)
        Taken off first, so that small differences of large numbers keep their digits.
    matrix : ndarray of shape (n_features_in, n_features_out)
    offset : ndarray of shape (n_features_out,)
    """

    center: Array
    matrix: Array
    offset: Array

    @classmethod
    def nothing(cls, n_features: int) -> Affine:
        """Return the map that leaves rows as they are."""
        return cls(np.zeros(n_features), np.eye(n_features), np.zeros(n_features))


def affine_of(steps: tuple[Any, ...], n_features: int) -> Affine:
    """Join the steps before an estimator of so many features into one affine map.

    Raises
    ------
    TypeError
        If a step isn't a `TimeStepTransformer`, or its transformer isn't affine.

    Examples
    --------
    >>> scaler = TimeStepTransformer(StandardScaler()).fit([[[1.0], [3.0]]])
    >>> affine_of((scaler,), 1)
    Affine(center=array([2.]), matrix=array([[1.]]), offset=array([0.]))
    """
    inner = [one for step in steps for one in _transformers(step)]
    if not inner:
        return Affine.nothing(n_features)
    joined: Affine | None = None
    for transformer in inner:
        affine = _affine(transformer)
        if joined is None:
            joined = affine
            continue
        offset = (joined.offset - affine.center) @ affine.matrix + affine.offset
        joined = Affine(joined.center, joined.matrix @ affine.matrix, offset)
    assert joined is not None
    return joined


def _transformers(step: Any) -> Iterator[Any]:
    """Yield the transformers of rows that a step applies one after the other."""
    if isinstance(step, TimeStepTransformer):
        yield from _transformers(step.transformer_)
    elif isinstance(step, Pipeline):
        for _, inner in step.steps:
            if hasattr(inner, "fit"):
                yield from _transformers(inner)
    else:
        yield step


def _affine(transformer: Any) -> Affine:
    clips = getattr(transformer, "clip", False)
    # A class that is derived from these may do something else.
    is_known = type(transformer) in _AFFINE or isinstance(transformer, SelectorMixin)
    if clips or not is_known:
        raise TypeError(
            f"The pipeline holds a {type(transformer).__name__}, which is no affine "
            "map that can be a part of the graph. Export the steps behind it, such as "
            "pipeline[-1], and transform the vectors before they are given to the "
            "graph."
        )
    n = transformer.n_features_in_
    center = _center(transformer, n)
    offset = transformer.transform(center[None])[0]
    # The spread of a column may be far from 1.
    matrix = transformer.transform(center + np.eye(n)) - offset
    return Affine(center, matrix, offset)


def _center(transformer: Any, n_features: int) -> Array:
    """Return a row in the middle of those that were learned from, float64."""
    for name in ("mean_", "center_", "data_min_"):
        found = getattr(transformer, name, None)
        if found is not None:
            return np.asarray(found, np.float64)
    return np.zeros(n_features)
