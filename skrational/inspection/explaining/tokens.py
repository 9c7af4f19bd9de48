"""Which tokens of an explained document to show, how strong they are, in what lines."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import chain
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.explaining.prediction import ExplainedPrediction
from skrational.inspection.matching.paths import Path
from skrational.inspection.tables import shorten

__all__ = [
    "MARKED",
    "covered",
    "entering",
    "fill",
    "phrase",
    "shown_tokens",
    "strengths",
    "strongest",
]

MARKED = 0.25
"""Share of the largest effect from which on a token is marked by more than colour."""

_REACH = 8
_WIDEST_CELL = 36
_T = TypeVar("_T")


def phrase(explanation: ExplainedPrediction, path: Path) -> list[str]:
    """Write a path in cells, self-loops in parentheses, long ones cut."""
    cells = path.cells(explanation.marked_words)
    return [shorten(cell, _WIDEST_CELL) for cell in cells]


def strengths(effects: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return effects over the largest of them, from -1 to 1; no number becomes 0."""
    largest = np.abs(effects[np.isfinite(effects)]).max(initial=0.0)
    numbers = np.nan_to_num(effects)
    if largest == 0:
        return np.sign(numbers)
    return np.clip(numbers, -largest, largest) / largest


def strongest(explanation: ExplainedPrediction, sign: int, n: int) -> list[int]:
    """Return the n tokens that speak most for (1) or against (-1) the prediction."""
    effects = sign * explanation.effects
    return [int(t) for t in np.argsort(-effects, kind="stable")[:n] if effects[t] > 0]


def shown_tokens(
    explanation: ExplainedPrediction, wfsas: Iterable[int], max_tokens: int
) -> list[int | None]:
    """Choose tokens to show: all or, of too many, the surroundings of what matters.

    Parameters
    ----------
    explanation : ExplainedPrediction
    wfsas : iterable of int
        Their leading paths matter most, in this order; then the strongest tokens.
    max_tokens : int

    Returns
    -------
    list of int or None
        Numbers of tokens, None where some are left out.
    """
    n_tokens = len(explanation.tokens)
    if n_tokens <= max_tokens:
        return list(range(n_tokens))
    paths = (explanation.paths[wfsa] for wfsa in wfsas)
    entries = chain.from_iterable(path.entries for path in paths if path is not None)
    reach = min(_REACH, max_tokens // 24)
    shown = np.zeros(n_tokens, bool)
    room = max_tokens
    by_effect = np.argsort(-np.abs(explanation.effects), kind="stable").tolist()
    for t in chain(entries, by_effect):
        near = shown[max(t - reach, 0) : t + reach + 1]
        room -= int(np.count_nonzero(~near))
        if room < 0:
            break
        near[:] = True
    chosen: list[int | None] = []
    after = 0
    for t in np.flatnonzero(shown).tolist():
        chosen += [t] if t == after else [None, t]
        after = t + 1
    return chosen if after == n_tokens else [*chosen, None]


def entering(
    explanation: ExplainedPrediction, wfsas: Iterable[int]
) -> dict[int, list[int]]:
    """Return, for tokens on main paths, the WFSAs whose leading path they advance."""
    tokens: dict[int, list[int]] = {}
    for wfsa in sorted(wfsas):
        path = explanation.paths[wfsa]
        for t in path.entries if path is not None else ():
            tokens.setdefault(t, []).append(wfsa)
    return tokens


def covered(
    explanation: ExplainedPrediction, wfsas: Iterable[int]
) -> NDArray[np.bool_]:
    """Return whether each token is in the phrase of a leading path."""
    inside = np.zeros(len(explanation.tokens), bool)
    for wfsa in wfsas:
        path = explanation.paths[wfsa]
        if path is not None:
            inside[slice(*path.span)] = True
    return inside


def fill(
    pieces: Iterable[_T],
    width: Callable[[_T], float],
    room: float,
    gap: float,
) -> list[list[_T]]:
    """Break pieces into lines; one that is wider than a line has its own.

    Parameters
    ----------
    pieces : iterable
    width : callable
        From a piece to its width.
    room : float
        Width of a line.
    gap : float
        Between two pieces.

    Returns
    -------
    list of lists of pieces
    """
    lines: list[list[_T]] = []
    used = math.inf
    for piece in pieces:
        used += gap + width(piece)
        if used > room:
            lines.append([])
            used = width(piece)
        lines[-1].append(piece)
    return lines
