"""Devices."""

from __future__ import annotations

import torch

__all__ = ["resolve_device"]


def resolve_device(device: str) -> torch.device:
    """Turn a device parameter into a device that is there.

    Parameters
    ----------
    device : str
        "auto", or anything `torch.device` reads: "cpu", "cuda", "cuda:1", "mps". "auto"
        takes the device with the fastest kernel, which is the CPU for now.

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        If there is no such device; the message says which there are.
    """
    if device == "auto":
        return torch.device("cpu")
    try:
        resolved = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"device={device!r} is unknown; expected 'auto', 'cpu', 'cuda', 'cuda:N' "
            "or 'mps'."
        ) from error
    there = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        there.append("mps")
    named = {str(resolved), f"{resolved.type}:{resolved.index or 0}"}
    if not named & set(there):
        raise ValueError(
            f"device={device!r} is not available on this machine; expected 'auto' or "
            f"one of {there}."
        )
    return resolved
