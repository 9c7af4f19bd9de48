"""Locks that survive a fork.

Of the threads of a process only the one that forks goes on in the child: a lock that
another thread held would stay held there for ever, and what it guards would stay half
changed. So a fork waits here until nobody else holds a lock, takes all of them for the
moment of the fork, and releases them on both sides.

It never waits for one lock while it holds another, and so can't be part of a deadlock;
and while it waits, threads that hold no lock take none.
"""

from __future__ import annotations

# These two take locks of their own before a fork, for which the threads that we wait
# for may wait. What is registered first is called last.
import concurrent.futures.thread  # noqa: F401
import logging  # noqa: F401
import os
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from weakref import WeakValueDictionary

from numba.core.compiler_lock import global_compiler_lock

__all__ = ["Lock"]


class Lock:
    """A reentrant lock of threads, which no forked child finds held by another.

    Parameters
    ----------
    delays_forks : bool, default=True
        Whether a fork waits until no other thread holds the lock, so that what it
        guards is whole in the child. False where it's held for long, and what it guards
        is whole at any moment: the child's lock is free, whoever holds the parent's.

    Examples
    --------
    >>> lock = Lock()
    >>> with lock.held:
    ...     lock.is_mine()
    True
    """

    def __init__(self, delays_forks: bool = True) -> None:
        self.delays_forks = delays_forks
        self._lock: Any = threading.RLock()
        with _fork.registering:
            _fork.locks[id(self)] = self

    @property
    def held(self) -> Any:
        """What holds the lock in a ``with`` statement.

        It's Python's own lock, which no key can interrupt between taking and holding
        it, as it could a method of ours.
        """
        while _fork.goes_first():
            time.sleep(0.001)
        return self._lock

    def is_mine(self) -> bool:
        """Whether this thread holds the lock."""
        return bool(self._lock._is_owned())

    def free_in_child(self) -> None:
        """Forget that a thread of the parent held it."""
        if not self.is_mine():
            self._lock = threading.RLock()


class _Fork:
    """What happens to the locks of this process when it forks.

    Attributes
    ----------
    locks : WeakValueDictionary
        All that there are, by their address.
    registering : RLock
        Who makes a lock holds it: no lock is made while the process forks.
    forking : set of int
        Threads that are about to fork.
    """

    def __init__(self) -> None:
        self.locks: WeakValueDictionary[int, Lock] = WeakValueDictionary()
        self.registering = threading.RLock()
        self.forking: set[int] = set()
        self._of_thread = threading.local()

    @property
    def _taken(self) -> list[Any]:
        """What this thread took."""
        taken: list[Any] = self._of_thread.__dict__.setdefault("taken", [])
        return taken

    def goes_first(self) -> bool:
        """Whether this thread is to wait until another one has forked."""
        if not self.forking or threading.get_ident() in self.forking:
            return False
        return not any(lock.is_mine() for lock in self._all())

    def take(self) -> None:
        """Take all locks that delay forks."""
        self.forking.add(threading.get_ident())
        busy: Any = self.registering
        while busy is not None:
            self._release()
            self._take(busy, blocking=True)
            busy = self._take_the_others()

    def _take(self, lock: Any, blocking: bool) -> bool:
        # In this order nothing stays taken if a key interrupts.
        self._taken.append(lock)
        if lock.acquire(blocking):
            return True
        self._taken.pop()
        return False

    def _take_the_others(self) -> Any:
        """Take all that are free; return one that another thread holds, if any."""
        for lock in self._delaying():
            if not self._take(lock, blocking=False):
                return lock
        return None

    def _delaying(self) -> Iterator[Any]:
        yield self.registering
        yield from (lock._lock for lock in self._all() if lock.delays_forks)
        # What compiles takes this one, and every first call compiles.
        yield from filter(None, [getattr(global_compiler_lock, "_lock", None)])

    def _all(self) -> list[Lock]:
        found = [ref() for ref in self.locks.valuerefs()]
        return [lock for lock in found if lock is not None]

    def _release(self) -> None:
        while self._taken:
            with suppress(RuntimeError):  # a key came before it was taken
                self._taken.pop().release()

    def give_back(self) -> None:
        """Release what was taken; other threads go on."""
        self.forking.discard(threading.get_ident())
        self._release()

    def go_on_in_child(self) -> None:
        """Release what was taken, and free what threads of the parent hold."""
        self.forking.clear()
        self._release()
        for lock in self._all():
            lock.free_in_child()


_fork = _Fork()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_fork.take,
        after_in_parent=_fork.give_back,
        after_in_child=_fork.go_on_in_child,
    )
