"""One call of ``fit``: build the cell, run the phases, hand over the result."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy, deepcopy
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skrational.cells.batches import Corpus
from skrational.cells.rational import RationalCell, Reading
from skrational.estimators._logging import shown
from skrational.estimators._recipe import optimization, phases, spread_lengths
from skrational.pruning.threshold import Threshold
from skrational.structures import RationalStructure
from skrational.training.adam import Moments
from skrational.training.devices import resolve_device
from skrational.training.labelled import Labelled
from skrational.training.loop import Examples, PhaseRun
from skrational.training.phases import Phase
from skrational.training.rng import Randomness
from skrational.utils.buffers import recycling
from skrational.utils.callbacks import FitTask
from skrational.utils.threads import single_thread

__all__ = ["RationalFit", "prepared"]

_logger = logging.getLogger("skrational")


@contextmanager
def prepared(verbose: int) -> Iterator[None]:
    """Set up threads, memory and logging for training."""
    with single_thread(), recycling(), shown(verbose):
        yield


class RationalFit:
    """The working state of one call of ``fit``.

    Parameters
    ----------
    estimator : SparseRationalClassifier
        Its parameters, checked.
    labelled : Labelled
        What to learn from.
    randomness : Randomness
    held_out : Labelled or None
        Serves early stopping instead of a part of ``labelled``.
    """

    def __init__(
        self,
        estimator: Any,
        labelled: Labelled,
        randomness: Randomness,
        held_out: Labelled | None = None,
    ) -> None:
        self.params = estimator
        self.classes = labelled.classes
        self.device = resolve_device(estimator.device)
        self.dtype = getattr(torch, estimator.dtype)
        self.randomness = randomness
        self.history: list[dict[str, Any]] = []
        weights = labelled.weights
        of_class = np.bincount(labelled.codes, weights, len(self.classes))
        self.prior = of_class / weights.sum()
        labelled = labelled.weighing()
        if held_out is None and estimator.early_stopping:
            labelled, held_out = labelled.split(
                estimator.validation_fraction, randomness.split
            )
        self.training = self.examples(labelled)
        self.validation = None if held_out is None else self.examples(held_out)
        self._start(labelled.X.n_features)

    def examples(self, labelled: Labelled) -> Examples:
        """Prepare documents for the loop."""
        weights = labelled.weights / labelled.weights.mean()
        return Examples(
            Corpus(labelled.X, self.dtype, self.device),
            torch.from_numpy(labelled.codes.astype(np.int64)).to(self.device),
            torch.from_numpy(weights).to(self.device, self.dtype),
        )

    def _start(self, n_features: int) -> None:
        """Build the network, or take it over from the previous fit."""
        params = self.params
        self.reading = Reading(
            params.semiring, params.readout, params.match, params.length_exponent
        )
        lengths = spread_lengths(params.n_states, params.n_wfsas)
        self.initial_lengths = lengths
        n_outputs = 1 if len(self.classes) == 2 else len(self.classes)
        if params.warm_start and params.__sklearn_is_fitted__():
            self.cell = self._previous_cell(n_features)
        else:
            cell = RationalCell(
                n_features, lengths, n_outputs, self.reading, self.dtype
            )
            self.cell = cell.initialize(self.randomness.weights)
        self.cell.to(self.device)

    def _previous_cell(self, n_features: int) -> RationalCell:
        params = self.params
        if params.n_features_in_ != n_features or not np.array_equal(
            params.classes_, self.classes
        ):
            raise ValueError(
                f"warm_start needs data like that of the previous fit, with "
                f"{params.n_features_in_} features and the classes {params.classes_}; "
                f"got {n_features} features and the classes {self.classes}."
            )
        structure = params.learned_structure_
        self.initial_lengths = structure.initial_lengths
        self.reading = params._reading
        arrays = {**params.weights_, "A": params.coef_, "a": params.intercept_}
        arrays = {k: v.astype(params.dtype) for k, v in arrays.items()}
        return RationalCell.from_arrays(
            arrays, structure.lengths, self.reading, structure.survivors
        )

    def regularize_prune_finetune(self, data: dict[str, Any]) -> dict[str, Any]:
        """Run the phases, pruning after the penalty; return the fitted attributes.

        ``data`` is what callbacks are told.
        """
        named = phases(self.params)
        self.begin(len(named), data)
        for phase in named:
            self.run(phase)
            self.prune(phase)
        self.end()
        return self.fitted()

    def copy(self) -> RationalFit:
        """Return a fit that goes on by itself; the data are shared."""
        twin = copy(self)
        twin.cell = deepcopy(self.cell)
        twin.history = list(self.history)
        twin.randomness = self.randomness.copy()
        return twin

    def begin(self, n_phases: int | None, data: dict[str, Any]) -> None:
        """Tell the callbacks that so many phases, if known, are to come."""
        self.task = FitTask(self.params, n_phases, data)

    def end(self) -> None:
        """Tell the callbacks that all is done."""
        self.task.end(self._fitted)

    def run(self, phase: Phase, moments: Moments | None = None) -> Moments | None:
        """Train as long as there is something to train.

        ``moments`` are the optimizer's, to go on from; returned are those at the end.
        """
        if not self.cell.lengths:
            return None
        run = PhaseRun(
            self.cell,
            phase,
            optimization(self.params),
            self.training,
            self.validation,
            self.randomness,
            moments,
        )
        task = self.task.phase(phase.name, phase.epochs)
        n_before = len(self.history)
        stopped = False
        while not (stopped or run.is_over()):
            epoch = task.begin_epoch()
            self._record(run.run_epoch(), phase)
            stopped = task.end_epoch(epoch, self._fitted)
            # Nothing is left; what might grow again would seldom stay.
            stopped |= phase.solver == "prox" and not self.history[-1]["n_transitions"]
        if phase.patience is not None:
            run.restore_best()
        task.end(self._fitted)
        rows = self.history[n_before:]
        _logger.info(
            "%s: %d epochs, loss %.4f, %d live transitions",
            phase.name,
            len(rows),
            rows[-1]["loss"],
            rows[-1]["n_transitions"],
        )
        return run.moments

    def _record(self, row: dict[str, Any], phase: Phase) -> None:
        if not np.isfinite(row["loss"]):
            raise ValueError(
                f"Training diverged in epoch {row['epoch']} of {phase.name} (loss "
                f"{row['loss']}). Lower learning_rate (now "
                f"{self.params.learning_rate}) or max_grad_norm (now "
                f"{self.params.max_grad_norm})."
            )
        row["n_transitions"] = sum(self._kept(phase))
        self.history.append(row)
        _logger.debug("%s", row)

    def _live_groups(self, phase: Phase) -> NDArray[np.bool_]:
        """Groups that the pruner would leave now."""
        pruner = Threshold(0.0 if phase.solver == "prox" else self.params.threshold)
        with torch.no_grad():
            norms = self.cell.groups(phase.grouping).norms().cpu().numpy()
        return pruner.survivors(norms)

    def _kept(self, phase: Phase) -> tuple[int, ...]:
        """Lengths that pruning would leave now."""
        if phase.penalty is None:
            return self.cell.lengths
        return self.cell.kept_lengths(phase.grouping, self._live_groups(phase))

    def prune(self, phase: Phase, moments: Moments | None = None) -> Moments | None:
        """Cut out what the penalty of a phase emptied, of the moments as well."""
        if phase.penalty is None:
            return moments
        kept = self._kept(phase)
        if phase.grouping == "transitions":
            self.cell.fix_self_loops(self._live_groups(phase)[sum(self.cell.lengths) :])
        if moments is not None:
            moments = moments.of(self.cell, kept)
        self.cell = self.cell.compacted(kept)
        return moments

    def fitted(self) -> dict[str, Any]:
        """Return the fitted attributes of the trained network."""
        if not self.cell.lengths:
            self.keep_the_prior(self.cell)
        return self._fitted()

    def keep_the_prior(self, cell: RationalCell) -> None:
        """Without states, the best logits are those of the class frequencies."""
        logits = np.log(np.maximum(self.prior, np.finfo(np.float32).tiny))
        if len(logits) == 2:
            logits = logits[1:] - logits[:1]
        with torch.no_grad():
            cell.a.copy_(torch.from_numpy(logits))

    def _fitted(self) -> dict[str, Any]:
        """Fitted attributes of the network as it is now."""
        arrays = self.cell.to_arrays()
        kept = [0] * len(self.initial_lengths)
        for i, n in zip(self.cell.origin, self.cell.lengths, strict=True):
            kept[i] = n
        coef, intercept = arrays.pop("A"), arrays.pop("a")
        structure = RationalStructure(
            self.initial_lengths,
            tuple(kept),
            n_features=arrays["W_u"].shape[1],
            n_outputs=len(intercept),
            n_readout_parameters_per_state=int("rho" in arrays),
            n_fixed_self_loops=int((~self.cell.learned_loops).sum()),
            all_final=self.reading.readout != "last",
        )
        return self.attributes(arrays, coef, intercept, structure, self.history)

    def attributes(
        self,
        weights: dict[str, NDArray[Any]],
        coef: NDArray[Any],
        intercept: NDArray[Any],
        structure: RationalStructure,
        history: list[dict[str, Any]],
    ) -> dict[str, Any]:
        """Name what an estimator adopts."""
        return {
            "classes_": self.classes,
            "n_features_in_": structure.n_features,
            "weights_": weights,
            "coef_": coef,
            "intercept_": intercept,
            "learned_structure_": structure,
            "n_iter_": len(history),
            "history_": list(history),
            "_reading": self.reading,
        }
