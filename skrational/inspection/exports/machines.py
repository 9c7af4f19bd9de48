"""A WFSA over a vocabulary: its states, and an arc for each word.

The states of a WFSA are 0, its start, and 1 to K. Each word has an arc from 0 to 0 of
weight one, as a match may begin anywhere; from k - 1 to k of weight u_k, the main path;
and from k to k of weight f_k, the self-loop. With ``match="end"`` state k is final.
With ``match="anywhere"`` an arc that reads no word leads from k to a final state after
the last one, which loops on every word with weight one: what follows a match doesn't
count.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.model import Model
from skrational.inspection.transitions.vocabulary import read_vocabulary
from skrational.structures.automata import WeightedAutomata

__all__ = ["EPSILON", "Machine", "Transition", "build_machine", "weigh_words"]

EPSILON = "<eps>"

Floats: TypeAlias = NDArray[np.floating]


class Transition(NamedTuple):
    """All arcs between two states: one a word or, where none is read, a single one."""

    source: int
    target: int
    kind: str
    weights: Floats
    reads: bool = True


class Machine(NamedTuple):
    """A WFSA over a vocabulary, with the weights of its final states."""

    transitions: list[Transition]
    final: dict[int, float]


def weigh_words(model: Model, X: Any) -> tuple[list[str], Floats, Floats]:
    """Words, and the weights u and f of all transitions for each, (n_words, S)."""
    words, rows, *_ = read_vocabulary(model, X)
    if not words:
        raise ValueError("X has no words: found 0 rows, expected at least 1.")
    return words, *model.automata.transition_weights(rows)


def build_machine(
    automata: WeightedAutomata, u: Floats, f: Floats, final: Any
) -> Machine:
    """Build the machine of a WFSA.

    Parameters
    ----------
    automata : WeightedAutomata
        Of which semiring it is, and where a match may end.
    u, f : ndarray of shape (n_words, K)
        Weights of its transitions for each word.
    final : array-like of shape (K,)
        Weights of its states.

    Returns
    -------
    Machine
    """
    one = 0.0 if automata.semiring == "max-plus" else 1.0
    ones, last = np.full(len(u), one), u.shape[1]
    parts = [Transition(0, 0, "start", ones)]
    for k in range(1, last + 1):
        parts.append(Transition(k - 1, k, "main path", u[:, k - 1]))
        parts.append(Transition(k, k, "self-loop", f[:, k - 1]))
    ends = {k: float(weight) for k, weight in enumerate(final, 1) if weight > 0}
    if automata.match == "end":
        return Machine(parts, ends)
    joined = automata.semiring == "plus-times"
    sinks = {k: last + (1 if joined else i) for i, k in enumerate(ends, 1)}
    for k, sink in sinks.items():
        weight = np.array([ends[k] if joined else one])
        parts.append(Transition(k, sink, "final", weight, reads=False))
    parts += [Transition(s, s, "final", ones) for s in dict.fromkeys(sinks.values())]
    return Machine(parts, {s: one if joined else ends[k] for k, s in sinks.items()})
