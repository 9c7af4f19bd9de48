"""Copies from the host to a device, for which the host doesn't wait."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["empty_on_host", "pinned", "upload"]


def pinned(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy a tensor to memory of the host from which CUDA copies without waiting.

    For another device it is returned as it is.
    """
    return tensor.pin_memory() if device.type == "cuda" else tensor


def upload(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy a tensor of the host to a device.

    A copy from memory that isn't pinned would wait for whatever the device is doing.

    Parameters
    ----------
    tensor : Tensor
    device : torch.device

    Examples
    --------
    >>> upload(torch.ones(2), torch.device("cpu"))
    tensor([1., 1.])
    """
    return pinned(tensor, device).to(device, non_blocking=device.type == "cuda")


def empty_on_host(size: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return memory of the host that is copied to a device without waiting.

    Parameters
    ----------
    size : int
    dtype : torch.dtype
    device : torch.device
    """
    return torch.empty(size, dtype=dtype, pin_memory=device.type == "cuda")
