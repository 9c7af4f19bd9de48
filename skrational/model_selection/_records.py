"""What a checkpoint says: points as records, data and parameters as text."""

from __future__ import annotations

import hashlib
from dataclasses import fields, replace
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.estimators.rational import SparseRationalClassifier
from skrational.model_selection._checkpoint import Record
from skrational.model_selection._path import PathPoint
from skrational.structures import RationalStructure, Structure, structure_from_json
from skrational.training.fit import SparseFit
from skrational.training.identity import (
    SEED_OF_CHECKPOINT,
    describe_value,
    hash_sequences,
)
from skrational.training.labelled import Learnable

__all__ = [
    "describe",
    "describe_class",
    "digest",
    "fitted_of",
    "point_of",
    "record",
    "structure_of",
]


def record(point: PathPoint, fitted: dict[str, Any]) -> Record:
    """A point as a checkpoint keeps it."""
    facts = {
        "lambda_": point.lambda_,
        "structure": point.structure.to_json(),
        "validation_score": point.validation_score,
        "validation_error": point.validation_error,
        "test_score": point.test_score,
        "seconds": point.seconds,
        "history_": fitted["history_"],
    }
    if "temperature_" in fitted:
        facts["temperature_"] = fitted["temperature_"]
    arrays = {name: fitted[name] for name in ("coef_", "intercept_")}
    weights = {f"weights/{name}": value for name, value in fitted["weights_"].items()}
    return facts, arrays | weights


def point_of(facts: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> PathPoint:
    """The point of a record."""
    facts = {**facts, "structure": structure_from_json(facts["structure"])}
    of_point = {field.name for field in fields(PathPoint)}
    return PathPoint(**{name: facts[name] for name in facts if name in of_point})


def fitted_of(
    fit: SparseFit, facts: dict[str, Any], arrays: dict[str, NDArray[Any]]
) -> dict[str, Any]:
    """The fitted attributes of a point that was kept."""
    readout = {name: arrays[name] for name in ("coef_", "intercept_")}
    parameters = {
        name.removeprefix("weights/"): value
        for name, value in arrays.items()
        if name not in readout
    }
    parameters["A"], parameters["a"] = fit.data.scaled(*readout.values())
    structure = structure_from_json(facts["structure"])
    cell = fit.cell.settled().blank(structure).set_arrays(parameters)
    attributes = fit.attributes(cell, structure, facts["history_"])
    # A regressor's point has no temperature; neither had one of an earlier version.
    kept = {"temperature_": facts["temperature_"]} if "temperature_" in facts else {}
    # In the unit of the targets, to the bit.
    return attributes | readout | kept


def structure_of(facts: dict[str, Any], dense: Structure) -> Structure:
    """The structure of a run that was kept, given the one that it began with."""
    if "structure" in facts:
        return structure_from_json(facts["structure"])
    # As version 0.1.0 wrote it, of automata.
    assert isinstance(dense, RationalStructure)
    kept_lengths = [0] * dense.n_wfsas_initial
    for number, length in zip(facts["origin"], facts["lengths"], strict=True):
        kept_lengths[number] = length
    return replace(dense, kept_lengths=tuple(kept_lengths))


def describe(params: dict[str, Any]) -> dict[str, str]:
    """What of the parameters a path depends on."""
    without = ("lambda_", "ramp_epochs", "warm_start", "verbose")
    described = {
        name: describe_value(value)
        for name, value in params.items()
        if name not in without
    }
    if not isinstance(params["random_state"], Integral):
        described["random_state"] = SEED_OF_CHECKPOINT
    return described


def describe_class(cls: type) -> dict[str, str]:
    """The class of the estimator, unless it's the one that version 0.1.0 knew."""
    if cls is SparseRationalClassifier:
        return {}
    return {"estimator": f"{cls.__module__}.{cls.__qualname__}"}


def digest(labelled: Learnable | None) -> str:
    """Hash of the vectors, targets and weights, however they are packed."""
    if labelled is None:
        return "none"
    X = labelled.X
    hashed = hashlib.sha256()
    hash_sequences(hashed, X)
    classes, targets = None, labelled.y
    if labelled.classes is not None:
        classes, targets = labelled.classes.tolist(), labelled.targets
    for part in (targets, labelled.weights):
        hashed.update(np.ascontiguousarray(part).tobytes())
    hashed.update(repr((X.features.dtype.str, classes)).encode())
    return f"{len(X)} documents, {X.n_tokens} tokens, {hashed.hexdigest()[:12]}"
