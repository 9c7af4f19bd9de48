"""The protocol of a pruner."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from skrational.groups import Groups

__all__ = ["Pruner"]


class Pruner(Protocol):
    """A rule that says which groups stay.

    An implementation is a frozen value. It reads the groups and changes nothing: the
    training loop zeroes what goes, and a cell folds it away.
    """

    def survivors(self, groups: Groups, progress: float) -> NDArray[np.bool_]:
        """Return which groups stay.

        Parameters
        ----------
        groups : Groups
        progress : float
            Share of the phase that is over, from 0 to 1: a ramp prunes a part of its
            target before the end.

        Returns
        -------
        ndarray of shape (n_groups,), bool
        """
        ...
