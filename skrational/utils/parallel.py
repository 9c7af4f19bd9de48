"""Calls that joblib spreads over processes, their results as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from joblib import Parallel

__all__ = ["results_in_order"]


def results_in_order(n_jobs: int | None, calls: Iterable[Any]) -> Iterator[Any]:
    """Return the results of calls in their order, each as soon as it's there.

    Parameters
    ----------
    n_jobs : int or None
        As joblib's.
    calls : iterable
        Made by ``joblib.delayed``.

    Examples
    --------
    >>> from joblib import delayed
    >>> list(results_in_order(1, (delayed(abs)(x) for x in (-1, -2))))
    [1, 2]
    """
    try:
        parallel = Parallel(n_jobs, return_as="generator")
    except ValueError:  # Ray's backend returns them all at once
        parallel = Parallel(n_jobs)
    return iter(parallel(calls))
