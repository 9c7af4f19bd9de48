"""Prediction of Elman networks on the CPU, without torch.

Rows are projected once. A token then costs the product of the recurrent weights and the
state, dense or over the weights that are left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skrational.kernels.elman.passes import Recurrence, forward, pad_units
from skrational.kernels.elman.sparse import SparseRecurrence, forward_sparse
from skrational.kernels.recurrent.prediction import PackedStates
from skrational.kernels.recurrent.rows import Tokens
from skrational.utils.compile import read_only

__all__ = ["PackedElman"]

_MOST_DENSE = 0.1
"""Share of the recurrent weights up to which leaving out zeros is faster.

Measured with 64 to 512 units on 128 documents of unequal length, float32: with AVX-512
the sparse pass is .8 to 2.3 times as fast as the dense one at .1, the more the larger
the network, and 1.0 to 4.1 times at .02; at .2 it is .7 to 1.3 times as fast there and
1.1 to 2.7 times with AVX2, which multiplies one panel at a time.
"""


@dataclass(frozen=True, eq=False)
class PackedElman(PackedStates):
    """An Elman network, packed for the compiled passes.

    Attributes
    ----------
    recurrence : Recurrence or SparseRecurrence
    weight : ndarray of shape (width, E)
    bias : ndarray of shape (width,)
    n_units : int
    anywhere : bool
        Whether a document scores the sum of its states, and not the last one.
    length_exponent : float
        Sums are divided by the number of tokens to this power.
    """

    recurrence: Recurrence | SparseRecurrence
    weight: NDArray[Any]
    bias: NDArray[Any]
    n_units: int
    anywhere: bool
    length_exponent: float

    @classmethod
    def of(
        cls,
        W_ih: NDArray[Any],
        W_hh: NDArray[Any],
        b: NDArray[Any],
        activation: str,
        readout: str,
        length_exponent: float,
        *,
        sparse: bool | None = None,
    ) -> Self:
        """Pack weights.

        Parameters
        ----------
        W_ih : ndarray of shape (H, E)
        W_hh : ndarray of shape (H, H)
        b : ndarray of shape (H,)
        activation : {"tanh", "relu"}
        readout : {"anywhere", "last"}
            Whether a document scores the sum of its states, or the last one.
        length_exponent : float
        sparse : bool, optional
            Whether to leave out recurrent weights that are 0. Default: if at most a
            fifth of them isn't.
        """
        if sparse is None:
            sparse = _is_faster_sparse(W_hh)
        kind = SparseRecurrence if sparse else Recurrence
        return cls(
            kind.of(W_hh, activation),
            pad_units(W_ih),
            pad_units(b),
            len(b),
            readout == "anywhere",
            float(length_exponent),
        )

    @property
    def n_scores(self) -> int:
        """Number of units (H)."""
        return self.n_units

    @property
    def is_sparse(self) -> bool:
        """Whether recurrent weights that are 0 are left out."""
        return isinstance(self.recurrence, SparseRecurrence)

    def states(
        self, table: NDArray[Any], ids: NDArray[np.int32], offsets: NDArray[np.int64]
    ) -> NDArray[Any]:
        """Return the hidden state after every token, (n_tokens, H)."""
        tokens = Tokens(*map(read_only, (table, ids, offsets)))
        states = np.empty((len(ids) + 1, self.width), self.dtype)
        longest_first = np.argsort(-np.diff(offsets), kind="stable")
        run = forward_sparse if self.is_sparse else forward
        if self.n_units:
            run(self.recurrence, tokens, states.reshape(-1), longest_first)
        states = states[:-1, : self.n_units]
        if self.recurrence.relu:
            _mark_overflow(states, offsets)
        return states


def _mark_overflow(states: NDArray[Any], offsets: NDArray[np.int64]) -> None:
    """Let documents end in NaN whose states grew so large that rectifying may hide it.

    Parameters
    ----------
    states : ndarray of shape (n_tokens, H)
        Changed in place.
    offsets : ndarray of shape (n_documents + 1,), int64
    """
    largest = 1e-8 * float(np.finfo(states.dtype).max)
    if not states.size or states.max() < largest:
        return
    tokens = np.flatnonzero(~(states < largest).all(axis=1))
    documents = np.searchsorted(offsets - offsets[0], tokens, "right")
    states[offsets[documents] - offsets[0] - 1] = np.nan


def _is_faster_sparse(W_hh: NDArray[Any]) -> bool:
    return bool(np.count_nonzero(W_hh) <= _MOST_DENSE * W_hh.size)
