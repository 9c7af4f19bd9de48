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
