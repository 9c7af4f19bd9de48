"""Checks that what can't be read is refused, with a message that says why."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from skrational.sequences import SequenceArray
from skrational.testing._case import Case, fresh

__all__ = [
    "check_infinite_features",
    "check_missing_texts",
    "check_nan_features",
    "check_no_sequences",
    "check_wrong_number_of_features",
]


def check_wrong_number_of_features(estimator: Any, rtol: float = 0) -> None:
    """Sequences of another width are a ValueError that names both widths."""
    case = Case.of(estimator)
    fitted, width = case.fit(estimator), case.X.n_features
    for other in (width - 1, width + 1):
        features = np.ones((len(case.X.features), other))
        X = SequenceArray(features, case.X.offsets, case.X.indices)
        for form in (X, X.to_list()):
            message = _refusal(fitted, form, f"{other} features instead of {width}")
            if str(other) not in message or str(width) not in message:
                raise AssertionError(
                    f"The error for {other} features instead of {width} names only "
                    f"one of these numbers, or none: {message!r}."
                )


def check_nan_features(estimator: Any, rtol: float = 0) -> None:
    """NaN within a sequence is a ValueError that says so, in fits and predictions."""
    _refuses_value(estimator, np.nan, "nan")


def check_infinite_features(estimator: Any, rtol: float = 0) -> None:
    """Infinity is a ValueError that says so, in fits and predictions."""
    _refuses_value(estimator, np.inf, "inf")


def check_no_sequences(estimator: Any, rtol: float = 0) -> None:
    """X without a sequence, or text, is a ValueError in fits and predictions."""
    case = Case.of(estimator)
    fitted, nothing = case.fit(estimator), case.X[:0]
    _refusal(fitted, nothing, "an empty X")
    _refusal_of_fit(estimator, nothing, None if case.y is None else case.y[:0], "empty")


def check_missing_texts(estimator: Any, rtol: float = 0) -> None:
    """None, NaN or a number among texts is a ValueError or TypeError."""
    case = Case.of(estimator)
    fitted = case.fit(estimator)
    for value in (None, float("nan"), 3):
        texts = [*case.X[:2], value, *case.X[3:]]
        _refusal(fitted, texts, f"{value} among texts", (ValueError, TypeError))
        _refusal_of_fit(
            estimator, texts, case.y, f"{value} among texts", (ValueError, TypeError)
        )


def _refuses_value(estimator: Any, value: float, name: str) -> None:
    case = Case.of(estimator)
    fitted, told = case.fit(estimator), f"a sequence with {value}"
    features = case.X.features.copy()
    row = int(case.X.indices[case.X.offsets[4]])
    features[row, 2] = value
    X = SequenceArray(features, case.X.offsets, case.X.indices)
    rows = [array.copy() for array in case.X]
    rows[-1][0, 1] = value
    for form in (X, rows):
        for message in (
            _refusal(fitted, form, told),
            _refusal_of_fit(estimator, form, case.y, told),
        ):
            if name not in message.lower():
                raise AssertionError(f"The error for {told} is {message!r}.")


def _refusal(
    fitted: Any, X: Any, told: str, errors: tuple[type[Exception], ...] = (ValueError,)
) -> str:
    """Return the message with which every prediction refuses X."""
    message = ""
    for name in ("predict", "transform", "score_samples"):
        if callable(method := getattr(fitted, name, None)):
            message = _message(partial(method, X), f"{name}, {told}", errors)
    return message


def _refusal_of_fit(
    estimator: Any,
    X: Any,
    y: Any,
    told: str,
    errors: tuple[type[Exception], ...] = (ValueError,),
) -> str:
    return _message(lambda: fresh(estimator).fit(X, y), f"fit, {told}", errors)


def _message(call: Any, told: str, errors: tuple[type[Exception], ...]) -> str:
    expected = " or ".join(error.__name__ for error in errors)
    try:
        call()
    except errors as error:
        return str(error)
    except Exception as error:
        raise AssertionError(
            f"{told}: a {type(error).__name__} ({error}); expected a {expected}."
        ) from error
    raise AssertionError(f"{told}: there is no error; expected a {expected}.")
