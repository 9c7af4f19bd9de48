"""Groups: which parameters stand or fall together.

A penalty charges for groups and a pruner drops them; neither knows what a group means.
A cell says it, by naming the group of every row of its tensors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Groups", "Part"]


@dataclass(frozen=True)
class Part:
    """Tensors whose rows belong to groups in the same way.

    Attributes
    ----------
    parameters : tuple of Tensor of shape (n_rows, ...)
    group : Tensor of shape (n_rows,), int64
        The group of each row.
    """

    parameters: tuple[Tensor, ...]
    group: Tensor

    def pack(self, values: Sequence[Tensor]) -> Tensor:
        """Join values shaped as the parameters, row by row, (n_rows, m)."""
        return torch.cat(
            [v.reshape(len(v), math.prod(v.shape[1:])) for v in values], dim=1
        )

    def scale_(self, factors: Tensor) -> None:
        """Multiply the parameters in place by packed factors, (n_rows, m)."""
        widths = [math.prod(p.shape[1:]) for p in self.parameters]
        for p, factor in zip(self.parameters, factors.split(widths, 1), strict=True):
            p.mul_(factor.reshape(p.shape))


@dataclass(frozen=True)
class Groups:
    """Disjoint groups of parameters.

    Attributes
    ----------
    parts : tuple of Part
    n_groups : int

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

    def sum_rows(self, values: Sequence[Tensor]) -> Tensor:
        """Add up, group by group, packed values (n_rows, m) of each part.

        Returns
        -------
        Tensor of shape (n_groups,)
        """
        total = values[0].new_zeros(self.n_groups)
        for part, value in zip(self.parts, values, strict=True):
            total = total.index_add(0, part.group, value.sum(dim=1))
        return total

    @cached_property
    def rows_by_group(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows of all parts, counted through, group by group.

        Returns where the groups begin, (n_groups + 1,), and the rows, (n_rows,).
        """
        group = torch.cat([part.group for part in self.parts]).cpu().numpy()
        starts = np.concatenate(
            [[0], np.cumsum(np.bincount(group, minlength=self.n_groups))]
        )
        return starts, np.argsort(group, kind="stable")

    def norms(self) -> Tensor:
        """Euclidean norm of each group, (n_groups,); differentiable, 0 at zero."""
        squares = self.sum_rows([p.pack(p.parameters).square() for p in self.parts])
        positive = squares > 0
        return torch.where(positive, squares, 1.0).sqrt() * positive
