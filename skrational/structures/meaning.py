"""Which classes the score of an automaton speaks for, and what these are called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MOST_NAMED",
    "NO_CLASS",
    "NO_OUTPUT",
    "SHARE",
    "Meaning",
    "OutputKind",
    "evidence",
    "meaning_of",
    "output_names",
    "plain_repr",
]

SHARE = 0.25
"""A class is named if its weight is at least this share of the largest."""

MOST_NAMED = 8
"""Classes that are named on each side; of more their number is told."""

NO_CLASS = "no class in particular"
"""What is said of a side whose classes all have small weights."""

NO_OUTPUT = {
    "classes": NO_CLASS,
    "labels": "no label in particular",
    "values": "no value in particular",
}
"""The same by what the outputs are of."""


OutputKind: TypeAlias = Literal["classes", "labels", "values"]
"""Classes, one of which holds; labels, each of which may hold; or numbers."""


class Meaning(NamedTuple):
    """Numbers of the classes that scores speak for, the strongest first.

    Attributes
    ----------
    high, low : tuple of int
        Those that positive and that negative scores speak for.
    """

    high: tuple[int, ...]
    low: tuple[int, ...]


def evidence(coef: NDArray[Any], exclusive: bool = True) -> NDArray[np.float64]:
    """What a score of 1 adds to the logit of each class, less the mean over classes.

    Softmax doesn't see what all logits have in common.

    Parameters
    ----------
    coef : ndarray of shape (n_outputs,)
        Weights of the score.
    exclusive : bool, default=True
        Whether outputs are of classes, one of which holds. Several that aren't (labels,
        or numbers) have their weights as they are.

    Returns
    -------
    ndarray of shape (n_classes,), float64
        Of two classes, or of a number that is lower or higher, the second has the
        weight itself, the first its negative.

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
    if not exclusive:
        return weights
    if np.ptp(weights) == 0:
        return np.zeros(len(weights))
    return weights - weights.mean()


def meaning_of(coef: NDArray[Any], exclusive: bool = True) -> Meaning:
    """Return the classes that a score of these weights speaks for.

    These are the classes whose `evidence` is, in size, at least a quarter of the
    largest.

    Parameters
    ----------
    coef : ndarray of shape (n_outputs,)
    exclusive : bool, default=True
        See `evidence`.

    Examples
    --------
    >>> meaning_of(np.array([1.0, -1.0, 0.9, 0.1]))
    Meaning(high=(0, 2), low=(1,))
    """
    weights = evidence(coef, exclusive)
    least = SHARE * np.abs(weights).max(initial=0.0)
    sides = []
    for signed in (weights, -weights):
        strongest = np.argsort(-signed, kind="stable")
        sides.append(tuple(int(i) for i in strongest if signed[i] >= least > 0))
    return Meaning(*sides)


def output_names(outputs: Sequence[Any], kind: OutputKind) -> list[str]:
    """Name what scores speak for: classes, labels, or numbers that are higher.

    Parameters
    ----------
    outputs : sequence
        Classes or labels, or the numbers of the values.
    kind : {"classes", "labels", "values"}

    Returns
    -------
    list of str
        Two for a single number, as for two classes: scores lower it or raise it.

    Examples
    --------
    >>> output_names(["good", "bad"], "classes"), output_names([0], "values")
    (["'good'", "'bad'"], ['lower values', 'higher values'])
    >>> output_names([0, 1], "values")
    ['y[0]', 'y[1]']
    """
    if kind == "values":
        if len(outputs) == 1:
            return ["lower values", "higher values"]
        return [f"y[{output}]" for output in outputs]
    return [plain_repr(output) for output in outputs]


def plain_repr(label: Any) -> str:
    """Write a class as Python does, also where numpy holds it."""
    return repr(label.item() if isinstance(label, np.generic) else label)
