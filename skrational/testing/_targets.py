"""Checks of targets and of weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import clone

from skrational.testing._case import Case
from skrational.testing._outputs import assert_outputs, assert_same, outputs, take

__all__ = [
    "check_string_labels",
    "check_targets_of_tokens",
    "check_vector_targets",
    "check_weights_as_repetitions",
    "check_zero_weights_as_removal",
]


def check_string_labels(estimator: Any, rtol: float = 0) -> None:
    """Classes may be strings, and are predicted as such."""
    case = Case.of(estimator)
    expected = outputs(case.fit(estimator), case.X)
    names = np.array(["absent", "present"])
    for dtype in (names.dtype, object):
        labels = names[case.y].astype(dtype)
        told = f"classes that are strings (of type {labels.dtype})"
        fitted = case.fit(estimator, y=labels, told=told)
        found = outputs(fitted, case.X, told)
        if list(fitted.classes_) != list(names):
            raise AssertionError(f"classes_ is {fitted.classes_}; expected {names}.")
        predicted = found.pop("predict")
        right = [str(names[int(k)]) for k in expected["predict"]]
        if list(map(str, predicted)) != right:
            raise AssertionError(
                f"With classes {names}, predict returns {predicted}; expected {right}."
            )
        others = {name: rows for name, rows in expected.items() if name != "predict"}
        assert_same(found, others, told, rtol)


def check_vector_targets(estimator: Any, rtol: float = 0) -> None:
    """Vectors as targets are predicted, each sequence for itself."""
    case = Case.of(estimator)
    number = np.asarray(case.y)
    y = np.column_stack([number, number[::-1] / 2, np.sin(number)])
    told = "vectors as targets"
    fitted = case.fit(estimator, y=y, told=told)
    found = outputs(fitted, case.X, told)
    shape = np.shape(found["predict"])
    if shape != y.shape:
        raise AssertionError(f"predict returns shape {shape}; expected {y.shape}.")
    _predict_parts(fitted, case, found, rtol)


def check_targets_of_tokens(estimator: Any, rtol: float = 0) -> None:
    """Values after every token are predicted, each sequence for itself, or refused."""
    case = Case.of(estimator)
    y = np.empty(len(case), dtype=object)
    for i, rows in enumerate(case.X):
        y[i] = np.cumsum(rows[:, :2], axis=0)
    told = "targets of tokens"
    try:
        clone(estimator).fit(case.X, y)
    except (TypeError, ValueError):
        return
    fitted = case.fit(estimator, y=y, told=told)
    found = outputs(fitted, case.X, told)
    shapes, right = ([np.shape(v) for v in vs] for vs in (found["predict"], y))
    if shapes != right:
        raise AssertionError(f"predict returns shapes {shapes}; expected {right}.")
    _predict_parts(fitted, case, found, rtol)


def check_zero_weights_as_removal(estimator: Any, rtol: float = 0) -> None:
    """Sequences of weight 0 are as good as left out."""
    case = Case.of(estimator)
    kept = np.arange(len(case)) % 3 > 0
    weights = kept.astype(float)
    weighted = case.fit(estimator, told="weights of 0", sample_weight=weights)
    y = None if case.y is None else case.y[kept]
    removed = case.fit(estimator, case.take(np.flatnonzero(kept)), y)
    expected = outputs(removed, case.X)
    assert_outputs(weighted, case.X, expected, "weights of 0", rtol)


def check_weights_as_repetitions(estimator: Any, rtol: float = 0) -> None:
    """A sequence of weight 2 is as good as two; numbers are added in another order."""
    case = Case.of(estimator)
    times = 1 + np.arange(len(case)) % 3 // 2
    weights = times.astype(float)
    weighted = case.fit(estimator, told="weights of 2", sample_weight=weights)
    positions = np.repeat(np.arange(len(case)), times)
    y = None if case.y is None else case.y[positions]
    repeated = case.fit(estimator, case.take(positions), y)
    expected = outputs(repeated, case.X)
    assert_outputs(weighted, case.X, expected, "weights of 2", max(rtol, 1e-4))


def _predict_parts(fitted: Any, case: Case, found: Any, rtol: float) -> None:
    order = np.random.default_rng(0).permutation(len(case)).tolist()
    for told, positions in (("X in another order", order), ("sequence 5 alone", [5])):
        expected = take(found, positions)
        assert_outputs(fitted, case.take(positions), expected, told, rtol)
