"""One phase of training: epochs of Adam steps, each followed by the penalties' prox."""

from __future__ import annotations

import math
import operator
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.cells.base import Cell, Cut
from skrational.cells.batches import Batch, Corpus
from skrational.groups import Groups
from skrational.kernels.cuda.recording import Recording
from skrational.penalties.base import Penalty, UnclippedPenalty
from skrational.penalties.group_lasso import GroupLasso
from skrational.penalties.moduli import Moduli
from skrational.pruning.base import Pruner
from skrational.training.adam import Adam, Moments
from skrational.training.charges import Charge
from skrational.training.losses import BatchLoss, Loss
from skrational.training.masks import held_zeros, survivors
from skrational.training.phases import Optimization, Phase
from skrational.training.progress import Best, Progress
from skrational.training.rng import Randomness
from skrational.training.schedules import Schedule
from skrational.utils.checks import check_implements
from skrational.utils.uploads import upload

__all__ = ["Examples", "PhaseRun", "Problem", "evaluate"]

_NO_DOCUMENTS = np.empty(0, np.intp)
_RECORDED = GroupLasso, Moduli
"""Penalties whose proximal operators are known to read nothing on the host."""
_LEAST_STEPS = 10
"""Of an epoch, for which recording what follows the gradients is worth its time."""


@dataclass(frozen=True)
class Examples:
    """Documents with their targets.

    Attributes
    ----------
    corpus : Corpus
    targets : Tensor of shape (n, ...)
        What the loss reads: class numbers, int64, for `LogLoss`.
    weights : Tensor of shape (n,)
        Of mean 1.
    """

    corpus: Corpus
    targets: Tensor
    weights: Tensor


class Problem(NamedTuple):
    """What is to be learned, and how: the same in all phases of a fit.

    Attributes
    ----------
    loss : Loss
    training : Examples
    validation : Examples or None
        Without it nothing is monitored: the last epoch counts.
    optimization : Optimization
    """

    loss: Loss
    training: Examples
    validation: Examples | None
    optimization: Optimization


