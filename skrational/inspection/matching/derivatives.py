r"""What each token does to the score of each automaton: forward, then backward.

Let c_t[k] be the score of all paths into state k after t tokens and b_t[k] what the
rest of the document makes of a path that is there. Paths in which token t enters state
k then weigh c_{t-1}[k-1] u_t[k] b_t[k] together, and the sum of c_{t-1}[k] b_t[k] over
k is the score of the document without the token, but for the paths that ended before.
Time and memory are linear in the document.
"""

from __future__ import annotations

import numpy as np

from skrational.utils.compile import jit, part

__all__ = ["leave_one_out", "path_weights"]


@jit
def path_weights(problem, scores, entered, looped):  # type: ignore[no-untyped-def]
    """Sum the weights of all paths, in plus-times, and of those that use a token.

    Parameters
    ----------
    problem : PathProblem
    scores : ndarray of shape (n_documents, d)
        To be filled with the sum of all paths.
    entered, looped : ndarray of shape (n_tokens, d)
        To be filled with the sum of the paths in which a main-path transition, or a
        self-loop, takes the token.
    """
    main_path, self_loop, ids, offsets, starts, final, _, _, anywhere = problem
    for b in range(offsets.shape[0] - 1):
        first, last = offsets[b], offsets[b + 1]
        rows = ids[first:last]
        for i in range(starts.shape[0] - 1):
            states = slice(starts[i], starts[i + 1])
            u, f, ends = main_path[:, states], self_loop[:, states], final[states]
            c, read = _forward(u, f, rows, ends, anywhere, False, False)
            after = np.zeros(ends.shape[0] + 1)
            after[1:] = ends
            scores[b, i] = read[-1]
            for t in range(last - first - 1, -1, -1):
                entering, looping = 0.0, 0.0
                for k in range(1, ends.shape[0] + 1):
                    entering += c[t, k - 1] * u[rows[t], k - 1] * after[k]
                    looping += c[t, k] * f[rows[t], k - 1] * after[k]
                entered[first + t, i], looped[first + t, i] = entering, looping
                _step_back(u, f, rows[t], after, False, False)
                if anywhere:
                    after[1:] += ends


@jit
def leave_one_out(problem, scores, without):  # type: ignore[no-untyped-def]
    """Score all documents, and each of them without each of its tokens.

    Where the best of several paths counts, a score is the weighted sum of the best
    paths into each state.

    Parameters
    ----------
    problem : PathProblem
    scores : ndarray of shape (n_documents, d)
    without : ndarray of shape (n_tokens, d)
        To be filled; a score that no path adds to is 0.
    """
    main_path, self_loop, ids, offsets, starts, final = problem[:6]
    additive, maximum, anywhere = problem[6:]
    scores[:], without[:] = 0.0, 0.0
    zero = -np.inf if additive else 0.0
    one = 0.0 if additive else 1.0
    for b in range(offsets.shape[0] - 1):
        first, last = offsets[b], offsets[b + 1]
        rows = ids[first:last]
        for i in range(starts.shape[0] - 1):
            states = slice(starts[i], starts[i + 1])
            u, f, own = main_path[:, states], self_loop[:, states], final[states].copy()
            n_states = own.shape[0]
            # A maximum doesn't distribute over the weighted sum of states.
            for k in range(n_states if maximum else 1):
                ends, weight = own, 1.0
                if maximum:
                    ends, weight = np.full(n_states, zero), own[k]
                    ends[k] = one
                if weight > 0.0:
                    scores[b, i] += _leave_out(
                        u,
                        f,
                        rows,
                        ends,
                        weight,
                        anywhere,
                        additive,
                        maximum,
                        without[first:last, i],
                    )


@jit
def _leave_out(  # type: ignore[no-untyped-def]
    u, f, rows, ends, weight, anywhere, additive, maximum, without
):
    """Add the score without each token; return the score with all of them.

    Parameters
    ----------
    u, f : ndarray of shape (n_rows, K)
        Weights of one automaton's transitions.
    rows : ndarray of shape (T,), integer
        The row of each token.
    ends : ndarray of shape (K,)
        Weight of a path that ends in a state; the semiring's zero: none may.
    weight : float
        Factor of the scores.
    anywhere, additive, maximum : bool
        As in `PathProblem`.
    without : ndarray of shape (T,)
        To which the scores without each token are added.
    """
    c, read = _forward(u, f, rows, ends, anywhere, additive, maximum)
    zero = -np.inf if additive else 0.0
    after = np.full(ends.shape[0] + 1, zero)
    if not anywhere:
        after[1:] = ends
    for t in range(rows.shape[0] - 1, -1, -1):
        # Here ``after`` leaves out the paths that end before the next token: where they
        # count, they are among those read so far.
        score = read[t] if anywhere else zero
        for k in range(ends.shape[0] + 1):
            score = _plus(score, _times(c[t, k], after[k], additive), maximum)
        without[t] += weight * score if score > -np.inf else 0.0
        if anywhere:
            for k in range(ends.shape[0]):
                after[k + 1] = _plus(after[k + 1], ends[k], maximum)
        _step_back(u, f, rows[t], after, additive, maximum)
    return weight * read[-1] if read[-1] > -np.inf else 0.0


@jit
def _forward(u, f, rows, ends, anywhere, additive, maximum):  # type: ignore[no-untyped-def]
    """Score the states after each token, and what may be read of them.

    Parameters
    ----------
    u, f, rows, ends, anywhere, additive, maximum
        As for `_leave_out`.

    Returns
    -------
    c : ndarray of shape (T + 1, K + 1)
        Of all paths into each state, from before the first token on.
    read : ndarray of shape (T + 1,)
        Of all paths that end at a token; with ``anywhere``, at that one or before.
    """
    n_tokens, n_states = rows.shape[0], ends.shape[0]
    zero = -np.inf if additive else 0.0
    c = np.full((n_tokens + 1, n_states + 1), zero)
    c[:, 0] = 0.0 if additive else 1.0
    read = np.full(n_tokens + 1, zero)
    for t in range(n_tokens):
        if anywhere:
            read[t + 1] = read[t]
        for k in range(1, n_states + 1):
            entering = _times(c[t, k - 1], u[rows[t], k - 1], additive)
            looping = _times(c[t, k], f[rows[t], k - 1], additive)
            c[t + 1, k] = _plus(entering, looping, maximum)
            ending = _times(c[t + 1, k], ends[k - 1], additive)
            read[t + 1] = _plus(read[t + 1], ending, maximum)
    return c, read


@part
def _step_back(u, f, row, after, additive, maximum):  # type: ignore[no-untyped-def]
    """Go from what follows a token to what follows the one before.

    Parameters
    ----------
    u, f : ndarray of shape (n_rows, K)
    row : int
        Of the token.
    after : ndarray of shape (K + 1,)
        What the rest of the document makes of a path in each state; changed in place.
    additive, maximum : bool
        As in `PathProblem`.
    """
    n_states = after.shape[0] - 1
    for k in range(n_states + 1):
        # The start state's loop weighs one.
        looping = after[0] if k == 0 else _times(f[row, k - 1], after[k], additive)
        if k < n_states:
            entering = _times(u[row, k], after[k + 1], additive)
            looping = _plus(looping, entering, maximum)
        after[k] = looping


@part
def _plus(a, b, maximum):  # type: ignore[no-untyped-def]
    return max(a, b) if maximum else a + b


@part
def _times(a, b, additive):  # type: ignore[no-untyped-def]
    return a + b if additive else a * b
