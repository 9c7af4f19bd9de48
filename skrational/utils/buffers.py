"""Memory that is used again at the next step.

A large array that is freed goes back to the operating system, and its pages are zeroed
one by one when it is allocated again: that costs more than the recurrence. Inside
`recycling`, such memory waits for its next user instead. Smaller arrays are left to
malloc, which keeps them itself.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from threading import local

import torch
from torch import Tensor

__all__ = ["empty", "recycling"]

_active = local()
_MOST_KEPT = 8
_LEAST = 2**20
"""Numbers of an array that is worth keeping."""


class _Pool:
    """Free memory of one thread, by type."""

    def __init__(self) -> None:
        self._free: dict[torch.dtype, list[Tensor]] = {}

    def take(self, size: int, dtype: torch.dtype) -> Tensor:
        """Return memory for at least ``size`` numbers."""
        free = self._free.setdefault(dtype, [])
        fitting = [i for i, memory in enumerate(free) if len(memory) >= size]
        if fitting:
            return free.pop(min(fitting, key=lambda i: len(free[i])))
        if free:
            # The largest grows, so that a few sizes settle quickly.
            free.pop(max(range(len(free)), key=lambda i: len(free[i])))
        return torch.empty(size + size // 4, dtype=dtype)

    def give_back(self, memory: Tensor) -> None:
        """Keep memory for the next one who asks."""
        free = self._free[memory.dtype]
        if len(free) < _MOST_KEPT:
            free.append(memory)


@contextmanager
def recycling() -> Iterator[None]:
    """Let `empty` hand out the same memory again and again, in this thread."""
    outer = getattr(_active, "pool", None)
    try:
        _active.pool = outer or _Pool()
        yield
    finally:
        _active.pool = outer


def empty(*shape: int, dtype: torch.dtype) -> Tensor:
    """Return an uninitialised tensor on the CPU.

    Its memory is handed out again only when no tensor uses it any more.
    """
    pool = getattr(_active, "pool", None)
    size = 1
    for n in shape:
        size *= n
    if pool is None or size < _LEAST:
        return torch.empty(shape, dtype=dtype)
    memory = pool.take(size, dtype)
    lent = memory.numpy()[:size]
    weakref.finalize(lent, pool.give_back, memory)
    return torch.from_numpy(lent).view(shape)
