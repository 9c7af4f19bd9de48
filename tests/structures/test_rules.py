import itertools

import numpy as np
import pytest

from skrational.inspection.meaning import sentence
from skrational.structures.automata import WeightedAutomata
from skrational.structures.meaning import meaning_of
from skrational.structures.rules import rules_in_words, rules_of

WORDS = np.array(["not", "worth", "great", "it", "the", "never"])


def automata(rng, lengths=(3, 1), semiring="plus-times", n_outputs=1, final=None):
    n, d = sum(lengths), len(lengths)
    return WeightedAutomata(
        W_u=rng.normal(size=(n, 4)),
        W_f=rng.normal(size=(n, 4)),
        b_f=rng.normal(size=n),
        final=np.ones(n) if final is None else final,
        lengths=lengths,
        numbers=tuple(range(d)),
        coef=rng.normal(size=(n_outputs, d)),
        intercept=rng.normal(size=n_outputs),
        semiring=semiring,
    )


def brute_force(model, features, documents):
    """Score every run of words of every document, as its only path without gaps."""
    u, _ = model.transition_weights(features)
    for wfsa in range(model.n_wfsas):
        states = range(*model.states(wfsa).indices(model.n_transitions))
        scores, counts = {}, {}
        for document in documents:
            for start, n in itertools.product(range(len(document)), range(1, 9)):
                run = tuple(document[start : start + n])
                if len(run) < n or n > len(states):
                    continue
                weights = [u[w, s] for w, s in zip(run, states, strict=False)]
                added = model.semiring == "max-plus"
                score = sum(weights) if added else np.prod(weights)
                scores[run] = score * model.final[states[n - 1]]
                counts[run] = counts.get(run, 0) + 1
        least = {
            n: min(3, max(c for r, c in counts.items() if len(r) == n))
            for n in {len(r) for r in counts}
        }
        yield {r: s for r, s in scores.items() if counts[r] >= least[len(r)]}


@pytest.mark.parametrize("semiring", ["plus-times", "max-plus", "max-times"])
@pytest.mark.parametrize("seed", range(5))
def test_rules_are_those_of_all_runs_of_words(semiring, seed):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(len(WORDS), 4))
    documents = [rng.integers(len(WORDS), size=n) for n in rng.integers(0, 9, 60)]
    final = rng.uniform(0.1, 1, size=4)
    model = automata(rng, semiring=semiring, final=final)
    offsets = np.cumsum([0, *map(len, documents)])
    rules = rules_of(model, features, WORDS, np.concatenate(documents), offsets)
    assert rules.shape == (2, 2, 3)
    assert rules.dtype.kind == "U"
    for of_wfsa, scores in zip(
        rules, brute_force(model, features, documents), strict=True
    ):
        texts = {r: " ".join(WORDS[list(r)]) for r in scores}
        ordered = sorted(scores, key=scores.get)
        best = [texts[r] for r in ordered[::-1] if scores[r] > 0][:3]
        worst = [texts[r] for r in ordered if scores[r] < 0][:3]
        assert [rule for rule in of_wfsa[0] if rule] == best
        assert [rule for rule in of_wfsa[1] if rule] == worst


def test_long_corpora_are_looked_at_evenly():
    rng = np.random.default_rng(0)
    features = np.diag([1.0, 1, 1, 1])
    model = automata(rng, lengths=(1,))
    n = 40_000
    # The strongest word stands in the second half only, as in texts sorted by class.
    indices = np.repeat([1, 2], n)
    strong = int(np.argmax(np.abs(model.transition_weights(features)[0][1:3, 0]))) + 1
    indices = indices if strong == 2 else 3 - indices
    rules = rules_of(model, features, WORDS[:4], indices, np.arange(2 * n + 1))
    assert WORDS[strong] in rules


def test_empty_documents_and_no_token_have_no_rules():
    model = automata(np.random.default_rng(0))
    nothing = np.array([], dtype=np.int64)
    rules = rules_of(model, np.eye(4), WORDS[:4], nothing, np.zeros(3, np.int64))
    assert (rules == "").all()


def test_classes_are_those_whose_logits_rise():
    assert meaning_of(np.array([1.0])) == ((1,), (0,))
    assert meaning_of(np.array([-2.0])) == ((0,), (1,))
    assert meaning_of(np.zeros(1)) == ((), ())
    many = np.array([5.0, 5.1, -1.0, 0.0])
    assert meaning_of(many) == meaning_of(many + 100) == ((1, 0), (2, 3))


@pytest.mark.parametrize("seed", range(3))
def test_print_and_headings_name_the_same_classes(seed):
    weights = np.random.default_rng(seed).standard_cauchy(30)
    weights = np.zeros(30) + (np.arange(30) == 4) if seed == 2 else weights
    names = [f"c{i}" for i in range(30)]
    model = automata(np.random.default_rng(0), lengths=(1,))
    model = type(model)(
        **{**vars(model), "coef": weights[:, None], "intercept": np.zeros(30)}
    )
    rules = np.array([[["up", "", ""], ["down", "", ""]]])
    _, high, low, _ = rules_in_words(model, rules, np.array(names)).splitlines()
    heading = "".join(
        piece.text
        for piece in sentence(weights, [repr(name) for name in names])
        if not piece.text.startswith(" (")
    )
    high = high.removeprefix("  for ").removesuffix(': "up"')
    low = low.removeprefix("  for ").removesuffix(': "down"')
    assert heading == f"high scores speak for {high}, negative ones for {low}"


def test_a_side_whose_weights_are_small_speaks_for_no_class():
    alone = np.array([1.0, *np.zeros(9)])
    text = "".join(piece.text for piece in sentence(-alone, "abcdefghij"))
    assert text == (
        "high scores speak for no class in particular, negative ones for a (-0.900)"
    )


def test_rules_are_told_for_the_classes_they_speak_for():
    model = automata(np.random.default_rng(0), lengths=(2, 1))
    model = type(model)(
        **{
            **vars(model),
            "coef": np.array([[1.0, -2.0]]),
            "intercept": np.array([-3.0]),
        }
    )
    rules = np.array([[["not worth", "", ""], ["", "", ""]], [["it", "a", ""]] * 2])
    told = rules_in_words(model, rules, np.array(["bad", "good"]))
    assert told.splitlines() == [
        "WFSA 0, 2 transitions",
        "  for 'good': \"not worth\"",
        "WFSA 1, 1 transition",
        '  for \'bad\': "it", "a"',
        '  for \'good\': "it", "a"',
        "bias: 3.00 for 'bad'",
    ]
    unnamed = rules_in_words(model, None, np.array([0, 1])).splitlines()
    assert unnamed[1:3] == ["  for 1: high scores", "  for 0: negative scores"]
