"""Pruning of the smallest, to a sparsity that rises."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from skrational.groups import Groups

__all__ = ["Magnitude"]


@dataclass(frozen=True)
class Magnitude:
    """Drop a share of the groups, the smallest by their L1 norm.

    Of groups of one entry each these are the weights of the smallest magnitude, over
    all matrices together. Of equal ones the first go. What was pruned before is 0, and
    goes again.

    Parameters
    ----------
    sparsity : float
        Share of the groups that goes, at least 0 and less than 1, rounded to a whole
        number of them.
    ramp : float, default=1.0
        Share of the phase, above 0 and at most 1, over which the sparsity rises from 0,
        linearly. Mackey et al. [1]_ prune to ``sparsity * e / (n_epochs - 1)`` before
        each epoch e, counted from 0, so that the last epoch trains at the target: this
        is a ramp of ``(n_epochs - 1) / n_epochs``.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    References
    ----------
    .. [1] Mackey, Schizas, Deighton, Boothe, Maroulas, "Geometric Sparsification in
       Recurrent Neural Networks", 2024. :arxiv:`2406.06290`

    Examples
    --------
    >>> weight = torch.tensor([[0.5, -2.0], [0.0, 0.1]])
    >>> groups = Groups.of_entries(weight)
    >>> Magnitude(0.5).survivors(groups, progress=1.0)
    array([ True,  True, False, False])
    >>> Magnitude(0.5).survivors(groups, progress=0.5)
    array([ True,  True, False,  True])
    """

    sparsity: float
    ramp: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.sparsity < 1:
            raise ValueError(
                f"sparsity is {self.sparsity!r}; expected a number from 0 to below 1."
            )
        if not 0 < self.ramp <= 1:
            raise ValueError(
                f"ramp is {self.ramp!r}; expected a number above 0, at most 1."
            )

    @torch.no_grad()
    def survivors(self, groups: Groups, progress: float = 1.0) -> NDArray[np.bool_]:
        """Return which groups stay, (n_groups,), at a share of the phase."""
        sizes = [part.pack(part.parameters).abs() for part in groups.parts]
        order = np.argsort(groups.sum_slices(sizes).cpu().numpy(), kind="stable")
        share = self.sparsity * min(1.0, progress / self.ramp)
        survive = np.ones(groups.n_groups, bool)
        survive[order[: round(share * groups.n_groups)]] = False
        return survive
