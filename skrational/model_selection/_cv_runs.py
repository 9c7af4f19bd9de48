"""The runs of a cross-validated search: one for each fold, and one on all samples."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from numbers import Integral
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from skrational._version import __version__
from skrational.estimators._sparse import SparseSequenceEstimator
from skrational.model_selection._checkpoint import Checkpoint
from skrational.model_selection._epochs import PathEpochs
from skrational.model_selection._path import RegularizationPath
from skrational.model_selection._path_fit import fit_path
from skrational.model_selection._path_run import PathRun
from skrational.model_selection._records import describe, describe_class, digest
from skrational.training.calibration import fit_temperature
from skrational.training.fit import SparseFit, training_resources
from skrational.training.identity import SEED_OF_CHECKPOINT
from skrational.training.labelled import Learnable
from skrational.utils.checkpoints import CheckpointFolder
from skrational.utils.torch_state import in_own_state

__all__ = [
    "NOWHERE",
    "KeptPath",
    "Search",
    "SearchCheckpoint",
    "SizeLimit",
    "begin_run",
    "branches_of",
    "describe_search",
    "finish",
    "follow_fold",
]


class KeptPath(NamedTuple):
    """Where a path of a search is kept, and what it depends on."""

    folder: Path | None
    about: dict[str, str]


NOWHERE = KeptPath(None, {})


class SearchCheckpoint(CheckpointFolder):
    """The folder of a search, in which each of its paths has one of its own."""

    _run: ClassVar[str] = "search"
    _about: ClassVar[str] = "search.json"
    _first: ClassVar[str] = "search.npz"
    _others: ClassVar[tuple[str, ...]] = ()

    def path(self, name: str, about: dict[str, str]) -> KeptPath:
        """Say where a path is kept that depends on this."""
        return NOWHERE if self._folder is None else KeptPath(self._folder / name, about)


class Search(NamedTuple):
    """What a search is made of.

    Attributes
    ----------
    template : SparseSequenceEstimator
    labelled : Learnable
        All samples.
    splits : list of (ndarray, ndarray)
        Positions for training and validation, of each fold.
    checkpoint : SearchCheckpoint
    about : dict of str to str
        What its paths depend on.
    """

    template: SparseSequenceEstimator
    labelled: Learnable
    splits: list[tuple[NDArray[np.intp], NDArray[np.intp]]]
    checkpoint: SearchCheckpoint
    about: dict[str, str]

    def kept(self, name: str, lambdas: list[float]) -> KeptPath:
        """Say where a path over these lambdas is kept."""
        own = {"path": name, "seed": str(self.checkpoint.seed), "lambdas": str(lambdas)}
        return self.checkpoint.path(name, self.about | own)


def describe_search(
    template: SparseSequenceEstimator,
    labelled: Learnable,
    splits: Iterable[tuple[NDArray[np.intp], NDArray[np.intp]]],
    lambdas: str,
    random_state: Any,
) -> dict[str, str]:
    """Name what the paths of a search depend on; what is chosen of them isn't part.

    Parameters
    ----------
    template : SparseSequenceEstimator
    labelled : Learnable
    splits : iterable of (ndarray, ndarray)
        Positions for training and validation, of each fold.
    lambdas : str
    random_state : int, RandomState instance or None
    """
    hashed = hashlib.sha256()
    for part in (part for split in splits for part in split):
        hashed.update(f"{len(part)} ".encode())
        hashed.update(np.asarray(part, np.int64).tobytes())
    is_seed = isinstance(random_state, Integral)
    return {
        "skrational": __version__,
        **describe_class(type(template)),
        **describe(template.get_params()),
        "lambdas": lambdas,
        "folds": hashed.hexdigest()[:12],
        "training data": digest(labelled),
        "seed of the search": str(random_state) if is_seed else SEED_OF_CHECKPOINT,
    }


class SizeLimit(NamedTuple):
    """The largest size that a model may have, and the parameter that says so."""

    name: str
    size: int


@in_own_state
def begin_run(
    template: SparseSequenceEstimator,
    labelled: Learnable,
    seed: int,
    limit: SizeLimit | None,
) -> PathRun:
    """Warm up a path on all samples, if the limit isn't above its dense size.

    Parameters
    ----------
    template : SparseSequenceEstimator
    labelled : Learnable
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
    template: SparseSequenceEstimator,
    labelled: Learnable,
    train: NDArray[np.intp],
    test: NDArray[np.intp],
    lambdas: list[float],
    seed: int,
    kept: KeptPath = NOWHERE,
) -> RegularizationPath:
    """Follow the path of one fold, in whatever process.

    All samples are one argument of all folds, which engines send once to a worker.

    Parameters
    ----------
    template : SparseSequenceEstimator
    labelled : Learnable
        All samples.
    train, test : ndarray of int
        Positions of the fold's samples, and of those that it leaves out.
    lambdas : list of float
    seed : int
    kept : KeptPath, default=NOWHERE
    """
    training, validation = labelled[train], labelled[test]
    with Checkpoint(*kept, seed) as checkpoint:
        return fit_path(
            clone(template),
            (training, validation.with_weight(), None),
            None,
            lambdas,
            PathEpochs.of(template),
            checkpoint,
            {"X": training.X, "y": training.y},
        )


@in_own_state
def branches_of(
    run: PathRun, lambdas: Sequence[float], n: int, kept: KeptPath = NOWHERE
) -> list[SparseFit]:
    """The networks at the first lambdas, until one is empty.

    Parameters
    ----------
    run : PathRun
        Warmed up.
    lambdas : sequence of float
    n : int
    kept : KeptPath, default=NOWHERE
    """
    with Checkpoint(*kept, run.seed) as checkpoint:
        branches = _branches_kept(run, lambdas[:n], checkpoint)
        for i in range(len(branches), min(n, len(lambdas))):
            if branches and run.fit.is_empty():
                break
            with training_resources(run.fit.params.verbose):
                run.regularize(i, lambdas[i])
                branches.append(run.branch(i))
            if checkpoint.is_kept:
                checkpoint.save(i, run.state(), run.state())
    return branches


def _branches_kept(
    run: PathRun, lambdas: Sequence[float], checkpoint: Checkpoint
) -> list[SparseFit]:
    """The first branches that a checkpoint has; the run is then as after the last."""
    branches: list[SparseFit] = []
    begun, moments = run.fit.copy(), run.moments
    try:
        kept = checkpoint.load()[0]
        for i, (lambda_, state) in enumerate(zip(lambdas, kept, strict=False)):
            run.restore(state)
            run.go_to(lambda_)
            branches.append(run.branch(i))
    except Exception as error:  # whatever is raised by what isn't whole
        checkpoint.refuse(error)
        run.fit, run.moments = begun, moments
        return []
    return branches


@in_own_state
def finish(
    run: PathRun,
    branch: SparseFit,
    paths: Sequence[RegularizationPath],
    held_out: Iterable[Learnable],
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
    held_out : iterable of Learnable
        What each of them left out.
    best : int
        Position of the lambda.
    """
    with training_resources(run.fit.params.verbose):
        fitted = run.finetune(branch)
        run.fit.end()
    if getattr(run.fit.params, "calibration", None) is None:
        return fitted
    logits, codes, weights = [], [], []
    for path, part in zip(paths, held_out, strict=True):
        clf = path[min(best, len(path) - 1)]
        logits.append(clf._logits_of(clf._finite_scores(part.X)))
        codes.append(part.targets)
        weights.append(part.weights)
    pooled = (np.concatenate(values) for values in (logits, codes, weights))
    return fitted | {"temperature_": fit_temperature(*pooled)}
