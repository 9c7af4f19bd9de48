"""What networks with hidden states have in common, gated or not.

``SKRATIONAL_KERNEL``, set to ``reference``, ``numba`` or ``cudnn``, overrides the
choice of the kernel for a device.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any

__all__ = ["choose_kernel", "kernel_for"]

_MODULES = {"cudnn": "cudnn", "numba": "operation", "reference": "reference"}
"""The module of each kernel in the package of a kind of network."""

_OF_DEVICE = {"cpu": "numba", "cuda": "cudnn"}


def choose_kernel(device_type: str) -> str:
    """Name the kernel for a device.

    Parameters
    ----------
    device_type : str
        ``torch.device.type``.

    Returns
    -------
    {"cudnn", "numba", "reference"}

    Raises
    ------
    ValueError
        If the environment variable SKRATIONAL_KERNEL names no kernel of such networks,
        or one that can't compute on this device.
    """
    forced = os.environ.get("SKRATIONAL_KERNEL", "")
    if not forced:
        return _OF_DEVICE.get(device_type, "reference")
    if forced not in _MODULES:
        expected = ", ".join(map(repr, sorted(_MODULES)))
        raise ValueError(
            f"SKRATIONAL_KERNEL is {forced!r}; hidden states expect {expected}."
        )
    if forced not in ("reference", _OF_DEVICE.get(device_type)):
        device = next(d for d, name in _OF_DEVICE.items() if name == forced)
        raise ValueError(
            f"SKRATIONAL_KERNEL is {forced!r}, which computes on device={device!r}; "
            f"got device={device_type!r}. Unset the variable, or set it to 'reference'."
        )
    return forced


def kernel_for(device_type: str, package: str) -> Any:
    """Load a package's module with the kernel for a device.

    Parameters
    ----------
    device_type : str
    package : str
    """
    return import_module(f"{package}.{_MODULES[choose_kernel(device_type)]}")
