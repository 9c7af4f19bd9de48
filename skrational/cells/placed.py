"""Networks whose hidden units lie on a manifold, and of whose weights some are cut off.

============ ================== ============ ========================================
paper        code               shape        meaning
============ ================== ============ ========================================
i(j)         ``positions``      (H, d)       where unit j lies on the manifold
d_M          ``distances``      (H, H)       distances of the units
F            ``costs``          (H, H)       what a weight costs between two units
W_hh         ``W_hh``           (G H, H)     recurrent weights, gate by gate
Emb          ``Emb``            (V, E)       embeddings of words, in a language model
mask         zeros              of a matrix  what pruning has left is not 0
============ ================== ============ ========================================

Pruned weights stay, as zeros: masks have no rows and columns that could be cut out.

Mackey, Schizas, Deighton, Boothe, Maroulas, "Geometric Sparsification in Recurrent
Neural Networks", 2024.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skrational.cells.base import Cut, ReadoutCell
from skrational.cells.elman import ElmanCell
from skrational.cells.gru import GRUCell
from skrational.cells.lstm import LSTMCell
from skrational.cells.words import EmbeddedWords
from skrational.groups import Connections, Groups
from skrational.penalties.manifolds import as_manifold, pairwise_distances
from skrational.penalties.moduli import Moduli
from skrational.structures.gated import StateReadout
from skrational.structures.mask import MaskStructure
from skrational.structures.network import EVERY_STATE, NetworkKind

__all__ = [
    "PlacedElmanCell",
    "PlacedElmanLanguageCell",
    "PlacedGRUCell",
    "PlacedLSTMCell",
    "Placement",
    "check_manifold",
    "dense_cell",
    "place_cell",
]


@dataclass(frozen=True)
class Placement:
    """How units are placed, and which weights may go.

    Attributes
    ----------
    moduli : Moduli
        What a weight costs; its strength doesn't matter.
    pruned : {"recurrent", "all"}
        Kind of the groups that are pruned.
    """

    moduli: Moduli
    pruned: str


class _Placed(ReadoutCell):
    """What a recurrent cell gets when its units are placed; comes before its class.

    Kinds of groups are "recurrent", the recurrent weights, which know where the units
    are, and "all", all weights but biases; each weight is a group by itself.
    """

    masked_names: ClassVar[tuple[str, ...]] = ("W_ih", "W_hh", "A")
    """Matrices that have a mask."""

    W_ih: nn.Parameter
    W_hh: nn.Parameter
    positions: Tensor
    placement: Placement
    kind: NetworkKind
    reading: StateReadout

    def placed(self, placement: Placement, positions: Tensor) -> Self:
        """Place the units, (H, d), and return this cell."""
        self.placement = placement
        self.unstructured = (placement.pruned,)
        self.register_buffer("positions", positions.to(self.W_hh.dtype))
        return self

    def for_every_token(self) -> Self:
        """Return a copy whose readout reads the state after every token by itself."""
        twin = deepcopy(self)
        twin.kind = replace(self.kind, reading=EVERY_STATE)
        twin.reading = EVERY_STATE
        return twin

    def learning_positions(self) -> Self:
        """Return a copy whose positions are parameters."""
        twin = deepcopy(self)
        del twin.positions
        twin.positions = nn.Parameter(self.positions.detach().clone())
        return twin

    def settled(self) -> Self:
        """Return the cell with positions that are learned no longer."""
        if not self.positions.requires_grad:
            return self
        twin = deepcopy(self)
        del twin.positions
        return twin.placed(self.placement, self.positions.detach().clone())

    def constrained(self) -> Iterable[nn.Parameter]:
        """Return the positions, if they are learned."""
        learned = self.positions
        return [learned] if isinstance(learned, nn.Parameter) else []

    def after_step(self) -> None:
        """Bring learned positions back to the manifold."""
        if self.positions.requires_grad:
            as_manifold(self.placement.moduli.manifold).project_(self.positions)

    def groups(self, kind: str) -> Groups:
        """Groups of one weight each: the "recurrent" ones, or "all"."""
        if kind == "recurrent":
            return Connections.of(self.W_hh, self.positions)
        weights = (getattr(self, name) for name in self.masked_names)
        return Groups.joined(map(Groups.of_entries, weights))

    def pruned(self, kind: str, live: NDArray[np.bool_]) -> tuple[Self, Cut | None]:
        """Set the weights that aren't live to zero, and return this cell."""
        self.groups(kind).zero_(live)
        return self, None

    def live_structure(self, kind: str, live: NDArray[np.bool_]) -> MaskStructure:
        """Return the structure that `pruned` would leave."""
        return deepcopy(self).pruned(kind, live)[0].structure()

    def structure(self) -> MaskStructure:
        """Return which weights are left, and where the units are."""
        moduli, positions = self.placement.moduli, self.positions.detach().double()
        manifold = as_manifold(moduli.manifold)
        inhibitor = moduli.inhibitor
        return MaskStructure(
            {
                name: getattr(self, name).detach().cpu().numpy() != 0
                for name in self.masked_names
            },
            n_biases=sum(p.numel() for p in self._biases()),
            positions=positions.cpu().numpy(),
            distances=pairwise_distances(manifold, positions).cpu().numpy(),
            costs=moduli.costs(positions).cpu().numpy(),
            manifold=manifold.name,
            inhibitor=inhibitor if isinstance(inhibitor, str) else "custom",
            itemsize=self.A.dtype.itemsize,
        )

    def _biases(self) -> list[nn.Parameter]:
        weights = {*self.masked_names, "positions"}
        return [p for name, p in self.named_parameters() if name not in weights]

    def emptied(self) -> tuple[Self, Tensor]:
        """Return a copy that nothing enters, and the W_ih of it."""
        cell = deepcopy(self)
        with torch.no_grad():
            cell.W_ih.zero_()
            cell.W_hh.zero_()
        return cell, cell.W_ih

    def masked_by(
        self, structure: MaskStructure
    ) -> tuple[Self, dict[str, NDArray[np.bool_]]]:
        """Place the units as in a structure, and set what it lacks to zero.

        Returns
        -------
        cell : Cell
            With positions that aren't learned.
        masks : dict of str to ndarray
            Which weights are live, by the kind of groups.
        """
        check_manifold(structure, self.placement.moduli.manifold)
        cell = self.settled()
        others = (structure.masks[name] for name in self.masked_names if name != "W_hh")
        kind = "recurrent" if all(mask.all() for mask in others) else "all"
        names = ("W_hh",) if kind == "recurrent" else self.masked_names
        for name in names:
            shape, given = tuple(getattr(cell, name).shape), structure.masks[name].shape
            if shape != given:
                raise ValueError(
                    f"{name} of the network has the shape {shape}, that of the mask "
                    f"{given}; expected the same: n_hidden and cell as they were in "
                    "the fit that found the mask."
                )
        cell.positions.copy_(torch.from_numpy(np.array(structure.positions)))
        live = np.concatenate([structure.masks[name].reshape(-1) for name in names])
        return cell.pruned(kind, live)[0], {kind: live}

    def blank(self, structure: MaskStructure) -> Self:
        """Return a cell like this one, at the places of a structure, on the CPU."""
        twin = deepcopy(self).to("cpu")
        with torch.no_grad():
            for parameter in twin.parameters():
                parameter.zero_()
            twin.positions.copy_(torch.from_numpy(np.array(structure.positions)))
        return twin


