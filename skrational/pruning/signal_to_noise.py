"""Pruning of what noise drowns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from skrational.groups import Groups

__all__ = ["SignalToNoise"]


@dataclass(frozen=True)
class SignalToNoise:
    """Keep the normal posteriors whose noise is small beside their mean.

    Parameters
    ----------
    log_alpha : float
        What has at least this log of ``sigma**2 / mean**2`` goes.

    Examples
    --------
    >>> import torch
    >>> from skrational.groups import Groups, Part
    >>> mean, log_sigma = torch.tensor([1.0, 0.1]), torch.tensor([-3.0, 0.0])
    >>> groups = Groups((Part((mean, log_sigma), torch.arange(2), axis=None),), 2)
    >>> SignalToNoise(3.0).survivors(groups)
    array([ True, False])
    """

    log_alpha: float

    @torch.no_grad()
    def survivors(self, groups: Groups, progress: float = 1.0) -> NDArray[np.bool_]:
        """Return which groups stay, (n_groups,), at whatever time of the phase.

        A group is an entry of a mean and that of its log sigma.
        """
        survive = np.zeros(groups.n_groups, bool)
        for part in groups.parts:
            mean, log_sigma = part.pack(part.parameters).unbind(dim=1)
            log_alpha = 2 * (log_sigma - mean.abs().log())
            live = (log_alpha < self.log_alpha).cpu().numpy()
            survive[part.group_of_slices.cpu().numpy()] = live
        return survive
