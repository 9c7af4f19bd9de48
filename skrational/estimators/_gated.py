"""What estimators with gated networks share: parameters, charges and predictions."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrational.estimators import _options as options
from skrational.estimators._packed import PackedClassifier
from skrational.estimators._sparse import (
    TRAINING,
    SparseEstimator,
)
from skrational.kernels.cpu.prediction import PackedNetwork
from skrational.kernels.gated import choose_kernel
from skrational.structures.gated import GatedStructure, StateReadout
from skrational.utils.suggestions import did_you_mean

if TYPE_CHECKING:
    import torch

    from skrational.cells.base import Cell
    from skrational.cells.gated import GatedCell
    from skrational.penalties.base import Penalty
    from skrational.pruning.base import Pruner

__all__ = ["GATED", "GatedMethod", "SparseGatedClassifier"]

KINDS = ("weights", "gates", "neurons", "inputs")
"""Kinds of groups, from the smallest on: the order of their proximal operators."""

RATIOS: dict[str, dict[str, float]] = {"group_lasso": {"weights": 0.02}, "bayes": {}}
"""Strength of a framework's penalties as a multiple of lambda, where it isn't 1."""

GATED: dict[str, list[Any]] = {
    "n_units": [Interval(Integral, 1, 2**16, closed="both")],
    "lambda_": [Interval(Real, 0, None, closed="left"), None],
    "sparsify": ["array-like", str],
    "lambda_ratios": ["array-like", dict, None],
}
"""Constraints of the parameters that all of them have."""

DEFAULT_LAMBDA = {"group_lasso": 2e-3, "bayes": 1.0}


class GatedMethod(SparseEstimator):
    """An estimator with a gated network, of which weights, gates and units go.

    A subclass names its cell, and may have more kinds of groups.
    """

    _kinds: ClassVar[tuple[str, ...]] = KINDS
    _unit = "unit"

    learned_structure_: GatedStructure
    n_units: int
    lambda_: float | None  # type: ignore[assignment]
    sparsify: Any
    lambda_ratios: Any
    framework: str

    @property
    def n_gates_(self) -> int:
        """Gates that are not constant, the size of the model."""
        return self.size_

    @property
    def n_units_(self) -> int:
        """Units that are left."""
        check_is_fitted(self)
        return self.learned_structure_.n_units

    def _check_own_parameters(self, device_type: str) -> None:
        self._ratios()
        if self.framework == "bayes" and self.weight_decay:
            raise ValueError(
                f"weight_decay={self.weight_decay} with framework='bayes': the weights "
                "have a prior there, and a second one would pull at their noise, too; "
                "expected 0."
            )

    def _ratios(self) -> dict[str, float]:
        return check_ratios(
            self.sparsify, self.lambda_ratios, self._kinds, self.framework
        )

    def _strength(self) -> float:
        if self.lambda_ is None:
            return DEFAULT_LAMBDA[self.framework]
        return self.lambda_

    def _shrinks_beyond(self) -> float | None:
        finds_zeros = self.framework == "bayes" or self.solver == "prox"
        return 1 / 3 if finds_zeros else None

    def _charges(self) -> tuple[tuple[Penalty, str], ...]:
        from skrational.penalties.bayes import LogUniformKL
        from skrational.penalties.group_lasso import GroupLasso

        price = LogUniformKL if self.framework == "bayes" else GroupLasso
        return tuple(
            (price(self._strength() * ratio), kind)
            for kind, ratio in self._ratios().items()
        )

    def _natural_strength(self) -> float | None:
        return DEFAULT_LAMBDA["bayes"] if self.framework == "bayes" else None

    def _learner(self, cell: GatedCell) -> Cell:
        if self.framework != "bayes":
            return cell
        from skrational.cells.variational import VariationalCell

        return VariationalCell(cell, tuple(self._ratios()))

    def _pruner(self) -> Pruner:
        if self.framework != "bayes":
            return super()._pruner()
        from skrational.pruning.signal_to_noise import SignalToNoise

        return SignalToNoise(self.log_alpha)

    def _pruned_kind(self) -> str:
        if self.framework == "group_lasso" and self.solver == "prox":
            # Whatever a proximal operator has emptied is made of zeros.
            return "weights"
        return "+".join(self._ratios())

    def _too_sparse(self) -> str:
        structure = self.learned_structure_
        if structure.inputs or structure.is_empty:
            return super()._too_sparse()
        return (
            f"lambda_={self._strength()} removed every feature that a gate reads: "
            "predictions depend on the length of a sequence alone. Lower lambda_."
        )

    @abstractmethod
    def _cell_type(self) -> type[GatedCell]:
        """Return the class of the network."""


class SparseGatedClassifier(GatedMethod, PackedClassifier):
    """A classifier by a gated network whose weights, gates and units are learned away.

    A subclass names its cell; see `SparseLSTMClassifier` for the parameters.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = (
        TRAINING
        | GATED
        | {
            "framework": [StrOptions({"group_lasso", "bayes"})],
            "readout": [StrOptions({"anywhere", "last"})],
            "length_exponent": [Interval(Real, 0, None, closed="left")],
            "log_alpha": [Interval(Real, None, None, closed="neither")],
        }
    )
    _packed_type: ClassVar[Any]

    _reading: StateReadout

    def __init__(
        self,
        *,
        n_units: int = 64,
        lambda_: float | None = None,
        sparsify: options.GateGroups = ("weights", "gates", "neurons"),
        lambda_ratios: Sequence[float] | Mapping[str, float] | None = None,
        framework: options.Framework = "group_lasso",
        log_alpha: float = 3.0,
        readout: options.StatesRead = "anywhere",
        length_exponent: float = 0.5,
        solver: options.Solver = "prox",
        threshold: float = 0.01,
        learning_rate: float = 0.02,
        finetune_schedule: options.FinetuneSchedule = "cosine",
        batch_size: int | None = 64,
        min_steps_per_epoch: int = 50,
        max_steps_per_epoch: int | None = 400,
        warmup_epochs: int = 5,
        max_epochs: int = 15,
        ramp_epochs: int = 0,
        finetune_epochs: int = 10,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        dropout: float = 0.1,
        word_dropout: float = 0.0,
        feature_dropout: float = 0.0,
        weight_decay: float = 0.0,
        max_grad_norm: float | None = 5.0,
        class_weight: options.ClassWeight = None,
        calibration: options.Calibration = None,
        warm_start: bool = False,
        dtype: options.FloatType = "float32",
        device: str = "auto",
        random_state: int | np.random.RandomState | None = None,
        verbose: int = 0,
    ) -> None:
        super().__init__(
            lambda_=lambda_,
            solver=solver,
            threshold=threshold,
            learning_rate=learning_rate,
            finetune_schedule=finetune_schedule,
            batch_size=batch_size,
            min_steps_per_epoch=min_steps_per_epoch,
            max_steps_per_epoch=max_steps_per_epoch,
            warmup_epochs=warmup_epochs,
            max_epochs=max_epochs,
            ramp_epochs=ramp_epochs,
            finetune_epochs=finetune_epochs,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            dropout=dropout,
            word_dropout=word_dropout,
            feature_dropout=feature_dropout,
            weight_decay=weight_decay,
            max_grad_norm=max_grad_norm,
            class_weight=class_weight,
            calibration=calibration,
            warm_start=warm_start,
            dtype=dtype,
            device=device,
            random_state=random_state,
            verbose=verbose,
        )
        self.n_units = n_units
        self.sparsify = sparsify
        self.lambda_ratios = lambda_ratios
        self.framework = framework
        self.log_alpha = log_alpha
        self.readout = readout
        self.length_exponent = length_exponent

    def _state_readout(self) -> StateReadout:
        return StateReadout(self.readout, float(self.length_exponent))

    def _dense_cell(
        self,
        n_features: int,
        n_outputs: int,
        dtype: torch.dtype,
        generator: torch.Generator,
    ) -> GatedCell:
        cell = self._cell_type().dense(
            n_features, int(self.n_units), n_outputs, self._state_readout(), dtype
        )
        return cell.initialize(generator)

    def _blank_cell(self, structure: GatedStructure, dtype: torch.dtype) -> GatedCell:
        return self._cell_type()(structure, self._reading, dtype)

    def _own_attributes(self, cell: GatedCell) -> dict[str, Any]:
        return {"_reading": cell.reading}

    def _kernel(self, device_type: str) -> str:
        return choose_kernel(device_type)

    def _packed_settings(self) -> Any:
        return self.learned_structure_, self._reading

    def _packed(self) -> PackedNetwork:
        structure, reading = self.learned_structure_, self._reading
        return self._packed_type.of(
            self.weights_["W_ih"],
            self.weights_["W_hh"],
            self._biases(),
            structure.varies,
            np.array(structure.inputs, np.int64),
            structure.n_features,
            reading.readout == "anywhere",
            reading.length_exponent,
        )

    def _biases(self) -> NDArray[np.floating]:
        """Biases as the kernels take them, (n_biases, n_units)."""
        return self.weights_["b"]


