"""What gated cells have in common: nested groups, compaction, and a readout of states.

A cell holds only what is left of its network: a row of weights for each gate that
varies, a column for each unit and for each feature that is read, and the biases of all
gates of the units. A dense network is the case in which nothing is gone.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skrational.cells.base import Cut
from skrational.cells.batches import Batch
from skrational.cells.compaction import Mask, Remains, what_remains
from skrational.cells.states import StatesCell
from skrational.groups import Groups, Part
from skrational.structures.gated import GatedStructure, StateReadout

__all__ = ["GatedCell"]

_WEIGHTS_OF = {"gates": ("W_ih", "W_hh"), "neurons": ("W_hh", "A"), "inputs": ("W_ih",)}
"""What groups take rows of, if they are gates, or columns."""


class GatedCell(StatesCell):
    """A gated recurrent network with a linear readout of its hidden states.

    A subclass says what its gates compute. ``b`` has a row for each kind of bias and a
    column for each unit.

    Parameters
    ----------
    structure : GatedStructure
        What the network has left; its constants and its number of weights are read off
        the parameters and don't count here.
    reading : StateReadout
    dtype : torch.dtype

    Attributes
    ----------
    varies : ndarray of shape (G, H), bool
        Which gates of each unit have a row of weights.
    """

    structure_type: ClassVar[type[GatedStructure]]
    states_of: ClassVar[Callable[..., Tensor]]
    """See `skrational.kernels.gated`."""
    packed_type: ClassVar[Any]
    weight_names: ClassVar[tuple[str, ...]] = ("W_ih", "W_hh", "A")
    """Parameters whose entries are sparsified one by one."""
    unstructured: tuple[str, ...] = ("weights",)

    def __init__(
        self, structure: GatedStructure, reading: StateReadout, dtype: torch.dtype
    ) -> None:
        super().__init__(reading)
        self._shape = structure
        self.varies = structure.varies
        n_gates, n_units = structure.n_gates, structure.n_units
        n_inputs, n_outputs = len(structure.inputs), structure.n_outputs

        def parameter(*shape: int) -> nn.Parameter:
            return nn.Parameter(torch.zeros(*shape, dtype=dtype))

        self.W_ih = parameter(n_gates, n_inputs)
        self.W_hh = parameter(n_gates, n_units)
        self.b = parameter(structure.n_biases_per_unit, n_units)
        self.A = parameter(n_outputs, n_units)
        self.a = parameter(n_outputs)
        inputs = torch.tensor(structure.inputs, dtype=torch.int64)
        self.register_buffer("inputs", inputs, persistent=False)

    inputs: Tensor

    @classmethod
    def dense(
        cls,
        n_features: int,
        n_units: int,
        n_outputs: int,
        reading: StateReadout,
        dtype: torch.dtype,
    ) -> Self:
        """Make a cell of which nothing is pruned, with all parameters 0.

        Parameters
        ----------
        n_features, n_units, n_outputs : int
        reading : StateReadout
        dtype : torch.dtype
        """
        kind = cls.structure_type
        structure = kind(
            n_units,
            n_features,
            n_outputs,
            units=tuple(range(n_units)),
            constants=((None,) * len(kind.gate_names),) * n_units,
            inputs=tuple(range(n_features)),
            n_weights=0,
            itemsize=dtype.itemsize,
        )
        return cls(structure, reading, dtype)

    @torch.no_grad()
    def initialize(self, generator: torch.Generator) -> Self:
        """Draw the weights of a dense cell; biases are 0, but for the forget gate's, 1.

        Each gate's input weights are Glorot's uniform ones, its recurrent weights are
        an orthogonal matrix. The readout's are uniform up to ``1 / sqrt(H)``.
        """
        n_units = self.W_hh.shape[1]
        for rows in self.W_ih.split(n_units):
            drawn = torch.empty(rows.shape, dtype=torch.float64)
            nn.init.xavier_uniform_(drawn, generator=generator)
            rows.copy_(drawn)
        for rows in self.W_hh.split(n_units):
            drawn = torch.empty(rows.shape, dtype=torch.float64)
            nn.init.orthogonal_(drawn, generator=generator)
            rows.copy_(drawn)
        bound = n_units**-0.5
        drawn = torch.empty(self.A.shape, dtype=torch.float64)
        self.A.copy_(drawn.uniform_(-bound, bound, generator=generator))
        self._initialize_biases()
        return self

    def _initialize_biases(self) -> None:
        """Set biases that don't begin at 0."""

    def states(self, batch: Batch) -> Tensor:
        """Hidden state after every token, (n_tokens, H)."""
        x = batch.x
        if len(self.inputs) != x.shape[1]:
            x = x.index_select(1, self.inputs)
        return type(self).states_of(
            x,
            self.W_ih,
            self.W_hh,
            self.biases(),
            batch.ids,
            batch.offsets,
            self.varies,
        )

    def biases(self) -> Tensor:
        """Biases as the kernels take them, (n_biases, H)."""
        return self.b

    def packed(self) -> Any:
        """Pack the network for prediction on the CPU."""
        weights = (self.W_ih, self.W_hh, self.biases())
        return type(self).packed_type.of(
            *(w.detach().cpu().numpy() for w in weights),
            self.varies,
            np.array(self._shape.inputs, np.int64),
            self._shape.n_features,
            self.reading.readout == "anywhere",
            self.reading.length_exponent,
        )

    def groups(self, kind: str) -> Groups:
        """Groups of parameters that the penalty drops together.

        Parameters
        ----------
        kind : str
            "weights": every weight by itself, those of the readout among them. "gates":
            all weights that enter a gate of a unit, not its bias. "neurons": all that
            leave a unit. "inputs": all that leave a feature. Several, joined by "+",
            are the groups of each, which overlap.

        Returns
        -------
        Groups
        """
        kinds = kind.split("+")
        of_kinds = map(self._groups_of_kind, kinds)
        return Groups.joined(of_kinds, overlaps=len(kinds) > 1)

    def _groups_of_kind(self, kind: str) -> Groups:
        n_gates, n_units = self.W_hh.shape
        n_inputs, device = self.W_ih.shape[1], self.b.device
        if kind == "weights":
            weights = (getattr(self, name) for name in self.weight_names)
            return Groups.joined(map(Groups.of_entries, weights))
        if kind == "gates":
            rows = Part((self.W_ih, self.W_hh), torch.arange(n_gates, device=device))
            return Groups((rows, *self._entering_gates()), n_gates)
        if kind == "neurons":
            unit = torch.arange(n_units, device=device)
            return Groups((Part((self.W_hh, self.A), unit, axis=1),), n_units)
        feature = torch.arange(n_inputs, device=device)
        return Groups((Part((self.W_ih,), feature, axis=1),), n_inputs)

    def _entering_gates(self) -> list[Part]:
        """Parts of what enters gates beside their rows."""
        return []

    def pruned(self, kind: str, live: NDArray[np.bool_]) -> tuple[Self, Cut | None]:
        """Return what is left if the groups of a kind that aren't live are zero."""
        return self._without(kind, live).compacted()

    def live_structure(self, kind: str, live: NDArray[np.bool_]) -> GatedStructure:
        """Return the structure that `pruned` would leave."""
        emptied = self._without(kind, live)
        return emptied._structure_of(emptied.remains())

    def _without(self, kind: str, live: NDArray[np.bool_]) -> Self:
        """Copy the cell, with the groups that aren't live set to zero."""
        twin = deepcopy(self)
        twin.groups(kind).zero_(live)
        return twin

    def compacted(self) -> tuple[Self, Cut]:
        """Return a copy without what computes nothing, and how parameters are cut.

        The copy computes the same; zeros that are left in it have no structure.
        """
        left = self.remains()
        cut = partial(self._cut, left)
        small = self.blank(self._structure_of(left)).to(self.b.device)
        return small.set_parameters(cut(list(self.parameters()))), cut

    def remains(self) -> Remains:
        """Find what computes something."""
        W_ih, W_hh, A = (
            w.detach().cpu().numpy() for w in (self.W_ih, self.W_hh, self.A)
        )
        return what_remains(
            self.varies, W_ih, W_hh, A, self._stirred(), self._needed, self._silent
        )

    def _stirred(self) -> Mask:
        """Mask of the gates, (G, H), that move even if no weight leads into them."""
        return np.zeros_like(self.varies)

    def _needed(self, varies: Mask, recurrent: Mask) -> Mask:
        """Leave out of gates that vary, (G, H), those that have no effect.

        Those that hear a unit are ``recurrent``, (G, H).
        """
        return varies

    @abstractmethod
    def _silent(self, varies: Mask) -> Mask:
        """Mask of the units, (H,), that constant gates keep at 0."""

    def _cut(self, left: Remains, values: Sequence[Tensor]) -> list[Tensor]:
        """Cut values, one for each parameter, of its shape, to what is left."""
        cuts = self.cuts(left)
        names = (name for name, _ in self.named_parameters())
        return [
            cuts[name](value.detach())
            for name, value in zip(names, values, strict=True)
        ]

    def cuts(self, left: Any) -> dict[str, Callable[[Tensor], Tensor]]:
        """How each parameter, by its name, is cut to what is left.

        So are numbers for each gate that varies, unit and input, by kind of groups.
        """
        masks = (left.varies[self.varies], left.units, left.inputs)
        gates, units, inputs = (
            torch.from_numpy(mask).to(self.b.device) for mask in masks
        )
        return {
            "W_ih": lambda w: w[gates][:, inputs],
            "W_hh": lambda w: w[gates][:, units],
            "b": lambda w: w[:, units],
            "A": lambda w: w[:, units],
            "a": lambda w: w,
            "gates": lambda z: z[gates],
            "neurons": lambda z: z[units],
            "inputs": lambda z: z[inputs],
        }

    def fold(
        self, weights: Mapping[str, Tensor], factors: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Multiply weights by factors of their groups.

        Parameters
        ----------
        weights : dict of str to Tensor
            For each of ``weight_names`` values of that parameter's shape.
        factors : dict of str to Tensor
            By kind of groups: "gates" (M,), "neurons" (H,) or "inputs" (E,).

        Returns
        -------
        dict of str to Tensor
            The weights, each multiplied by the factors of all groups that it is in.
        """
        folded = dict(weights)
        for kind, factor in factors.items():
            for name in _WEIGHTS_OF[kind]:
                factor_of_row = factor[:, None] if kind == "gates" else factor
                folded[name] = folded[name] * factor_of_row
        return folded

    def structure(self) -> GatedStructure:
        """Return the units that are left, and their gates."""
        return self._structure_of(self._everything())

    def _everything(self) -> Remains:
        n_inputs, n_units = self.W_ih.shape[1], self.W_hh.shape[1]
        return Remains(np.ones(n_units, bool), self.varies, np.ones(n_inputs, bool))

    def _structure_of(self, left: Any) -> GatedStructure:
        return replace(self._shape, **self._described(left))

    def _described(self, left: Any) -> dict[str, Any]:
        """Name the fields of the structure that depend on what is left."""
        values = self.constants()[:, left.units].T
        varies = left.varies[:, left.units].T
        table = zip(values.tolist(), varies.tolist(), strict=True)
        weights = self._cut(left, list(self.parameters()))
        names = [name for name, _ in self.named_parameters()]
        counted = [
            int(torch.count_nonzero(w))
            for name, w in zip(names, weights, strict=True)
            if name in ("W_ih", "W_hh", "A", "Emb")
        ]
        return {
            "units": tuple(np.array(self._shape.units, int)[left.units].tolist()),
            "constants": tuple(
                tuple(None if free else value for value, free in zip(*row, strict=True))
                for row in table
            ),
            "inputs": tuple(np.array(self._shape.inputs, int)[left.inputs].tolist()),
            "n_weights": sum(counted),
            "itemsize": self.b.dtype.itemsize,
        }

    @abstractmethod
    def constants(self) -> NDArray[np.float64]:
        """Value of each gate, (G, H), if nothing enters it."""

    def emptied(self) -> tuple[Self, Tensor]:
        """Return a copy all of whose gates are constant, and the W_ih of it."""
        cell = deepcopy(self)
        with torch.no_grad():
            cell.W_ih.zero_()
            cell.W_hh.zero_()
        return cell, cell.W_ih

    def blank(self, structure: GatedStructure) -> Self:
        """Make a cell of a structure that reads alike, with all parameters 0."""
        return type(self)(structure, self.reading, self.b.dtype)
