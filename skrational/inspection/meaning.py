"""What the scores of an automaton speak for, and the sign that displays fold into it.

A readout weight may be negative: then high scores speak against what the weight is of.
Displays multiply such an automaton by -1, its score and its weights alike, so that a
high score always speaks for something. Nothing else changes by that, as the two signs
cancel in the logits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skrational.structures.automata import WeightedAutomata
from skrational.structures.meaning import (
    MOST_NAMED,
    NO_CLASS,
    SHARE,
    Meaning,
    evidence,
    meaning_of,
)
from skrational.utils.figures import class_colour

__all__ = [
    "SHARE",
    "ColouredText",
    "Meaning",
    "evidence",
    "meaning_of",
    "readout_signs",
    "sentence",
]


class ColouredText(NamedTuple):
    """A part of a line of text, with the colour of a class or None for that of text."""

    text: str
    colour: str | None = None


def readout_signs(automata: WeightedAutomata) -> NDArray[np.float64]:
    """Sign by which displays multiply each automaton.

    With two classes it is that of its weight, so that positive scores speak for the
    second class. With more it is that of its largest `evidence`, in size, so that they
    speak for this class. In max-plus and max-times it is 1, as a maximum over paths
    doesn't keep a sign.

    Parameters
    ----------
    automata : WeightedAutomata

    Returns
    -------
    ndarray of shape (d,), float64
        1 or -1.
    """
    if automata.semiring != "plus-times":
        return np.ones(automata.n_wfsas)
    weights = (evidence(column) for column in automata.coef.T)
    leading = [w[-1] if len(w) == 2 else w[np.abs(w).argmax()] for w in weights]
    return np.where(np.array(leading) < 0, -1.0, 1.0)


def sentence(
    coef: NDArray[Any],
    names: Sequence[str],
    begin: str = "high scores speak for ",
    between: str = ", negative ones for ",
) -> list[ColouredText]:
    """Say which classes positive and negative scores speak for, names in their colours.

    Parameters
    ----------
    coef : ndarray of shape (n_outputs,)
    names : sequence of str, length n_classes
    begin, between : str
        What stands before the classes of positive and of negative scores.

    Examples
    --------
    >>> pieces = sentence(np.array([1.0, -1.0, 0.9, 0.1]), "abcd")
    >>> "".join(piece.text for piece in pieces)
    'high scores speak for a (+0.750), c (+0.650), negative ones for b (-1.25)'
    """
    meaning, weights = meaning_of(coef), evidence(coef)
    if not any(meaning):
        return [ColouredText("scores speak for no class")]
    high, low = (_listed(side, names, weights) for side in meaning)
    return [ColouredText(begin), *high, ColouredText(between), *low]


def _listed(
    numbers: Sequence[int], names: Sequence[str], weights: NDArray[np.float64]
) -> list[ColouredText]:
    """Name classes, eight at most, of more than two with their weights.

    Parameters
    ----------
    numbers : sequence of int
        Of the classes.
    names : sequence of str, length n_classes
    weights : ndarray of shape (n_classes,)
    """
    pieces = [] if numbers else [ColouredText(NO_CLASS)]
    for place, i in enumerate(numbers[:MOST_NAMED]):
        pieces += [ColouredText(", ")] if place else []
        pieces.append(ColouredText(names[i], class_colour(i, len(names))))
        if len(names) > 2:
            pieces.append(ColouredText(f" ({weights[i]:+#.3g})".replace(".)", ")")))
    if (n_more := len(numbers) - MOST_NAMED) > 0:
        pieces.append(ColouredText(f" and {n_more} more"))
    return pieces
