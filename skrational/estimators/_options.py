"""Names of what parameters may be, for type checkers; validation has them, too."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeAlias

__all__ = [
    "Activation",
    "Calibration",
    "CellName",
    "ClassWeight",
    "FeatureDropout",
    "FinetuneSchedule",
    "FloatType",
    "Framework",
    "GateGroup",
    "GateGroups",
    "Inhibitor",
    "Level",
    "Match",
    "NumberOfWFSAs",
    "Penalized",
    "Pruned",
    "Readout",
    "RecurrentInit",
    "Scaling",
    "Semiring",
    "Solver",
    "StatesRead",
    "Strength",
    "TargetLoss",
    "WordGroup",
    "WordGroups",
]

Strength: TypeAlias = float | Literal["auto"]
Solver: TypeAlias = Literal["prox", "subgradient"]
FinetuneSchedule: TypeAlias = Literal["cosine", "plateau", "constant"]
FeatureDropout: TypeAlias = float | Literal["auto"]
FloatType: TypeAlias = Literal["float32", "float64"]
Calibration: TypeAlias = Literal["temperature"] | None
ClassWeight: TypeAlias = Mapping[Any, float] | Literal["balanced"] | None

NumberOfWFSAs: TypeAlias = int | Literal["auto"]
Penalized: TypeAlias = Literal["states", "wfsas", "transitions"]
Semiring: TypeAlias = Literal["plus-times", "max-plus", "max-times"]
Readout: TypeAlias = Literal["sum", "last", "rho", "rho_softmax"]
Match: TypeAlias = Literal["anywhere", "end"]

StatesRead: TypeAlias = Literal["anywhere", "last"]
Framework: TypeAlias = Literal["group_lasso", "bayes"]
GateGroup: TypeAlias = Literal["weights", "gates", "neurons", "inputs"]
GateGroups: TypeAlias = GateGroup | Sequence[GateGroup]
WordGroup: TypeAlias = GateGroup | Literal["vocabulary"]
WordGroups: TypeAlias = WordGroup | Sequence[WordGroup]
Level: TypeAlias = Literal["word", "character"]

CellName: TypeAlias = Literal["elman", "lstm", "gru"]
Activation: TypeAlias = Literal["tanh", "relu"]
RecurrentInit: TypeAlias = Literal["auto", "orthogonal", "identity"]
Pruned: TypeAlias = Literal["recurrent", "all"]
Scaling: TypeAlias = Literal["mean", "raw"]
TargetLoss: TypeAlias = Literal["squared_error", "cross_entropy"]
Inhibitor: TypeAlias = (
    Literal["dog", "diffusion", "ripple", "gauss", "constant"] | Callable[[Any], Any]
)
