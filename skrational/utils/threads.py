"""Threads: how many there are, and work shared among them.

Matrix products split among threads sum in another order. Here work is cut into the same
pieces whatever the number of threads, each is computed by one thread, and the threads
only share out the pieces: results don't depend on their number. The threads of the pool
sleep when idle, where those of OpenMP spin and starve other processes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from threading import local
from typing import Any

import numba
from threadpoolctl import ThreadpoolController

from skrational.utils.fork_locks import Lock

__all__ = ["given_threads", "run_all", "single_blas_thread", "single_thread"]

_state = local()
_lock = Lock()
_pools: dict[int, ThreadPoolExecutor] = {}


class _BlasLimit:
    """Numpy's BLAS, limited to one thread as long as somebody needs that.

    Its number of threads belongs to the process: callers in several threads share the
    limit, and the last one lifts it. OpenBLAS may ignore what any but the main thread
    sets; products are cut so that results are the same, only busier threads.
    """

    def __init__(self) -> None:
        self._n_users = 0
        self._limit: Any = None
        self._n_threads = 1

    def n_threads(self) -> int:
        """Return how many threads there are without the limit."""
        return self._n_threads if self._n_users else _blas_threads()

    def lift(self) -> None:
        """Give numpy its threads back, whoever still holds the limit."""
        if self._n_users:
            self._limit.restore_original_limits()

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Keep the limit for a while."""
        counted = False
        try:
            with _lock.held:
                counted, self._n_users = True, self._n_users + 1
                if self._n_users == 1:
                    self._n_threads = _blas_threads()
                    self._limit = _blas().limit(limits=1)
            yield
        finally:
            with _lock.held:
                self._n_users -= counted
                if counted and not self._n_users and self._limit is not None:
                    self._limit.restore_original_limits()


_blas_limit = _BlasLimit()


def _blas_threads() -> int:
    return max((library["num_threads"] for library in _blas().info()), default=1)


@cache
def _blas() -> ThreadpoolController:
    return ThreadpoolController().select(user_api="blas")


def _start_anew() -> None:
    """In a child there are no other threads."""
    global _blas_limit
    _blas_limit.lift()
    _blas_limit = _BlasLimit()
    _pools.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)


def _torch() -> Any:
    """Return torch if something has imported it: to count threads we don't."""
    torch = sys.modules.get("torch")
    return torch if hasattr(torch, "set_num_threads") else None


@contextmanager
def single_blas_thread() -> Iterator[None]:
    """Let numpy compute its matrix products on one thread."""
    with _blas_limit.hold():
        yield


def given_threads() -> int:
    """Return the number of threads that the caller may use.

    Torch's number or, before anybody imports torch, that of numpy's BLAS; but at most
    numba's (``NUMBA_NUM_THREADS``): joblib limits all of them in its workers. Inside
    `single_thread`, the number that was given outside.
    """
    # numba.get_num_threads() would start numba's own threads, which resets OpenMP's
    # number and with it torch's.
    outer = getattr(_state, "given", None)
    if outer:
        return int(outer)
    torch = _torch()
    n_threads = torch.get_num_threads() if torch else _blas_limit.n_threads()
    return int(min(n_threads, numba.config.NUMBA_NUM_THREADS))


@contextmanager
def single_thread() -> Iterator[None]:
    """Let torch compute each operation on one thread, and restore its setting.

    `run_all` still shares pieces of work among the threads that were given.
    """
    outer, torch = getattr(_state, "given", None), _torch()
    before = torch.get_num_threads() if torch else 1
    try:
        _state.given = given_threads()
        if before != 1:
            torch.set_num_threads(1)
        yield
    finally:
        _state.given = outer
        if before != 1:
            torch.set_num_threads(before)


def run_all(tasks: Sequence[Callable[[], Any]], n_threads: int) -> list[Any]:
    """Run independent tasks, which release the GIL, on up to ``n_threads`` threads.

    Parameters
    ----------
    tasks : sequence of callable
    n_threads : int
        With 1, or one task, they run here one after the other.

    Returns
    -------
    list
        What the tasks returned, in order. An exception is raised when all have ended.

    Examples
    --------
    >>> run_all([lambda: 1, lambda: 2], n_threads=2)
    [1, 2]
    """
    if n_threads == 1 or len(tasks) <= 1:
        return [task() for task in tasks]
    n_helpers = min(n_threads, len(tasks)) - 1
    helpers = _pool(n_helpers)
    waiting = iter(list(enumerate(tasks)))
    results: list[Any] = [None] * len(tasks)

    def work() -> None:
        for i, task in iter(lambda: _next(waiting), None):
            results[i] = task()

    helping = [helpers.submit(_alone, work) for _ in range(n_helpers)]
    try:
        work()
    finally:
        for helper in helping:
            # A helper that has not begun by now has nothing left to do.
            helper.cancel() or helper.exception()
    for helper in helping:
        if not helper.cancelled():
            helper.result()
    return results


def _next(tasks: Iterator[Any]) -> Any:
    with _lock.held:
        return next(tasks, None)


def _alone(work: Callable[[], None]) -> None:
    """Run in a helper, whose own matrix products are to take one thread."""
    torch = _torch()
    if torch and torch.get_num_threads() != 1:
        torch.set_num_threads(1)
    work()


def _pool(n_threads: int) -> ThreadPoolExecutor:
    with _lock.held:
        if n_threads not in _pools:
            _pools[n_threads] = ThreadPoolExecutor(
                n_threads, thread_name_prefix="skrational"
            )
        return _pools[n_threads]
