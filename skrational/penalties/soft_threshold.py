"""The proximal operator of a price for absolute values, in a diagonal metric."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from skrational.groups import Groups

__all__ = ["soft_threshold_"]


@torch.no_grad()
def soft_threshold_(
    groups: Groups, metric: Sequence[Tensor], thresholds: Sequence[Tensor | float]
) -> None:
    r"""Shrink single entries, in place.

    Solves :math:`\min_w \tfrac{1}{2} D (w - \tilde w)^2 + c |w|` for each entry.

    Parameters
    ----------
    groups : Groups
        Of one entry each.
    metric : sequence of Tensor of shape (n_slices, 1)
        D, packed for each part.
    thresholds : sequence of float or of Tensor of shape (n_slices, 1)
        c, at least 0, for each part.

    Examples
    --------
    >>> weight = torch.tensor([3.0, -1.0, 0.2])
    >>> ones = torch.ones(3, 1)
    >>> soft_threshold_(Groups.of_entries(weight), [ones], [0.5])
    >>> weight
    tensor([ 2.5000, -0.5000,  0.0000])
    """
    for part, d, c in zip(groups.parts, metric, thresholds, strict=True):
        sizes = part.pack(part.parameters).abs().mul_(d)
        # An entry that is 0 and free of charge has no quotient.
        part.scale_(torch.where(sizes <= c, 0.0, 1 - c / sizes))
