import sys
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import ShuffleSplit, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrational import SparseRationalClassifier
from skrational.datasets import make_planted_patterns
from skrational.model_selection._stability import (
    StructureStability,
    structure_stability,
)
from skrational.structures import RationalStructure

N_STATES = 3


def stability(*kept, scores=None):
    runs = tuple(RationalStructure((N_STATES,) * len(k), k, 5, 1) for k in kept)
    n = len(runs)
    return StructureStability(
        runs, scores or tuple(np.linspace(0.8, 0.9, n)), (None,) * n, tuple(range(n))
    )


kept_lengths = st.lists(st.integers(0, N_STATES), min_size=4, max_size=4)


@given(st.lists(kept_lengths, min_size=2, max_size=6))
def test_agreement_is_the_overlap_of_the_best_matching(kept):
    def overlap(a, b):
        # Equal lengths paired off, in the best of all orders.
        common = max(
            sum(x == y > 0 for x, y in zip(a, order, strict=True))
            for order in set(permutations(b))
        )
        union = np.count_nonzero(a) + np.count_nonzero(b) - common
        return common / union if union else 1.0

    expected = np.mean([overlap(a, b) for a, b in combinations(kept, 2)])
    assert stability(*kept).agreement == pytest.approx(expected)


@given(kept_lengths, st.integers(2, 4), st.randoms(use_true_random=False))
def test_runs_of_the_same_lengths_agree_in_whatever_order(kept, n_runs, random):
    runs = [random.sample(kept, len(kept)) for _ in range(n_runs)]
    assert stability(*runs).agreement == 1
    assert len(stability(*runs).counts_frame()) == 1


def test_a_single_run_has_neither_agreement_nor_spread():
    one = stability((1, 2))
    assert np.isnan([one.agreement, one.std_score, one.std_n_transitions]).all()
    assert one.mean_n_transitions == 3


@given(st.lists(kept_lengths, min_size=2, max_size=6))
def test_frames_count_what_the_structures_hold(kept):
    runs = stability(*kept)
    frame = runs.to_frame()
    assert frame["n_transitions"].tolist() == [sum(k) for k in kept]
    assert frame["n_transitions"].std() == pytest.approx(runs.std_n_transitions)
    assert frame["score"].mean() == pytest.approx(runs.mean_score)
    assert frame["score"].std() == pytest.approx(runs.std_score)

    counts = runs.counts_frame()
    assert counts["n_runs"].sum() == len(kept)
    assert counts["share"].sum() == pytest.approx(1)
    assert counts["n_runs"].is_monotonic_decreasing
    of_sizes = counts.groupby("n_wfsas")["n_runs"].sum()
    assert of_sizes.to_dict() == frame["n_wfsas"].value_counts().to_dict()

    exploded = frame["lengths"].explode()
    lengths = runs.lengths_frame()
    assert lengths.index.tolist() == [1, 2, 3]
    for k, row in lengths.iterrows():
        of_runs = (exploded == k).groupby(level=0).sum()
        assert row["mean"] == pytest.approx(of_runs.mean())
        assert row["std"] == pytest.approx(of_runs.std())
        assert (row["min"], row["max"]) == (of_runs.min(), of_runs.max())
        assert row["share"] == pytest.approx((of_runs > 0).mean())


def test_the_text_is_short_and_the_html_has_a_row_a_length():
    runs = stability((3, 0), (2, 1), scores=(0.8, 0.9))
    assert repr(runs).splitlines() == [
        "2 runs (2 seeds)",
        "  transitions  3 ± 0",
        "  WFSAs        1.5 ± 0.707",
        "  score        0.85 ± 0.0707",
        "  agreement    0",
    ]
    assert runs._repr_html_().count("<tr>") == 1 + N_STATES
    unscored = stability((3, 0), (2, 1), scores=(np.nan, np.nan))
    assert "score" not in repr(unscored)


