"""Which classes the score of an automaton speaks for, and what these are called."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MOST_NAMED",
    "NO_CLASS",
    "SHARE",
    "Meaning",
    "evidence",
    "meaning_of",
    "plain_repr",
]

SHARE = 0.25
"""A class is named if its weight is at least this share of the largest."""

MOST_NAMED = 8
"""Classes that are named on each side; of more their number is told."""

NO_CLASS = "no class in particular"
"""What is said of a side whose classes all have small weights."""


class Meaning(NamedTuple):
    """Numbers of the classes that scores speak for, the strongest first.

    Attributes
    ----------
    high, low : tuple of int
        Those that positive and that negative scores speak for.
    """

    high: tuple[int, ...]
    low: tuple[int, ...]


def evidence(coef: NDArray[Any]) -> NDArray[np.float64]:
    """What a score of 1 adds to the logit of each class, less the mean over classes.

    Softmax doesn't see what all logits have in common.

    Parameters
    ----------
    coef : ndarray of shape (n_outputs,)
        Weights of the score.

    Returns
    -------
    ndarray of shape (n_classes,), float64
        Of two classes the second has the weight itself, the first its negative.

    Examples
    --------
    >>> evidence(np.array([-1.5])).tolist()
    [1.5, -1.5]
    >>> evidence(np.array([3.0, 1.0, 2.0])).tolist()
    [1.0, -1.0, 0.0]
    """
    weights = np.asarray(coef, np.float64)
    if len(weights) == 1:
        return np.array([-weights[0], weights[0]])
    if np.ptp(weights) == 0:
        return np.zeros(len(weights))
    return weights - weights.mean()


def meaning_of(coef: NDArray[Any]) -> Meaning:
    """Return the classes that a score of these weights speaks for.

    These are the classes whose `evidence` is, in size, at least a quarter of the
    largest.

    Parameters
    ----------
    coef : ndarray of shape (n_outputs,)

    Examples
    --------
    >>> meaning_of(np.array([1.0, -1.0, 0.9, 0.1]))
    Meaning(high=(0, 2), low=(1,))
    """
    weights = evidence(coef)
    least = SHARE * np.abs(weights).max(initial=0.0)
    sides = []
    for signed in (weights, -weights):
        strongest = np.argsort(-signed, kind="stable")
        sides.append(tuple(int(i) for i in strongest if signed[i] >= least > 0))
    return Meaning(*sides)


def plain_repr(label: Any) -> str:
    """Write a class as Python does, also where numpy holds it."""
    return repr(label.item() if isinstance(label, np.generic) else label)
