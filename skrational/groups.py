"""Groups: which parameters stand or fall together.

A penalty charges for groups and a pruner drops them; neither knows what a group means.
A cell says it, by naming the group of every row, column or entry of its parameters.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from skrational.utils.cached import cached_property
from skrational.utils.uploads import upload

__all__ = ["Connections", "Groups", "Part"]


@dataclass(frozen=True)
class Part:
    """Parameters whose slices belong to groups in the same way.

    Attributes
    ----------
    parameters : tuple of Tensor
        The parameters themselves. A view, such as a transpose, would go on showing old
        memory once an optimizer has moved the parameter.
    group : Tensor of int64
        The group of each slice: of shape (n_slices,) or, with ``axis=None``, that of
        the parameters.
    axis : int or None, default=0
        What a slice is: a row (0), a column (1), or a single entry (None).

    Examples
    --------
    >>> weight = torch.tensor([[3.0, 0.0], [4.0, 2.0]])
    >>> columns = Part((weight,), torch.arange(2), axis=1)
    >>> columns.pack(columns.parameters)
    tensor([[3., 4.],
            [0., 2.]])
    """

    parameters: tuple[Tensor, ...]
    group: Tensor
    axis: int | None = 0

    def __post_init__(self) -> None:
        for p in self.parameters:
            expected = p.shape if self.axis is None else p.shape[self.axis :][:1]
            if self.group.shape != expected:
                raise ValueError(
                    f"group has the shape {tuple(self.group.shape)}; expected "
                    f"{tuple(expected)} with axis={self.axis}, for a parameter of "
                    f"shape {tuple(p.shape)}."
                )

    @property
    def group_of_slices(self) -> Tensor:
        """Group of each slice, in the order of `pack`: Tensor of shape (n_slices,)."""
        return self.group.reshape(-1)

    def pack(self, values: Sequence[Tensor]) -> Tensor:
        """Join values shaped as the parameters, slice by slice, (n_slices, m)."""
        return torch.cat([self._slices(v) for v in values], dim=1)

    def scale_(self, factors: Tensor) -> None:
        """Multiply the parameters in place by packed factors, (n_slices, m)."""
        widths = [self._slices(p).shape[1] for p in self.parameters]
        for p, factor in zip(self.parameters, factors.split(widths, 1), strict=True):
            if self.axis is None:
                p.mul_(factor.reshape(p.shape))
            else:
                moved = p.movedim(self.axis, 0)
                moved.mul_(factor.reshape(moved.shape))

    def set_(self, packed: Tensor) -> None:
        """Set the parameters in place to packed values, (n_slices, m)."""
        widths = [self._slices(p).shape[1] for p in self.parameters]
        for p, values in zip(self.parameters, packed.split(widths, 1), strict=True):
            if self.axis is None:
                p.copy_(values.reshape(p.shape))
            else:
                moved = p.movedim(self.axis, 0)
                moved.copy_(values.reshape(moved.shape))

    def zero_(self, dead: Tensor) -> None:
        """Set slices to zero in place, given a mask of them, (n_slices,)."""
        for p in self.parameters:
            if self.axis is None:
                p.masked_fill_(dead.reshape(p.shape), 0)
            else:
                moved = p.movedim(self.axis, 0)
                moved.masked_fill_(dead.reshape(-1, *[1] * (moved.ndim - 1)), 0)

    def _slices(self, value: Tensor) -> Tensor:
        """Values of a parameter, a row for each slice."""
        if self.axis is None:
            return value.reshape(-1, 1)
        moved = value.movedim(self.axis, 0)
        return moved.reshape(len(moved), math.prod(moved.shape[1:]))


@dataclass(frozen=True)
class Groups:
    """Groups of parameters.

    Attributes
    ----------
    parts : tuple of Part
    n_groups : int
    omega : Tensor of shape (n_groups,), default=None
        What the norm of each group is multiplied by in a penalty. None: 1.
    overlaps : bool, default=False
        Whether an entry of a parameter may be in more than one group, as where a
        parameter is in one part by its rows and in another by its columns. Such groups
        have norms and can be zeroed, but no proximal operator.

    Raises
    ------
    ValueError
        If a parameter is in several parts and ``overlaps`` doesn't say so, which would
        scale it once for each, or omega has another length.

    Examples
    --------
    >>> import torch
    >>> weight = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
    >>> bias = torch.tensor([0.0, 2.0])
    >>> Groups((Part((weight, bias), torch.arange(2)),), 2).norms()
    tensor([5., 2.])
    """

    parts: tuple[Part, ...]
    n_groups: int
    omega: Tensor | None = None
    overlaps: bool = False

    def __post_init__(self) -> None:
        if self.omega is not None and self.omega.shape != (self.n_groups,):
            raise ValueError(
                f"omega has the shape {tuple(self.omega.shape)}; expected "
                f"({self.n_groups},), a factor for each group."
            )
        occurrences = Counter(map(_address, self.parameters))
        if not self.overlaps and max(occurrences.values(), default=0) > 1:
            raise ValueError(
                "A parameter is in several parts: it would be scaled once for each of "
                "them. Give each parameter to one part, or set overlaps=True."
            )

    @classmethod
    def of_entries(cls, *parameters: Tensor) -> Groups:
        """Make a group of the entries that parameters of one shape have at a place.

        Examples
        --------
        >>> one, other = torch.tensor([3.0, 1.0]), torch.tensor([4.0, 0.0])
        >>> Groups.of_entries(one, other).norms()
        tensor([5., 1.])
        """
        first = parameters[0]
        number = torch.arange(first.numel(), device=first.device).view(first.shape)
        return cls((Part(parameters, number, axis=None),), first.numel())

    @classmethod
    def joined(cls, several: Iterable[Groups], overlaps: bool = False) -> Groups:
        """Join groups, without their omega, numbering them through.

        Examples
        --------
        >>> weights = torch.ones(3), torch.ones(2)
        >>> Groups.joined(map(Groups.of_entries, weights)).n_groups
        5
        """
        parts, n_groups = [], 0
        for groups in several:
            for part in groups.parts:
                parts.append(replace(part, group=part.group + n_groups))
            n_groups += groups.n_groups
        return cls(tuple(parts), n_groups, overlaps=overlaps)

    @property
    def parameters(self) -> list[Tensor]:
        """All parameters that have groups."""
        return [p for part in self.parts for p in part.parameters]

    def sum_slices(self, values: Sequence[Tensor]) -> Tensor:
        """Add up, group by group, packed values (n_slices, m) of each part.

        Returns
        -------
        Tensor of shape (n_groups,)
        """
        total = values[0].new_zeros(self.n_groups)
        for part, value in zip(self.parts, values, strict=True):
            total = total.index_add(0, part.group_of_slices, value.sum(dim=1))
        return total

    @cached_property
    def are_entries(self) -> bool:
        """Whether each entry of the parameters is a group by itself."""
        if any(
            part.axis is not None or len(part.parameters) > 1 for part in self.parts
        ):
            return False
        group = torch.cat([part.group_of_slices for part in self.parts])
        return int(torch.bincount(group, minlength=1).max()) <= 1

    @cached_property
    def slices_by_group(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Slices of all parts, counted through, group by group.

        Returns where the groups begin, (n_groups + 1,), and the slices, (n_slices,).
        """
        groups = [part.group_of_slices for part in self.parts]
        group = torch.cat(groups).cpu().numpy()
        starts = np.concatenate(
            [[0], np.cumsum(np.bincount(group, minlength=self.n_groups))]
        )
        return starts, np.argsort(group, kind="stable")

    @cached_property
    def slices_on_device(self) -> tuple[Tensor, Tensor]:
        """What `slices_by_group` returns, where the parameters are."""
        starts, slices = map(torch.from_numpy, self.slices_by_group)
        device = self.parts[0].group.device
        return starts.to(device), slices.to(device)

    @cached_property
    def sizes(self) -> Tensor:
        """How many numbers each group has, (n_groups,)."""
        ones = (torch.ones_like(part.pack(part.parameters)) for part in self.parts)
        return self.sum_slices(list(ones))

    def norms(self) -> Tensor:
        """Euclidean norm of each group, (n_groups,); differentiable, 0 at zero."""
        squares = self.sum_slices([p.pack(p.parameters).square() for p in self.parts])
        positive = squares > 0
        return torch.where(positive, squares, 1.0).sqrt() * positive

    @torch.no_grad()
    def zero_(self, live: NDArray[np.bool_]) -> None:
        """Set what is in a group that isn't live to zero, in place.

        Parameters
        ----------
        live : ndarray of shape (n_groups,), bool
        """
        for part in self.parts:
            dead = upload(torch.from_numpy(~live), part.group.device)
            part.zero_(dead[part.group_of_slices])