class PhaseRun:
    """A phase that is under way.

    `run_epoch` until it `is_over`; then `restore_best` puts back the best epoch.

    Parameters
    ----------
    cell : Cell
        Trained in place.
    phase : Phase
    problem : Problem
    randomness : Randomness
    moments : Moments or None, default=None
        Of an optimizer to go on from.
    masks : dict of str to ndarray, default=None
        For kinds of groups those that are live; the others, zero already, stay zero.

    Attributes
    ----------
    cell : Cell
        As it is now.
    masks : dict of str to ndarray
        With what was pruned in this phase.
    """

    def __init__(
        self,
        cell: Cell,
        phase: Phase,
        problem: Problem,
        randomness: Randomness,
        moments: Moments | None = None,
        masks: dict[str, NDArray[np.bool_]] | None = None,
    ) -> None:
        self.phase, self.problem, self.randomness = phase, problem, randomness
        self.masks = dict(masks or {})
        for penalty, _ in phase.charges:
            check_implements(penalty, Penalty, "a phase of training")
        if phase.pruner is not None:
            check_implements(phase.pruner, Pruner, "a phase of training")
        self._train_cell(cell, moments)
        self._schedule = Schedule(phase.schedule, phase.learning_rate, phase.epochs)
        self._epoch = 0
        self._rest = _NO_DOCUMENTS
        self._best = self._present(np.inf, -1)

    def _train_cell(self, cell: Cell, moments: Moments | None) -> None:
        """Give a cell to the optimizer, and charge for its groups."""
        self.cell = cell
        n_examples = len(self.problem.training.targets)
        self._charges = [
            Charge.of(penalty, self._groups(kind), n_examples)
            for penalty, kind in self.phase.charges
        ]
        self._optimizer = Adam(
            cell.parameters(),
            self.phase.learning_rate,
            self.problem.optimization.weight_decay,
            self.problem.optimization.max_grad_norm,
            moments,
            undecayed=cell.constrained(),
        )
        # Made of the parameters and gradients that the optimizer has moved.
        dropout, noise = self.problem.optimization.dropout, self.randomness.noise
        self._learn = cell.learner(dropout, noise)

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        is_monitored = self.problem.validation is not None
        best = self._best if is_monitored else None
        return Progress(self._epoch, self._schedule.state(), self._rest, best)

    @progress.setter
    def progress(self, progress: Progress) -> None:
        self._epoch, self._rest = progress.epoch, progress.rest
        self._schedule.set_state(progress.schedule)
        self._best = progress.best or self._best

    def go_on_with(self, cell: Cell, cut: Cut | None) -> None:
        """Train a cell that was cut out of the present one."""
        moments = None if cut is None else self.moments.cut_by(cut)
        self.masks = held_zeros(cell) if self.masks else {}
        self._train_cell(cell, moments)

    @property
    def moments(self) -> Moments:
        """What the optimizer remembers of the gradients."""
        return self._optimizer.moments()

    def is_over(self) -> bool:
        """Whether all epochs were run, or patience has run out."""
        if self._epoch == self.phase.epochs:
            return True
        patience = self.phase.patience
        if patience is None or self.problem.validation is None:
            return False
        return self._epoch - 1 - self._best.epoch >= patience

    def run_epoch(self) -> dict[str, Any]:
        """Train on every document once; return a row of the history."""
        began = time.perf_counter()
        rate = self._optimizer.learning_rate = self._schedule.learning_rate
        loss = self._train()
        self._prune_on_the_way()
        row = {"phase": self.phase.name, "epoch": self._epoch, "loss": loss}
        row |= self._measure()
        row |= {"learning_rate": rate, "seconds": time.perf_counter() - began}
        monitored = self._keep_if_best(row)
        self._schedule.end_epoch(loss if monitored is None else monitored)
        self._epoch += 1
        return row

    def survivors(self) -> NDArray[np.bool_]:
        """Which groups are left; or would be, if the phase prunes when it's over."""
        kind = self.phase.pruned
        if not self.phase.prune_every:
            return survivors(self.phase, self.cell, self.masks)
        n_groups = self.cell.groups(kind).n_groups
        return self.masks.get(kind, np.ones(n_groups, bool))

    def restore_best(self) -> None:
        """Put back the cell of the best epoch."""
        if self.problem.validation is not None:
            # That of before the cut, if the best epoch was.
            self.cell, self.masks = self._best.cell, self._best.masks
            self.cell.load_state_dict(self._best.parameters)
            for kind, live in self.masks.items():
                self._groups(kind).zero_(live)

    def _groups(self, kind: str) -> Groups:
        """Groups of the cell, made of its parameters themselves."""
        groups = self.cell.groups(kind)
        own = set(map(id, self.cell.parameters()))
        if any(id(p) not in own for p in groups.parameters):
            raise ValueError(
                f"{type(self.cell).__name__}.groups({kind!r}) holds a tensor that is "
                "no parameter of the cell. A view, such as a transpose, would go on "
                "showing old memory once the optimizer has moved the parameter: give "
                "the parameter itself, with axis=1 for columns."
            )
        return groups

    def _train(self) -> float:
        """Take the steps of an epoch; return the mean loss."""
        losses: list[tuple[Any, int]] = []
        training = self.problem.training
        masked = [(self._groups(kind), live) for kind, live in self.masks.items()]
        move = self._mover()
        for documents in self._order():
            batch = training.corpus.batch(documents)
            chosen = upload(torch.from_numpy(documents), training.targets.device)
            part = training.targets[chosen], training.weights[chosen]
            batch_loss = BatchLoss(self.problem.loss, *part)
            loss = self._step(batch, batch_loss, move)
            for groups, live in masked:
                groups.zero_(live)
            losses.append((loss, len(documents)))
        # Read at the end: a step on a device doesn't wait for the one before it.
        values = [loss for loss, _ in losses]
        if isinstance(values[0], Tensor):
            values = torch.stack(values).tolist()
        sizes = [n for _, n in losses]
        return sum(map(operator.mul, values, sizes)) / sum(sizes)

    def _n_steps(self) -> int:
        """How many steps an epoch has."""
        n = len(self.problem.training.targets)
        size = self.problem.optimization.batch_size
        if size is None:
            return 1
        most = self.phase.max_steps or np.inf
        return int(min(max(math.ceil(n / size), self.phase.min_steps), most))

    def _order(self) -> Iterator[NDArray[np.intp]]:
        """Yield the documents of each step."""
        n = len(self.problem.training.targets)
        size = self.problem.optimization.batch_size
        if size is None:
            yield np.arange(n)
            return
        if math.ceil(n / size) <= (self.phase.max_steps or np.inf):
            self._rest = _NO_DOCUMENTS
        for _ in range(self._n_steps()):
            if not len(self._rest):
                self._rest = self.randomness.order.permutation(n)
            step, self._rest = self._rest[:size], self._rest[size:]
            yield step

    def _step(
        self, batch: Batch, loss: BatchLoss, move: Callable[[], None]
    ) -> float | Tensor:
        """Take a step; return the batch's loss.

        Parameters
        ----------
        batch : Batch
        loss : BatchLoss
        move : callable
            From `_mover`.
        """
        self._optimizer.zero_grad()
        value = self._learn(batch, loss)
        self._optimizer.begin_step()
        move()
        return value

    def _mover(self) -> Callable[[], None]:
        """Return what moves the weights, once there are the gradients of the loss."""
        charges = self._charges_now()

        def move() -> None:
            clipped, unclipped = self._prices(charges)
            if clipped:
                torch.stack(clipped).sum().backward()
            self._optimizer.move(torch.stack(unclipped).sum() if unclipped else None)
            self.cell.after_step()
            for charge in charges:
                if self._shrinks(charge):
                    charge.shrink(self._optimizer)

        # The values of penalties, their users' own, and points of a set are any code.
        is_known = (type(charge.penalty) in _RECORDED for charge in charges)
        may_be_recorded = (
            self._optimizer.moves_alike
            and all(map(self._shrinks, charges))
            and all(is_known)
            and not list(self.cell.constrained())
            and self._n_steps() >= _LEAST_STEPS
        )
        if not may_be_recorded:
            return move
        return Recording(move, self.problem.training.targets.device)

    def _prices(self, charges: list[Charge]) -> tuple[list[Tensor], list[Tensor]]:
        """Values of what goes into the loss: clipped with it, and not clipped."""
        prices: tuple[list[Tensor], list[Tensor]] = [], []
        for charge in charges:
            if not self._shrinks(charge):
                kind = isinstance(charge.penalty, UnclippedPenalty)
                prices[kind].append(charge.value())
        return prices

    def _shrinks(self, charge: Charge) -> bool:
        """Whether a penalty is solved by its proximal operator."""
        return self.phase.solver == "prox" and charge.has_operator

    def _charges_now(self) -> list[Charge]:
        """The charges as they are in this epoch."""
        n_done, ramp = self._epoch + 1, self.phase.ramp
        share = n_done / ramp if n_done < ramp else None
        return [charge.at_epoch(self._epoch, share) for charge in self._charges]

    def _prune_on_the_way(self) -> None:
        """Drop groups after every ``prune_every`` epochs, to stay zero from now on."""
        phase, n_done = self.phase, self._epoch + 1
        if phase.pruner is None or not phase.prune_every or n_done % phase.prune_every:
            return
        live = survivors(phase, self.cell, self.masks, n_done / phase.epochs)
        self._groups(phase.pruned).zero_(live)
        # A new dict: that of the best epoch so far is kept.
        self.masks = self.masks | {phase.pruned: live}

    def _is_at_target(self) -> bool:
        """Whether pruning on the way has dropped as much as it's going to."""
        phase = self.phase
        if phase.pruner is None or not phase.prune_every:
            return True
        n_pruned = (self._epoch + 1) // phase.prune_every * phase.prune_every
        now, finally_ = (
            np.count_nonzero(survivors(phase, self.cell, self.masks, progress))
            for progress in (n_pruned / phase.epochs, 1.0)
        )
        return bool(now <= finally_)

    @torch.no_grad()
    def _measure(self) -> dict[str, float]:
        penalty = sum(float(charge.value()) for charge in self._charges)
        loss, score = np.nan, np.nan
        if self.problem.validation is not None:
            loss, score = evaluate(
                self.cell, self.problem.validation, self.problem.loss
            )
        return {
            "penalty": float(penalty),
            "validation_loss": loss,
            "validation_score": score,
        }

    def _keep_if_best(self, row: dict[str, Any]) -> float | None:
        """Return the monitored value: validation loss plus penalty at full strength."""
        if self.problem.validation is None:
            return None
        monitored = row["validation_loss"] + row["penalty"]
        is_at_target = self._is_at_target()
        if monitored < self._best[0] or not is_at_target:
            # A denser network would do better than the one that is asked for: any
            # later epoch is better than it.
            to_beat = monitored if is_at_target else np.inf
            self._best = self._present(to_beat, self._epoch)
        return float(monitored)

    def _present(self, to_beat: float, epoch: int) -> Best:
        parameters = deepcopy(self.cell.state_dict())
        return Best(to_beat, epoch, self.cell, self.masks, parameters)


@torch.no_grad()
def evaluate(cell: Cell, examples: Examples, loss: Loss) -> tuple[float, float]:
    """Weighted means of the loss and of the score."""
    losses, scores = [], []
    for part, outputs in cell.predict_parts(examples.corpus):
        losses.append(loss(outputs, examples.targets[part]))
        scores.append(loss.score(outputs, examples.targets[part]).cpu())
    mean = (torch.cat(losses) * examples.weights).mean()
    # In double precision, which not every device has.
    weights = examples.weights.cpu().double()
    return float(mean), float((torch.cat(scores) * weights).mean())
