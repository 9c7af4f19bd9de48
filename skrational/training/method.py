"""What a fit needs of an estimator."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

import torch

from skrational.cells.base import Cell
from skrational.penalties.base import Penalty
from skrational.pruning.base import Pruner
from skrational.training.labelled import Learnable
from skrational.training.losses import Loss

__all__ = ["Method"]


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
