"""The sparse LSTM classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from skrational.estimators._gated import SparseGatedClassifier
from skrational.structures.gated import LSTMStructure

if TYPE_CHECKING:
    from skrational.cells.lstm import LSTMCell

__all__ = ["SparseLSTMClassifier"]


class SparseLSTMClassifier(SparseGatedClassifier):
    """Classify sequences with an LSTM whose weights, gates and units are learned away."""

    learned_structure_: LSTMStructure

    def _cell_type(self) -> type[LSTMCell]:
        from skrational.cells.lstm import LSTMCell

        return LSTMCell
