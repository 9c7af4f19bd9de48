"""Pruning by the size of a group's norm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
    >>> import numpy as np
    >>> Threshold(0.1).survivors(np.array([0.0, 0.05, 2.0]))
    array([False, False,  True])
    """

    threshold: float

    def survivors(self, norms: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Return a mask of the groups that stay, of the shape of ``norms``."""
        return norms > self.threshold
