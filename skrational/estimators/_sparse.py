"""What every sparse estimator shares: the parameters of training, and ``fit``."""

from __future__ import annotations

import os
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from skrational.estimators import _options as options
from skrational.estimators._base import BaseSequenceEstimator
from skrational.estimators._constraints import TRAINING, check_steps
from skrational.estimators._history import HistoryMixin
from skrational.estimators._rules import ToldInWords
from skrational.sequences import SequenceArray
from skrational.structures import Structure
from skrational.training.labelled import Learnable
from skrational.utils.callbacks import CallbackSupportMixin
from skrational.utils.callers import caller_level
from skrational.utils.devices import resolve_device
from skrational.utils.suggestions import SuggestsNames

if TYPE_CHECKING:
    import torch

    from skrational.cells.base import Cell
    from skrational.penalties.base import Penalty
    from skrational.pruning.base import Pruner
    from skrational.training.losses import Loss

__all__ = [
    "TRAINING",
    "SparseEstimator",
    "SparseSequenceEstimator",
]

FASTEST = ("cpu",)
"""What ``device="auto"`` may stand for: so far the CPU has the fastest kernel."""


class SparseEstimator(
    SuggestsNames, HistoryMixin, ToldInWords, CallbackSupportMixin, BaseEstimator, ABC
):
    """An estimator whose structure is learned: regularize, prune, finetune.

    A subclass names its cell, what that is charged for, its loss, and its own
    parameters: it lists all parameters that it offers in its ``__init__`` and hands
    those of training to this one. Fitted state is numpy; a cell exists during ``fit``
    only, unless a subclass has no faster way to score than `Cell.hidden`.
    """

    _doc_link_module = "skrational"
    _doc_link_template = ""
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = TRAINING
    _unit: ClassVar[str] = "unit"
    """What the penalty removes, for messages."""
    _constant: ClassVar[str] = "the majority class"
    """What a model without units predicts, for messages."""
    _prune_every: ClassVar[int] = 0
    """Epochs between prunings that need no penalty; 0: what that left is pruned."""

    warm_start = False
    """Whether ``fit`` goes on from the previous one."""

    coef_: NDArray[np.floating]
    intercept_: NDArray[np.floating]
    weights_: dict[str, NDArray[np.floating]]
    learned_structure_: Structure
    n_iter_: int

    def __init__(
        self,
        *,
        lambda_: options.Strength = 2e-3,
        solver: options.Solver = "prox",
        threshold: float = 0.1,
        learning_rate: float = 0.02,
        finetune_schedule: options.FinetuneSchedule = "cosine",
        batch_size: int | None = 64,
        min_steps_per_epoch: int = 50,
        max_steps_per_epoch: int | None = 400,
        warmup_epochs: int = 5,
        max_epochs: int = 20,
        ramp_epochs: int = 0,
        finetune_epochs: int = 20,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        dropout: float = 0.4,
        word_dropout: float = 0.0,
        feature_dropout: options.FeatureDropout = 0.0,
        weight_decay: float = 0.0,
        max_grad_norm: float | None = 5.0,
        dtype: options.FloatType = "float32",
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        self.lambda_ = lambda_
        self.solver = solver
        self.threshold = threshold
        self.learning_rate = learning_rate
        self.finetune_schedule = finetune_schedule
        self.batch_size = batch_size
        self.min_steps_per_epoch = min_steps_per_epoch
        self.max_steps_per_epoch = max_steps_per_epoch
        self.warmup_epochs = warmup_epochs
        self.max_epochs = max_epochs
        self.ramp_epochs = ramp_epochs
        self.finetune_epochs = finetune_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.dropout = dropout
        self.word_dropout = word_dropout
        self.feature_dropout = feature_dropout
        self.weight_decay = weight_decay
        self.max_grad_norm = max_grad_norm
        self.dtype = dtype
        self.device = device
        self.random_state = random_state
        self.verbose = verbose

    def _validate_params(self) -> None:
        super()._validate_params()
        check_steps(self)

    @abstractmethod
    def _dense_cell(
        self,
        n_features: int,
        n_outputs: int,
        dtype: torch.dtype,
        generator: torch.Generator,
    ) -> Cell:
        """Return a cell as it is before training, its weights drawn.

        Parameters
        ----------
        n_features, n_outputs : int
        dtype : torch.dtype
        generator : torch.Generator
            On the CPU; draws the weights.
        """

    @abstractmethod
    def _blank_cell(self, structure: Any, dtype: torch.dtype) -> Cell:
        """Return a cell of a learned structure, its parameters yet to be set."""

    def _learner(self, cell: Any) -> Cell:
        """Return the cell that learns the structure of the one that is to be kept."""
        return cell

    @abstractmethod
    def _charges(self) -> tuple[tuple[Penalty, str], ...]:
        """Return the penalties, each with the kind of groups that it charges."""

    def _strength(self) -> Any:
        """Return what ``lambda_`` stands for; with 0 there is no penalty."""
        return self.lambda_

    def _shrinks_beyond(self) -> float | None:
        """Return the share that has to be gone for a cut amid the penalized phase."""
        return None

    def _natural_strength(self) -> float | None:
        """Return the ``lambda_`` around which those of a path lie by default.

        None: the gradient of the empty network tells.
        """
        return None

    def _pruner(self) -> Pruner:
        """Return the rule that says which groups the penalty has left."""
        from skrational.pruning.threshold import Threshold

        return Threshold(0.0 if self.solver == "prox" else self.threshold)

    def _pruned_kind(self) -> str:
        """Return the kind of groups that pruning drops: those of the last charge."""
        return self._charges()[-1][1]

    @abstractmethod
    def _loss(self) -> Loss:
        """Return what the outputs are held against."""

    def _loss_for(self, data: Learnable) -> Loss:
        """Return the loss for data of this kind, where there are several."""
        return self._loss()

    @abstractmethod
    def _data_attributes(self, data: Any) -> dict[str, Any]:
        """Return fitted attributes that tell of the data that were learned from."""

    def _own_attributes(self, cell: Any) -> dict[str, Any]:
        """Return fitted attributes that no other method has."""
        return {}

    def _learn(
        self,
        training: Learnable,
        held_out: Learnable | None,
        data: dict[str, Any],
        checkpoint_dir: str | os.PathLike[str] | None = None,
    ) -> None:
        """Regularize, prune, finetune, and take over the result.

        Parameters
        ----------
        training : Learnable
        held_out : Learnable or None
            Serves early stopping instead of a part of ``training``.
        data : dict
            What callbacks are told.
        checkpoint_dir : path-like or None, default=None
            Where epochs are kept.
        """
        from skrational.training.checkpoints import FitCheckpoint
        from skrational.training.fit import SparseFit, training_resources
        from skrational.training.held_out import calibrated
        from skrational.training.identity import describe_fit
        from skrational.training.rng import Randomness, draw_seed
        from skrational.training.strength import trained
        from skrational.utils.torch_state import in_own_state

        seed, about = draw_seed(self.random_state), {}
        if checkpoint_dir is not None:
            about = describe_fit(self, training, held_out)

        @in_own_state
        def train() -> dict[str, Any]:
            with (
                FitCheckpoint(checkpoint_dir, about, seed) as checkpoint,
                training_resources(self.verbose),
            ):
                run = SparseFit(self, training, Randomness(checkpoint.seed), held_out)
                run.keep_in(checkpoint.epochs())
                return trained(run, data) | calibrated(run, trained)

        self._adopt(train())
        if fault := self._too_sparse():
            warnings.warn(fault, ConvergenceWarning, stacklevel=caller_level())

    @property
    def size_(self) -> int:
        """Size of the fitted model, in the unit of its structure."""
        check_is_fitted(self)
        return self.learned_structure_.size

    def _too_sparse(self) -> str:
        """Say, of a fitted model, that too little is left; or nothing."""
        if not self.learned_structure_.is_empty:
            return ""
        strength = self._strength_used()
        cause, cure = f"lambda_={strength}", self._cure_for_too_sparse()
        if not strength:
            cause, cure = "The fit before this one", "Set warm_start=False."
        return (
            f"{cause} removed every {self._unit}: only the intercept is left, which "
            f"predicts {self._constant}. {cure}"
        )

    def _strength_used(self) -> Any:
        """Return the strength that the fit had, for messages."""
        return self._strength()

    def _cure_for_too_sparse(self) -> str:
        """Say what leaves more."""
        return "Lower lambda_."

    def _fixed_size(self) -> str:
        """Say what decides the size of the model instead of ``lambda_``; or nothing."""
        return ""

    def _check_own_parameters(self, device_type: str) -> None:
        """Raise a ValueError if parameters don't go together, or with the device."""

    def _adopt(self, fitted: dict[str, Any]) -> None:
        """Take over the result of a fit, all at once."""
        if "feature_names_in_" not in fitted:
            self.__dict__.pop("feature_names_in_", None)
        for name, value in fitted.items():
            setattr(self, name, value)

    def _fitted_cell(self, dtype: str | None = None) -> Cell:
        """Build the network of the fitted attributes again; None: in their dtype."""
        import torch

        arrays = {**self.weights_, "A": self.coef_, "a": self.intercept_}
        torch_dtype = getattr(torch, dtype or self.coef_.dtype.name)
        return self._blank_cell(self.learned_structure_, torch_dtype).set_arrays(arrays)

    def _training_device(self) -> torch.device:
        """Return the device of the parameter, or raise a ValueError."""
        return resolve_device(self.device, FASTEST)

    def _prediction_device(self) -> torch.device:
        """Return the device of the parameter, the CPU where that is missing."""
        try:
            return self._training_device()
        except ValueError:
            return resolve_device("cpu", FASTEST)


class SparseSequenceEstimator(SparseEstimator, BaseSequenceEstimator):
    """An estimator that learns from sequences with targets, one for each of them."""

    _read_training: Callable[..., Any]
    """Takes X, y and the weights of ``fit``; returns what there is to learn from."""

    _read_held_out: Callable[..., Any]
    """Takes that, and X and y of sequences that aren't trained on, which may be None;
    returns them likewise."""

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        X_val: Any,
        y_val: Any,
        checkpoint_dir: str | os.PathLike[str] | None,
    ) -> Self:
        """Fit; the parameters are those of ``fit``."""
        training = self._read_fit(X, y, sample_weight)
        serve = (
            self.early_stopping
            or self.lambda_ == "auto"
            or getattr(self, "calibration", None)
        )
        if not serve and (X_val is not None or y_val is not None):
            raise ValueError(
                "X_val and y_val serve early stopping, lambda_='auto', and a "
                "classifier's calibration; "
                f"got early_stopping={self.early_stopping}."
            )
        held_out = self._read_held_out(training, X_val, y_val)
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        data = {"X": X, "y": y, "metadata": metadata}
        self._learn(training, held_out, data, checkpoint_dir)
        return self

    def _read_fit(self, X: Any, y: Any, sample_weight: Any) -> Any:
        """Check the parameters and what there is to learn from."""
        self._validate_params()
        self._check_own_parameters(self._training_device().type)
        return self._read_training(X, y, sample_weight)

    def _check_like_before(self, data: Learnable) -> None:
        """Raise a ValueError if a fit can't go on with these data."""
        loss, classes = self._loss_for(data), getattr(self, "classes_", None)
        before: list[Any] = [self.n_features_in_, classes, len(self.intercept_)]
        n_outputs = loss.n_outputs(data.n_targets)
        now: list[Any] = [data.X.n_features, data.classes, n_outputs]
        if all(np.array_equal(a, b) for a, b in zip(before, now, strict=True)):
            return
        expected, found = (
            f"{width} features and "
            + (f"{n} values to predict" if of is None else f"the classes {of}")
            for width, of, n in (before, now)
        )
        raise ValueError(
            f"warm_start needs data like that of the previous fit, with {expected}; "
            f"got {found}."
        )

    def _scores(self, X: SequenceArray) -> NDArray[np.floating]:
        from skrational.cells.scoring import scores_by_cell

        return scores_by_cell(self._fitted_cell, X, self._prediction_device())

    def _exact_scores(self, X: SequenceArray) -> NDArray[np.floating]:
        from skrational.cells.scoring import scores_by_cell

        device = resolve_device("cpu", FASTEST)
        return scores_by_cell(partial(self._fitted_cell, "float64"), X, device)

    def _feature_attributes(self, data: Learnable) -> dict[str, Any]:
        """Return the fitted attributes that tell of the features."""
        names = data.feature_names
        named = {} if names is None else {"feature_names_in_": names}
        return {"n_features_in_": data.X.n_features, **named}
