"""One training run that gets sparser, finetuned on the way.

The run takes over its own weights, structure and optimizer from one lambda to the next,
larger one. At each lambda a copy of it branches off and is finetuned without penalty.
What a branch does leaves the run as it was.
"""

from __future__ import annotations

import logging
from copy import copy
from dataclasses import replace
from typing import Any, NamedTuple

import torch

from skrational.estimators._sparse import SparseSequenceEstimator
from skrational.model_selection._checkpoint import Checkpoint, Record
from skrational.model_selection._epochs import PathEpochs
from skrational.model_selection._lambdas import (
    LEAST,
    lambdas_to_empty,
    usual_lambdas,
)
from skrational.model_selection._path import PathPoint
from skrational.model_selection._records import fitted_of, point_of, structure_of
from skrational.training.adam import Moments
from skrational.training.fit import SparseFit
from skrational.training.labelled import Learnable
from skrational.training.recipe import finetune, regularize, warmup
from skrational.training.rng import Randomness
from skrational.training.strength import gradient_when_empty

__all__ = ["Kept", "PathRun", "resume"]

_NEARLY_DENSE = 0.95
"""Share of its size that the first point of a path has, at least."""
_MOST_TRIALS, _TRIAL_FACTOR = 6, 4.0


class PathRun:
    """The run under the penalty, and the branches that are finetuned.

    Parameters
    ----------
    estimator : SparseSequenceEstimator
    training : Learnable
    seed : int
    epochs : PathEpochs
    early : Learnable or None, default=None
        Serves early stopping instead of a part of the training data.

    Attributes
    ----------
    fit : SparseFit
        The run.
    seed : int
    moments : Moments or None
        Of its optimizer.
    """

    def __init__(
        self,
        estimator: SparseSequenceEstimator,
        training: Learnable,
        seed: int,
        epochs: PathEpochs,
        early: Learnable | None = None,
    ) -> None:
        early = early if estimator.early_stopping else None
        self.fit = SparseFit(estimator, training, Randomness(seed), early)
        self.fit.epoch_level = logging.DEBUG
        self.seed = seed
        self._epochs = epochs
        self.moments: Moments | None = None

    def warm_up(self) -> None:
        """Train without penalty."""
        phase = warmup(self.fit.params)
        if phase.epochs:
            self.moments = self.fit.run(phase)

    def regularize(self, i: int, lambda_: float) -> None:
        """Go on to the i-th lambda, and prune."""
        fit = self.fit
        self.go_to(lambda_)
        fit.randomness = Randomness(self.seed, 2 * i)
        phase = replace(
            regularize(fit.params),
            epochs=self._epochs.per_lambda,
            ramp=0,
            patience=None,
        )
        self.moments = fit.run(phase, self.moments)
        self.moments = fit.prune(phase, self.moments)

    def go_to(self, lambda_: float) -> None:
        """Let this lambda be that of the run, and of what branches off."""
        self.fit.params = copy(self.fit.params)
        self.fit.params.lambda_ = lambda_

    def branch(self, i: int) -> SparseFit:
        """Copy the network under the i-th lambda, to be finetuned."""
        branch = self.fit.copy()
        branch.randomness = Randomness(self.seed, 2 * i + 1)
        return branch

    def finetune(self, branch: SparseFit) -> dict[str, Any]:
        """Train a branch without penalty; return its fitted attributes."""
        branch.settle()
        structure = branch.cell.structure()
        n_outputs = branch.loss.n_outputs(branch.data.n_targets)
        epochs = self._epochs.of_point(
            structure.size, structure.size_initial, n_outputs
        )
        phase = replace(finetune(branch.params), epochs=epochs)
        if phase.epochs:
            branch.run(phase)
        return branch.fitted()

    def default_lambdas(self, n: int) -> list[float]:
        """Return so many strengths, from nearly dense to empty where that can be."""
        natural = self.fit.params._natural_strength()
        if natural is not None:
            return usual_lambdas(natural, n)
        scale = gradient_when_empty(self.fit)
        return lambdas_to_empty(scale, self._least_lambda(scale), n)

    def _least_lambda(self, scale: float) -> float:
        """Return a strength that leaves the network nearly as it is."""
        least = LEAST * scale
        for _ in range(_MOST_TRIALS):
            if self._share_left(least) >= _NEARLY_DENSE:
                break
            least /= _TRIAL_FACTOR
        return least

    def _share_left(self, lambda_: float) -> float:
        """Return the share of the network that a strength leaves at first."""
        trial = copy(self)
        trial.fit = self.fit.copy()
        trial.fit.begin_untold()
        trial.regularize(0, lambda_)
        structure = trial.fit.cell.structure()
        return structure.size / structure.size_initial

    def state(self) -> Record:
        """What `restore` needs: the network, the optimizer and the history."""
        cell, moments = self.fit.cell, self.moments
        parameters = cell.to_arrays()
        arrays = {
            f"weights/{name}" if name in parameters else name: tensor.cpu().numpy()
            for name, tensor in cell.state_dict().items()
        }
        arrays |= {f"live/{kind}": live for kind, live in self.fit.masks.items()}
        facts = {
            "structure": cell.structure().to_json(),
            "history": self.fit.history,
            "n_steps": None if moments is None else moments.n_steps,
        }
        if moments is not None:
            for name, values in (("mean", moments.mean), ("square", moments.square)):
                for i, value in enumerate(values):
                    arrays[f"{name}/{i}"] = value.cpu().numpy()
        return facts, arrays

    def restore(self, record: Record) -> None:
        """Go back to a `state`, all the way or not at all."""
        facts, arrays = record
        fit = self.fit
        structure = structure_of(facts, fit.cell.structure())
        cell = fit.cell.blank(structure)
        names = {f"weights/{n}": n for n in cell.to_arrays()}
        state = {
            names.get(name, name): torch.from_numpy(value)
            for name, value in arrays.items()
            if not name.startswith(("mean/", "square/", "live/"))
        }
        cell.load_state_dict(state)
        moments = None
        if facts["n_steps"] is not None:
            mean, square = (
                [
                    torch.from_numpy(arrays[f"{kind}/{i}"]).view(p.shape).to(fit.device)
                    for i, p in enumerate(cell.parameters())
                ]
                for kind in ("mean", "square")
            )
            moments = Moments(facts["n_steps"], mean, square)
        history = facts["history"]
        self.moments, fit.cell, fit.history = moments, cell.to(fit.device), history
        fit.masks = {
            name.removeprefix("live/"): value
            for name, value in arrays.items()
            if name.startswith("live/")
        }


class Kept(NamedTuple):
    """What a checkpoint holds of a path.

    Attributes
    ----------
    points : list of (PathPoint, dict)
        Each with its fitted attributes.
    lambdas : list of float
        All of the path.
    seconds : float
        That were spent.
    """

    points: list[tuple[PathPoint, dict[str, Any]]]
    lambdas: list[float]
    seconds: float


def resume(run: PathRun, checkpoint: Checkpoint) -> Kept | None:
    """Bring a run to where a checkpoint left it: all the way, or not at all."""
    records, state = checkpoint.load()
    if state is None:
        return None
    try:
        points = [(point_of(*kept), fitted_of(run.fit, *kept)) for kept in records]
        lambdas = [float(value) for value in state[0]["lambdas"]]
        kept = Kept(points, lambdas, float(state[0]["seconds"]))
        run.restore(state)
    except Exception as error:  # whatever is raised by what isn't whole
        checkpoint.refuse(error)
        return None
    return kept
