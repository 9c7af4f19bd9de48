"""Where the states of the automata stand in the slabs of the CPU kernels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.cpu.recurrence import LEVELS, SLAB
from skrational.utils.simd import LANES

__all__ = ["Layout"]


@dataclass(frozen=True, eq=False)
class Layout:
    """The place of each state (column of the reference) in the slabs.

    A slab is four levels of eight lanes. An automaton stands in one lane, its states
    below each other; several short ones share a lane. One of more than four states
    begins at the top of a slab and goes on in the slab below.

    Attributes
    ----------
    towers : tuple of range
        Slabs that hang together, from top to bottom. What happens in one tower is
        independent of the others.
    columns : ndarray of shape (S,), int64
        Place of each state among the ``n_columns = 32 * n_slabs`` entries of all slabs.
    f_rows, u_rows : Tensor of shape (S,), int64
        Its rows in the packed weight, where f and u of a slab are neighbours.
    sources : Tensor of shape (2 * n_columns,), int64
        Row of ``[W_f, W_u, 0]`` that stands in each row of the packed weight.
    wfsa : ndarray of shape (S,), int64
        The automaton of each state.
    links : ndarray of shape (n_slabs, 64)
        For each entry whether a state stands above it, 0 or 1; then, whether none does.
    """

    towers: tuple[range, ...]
    columns: NDArray[np.int64]
    f_rows: Tensor
    u_rows: Tensor
    sources: Tensor
    wfsa: NDArray[np.int64]
    links: NDArray[np.float64]

    @property
    def n_slabs(self) -> int:
        """Slabs of all towers."""
        return len(self.links)

    @property
    def n_columns(self) -> int:
        """Entries of all slabs."""
        return SLAB * self.n_slabs

    @classmethod
    @lru_cache(maxsize=128)
    def of(cls, lengths: tuple[int, ...]) -> Layout:
        """Lay out automata of these lengths."""
        towers, places = _stack(lengths)
        entries = [
            (slab + depth // LEVELS) * SLAB + depth % LEVELS * LANES + lane
            for (slab, depth_of_first, lane), length in zip(
                places, lengths, strict=True
            )
            for depth in range(depth_of_first, depth_of_first + length)
        ]
        columns = np.array(entries, dtype=np.int64)
        f_rows = columns + columns // SLAB * SLAB
        is_first = np.zeros(len(columns), dtype=bool)
        is_first[np.cumsum([0, *lengths])[:-1][np.asarray(lengths, dtype=int) > 0]] = 1
        n_slabs = towers[-1].stop if towers else 0
        links = np.zeros((n_slabs, 2, SLAB))
        links.reshape(-1)[f_rows] = ~is_first
        links[:, 1] = 1 - links[:, 0]
        sources = np.full(2 * n_slabs * SLAB, 2 * len(columns))
        sources[f_rows] = np.arange(len(columns))
        sources[f_rows + SLAB] = len(columns) + np.arange(len(columns))
        return cls(
            towers=towers,
            columns=columns,
            f_rows=torch.from_numpy(f_rows),
            u_rows=torch.from_numpy(f_rows + SLAB),
            sources=torch.from_numpy(sources),
            wfsa=np.repeat(np.arange(len(lengths)), lengths),
            links=links.reshape(n_slabs, 2 * SLAB),
        )

    @property
    def is_chained(self) -> bool:
        """Whether an automaton goes on from a slab to the next."""
        return any(len(tower) > 1 for tower in self.towers)

    def pack(
        self, W_u: Tensor, W_f: Tensor, b_f: Tensor
    ) -> tuple[Tensor, NDArray[Any]]:
        """Pack the weights of all transitions, slab by slab.

        Returns ``weight`` (2 * n_columns, E) and ``bias`` (n_columns,).
        """
        padding = W_u.new_zeros(1, W_u.shape[1])
        weight = torch.cat([W_f, W_u, padding]).index_select(0, self.sources)
        given = b_f.detach().numpy()
        bias = np.zeros(self.n_columns, given.dtype)
        bias[self.columns] = given
        return weight, bias

    def links_as(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return the links as numbers of a type."""
        return self.links.astype(dtype)

    def shares(self, n_threads: int) -> list[tuple[int, int]]:
        """Cut the towers into runs of slabs, (first, after last), one for a thread."""
        n_towers = len(self.towers)
        n_shares = min(n_threads, n_towers)
        cuts = [self.towers[n_towers * i // n_shares].start for i in range(n_shares)]
        return list(pairwise([*cuts, self.n_slabs]))


def _stack(
    lengths: tuple[int, ...],
) -> tuple[tuple[range, ...], list[tuple[int, int, int]]]:
    """Place the automata, the longest first, each where it first fits.

    Returns the towers, and for each automaton the first slab of its tower, the depth of
    its first state in that tower, and its lane.
    """
    towers: list[range] = []
    filled: list[list[int]] = []  # for each tower the depth of what each lane holds
    places = [(0, 0, 0)] * len(lengths)
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        tower, lane = _first_fit(lengths[i], towers, filled)
        places[i] = (towers[tower].start, filled[tower][lane], lane)
        filled[tower][lane] += lengths[i]
    return tuple(towers), places


def _first_fit(
    length: int, towers: list[range], filled: list[list[int]]
) -> tuple[int, int]:
    """Find a tower and a lane with room, or build a tower."""
    for tower, (slabs, depths) in enumerate(zip(towers, filled, strict=True)):
        for lane, depth in enumerate(depths):
            # No automaton lies across a border that it could avoid.
            crosses = depth % LEVELS and depth % LEVELS + length > LEVELS
            if not crosses and depth + length <= len(slabs) * LEVELS:
                return tower, lane
    start = towers[-1].stop if towers else 0
    towers.append(range(start, start - -length // LEVELS))
    filled.append([0] * LANES)
    return len(towers) - 1, 0
