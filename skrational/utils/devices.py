"""Devices: the parameter ``device`` turned into a device of torch that is there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["has_triton", "resolve_device", "runs_triton"]

_OLDEST_TRITON = (3, 4)
"""Tests don't run with older ones."""


@cache
def has_triton() -> bool:
    """Whether a Triton is installed that compiles the kernels for CUDA."""
    if find_spec("triton") is None:
        return False
    import triton

    return tuple(map(int, triton.__version__.split(".")[:2])) >= _OLDEST_TRITON


def runs_triton(device: torch.device) -> bool:
    """Whether what has a kernel for CUDA takes it there.

    ``SKRATIONAL_KERNEL=reference`` is the way out where Triton is installed and can't
    compile, for want of a compiler or for an old GPU.
    """
    is_forced_off = os.environ.get("SKRATIONAL_KERNEL") == "reference"
    return device.type == "cuda" and has_triton() and not is_forced_off


def resolve_device(device: str, fastest: Sequence[str]) -> torch.device:
    """Turn a device parameter into a device that is there.

    Parameters
    ----------
    device : str
        "auto", or anything `torch.device` reads: "cpu", "cuda", "cuda:1", "mps".
    fastest : sequence of str
        What "auto" may stand for, the fastest first; the first that is there is taken.
        The last one should be "cpu", which always is.

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        If there is no such device; the message says which there are.

    Examples
    --------
    >>> resolve_device("auto", ["cpu"])
    device(type='cpu')
    >>> resolve_device("gpu", ["cpu"])
    Traceback (most recent call last):
        ...
    ValueError: device='gpu' is unknown; expected 'auto', 'cpu', 'cuda', 'cuda:N' or
    'mps'.
    """
    # Importing torch takes seconds; whoever imports this module may never need it.
    import torch

    there = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        there.append("mps")
    for name in fastest if device == "auto" else [device]:
        try:
            found = torch.device(name)
        except (RuntimeError, TypeError) as error:
            raise ValueError(
                f"device={device!r} is unknown; expected 'auto', 'cpu', 'cuda', "
                "'cuda:N' or 'mps'."
            ) from error
        # Without a number it's the first of its type.
        first = [found.type] if not found.index else []
        if {*first, f"{found.type}:{found.index or 0}"} & {*there}:
            return found
    raise ValueError(
        f"device={device!r} is not available on this machine; expected 'auto' or one "
        f"of {there}."
    )
