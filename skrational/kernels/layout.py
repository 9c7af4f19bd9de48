"""Where the states of the automata stand in the blocks of the CPU kernels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

__all__ = ["LANES", "Layout"]

LANES = 8
"""Automata of a block: one vector register of float32."""

_LEVELS = 4
"""States are padded to a multiple of this, so that few shapes are ever compiled."""


@dataclass(frozen=True, eq=False)
class Layout:
    """The place of each state (column of the reference) in the padded blocks.

    Attributes
    ----------
    n_blocks, width : int
        Blocks of `LANES` automata, and entries (lanes times levels) of a block.
    columns : Tensor of shape (S,), int64
        Place of each state among the ``n_columns = n_blocks * width`` entries.
    f_rows, u_rows : Tensor of shape (S,), int64
        Its rows in the packed weight, where f and u of a block are neighbours.
    levels, slots : tuple
        Tuples whose lengths are the kernels' constants.
    """

    n_blocks: int
    width: int
    columns: Tensor
    f_rows: Tensor
    u_rows: Tensor
    levels: tuple[np.int8, ...]
    slots: tuple[np.int8, ...]

    @property
    def n_columns(self) -> int:
        """Entries of all blocks."""
        return self.n_blocks * self.width

    @classmethod
    @lru_cache(maxsize=128)
    def of(cls, lengths: tuple[int, ...]) -> Layout:
        """Lay out automata of these lengths."""
        n_levels = -(-max(lengths, default=1) // _LEVELS) * _LEVELS
        width = n_levels * LANES
        wfsa = np.repeat(np.arange(len(lengths)), lengths)
        level = np.concatenate([np.arange(n) for n in lengths] or [wfsa])
        block, entry = wfsa // LANES, level * LANES + wfsa % LANES
        return cls(
            n_blocks=-(-len(lengths) // LANES),
            width=width,
            columns=torch.from_numpy((block * width + entry).astype(np.int64)),
            f_rows=torch.from_numpy((2 * block * width + entry).astype(np.int64)),
            u_rows=torch.from_numpy(((2 * block + 1) * width + entry).astype(np.int64)),
            levels=(np.int8(0),) * n_levels,
            slots=(np.int8(0),) * (width + LANES),
        )

    def pack(self, W_u: Tensor, W_f: Tensor, b_f: Tensor) -> tuple[Tensor, Tensor]:
        """Pack the weights of all transitions into one matrix for one product.

        Returns ``weight`` (2 * n_columns, E) and ``bias`` (n_blocks, width).
        """
        weight = W_u.new_zeros(2 * self.n_columns, W_u.shape[1])
        weight[self.f_rows] = W_f
        weight[self.u_rows] = W_u
        bias = b_f.new_zeros(self.n_columns)
        bias[self.columns] = b_f
        return weight, bias.view(self.n_blocks, self.width)
