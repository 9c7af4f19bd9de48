import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from skrational.datasets import make_adding
from skrational.sequences import SequenceArray


@settings(max_examples=40)
@given(
    st.integers(1, 20),
    st.integers(2, 30),
    st.integers(0, 10),
    st.sampled_from(["anywhere", "halves"]),
)
def test_two_numbers_are_marked_and_y_is_their_sum(n_sequences, low, more, markers):
    X, y = make_adding(n_sequences, (low, low + more), markers=markers, random_state=0)
    assert isinstance(X, SequenceArray)
    assert X.dtype == np.float32
    assert X.n_features == 2
    assert y.shape == (n_sequences,)
    for x, total in zip(X, y, strict=True):
        assert low <= len(x) <= low + more
        values, marked = x.astype(np.float64).T
        assert ((values >= 0) & (values <= 1)).all()
        assert sorted(marked)[-2:] == [1, 1]
        assert marked.sum() == 2
        assert values @ marked == pytest.approx(total)
        if markers == "halves":
            assert marked[: len(x) // 2].sum() == 1


def test_a_number_is_the_length_of_all():
    X, _ = make_adding(4, 7, random_state=0)
    assert X.lengths.tolist() == [7] * 4
    assert make_adding(random_state=0)[0].lengths.tolist() == [50] * 1000


def test_all_lengths_occur():
    X, _ = make_adding(200, (4, 8), random_state=0)
    assert set(X.lengths) == {4, 5, 6, 7, 8}


def test_all_pairs_are_equally_likely():
    X, _ = make_adding(6000, 4, random_state=0)
    marked = X.features[:, 1].reshape(-1, 4)
    counts = np.unique(marked, axis=0, return_counts=True)[1]
    assert len(counts) == 6
    assert stats.chisquare(counts).pvalue > 0.01


def test_values_are_uniform_and_the_variance_of_y_is_a_sixth():
    X, y = make_adding(5000, 5, random_state=0)
    assert stats.kstest(X.features[:, 0], "uniform").pvalue > 0.01
    assert y.mean() == pytest.approx(1, abs=0.02)
    assert y.var() == pytest.approx(1 / 6, abs=0.01)


def test_random_state_decides_everything(untouched_generators):
    one, two = (make_adding(5, (5, 9), random_state=3) for _ in range(2))
    assert one[0] == two[0]
    np.testing.assert_array_equal(one[1], two[1])
    generator = np.random.RandomState(3)
    assert make_adding(5, (5, 9), random_state=generator)[0] == one[0]
    assert make_adding(5, (5, 9), random_state=generator)[0] != one[0]
    assert make_adding(5)[0] != make_adding(5)[0]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_sequences": 0}, "n_sequences is 0; expected an integer from 1 upwards"),
        ({"n_sequences": True}, "n_sequences is True"),
        ({"length": 1}, "length must be an integer from 2 upwards.*got 1"),
        ({"length": 50.0}, "length must be an integer"),
        ({"length": (60, 40)}, r"low <= high; got \(60, 40\)"),
        ({"length": (1, 3)}, "length must be an integer from 2 upwards"),
        ({"length": (3, 4, 5)}, "length must be"),
        ({"length": "50"}, "length must be"),
        ({"markers": "ends"}, 'markers must be "anywhere" or "halves"; got \'ends\''),
        ({"random_state": "seed"}, "seed"),
    ],
)
def test_invalid_parameters(params, message):
    with pytest.raises(ValueError, match=message):
        make_adding(**params)
