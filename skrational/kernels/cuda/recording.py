"""Work on a device that is recorded once and then replayed.

A kernel of some microseconds takes the host longer to launch than the device to run. A
recording, which torch calls a CUDA graph, is launched as a whole. It goes on reading
and writing the memory that it was recorded with.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Generic, TypeVar, cast

import torch

from skrational.utils.fork_locks import Lock

__all__ = ["Recording", "shared_pool"]

_one_at_a_time = Lock()
"""CUDA records one stream of a process at a time, and torch waits for the device first,
which would end what another thread records."""

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
    pool : object, default=None
        From `shared_pool`: recordings of one pool, of which none runs while another
        does, have their passing memory together.
    """

    def __init__(
        self, work: Callable[[], Result], device: torch.device, pool: Any = None
    ) -> None:
        self._work, self._device, self._pool = work, device, pool
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
        # What other threads do of their own isn't recorded, and doesn't end it.
        options = {"pool": self._pool, "capture_error_mode": "thread_local"}
        stream = _recording_stream(self._device)
        with _one_at_a_time.held, _no_collection():
            with torch.cuda.graph(graph, stream=stream, **options):
                self._result = self._work()
        self._graph = graph


@cache
def _recording_stream(device: torch.device) -> torch.cuda.Stream:
    """Return the stream of a device on which work is recorded.

    Torch's own is on the device of whatever was recorded first. Recordings that share
    memory have to be made on the same one.
    """
    return torch.cuda.Stream(device)


def shared_pool(device: torch.device) -> Any:
    """Return memory for recordings that run one after the other; None on the CPU."""
    return torch.cuda.graph_pool_handle() if device.type == "cuda" else None


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
