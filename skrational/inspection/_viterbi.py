"""The highest and the lowest scoring path of each automaton in each document.

Weights may be negative, so that the best product may come from the worst one so far:
both extremes are kept at each state. Self-loops are never negative. A byte for each
token and state says how its extremes came about, which is all that is needed to go the
paths back: memory is linear in the longest document.
"""

from __future__ import annotations

import numpy as np

from skrational.compile import jit

__all__ = ["find_extremes"]

# How the highest and the lowest path into a state ended: by the main path or not.
_HIGH_ENTERED, _LOW_ENTERED = 1, 2


@jit
def find_extremes(  # type: ignore[no-untyped-def]
    main_path,
    self_loop,
    ids,
    offsets,
    starts,
    final,
    additive,
    anywhere,
    scores,
    ends,
    entries,
):
    """Find both extreme paths of all documents.

    Parameters
    ----------
    main_path, self_loop : ndarray of shape (n_rows, S)
    ids : ndarray of shape (n_tokens,), integer
        The row of each token.
    offsets : ndarray of shape (n_documents + 1,)
    starts : ndarray of shape (d + 1,)
        First row of each automaton.
    final : ndarray of shape (S,)
        Weight of a path that ends in a state; 0: none may.
    additive : bool
        Whether transitions along a path add up rather than multiply.
    anywhere : bool
        Whether a path may end at any token.
    scores : ndarray of shape (2, n_documents, d), float64
        To be filled with the score of the highest and of the lowest path, NaN if there
        is no path.
    ends : ndarray of shape (2, n_documents, d), integer
        To be filled with the token after a path's last one, 0 if there is no path.
    entries : ndarray of shape (2, n_documents, S), integer
        To be filled with the token that takes a path into a state, -1 if none does.
    """
    longest, most = 0, 0
    for b in range(offsets.shape[0] - 1):
        longest = max(longest, offsets[b + 1] - offsets[b])
    for i in range(starts.shape[0] - 1):
        most = max(most, starts[i + 1] - starts[i])
    back = np.empty((longest, most + 1), np.uint8)
    best = np.empty(2)
    place = np.empty((2, 2), np.int64)
    for b in range(offsets.shape[0] - 1):
        rows = ids[offsets[b] : offsets[b + 1]]
        for i in range(starts.shape[0] - 1):
            states = slice(starts[i], starts[i + 1])
            u = main_path[:, states]
            _go_forth(
                u, self_loop[:, states], rows, final[states], additive, anywhere,
                back, best, place,
            )  # fmt: skip
            for side in range(2):
                _go_back(back, u, rows, place[side], side, additive,
                         entries[side, b, states])  # fmt: skip
                scores[side, b, i] = best[side]
                ends[side, b, i] = place[side, 0] + 1


@jit
def _go_forth(  # type: ignore[no-untyped-def]
    main_path, self_loop, rows, final, additive, anywhere, back, best, place
):
    """Read a document; keep both extremes, and the token and state where they end."""
    n_tokens, n_states = rows.shape[0], final.shape[0]
    # Highest and lowest score of a path into each state; the start's weigh one.
    extremes = np.empty((2, n_states + 1))
    extremes[:, 0] = 0.0 if additive else 1.0
    best[:], place[:] = np.nan, -1
    for t in range(n_tokens):
        n_reached = min(n_states, t + 1)
        # From the last state down, so that the one before is still of t - 1.
        for k in range(n_reached, 0, -1):
            u, f = main_path[rows[t], k - 1], self_loop[rows[t], k - 1]
            back[t, k] = _enter(extremes, k, u, f, k <= t, additive)
        if anywhere or t == n_tokens - 1:
            for k in range(1, n_reached + 1):
                if final[k - 1] > 0.0:
                    _keep(extremes, k, t, final[k - 1], best, place)


@jit
def _enter(extremes, k, u, f, stays, additive):  # type: ignore[no-untyped-def]
    """Take both extremes of a state over a token; return how they came about."""
    if additive:
        high, low = u + extremes[0, k - 1], u + extremes[1, k - 1]
    elif u >= 0.0:
        high, low = u * extremes[0, k - 1], u * extremes[1, k - 1]
    else:
        high, low = u * extremes[1, k - 1], u * extremes[0, k - 1]
    entered = _HIGH_ENTERED | _LOW_ENTERED
    if stays:
        stay_high = f + extremes[0, k] if additive else f * extremes[0, k]
        stay_low = f + extremes[1, k] if additive else f * extremes[1, k]
        if stay_high > high:
            high = stay_high
            entered &= ~_HIGH_ENTERED
        if stay_low < low:
            low = stay_low
            entered &= ~_LOW_ENTERED
    extremes[0, k], extremes[1, k] = high, low
    return entered


@jit
def _keep(extremes, k, t, weight, best, place):  # type: ignore[no-untyped-def]
    """Keep the paths that end here if there were none as extreme; the first counts."""
    high, low = weight * extremes[0, k], weight * extremes[1, k]
    if place[0, 0] < 0 or high > best[0]:
        best[0], place[0, 0], place[0, 1] = high, t, k
    if place[1, 0] < 0 or low < best[1]:
        best[1], place[1, 0], place[1, 1] = low, t, k


@jit
def _go_back(  # type: ignore[no-untyped-def]
    back, main_path, rows, place, side, additive, entries
):
    """Note the token at which the path that ends here entered each of its states."""
    entries[:] = -1
    t, k = place
    while t >= 0 and k > 0:
        if back[t, k] & (_LOW_ENTERED if side else _HIGH_ENTERED):
            entries[k - 1] = t
            if not additive and main_path[rows[t], k - 1] < 0.0:
                side = 1 - side
            k -= 1
        t -= 1
