"""Documents on the device, and their tokens cut in pieces that share a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.cuda.layout import LevelLayout

__all__ = ["PIECE", "Batch", "Pieces"]

PIECE = 64
"""Tokens of a program that sums gradients: a frequent word is many pieces."""


class Pieces(NamedTuple):
    """The tokens of every row, cut in pieces of at most `PIECE` tokens.

    Attributes
    ----------
    order : Tensor of shape (n_tokens,), int64
        Tokens sorted by their rows.
    starts : Tensor of shape (n_pieces + 1,), int64
        Where pieces begin in ``order``.
    first_pieces : Tensor of shape (n_rows + 1,), int64
        The first piece of each row.
    """

    order: Tensor
    starts: Tensor
    first_pieces: Tensor


@dataclass(frozen=True, eq=False)
class Batch:
    """Documents on the device, and how to walk them.

    Attributes
    ----------
    layout : LevelLayout
    ids : ndarray of shape (n_tokens,), int32
        The row of each token.
    repeats : bool
        Whether rows differ from tokens.
    device_ids : Tensor of shape (n_tokens,), int32
        ``ids`` on the device if rows repeat; else some tensor that is not read.
    offsets : Tensor of shape (n_documents + 1,), int64
        Where documents begin, on the device.
    """

    layout: LevelLayout
    ids: NDArray[np.int32]
    repeats: bool
    device_ids: Tensor
    offsets: Tensor

    @classmethod
    def of(
        cls,
        x: Tensor,
        ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        layout: LevelLayout,
    ) -> Batch:
        """Bring documents to the device of their rows.

        Parameters
        ----------
        x : Tensor of shape (n_rows, E)
        ids : ndarray of shape (n_tokens,), int32
        offsets : ndarray of shape (n_documents + 1,), int64
        layout : LevelLayout
        """
        repeats = not np.array_equal(ids, np.arange(len(x)))
        on_device = torch.tensor(offsets, dtype=torch.int64, device=x.device)
        device_ids = torch.tensor(ids, device=x.device) if repeats else on_device
        return cls(layout, ids, repeats, device_ids, on_device)

    @property
    def n_documents(self) -> int:
        """Their number."""
        return len(self.offsets) - 1

    def new_history(self, z: Tensor) -> Tensor:
        """Room for the states that each token meets, (n_tokens, S), typed as ``z``."""
        return z.new_empty(len(self.ids), self.layout.n_states)

    def pieces(self, n_rows: int) -> Pieces:
        """Cut the tokens of every row in pieces; rows have to repeat."""
        counts = np.bincount(self.ids, minlength=n_rows)
        n_pieces = -(-counts // PIECE)
        first_pieces = np.concatenate([[0], np.cumsum(n_pieces)])
        number = np.arange(first_pieces[-1]) - np.repeat(first_pieces[:-1], n_pieces)
        starts = np.repeat(np.cumsum(counts) - counts, n_pieces) + PIECE * number
        device = self.offsets.device
        return Pieces(
            order=torch.argsort(self.device_ids, stable=True),
            starts=torch.tensor(np.append(starts, len(self.ids)), device=device),
            first_pieces=torch.tensor(first_pieces, device=device),
        )
