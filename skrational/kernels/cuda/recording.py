"""Work on a device that is recorded once and then replayed.

A kernel of some microseconds takes the host longer to launch than the device to run. A
recording, which torch calls a CUDA graph, is launched as a whole. It goes on reading
and writing the memory that it was recorded with.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar, cast

import torch

__all__ = ["Recording"]

Result = TypeVar("Result")


class Recording(Generic[Result]):
    """Work that is run when first called, then recorded, and from then on replayed.

    The first run compiles and allocates whatever the work needs, which can't be
    recorded. On the CPU, where nothing can be, the work is run each time.

    Parameters
    ----------
    work : callable
        Reads memory that stays where it is, and waits for nothing.
    device : torch.device
    """

    def __init__(self, work: Callable[[], Result], device: torch.device) -> None:
        self._work, self._device = work, device
        self._was_run = False
        self._graph: torch.cuda.CUDAGraph | None = None
        self._result: Result | None = None

    def __call__(self) -> Result:
        """Do the work; return what it does, which the next call may overwrite."""
        if self._device.type != "cuda" or not self._was_run:
            self._was_run = True
            return self._work()
        with torch.cuda.device(self._device):
            if self._graph is None:
                self._record()
            assert self._graph is not None
            self._graph.replay()
        return cast(Result, self._result)

    def _record(self) -> None:
        graph = torch.cuda.CUDAGraph()
        with _no_collection(), torch.cuda.graph(graph):
            self._result = self._work()
        self._graph = graph


@contextmanager
def _no_collection() -> Iterator[None]:
    """Put off garbage collection: it may free a recording, which ends this one."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
