"""One phase of training: epochs of Adam steps, each followed by the penalty's prox."""

from __future__ import annotations

import time
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skrational.cells.batches import Batch, Corpus
from skrational.groups import Groups
from skrational.penalties.base import Penalty
from skrational.training.adam import Adam, Moments
from skrational.training.phases import Optimization, Phase
from skrational.training.rng import Randomness
from skrational.training.schedules import Schedule

__all__ = ["Cell", "Examples", "PhaseRun", "evaluate"]


class Cell(Protocol):
    """What the loop needs of a cell, beside being a module."""

    def scores(self, batch: Batch) -> Tensor:
        """Scores of a batch."""
        ...

    def classify(self, scores: Tensor) -> Tensor:
        """Logits from scores."""
        ...

    def predict(self, corpus: Corpus) -> Tensor:
        """Logits of a whole corpus, without gradients."""
        ...

    def groups(self, kind: str) -> Groups:
        """Groups of parameters."""
        ...


@dataclass(frozen=True)
class Examples:
    """Documents with their targets.

    Attributes
    ----------
    corpus : Corpus
    targets : Tensor of shape (n,)
        Class numbers, int64.
    weights : Tensor of shape (n,)
        Of mean 1.
    """

    corpus: Corpus
    targets: Tensor
    weights: Tensor


class PhaseRun:
    """A phase that is under way.

    `run_epoch` until it `is_over`; then `restore_best` puts back the best epoch.

    Parameters
    ----------
    cell : Cell and torch.nn.Module
        Trained in place.
    phase : Phase
    optimization : Optimization
    training : Examples
    validation : Examples or None
        Without it nothing is monitored: the last epoch counts.
    randomness : Randomness
    moments : Moments or None, default=None
        Of an optimizer to go on from.
    """

    def __init__(
        self,
        cell: Any,
        phase: Phase,
        optimization: Optimization,
        training: Examples,
        validation: Examples | None,
        randomness: Randomness,
        moments: Moments | None = None,
    ) -> None:
        self.cell = cell
        self.phase = phase
        self.optimization = optimization
        self.training = training
        self.validation = validation
        self.randomness = randomness
        self._groups = cell.groups(phase.grouping) if phase.penalty else None
        self._optimizer = Adam(
            cell.parameters(),
            phase.learning_rate,
            optimization.weight_decay,
            optimization.max_grad_norm,
            moments,
        )
        self._schedule = Schedule(phase.schedule, phase.learning_rate, phase.epochs)
        self._epoch = 0
        self._best = (np.inf, -1, deepcopy(cell.state_dict()))

    @property
    def moments(self) -> Moments:
        """What the optimizer remembers of the gradients."""
        return self._optimizer.moments()

    def is_over(self) -> bool:
        """Whether all epochs were run, or patience has run out."""
        if self._epoch == self.phase.epochs:
            return True
        patience = self.phase.patience
        if patience is None or self.validation is None:
            return False
        return self._epoch - 1 - self._best[1] >= patience

    def run_epoch(self) -> dict[str, Any]:
        """Train on every document once; return a row of the history."""
        began = time.perf_counter()
        rate = self._optimizer.learning_rate = self._schedule.learning_rate
        loss = self._train()
        row = {"phase": self.phase.name, "epoch": self._epoch, "loss": loss}
        row |= self._measure()
        row |= {"learning_rate": rate, "seconds": time.perf_counter() - began}
        monitored = self._keep_if_best(row)
        self._schedule.end_epoch(loss if monitored is None else monitored)
        self._epoch += 1
        return row

    def restore_best(self) -> None:
        """Put back the parameters of the best epoch."""
        if self.validation is not None:
            self.cell.load_state_dict(self._best[2])

    def _train(self) -> float:
        """Take the steps of an epoch; return the mean loss."""
        total = 0.0
        for documents in self._order():
            batch = self.training.corpus.batch(documents)
            chosen = torch.from_numpy(documents).to(self.training.targets.device)
            loss = self._step(
                batch, self.training.targets[chosen], self.training.weights[chosen]
            )
            total += loss * len(documents)
        return total / len(self.training.targets)

    def _order(self) -> list[NDArray[np.intp]]:
        n, size = len(self.training.targets), self.optimization.batch_size
        if size is None:
            return [np.arange(n)]
        order = self.randomness.order.permutation(n)
        return [order[i : i + size] for i in range(0, n, size)]

    def _step(self, batch: Batch, targets: Tensor, weights: Tensor) -> float:
        phase, dropout = self.phase, self.optimization.dropout
        noise = self.randomness.noise
        self._optimizer.zero_grad()
        scores = self.cell.scores(dropout.on_features(batch, noise))
        logits = self.cell.classify(dropout.on_scores(scores, noise))
        loss = (log_loss(logits, targets) * weights).mean()
        objective = loss
        penalty = self._penalty()
        if penalty and self._groups and phase.solver == "subgradient":
            objective = loss + penalty.value(self._groups)
        objective.backward()
        self._optimizer.step()
        if penalty and self._groups and phase.solver == "prox":
            metric = [
                part.pack(self._optimizer.metric(part.parameters))
                for part in self._groups.parts
            ]
            penalty.prox_(self._groups, metric, self._optimizer.learning_rate)
        return float(loss.detach())

    def _penalty(self) -> Penalty | None:
        """The penalty at the strength of this epoch."""
        penalty, ramp = self.phase.penalty, self.phase.ramp
        if penalty is None or self._epoch + 1 >= ramp:
            return penalty
        return penalty.scaled((self._epoch + 1) / ramp)

    @torch.no_grad()
    def _measure(self) -> dict[str, float]:
        penalty = 0.0
        if self.phase.penalty and self._groups:
            penalty = float(self.phase.penalty.value(self._groups))
        loss, score = np.nan, np.nan
        if self.validation is not None:
            loss, score = evaluate(self.cell, self.validation)
        return {
            "penalty": penalty,
            "validation_loss": loss,
            "validation_score": score,
        }

    def _keep_if_best(self, row: dict[str, Any]) -> float | None:
        """Return the monitored value: validation loss plus penalty at full strength."""
        if self.validation is None:
            return None
        monitored = row["validation_loss"] + row["penalty"]
        if monitored < self._best[0]:
            self._best = (monitored, self._epoch, deepcopy(self.cell.state_dict()))
        return float(monitored)


def log_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Negative log-likelihood of each example, (n,).

    One logit means two classes.
    """
    if logits.shape[1] == 1:
        return nn.functional.binary_cross_entropy_with_logits(
            logits[:, 0], targets.to(logits.dtype), reduction="none"
        )
    return nn.functional.cross_entropy(logits, targets, reduction="none")


@torch.no_grad()
def evaluate(cell: Any, examples: Examples) -> tuple[float, float]:
    """Weighted mean log loss and accuracy."""
    logits = cell.predict(examples.corpus)
    if logits.shape[1] == 1:
        predicted = (logits[:, 0] > 0).to(torch.int64)
    else:
        predicted = logits.argmax(dim=1)
    loss = (log_loss(logits, examples.targets) * examples.weights).mean()
    # In double precision, which not every device has.
    weights = examples.weights.cpu().double()
    right = (predicted == examples.targets).cpu()
    return float(loss), float((right * weights).mean())
