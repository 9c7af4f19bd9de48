"""The runs of a cross-validated search: one for each fold, and one on all samples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from skrational.estimators._sparse_classifier import SparseSequenceClassifier
from skrational.model_selection._checkpoint import Checkpoint
from skrational.model_selection._epochs import PathEpochs
from skrational.model_selection._path import RegularizationPath
from skrational.model_selection._path_fit import fit_path
from skrational.model_selection._path_run import PathRun
from skrational.training.calibration import fit_temperature
from skrational.training.fit import SparseFit, training_resources
from skrational.training.labelled import Labelled

__all__ = ["SizeLimit", "begin_run", "branches_of", "finish", "follow_fold"]


class SizeLimit(NamedTuple):
    """The largest size that a model may have, and the parameter that says so."""

    name: str
    size: int


def begin_run(
    template: SparseSequenceClassifier,
    labelled: Labelled,
    seed: int,
    limit: SizeLimit | None,
) -> PathRun:
    """Warm up a path on all samples, if the limit isn't above its dense size.

    Parameters
    ----------
    template : SparseSequenceClassifier
    labelled : Labelled
    seed : int
    limit : SizeLimit or None
    """
    with training_resources(template.verbose):
        run = PathRun(template, labelled, seed, PathEpochs.of(template))
        dense = run.fit.cell.structure().size_initial
        if limit is not None and limit.size > dense:
            raise ValueError(
                f"{limit.name}={limit.size} is more than the dense network has; "
                f"expected 1 to {dense}."
            )
        run.fit.begin(None, {})
        run.warm_up()
    return run


def follow_fold(
    template: SparseSequenceClassifier,
    training: Labelled,
    validation: Labelled,
    lambdas: list[float],
    seed: int,
) -> RegularizationPath:
    """Follow the path of one fold, in whatever process.

    Parameters
    ----------
    template : SparseSequenceClassifier
    training, validation : Labelled
    lambdas : list of float
    seed : int
    """
    return fit_path(
        clone(template),
        (training, validation.with_weight(), None),
        None,
        lambdas,
        PathEpochs.of(template),
        Checkpoint(None, {}, seed),
        {"X": training.X, "y": training.classes[training.codes]},
    )


def branches_of(run: PathRun, lambdas: Iterable[float], n: int) -> list[SparseFit]:
    """The networks at the first lambdas, until one is empty."""
    branches: list[SparseFit] = []
    for i, lambda_ in zip(range(n), lambdas, strict=False):
        with training_resources(run.fit.params.verbose):
            run.regularize(i, lambda_)
            branches.append(run.branch(i))
        if run.fit.is_empty():
            break
    return branches


def finish(
    run: PathRun,
    branch: SparseFit,
    paths: Sequence[RegularizationPath],
    held_out: Iterable[Labelled],
    best: int,
) -> dict[str, Any]:
    """Finetune the chosen network; return its fitted attributes.

    Its temperature is fitted on what the classifiers of the folds, at the same lambda,
    say of the samples that they haven't seen.

    Parameters
    ----------
    run : PathRun
        On all samples.
    branch : SparseFit
        Of it, at the chosen lambda.
    paths : sequence of RegularizationPath
        Of the folds.
    held_out : iterable of Labelled
        What each of them left out.
    best : int
        Position of the lambda.
    """
    with training_resources(run.fit.params.verbose):
        fitted = run.finetune(branch)
        run.fit.end()
    if run.fit.params.calibration is None:
        return fitted
    logits, codes, weights = [], [], []
    for path, part in zip(paths, held_out, strict=True):
        clf = path[min(best, len(path) - 1)]
        logits.append(clf._logits_of(clf._scores(part.X)))
        codes.append(part.codes)
        weights.append(part.weights)
    pooled = (np.concatenate(values) for values in (logits, codes, weights))
    return fitted | {"temperature_": fit_temperature(*pooled)}
