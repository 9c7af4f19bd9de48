"""Where the states of the automata stand on the device, and the slabs they are cut in.

States stand level by level, the longest automata first: those that have a state k are
then a prefix, at every level, and no memory is spent on states that do not exist. Long
automata are walked in slabs of four levels, each of which reads what the slab below has
stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

__all__ = ["LEVELS", "LevelLayout", "Slab"]

LEVELS = 4
"""States of an automaton that a program holds in registers."""


class Slab(NamedTuple):
    """Some consecutive levels, and the automata that have the first of them.

    Attributes
    ----------
    starts : Tensor of int32
        Where these levels and all above them begin; what stands before in memory are
        the levels below.
    n_levels : int
    n_lanes : int
        Automata that have the first of the levels.
    has_below, has_above : bool
        Whether there are levels below, and above.
    """

    starts: Tensor
    n_levels: int
    n_lanes: int
    has_below: bool
    has_above: bool


@dataclass(frozen=True, eq=False)
class LevelLayout:
    """Where states stand: level by level, the longest automata first.

    Attributes
    ----------
    columns : Tensor of shape (S,), int64
        Column (of the reference) of the state at each place.
    places : Tensor of shape (S,), int64
        Its inverse.
    entered_from : Tensor of shape (S,), int32
        Place of the state before; -1 for a first state.
    slabs : tuple of Slab
        From the lowest levels to the highest.
    """

    columns: Tensor
    places: Tensor
    entered_from: Tensor
    slabs: tuple[Slab, ...]

    @property
    def n_states(self) -> int:
        """States of all automata, S."""
        return len(self.columns)

    @classmethod
    @lru_cache(maxsize=128)
    def of(cls, lengths: tuple[int, ...], device: torch.device) -> LevelLayout:
        """Lay out automata of these lengths.

        Examples
        --------
        First states come first, that of the longer automaton before the other:

        >>> LevelLayout.of((1, 3), torch.device("cpu")).columns.tolist()
        [1, 0, 2, 3]
        """
        sizes = np.asarray(lengths, dtype=np.int64)
        first = (np.cumsum(sizes) - sizes)[np.argsort(-sizes, kind="stable")]
        n_levels = int(sizes.max(initial=0))
        widths = [int(np.count_nonzero(sizes > k)) for k in range(n_levels)]
        starts = np.cumsum([0, *widths])
        level = np.repeat(np.arange(n_levels), widths)
        lane = np.arange(len(level)) - starts[level]
        columns = first[lane] + level
        entered_from = np.where(level > 0, starts[level - 1] + lane, -1)
        on_device = torch.tensor(starts, dtype=torch.int32, device=device)
        return cls(
            columns=torch.tensor(columns, device=device),
            places=torch.tensor(np.argsort(columns), device=device),
            entered_from=torch.tensor(entered_from, dtype=torch.int32, device=device),
            slabs=tuple(
                Slab(
                    starts=on_device[low:],
                    n_levels=min(LEVELS, n_levels - low),
                    n_lanes=widths[low],
                    has_below=low > 0,
                    has_above=low + LEVELS < n_levels,
                )
                for low in range(0, n_levels, LEVELS)
            ),
        )
