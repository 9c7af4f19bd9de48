"""Best and worst paths beside all paths, one by one."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skrational.inspection.matching.paths import Path, extreme_paths
from skrational.inspection.matching.weighted_tokens import WeightedTokens
from skrational.structures.automata import WeightedAutomata


@st.composite
def problems(draw):
    """Tables of weights of a few automata, and ragged documents over them."""
    lengths = tuple(draw(st.lists(st.integers(1, 4), min_size=1, max_size=3)))
    sizes = draw(st.lists(st.integers(0, 8), min_size=1, max_size=4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_rows, n_states = 6, sum(lengths)
    semiring = draw(st.sampled_from(["plus-times", "max-times", "max-plus"]))
    u, f = rng.normal(size=(n_rows, n_states)), rng.uniform(size=(n_rows, n_states))
    if draw(st.booleans()):  # ties and zeros
        u, f = u.round(), np.where(f < 0.5, 0.5, 1.0)
    if semiring == "max-plus":
        f = np.log(f)
    final = rng.choice([0.0, 0.5, 1.0], n_states)
    tokens = WeightedTokens(
        0,
        len(sizes),
        u,
        f,
        rng.integers(0, n_rows, sum(sizes)),
        np.cumsum([0, *sizes], dtype=np.int64),
    )
    automata = WeightedAutomata(
        W_u=np.zeros((n_states, 1)),
        W_f=np.zeros((n_states, 1)),
        b_f=np.zeros(n_states),
        final=final,
        lengths=lengths,
        numbers=tuple(range(len(lengths))),
        coef=np.zeros((1, len(lengths))),
        intercept=np.zeros(1),
        semiring=semiring,
        match=draw(st.sampled_from(["anywhere", "end"])),
    )
    return automata, tokens


@settings(max_examples=200, derandomize=True)
@given(problem=problems())
def test_paths_equal_those_of_an_enumeration(problem, all_paths):
    automata, tokens = problem
    sides = extreme_paths(automata, tokens)
    for b, (start, stop) in enumerate(itertools.pairwise(tokens.offsets)):
        rows = tokens.ids[start:stop]
        for i in range(automata.n_wfsas):
            states = automata.states(i)
            every = list(
                all_paths(
                    tokens.main_path[rows][:, states],
                    tokens.self_loop[rows][:, states],
                    automata.final[states],
                    anywhere=automata.match == "anywhere",
                    additive=automata.semiring == "max-plus",
                )
            )
            for paths, extreme in zip(sides, (max, min), strict=True):
                found = paths.path(b, i)
                if not every:
                    assert found is None and np.isnan(paths.scores[b, i])
                    continue
                score = extreme(path.score for path in every)
                np.testing.assert_allclose(found.score, score, rtol=1e-12, atol=1e-300)
                # The path that is given has the score that is given.
                (own,) = (
                    path
                    for path in every
                    if (path.entries, path.end) == (found.entries, found.end)
                )
                np.testing.assert_allclose(own.score, score, rtol=1e-12, atol=1e-300)


def test_a_negative_weight_after_the_worst_start_makes_the_best_path():
    automata = WeightedAutomata(
        W_u=np.zeros((2, 1)),
        W_f=np.zeros((2, 1)),
        b_f=np.zeros(2),
        final=np.array([0.0, 1.0]),
        lengths=(2,),
        numbers=(0,),
        coef=np.ones((1, 1)),
        intercept=np.zeros(1),
    )
    u = np.array([[3.0, 0.0], [-2.0, 0.0], [0.0, -5.0]])
    tokens = WeightedTokens(
        0, 1, u, np.full((3, 2), 0.5), np.arange(3), np.array([0, 3])
    )
    best, worst = extreme_paths(automata, tokens)
    assert best.path(0, 0) == Path(wfsa=0, score=10.0, entries=(1, 2), end=3)
    assert worst.path(0, 0) == Path(wfsa=0, score=-7.5, entries=(0, 2), end=3)


def test_cells_mark_self_loops_and_abbreviate_them():
    path = Path(wfsa=0, score=1.0, entries=(1, 2, 5), end=9)
    assert path.span == (1, 6) and path.start == 1
    assert path.cells(list("abcdefghi")) == ["b", "c (d) (e)", "f (g) (h) ..."]


@pytest.mark.parametrize("key", [slice(1, 3), [1, 2]])
def test_paths_are_a_sequence_of_documents(key):
    automata, tokens = _three_documents()
    best, _ = extreme_paths(automata, tokens)
    assert len(best) == 3
    assert list(best[key]) == [best[1], best[2]]
    assert best[0] == (None,)
    with pytest.raises(IndexError, match="document 3 is out of range for 3"):
        best[3]


def _three_documents():
    automata = WeightedAutomata(
        W_u=np.ones((1, 1)),
        W_f=np.ones((1, 1)),
        b_f=np.zeros(1),
        final=np.ones(1),
        lengths=(1,),
        numbers=(3,),
        coef=np.ones((1, 1)),
        intercept=np.zeros(1),
    )
    u, f = automata.transition_weights([[1.0], [2.0]])
    offsets = np.array([0, 0, 1, 3])
    return automata, WeightedTokens(0, 3, u, f, np.array([0, 1, 0]), offsets)


def test_a_wfsa_that_is_not_there_has_no_path():
    best, _ = extreme_paths(*_three_documents())
    for wfsa in (-1, 1):
        with pytest.raises(IndexError, match=f"wfsa is {wfsa}; expected 0 to 0"):
            best.path(1, wfsa)
