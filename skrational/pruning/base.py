"""The protocol of a pruner."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Pruner"]


class Pruner(Protocol):
    """A rule that says from the groups' norms which groups stay."""

    def survivors(self, norms: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Return a mask of the groups that stay, of the shape of ``norms``."""
        ...
