"""What ``print`` tells of a fitted estimator: what is left, and what it looks for."""

from __future__ import annotations

from abc import abstractmethod
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.structures import LayeredStructure, RationalStructure
from skrational.structures.automata import WeightedAutomata
from skrational.structures.layer_rules import layers_in_words
from skrational.structures.meaning import OutputKind
from skrational.structures.rules import N_PHRASES, rules_in_words, rules_of
from skrational.training.labelled import Learnable

__all__ = ["RulesInWords", "ToldInWords"]


class ToldInWords:
    """Tells what was learned by ``print``, and the parameters by ``repr``."""

    def _rules(self, fitted: dict[str, Any], data: Any) -> dict[str, Any]:
        """Return fitted attributes that tell the others in words of the data."""
        return {}

    def _in_words(self) -> str:
        """Say what was learned, as its structure reads or, of others, is shown."""
        structure: Any = self.learned_structure_  # type: ignore[attr-defined]
        return structure.reading() if hasattr(structure, "reading") else str(structure)

    def __str__(self) -> str:
        if not self.__sklearn_is_fitted__():  # type: ignore[attr-defined]
            return repr(self)
        return f"{type(self).__name__}: {self._in_words()}"

    def __format__(self, spec: str) -> str:
        # Messages of scikit-learn format the estimator: rules would bury what they say.
        return format(repr(self), spec)


class RulesInWords(ToldInWords):
    """Keeps phrases of the documents that automata were learned from."""

    learned_structure_: RationalStructure | LayeredStructure
    rules_: NDArray[np.str_]

    @property
    @abstractmethod
    def layers_(self) -> tuple[WeightedAutomata, ...]:
        """The automata that are left, of a classifier, layer by layer."""

    @abstractmethod
    def _outputs(self) -> tuple[NDArray[Any], OutputKind]:
        """Return what the outputs are of: classes, labels or numbers of values."""

    def _rules(self, fitted: dict[str, Any], data: Learnable) -> dict[str, Any]:
        model: Any = copy(self)
        model._adopt(fitted)
        automata, X = model.layers_[0], data.X
        if X.labels is None or X.indices is None or not automata.n_wfsas:
            return {"rules_": np.full((automata.n_wfsas, 2, N_PHRASES), "")}
        words = X.features, X.labels, X.indices, X.offsets
        return {"rules_": rules_of(automata, *words)}

    def _in_words(self) -> str:
        rules = vars(self).get("rules_")  # a pickle of an earlier version has none
        layers = self.layers_
        if len(layers) > 1:
            told = layers_in_words(layers, rules, self._outputs()[0])
        else:
            told = rules_in_words(layers[0], rules, *self._outputs())
        return f"{self.learned_structure_}\n{told}"
