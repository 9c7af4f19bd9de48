"""What estimators of weighted automata share: parameters, cells and automata."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrational.estimators import _options as options
from skrational.estimators._constraints import TRAINING
from skrational.estimators._fitted_automata import as_of_this_version, trained_final
from skrational.estimators._layers import (
    blank_cell,
    dense_cell,
    is_layered,
    layers_of,
    packed_automata,
)
from skrational.estimators._packed import PackedEstimator
from skrational.estimators._rules import RulesInWords
from skrational.kernels import choose_kernel
from skrational.kernels.cpu.prediction import PackedNetwork
from skrational.structures import LayeredStructure, RationalStructure
from skrational.structures.automata import (
    MATCHES,
    READOUTS,
    SEMIRING_NAMES,
    ScoringRule,
    WeightedAutomata,
)
from skrational.structures.rational import spread_lengths

if TYPE_CHECKING:
    import torch

    from skrational.cells.base import Cell
    from skrational.penalties.group_lasso import GroupLasso

__all__ = ["RATIONAL", "RationalMethod"]

RATIONAL: dict[str, list[Any]] = TRAINING | {
    "lambda_": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
    "n_wfsas": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    "n_states": [Interval(Integral, 1, None, closed="left"), tuple, list],
    "penalty": [StrOptions({"states", "wfsas", "transitions"})],
    "semiring": [StrOptions(set(SEMIRING_NAMES))],
    "readout": [StrOptions(set(READOUTS))],
    "match": [StrOptions(set(MATCHES))],
    "length_exponent": [Interval(Real, 0, None, closed="left")],
    "feature_dropout": [Interval(Real, 0, 1, closed="left"), StrOptions({"auto"})],
}
"""Constraints of the parameters."""

_FEWEST, _MOST = 24, 96
"""Automata by default, however few or many classes there are."""


class RationalMethod(RulesInWords, PackedEstimator):
    """An estimator of sequences with a few weighted automata.

    A subclass says what the readout predicts.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = RATIONAL
    _unit = "state"

    n_layers = 1
    """Layers of automata."""

    lambda_used_: float
    learned_structure_: RationalStructure | LayeredStructure
    _scoring_rule: ScoringRule
    _final_weights: NDArray[np.floating]

    def __init__(
        self,
        *,
        n_wfsas: options.NumberOfWFSAs = "auto",
        n_states: int | Sequence[int] = 4,
        penalty: options.Penalized = "states",
        semiring: options.Semiring = "plus-times",
        readout: options.Readout = "sum",
        match: options.Match = "anywhere",
        length_exponent: float = 0.5,
        **training: Any,
    ) -> None:
        super().__init__(**training)
        self.n_wfsas = n_wfsas
        self.n_states = n_states
        self.penalty = penalty
        self.semiring = semiring
        self.readout = readout
        self.match = match
        self.length_exponent = length_exponent

    @property
    def n_transitions_(self) -> int:
        """Main-path transitions that are left, the size of the model."""
        return self.size_

    @property
    def automata_(self) -> WeightedAutomata:
        """The automata that are left as numbers, for `skrational.inspection`."""
        check_is_fitted(self)
        if is_layered(self):
            raise AttributeError(
                "automata_ is about a single layer; the fitted network has "
                f"{len(self.layers_)}. What is left of each is in layers_."
            )
        return self.layers_[0]

    @property
    def layers_(self) -> tuple[WeightedAutomata, ...]:
        """The automata of each layer as numbers, the last one with the readout."""
        check_is_fitted(self)
        return layers_of(self)

    def _strength_used(self) -> Any:
        is_chosen = self.lambda_ == "auto"
        return float(f"{self.lambda_used_:.3g}") if is_chosen else self.lambda_

    def _cure_for_too_sparse(self) -> str:
        if self.lambda_ != "auto":
            return "Lower lambda_, or let lambda_='auto' choose it."
        return (
            "lambda_='auto' chose it, as no network did better on what was held out; a "
            "lower number leaves more."
        )

    def _check_own_parameters(self, device_type: str) -> None:
        self._lengths(n_outputs=1)
        choose_kernel(device_type, self.semiring)

    def _dense_cell(
        self,
        n_features: int,
        n_outputs: int,
        dtype: torch.dtype,
        generator: torch.Generator,
    ) -> Cell:
        return dense_cell(self, n_features, n_outputs, dtype, generator)

    def _lengths(self, n_outputs: int) -> tuple[int, ...]:
        """Return the states of each automaton before training.

        Few automata can't tell many classes apart; on few classes many of them learn
        the training set by heart.
        """
        if self.n_wfsas != "auto":
            return spread_lengths(self.n_states, self.n_wfsas)
        return spread_lengths(self.n_states, min(max(n_outputs, _FEWEST), _MOST))

    def _blank_cell(self, structure: Any, dtype: torch.dtype) -> Cell:
        return blank_cell(structure, self._scoring_rule, dtype)

    def _charges(self) -> tuple[tuple[GroupLasso, str], ...]:
        from skrational.penalties.group_lasso import GroupLasso

        return ((GroupLasso(self._strength()), self.penalty),)

    def _own_attributes(self, cell: Any) -> dict[str, Any]:
        final = cell.final_weights().detach().cpu().numpy().copy()
        return {"_scoring_rule": cell.rule, "_final_weights": final}

    def _final(self) -> NDArray[np.floating]:
        """Weights of the final states, as training computed them, to the bit."""
        return trained_final(self)

    def _kernel(self, device_type: str) -> str:
        return choose_kernel(device_type, self._scoring_rule.semiring)

    def _packed_settings(self) -> Any:
        return self.learned_structure_.lengths, self._scoring_rule

    def _packed(self) -> PackedNetwork:
        return packed_automata(self)

    def _adopt(self, fitted: dict[str, Any]) -> None:
        super()._adopt(as_of_this_version(fitted, self.lambda_))

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(as_of_this_version(state, state.get("lambda_")))
