"""Forks while other threads hold locks, each in a process of its own."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

PREAMBLE = """
import os
import signal
import threading
import time
import warnings

from skrational.utils.fork_locks import Lock

warnings.simplefilter("ignore")  # a fork of a process with threads


def status_of_child(work):
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(20)
            status = 0 if work() else 1
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def start(work):
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread
"""


def run(script):
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(script)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr


def test_no_module_makes_a_lock_by_itself():
    own = re.compile(
        r"threading\.(R?Lock|Condition|Semaphore)\b"
        r"|from threading import .*(Lock|Condition|Semaphore)"
        r"|functools\.cached_property|from functools import .*cached_property"
    )
    package = ROOT / "skrational"
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if own.search(path.read_text())
    }
    assert found == {"utils/fork_locks.py", "utils/cached.py"}


@needs_fork
def test_what_a_lock_guards_is_whole_in_the_child():
    run(
        """
        lock, pair, stop = Lock(), [0, 0], threading.Event()

        def change():
            while not stop.is_set():
                with lock.held:
                    pair[0] += 1
                    time.sleep(0.002)
                    pair[1] += 1

        def is_whole():
            with lock.held:
                return pair[0] == pair[1]

        threads = [start(change) for _ in range(2)]
        statuses = [status_of_child(is_whole) for _ in range(20)]
        stop.set()
        for thread in threads:
            thread.join()
        assert statuses == [0] * 20, statuses
        """
    )


@needs_fork
def test_a_fork_waits_for_no_lock_that_is_held_for_long():
    run(
        """
        lock = Lock(delays_forks=False)
        held, stop = threading.Event(), threading.Event()

        def hold():
            with lock.held:
                held.set()
                stop.wait()

        thread = start(hold)
        held.wait()
        assert status_of_child(lambda: lock._lock.acquire(blocking=False)) == 0
        assert not lock._lock.acquire(blocking=False)
        stop.set()
        thread.join()
        """
    )


@needs_fork
def test_a_lock_of_the_thread_that_forks_stays_its_own():
    run(
        """
        patient, other = Lock(), Lock(delays_forks=False)

        def release_and_take():
            patient._lock.release()
            other._lock.release()
            taken = []

            def take():
                with patient.held, other.held:
                    taken.append(True)

            start(take).join(10)
            return taken == [True]

        with patient.held, other.held:
            assert status_of_child(release_and_take) == 0
        """
    )


@needs_fork
def test_a_fork_gets_its_turn_among_threads_that_hold_locks_within_locks():
    run(
        """
        outer, inner, stop = Lock(), Lock(), threading.Event()

        def nest():
            while not stop.is_set():
                with outer.held:
                    time.sleep(0.001)
                    with inner.held, Lock().held:
                        time.sleep(0.001)

        def take_both():
            with outer.held, inner.held, Lock().held:
                return True

        threads = [start(nest) for _ in range(2)]
        statuses = [status_of_child(take_both) for _ in range(20)]
        stop.set()
        for thread in threads:
            thread.join(10)
            assert not thread.is_alive()
        assert statuses == [0] * 20, statuses
        """
    )


@needs_fork
def test_two_threads_fork_at_once():
    run(
        """
        locks, statuses = [Lock() for _ in range(3)], []

        def take_all():
            with locks[0].held, locks[1].held, locks[2].held:
                return True

        def fork_often():
            for _ in range(15):
                statuses.append(status_of_child(take_all))
                take_all()

        threads = [start(fork_often) for _ in range(3)]
        for thread in threads:
            thread.join(60)
        assert statuses == [0] * 45, statuses
        """
    )


@needs_fork
def test_a_fork_waits_for_what_is_compiled():
    run(
        """
        from numba.core.compiler_lock import global_compiler_lock

        held, stop = threading.Event(), threading.Event()

        def compile_for_long():
            with global_compiler_lock:
                held.set()
                stop.wait(0.3)

        def compile_something():
            with global_compiler_lock:
                return True

        start(compile_for_long)
        held.wait()
        assert status_of_child(compile_something) == 0
        """
    )


@needs_fork
def test_a_property_is_computed_without_a_lock():
    run(
        """
        from skrational.utils.cached import cached_property

        begun, stop = threading.Event(), threading.Event()

        class Slow:
            @cached_property
            def value(self):
                begun.set()
                return stop.wait()

        class Twice(Slow):
            n_calls = 0

            @cached_property
            def count(self):
                '''Count calls.'''
                self.n_calls += 1
                return self.n_calls

        twice = Twice()
        assert (twice.count, twice.count) == (1, 1)
        assert Twice.count.__doc__ == "Count calls."
        start(lambda: Slow().value)
        begun.wait()

        def compute():
            stop.set()
            return Slow().value

        assert status_of_child(compute) == 0
        stop.set()
        """
    )


@needs_fork
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["words", "read"])
def test_children_of_a_process_at_work_do_not_hang(kind):
    command = [sys.executable, "-m", "benchmarks.forks", "--here", "--forks", "4"]
    done = subprocess.run(
        [*command, "--kinds", kind], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 right, 0 wrong, 0 hanging" in done.stdout
