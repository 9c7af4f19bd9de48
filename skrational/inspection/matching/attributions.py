"""What tokens do: how much of a score goes through each, and what each changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.matching.derivatives import leave_one_out, path_weights
from skrational.inspection.matching.paths import extreme_paths
from skrational.inspection.matching.weighted_tokens import PathProblem, WeightedTokens
from skrational.inspection.model import log_odds
from skrational.structures.automata import WeightedAutomata

__all__ = ["TokenShares", "deletion_effects", "token_shares"]

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TokenShares:
    """The derivative of each WFSA's log score with respect to a token's transitions.

    Attributes
    ----------
    main_path, self_loop : ndarray of shape (n_tokens, d), float64
        By the main-path transitions and by the self-loops that take the token.
    """

    main_path: Floats
    self_loop: Floats


def token_shares(automata: WeightedAutomata, tokens: WeightedTokens) -> TokenShares:
    """Share of the score that goes through each token.

    0 where a WFSA scores 0. In max-plus, whose scores are logarithms, the derivative is
    that of the score.
    """
    if automata.semiring != "plus-times":
        return _shares_of_best_paths(automata, tokens)
    n_tokens, d = len(tokens.ids), automata.n_wfsas
    scores = np.empty((len(tokens.offsets) - 1, d))
    entered, looped = np.empty((n_tokens, d)), np.empty((n_tokens, d))
    path_weights(PathProblem.of(automata, tokens), scores, entered, looped)
    return TokenShares(
        *(_divided(part, _of_tokens(scores, tokens)) for part in (entered, looped))
    )


def deletion_effects(
    automata: WeightedAutomata, tokens: WeightedTokens, classes: NDArray[np.intp]
) -> Floats:
    """What each token alone adds to the log-odds of a class.

    Parameters
    ----------
    automata : WeightedAutomata
    tokens : WeightedTokens
    classes : ndarray of shape (n_documents,), integer
        Number of the class, for each document.

    Returns
    -------
    ndarray of shape (n_tokens,), float64
        Log-odds of the document less those of the document without the token: exact,
        all tokens in linear time.
    """
    lengths = np.diff(tokens.offsets)
    scores = np.empty((len(lengths), automata.n_wfsas))
    without = np.empty((len(tokens.ids), automata.n_wfsas))
    leave_one_out(PathProblem.of(automata, tokens), scores, without)
    odds = log_odds(_logits(automata, scores, lengths), classes)
    logits_without = _logits(automata, without, _of_tokens(lengths - 1, tokens))
    odds_without = log_odds(logits_without, _of_tokens(classes, tokens))
    return _of_tokens(odds, tokens) - odds_without


def _of_tokens(values: NDArray[Any], tokens: WeightedTokens) -> NDArray[Any]:
    """Values of documents, for each of their tokens."""
    return np.repeat(values, np.diff(tokens.offsets), axis=0)


def _divided(parts: Floats, wholes: Floats) -> Floats:
    return np.divide(parts, wholes, out=np.zeros_like(parts), where=wholes != 0)


def _logits(
    automata: WeightedAutomata, scores: Floats, lengths: NDArray[np.int64]
) -> Floats:
    """Logits of documents of these lengths, from the sums of their paths."""
    scale = automata.scale(lengths)[:, None]
    logits = np.tile(automata.intercept.astype(np.float64), (len(scores), 1))
    # A matrix product could sum in another order for another number of rows.
    for i, weights in enumerate(automata.coef.T.astype(np.float64)):
        logits += scores[:, i : i + 1] * scale * weights
    return logits


def _shares_of_best_paths(
    automata: WeightedAutomata, tokens: WeightedTokens
) -> TokenShares:
    """Shares in a max semiring: a score weighs the best path into each state."""
    shape = len(tokens.ids), automata.n_wfsas
    entered, looped = np.zeros(shape), np.zeros(shape)
    scores = np.zeros((len(tokens.offsets) - 1, automata.n_wfsas))
    additive = automata.semiring == "max-plus"
    for chosen in _single_states(automata):
        best, _ = extreme_paths(automata, tokens, chosen)
        for b, i in np.argwhere(~np.isnan(best.scores)).tolist():
            path = best.path(b, i)
            assert path is not None  # its score is a number
            scores[b, i] += path.score
            weight = chosen[automata.states(i)].max() if additive else path.score
            first = tokens.offsets[b]
            entries = first + np.array(path.entries)
            looped[first + path.start : first + path.end, i] += weight
            looped[entries, i] -= weight
            entered[entries, i] += weight
    if additive:
        return TokenShares(entered, looped)
    wholes = _of_tokens(scores, tokens)
    return TokenShares(_divided(entered, wholes), _divided(looped, wholes))


def _single_states(automata: WeightedAutomata) -> Iterator[Floats]:
    """Final weights of state 1 of each WFSA only, then of state 2, and so on."""
    numbers = np.concatenate([np.arange(n) for n in (*automata.lengths, 0)])
    for state in range(max(automata.lengths, default=0)):
        yield np.where(numbers == state, automata.final, 0.0).astype(np.float64)
