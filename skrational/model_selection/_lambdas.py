"""The strengths of the penalty along a path: given, or by default."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["LEAST", "check_lambdas", "lambdas_to_empty", "usual_lambdas"]

LEAST, _MOST = 1 / 50, 10
"""Of the empty network's gradient, in which the default lambdas are measured: between
these most of the network goes."""
_EMPTIES = 1000
"""Of that gradient, what leaves nothing."""
_BELOW = 6
"""One of so many strengths is below `LEAST`, where the network is nearly dense."""


def check_lambdas(lambdas: Any) -> list[float]:
    """Return lambdas as floats, if they rise.

    Raises
    ------
    ValueError
        If they are empty, negative, not finite, repeated or unsorted.
    """
    try:
        values = np.asarray(lambdas, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(
            f"lambdas must be a sequence of numbers; got {lambdas!r}."
        ) from None
    if values.ndim != 1 or not len(values):
        raise ValueError(
            f"lambdas must be a sequence of at least one number; got {lambdas!r}."
        )
    if not np.isfinite(values).all() or (values < 0).any():
        raise ValueError(f"lambdas must be finite and at least 0; got {lambdas!r}.")
    if (np.diff(values) <= 0).any():
        raise ValueError(
            f"lambdas must rise, none of them twice; got {lambdas!r}. Try "
            "sorted(set(lambdas))."
        )
    return [float(value) for value in values]


def usual_lambdas(scale: float, n: int) -> list[float]:
    """Return so many strengths from a little to almost too much, in equal ratios."""
    return np.geomspace(LEAST * scale, _MOST * scale, n).tolist()


def lambdas_to_empty(scale: float, first: float, n: int) -> list[float]:
    """Return so many strengths from a first one to one that leaves nothing.

    Most of them are those between which most of the network goes.

    Parameters
    ----------
    scale : float
        Norm of the empty network's gradient.
    first : float
        At most `LEAST` times that.
    n : int

    Examples
    --------
    >>> [round(v, 4) for v in lambdas_to_empty(1.0, first=0.005, n=7)]
    [0.005, 0.02, 0.0946, 0.4472, 2.1147, 10.0, 1000.0]
    """
    if n == 1:
        return [first]
    n_below = n // _BELOW if first < LEAST * scale else 0
    below = np.geomspace(first, LEAST * scale, n_below, endpoint=False)
    usual = usual_lambdas(scale, n - 1 - n_below)
    if not n_below:
        usual[0] = first
    return [*below.tolist(), *usual, _EMPTIES * scale]
