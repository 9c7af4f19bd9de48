"""What each layer of automata reads: documents, or scores of the layer below."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from skrational.sequences import SequenceArray
from skrational.structures.automata import WeightedAutomata

__all__ = ["read_by_last", "token_scores"]

_OPERATORS = {
    "plus-times": (0.0, 1.0, np.add, np.multiply),
    "max-plus": (-np.inf, 0.0, np.maximum, np.add),
    "max-times": (0.0, 1.0, np.maximum, np.multiply),
}
"""Zero, one, plus and times of each semiring."""


def read_by_last(layers: Sequence[WeightedAutomata], X: SequenceArray) -> SequenceArray:
    """Return what the last layer reads of documents, in double precision.

    Parameters
    ----------
    layers : sequence of WeightedAutomata
        From the first layer on.
    X : SequenceArray

    Returns
    -------
    SequenceArray
        Of as many documents and tokens; a feature for each automaton of the layer
        before the last, and a zero where none is left.
    """
    for layer in layers[:-1]:
        scores = token_scores(layer, X) if layer.n_wfsas else np.zeros((X.n_tokens, 1))
        X = SequenceArray(scores, X.offsets)
    return X


def token_scores(automata: WeightedAutomata, X: SequenceArray) -> NDArray[np.float64]:
    """Score each automaton after each token, of the paths that end there.

    Parameters
    ----------
    automata : WeightedAutomata
    X : SequenceArray

    Returns
    -------
    ndarray of shape (n_tokens, d), float64
    """
    zero, one, plus, times = _OPERATORS[automata.semiring]
    used, rows = np.unique(X.row_numbers(), return_inverse=True)
    u, f = automata.transition_weights(X.features[used])
    first = np.zeros(automata.n_transitions, bool)
    first[automata.starts[:-1]] = True
    states = np.empty((X.n_tokens, automata.n_transitions))
    for start, stop in pairwise(X.offsets):
        c = np.full(automata.n_transitions, zero)
        for t in range(start, stop):
            before = np.where(first, one, np.roll(c, 1))
            c = plus(times(f[rows[t]], c), times(u[rows[t]], before))
            states[t] = c
    reached = np.where(states == zero, 0.0, states) * automata.final
    scores = np.zeros((X.n_tokens, automata.n_wfsas))
    wfsa = np.repeat(np.arange(automata.n_wfsas), automata.lengths)
    np.add.at(scores.T, wfsa, reached.T)
    return scores
