import os
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numba
import pytest
import torch

from skrational.utils.threads import given_threads, run_all, single_thread


@pytest.fixture(autouse=True)
def two_threads(monkeypatch):
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", 4)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_one_thread_is_for_a_while():
    with single_thread():
        assert torch.get_num_threads() == 1
        with single_thread():
            assert torch.get_num_threads() == 1
            assert given_threads() == 2
        assert torch.get_num_threads() == 1
        assert given_threads() == 2
    assert torch.get_num_threads() == given_threads() == 2


def test_threads_come_back_after_an_error():
    with pytest.raises(KeyError), single_thread():
        raise KeyError
    assert torch.get_num_threads() == given_threads() == 2


def test_the_smaller_number_counts(monkeypatch):
    torch.set_num_threads(3)
    assert given_threads() == 3
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", 1)
    assert given_threads() == 1


def test_asking_for_the_number_does_not_change_it():
    given_threads()
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("n_threads", [1, 2, 5])
@pytest.mark.parametrize("n_tasks", [0, 1, 2, 17])
def test_results_come_in_order(n_threads, n_tasks):
    def task(i):
        time.sleep(0.001 * (i % 3))
        return i

    tasks = [lambda i=i: task(i) for i in range(n_tasks)]
    assert run_all(tasks, n_threads) == list(range(n_tasks))


def test_tasks_run_at_once():
    barrier = threading.Barrier(2, timeout=20)
    names = run_all([barrier.wait, barrier.wait], 2)
    assert sorted(names) == [0, 1]


def test_helpers_compute_on_one_thread_each():
    barrier = threading.Barrier(2, timeout=20)

    def task():
        barrier.wait()
        return threading.current_thread().name, torch.get_num_threads()

    counts = dict(run_all([task, task], 2))
    helper = next(name for name in counts if name.startswith("skrational"))
    assert counts[helper] == 1
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("bad", [0, 1, 2, 3])
def test_an_error_is_raised_when_all_tasks_have_ended(bad):
    ended = []

    def task(i):
        time.sleep(0.01)
        ended.append(i)
        if i == bad:
            raise KeyError(i)

    with pytest.raises(KeyError):
        run_all([lambda i=i: task(i) for i in range(4)], 2)
    n_ended = len(ended)
    time.sleep(0.05)
    assert len(ended) == n_ended
    assert run_all([lambda: 1, lambda: 2], 2) == [1, 2]


def test_many_callers_share_the_pool():
    def call(k):
        return run_all([lambda i=i: i * k for i in range(5)], 3)

    with ThreadPoolExecutor(4) as callers:
        results = list(callers.map(call, range(30)))
    assert results == [[i * k for i in range(5)] for k in range(30)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_fork_gets_numpy_s_threads_back():
    script = """
        import os
        import numpy
        from threadpoolctl import threadpool_info, threadpool_limits
        from skrational.utils.threads import single_blas_thread

        def n_threads():
            blas = [i for i in threadpool_info() if i["user_api"] == "blas"]
            return [library["num_threads"] for library in blas]

        threadpool_limits(2, user_api="blas")
        given = n_threads()
        with single_blas_thread():
            assert set(n_threads()) == {1}
            child = os.fork()
            if not child:
                os._exit(n_threads() != given)
        assert os.waitpid(child, 0)[1] == 0
        assert n_threads() == given
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
