"""What the renderings of an explanation have in common: its facts, chosen and worded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skrational.inspection._tables import shorten
from skrational.inspection.paths import Path

if TYPE_CHECKING:
    from skrational.inspection.explanations import Explanation

__all__ = [
    "MARKED",
    "MAX_WFSAS",
    "Part",
    "Summary",
    "class_name",
    "covered",
    "entering",
    "fill",
    "phrase",
    "shown_tokens",
    "signed",
    "strengths",
    "strongest",
    "summarize",
]

MAX_WFSAS = 8
MARKED = 0.25
"""Share of the largest effect from which on a token is marked by more than colour."""

_REACH = 8
_WIDEST_PHRASE_CELL = 36
_T = TypeVar("_T")


class Part(NamedTuple):
    """One summand of a logit, and what is to be known of it.

    Attributes
    ----------
    name : str
        "bias", the WFSA's number, or how many others there are.
    adds : str
        What it adds to the logit.
    amount : float
        The same as a number.
    support : float
        The same again, but positive if it speaks for the prediction.
    wfsa : int or None
        None for the bias and for the others, and what follows is empty then.
    path : Path or None
        The path that leads.
    share : str
        The path's share of the score.
    without : str
        What is predicted, how surely, without the path's phrase.
    flips : bool
        Whether that is another class.
    """

    name: str
    adds: str
    amount: float
    support: float
    wfsa: int | None = None
    path: Path | None = None
    share: str = ""
    without: str = ""
    flips: bool = False


class Summary(NamedTuple):
    """An explanation in words and numbers.

    Attributes
    ----------
    prediction : str
        The predicted class.
    probability : str
        Of the prediction and, among more than two classes, of the runner-up.
    logit : str
        The logit that is split, with its value.
    meaning : str
        What the signs of its summands mean.
    parts : tuple of Part
        Bias, the largest WFSAs, and all others as one; they sum to the logit.
    nothing : str
        What to say if no WFSA is left, else empty.
    """

    prediction: str
    probability: str
    logit: str
    meaning: str
    parts: tuple[Part, ...]
    nothing: str

    @property
    def wfsas(self) -> list[int]:
        """The WFSAs that have a part of their own."""
        return [part.wfsa for part in self.parts if part.wfsa is not None]


def summarize(explanation: Explanation, max_wfsas: int = MAX_WFSAS) -> Summary:
    """Split the logit, and word what is known of each summand.

    Parameters
    ----------
    explanation : Explanation
    max_wfsas : int
        WFSAs that have a part of their own, the largest in size.

    Returns
    -------
    Summary
    """
    e, binary = explanation, len(explanation.logits) == 1
    predicted = int(np.flatnonzero(e.classes == e.prediction)[0])
    names = [class_name(label) for label in e.classes]
    target = 1 if binary else predicted
    probability = f"p = {e.probabilities[predicted]:.2f}"
    if not binary:
        others = np.argsort(-e.probabilities, kind="stable")
        second = int(others[others != predicted][0])
        probability += f"; runner-up {names[second]}, p = {e.probabilities[second]:.2f}"
    negative = f"negative ones for {names[0]}" if binary else "negative ones against it"
    parts, logit = _parts(e, names, predicted, max_wfsas)
    nothing = "" if len(e.scores) else "no WFSA is left: the bias alone decides"
    return Summary(
        names[predicted],
        probability,
        f"logit of {names[target]} = {logit}",
        f"positive numbers speak for {names[target]}, {negative}",
        parts,
        nothing,
    )


def _parts(
    e: Explanation, names: list[str], predicted: int, max_wfsas: int
) -> tuple[tuple[Part, ...], str]:
    """The summands of the logit, and the logit, written to the same precision."""
    amounts, order = e.contributions[e.output], e.order
    own, others = order[:max_wfsas], order[max_wfsas:]
    labels = ["bias", *map(str, own)]
    summands = [e.bias[e.output], *amounts[own]]
    if others:
        with np.errstate(invalid="ignore", over="ignore"):
            summands.append(amounts[others].sum())
        labels.append(f"{len(others)} {'others' if len(others) > 1 else 'other'}")
    sign = -1.0 if len(e.logits) == 1 and predicted == 0 else 1.0
    *written, logit = signed([*summands, e.logits[e.output]])
    parts = [
        Part(label, text, float(amount), sign * float(amount))
        for label, text, amount in zip(labels, written, summands, strict=True)
    ]
    for place, wfsa in enumerate(own, 1):
        path = e.paths[wfsa]
        parts[place] = parts[place]._replace(wfsa=wfsa, path=path)
        if path is not None:
            probabilities = e.probabilities_without[wfsa]
            then = int(probabilities.argmax())
            parts[place] = parts[place]._replace(
                share=_share(e.shares[wfsa]),
                without=f"{names[then]} ({probabilities[then]:.2f})",
                flips=then != predicted,
            )
    return tuple(parts), logit


def _share(share: float) -> str:
    if math.isnan(share):
        return "-"
    return f"{share:.2f}" if abs(share) < 1000 else f"{share:.2g}"


def class_name(label: Any) -> str:
    """Write a class as Python does, but at most 24 columns of it."""
    return shorten(repr(label.item() if isinstance(label, np.generic) else label))


def phrase(explanation: Explanation, path: Path) -> list[str]:
    """Write a path in cells, self-loops in parentheses, long ones cut."""
    return [
        shorten(cell, _WIDEST_PHRASE_CELL) for cell in path.cells(explanation.tokens)
    ]


def signed(values: ArrayLike) -> list[str]:
    """Write numbers with signs and as many decimals as the largest needs."""
    numbers = np.asarray(values, float)
    largest = np.abs(numbers[np.isfinite(numbers)]).max(initial=0.0)
    if largest >= 1e6:
        return [f"{number:+.3g}" for number in numbers]
    decimals = 2 - math.floor(math.log10(largest)) if largest > 0 else 2
    return [f"{number:+z.{min(max(decimals, 2), 6)}f}" for number in numbers]


def strengths(effects: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return effects over the largest of them, from -1 to 1; no number becomes 0."""
    largest = np.abs(effects[np.isfinite(effects)]).max(initial=0.0)
    limited = np.clip(np.nan_to_num(effects), -largest, largest)
    return limited / largest if largest > 0 else np.sign(limited)