def check_ratios(
    sparsify: Any,
    lambda_ratios: Any,
    possible: tuple[str, ...] = KINDS,
    framework: str = "group_lasso",
) -> dict[str, float]:
    """Return what each kind of groups is charged, as a multiple of lambda.

    Kinds that cost nothing are left out; they come in the order of ``possible``.

    Raises
    ------
    ValueError
        If a kind doesn't exist or stands twice, or the ratios aren't as many numbers of
        at least 0, one of them positive.
    """
    kinds = _listed(sparsify)
    known = all(isinstance(kind, str) and kind in possible for kind in kinds)
    if not kinds or not known or len(set(kinds)) < len(kinds):
        raise ValueError(
            f"sparsify must name some of {possible}, each once; got {sparsify!r}."
            f"{_meant(kinds, possible)}"
        )
    if lambda_ratios is None:
        ratios = [RATIOS[framework].get(kind, 1.0) for kind in kinds]
    elif not isinstance(lambda_ratios, Mapping):
        ratios = _listed(lambda_ratios)
    elif set(lambda_ratios) == set(kinds):
        ratios = [lambda_ratios[kind] for kind in kinds]
    else:
        raise ValueError(
            f"lambda_ratios must have the keys of sparsify={tuple(kinds)}; got "
            f"{lambda_ratios!r}."
        )
    valid = all(isinstance(r, Real) and 0 <= float(r) < np.inf for r in ratios)
    if len(ratios) != len(kinds) or not valid or not any(ratios):
        raise ValueError(
            "lambda_ratios must be a number of at least 0, not all of them 0, for each "
            f"of sparsify={tuple(kinds)}; got {lambda_ratios!r}."
        )
    of_kind = dict(zip(kinds, map(float, ratios), strict=True))
    return {kind: of_kind[kind] for kind in possible if of_kind.get(kind)}


def _meant(kinds: list[Any], possible: tuple[str, ...]) -> str:
    """Say which kind may be meant by one that doesn't exist."""
    unknown = (str(kind) for kind in kinds if kind not in possible)
    return next((did_you_mean(kind, possible) for kind in unknown), "")


def _listed(values: Any) -> list[Any]:
    """Return a value, or those of a sequence or an array, as a list."""
    listed: list[Any] = np.ravel(np.asarray(values, dtype=object)).tolist()
    return listed
