"""Checks of what an estimator shares with the rest of a process."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from skrational.testing._case import Case, fit
from skrational.testing._outputs import assert_outputs, assert_same, outputs

__all__ = [
    "check_fits_at_once",
    "check_global_generators_change_nothing",
    "check_global_generators_stay",
    "check_n_jobs",
    "check_number_of_threads",
]


def check_global_generators_stay(estimator: Any, rtol: float = 0) -> None:
    """No call draws from the global generators of Python, numpy and torch."""
    case = Case.of(estimator)
    fitted = case.fit(estimator)  # imports what it needs
    calls: dict[str, Callable[[], Any]] = {
        "A fit": lambda: case.fit(estimator),
        "A fit without random_state": lambda: fit(clone(estimator), case.X, case.y),
        "A prediction": lambda: outputs(fitted, case.X),
    }
    for told, call in calls.items():
        with _generators() as before:
            call()
            for name, state in _states().items():
                if not np.array_equal(state, before[name]):
                    raise AssertionError(f"{told} draws from {name}.")


def check_global_generators_change_nothing(estimator: Any, rtol: float = 0) -> None:
    """With a number as random_state, results don't depend on global generators."""
    case = Case.of(estimator)
    expected = outputs(case.fit(estimator), case.X)
    for seed in (1, 2):
        with _generators():
            _seed(seed)
            fitted = case.fit(estimator)
            assert_outputs(fitted, case.X, expected, "other global generators", rtol)


def check_number_of_threads(estimator: Any, rtol: float = 0) -> None:
    """Results are the same with one thread and with two."""
    case = Case.of(estimator)
    found = []
    for n_threads in (1, 2):
        with _threads(n_threads):
            found.append(outputs(case.fit(estimator), case.X))
    assert_same(found[1], found[0], "two threads instead of one", rtol)


def check_n_jobs(estimator: Any, rtol: float = 0) -> None:
    """Results are the same with one job and with two."""
    case = Case.of(estimator)
    found = [
        outputs(
            case.fit(clone(estimator).set_params(n_jobs=n), told=f"n_jobs={n}"), case.X
        )
        for n in (1, 2)
    ]
    assert_same(found[1], found[0], "n_jobs=2 instead of 1", rtol)


def check_fits_at_once(estimator: Any, rtol: float = 0) -> None:
    """Fits and predictions in several threads at once are those of one thread."""
    case = Case.of(estimator)
    fitted = case.fit(estimator)
    expected = outputs(fitted, case.X)
    calls: list[Callable[[], Any]] = [
        lambda: outputs(case.fit(estimator), case.X),
        lambda: outputs(fitted, case.X),
    ]
    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(call) for call in 2 * calls]
        for i, future in enumerate(running):
            told = f"{('a fit', 'a prediction')[i % 2]} beside others in threads"
            assert_same(future.result(), expected, told, rtol)


def _torch() -> Any:
    """Return torch if something has imported it."""
    torch = sys.modules.get("torch")
    return torch if hasattr(torch, "get_rng_state") else None


def _states() -> dict[str, Any]:
    legacy: Any = np.random.get_state()  # noqa: NPY002
    states = {
        "the module random": np.array(random.getstate()[1]),
        "numpy.random": np.append(legacy[1], legacy[2:4]),
    }
    torch = _torch()
    if torch:
        states["torch's generator"] = torch.get_rng_state().numpy().copy()
    return states


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch = _torch()
    if torch:
        torch.random.default_generator.manual_seed(seed)


@contextmanager
def _generators() -> Iterator[dict[str, Any]]:
    """Yield the states of all global generators; put them back in the end."""
    of_python, of_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    torch = _torch()
    of_torch = torch.get_rng_state() if torch else None
    try:
        yield _states()
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)  # noqa: NPY002
        if torch:
            torch.set_rng_state(of_torch)


@contextmanager
def _threads(n_threads: int) -> Iterator[None]:
    """Let numpy and torch use so many threads for a while."""
    torch = _torch()
    before = torch.get_num_threads() if torch else 0
    with threadpool_limits(n_threads):
        try:
            if torch:
                torch.set_num_threads(n_threads)
            yield
        finally:
            if torch:
                torch.set_num_threads(before)
