"""The summands of a logit, chosen and worded for all renderings of an explanation."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from skrational.inspection.explaining.known import nothing_known, share_unknown
from skrational.inspection.explaining.prediction import ExplainedPrediction
from skrational.inspection.matching.paths import Path
from skrational.inspection.tables import plain_repr, shorten
from skrational.inspection.wrappers import Verdict

__all__ = [
    "MAX_WFSAS",
    "Summand",
    "Summary",
    "in_short",
    "probability_text",
    "signed",
    "summarize",
    "value_text",
]

MAX_WFSAS = 8

_ALMOST_SURE, _ALMOST_NEVER = 0.999, 0.001


class Summand(NamedTuple):
    """One summand of a logit, and what is to be known of it.

    Attributes
    ----------
    name : str
        "bias", the number of the WFSA or unit, or how many others there are.
    adds : str
        What it adds to the logit of the class that is counted towards.
    amount : float
        The same as a number.
    support : float
        The same again, but positive if it speaks for the prediction.
    wfsa : int or None
        None for the bias, for the others and for units; what follows is empty then.
    path : Path or None
        The path that leads.
    share : str
        The path's share of the score.
    becomes, probability : str
        What is predicted without the path's phrase, and how surely.
    flips : bool
        Whether that is another class.
    gates : str
        Of a unit, the gates that vary, else empty.
    """

    name: str
    adds: str
    amount: float
    support: float
    wfsa: int | None = None
    path: Path | None = None
    share: str = ""
    becomes: str = ""
    probability: str = ""
    flips: bool = False
    gates: str = ""

    @property
    def without(self) -> str:
        """What is predicted without the phrase, in one text."""
        if not self.probability:
            return self.becomes
        return f"{self.becomes} ({self.probability})"


class Summary(NamedTuple):
    """An explanation in words and numbers.

    Attributes
    ----------
    prediction : str
        The predicted class, or value.
    probability : str
        Of the prediction and, among more than two classes, of the runner-up.
    logit : str
        The logit, or value, that is split, how large it is, and what it's divided by.
    meaning : str
        What the signs of its summands mean.
    summands : tuple of Summand
        Bias, the largest WFSAs or units, and all others as one; they sum to the logit.
    nothing : str
        What to say if no WFSA or unit is left, else empty.
    warning : str
        What to say first if no word of the document is known, else empty.
    unknown : str
        How many words are unknown, if some but not all are, else empty.
    sides : (str, str)
        Whom positive and negative numbers speak for: "for 'a'", and "for 'b'" or, among
        more than two classes, "against it".
    remainder : str
        That the effects of tokens don't add up, and what they leave; empty where paths
        tell what tokens do together, or there is no token.
    verdicts : tuple of str
        What each estimator around the classifier says, from within.
    """

    prediction: str
    probability: str
    logit: str
    meaning: str
    summands: tuple[Summand, ...]
    nothing: str
    warning: str
    unknown: str
    sides: tuple[str, str]
    remainder: str
    verdicts: tuple[str, ...] = ()

    @property
    def wfsas(self) -> list[int]:
        """The WFSAs that are a summand of their own."""
        return [s.wfsa for s in self.summands if s.wfsa is not None]


def summarize(explanation: ExplainedPrediction, max_wfsas: int = MAX_WFSAS) -> Summary:
    """Split the logit, and word what is known of each summand.

    Parameters
    ----------
    explanation : ExplainedPrediction
    max_wfsas : int
        WFSAs, or units, that are a summand of their own, the largest in size.

    Returns
    -------
    Summary
    """
    e, binary = explanation, len(explanation.logits) == 1
    names = [_class_name(label) for label in e.classes]
    target = e.target
    sides = (
        f"for {names[target]}",
        f"for {names[1 - target]}" if binary else "against it",
    )
    summands, logit = _summands(e, names, max_wfsas)
    if e.temperature != 1:
        logit += f" (divided by the temperature {e.temperature:.3g} for p)"
    nothing = "" if len(e.scores) else f"no {e.part} is left: the bias alone decides"
    return Summary(
        value_text(e.prediction) if e.is_value else names[e.predicted],
        "prediction" if e.is_value else _probability(e, names),
        f"value = {logit}" if e.is_value else f"logit of {names[target]} = {logit}",
        f"positive numbers speak {sides[0]}, negative ones {sides[1]}",
        summands,
        nothing,
        nothing_known(e),
        share_unknown(e),
        sides,
        "" if e.has_paths or not e.tokens else _remainder(e, names[target]),
        tuple(_verdict(verdict, e) for verdict in e.verdicts),
    )


def _probability(e: ExplainedPrediction, names: list[str]) -> str:
    """Write how sure the prediction is and, among several classes, the runner-up."""
    probability = probability_text(e.probabilities[e.predicted])
    if len(e.logits) == 1:
        return probability
    others = np.argsort(-e.probabilities, kind="stable")
    second = int(others[others != e.predicted][0])
    of_second = probability_text(e.probabilities[second])
    return f"{probability}; runner-up {names[second]}, {of_second}"


def _verdict(verdict: Verdict, e: ExplainedPrediction) -> str:
    """Say what an estimator around the classifier makes of its prediction."""
    decision = _class_name(verdict.prediction)
    if verdict.threshold is not None:
        positive = f"{verdict.response} of {_class_name(verdict.positive)}"
        return f"threshold {verdict.threshold:.3g} on {positive}: predicted {decision}"
    probability = probability_text(verdict.probabilities.max())
    if verdict.prediction == e.prediction:
        return f"calibrated: {probability}"
    return f"calibrated: predicted {decision}, {probability}"


def in_short(summary: Summary) -> str:
    """Say how sure a prediction is, and how many words are unknown if some are."""
    return "; ".join(filter(None, [summary.probability, summary.unknown]))


def _summands(
    e: ExplainedPrediction, names: list[str], max_wfsas: int
) -> tuple[tuple[Summand, ...], str]:
    """The summands of the logit, and the logit, written to the same precision."""
    # Contributions of two classes are to the logit of the second one.
    sign = -1.0 if len(e.logits) == 1 and e.target == 0 else 1.0
    contributions, order = sign * e.contributions[e.output], e.order
    own, others = order[:max_wfsas], order[max_wfsas:]
    labels = ["bias", *(str(k if e.has_paths else e.numbers[k]) for k in own)]
    amounts = [sign * e.bias[e.output], *contributions[own]]
    if others:
        with np.errstate(invalid="ignore", over="ignore"):
            amounts.append(contributions[others].sum())
        labels.append(f"{len(others)} {'others' if len(others) > 1 else 'other'}")
    *written, logit = signed([*amounts, sign * e.logits[e.output]])
    summands = [
        Summand(label, text, float(amount), e.direction * float(amount))
        for label, text, amount in zip(labels, written, amounts, strict=True)
    ]
    for place, k in enumerate(own, 1):
        known = _of_wfsa(e, names, k) if e.has_paths else _of_unit(e, k)
        summands[place] = summands[place]._replace(**known)
    return tuple(summands), logit


def _of_wfsa(e: ExplainedPrediction, names: list[str], wfsa: int) -> dict[str, Any]:
    """What is to be known of a WFSA, by the names of the fields of Summand."""
    path, probabilities = e.paths[wfsa], e.probabilities_without[wfsa]
    if path is None:
        return {"wfsa": wfsa}
    known = {"wfsa": wfsa, "path": path, "share": _share(e.shares[wfsa])}
    if e.is_value:
        return known | {"becomes": value_text(e.predictions_without[wfsa])}
    then = int(probabilities.argmax())
    return known | {
        "becomes": names[then],
        "probability": probability_text(probabilities[then]).removeprefix("p = "),
        "flips": then != e.predicted,
    }


def _of_unit(e: ExplainedPrediction, unit: int) -> dict[str, Any]:
    letters = e.gates[unit].removeprefix("-")
    return {"gates": ", ".join(letters) or "none"}


def _remainder(e: ExplainedPrediction, target: str) -> str:
    """Say what the effects of tokens leave of the log-odds."""
    effects, remainder = e.direction * float(e.effects.sum()), e.direction * e.remainder
    summed, gained, rest = signed([effects, effects + remainder, remainder])
    return (
        f"token effects, each exact by itself, don't add up: they sum to {summed}, but "
        f"all tokens together change the log-odds of {target} by {gained}; the "
        f"difference of {rest} is what tokens do together"
    )


def _share(share: float) -> str:
    if math.isnan(share):
        return "-"
    return f"{share:.2f}" if abs(share) < 1000 else f"{share:.2g}"


def _class_name(label: Any) -> str:
    """Write a class as Python does, but at most 24 columns of it."""
    return shorten(plain_repr(label))


def probability_text(p: float) -> str:
    """Write a probability; one that is almost 0 or 1 as a bound.

    Examples
    --------
    >>> [probability_text(p) for p in (0.934, 0.9962, 0.99991, 0.0)]
    ['p = 0.93', 'p = 0.996', 'p > .999', 'p < .001']
    """
    if p > _ALMOST_SURE:
        return "p > .999"
    if p < _ALMOST_NEVER:
        return "p < .001"
    rounded = f"{p:.2f}"
    return f"p = {p:.3f}" if rounded in ("0.00", "1.00") else f"p = {rounded}"


def value_text(value: float) -> str:
    """Write a number that is predicted.

    Examples
    --------
    >>> [value_text(value) for value in (3.14159, 0.0, 12345.6)]
    ['3.14', '0', '1.23e+04']
    """
    return f"{value:.3g}"


def signed(values: ArrayLike) -> list[str]:
    """Write numbers with signs and as many decimals as the largest needs."""
    numbers = np.asarray(values, float)
    largest = np.abs(numbers[np.isfinite(numbers)]).max(initial=0.0)
    if largest >= 1e6:
        return [f"{number:+.3g}" for number in numbers]
    decimals = 2 - math.floor(math.log10(largest)) if largest > 0 else 2
    return [f"{number:+z.{min(max(decimals, 2), 6)}f}" for number in numbers]