@dataclass(frozen=True, kw_only=True)
class Connections(Groups):
    """The weights between hidden units, each a group, and where the units are.

    Column k of the matrix is what unit k sends; a row enters a unit, or a gate of it.
    Made by `of`.

    Attributes
    ----------
    positions : Tensor of shape (H, n_coordinates)
        A parameter of the cell, if it is learned, and no part of the groups.
    unit_of_row : Tensor of shape (n_rows,), int64

    Raises
    ------
    ValueError
        If there isn't a position for each column, and a unit for each row.

    Examples
    --------
    >>> W_hh = torch.ones(8, 2)  # of the four gates of an LSTM with two units
    >>> connections = Connections.of(W_hh, positions=torch.zeros(2, 3))
    >>> connections.unit_of_row
    tensor([0, 1, 0, 1, 0, 1, 0, 1])
    """

    positions: Tensor
    unit_of_row: Tensor
    _made: dict[Hashable, Tensor] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        n_rows, n_units = self.weights.shape
        if self.positions.ndim != 2 or len(self.positions) != n_units:
            raise ValueError(
                f"positions has the shape {tuple(self.positions.shape)}; expected "
                f"({n_units}, n_coordinates), a row for each column of the weights."
            )
        if self.unit_of_row.shape != (n_rows,) or not all(
            0 <= unit < n_units for unit in self.unit_of_row.tolist()
        ):
            raise ValueError(
                f"unit_of_row is {self.unit_of_row}; expected {n_rows} numbers below "
                f"{n_units}, the unit that each row of the weights enters."
            )

    @classmethod
    def of(
        cls, W_hh: Tensor, positions: Tensor, unit_of_row: Tensor | None = None
    ) -> Connections:
        """Make a group of each recurrent weight.

        Parameters
        ----------
        W_hh : Tensor of shape (n_rows, H)
        positions : Tensor of shape (H, n_coordinates)
        unit_of_row : Tensor of shape (n_rows,), int64, default=None
            None: there is a row for each unit, or for each unit gate by gate.
        """
        if unit_of_row is None:
            n_rows, n_units = W_hh.shape
            unit_of_row = torch.arange(n_rows, device=W_hh.device) % n_units
        entries = Groups.of_entries(W_hh)
        return cls(
            entries.parts,
            entries.n_groups,
            positions=positions,
            unit_of_row=unit_of_row,
        )

    @property
    def weights(self) -> Tensor:
        """The matrix, (n_rows, H)."""
        return self.parts[0].parameters[0]

    def from_positions(self, key: Hashable, make: Callable[[], Tensor]) -> Tensor:
        """Make something of the positions: once, unless they are learned.

        Parameters
        ----------
        key : hashable
            Tells it from whatever else is made of them.
        make : callable
            Returns it.
        """
        if self.positions.requires_grad:
            return make()
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


def _address(parameter: Tensor) -> int:
    """Name a parameter by its memory, of which an empty one has none."""
    return parameter.data_ptr() if parameter.numel() else id(parameter)
