"""Where the learned gates stand in the rows that the compiled passes work on.

Units lie in whole panels, and so does each gate of all units: gate g of unit u is
number ``g * stride + u``. Only learned gates have columns in a row, in sections of
whole panels. All gates of the LSTM add what the features give and what the state
gives, and a row is what they are then:

    | i f o | g |

The candidate of the GRU multiplies what the state gives by r. A learned one therefore
has two columns; the features give to all but the first section, and the state to all
but the last one:

    | U_n h + b_hn | r z | W_n x + b_n |

Here the latter two count as gates n and hn, the third and the fourth one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from skrational.kernels.cpu.panels import PANEL, pack_panels
from skrational.utils.cached import cached_property
from skrational.utils.simd import LANES

__all__ = ["Cell", "GateLayout", "Sizes"]

_CANDIDATE, _FROM_STATE = 2, 3
_NONE = -1
"""The row of weights of a gate that is a constant, and of padding."""


class Sizes(NamedTuple):
    """The kind of a cell and its sizes.

    Attributes
    ----------
    gru : bool
        Else it is an LSTM.
    n_units : int
    n_candidates, n_sigmoids : int
        Columns of a section of the candidate, and of the section of the others.
    """

    gru: bool
    n_units: int
    n_candidates: int
    n_sigmoids: int


class Cell(NamedTuple):
    """What the compiled passes know of a cell.

    Attributes
    ----------
    sizes : Sizes
    blocks, singles : ndarray of shape (n, 2), int64
        A column and the number of the gate that stands there: the first one of eight
        that follow each other, and each of the others. Padding has the number of no
        gate, 4 * stride.
    constants : ndarray of shape (4 * stride + 1,)
        What gates are that aren't learned.
    bias : ndarray of shape (n_columns,)
    ahead, back : ndarray
        Recurrent weights as panels: from h (H) to the columns, and back.
    """

    sizes: Sizes
    blocks: NDArray[np.int64]
    singles: NDArray[np.int64]
    constants: NDArray[Any]
    bias: NDArray[Any]
    ahead: NDArray[Any]
    back: NDArray[Any]


@dataclass(frozen=True, eq=False)
class GateLayout:
    """The columns of the learned gates.

    Attributes
    ----------
    sizes : Sizes
    places : ndarray of shape (n_columns,), int64
        The number of the gate in each column; that of none, 4 * stride, for padding.
    sources : ndarray of shape (n_columns,), int64
        The row of the weights of each column; -1 for padding.
    """

    sizes: Sizes
    places: NDArray[np.int64]
    sources: NDArray[np.int64]

    @classmethod
    def of(cls, learned: NDArray[np.bool_]) -> GateLayout:
        """Lay out the learned gates, (4, H) of an LSTM or (3, H) of a GRU.

        All steps have the same ones, until gates are pruned: the layout is kept.
        """
        return cls._of(learned.shape, learned.astype(bool).tobytes())

    @classmethod
    @lru_cache(maxsize=128)
    def _of(cls, shape: tuple[int, int], packed: bytes) -> GateLayout:
        learned = np.frombuffer(packed, bool).reshape(shape)
        n_gates, n_units = shape
        gru = n_gates == 3
        row = np.full((4, n_units), _NONE)
        row[:n_gates][learned] = np.arange(np.count_nonzero(learned))
        if gru:
            row[_FROM_STATE] = row[_CANDIDATE]
        sections = [[_FROM_STATE], [0, 1]] if gru else [[0, 1, 3]]
        sections.append([_CANDIDATE])
        places, sources = [], []
        for gates in sections:
            chosen = row[gates] != _NONE
            padding = int(-np.count_nonzero(chosen) % PANEL)
            numbers = _numbers(n_units)[gates][chosen]
            places.append(
                np.pad(numbers, (0, padding), constant_values=4 * _stride(n_units))
            )
            sources.append(
                np.pad(row[gates][chosen], (0, padding), constant_values=_NONE)
            )
        return cls(
            Sizes(gru, n_units, len(places[-1]), len(places[-2])),
            np.concatenate(places),
            np.concatenate(sources),
        )

    @property
    def stride(self) -> int:
        """Numbers from a gate of all units to the next gate."""
        return _stride(self.sizes.n_units)

    @property
    def from_x(self) -> slice:
        """The columns to which the features give."""
        return slice(self.sizes.n_candidates if self.sizes.gru else 0, len(self.places))

    @property
    def from_h(self) -> slice:
        """The columns to which the state gives."""
        return slice(0, self.sizes.n_candidates + self.sizes.n_sigmoids)

    def rows(self, columns: slice) -> NDArray[np.int64]:
        """Return where each row of the weights stands among some columns, (M,)."""
        sources = self.sources[columns]
        n_padding = np.count_nonzero(sources == _NONE)
        return np.argsort(sources, kind="stable")[n_padding:]

    def pack(self, weights: NDArray[Any], columns: slice) -> NDArray[Any]:
        """Order weights of the learned gates, (M, n), by some columns."""
        # The row after the last one is that of padding.
        padding = np.zeros((1, weights.shape[1]), weights.dtype)
        return np.concatenate([weights, padding])[self.sources[columns]]

    def cell(self, W_hh: NDArray[Any], b: NDArray[Any]) -> Cell:
        """Pack recurrent weights (M, H) and biases (4, H) for the compiled passes."""
        weights = self.pack(W_hh, self.from_h)
        biases = self._place_units(b)
        constants = b.copy()
        is_sigmoid = [0, 1] if self.sizes.gru else [0, 1, 3]
        constants[is_sigmoid] = expit(b[is_sigmoid])
        if self.sizes.gru:
            # Without features and state, a candidate is the tanh of its own bias.
            constants[_FROM_STATE] = 0
        else:
            constants[_CANDIDATE] = np.tanh(b[_CANDIDATE])
        return Cell(
            self.sizes,
            *self._blocks,
            self._place_units(constants),
            biases[self.places],
            pack_panels(weights.T),
            pack_panels(weights),
        )

    @cached_property
    def _blocks(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Find the columns whose gates are carried as blocks, and the single ones."""
        columns = np.arange(len(self.places))
        starts = np.flatnonzero(np.diff(self.places, prepend=-2) != 1)
        lengths = np.diff(starts, append=len(self.places))
        place_in_run = columns - np.repeat(starts, lengths)
        in_block = place_in_run < np.repeat(lengths // LANES * LANES, lengths)
        pairs = np.stack([columns, self.places], axis=1)
        return pairs[in_block & (place_in_run % LANES == 0)], pairs[~in_block]

    def unpack_bias(self, d_bias: NDArray[Any]) -> NDArray[Any]:
        """Take gradients of biases, (4 * stride + 1,), from their places: (4, H)."""
        unpacked = d_bias[:-1].reshape(4, self.stride)[:, : self.sizes.n_units].copy()
        if self.sizes.gru:
            # The b_hn of a candidate that is a constant counts for nothing.
            unpacked[_FROM_STATE] *= self._reads_state
        return unpacked

    @cached_property
    def _reads_state(self) -> NDArray[np.bool_]:
        """Which candidates of a GRU are learned."""
        return np.isin(_numbers(self.sizes.n_units)[_FROM_STATE], self.places)

    def _place_units(self, gates: NDArray[Any]) -> NDArray[Any]:
        """Place numbers of all gates, (4, H), as the passes do: (4 * stride + 1,)."""
        placed = np.zeros(4 * self.stride + 1, gates.dtype)
        placed[:-1].reshape(4, -1)[:, : self.sizes.n_units] = gates
        return placed


def _stride(n_units: int) -> int:
    """Numbers from a gate of all units to the next gate: whole panels."""
    return -(-n_units // PANEL) * PANEL


def _numbers(n_units: int) -> NDArray[np.int64]:
    """The numbers of all gates, (4, H)."""
    return np.arange(4)[:, None] * _stride(n_units) + np.arange(n_units)
