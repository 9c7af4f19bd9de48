import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.datasets import make_classification
from sklearn.feature_selection import SelectKBest
from sklearn.metrics import get_scorer
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrational import SparseRationalClassifier
from skrational.datasets import make_planted_patterns
from skrational.model_selection._one_se import (
    score_and_size,
    smallest_within_one_se,
    within_one_se,
)

numbers = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
candidates = st.lists(
    st.tuples(numbers | st.just(np.nan), numbers, st.integers(0, 5)),
    min_size=1,
    max_size=12,
).filter(lambda rows: not all(np.isnan(mean) for mean, _, _ in rows))


@given(candidates)
def test_the_choice_is_that_of_a_plain_loop(rows):
    best = None
    for row in rows:
        if not np.isnan(row[0]) and (best is None or row[0] > best[0]):
            best = row
    chosen = None
    for i, (mean, _, size) in enumerate(rows):
        if not mean >= best[0] - best[1]:
            continue
        if chosen is None or (size, -mean) < (rows[chosen][2], -rows[chosen][0]):
            chosen = i
    assert within_one_se(*zip(*rows, strict=True)) == chosen


def test_the_candidates_order_decides_nothing_but_ties():
    means, errors, sizes = [0.8, 0.9, 0.89, 0.7], [0.5, 0.02, 0.5, 0.5], [2, 9, 5, 1]
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]):
        arrays = (np.take(a, order) for a in (means, errors, sizes))
        assert order[within_one_se(*arrays)] == 2


def test_a_size_that_is_no_number_is_the_largest():
    assert within_one_se([0.9, 0.9], [0, 0], [np.nan, 1e9]) == 1


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (([], [], []), "None of the 0 scores"),
        (([np.nan] * 2, [0.1] * 2, [1, 2]), "None of the 2 scores"),
        (([0.9, 0.8], [np.nan, 0.1], [1, 2]), "two splits"),
        (([0.9, 0.8], [0.1, 0.1], [1]), r"shapes \(2,\), \(2,\) and \(1,\)"),
    ],
)
def test_arrays_without_a_choice_are_refused(arrays, message):
    with pytest.raises(ValueError, match=message):
        within_one_se(*arrays)


def results(params, splits, **means):
    """What a search would report of scores of shape (n_splits, n_candidates)."""
    splits = np.array(splits, dtype=float)
    return {
        "params": params,
        "mean_test_score": splits.mean(axis=0),
        **{f"split{i}_test_score": split for i, split in enumerate(splits)},
        **{f"mean_test_{name}": np.array(values) for name, values in means.items()},
    }


# The first candidate has the mean 0.88 and the standard error 0.01.
SPLITS = [[0.90, 0.871, 0.869], [0.87, 0.871, 0.869], [0.87, 0.871, 0.869]]


def test_the_standard_error_is_that_of_the_mean_over_the_splits():
    error = np.std([0.90, 0.87, 0.87], ddof=1) / np.sqrt(3)
    below = 0.88 - error + np.array([1e-9, -1e-9])
    splits = np.array(SPLITS)
    splits[:, 1:] = below
    params = [{"a": a} for a in range(3)]
    chosen = smallest_within_one_se("n")(results(params, splits, n=[9, 5, 1]))
    assert chosen == 1


@pytest.mark.parametrize("name", ["lambda_", "sparserationalclassifier__lambda_"])
def test_a_grid_of_lambda_alone_needs_no_sizes(name):
    params = [{name: lambda_, "n_wfsas": 8} for lambda_ in (1e-3, 4e-3, 2e-3)]
    assert smallest_within_one_se()(results(params, SPLITS)) == 1
    reported = results(params, SPLITS, n_transitions_=[1, 2, 3])
    assert smallest_within_one_se()(reported) == 0


@pytest.mark.parametrize(
    "params",
    [
        [{"lambda_": a, "n_wfsas": b} for a, b in [(1, 1), (2, 1), (2, 2)]],
        [{"n_wfsas": a} for a in range(3)],
        [{"a__lambda_": a, "b__lambda_": 1} for a in range(3)],
    ],
)
def test_other_grids_are_told_the_scoring_to_use(params):
    with pytest.raises(ValueError, match=r"scoring=score_and_size\('n_trans"):
        smallest_within_one_se()(results(params, SPLITS))


def test_candidates_that_failed_never_win():
    params = [{"lambda_": lambda_} for lambda_ in (1e-3, 2e-3, 4e-3)]
    splits = np.array(SPLITS)
    splits[0, 2] = np.nan
    choose = smallest_within_one_se()
    assert choose(results(params, splits)) == 1
    with pytest.raises(ValueError, match="None of the 3 scores"):
        choose(results(params, np.full((3, 3), np.nan)))


