"""A fitted language model by an Elman network, without torch, in double precision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skrational.kernels.elman.prediction import PackedElman
from skrational.kernels.recurrent.next_token import NextToken
from skrational.utils.threads import single_blas_thread

__all__ = ["NextTokenElman"]


@dataclass(frozen=True)
class NextTokenElman(NextToken):
    """What comes next by an Elman network.

    Parameters
    ----------
    W_hh : ndarray of shape (H, H)
    activation : {"tanh", "relu"}
    """

    W_hh: NDArray[np.float64]
    activation: str

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]], activation: str) -> Self:
        """Take the parameters of a `PlacedElmanLanguageCell`, of which b may lack."""
        p = {name: array.astype(np.float64) for name, array in arrays.items()}
        W_hh, Emb = p["W_hh"], p["Emb"]
        b = p.get("b", np.zeros(len(W_hh)))
        network = PackedElman.of(p["W_ih"], W_hh, b, activation, "last", 0.0)
        table = np.empty((len(Emb), network.width))
        network.project(Emb, np.arange(len(Emb)), table)
        return cls(network, table, p["A"], p["a"], W_hh, activation)

    def step(
        self, tokens: NDArray[np.integer], *state: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], ...]:
        """Read a token of each text, whose h has the shape (n, H)."""
        (h,) = state
        with single_blas_thread():
            a = self.table[tokens, : len(self.W_hh)] + h @ self.W_hh.T
        return (np.tanh(a) if self.activation == "tanh" else np.maximum(a, 0.0),)
