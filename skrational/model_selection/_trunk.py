"""One training run that gets sparser, finetuned on the way.

The run under the penalty is the trunk: it takes over its own weights, structure and
optimizer from one lambda to the next, larger one. At each lambda a copy of it branches
off and is finetuned without penalty. What a branch does leaves the trunk as it was.
"""

from __future__ import annotations

from copy import copy, deepcopy
from dataclasses import replace
from typing import Any

import torch

from skrational.cells.rational import RationalCell
from skrational.estimators._rational_fit import RationalFit
from skrational.estimators._recipe import finetune, regularize, warmup
from skrational.estimators.rational import SparseRationalClassifier
from skrational.model_selection._checkpoint import Record
from skrational.model_selection._epochs import PathEpochs
from skrational.training.adam import Moments
from skrational.training.labelled import Labelled
from skrational.training.loop import log_loss
from skrational.training.rng import Randomness

__all__ = ["Trunk"]


class Trunk:
    """The trunk, and the branches that are finetuned.

    Parameters
    ----------
    estimator : SparseRationalClassifier
    training : Labelled
    seed : int
    epochs : PathEpochs
    early : Labelled or None, default=None
        Serves early stopping instead of a part of the training data.

    Attributes
    ----------
    fit : RationalFit
        The trunk.
    """

    def __init__(
        self,
        estimator: SparseRationalClassifier,
        training: Labelled,
        seed: int,
        epochs: PathEpochs,
        early: Labelled | None = None,
    ) -> None:
        early = early if estimator.early_stopping else None
        self.fit = RationalFit(estimator, training, Randomness(seed), early)
        self._seed = seed
        self._epochs = epochs
        self._moments: Moments | None = None

    def warm_up(self) -> None:
        """Train without penalty."""
        phase = warmup(self.fit.params)
        if phase.epochs:
            self._moments = self.fit.run(phase)

    def regularize(self, i: int, lambda_: float) -> None:
        """Go on to the i-th lambda, and prune."""
        fit = self.fit
        fit.params = copy(fit.params)
        fit.params.lambda_ = lambda_
        fit.randomness = Randomness(self._seed, 2 * i)
        phase = replace(
            regularize(fit.params),
            epochs=self._epochs.per_lambda,
            ramp=0,
            patience=None,
        )
        self._moments = fit.run(phase, self._moments)
        self._moments = fit.prune(phase, self._moments)

    def branch(self, i: int) -> RationalFit:
        """Copy the network under the i-th lambda, to be finetuned."""
        branch = self.fit.copy()
        branch.randomness = Randomness(self._seed, 2 * i + 1)
        return branch

    def finetune(self, branch: RationalFit) -> dict[str, Any]:
        """Train a branch without penalty; return its fitted attributes."""
        n_transitions = sum(branch.cell.lengths)
        phase = replace(
            finetune(branch.params), epochs=self._epochs.of_point(n_transitions)
        )
        if phase.epochs:
            branch.run(phase)
        return branch.fitted()

    def gradient_when_empty(self) -> float:
        """Norm of the gradient on the first state that the data pull at most.

        Of a network whose states are all empty, with the readout that the warm-up
        learned: in the first step, a lambda below it lets states grow.
        """
        fit = self.fit
        cell = deepcopy(fit.cell)
        with torch.no_grad():
            for weight in (cell.W_u, cell.W_f, cell.b_f):
                weight.zero_()
        if cell.reading.readout == "last":
            # The last state that can be reached: the first to grow.
            cell.reading = replace(cell.reading, readout="sum")
        fit.keep_the_prior(cell)
        n = len(fit.training.targets)
        total = torch.zeros_like(cell.W_u)
        start = 0
        for batch in fit.training.corpus.batches():
            stop = start + len(batch.offsets) - 1
            targets, weights = (
                v[start:stop] for v in (fit.training.targets, fit.training.weights)
            )
            loss = (log_loss(cell(batch), targets) * weights).sum() / n
            total += torch.autograd.grad(loss, cell.W_u)[0]
            start = stop
        return float(total.norm(dim=1).max())

    def state(self) -> Record:
        """What `restore` needs: the trunk's network, optimizer and history."""
        cell, moments = self.fit.cell, self._moments
        arrays = {f"weights/{n}": v for n, v in cell.to_arrays().items()}
        arrays["learned_loops"] = cell.learned_loops.cpu().numpy()
        facts = {
            "lengths": cell.lengths,
            "origin": cell.origin,
            "history": self.fit.history,
            "n_steps": None if moments is None else moments.n_steps,
        }
        if moments is not None:
            for name, values in (("mean", moments.mean), ("square", moments.square)):
                for i, value in enumerate(values):
                    arrays[f"{name}/{i}"] = value.cpu().numpy()
        return facts, arrays

    def restore(self, record: Record) -> None:
        """Go back to a `state`."""
        facts, arrays = record
        fit = self.fit
        weights = {
            name.removeprefix("weights/"): value
            for name, value in arrays.items()
            if name.startswith("weights/")
        }
        cell = RationalCell.from_arrays(
            weights, facts["lengths"], fit.reading, facts["origin"]
        )
        cell.learned_loops.copy_(torch.from_numpy(arrays["learned_loops"]))
        fit.cell = cell.to(fit.device)
        fit.history = facts["history"]
        if facts["n_steps"] is not None:
            n = len(weights)
            mean, square = (
                [torch.from_numpy(arrays[f"{k}/{i}"]).to(fit.device) for i in range(n)]
                for k in ("mean", "square")
            )
            self._moments = Moments(facts["n_steps"], mean, square)
