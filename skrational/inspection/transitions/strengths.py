"""The strongest words of an automaton's transitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from skrational.inspection.meaning import readout_signs
from skrational.inspection.model import Model
from skrational.inspection.transitions.vocabulary import Vocabulary, read_vocabulary

__all__ = ["Words", "largest", "read_words", "words_and_strengths"]

Words: TypeAlias = Sequence[tuple[str, float]]
"""Words with their weights."""


def read_words(
    model: Model, X: Any, n_words: int, min_count: int | None = None
) -> tuple[list[str], NDArray[Any]]:
    """Read the words of documents or, without them, of the vectorizer; else none.

    Parameters
    ----------
    model : Model
    X : SequenceArray, array-like or None
        As for `read_vocabulary`.
    n_words : int
        That a list is to have.
    min_count : int or None, default=None
        How often a word has to occur in X, if enough do, as for `top_words`.

    Returns
    -------
    words : list of str
    rows : ndarray of shape (n_words, n_features)
    """
    if X is not None or any(hasattr(step, "vocabulary") for step in model.vectorizers):
        return _enough(read_vocabulary(model, X), min_count, 2 * n_words)
    return [], np.empty((0, model.automata.W_u.shape[1]))


def words_and_strengths(
    model: Model,
    words_and_rows: tuple[list[str], NDArray[Any]],
    wfsa: int,
    n_words: int,
) -> tuple[
    list[Words],
    list[Words],
    list[Words],
    NDArray[np.floating],
    NDArray[np.floating],
]:
    """Read the transitions of each state of a WFSA, the readout's sign folded in.

    Parameters
    ----------
    model : Model
    words_and_rows : (list of str, ndarray of shape (n_words_in_all, n_features))
        By `read_words`.
    wfsa : int
    n_words : int
        At most so many words a list.

    Returns
    -------
    main_path_words, skipped_words, breaking_words : list of K lists of (str, float)
        Those of the largest ``abs(u)``, the highest f and, of the others, the lowest f.
    main_path_strengths, self_loop_strengths : ndarray of shape (K,)
        The largest ``abs(u)`` and the mean f, in max-plus that of its exponential;
        without words the norms of the rows of W_u and W_f.
    """
    automata = model.automata
    states = automata.states(wfsa)
    weights = {name: getattr(automata, name)[states] for name in ("W_u", "W_f", "b_f")}
    words, rows = words_and_rows
    if not words:
        nothing: list[Words] = [[] for _ in weights["b_f"]]
        norms = (np.linalg.norm(weights[name], axis=1) for name in ("W_u", "W_f"))
        return nothing, nothing, nothing, *norms
    u, f = replace(automata, **weights).transition_weights(rows)
    u[:, 0] *= readout_signs(automata)[wfsa]
    others = min(n_words, max(len(words) - n_words, 0))
    return (
        [_top(words, state, abs(state), n_words) for state in u.T],
        [_top(words, state, state, n_words) for state in f.T],
        [_top(words, state, -state, others) for state in f.T],
        abs(u).max(axis=0),
        (np.exp(f) if automata.semiring == "max-plus" else f).mean(axis=0),
    )


def _enough(
    vocabulary: Vocabulary, min_count: int | None, n: int
) -> tuple[list[str], NDArray[Any]]:
    """Return the frequent words and their rows; all, if these are less than n."""
    words, rows, *_ = vocabulary
    chosen = np.flatnonzero(vocabulary.frequent(min_count))
    if len(chosen) < n:
        return words, rows
    return [words[i] for i in chosen], rows[chosen]


def _top(
    words: Sequence[str], weights: NDArray[Any], keys: NDArray[Any], n_words: int
) -> Words:
    """Return words of the largest keys with their weights.

    Parameters
    ----------
    words : sequence of str
    weights, keys : ndarray of shape (n_words_in_all,)
    n_words : int
        At most so many.

    Returns
    -------
    list of (str, float)
    """
    return [(words[i], float(weights[i])) for i in largest(keys, n_words)]


def largest(
    values: NDArray[Any], n: int, preferred: NDArray[np.bool_] | None = None
) -> NDArray[np.intp]:
    """Positions of the n largest values, in order; the first of equal ones counts.

    Preferred ones come before all others.
    """
    if preferred is not None and not preferred.all():
        first, others = np.flatnonzero(preferred), np.flatnonzero(~preferred)
        first = first[largest(values[first], n)]
        rest = others[largest(values[others], max(n - len(first), 0))]
        return np.concatenate([first, rest])
    costs = -values
    candidates = np.arange(len(costs))
    if 0 < n < len(costs):
        limit = np.partition(costs, n - 1)[n - 1]
        candidates = np.flatnonzero(~(costs > limit))  # NaN comes last, as in a sort
    return candidates[np.argsort(costs[candidates], kind="stable")[:n]]
