"""One call of ``fit``: build the cell, run the phases, hand over the result."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy, deepcopy
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from torch import Tensor

from skrational.cells.base import Cell
from skrational.cells.batches import Corpus
from skrational.penalties.base import Penalty
from skrational.pruning.base import Pruner
from skrational.sequences.scale import extreme_value
from skrational.structures import Structure
from skrational.training.adam import Moments
from skrational.training.checkpoints import KeptEpochs
from skrational.training.labelled import Learnable
from skrational.training.loop import Examples, PhaseRun, Problem
from skrational.training.losses import Loss
from skrational.training.masks import held_zeros, survivors
from skrational.training.phases import Optimization, Phase
from skrational.training.recipe import optimization, phases
from skrational.training.rng import Randomness
from skrational.training.snapshots import Snapshot
from skrational.training.telling import epoch_line
from skrational.utils.buffers import recycling
from skrational.utils.callbacks import FitTask
from skrational.utils.log_records import logging_at
from skrational.utils.records import Record
from skrational.utils.threads import single_thread

__all__ = ["Method", "SparseFit", "training_resources"]

_logger = logging.getLogger("skrational")


class Method(Protocol):
    """What a fit needs of an estimator, beside the parameters that all share.

    Which cell there is, what it is charged for, and what of it an estimator keeps: see
    `skrational.estimators._sparse.SparseEstimator`.
    """

    def _loss_for(self, data: Learnable) -> Loss: ...

    def _dense_cell(
        self,
        n_features: int,
        n_outputs: int,
        dtype: torch.dtype,
        generator: torch.Generator,
    ) -> Cell: ...

    def _fitted_cell(self, dtype: str | None = None) -> Cell: ...

    def _learner(self, cell: Any) -> Cell: ...

    def _check_like_before(self, data: Any) -> None: ...

    def _training_device(self) -> torch.device: ...

    def _strength(self) -> float: ...

    def _shrinks_beyond(self) -> float | None: ...

    def _charges(self) -> tuple[tuple[Penalty, str], ...]: ...

    def _pruner(self) -> Pruner: ...

    def _pruned_kind(self) -> str: ...

    _prune_every: ClassVar[int]

    def _data_attributes(self, data: Any) -> dict[str, Any]: ...

    def _own_attributes(self, cell: Any) -> dict[str, Any]: ...

    def _rules(self, fitted: dict[str, Any], data: Any) -> dict[str, Any]: ...


@contextmanager
def training_resources(verbose: int) -> Iterator[None]:
    """Set up threads, memory and logging for training."""
    with single_thread(), recycling(), logging_at(verbose):
        yield


class SparseFit:
    """The working state of one call of ``fit``: regularize, prune, finetune.

    Parameters
    ----------
    estimator : estimator that is a Method
        Its parameters, checked.
    labelled : Learnable
        What to learn from.
    randomness : Randomness
    held_out : Learnable or None
        Serves early stopping instead of a part of ``labelled``.

    Attributes
    ----------
    data : Learnable
        What has a weight of that.
    cell : Cell
        As it is now.
    masks : dict of str to ndarray
        Groups of the cell that are live, by kind, where pruned ones stay as zeros.
    history : list of dict
        A row for each epoch so far.
    epoch_level : int
        Level of the log record that tells of an epoch.
    """

    epoch_level = logging.INFO

    def __init__(
        self,
        estimator: Any,
        labelled: Learnable,
        randomness: Randomness,
        held_out: Learnable | None = None,
    ) -> None:
        self.params = estimator
        self.classes = labelled.classes
        self.device = estimator._training_device()
        self.dtype = getattr(torch, estimator.dtype)
        self.randomness = randomness
        self.history: list[dict[str, Any]] = []
        self.loss = estimator._loss_for(labelled)
        self.prior = self.loss.prior(labelled.shares())
        self.data = labelled = labelled.with_weight()
        if held_out is None and estimator.early_stopping:
            labelled, held_out = labelled.split(
                estimator.validation_fraction, randomness.split
            )
        self.training = self.examples(labelled)
        self.validation = None if held_out is None else self.examples(held_out)
        self.cell: Cell = self._first_cell(labelled.X.n_features).to(self.device)
        self.masks = held_zeros(self.cell) if self._goes_on() else {}
        self.kept: KeptEpochs | None = None
        self._resumed: Snapshot | None = None

    def examples(self, labelled: Learnable) -> Examples:
        """Prepare documents for the loop."""
        weights = labelled.weights / labelled.weights.mean()
        return Examples(
            Corpus(labelled.X, self.dtype, self.device),
            self._targets(labelled),
            torch.from_numpy(weights).to(self.device, self.dtype),
        )

    def _targets(self, labelled: Learnable) -> Tensor:
        """What the loss reads, on the device, numbers in the precision of the cell."""
        targets = torch.from_numpy(labelled.targets)
        if targets.is_floating_point():
            targets = targets.to(self.dtype)
        return targets.to(self.device)

    def _goes_on(self) -> bool:
        """Whether the fit begins with what the previous one has left."""
        return bool(self.params.warm_start and self.params.__sklearn_is_fitted__())

    def _first_cell(self, n_features: int) -> Cell:
        """Build the network, or take it over from the previous fit."""
        params = self.params
        if not self._goes_on():
            n_outputs = self.loss.n_outputs(self.data.n_targets)
            generator = self.randomness.weights
            dense = params._dense_cell(n_features, n_outputs, self.dtype, generator)
            if self.data.at_every_token:
                dense = dense.for_every_token()
            return params._learner(dense)
        params._check_like_before(self.data)
        cell = params._fitted_cell(params.dtype)
        A, a = self.data.scaled(params.coef_, params.intercept_)
        return params._learner(cell.set_arrays(cell.to_arrays() | {"A": A, "a": a}))

    def keep_in(self, kept: KeptEpochs) -> None:
        """Go on after the last epoch that is kept, and keep each that follows."""
        if not kept.are_kept:
            return
        self.kept, self._template = kept, deepcopy(self.cell)
        for record in kept.load():
            try:
                self._go_on_from(record)
            except Exception as error:  # whatever a record raises that isn't one
                kept.refuse(error)
                continue
            _logger.info("%s: goes on after %d epochs", kept.name, len(self.history))
            return

    def _go_on_from(self, record: Record) -> None:
        """Take over a snapshot, all of it or nothing."""
        template = self._template
        for phase in _before(record[0]["phase"], phases(self.params)):
            template = template.settled() if phase.settles else template
        found = Snapshot.from_record(record, template, self.device)
        randomness = self.randomness.copy()
        randomness.set_state(found.generators)
        self._template, self._resumed, self.randomness = template, found, randomness
        self.cell, self.masks, self.history = found.cell, found.masks, found.history

    def regularize_prune_finetune(
        self, data: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Run the phases, pruning after the penalty; return the fitted attributes.

        ``data`` is what callbacks are told.
        """
        named = phases(self.params)
        self.begin(len(named), data or {})
        if self._resumed is not None:
            named = named[len(_before(self._resumed.phase, named)) :]
        for phase in named:
            self.run(phase)
            self.prune(phase)
            if phase.settles:
                self.settle()
        self.end()
        return self.fitted()

    def copy(self) -> SparseFit:
        """Return a fit that goes on by itself; the data are shared."""
        twin = copy(self)
        twin.cell = deepcopy(self.cell)
        twin.masks = dict(self.masks)
        twin.history = list(self.history)
        twin.randomness = self.randomness.copy()
        return twin

    def keep_mask(self, structure: Any) -> None:
        """Cut the weights that were drawn down to a mask, and place the units there."""
        self.cell, self.masks = self.cell.masked_by(structure)  # type: ignore[attr-defined]

    def begin(self, n_phases: int | None, data: dict[str, Any]) -> None:
        """Tell the callbacks that so many phases, if known, are to come."""
        self.task = FitTask(self.params, n_phases, data)

    def end(self) -> None:
        """Tell the callbacks that all is done."""
        self.task.end(self._fitted)

    def is_empty(self) -> bool:
        """Whether pruning has left nothing to train."""
        return self.cell.structure().is_empty

    def _optimization(self) -> Optimization:
        n_sequences = len(self.training.targets)
        return optimization(self.params, n_sequences, self.data.X.n_features)

    def run(self, phase: Phase, moments: Moments | None = None) -> Moments | None:
        """Train as long as there is something to train.

        ``moments`` are the optimizer's, to go on from; returned are those at the end.
        """
        resumed, self._resumed = self._resumed, None
        if resumed is None and self.is_empty():
            return None
        problem = Problem(
            self.loss, self.training, self.validation, self._optimization()
        )
        if resumed is not None:
            moments = resumed.moments
        run = PhaseRun(self.cell, phase, problem, self.randomness, moments, self.masks)
        stopped = False
        if resumed is not None:
            run.progress, stopped = resumed.progress, resumed.is_over
        task = self.task.phase(phase.name, phase.epochs)
        while not (stopped or run.is_over()):
            epoch = task.begin_epoch()
            live = self._record(run.run_epoch(), run)
            stopped = task.end_epoch(epoch, self._fitted)
            # Nothing is left; what might grow again would seldom stay.
            stopped |= phase.solver == "prox" and live.is_empty
            if self._has_shrunk(phase, live):
                run.go_on_with(*self.cell.pruned(phase.pruned, run.survivors()))
                self.cell = run.cell
            if self.kept is not None and self.kept.are_kept:
                now = Snapshot.of(run, stopped, self.history, self.randomness)
                self.kept.save(now.to_record(self._template))
        if phase.patience is not None:
            run.restore_best()
        self.cell, self.masks = run.cell, run.masks
        task.end(self._fitted)
        return run.moments

    def _has_shrunk(self, phase: Phase, live: Structure) -> bool:
        """Whether so much is gone that the cell is cut amid a phase."""
        if phase.shrink is None or phase.pruner is None or live.is_empty:
            return False
        return live.size < (1 - phase.shrink) * self.cell.structure().size

    def _record(self, row: dict[str, Any], run: PhaseRun) -> Structure:
        """Keep a row of the history; return what pruning leaves, or would leave."""
        self._check_progress(row, run.cell)
        live = self._live_structure(run)
        row[f"n_{live.size_name}"] = live.size
        self.history.append(row)
        _logger.log(self.epoch_level, epoch_line(row, run.phase.epochs, live))
        return live

    def _check_progress(self, row: dict[str, Any], cell: Cell) -> None:
        """Raise a ValueError that names the cause if an epoch has led to no numbers."""
        place = f"in epoch {row['epoch']} of {row['phase']}"
        finite = all(bool(p.isfinite().all()) for p in cell.parameters())
        if not finite or not np.isfinite(row["loss"]):
            what = f"loss {row['loss']}" if finite else "weights that are no numbers"
            cure = (
                f"Lower learning_rate (now {self.params.learning_rate}) or "
                f"max_grad_norm (now {self.params.max_grad_norm})."
            )
            raise ValueError(
                f"Training diverged {place} ({what}). "
                f"{extreme_value(self.data.X) or cure}"
            )
        if self.validation is not None and not np.isfinite(row["validation_loss"]):
            raise ValueError(
                f"The loss of the validation data is {row['validation_loss']} {place}: "
                "their features, or their values, are far larger than those that are "
                "learned from. Scale all of them alike."
            )

    def _live_structure(self, run: PhaseRun) -> Structure:
        """The structure without what is pruned, or would be if the phase ended now."""
        if run.phase.pruner is None:
            return self.cell.structure()
        return self.cell.live_structure(run.phase.pruned, run.survivors())

    def prune(self, phase: Phase, moments: Moments | None = None) -> Moments | None:
        """Cut out what the penalty of a phase emptied, of the moments as well."""
        if phase.pruner is None:
            return moments
        live = survivors(phase, self.cell, self.masks)
        cell, cut = self.cell.pruned(phase.pruned, live)
        if cell is self.cell:
            self.masks = self.masks | {phase.pruned: live} | held_zeros(cell)
        else:
            self.masks = held_zeros(cell)
        self.cell = cell
        return None if moments is None or cut is None else moments.cut_by(cut)

    def settle(self) -> None:
        """Leave behind what served to learn the structure only."""
        if self.kept is not None:
            self._template = self._template.settled()
        settled = self.cell.settled()
        if settled is not self.cell:
            self.cell, self.masks = settled, held_zeros(settled)

    def fitted(self) -> dict[str, Any]:
        """Return the fitted attributes of the trained network."""
        if self.is_empty():
            # Without hidden units, the best outputs are those of the class frequencies.
            self.cell.set_prior(self.prior)
        return self._fitted()

    def _fitted(self) -> dict[str, Any]:
        """Fitted attributes of the network as it is now."""
        cell = self.cell.settled()
        return self.attributes(cell, cell.structure(), self.history)

    def attributes(
        self, cell: Cell, structure: Structure, history: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """Name what an estimator adopts of a cell and of what has become of it."""
        weights = cell.to_arrays()
        coef, intercept = self.data.unscaled(weights.pop("A"), weights.pop("a"))
        if not all(np.isfinite(v).all() for v in (coef, intercept, *weights.values())):
            raise ValueError(
                "The weights of the fitted model are no numbers, or too large for "
                f"{self.params.dtype}: expected targets, and sample weights, of a "
                "smaller range."
            )
        named = {
            "coef_": coef,
            "intercept_": intercept,
            "weights_": weights,
            "learned_structure_": structure,
            "n_iter_": len(history),
            "history_": list(history),
        }
        of_data = self.params._data_attributes(self.data)
        named |= of_data | self.params._own_attributes(cell)
        return named | self.params._rules(named, self.data)


def _before(name: str, named: list[Phase]) -> list[Phase]:
    """Return the phases before the one of a name; a ValueError if there is none."""
    return named[: [phase.name for phase in named].index(name)]
