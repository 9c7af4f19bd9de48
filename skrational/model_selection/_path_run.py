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
from skrational.model_selection._path import PathPoint
from skrational.model_selection._records import fitted_of, point_of, structure_of
from skrational.training.adam import Moments
from skrational.training.fit import SparseFit
from skrational.training.labelled import Learnable
from skrational.training.recipe import finetune, regularize, warmup
from skrational.training.rng import Randomness

__all__ = ["Kept", "PathRun", "resume"]


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
        epochs = self._epochs.of_point(structure.size, structure.size_initial)
        phase = replace(finetune(branch.params), epochs=epochs)
        if phase.epochs:
            branch.run(phase)
        return branch.fitted()

    def scale(self) -> float:
        """What the lambdas are measured in by default."""
        natural = self.fit.params._natural_strength()
        return self.gradient_when_empty() if natural is None else natural

    def gradient_when_empty(self) -> float:
        """Norm of the gradient on the unit that the data pull at most.

        Of a network whose units are all empty, with the readout that the warm-up
        learned: in the first step, a lambda below it lets units grow.
        """
        fit = self.fit
        cell, entrance = fit.cell.emptied()
        cell.set_prior(fit.prior)
        n = len(fit.training.targets)
        total = torch.zeros_like(entrance)
        start = 0
        for batch in fit.training.corpus.batches():
            stop = start + len(batch.offsets) - 1
            targets, weights = (
                v[start:stop] for v in (fit.training.targets, fit.training.weights)
            )
            outputs = cell.readout(cell.hidden(batch))
            loss = (fit.loss(outputs, targets) * weights).sum() / n
            total += torch.autograd.grad(loss, entrance)[0]
            start = stop
        return float(total.flatten(1).norm(dim=1).max())

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
