"""One call of ``fit``: build the cell, run the phases, hand over the result."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from numbers import Integral
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skrational.callbacks import FitTask
from skrational.cells.rational import RationalCell, Reading
from skrational.estimators._splits import stratified_split
from skrational.kernels.batches import Corpus
from skrational.penalties.group_lasso import GroupLasso
from skrational.pruning.threshold import Threshold
from skrational.sequences import SequenceArray
from skrational.structures import RationalStructure
from skrational.training.loop import Examples, PhaseRun
from skrational.training.noise import Dropout
from skrational.training.phases import Optimization, Phase
from skrational.training.rng import Randomness

__all__ = ["RationalFit", "spread_lengths"]

_logger = logging.getLogger("skrational")


class RationalFit:
    """The working state of one call of ``fit``."""

    def __init__(
        self,
        estimator: Any,
        classes: NDArray[Any],
        device: torch.device,
        randomness: Randomness,
        data: dict[str, Any],
    ) -> None:
        self.params = estimator
        self.classes = classes
        self.device = device
        self.dtype = getattr(torch, estimator.dtype)
        self.randomness = randomness
        self.history: list[dict[str, Any]] = []
        self.task = FitTask(estimator, len(_phases(estimator)), data)

    def prepare(
        self,
        X: SequenceArray,
        codes: NDArray[np.intp],
        weights: NDArray[np.floating],
        held_out: tuple[SequenceArray, NDArray[np.intp]] | None,
    ) -> None:
        """Name the examples to train on and those to validate on."""
        weighing = np.flatnonzero(weights > 0)
        self.prior = np.bincount(codes, weights, len(self.classes)) / weights.sum()
        self.validation: Examples | None = None
        training = weighing
        if held_out is not None:
            self.validation = self._examples(*held_out, np.ones(len(held_out[1])))
        elif self.params.early_stopping:
            kept, validation = stratified_split(
                codes[weighing], self.params.validation_fraction, self.randomness.split
            )
            training, validation = weighing[kept], weighing[validation]
            if len(validation):
                self.validation = self._examples(
                    X[validation], codes[validation], weights[validation]
                )
        whole = len(training) == len(X)
        self.training = self._examples(
            X if whole else X[training], codes[training], weights[training]
        )

    def _examples(
        self, X: SequenceArray, codes: NDArray[np.intp], weights: NDArray[np.floating]
    ) -> Examples:
        return Examples(
            Corpus(X, self.dtype, self.device),
            torch.from_numpy(codes.astype(np.int64)).to(self.device),
            torch.from_numpy(weights / weights.mean()).to(self.device, self.dtype),
        )

    def start(self, n_features: int, lengths: tuple[int, ...]) -> None:
        """Build the network, or take it over from the previous fit."""
        params = self.params
        self.reading = Reading(
            params.semiring, params.readout, params.match, params.length_exponent
        )
        self.initial_lengths = lengths
        self.origin = list(range(len(lengths)))
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
        self.origin = list(structure.survivors)
        self.reading = params._reading
        arrays = {**params.weights_, "A": params.coef_, "a": params.intercept_}
        arrays = {k: v.astype(params.dtype) for k, v in arrays.items()}
        return RationalCell.from_arrays(arrays, structure.lengths, self.reading)

    def regularize_prune_finetune(self) -> dict[str, Any]:
        """Run the phases, pruning after the penalty; return the fitted attributes."""
        for phase in _phases(self.params):
            if self.cell.lengths:
                self._run(phase)
            if phase.penalty is not None:
                self._prune(phase)
        if not self.cell.lengths:
            self._keep_the_prior()
        self.task.end(self._fitted)
        return self._fitted()

    def _run(self, phase: Phase) -> None:
        run = PhaseRun(
            self.cell,
            phase,
            _optimization(self.params),
            self.training,
            self.validation,
            self.randomness,
        )
        task = self.task.phase(phase.name, phase.epochs)
        stopped = False
        while not (stopped or run.is_over()):
            epoch = task.begin_epoch()
            self._record(run.run_epoch(), phase)
            stopped = task.end_epoch(epoch, self._fitted)
        if phase.patience is not None:
            run.restore_best()
        task.end(self._fitted)
        rows = [row for row in self.history if row["phase"] == phase.name]
        _logger.info(
            "%s: %d epochs, loss %.4f, %d live transitions",
            phase.name,
            len(rows),
            rows[-1]["loss"],
            rows[-1]["n_transitions"],
        )

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

    def _prune(self, phase: Phase) -> None:
        kept = self._kept(phase)
        if phase.grouping == "transitions":
            self.cell.fix_self_loops(self._live_groups(phase)[sum(self.cell.lengths) :])
        self.cell = self.cell.compacted(kept)
        self.origin = [i for i, n in zip(self.origin, kept, strict=True) if n]

    def _keep_the_prior(self) -> None:
        """Without states, the best logits are those of the class frequencies."""
        logits = np.log(np.maximum(self.prior, np.finfo(np.float32).tiny))
        if len(logits) == 2:
            logits = logits[1:] - logits[:1]
        with torch.no_grad():
            self.cell.a.copy_(torch.from_numpy(logits))

    def _fitted(self) -> dict[str, Any]:
        """Fitted attributes of the network as it is now."""
        arrays = self.cell.to_arrays()
        kept = [0] * len(self.initial_lengths)
        for i, n in zip(self.origin, self.cell.lengths, strict=True):
            kept[i] = n
        coef, intercept = arrays.pop("A"), arrays.pop("a")
        return {
            "classes_": self.classes,
            "n_features_in_": arrays["W_u"].shape[1],
            "weights_": arrays,
            "coef_": coef,
            "intercept_": intercept,
            "learned_structure_": RationalStructure(
                self.initial_lengths,
                tuple(kept),
                n_features=arrays["W_u"].shape[1],
                n_outputs=len(intercept),
                n_readout_parameters_per_state=int("rho" in arrays),
                n_fixed_self_loops=int((~self.cell.learned_loops).sum()),
                all_final=self.reading.readout != "last",
            ),
            "n_iter_": len(self.history),
            "history_": list(self.history),
            "_reading": self.reading,
        }


def spread_lengths(n_states: int | Sequence[int], n_wfsas: int) -> tuple[int, ...]:
    """Give each automaton its number of states.

    Parameters
    ----------
    n_states : int or sequence of int
    n_wfsas : int

    Returns
    -------
    tuple of int, of length n_wfsas
        Lengths in the order of ``n_states``, as equally often as possible.

    Raises
    ------
    ValueError
        If a length isn't a positive integer or there are more lengths than automata.

    Examples
    --------
    >>> spread_lengths((1, 2, 3), 7)
    (1, 1, 1, 2, 2, 3, 3)
    """
    if isinstance(n_states, Integral):
        return (int(n_states),) * n_wfsas
    lengths = tuple(n_states)  # type: ignore[arg-type]
    positive = all(
        isinstance(n, Integral) and not isinstance(n, bool) and n >= 1 for n in lengths
    )
    if not lengths or not positive or len(lengths) > n_wfsas:
        raise ValueError(
            f"n_states must be a positive integer or a tuple of at most n_wfsas="
            f"{n_wfsas} of them; got {n_states!r}."
        )
    parts = np.array_split(np.arange(n_wfsas), len(lengths))
    counts = [len(part) for part in parts]
    return tuple(int(n) for n in np.repeat(lengths, counts))


def _phases(params: Any) -> list[Phase]:
    """Name the phases of a fit: warm up, regularize, finetune."""
    patience = params.n_iter_no_change if params.early_stopping else None
    phases = [
        Phase("warmup", params.warmup_epochs, params.learning_rate),
        Phase(
            "regularize",
            params.max_epochs,
            params.learning_rate,
            penalty=GroupLasso(params.lambda_) if params.lambda_ else None,
            grouping=params.penalty,
            ramp=params.ramp_epochs,
            solver=params.solver,
            patience=patience,
        ),
        Phase(
            "finetune",
            params.finetune_epochs,
            params.learning_rate,
            schedule=params.finetune_schedule,
            patience=patience,
        ),
    ]
    return [phase for phase in phases if phase.epochs]


def _optimization(params: Any) -> Optimization:
    return Optimization(
        batch_size=params.batch_size,
        weight_decay=params.weight_decay,
        max_grad_norm=params.max_grad_norm,
        dropout=Dropout(params.dropout, params.word_dropout, params.feature_dropout),
    )
