"""Prediction on the CPU in semirings whose plus is the maximum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.kernels.cpu import max_forward, max_slabs
from skrational.kernels.cpu.prediction import (
    DOCUMENTS,
    PackedAutomata,
    PackedNetwork,
)
from skrational.kernels.cpu.readout import read_out
from skrational.kernels.cpu.slabs import SLAB, Walk
from skrational.structures.automata import ScoringRule
from skrational.utils.simd import LANES

__all__ = ["PackedMaxAutomata", "PackedMaxPlus", "pack_automata"]


def pack_automata(
    lengths: tuple[int, ...], rule: ScoringRule, *weights: NDArray[Any]
) -> PackedNetwork:
    """Pack automata of any semiring.

    Parameters
    ----------
    lengths : tuple of int
    rule : ScoringRule
    *weights : ndarray
        W_u, W_f, b_f and final, as `PackedAutomata.of` takes them.
    """
    return _PACKED[rule.semiring].of(lengths, rule, *weights)


@dataclass(frozen=True, eq=False)
class PackedMaxAutomata(PackedAutomata):
    """Automata of max-times, packed for the compiled kernels."""

    additive = False
    """Whether weights along a path are added, as in max-plus."""

    def _finish(self, projected: NDArray[Any]) -> None:
        max_slabs.activate(projected, self.bias, self.additive)

    def _score_documents(self, walk: Walk, out: NDArray[Any]) -> None:
        """Gather, recurrence and readout, some documents at a time."""
        n_slabs, dtype = self.layout.n_slabs, self.dtype
        every_slab, saved = (0, n_slabs), np.empty((n_slabs, 0), dtype)
        for start in range(0, len(out), DOCUMENTS):
            some = out[start : start + DOCUMENTS]
            here = walk.offsets[start : start + len(some) + 1]
            n_levels = (here[-1] - here[0]) * LANES * self.layout.goes_on_below
            levels = np.empty((n_slabs, n_levels), dtype)
            states = np.empty((n_slabs, len(some) * SLAB), dtype)
            run = walk._replace(offsets=here), every_slab, saved, levels, states
            max_forward.forward(*run, self.additive)
            # A maximum doesn't grow with the length: it isn't divided by it.
            readers = self.layout.columns, self.layout.wfsa, self.final
            read_out(states, *readers, np.ones(len(some), dtype), some)


@dataclass(frozen=True, eq=False)
class PackedMaxPlus(PackedMaxAutomata):
    """Automata of max-plus, packed for the compiled kernels."""

    additive = True


_PACKED = {
    "plus-times": PackedAutomata,
    "max-times": PackedMaxAutomata,
    "max-plus": PackedMaxPlus,
}
