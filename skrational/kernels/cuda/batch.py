"""Documents on the device, and their tokens cut in pieces that share a row.

All numbers of a batch go to the device in one copy, for which the host doesn't wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.kernels.cuda.layout import LevelLayout
from skrational.utils.compile import jit
from skrational.utils.uploads import empty_on_host

__all__ = ["PIECE", "Batch", "Room", "pack_numbers"]

PIECE = 64
"""Tokens of a program that sums gradients: a frequent word is many pieces."""


class Room(NamedTuple):
    """What the memory of a batch is made for; the batch itself may be smaller.

    Attributes
    ----------
    n_documents : int
        As many as there are.
    n_tokens, n_rows : int
        At least as many as there are.
    """

    n_documents: int
    n_tokens: int
    n_rows: int

    @property
    def n_pieces(self) -> int:
        """As many pieces as the tokens of the rows may be cut in."""
        return self.n_rows + self.n_tokens // PIECE

    def sections(self, repeats: bool) -> list[int]:
        """How many numbers each tensor of a `Batch` has, in their order."""
        rows = self.n_tokens, self.n_tokens, self.n_pieces + 1, self.n_rows + 1
        return [self.n_documents + 1, *(rows if repeats else ())]


@dataclass(frozen=True, eq=False)
class Batch:
    """Documents on the device, and how to walk them.

    Numbers are int32. Where each token has a row of its own, only ``offsets`` is read,
    and the others stand for nothing.

    Attributes
    ----------
    room : Room
    repeats : bool
        Whether rows differ from tokens.
    offsets : Tensor of shape (n_documents + 1,)
        Where documents begin.
    ids : Tensor of shape (n_tokens,)
        The row of each token.
    order : Tensor of shape (n_tokens,)
        Tokens sorted by their rows.
    starts : Tensor of shape (n_pieces + 1,)
        Where pieces of at most `PIECE` tokens of one row begin in ``order``.
    first_pieces : Tensor of shape (n_rows + 1,)
        The first piece of each row.
    """

    room: Room
    repeats: bool
    offsets: Tensor
    ids: Tensor
    order: Tensor
    starts: Tensor
    first_pieces: Tensor

    @classmethod
    def of(
        cls,
        ids: NDArray[np.int32],
        offsets: NDArray[np.int64],
        n_rows: int,
        device: torch.device,
    ) -> Batch:
        """Bring documents to a device.

        Parameters
        ----------
        ids : ndarray of shape (n_tokens,), int32
        offsets : ndarray of shape (n_documents + 1,), int64
        n_rows : int
        device : torch.device
        """
        room = Room(len(offsets) - 1, len(ids), n_rows)
        repeats = not np.array_equal(ids, np.arange(n_rows))
        numbers = pack_numbers(ids, offsets, room, repeats, device)
        return cls.at(numbers.to(device, non_blocking=True), room, repeats)

    @classmethod
    def at(cls, numbers: Tensor, room: Room, repeats: bool) -> Batch:
        """Read the batch that `pack_numbers` has packed."""
        offsets, *of_rows = numbers.split(room.sections(repeats))
        return cls(room, repeats, offsets, *(of_rows or [offsets] * 4))

    def new_history(self, z: Tensor, layout: LevelLayout) -> Tensor:
        """Room for the states that each token meets, (n_tokens, S), typed as ``z``."""
        return z.new_empty(self.room.n_tokens, layout.n_states)


def pack_numbers(
    ids: NDArray[np.int32],
    offsets: NDArray[np.int64],
    room: Room,
    repeats: bool,
    device: torch.device,
) -> Tensor:
    """Pack the numbers of a batch in memory of the host.

    Parameters
    ----------
    ids : ndarray of shape (n_tokens,), int32
    offsets : ndarray of shape (n_documents + 1,), int64
    room : Room
    repeats : bool
        Whether rows differ from tokens.
    device : torch.device
        Where they will go: of pinned memory, for CUDA.

    Returns
    -------
    Tensor of int32
    """
    sections = room.sections(repeats)
    packed = empty_on_host(sum(sections), torch.int32, device)
    first, *rest = packed.split(sections)
    first.numpy()[:] = offsets
    if repeats:
        of_token, order, starts, first_pieces = (section.numpy() for section in rest)
        of_token[: len(ids)] = ids
        _cut(ids, order, starts, first_pieces)
    return packed


@jit
def _cut(ids, order, starts, first_pieces):  # type: ignore[no-untyped-def]
    """Sort tokens by their rows, and cut those of each row in pieces.

    Parameters
    ----------
    ids : ndarray of shape (n_tokens,), int32
    order, starts, first_pieces : ndarray of int32
        Filled; see `Batch`.
    """
    n_rows = first_pieces.size - 1
    counts = np.zeros(n_rows, np.int64)
    for row in ids:
        counts[row] += 1
    places = np.empty(n_rows, np.int64)
    start = piece = 0
    for row in range(n_rows):
        places[row], first_pieces[row] = start, piece
        for at in range(start, start + counts[row], PIECE):
            starts[piece] = at
            piece += 1
        start += counts[row]
    first_pieces[n_rows] = piece
    for i in range(piece, starts.size):
        starts[i] = ids.size
    for t in range(ids.size):
        order[places[ids[t]]] = t
        places[ids[t]] += 1
