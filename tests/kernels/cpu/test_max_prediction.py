"""Predictions of max-plus and max-times, against the equations written out."""

import math

import numpy as np
import pytest

from skrational.kernels.cpu.max_prediction import pack_automata
from skrational.structures.automata import ScoringRule

LENGTHS = 1, 3, 9, 4


def score(f, u, lengths, final, additive, anywhere):
    """Scores of one document, token by token, of weights (T, S)."""
    zero, one = (-math.inf, 0.0) if additive else (0.0, 1.0)
    scores, first = [], 0
    for length in lengths:
        c, best = [zero] * length, [zero] * length
        for t in range(len(f)):
            before = [one, *c[:-1]]
            for k in range(length):
                stay, enter = f[t, first + k], u[t, first + k]
                if additive:
                    stay, enter = stay + c[k], enter + before[k]
                else:
                    stay, enter = stay * c[k], enter * before[k]
                c[k] = max(stay, enter)
            best = [max(b, k) for b, k in zip(best, c, strict=True)]
        read = best if anywhere else c
        weights = final[first : first + length]
        total = sum(w * s for w, s in zip(weights, read, strict=True) if s > -math.inf)
        scores.append(total)
        first += length
    return scores


@pytest.mark.parametrize("match", ["anywhere", "end"])
@pytest.mark.parametrize("semiring", ["max-plus", "max-times"])
def test_many_ragged_documents_equal_the_equations(semiring, match):
    rng, n_states = np.random.default_rng(0), sum(LENGTHS)
    W_u, W_f = rng.normal(size=(2, n_states, 5))
    b_f, final = rng.normal(size=(2, n_states))
    features = rng.normal(size=(30, 5))
    lengths = rng.integers(0, 40, 150)  # more documents than are scored at a time
    offsets = np.concatenate([[7], 7 + np.cumsum(lengths)])
    ids = rng.integers(0, 30, offsets[-1]).astype(np.int32)
    rule = ScoringRule(semiring, "rho", match, 0.5)
    packed = pack_automata(LENGTHS, rule, W_u, W_f, b_f, final)
    table = np.empty((30, packed.width))
    packed.project(features, np.arange(30), table)
    found = packed.scores(table, ids, offsets)
    additive = semiring == "max-plus"
    f = 1 / (1 + np.exp(-(features @ W_f.T + b_f)))
    u = 1 / (1 + np.exp(-(features @ W_u.T)))
    f = np.log(f) if additive else f
    expected = [
        score(f[rows], u[rows], LENGTHS, final, additive, match == "anywhere")
        for rows in np.split(ids[7:], (offsets[1:-1] - 7))
    ]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
