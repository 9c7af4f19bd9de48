"""The recurrence, dispatched to the fastest kernel that can compute it.

``SKRATIONAL_KERNEL=reference`` (or ``numba``) overrides the choice.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any

from torch import Tensor

__all__ = ["choose_kernel", "state_scores"]

_MODULES = {
    "reference": "skrational.kernels.reference",
    "numba": "skrational.kernels.cpu",
}


def choose_kernel(device_type: str, semiring: str) -> str:
    """Name the kernel for a device and a semiring.

    Parameters
    ----------
    device_type : str
        ``torch.device.type``.
    semiring : str

    Returns
    -------
    {"reference", "numba"}

    Raises
    ------
    ValueError
        If the environment variable SKRATIONAL_KERNEL names no kernel.
    """
    forced = os.environ.get("SKRATIONAL_KERNEL", "")
    if forced:
        if forced not in _MODULES:
            raise ValueError(
                f"SKRATIONAL_KERNEL is {forced!r}; expected one of {sorted(_MODULES)}."
            )
        return forced
    fits = device_type == "cpu" and semiring == "plus-times"
    return "numba" if fits else "reference"


def state_scores(x: Tensor, *args: Any, semiring: str, **options: Any) -> Tensor:
    """Score every state; see `skrational.kernels.reference.state_scores`."""
    module = import_module(_MODULES[choose_kernel(x.device.type, semiring)])
    kernel: Callable[..., Tensor] = module.state_scores
    return kernel(x, *args, semiring=semiring, **options)
