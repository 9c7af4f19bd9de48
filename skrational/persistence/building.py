"""Objects of known classes, made of what a file says of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from reprlib import repr as cut_repr
from typing import Any

import numpy as np
import sklearn
from sklearn.utils._metadata_requests import MetadataRequest

from skrational.persistence.fitted import check_fitted
from skrational.persistence.registry import Known
from skrational.persistence.wrapped import check_wrapper
from skrational.structures.automata import MATCHES, READOUTS, SEMIRING_NAMES

__all__ = ["build", "build_estimator"]

Parts = dict[str, dict[str, Any]]


def build(known: Known, parts: Parts) -> Any:
    """Make an object.

    Parameters
    ----------
    known : Known
        Its class.
    parts : dict of dict
        "fields" of a value; "parameters", "attributes" and perhaps "requests" of an
        estimator; "attributes" of something else.

    Raises
    ------
    ValueError
        If these are not what such an object has.
    """
    needed = {
        "value": {"fields"},
        "estimator": {"parameters", "attributes"},
        "object": {"attributes"},
    }[known.kind]
    optional = set() if known.kind == "value" else {"requests"}
    if not needed <= set(parts) <= needed | optional:
        raise ValueError(f"{known.name} has {sorted(parts)}; expected {sorted(needed)}")
    if known.kind == "value":
        return _build_value(known, parts["fields"])
    if known.kind == "estimator":
        made = build_estimator(known, **parts)
    else:
        made = _build_object(known, parts["attributes"])
        if "requests" in parts:
            made._metadata_request = _requests(made, parts["requests"])
    check_wrapper(known.name, made)
    return made


def build_estimator(
    known: Known,
    parameters: dict[str, Any],
    attributes: dict[str, Any],
    requests: dict[str, Any] | None = None,
) -> Any:
    """Make an estimator, whose parameters are checked as in its ``fit``.

    Parameters
    ----------
    known : Known
    parameters, attributes : dict from str to object
    requests : dict, default=None
        The metadata that each method asks for.
    """
    cls, name = known.get(), known.name
    accepted = inspect.signature(cls).parameters
    if unknown := set(parameters) - set(accepted):
        raise ValueError(f"{name} has no parameter {sorted(unknown)[0]!r}")
    if known.is_ours:
        check_fitted(name, parameters, attributes)
    else:
        _check_names(cls, [*accepted, *parameters], attributes)
    estimator = _of_state(cls, parameters | attributes)
    for parameter in accepted.values():
        is_needed = parameter.default is parameter.empty
        if is_needed and parameter.name not in parameters:
            if parameter.kind is not parameter.VAR_KEYWORD:
                raise ValueError(f"{name} lacks the parameter {parameter.name!r}")
    if hasattr(cls, "_parameter_constraints"):
        estimator._validate_params()
    if requests is not None:
        estimator._metadata_request = _requests(estimator, requests)
    return estimator


def _check_names(cls: type, taken: list[str], attributes: dict[str, Any]) -> None:
    """Raise a ValueError if an attribute would take the place of a method."""
    for name in attributes:
        if name in taken or name.startswith("__") or callable(getattr(cls, name, None)):
            raise ValueError(f"{cls.__name__} has no attribute {cut_repr(name)}")


def _requests(estimator: Any, requests: dict[str, Any]) -> MetadataRequest:
    made = MetadataRequest(owner=estimator)
    for method, asked in requests.items():
        if method not in vars(made) or method == "owner" or not isinstance(asked, dict):
            raise ValueError(f"no metadata are asked for by {cut_repr(method)}")
        for param, alias in asked.items():
            getattr(made, method).add_request(param=param, alias=alias)
    return made


def _build_value(known: Known, content: dict[str, Any]) -> Any:
    cls, checks = known.get(), _FIELDS[known.name]
    names = {field.name for field in fields(cls)}
    # An earlier version lacks what has a default.
    required = {field.name for field in fields(cls) if field.default is MISSING}
    if not required <= set(content) <= names:
        raise ValueError(
            f"{known.name} has {sorted(content)}; expected {sorted(names)}"
        )
    for name, value in content.items():
        if not checks[name](value):
            raise ValueError(f"{name} of {known.name} is {cut_repr(value)}")
    return cls(**content)


def _build_object(known: Known, attributes: dict[str, Any]) -> Any:
    cls = known.get()
    if known.name == "RegularizationPath":
        _check_path(attributes)
    if issubclass(cls, dict):
        return cls(**attributes)
    _check_names(cls, [], attributes)
    return _of_state(cls, attributes)


def _of_state(cls: Any, state: dict[str, Any]) -> Any:
    made = cls.__new__(cls)
    if not hasattr(cls, "__setstate__"):
        vars(made).update(state)
        return made
    if cls.__module__.startswith("sklearn."):
        # The versions are in the manifest, and are told of once for all.
        state = {**state, "_sklearn_version": sklearn.__version__}
    made.__setstate__(state)
    return made


def _check_path(attributes: dict[str, Any]) -> None:
    names = {"_template", "_fitted", "points", "seconds", "_named_as"}
    optional = {"_first_steps", "interrupted"}
    if not names <= set(attributes) <= names | optional:
        raise ValueError(f"a path has {sorted(attributes)}; expected {sorted(names)}")
    template, fitted, points = (
        attributes[name] for name in ("_template", "_fitted", "points")
    )
    kinds = set(map(type, (fitted, points)))
    if kinds != {tuple} or len(fitted) != len(points):
        raise ValueError("a path doesn't have a model for each point")
    is_named = all(type(point).__name__ == "PathPoint" for point in points)
    if not is_named or not all(isinstance(one, dict) for one in fitted):
        raise ValueError("a path has points that are none")
    for one in fitted:
        check_fitted(type(template).__name__, {}, one)


def _one_of(*values: Any) -> Callable[[Any], bool]:
    return lambda value: type(value) is str and value in values


def _is(*kinds: type) -> Callable[[Any], bool]:
    return lambda value: type(value) in kinds


def _is_exponent(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_scores(value: Any) -> bool:
    if value is None:
        return True
    is_array = type(value) is np.ndarray and value.dtype == np.float32
    return is_array and value.ndim == 1 and bool(np.isfinite(value).all())


def _named(*names: str) -> Callable[[Any], bool]:
    return lambda value: type(value).__name__ in names


def _is_vocabulary(words: Any) -> bool:
    return (
        type(words) is list
        and all(type(word) is str for word in words)
        and words[:2] == ["</s>", "<unk>"]
        and len(set(words)) == len(words)
    )


_FIELDS: dict[str, dict[str, Callable[[Any], bool]]] = {
    "FirstSteps": {"pipeline": _named("Pipeline"), "name": _is(str)},
    "NetworkKind": {
        "cell": _one_of("elman", "lstm", "gru"),
        "activation": _one_of("tanh", "relu"),
        "bias": _is(bool),
        "reading": _named("StateReadout"),
        "reads_words": _is(bool),
    },
    "PathPoint": {
        "structure": lambda value: hasattr(value, "to_json"),
        "validation_scores": _is_scores,
        **dict.fromkeys(
            (
                "lambda_",
                "validation_score",
                "validation_error",
                "test_score",
                "seconds",
            ),
            _is_number,
        ),
    },
    "ScoringRule": {
        "semiring": _one_of(*SEMIRING_NAMES),
        "readout": _one_of(*READOUTS),
        "match": _one_of(*MATCHES),
        "length_exponent": _is_exponent,
    },
    "StateReadout": {
        "readout": _one_of("last", "anywhere", "every"),
        "length_exponent": _is_exponent,
    },
    "Vocabulary": {
        "words": _is_vocabulary,
        "level": _one_of("word", "character"),
        "lowercase": _is(bool),
    },
}
