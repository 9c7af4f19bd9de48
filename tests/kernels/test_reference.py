from itertools import product
from math import exp, inf, log1p, prod

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational.kernels.reference import state_scores

SEMIRINGS = "plus-times", "max-plus", "max-times"


def sigmoid(z):
    return 1 / (1 + exp(-z))


def weigh(z_u, z_f, semiring):
    """Weights f and u of the two transitions, by the paper's equations."""
    if semiring == "plus-times":
        return sigmoid(z_f), (1 - sigmoid(z_f)) * z_u
    if semiring == "max-plus":
        return -log1p(exp(-z_f)), sigmoid(z_u)
    return sigmoid(z_f), sigmoid(z_u)


def plus(a, b, semiring):
    return a + b if semiring == "plus-times" else max(a, b)


def times(a, b, semiring):
    return a + b if semiring == "max-plus" else a * b


def run_automaton(weights, n_states, anywhere, semiring):
    """Scores of the states of one automaton; ``weights[t][k]`` is the pair (f, u)."""
    zero, one = (-inf, 0.0) if semiring == "max-plus" else (0.0, 1.0)
    c = [one] + [zero] * n_states
    total = [zero] * n_states
    for step in weights:
        after = [one]
        for k in range(1, n_states + 1):
            f, u = step[k - 1]
            stay, enter = times(f, c[k], semiring), times(u, c[k - 1], semiring)
            after.append(plus(stay, enter, semiring))
        c = after
        total = [plus(a, b, semiring) for a, b in zip(total, c[1:], strict=True)]
    scores = total if anywhere else c[1:]
    return [0.0 if s == -inf else s for s in scores]


def enumerate_paths(weights, n_states, anywhere, semiring):
    """The same scores, from a list of every path."""
    found = [[] for _ in range(n_states)]
    n = len(weights)
    for end in range(1, n + 1) if anywhere else [n]:
        for start in range(end):
            for advances in product([False, True], repeat=end - start):
                states = np.cumsum(advances)
                if not advances[0] or states[-1] > n_states:
                    continue
                path = [
                    weights[start + i][k - 1][int(is_advance)]
                    for i, (is_advance, k) in enumerate(
                        zip(advances, states, strict=True)
                    )
                ]
                weight = sum(path) if semiring == "max-plus" else prod(path)
                found[states[-1] - 1].append(weight)
    join = sum if semiring == "plus-times" else max
    return [join(weights) if weights else 0.0 for weights in found]


def expected_scores(rule, problem, anywhere, semiring):
    x, W_u, W_f, b_f, ids, offsets, lengths = problem
    x, W_u, W_f, b_f = (tensor.tolist() for tensor in (x, W_u, W_f, b_f))

    def dot(a, b):
        return sum(p * q for p, q in zip(a, b, strict=True))

    scores = np.zeros((len(offsets) - 1, sum(lengths)))
    for b in range(len(offsets) - 1):
        first = 0
        for n_states in lengths:
            weights = [
                [
                    weigh(dot(W_u[s], x[i]), dot(W_f[s], x[i]) + b_f[s], semiring)
                    for s in range(first, first + n_states)
                ]
                for i in ids[offsets[b] : offsets[b + 1]]
            ]
            scores[b, first : first + n_states] = rule(
                weights, n_states, anywhere, semiring
            )
            first += n_states
    return scores


def draw_problem(seed, sizes, lengths, n_features=3, n_rows=4):
    rng = np.random.default_rng(seed)
    offsets = np.cumsum([0, *sizes])
    S = sum(lengths)
    shapes = (n_rows, n_features), (S, n_features), (S, n_features), (S,)
    tensors = (torch.from_numpy(rng.normal(size=shape)) for shape in shapes)
    ids = rng.integers(0, n_rows, offsets[-1]).astype(np.int32)
    return *tensors, ids, offsets, tuple(lengths)


@settings(max_examples=60)
@given(
    seed=st.integers(0, 2**16),
    sizes=st.lists(st.integers(0, 8), max_size=4),
    lengths=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    anywhere=st.booleans(),
    semiring=st.sampled_from(SEMIRINGS),
)
def test_equals_the_equations(seed, sizes, lengths, anywhere, semiring):
    problem = draw_problem(seed, sizes, lengths)
    scores = state_scores(*problem, anywhere=anywhere, semiring=semiring)
    expected = expected_scores(run_automaton, problem, anywhere, semiring)
    np.testing.assert_allclose(scores, expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("semiring", SEMIRINGS)
@pytest.mark.parametrize("anywhere", [False, True])
def test_equals_the_enumeration_of_all_paths(anywhere, semiring):
    problem = draw_problem(0, sizes=[1, 2, 0, 5, 6], lengths=[1, 3, 2, 4])
    scores = state_scores(*problem, anywhere=anywhere, semiring=semiring)
    expected = expected_scores(enumerate_paths, problem, anywhere, semiring)
    np.testing.assert_allclose(scores, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("semiring", SEMIRINGS)
def test_a_path_that_is_longer_than_the_document_scores_zero(semiring):
    problem = draw_problem(1, sizes=[0, 1, 2], lengths=[3])
    for anywhere in (False, True):
        scores = state_scores(*problem, anywhere=anywhere, semiring=semiring)
        reached = (scores != 0).tolist()
        assert reached == [[False] * 3, [True, False, False], [True, True, False]]


@pytest.mark.parametrize("semiring", SEMIRINGS)
def test_no_tokens_and_no_documents_are_possible(semiring):
    for sizes in ([], [0], [0, 0]):
        scores = state_scores(*draw_problem(2, sizes, [2, 1]), semiring=semiring)
        assert scores.tolist() == [[0.0] * 3] * len(sizes)


def test_a_match_anywhere_scores_at_least_one_at_the_end():
    x, W_u, W_f, b_f, *rest = draw_problem(3, sizes=[7, 4], lengths=[4, 2])
    best = state_scores(x, W_u, W_f, b_f, *rest, semiring="max-times")
    anywhere = state_scores(
        x, W_u, W_f, b_f, *rest, anywhere=True, semiring="max-times"
    )
    assert torch.all(best > 0)
    assert torch.all(anywhere >= best)


@pytest.mark.parametrize("semiring", SEMIRINGS)
@pytest.mark.parametrize("anywhere", [False, True])
@pytest.mark.parametrize("empty", [[], [1, 3]], ids=str)
def test_gradients_are_those_of_finite_differences(anywhere, semiring, empty):
    """States without main-path weights, too, whose scores are 0 in plus-times."""
    *tensors, ids, offsets, lengths = draw_problem(4, [0, 1, 4], [2, 3], 2, 3)
    tensors[1][empty] = 0

    def scores(*tensors):
        return state_scores(
            *tensors, ids, offsets, lengths, anywhere=anywhere, semiring=semiring
        )

    assert torch.autograd.gradcheck(scores, [t.requires_grad_() for t in tensors])