def test_runs_without_a_label_are_refused():
    structure = RationalStructure((1,), (1,), 5, 1)
    with pytest.raises(ValueError, match=r"\[1, 2, 1, 1\]"):
        StructureStability((structure,), (0.5, 0.5), (0,), (0,))
    with pytest.raises(ValueError, match="at least 1"):
        StructureStability((), (), (), ())


def test_frames_without_pandas_say_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ImportError, match="pip install pandas"):
        stability((1,), (0,)).to_frame()


@pytest.fixture(scope="module")
def data():
    return make_planted_patterns(120, random_state=0)


@pytest.fixture
def clf():
    return SparseRationalClassifier(
        n_wfsas=4,
        n_states=3,
        lambda_=5e-3,
        warmup_epochs=0,
        max_epochs=2,
        finetune_epochs=1,
        random_state=7,
    )


def test_folds_are_those_of_a_cross_validation(data, clf):
    runs = structure_stability(clf, data.X, data.y, cv=3)
    expected = cross_val_score(clf, data.X, data.y, cv=3)
    assert runs.scores == tuple(expected)
    assert runs.folds == (0, 1, 2)
    assert runs.seeds == (None,) * 3
    train, _ = next(StratifiedKFold(3).split(data.X, data.y))
    alone = clone(clf).fit(data.X[train], data.y[train])
    assert runs.structures[0] == alone.learned_structure_
    assert not hasattr(clf, "learned_structure_")


def test_seeds_reach_the_end_of_a_pipeline(data, clf):
    pipeline = make_pipeline(FunctionTransformer(), clf)
    runs = structure_stability(
        pipeline, data.X, data.y, cv=None, random_states=[3, 1], n_jobs=2
    )
    for seed, structure in zip((3, 1), runs.structures, strict=True):
        alone = clone(clf).set_params(random_state=seed).fit(data.X, data.y)
        assert structure == alone.learned_structure_
    assert runs.seeds == (3, 1)
    assert runs.folds == (None, None)
    assert np.isnan(runs.scores).all()
    assert repr(runs).startswith("2 runs (2 seeds)")


def test_every_seed_sees_every_fold_and_folds_are_drawn_once(data, clf):
    runs = structure_stability(
        clf,
        data.X,
        data.y,
        cv=ShuffleSplit(2, random_state=np.random.RandomState(0)),
        random_states=iter([0, 1]),
        scoring="neg_log_loss",
    )
    assert list(zip(runs.folds, runs.seeds, strict=True)) == [
        (0, 0),
        (0, 1),
        (1, 0),
        (1, 1),
    ]
    splits = list(ShuffleSplit(2, random_state=np.random.RandomState(0)).split(data.y))
    expected = cross_val_score(
        clf.set_params(random_state=1),
        data.X,
        data.y,
        cv=splits,
        scoring="neg_log_loss",
    )
    np.testing.assert_array_equal(runs.scores[1::2], expected)
    assert repr(runs).startswith("4 runs (2 folds x 2 seeds)")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"cv": "five"}, ValueError, "cv"),
        ({"cv": None}, ValueError, "single run"),
        ({"cv": None, "random_states": [0]}, ValueError, "single run"),
        ({"random_states": []}, ValueError, "at least one seed"),
        ({"random_states": [1, 2, 1]}, ValueError, "none twice"),
        ({"random_states": 3}, TypeError, "random_states is 3"),
        ({"random_states": [0.5]}, TypeError, r"random_states is \[0.5\]"),
    ],
)
def test_wrong_options_are_named_before_anything_is_fitted(
    data, clf, options, error, message
):
    with pytest.raises(error, match=message):
        structure_stability(clf, data.X, data.y, **options)


def test_an_estimator_without_seeds_cannot_be_given_any(data):
    with pytest.raises(ValueError, match="LinearRegression has no parameter random"):
        structure_stability(LinearRegression(), data.X, data.y, random_states=[0, 1])
