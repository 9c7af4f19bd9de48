"""The generator from which a made data set draws."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.utils import check_random_state

__all__ = ["generator_of"]


def generator_of(random_state: Any) -> np.random.RandomState:
    """Return the generator of a ``random_state``, never NumPy's global one."""
    # check_random_state(None) would hand out the global generator.
    if random_state is None:
        return np.random.RandomState()
    return check_random_state(random_state)
