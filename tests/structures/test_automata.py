"""The learned automata as numbers, beside the kernels' definition."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, softmax
from sklearn.exceptions import NotFittedError

from skrational import SparseRationalClassifier
from skrational.datasets import make_planted_patterns
from skrational.kernels.reference import transition_weights
from skrational.kernels.semirings import SEMIRINGS
from skrational.structures.automata import WeightedAutomata


def drawn(semiring, n_states=5, n_features=7, seed=0):
    rng = np.random.default_rng(seed)
    return WeightedAutomata(
        W_u=rng.normal(size=(n_states, n_features)),
        W_f=rng.normal(size=(n_states, n_features)),
        b_f=rng.normal(size=n_states),
        final=np.ones(n_states),
        lengths=(2, n_states - 2),
        numbers=(4, 7),
        coef=np.ones((1, 2)),
        intercept=np.zeros(1),
        semiring=semiring,
        length_exponent=0.5,
    )


@pytest.mark.parametrize("semiring", SEMIRINGS)
@given(n_rows=st.sampled_from([0, 1, 255, 256, 257, 600]), seed=st.integers(0, 99))
def test_transition_weights_equal_those_of_the_kernels(semiring, n_rows, seed):
    automata = drawn(semiring, seed=seed)
    x = np.random.default_rng(seed).normal(size=(n_rows, 7))
    weights = (automata.W_u, automata.W_f, automata.b_f)
    f, u = transition_weights(
        *map(torch.from_numpy, (x, *weights)), SEMIRINGS[semiring]
    )
    mine = automata.transition_weights(x)
    for ours, theirs in zip(mine, (u, f), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-12, atol=1e-13)


def test_the_bits_of_a_row_depend_on_no_other_row():
    automata = drawn("plus-times", n_features=300)
    x = np.random.default_rng(1).normal(size=(1000, 300)).astype(np.float32)
    u, f = automata.transition_weights(x)
    for rows in (slice(3, 4), slice(997, None), [5, 999, 0, 5], slice(100, 700)):
        for whole, part in zip(
            (u, f), automata.transition_weights(x[rows]), strict=True
        ):
            np.testing.assert_array_equal(part, whole[rows])


def test_the_scale_of_an_empty_document_is_one():
    np.testing.assert_allclose(drawn("plus-times").scale([0, 1, 4]), [1, 1, 0.5])


@pytest.fixture(scope="module")
def data():
    return make_planted_patterns(150, random_state=0)


@pytest.mark.parametrize("readout", ["sum", "last", "rho", "rho_softmax"])
@pytest.mark.parametrize("match", ["anywhere", "end"])
def test_a_classifier_shows_its_automata(data, readout, match):
    clf = SparseRationalClassifier(
        n_wfsas=4,
        n_states=(1, 3),
        readout=readout,
        match=match,
        lambda_=0,
        warmup_epochs=1,
        max_epochs=1,
        finetune_epochs=1,
        random_state=0,
    )
    with pytest.raises(NotFittedError):
        _ = clf.automata_
    automata = clf.fit(data.X, data.y).automata_
    assert automata.lengths == clf.learned_structure_.lengths == (1, 1, 3, 3)
    assert automata.numbers == clf.learned_structure_.survivors
    assert automata.match == match
    assert automata.length_exponent == (0.5 if match == "anywhere" else 0.0)
    assert (automata.n_wfsas, automata.n_transitions) == (4, 8)
    assert [automata.states(i) for i in (0, 2)] == [slice(0, 1), slice(2, 5)]
    rho = clf.weights_.get("rho", np.zeros(8))
    starts = automata.starts[:-1]
    expected = {
        "sum": np.ones(8),
        "last": [1, 1, 0, 0, 1, 0, 0, 1],
        "rho": expit(rho),
        "rho_softmax": np.concatenate(list(map(softmax, np.split(rho, starts[1:])))),
    }
    np.testing.assert_allclose(automata.final, expected[readout], rtol=1e-6)
    np.testing.assert_array_equal(automata.coef, clf.coef_)


def test_logits_are_the_exact_sum_of_their_terms(data):
    clf = SparseRationalClassifier(
        n_wfsas=6, max_epochs=2, finetune_epochs=1, random_state=0
    )
    clf.fit(data.X, data.y)
    terms = clf.coef_[0].astype(float) * clf.transform(data.X)
    logits = clf.decision_function(data.X)
    assert logits.dtype == np.float64
    expected = terms.sum(axis=1) + clf.intercept_[0].astype(float)
    np.testing.assert_allclose(logits, expected, rtol=1e-14, atol=1e-14)
