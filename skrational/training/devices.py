"""Devices and threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["resolve_device", "single_thread"]


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


@contextmanager
def single_thread() -> Iterator[None]:
    """Let torch compute on the calling thread alone, and restore its setting.

    A parallel matrix product sums in another order, so a fit in a worker of joblib,
    which has one thread, would differ in the last bits. For networks of this size a
    second thread gains little, and costs much when the cores are busy.
    """
    before = torch.get_num_threads()
    if before != 1:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if before != 1:
            torch.set_num_threads(before)
