"""The highest and the lowest scoring path of each automaton in each document.

Weights may be negative, so that the best product may come from the worst one so far:
both extremes are kept at each state. Self-loops are never negative. A byte for each
token and state says how its extremes came about, which is all that is needed to go the
paths back: memory is linear in the longest document.
"""

from __future__ import annotations

import numpy as np

from skrational.utils.compile import jit, part

__all__ = ["find_extremes"]

# Whether the highest and the lowest path into a state took its self-loop last.
_HIGH_STAYED, _LOW_STAYED = 1, 2


@jit
def find_extremes(problem, scores, ends, entries):  # type: ignore[no-untyped-def]
    """Find both extreme paths of all documents.

    Parameters
    ----------
    problem : PathProblem
    scores : ndarray of shape (2, n_documents, d), float64
        To be filled with the score of the highest and of the lowest path, NaN if there
        is no path.
    ends : ndarray of shape (2, n_documents, d), integer
        To be filled with the token after a path's last one, 0 if there is no path.
    entries : ndarray of shape (2, n_documents, S), integer
        To be filled with the token that takes a path into a state, -1 if none does.
    """
    main_path, self_loop, ids, offsets, starts, final, additive, _, anywhere = problem
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
    """Read a document; keep both extremes, and the token and state where they end.

    Parameters
    ----------
    main_path, self_loop : ndarray of shape (n_rows, K)
        Weights of one automaton's transitions.
    rows : ndarray of shape (T,), integer
        The row of each token.
    final : ndarray of shape (K,)
    additive, anywhere : bool
        As for `find_extremes`.
    back : ndarray of shape (at least T, at least K + 1), uint8
        To be filled with which paths into a state took its self-loop last.
    best : ndarray of shape (2,)
        To be filled with the highest and the lowest score, NaN if there is no path.
    place : ndarray of shape (2, 2), integer
        To be filled with token and state where each of them ends, -1 if there is none.
    """
    n_tokens, n_states = rows.shape[0], final.shape[0]
    # Of the paths into each state; no path is neither the highest nor the lowest.
    high, low = np.full(n_states + 1, -np.inf), np.full(n_states + 1, np.inf)
    high[0] = low[0] = 0.0 if additive else 1.0
    best[:], place[:] = np.nan, -1
    for t in range(n_tokens):
        n_reached = min(n_states, t + 1)
        # From the last state down, so that the one before is still of t - 1.
        for k in range(n_reached, 0, -1):
            u, f = main_path[rows[t], k - 1], self_loop[rows[t], k - 1]
            if additive:
                one, other = u + high[k - 1], u + low[k - 1]
                stay_high, stay_low = f + high[k], f + low[k]
            else:
                one, other = u * high[k - 1], u * low[k - 1]
                stay_high, stay_low = f * high[k], f * low[k]
            enter_high, enter_low = max(one, other), min(one, other)
            stays_high, stays_low = stay_high > enter_high, stay_low < enter_low
            high[k] = stay_high if stays_high else enter_high
            low[k] = stay_low if stays_low else enter_low
            back[t, k] = stays_high * _HIGH_STAYED + stays_low * _LOW_STAYED
        if anywhere or t == n_tokens - 1:
            _keep(high, low, final, t, n_reached, best, place)


@part
def _keep(high, low, final, t, n_reached, best, place):  # type: ignore[no-untyped-def]
    """Keep the paths that end here if there were none as extreme; the first counts.

    Parameters
    ----------
    high, low : ndarray of shape (K + 1,)
        The extreme paths into each state.
    final : ndarray of shape (K,)
    t, n_reached : int
        The token, and how many states may be reached by then.
    best, place
        As for `_go_forth`; changed in place.
    """
    for k in range(1, n_reached + 1):
        weight = final[k - 1]
        if weight > 0.0:
            if place[0, 0] < 0 or weight * high[k] > best[0]:
                best[0], place[0, 0], place[0, 1] = weight * high[k], t, k
            if place[1, 0] < 0 or weight * low[k] < best[1]:
                best[1], place[1, 0], place[1, 1] = weight * low[k], t, k


@part
def _go_back(  # type: ignore[no-untyped-def]
    back, main_path, rows, place, side, additive, entries
):
    """Note the token at which a path entered each of its states.

    Parameters
    ----------
    back, main_path, rows, additive
        As for `_go_forth`, which has filled ``back``.
    place : ndarray of shape (2,), integer
        Token and state where the path ends.
    side : int
        0 for the highest path, 1 for the lowest.
    entries : ndarray of shape (K,), integer
        To be filled; -1 for states that the path doesn't enter.
    """
    entries[:] = -1
    t, k = place
    while t >= 0 and k > 0:
        if not back[t, k] & (_LOW_STAYED if side else _HIGH_STAYED):
            entries[k - 1] = t
            if not additive and main_path[rows[t], k - 1] < 0.0:
                side = 1 - side
            k -= 1
        t -= 1
