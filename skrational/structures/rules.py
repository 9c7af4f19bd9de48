"""What automata look for, in words.

A rule is a phrase without gaps that an automaton scores high, or low, of those that the
documents hold. It tells of a model what can be told without a text; phrases with what
lies between their words are in `skrational.inspection`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skrational.structures.automata import WeightedAutomata
from skrational.structures.meaning import (
    MOST_NAMED,
    NO_OUTPUT,
    Meaning,
    OutputKind,
    meaning_of,
    output_names,
)

__all__ = ["rules_in_words", "rules_of"]

_SIDES = ("high", "negative")
N_PHRASES = 3
"""Of each sign of an automaton's score."""
_LEAST_COUNT = 3
_WIDEST_NAME = 24
_MOST_TOKENS = 2**14
"""Of the documents, evenly spread, whose phrases are looked at."""


def rules_of(
    automata: WeightedAutomata,
    features: NDArray[Any],
    labels: NDArray[Any],
    indices: NDArray[np.integer],
    offsets: NDArray[np.int64],
) -> NDArray[np.str_]:
    """Find the phrases of documents that raise and that lower a score most.

    Parameters
    ----------
    automata : WeightedAutomata
        Of d WFSAs.
    features : ndarray of shape (n_words, n_features)
    labels : ndarray of shape (n_words,)
        The words.
    indices : ndarray of shape (n_tokens,)
        The word of each token.
    offsets : ndarray of shape (n_documents + 1,)
        Where the documents begin.

    Returns
    -------
    ndarray of shape (d, 2, 3), str
        For each WFSA the phrases of the highest scores above zero, then those of the
        lowest below, of those that occur three times; "" where there are no more.

    Examples
    --------
    >>> automata = WeightedAutomata(
    ...     W_u=np.array([[9.0, -9.0]]),
    ...     W_f=np.zeros((1, 2)),
    ...     b_f=np.zeros(1),
    ...     final=np.ones(1),
    ...     lengths=(1,),
    ...     numbers=(0,),
    ...     coef=np.ones((1, 1)),
    ...     intercept=np.zeros(1),
    ... )
    >>> words, tokens = np.array(["good", "bad"]), np.array([0, 1])
    >>> rules_of(automata, np.eye(2), words, tokens, np.array([0, 2])).tolist()
    [[['good', '', ''], ['bad', '', '']]]
    """
    rules = np.full((automata.n_wfsas, 2, N_PHRASES), "", dtype=object)
    tokens, rest = _spread(indices, offsets)
    used, rows = np.unique(tokens, return_inverse=True)
    weights, _ = automata.transition_weights(features[used])
    words = [str(label) for label in labels[used]]
    signs = (1, -1) if automata.semiring == "plus-times" else (1,)
    for wfsa in range(automata.n_wfsas):
        states = automata.states(wfsa)
        of_wfsa = weights[:, states], automata.final[states]
        add = automata.semiring == "max-plus"
        found = set(_phrases(*of_wfsa, rows, rest, add))
        for side, sign in enumerate(signs):
            best = sorted(
                (phrase for phrase in found if sign * phrase[0] > 0),
                key=lambda phrase: (-abs(phrase[0]), *phrase[1:]),
            )
            for rank, (_, start, n) in enumerate(best[:N_PHRASES]):
                phrase = " ".join(words[row] for row in rows[start : start + n])
                rules[wfsa, side, rank] = phrase
    return rules.astype(str)