def test_a_single_split_and_an_unknown_score_are_refused():
    params = [{"lambda_": lambda_} for lambda_ in (1e-3, 2e-3, 4e-3)]
    with pytest.raises(ValueError, match=r"1 split.* at least two"):
        smallest_within_one_se()(results(params, SPLITS[:1]))
    with pytest.raises(ValueError, match=r"'f1'.*\['score'\]"):
        smallest_within_one_se(score="f1")(results(params, SPLITS))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (smallest_within_one_se(), "smallest_within_one_se('n_transitions_')"),
        (smallest_within_one_se("n", score="f1"), "..._se('n', score='f1')"),
        (score_and_size(), "score_and_size('n_transitions_')"),
        (score_and_size("n", "accuracy"), "score_and_size('n', scoring='accuracy')"),
    ],
)
def test_both_can_be_pickled_and_show_how_they_were_made(value, text):
    assert repr(value).endswith(text.removeprefix("..."))
    assert pickle.loads(pickle.dumps(value)) == value


@pytest.fixture(scope="module")
def columns():
    # The best is k=3; k=2 is level by accuracy, and k=1 by F1.
    return make_classification(
        90, 10, n_informative=4, n_redundant=0, flip_y=0.1, random_state=2
    )


def fewest_level(cv_results, score):
    """The least k whose score is level with the best, by scikit-learn's own figures."""
    mean, std = (cv_results[f"{of}_test_{score}"] for of in ("mean", "std"))
    best = mean.argmax()
    n_splits = sum(key.endswith(f"_test_{score}") for key in cv_results) - 3
    level = mean >= mean[best] - std[best] / np.sqrt(n_splits - 1)
    return min(cv_results["param_selectkbest__k"][level])


@pytest.mark.parametrize("scoring", [None, "accuracy", get_scorer("accuracy")])
def test_a_search_over_columns_takes_the_fewest(columns, scoring):
    grid = {"selectkbest__k": [10, 3, 1, 2]}
    pipeline = make_pipeline(SelectKBest(), GaussianNB())
    size = "n_features_in_"
    search = GridSearchCV(
        pipeline,
        grid,
        scoring=score_and_size(size, scoring),
        refit=smallest_within_one_se(size),
        cv=3,
        n_jobs=2 if scoring is None else 1,
    ).fit(*columns)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_n_features_in_"], grid["selectkbest__k"]
    )
    plain = GridSearchCV(pipeline, grid, cv=3).fit(*columns).cv_results_
    assert search.best_params_["selectkbest__k"] == fewest_level(plain, "score") == 2
    assert search.score(*columns) == search.best_estimator_.score(*columns)


def test_several_metrics_name_the_score(columns):
    search = GridSearchCV(
        make_pipeline(SelectKBest(), GaussianNB()),
        {"selectkbest__k": [10, 1, 2, 3]},
        scoring={"f1": "f1", "size": lambda clf, X, y: clf[-1].n_features_in_},
        refit=smallest_within_one_se("size", score="f1"),
        cv=3,
    ).fit(*columns)
    expected = fewest_level(search.cv_results_, "f1")
    assert search.best_params_["selectkbest__k"] == expected == 1


def test_a_search_over_automata_weighs_their_transitions():
    data = make_planted_patterns(80, random_state=0)
    clf = SparseRationalClassifier(
        lambda_=0, n_states=2, max_epochs=1, finetune_epochs=1, random_state=0
    )
    search = GridSearchCV(
        make_pipeline(FunctionTransformer(), clf),
        {"sparserationalclassifier__n_wfsas": [3, 1]},
        scoring=score_and_size(),
        refit=smallest_within_one_se(),
        cv=2,
    ).fit(data.X, data.y)
    np.testing.assert_array_equal(
        search.cv_results_["mean_test_n_transitions_"], [6, 2]
    )


def test_a_size_that_is_not_there_is_named(columns):
    clf = GaussianNB().fit(*columns)
    with pytest.raises(AttributeError, match=r"'n_transitions_'.*GaussianNB"):
        score_and_size()(clf, *columns)


@pytest.mark.parametrize(
    ("scoring", "error"), [("no such score", ValueError), (3, TypeError)]
)
def test_a_scoring_that_is_none_is_refused_before_the_search(scoring, error):
    with pytest.raises(error):
        score_and_size(scoring=scoring)
