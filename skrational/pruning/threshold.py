"""Pruning by the size of a group's norm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from skrational.groups import Groups

__all__ = ["Threshold"]


@dataclass(frozen=True)
class Threshold:
    """Keep the groups whose norm is above a threshold.

    Parameters
    ----------
    threshold : float
        0 for exact zeros, as the proximal solver leaves them; 0.1 in the paper (Dodge
        et al., EMNLP 2019, section 2), whose subgradient steps only come near zero.

    Examples
    --------
    >>> import torch
    >>> from skrational.groups import Groups, Part
    >>> weight = torch.tensor([[0.0, 0.0], [0.03, 0.04], [2.0, 0.0]])
    >>> groups = Groups((Part((weight,), torch.arange(3)),), 3)
    >>> Threshold(0.1).survivors(groups)
    array([False, False,  True])
    """

    threshold: float

    @torch.no_grad()
    def survivors(self, groups: Groups, progress: float = 1.0) -> NDArray[np.bool_]:
        """Return which groups stay, (n_groups,), at whatever time of the phase."""
        survive: NDArray[np.bool_] = groups.norms().cpu().numpy() > self.threshold
        return survive
