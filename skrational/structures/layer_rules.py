"""What automata in layers look for, in words.

An automaton of the first layer is told by phrases, one of a later layer by the automata
of the layer before it that its transitions wait for.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.structures.automata import WeightedAutomata
from skrational.structures.meaning import SHARE
from skrational.structures.rules import rules_in_words

__all__ = ["layers_in_words", "transition_in_words"]

_MOST_READ = 3
"""Automata that are named of those that a transition reads."""


def layers_in_words(
    layers: Sequence[WeightedAutomata],
    rules: NDArray[np.str_] | None,
    classes: NDArray[Any],
) -> str:
    """Write what the automata of each layer look for, and what the last speak for.

    Parameters
    ----------
    layers : sequence of WeightedAutomata
        From the first layer on.
    rules : ndarray of shape (d_1, 2, 3), str, or None
        Of the first layer, as `skrational.structures.rules.rules_of` finds them; None:
        no words are known.
    classes : ndarray of shape (n_classes,)

    Returns
    -------
    str
        Some lines for each automaton, and one for the bias.
    """
    parts = ["Layer 1", *_phrases_in_words(layers[0], rules)]
    for number, (_, automata) in enumerate(pairwise(layers), 2):
        parts += [f"Layer {number}", *_patterns_in_words(automata, number - 1)]
    last = rules_in_words(layers[-1], None, classes).splitlines()
    return "\n".join([*parts, f"Readout of layer {len(layers)}", *last])


def transition_in_words(weights: NDArray[Any]) -> str:
    """Name the automata that a main-path transition reads most, with their signs.

    Parameters
    ----------
    weights : ndarray of shape (d,)
        Of the transition, a row of ``W_u``.

    Examples
    --------
    >>> transition_in_words(np.array([0.1, -2.0, 0.0, 1.0]))
    '-1 +3'
    """
    strengths = np.abs(np.asarray(weights, np.float64))
    least = SHARE * strengths.max(initial=0.0)
    order = np.argsort(-strengths, kind="stable")[:_MOST_READ]
    named = [i for i in order.tolist() if strengths[i] >= least > 0]
    return " ".join(f"{'-' if weights[i] < 0 else '+'}{i}" for i in named) or "nothing"


def _phrases_in_words(
    automata: WeightedAutomata, rules: NDArray[np.str_] | None
) -> list[str]:
    """Lines on the automata of the first layer."""
    if rules is None or len(rules) != automata.n_wfsas:
        rules = np.full((automata.n_wfsas, 2, 0), "")
    lines = []
    for wfsa in range(automata.n_wfsas):
        lines.append(_title(automata, wfsa))
        for sign, phrases in zip(("high", "negative"), rules[wfsa], strict=True):
            told = ", ".join(f'"{phrase}"' for phrase in phrases if phrase)
            lines += [f"  {sign} scores: {told}"] if told else []
    return lines


def _patterns_in_words(automata: WeightedAutomata, below: int) -> list[str]:
    """Lines on the automata of a later layer."""
    lines = []
    for wfsa in range(automata.n_wfsas):
        rows = automata.W_u[automata.states(wfsa)]
        steps = ", then ".join(map(transition_in_words, rows))
        lines.append(f"{_title(automata, wfsa)} over WFSAs of layer {below}: {steps}")
    return lines


def _title(automata: WeightedAutomata, wfsa: int) -> str:
    length = automata.lengths[wfsa]
    return f"WFSA {wfsa}, {length} transition{'s' if length > 1 else ''}"
