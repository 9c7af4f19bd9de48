"""The gated recurrences, LSTM and GRU, dispatched to the fastest kernel for a device.

``SKRATIONAL_KERNEL``, set to ``reference``, ``numba`` or ``cudnn``, overrides the
choice.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["choose_kernel", "gru_states", "lstm_states"]

_MODULES = {
    "cudnn": "skrational.kernels.gated.cudnn",
    "numba": "skrational.kernels.gated.operation",
    "reference": "skrational.kernels.gated.reference",
}
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
        If the environment variable SKRATIONAL_KERNEL names no kernel of gated cells, or
        one that can't compute on this device.
    """
    forced = os.environ.get("SKRATIONAL_KERNEL", "")
    if not forced:
        return _OF_DEVICE.get(device_type, "reference")
    if forced not in _MODULES:
        expected = ", ".join(map(repr, sorted(_MODULES)))
        raise ValueError(
            f"SKRATIONAL_KERNEL is {forced!r}; gated cells expect {expected}."
        )
    if forced not in ("reference", _OF_DEVICE.get(device_type)):
        device = next(d for d, name in _OF_DEVICE.items() if name == forced)
        raise ValueError(
            f"SKRATIONAL_KERNEL is {forced!r}, which computes on device={device!r}; "
            f"got device={device_type!r}. Unset the variable, or set it to 'reference'."
        )
    return forced


def lstm_states(x: Tensor, *args: Any) -> Tensor:
    """Run an LSTM; see `skrational.kernels.gated.reference.lstm_states`."""
    return _kernel(x).lstm_states(x, *args)


def gru_states(x: Tensor, *args: Any) -> Tensor:
    """Run a GRU; see `skrational.kernels.gated.reference.gru_states`."""
    return _kernel(x).gru_states(x, *args)


def _kernel(x: Tensor) -> Any:
    return import_module(_MODULES[choose_kernel(x.device.type)])
