"""Checks that what is said of a sequence depends on nothing beside it."""

from __future__ import annotations

from typing import Any

import numpy as np

from skrational.sequences import SequenceArray
from skrational.testing._case import Case, is_of_texts
from skrational.testing._outputs import (
    assert_outputs,
    assert_same,
    numbers,
    outputs,
    take,
)

__all__ = [
    "check_empty_sequences",
    "check_every_sequence_alone",
    "check_large_batch",
    "check_order",
    "check_sequences_of_length_one",
    "check_subset",
]


def check_order(estimator: Any, rtol: float = 0) -> None:
    """Sequences in another order are told of in that order."""
    order = np.random.default_rng(0).permutation(len(Case.of(estimator)))
    _predict_parts(estimator, {"X in another order": order.tolist()}, rtol)


def check_subset(estimator: Any, rtol: float = 0) -> None:
    """Of a part of the sequences the same is said, however often each is there."""
    some = list(range(3, len(Case.of(estimator)), 4))
    parts = {"a part of X": some, "sequences that are repeated": [5, 2, 5, 5, 0]}
    _predict_parts(estimator, parts, rtol)


def check_every_sequence_alone(estimator: Any, rtol: float = 0) -> None:
    """A sequence alone is told of as it is among others."""
    n = len(Case.of(estimator))
    parts = {f"sequence {i} of X alone": [i] for i in range(n)}
    _predict_parts(estimator, parts, rtol)


def check_large_batch(estimator: Any, rtol: float = 0) -> None:
    """A sequence among a thousand is told of as it is among a few."""
    n = len(Case.of(estimator))
    parts = {"1000 sequences, often the same": [i % n for i in range(1000)]}
    _predict_parts(estimator, parts, rtol)


def check_sequences_of_length_one(estimator: Any, rtol: float = 0) -> None:
    """Sequences of one token are fitted and predicted, in all company."""
    case = Case.of(estimator)
    short: Any
    if is_of_texts(estimator):
        short = [text.split()[-1] for text in case.X]
    else:
        # For every class some that hold what tells it apart.
        row = np.arange(len(case)) % 2 * 4 % 7
        short = SequenceArray(case.X.features, np.arange(len(case) + 1), row)
    told = "sequences of one token"
    fitted = case.fit(estimator, short, told=told)
    _check_finite(outputs(fitted, short, told), told)
    fitted = case.fit(estimator)
    expected = take(outputs(fitted, short, told), [0, 1])
    assert_outputs(fitted, short[:2], expected, f"two {told}", rtol)


def check_empty_sequences(estimator: Any, rtol: float = 0) -> None:
    """A sequence without a token is told of by finite numbers, in all company."""
    case = Case.of(estimator)
    n = len(case)
    empty: Any
    mixed: Any
    if is_of_texts(estimator):
        empty, mixed = [""], [*case.X, "", *case.X[:2]]
    else:
        X = case.X
        empty = SequenceArray(X.features, [0, 0], [])
        mixed = SequenceArray.concatenate([X, empty, X[:2]])
    fitted = case.fit(estimator)
    alone = outputs(fitted, empty, "an empty sequence alone")
    among = outputs(fitted, mixed, "an empty sequence among others")
    _check_finite(alone, "an empty sequence")
    assert_same(alone, take(among, [n]), "an empty sequence alone", rtol)
    others = [*range(n), n + 1, n + 2]
    expected = take(outputs(fitted, case.X), [*range(n), 0, 1])
    assert_same(take(among, others), expected, "beside an empty sequence", rtol)
    y = None if case.y is None else np.concatenate([case.y, case.y[:3]])
    told = "fitted with an empty sequence"
    _check_finite(outputs(case.fit(estimator, mixed, y, told), mixed, told), told)
    if not is_of_texts(estimator):
        listed = [np.empty((0, case.X.n_features)), *case.X.to_list()[:2]]
        expected = take(among, [n, 0, 1])
        assert_outputs(fitted, listed, expected, "an empty array in a list", rtol)


def _predict_parts(estimator: Any, parts: dict[str, list[int]], rtol: float) -> None:
    """Compare what is said of sequences, by position, with what is said of all X."""
    case = Case.of(estimator)
    fitted = case.fit(estimator)
    expected = outputs(fitted, case.X)
    for told, positions in parts.items():
        right = take(expected, positions)
        assert_outputs(fitted, case.take(positions), right, told, rtol)


def _check_finite(found: dict[str, list[Any]], told: str) -> None:
    for name, rows in found.items():
        if name == "predict_log_proba":
            continue
        for row in rows:
            for array in numbers(row):
                if array.dtype.kind == "f" and not np.isfinite(array).all():
                    raise AssertionError(f"{told}: {name} returned {row}.")