class PlacedElmanCell(_Placed, ElmanCell):
    """An Elman network with placed units."""


class PlacedElmanLanguageCell(EmbeddedWords, PlacedElmanCell):
    """An Elman network with placed units that reads words, and predicts the next.

    The parameters are those of `ElmanCell`; features are the dimensions of the
    embedding, and outputs the words.
    """

    weight_names: ClassVar = (*PlacedElmanCell.weight_names, "Emb")
    masked_names: ClassVar = (*PlacedElmanCell.masked_names, "Emb")

    def __init__(self, n_features: int, n_units: int, n_words: int, *args: Any) -> None:
        super().__init__(n_features, n_units, n_words, *args)
        self.embed(range(n_words))


class PlacedLSTMCell(_Placed, LSTMCell):  # type: ignore[misc]
    """An LSTM with placed units; each of its gates costs the same F."""


class PlacedGRUCell(_Placed, GRUCell):  # type: ignore[misc]
    """A GRU with placed units; each of its gates costs the same F."""


_GATED: dict[str, Any] = {"lstm": PlacedLSTMCell, "gru": PlacedGRUCell}


def check_manifold(structure: MaskStructure, manifold: Any) -> None:
    """Refuse units that lie on another manifold with a ValueError.

    Parameters
    ----------
    structure : MaskStructure
        Says where units lie.
    manifold : str, Manifold or callable
        Where they are to lie.
    """
    if structure.manifold != as_manifold(manifold).name:
        raise ValueError(
            f"manifold is {manifold!r}, but the units of the fitted network stay where "
            f"they are, on {structure.manifold!r}; expected that one."
        )


def dense_cell(
    kind: NetworkKind, sizes: tuple[int, int, int], dtype: torch.dtype
) -> Any:
    """Return a cell whose units lie nowhere yet, all parameters 0.

    Parameters
    ----------
    kind : NetworkKind
    sizes : tuple of int
        Features, hidden units and outputs.
    dtype : torch.dtype
    """
    if kind.cell == "elman":
        elman = PlacedElmanLanguageCell if kind.reads_words else PlacedElmanCell
        cell: Any = elman(*sizes, kind.reading, kind.activation, kind.bias, dtype)
    else:
        cell = _GATED[kind.cell].dense(*sizes, kind.reading, dtype)
    cell.kind = kind
    return cell


def place_cell(
    kind: NetworkKind,
    structure: MaskStructure,
    placement: Placement,
    dtype: torch.dtype,
) -> Any:
    """Return a cell with units at the places of a structure, all parameters 0.

    Parameters
    ----------
    kind : NetworkKind
    structure : MaskStructure
    placement : Placement
    dtype : torch.dtype
    """
    sizes = structure.n_features, structure.n_units_initial, structure.n_outputs
    positions = torch.from_numpy(np.array(structure.positions))
    return dense_cell(kind, sizes, dtype).placed(placement, positions)