def _spread(
    indices: NDArray[np.integer], offsets: NDArray[np.int64]
) -> tuple[NDArray[np.integer], NDArray[np.int64]]:
    """Take every so manieth document, and few enough tokens to look at all of them.

    Parameters
    ----------
    indices : ndarray of shape (n_tokens,)
    offsets : ndarray of shape (n_documents + 1,)

    Returns
    -------
    tokens : ndarray of shape (n_taken,)
        The word of each token.
    rest : ndarray of shape (n_taken,)
        Tokens from each one to the end of its document.
    """
    step = max(-(-len(indices) // _MOST_TOKENS), 1)
    starts, stops = offsets[:-1:step], offsets[1::step]
    lengths = stops - starts
    before = np.cumsum(lengths) - lengths
    tokens = np.repeat(starts - before, lengths) + np.arange(lengths.sum())
    return indices[tokens], np.repeat(stops, lengths) - tokens


def _phrases(
    u: NDArray[np.float64],
    final: NDArray[Any],
    rows: NDArray[np.intp],
    rest: NDArray[np.int64],
    add: bool,
) -> Iterator[tuple[float, int, int]]:
    """Yield phrases of the highest and of the lowest scores, of each length.

    Parameters
    ----------
    u : ndarray of shape (n_words, K)
        Main-path weights.
    final : ndarray of shape (K,)
    rows : ndarray of shape (n_tokens,)
        The word of each token.
    rest : ndarray of shape (n_tokens,)
        Tokens from each one to the end of its document.
    add : bool
        Whether a path adds its weights up, or multiplies them.

    Yields
    ------
    score : float
    first : int
        The first token.
    n : int
        Number of tokens.
    """
    scores = np.zeros(len(rows)) if add else np.ones(len(rows))
    for k in range(min(len(final), len(rows))):
        n = len(rows) - k
        scores = scores[:n] + u[rows[k:], k] if add else scores[:n] * u[rows[k:], k]
        inside = np.flatnonzero(rest[:n] > k)
        final_scores = scores[inside] * final[k]
        # Phrases of the same words have the same score, to the bit. A sort without
        # positions is several times as fast as one with them.
        values, counts = np.unique(final_scores, return_counts=True)
        # A phrase that hardly ever occurs tells of no habit.
        values = values[counts >= min(_LEAST_COUNT, counts.max(initial=0))]
        for value in (*values[:N_PHRASES], *values[-N_PHRASES:]):
            yield float(value), int(inside[np.argmax(final_scores == value)]), k + 1


def rules_in_words(
    automata: WeightedAutomata,
    rules: NDArray[np.str_] | None,
    classes: NDArray[Any],
    kind: OutputKind = "classes",
) -> str:
    """Write what each automaton looks for, and what that speaks for.

    Parameters
    ----------
    automata : WeightedAutomata
        Of d WFSAs.
    rules : ndarray of shape (d, 2, 3), str, or None
        As `rules_of` finds them; None: no words are known.
    classes : ndarray of shape (n_classes,)
        Or labels, or the numbers of the values.
    kind : {"classes", "labels", "values"}, default="classes"

    Returns
    -------
    str
        Some lines for each automaton, and one for the bias.
    """
    names = [_short(name) for name in output_names(classes.tolist(), kind)]
    exclusive = kind == "classes"
    if rules is None or len(rules) != automata.n_wfsas:
        rules = np.full((automata.n_wfsas, 2, 0), "")
    lines = []
    for wfsa, length in enumerate(automata.lengths):
        lines.append(f"WFSA {wfsa}, {length} transition{'s' if length > 1 else ''}")
        meaning = meaning_of(automata.coef[:, wfsa], exclusive)
        aims = _aims(meaning, names, kind)
        for side, aim, phrases in zip(_SIDES, aims, rules[wfsa], strict=True):
            told = ", ".join(f'"{phrase}"' for phrase in phrases if phrase)
            if not (rules != "").any():
                told = f"{side} scores"
            if told:
                lines.append(f"  {aim}: {told}")
    bias = _bias_in_words if exclusive else _biases_in_words
    return "\n".join([*lines, bias(automata.intercept, names)])


def _short(name: str) -> str:
    return name if len(name) <= _WIDEST_NAME else f"{name[: _WIDEST_NAME - 1]}…"


def _aims(meaning: Meaning, names: Sequence[str], kind: OutputKind) -> tuple[str, str]:
    """Say what high and what negative scores speak for or, if for none, against."""
    high, low = (_listed(numbers, names) for numbers in meaning)
    if kind != "classes" and (high or low):
        return (
            f"for {high}" if high else f"against {low}",
            f"for {low}" if low else f"against {high}",
        )
    nothing = NO_OUTPUT[kind]
    return f"for {high or nothing}", f"for {low or nothing}"


def _listed(numbers: Sequence[int], names: Sequence[str]) -> str:
    """Name outputs, of many the first ones; nothing of none."""
    listed = ", ".join(names[i] for i in numbers[:MOST_NAMED])
    n_more = len(numbers) - MOST_NAMED
    return f"{listed} and {n_more} more" if n_more > 0 else listed


def _bias_in_words(intercept: NDArray[Any], names: list[str]) -> str:
    """Say for which class the bias speaks, against the next one, and how much."""
    bias = intercept.astype(np.float64)
    bias = np.array([0.0, bias[0]]) if len(bias) == 1 else bias
    second, first = np.sort(bias)[-2:]
    return f"bias: {first - second:.2f} for {names[int(bias.argmax())]}"


def _biases_in_words(intercept: NDArray[Any], names: list[str]) -> str:
    """Tell the bias of each output, of many the first ones."""
    if len(intercept) == 1:
        return f"bias: {intercept[0]:.3g}"
    told = [
        f"{bias:.3g} for {name}" for bias, name in zip(intercept, names, strict=True)
    ]
    more = "" if len(told) <= MOST_NAMED else f" and {len(told) - MOST_NAMED} more"
    return f"bias: {', '.join(told[:MOST_NAMED])}{more}"
