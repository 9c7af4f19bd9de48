"""A fitted language model by an LSTM, without torch and in double precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from skrational.kernels.gated.prediction import PackedLSTM
from skrational.kernels.recurrent.next_token import NextToken
from skrational.structures.language import LSTMLanguageStructure

__all__ = ["NextTokenLSTM"]


@dataclass(frozen=True)
class NextTokenLSTM(NextToken):
    """What comes next by an LSTM, whose state is h and c."""

    network: PackedLSTM

    n_states: ClassVar[int] = 2

    @classmethod
    def of(
        cls, arrays: Mapping[str, NDArray[Any]], structure: LSTMLanguageStructure
    ) -> Self:
        """Take the parameters of an `LSTMLanguageCell` of a structure."""
        p = {name: array.astype(np.float64) for name, array in arrays.items()}
        n_words, n_inputs = p["Emb"].shape
        network = PackedLSTM.of(
            p["W_ih"],
            p["W_hh"],
            p["b"],
            structure.varies,
            np.arange(n_inputs),
            n_inputs,
            False,
            0.0,
        )
        # Words that are gone share the row of zeros behind the embeddings.
        rows = np.full(structure.n_words_initial, n_words)
        rows[list(structure.words)] = np.arange(n_words)
        table = np.empty((len(rows), network.width))
        network.project(np.pad(p["Emb"], ((0, 1), (0, 0))), rows, table)
        return cls(network, table, p["A"], p["a"])

    def step(
        self, tokens: NDArray[np.integer], *state: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], ...]:
        """Read a token of each text, whose h and c have the shape (n, H)."""
        h, c = state
        return self.network.step(self.table[tokens], h, c)