def strongest(explanation: Explanation, sign: int, n: int) -> list[int]:
    """Return the n tokens that speak most for (1) or against (-1) the prediction."""
    effects = sign * explanation.effects
    return [int(t) for t in np.argsort(-effects, kind="stable")[:n] if effects[t] > 0]


def shown_tokens(
    explanation: Explanation, wfsas: Iterable[int], max_tokens: int
) -> list[int | None]:
    """Choose tokens to show: all or, of too many, the surroundings of what matters.

    Parameters
    ----------
    explanation : Explanation
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
    for t in chain(entries, np.argsort(-np.abs(explanation.effects), kind="stable")):
        near = shown[max(t - reach, 0) : t + reach + 1]
        room -= len(near) - np.count_nonzero(near)
        if room < 0:
            break
        near[:] = True
    chosen: list[int | None] = []
    after = 0
    for t in np.flatnonzero(shown).tolist():
        chosen += [t] if t == after else [None, t]
        after = t + 1
    return chosen if after == n_tokens else [*chosen, None]


def entering(explanation: Explanation, wfsas: Iterable[int]) -> dict[int, list[int]]:
    """Return, for tokens on main paths, the WFSAs whose leading path they advance."""
    tokens: dict[int, list[int]] = {}
    for wfsa in sorted(wfsas):
        path = explanation.paths[wfsa]
        for t in path.entries if path is not None else ():
            tokens.setdefault(t, []).append(wfsa)
    return tokens


def covered(explanation: Explanation, wfsas: Iterable[int]) -> NDArray[np.bool_]:
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
    """Break pieces into lines; one that is wider than a line has its own."""
    lines: list[list[_T]] = []
    used = math.inf
    for piece in pieces:
        used += gap + width(piece)
        if used > room:
            lines.append([])
            used = width(piece)
        lines[-1].append(piece)
    return lines
