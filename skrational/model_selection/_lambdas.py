"""The strengths of the penalty along a path: given, or by default."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["check_lambdas", "default_lambdas"]

_LEAST, _MOST = 1 / 50, 10
"""Of the empty network's gradient, in which the default lambdas are measured."""


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


def default_lambdas(gradient: float, n_lambdas: int) -> list[float]:
    """Strengths from a little to almost too much, in equal ratios."""
    # Data without any signal leave no gradient to speak of.
    scale = max(gradient, 1e-8)
    return np.geomspace(_LEAST * scale, _MOST * scale, n_lambdas).tolist()
