"""What estimators of weighted automata share: parameters, cells and automata."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skrational.estimators import _options as options
from skrational.estimators._constraints import TRAINING
from skrational.estimators._fitted_automata import trained_final, with_present_names
from skrational.estimators._packed import PackedEstimator
from skrational.estimators._rules import RulesInWords
from skrational.kernels import choose_kernel, choose_predictor
from skrational.kernels.cpu.max_prediction import PackedMaxAutomata
from skrational.kernels.cpu.prediction import PackedAutomata
from skrational.structures import RationalStructure
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

    from skrational.cells.rational import RationalCell
    from skrational.penalties.group_lasso import GroupLasso

__all__ = ["RATIONAL", "RationalMethod"]

RATIONAL: dict[str, list[Any]] = TRAINING | {
    "n_wfsas": [Interval(Integral, 1, None, closed="left")],
    "n_states": [Interval(Integral, 1, None, closed="left"), tuple, list],
    "penalty": [StrOptions({"states", "wfsas", "transitions"})],
    "semiring": [StrOptions(set(SEMIRING_NAMES))],
    "readout": [StrOptions(set(READOUTS))],
    "match": [StrOptions(set(MATCHES))],
    "length_exponent": [Interval(Real, 0, None, closed="left")],
    "feature_dropout": [Interval(Real, 0, 1, closed="left"), StrOptions({"auto"})],
}
"""Constraints of the parameters."""


class RationalMethod(RulesInWords, PackedEstimator):
    """An estimator of sequences with a few weighted automata.

    A subclass says what the readout predicts.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = RATIONAL
    _unit = "state"

    learned_structure_: RationalStructure
    _scoring_rule: ScoringRule
    _final_weights: NDArray[np.floating]

    def __init__(
        self,
        *,
        n_wfsas: int = 24,
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
        structure, rule = self.learned_structure_, self._scoring_rule
        return WeightedAutomata(
            **{name: self.weights_[name] for name in ("W_u", "W_f", "b_f")},
            final=self._final(),
            lengths=structure.lengths,
            numbers=structure.survivors,
            coef=self.coef_,
            intercept=self.intercept_,
            semiring=rule.semiring,
            match=rule.match,
            length_exponent=rule.divisor_exponent,
        )

    def _check_own_parameters(self, device_type: str) -> None:
        spread_lengths(self.n_states, self.n_wfsas)
        choose_kernel(device_type, self.semiring)

    def _dense_cell(
        self,
        n_features: int,
        n_outputs: int,
        dtype: torch.dtype,
        generator: torch.Generator,
    ) -> RationalCell:
        from skrational.cells.rational import RationalCell

        lengths = spread_lengths(self.n_states, self.n_wfsas)
        rule = ScoringRule(
            self.semiring, self.readout, self.match, self.length_exponent
        )
        cell = RationalCell(n_features, lengths, n_outputs, rule, dtype)
        return cell.initialize(generator)

    def _blank_cell(
        self, structure: RationalStructure, dtype: torch.dtype
    ) -> RationalCell:
        from skrational.cells.rational import RationalCell

        return RationalCell.of_structure(structure, self._scoring_rule, dtype)

    def _charges(self) -> tuple[tuple[GroupLasso, str], ...]:
        from skrational.penalties.group_lasso import GroupLasso

        return ((GroupLasso(self.lambda_), self.penalty),)

    def _own_attributes(self, cell: RationalCell) -> dict[str, Any]:
        final = cell.final_weights().detach().cpu().numpy().copy()
        return {"_scoring_rule": cell.rule, "_final_weights": final}

    def _final(self) -> NDArray[np.floating]:
        """Weights of the final states, as training computed them, to the bit."""
        return trained_final(self)

    def _fitted_cell(self, dtype: str | None = None) -> RationalCell:
        return cast("RationalCell", super()._fitted_cell(dtype))

    def _kernel(self, device_type: str) -> str:
        return choose_predictor(device_type, self._scoring_rule.semiring)

    def _packed_settings(self) -> Any:
        return self.learned_structure_.lengths, self._scoring_rule

    def _packed(self) -> PackedAutomata | PackedMaxAutomata:
        lengths, rule = self.learned_structure_.lengths, self._scoring_rule
        W_u, W_f, b_f = (self.weights_[name] for name in ("W_u", "W_f", "b_f"))
        kind = PackedAutomata if rule.semiring == "plus-times" else PackedMaxAutomata
        return kind.of(lengths, rule, W_u, W_f, b_f, self._final())

    def _adopt(self, fitted: dict[str, Any]) -> None:
        super()._adopt(with_present_names(fitted))

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(with_present_names(state))
