"""Where the states of the automata stand in the slabs of the CPU kernels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.kernels.cpu.slabs import LEVELS, SLAB
from skrational.utils.simd import LANES

__all__ = ["SlabLayout"]


@dataclass(frozen=True, eq=False)
class SlabLayout:
    """The place of each state (column of the reference) in the slabs.

    A slab is four levels of eight lanes. An automaton stands in one lane, its states
    below each other; several short ones share a lane. One of more than four states
    begins at the top of a slab and goes on in the slab below.

    Attributes
    ----------
    chains : tuple of range
        Slabs that hang together, from top to bottom. What happens in one chain is
        independent of the others.
    columns : ndarray of shape (S,), int64
        Place of each state among the ``n_columns = 32 * n_slabs`` entries of all slabs.
    f_rows, u_rows : ndarray of shape (S,), int64
        Its rows in the packed weight, where f and u of a slab are neighbours.
    sources : ndarray of shape (2 * n_columns,), int64
        Row of ``[W_f, W_u, 0]`` that stands in each row of the packed weight.
    wfsa : ndarray of shape (S,), int64
        The automaton of each state.
    n_wfsas : int
        Automata, those without states included.
    links : ndarray of shape (n_slabs, 64)
        For each entry whether a state stands above it, 0 or 1; then, whether none does.
    """

    chains: tuple[range, ...]
    columns: NDArray[np.int64]
    f_rows: NDArray[np.int64]
    u_rows: NDArray[np.int64]
    sources: NDArray[np.int64]
    wfsa: NDArray[np.int64]
    n_wfsas: int
    links: NDArray[np.float64]

    @property
    def n_slabs(self) -> int:
        """Slabs of all chains."""
        return len(self.links)

    @property
    def n_columns(self) -> int:
        """Entries of all slabs."""
        return SLAB * self.n_slabs

    @classmethod
    @lru_cache(maxsize=128)
    def of(cls, lengths: tuple[int, ...]) -> SlabLayout:
        """Lay out automata of these lengths."""
        chains, places = _stack(lengths)
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
        n_slabs = chains[-1].stop if chains else 0
        links = np.zeros((n_slabs, 2, SLAB))
        links.reshape(-1)[f_rows] = ~is_first
        links[:, 1] = 1 - links[:, 0]
        sources = np.full(2 * n_slabs * SLAB, 2 * len(columns))
        sources[f_rows] = np.arange(len(columns))
        sources[f_rows + SLAB] = len(columns) + np.arange(len(columns))
        return cls(
            chains=chains,
            columns=columns,
            f_rows=f_rows,
            u_rows=f_rows + SLAB,
            sources=sources,
            wfsa=np.repeat(np.arange(len(lengths)), lengths),
            n_wfsas=len(lengths),
            links=links.reshape(n_slabs, 2 * SLAB),
        )

    @property
    def goes_on_below(self) -> bool:
        """Whether an automaton goes on from a slab to the one below."""
        return any(len(chain) > 1 for chain in self.chains)

    def pack(
        self, W_u: NDArray[Any], W_f: NDArray[Any], b_f: NDArray[Any]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Pack the weights of all transitions, slab by slab.

        Parameters
        ----------
        W_u, W_f : ndarray of shape (S, E)
        b_f : ndarray of shape (S,)

        Returns
        -------
        weight : ndarray of shape (2 * n_columns, E)
        bias : ndarray of shape (n_columns,)
        """
        padding = np.zeros((1, W_u.shape[1]), W_u.dtype)
        return np.concatenate([W_f, W_u, padding])[self.sources], self.pack_bias(b_f)

    def pack_bias(self, b_f: NDArray[Any]) -> NDArray[Any]:
        """Put the biases of the states, (S,), in their places, (n_columns,)."""
        bias = np.zeros(self.n_columns, b_f.dtype)
        bias[self.columns] = b_f
        return bias

    @lru_cache(maxsize=128)  # noqa: B019, layouts are few, and kept anyway
    def links_as(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Return the links as numbers of a type; not to be changed."""
        return self.links.astype(dtype)

    def shares(self, n_threads: int) -> list[tuple[int, int]]:
        """Cut the chains into runs of slabs, (first, after last), one for a thread."""
        n_chains = len(self.chains)
        n_shares = min(n_threads, n_chains)
        cuts = [self.chains[n_chains * i // n_shares].start for i in range(n_shares)]
        return list(pairwise([*cuts, self.n_slabs]))


def _stack(
    lengths: tuple[int, ...],
) -> tuple[tuple[range, ...], list[tuple[int, int, int]]]:
    """Place the automata, the longest first, each where it first fits.

    Returns the chains, and for each automaton the first slab of its chain, the depth of
    its first state in that chain, and its lane.
    """
    chains: list[range] = []
    filled: list[list[int]] = []  # for each chain the depth of what each lane holds
    places = [(0, 0, 0)] * len(lengths)
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        chain, lane = _first_fit(lengths[i], chains, filled)
        places[i] = (chains[chain].start, filled[chain][lane], lane)
        filled[chain][lane] += lengths[i]
    return tuple(chains), places


def _first_fit(
    length: int, chains: list[range], filled: list[list[int]]
) -> tuple[int, int]:
    """Find a chain and a lane with room, or build a chain."""
    for chain, (slabs, depths) in enumerate(zip(chains, filled, strict=True)):
        for lane, depth in enumerate(depths):
            # No automaton lies across a border that it could avoid.
            crosses = depth % LEVELS and depth % LEVELS + length > LEVELS
            if not crosses and depth + length <= len(slabs) * LEVELS:
                return chain, lane
    start = chains[-1].stop if chains else 0
    chains.append(range(start, start - -length // LEVELS))
    filled.append([0] * LANES)
    return len(chains) - 1, 0
