import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrational import SparseRationalClassifier
from skrational.model_selection._path import PathPoint, RegularizationPath
from skrational.structures import RationalStructure


def make_path(kept, scores, error=0.02, test_scores=None, template=None):
    """A path whose points are told apart by their number, ``coef_``."""
    n = len(kept)
    test_scores = np.full(n, np.nan) if test_scores is None else test_scores
    points = [
        PathPoint(10.0**i / 1000, RationalStructure((4, 4), k, 5, 1), v, error, t, i)
        for i, (k, v, t) in enumerate(zip(kept, scores, test_scores, strict=True))
    ]
    fitted = [
        {"coef_": np.array([[i]]), "classes_": np.array([0, 1])} for i in range(n)
    ]
    return RegularizationPath(
        template or SparseRationalClassifier(n_wfsas=2), points, fitted, 12.34
    )


def number(clf):
    return clf.coef_.item()


@pytest.fixture
def path():
    return make_path(
        [(4, 4), (4, 2), (3, 1), (1, 0), (0, 0)], [0.90, 0.91, 0.90, 0.85, 0.5]
    )


kept_lengths = st.tuples(st.integers(0, 4), st.integers(0, 4))
few_scores = st.sampled_from([0.5, 0.7, 0.71, 0.9])


@given(st.lists(st.tuples(kept_lengths, few_scores), min_size=1), st.integers(0, 9))
def test_choices_are_those_of_a_search_through_all_points(rows, limit):
    path = make_path(*zip(*rows, strict=True))
    points = [(score, -sum(kept), -i) for i, (kept, score) in enumerate(rows)]
    assert number(path.best()) == -max(points)[2]
    level = [p for p in points if p[0] >= max(points)[0] - 0.02]
    expected = max(level, key=lambda p: (p[1], p[0], p[2]))
    assert number(path.smallest_within_one_se()) == -expected[2]
    allowed = [p for p in points if -p[1] <= limit]
    if allowed:
        assert number(path.at(n_transitions=limit)) == -max(allowed)[2]
    else:
        least = min(-p[1] for p in points)
        with pytest.raises(ValueError, match=f"={limit}.* smallest has {least} tr"):
            path.at(n_transitions=limit)


def test_the_standard_error_is_that_of_the_best_point():
    path = make_path([(4, 4), (2, 2), (1, 1)], [0.9, 0.87, 0.8], error=0.02)
    assert number(path.smallest_within_one_se()) == 0
    path = make_path([(4, 4), (2, 2), (1, 1)], [0.9, 0.87, 0.8], error=0.04)
    assert number(path.smallest_within_one_se()) == 1


def test_a_lambda_is_found_although_it_was_printed(path):
    assert number(path.at(lambda_=0.1)) == 2
    assert number(path.at(lambda_=0.1 * (1 + 1e-12))) == 2
    zero = PathPoint(0.0, path.points[0].structure, 0.9, 0.1, np.nan, 1.0)
    alone = RegularizationPath(SparseRationalClassifier(), [zero], [{}], 1.0)
    assert alone.at(lambda_=0).lambda_ == 0
    with pytest.raises(ValueError, match=r"lambda_=1e-12 is not on the path.*\[0.0\]"):
        alone.at(lambda_=1e-12)


@pytest.mark.parametrize("wrong", [{}, {"n_transitions": 3, "lambda_": 0.1}])
def test_at_takes_one_of_the_two(path, wrong):
    with pytest.raises(ValueError, match="one of them"):
        path.at(**wrong)


def test_a_path_is_a_sequence(path):
    assert len(path) == 5
    assert [number(clf) for clf in path] == [0, 1, 2, 3, 4]
    assert [number(clf) for clf in reversed(path)] == [4, 3, 2, 1, 0]
    assert number(path[-1]) == number(path[np.int64(4)]) == 4
    for i in (5, -6):
        with pytest.raises(IndexError):
            path[i]
    with pytest.raises(TypeError):
        path[1.0]


@pytest.mark.parametrize("part", [slice(1, 3), slice(None, None, -2), slice(-2, None)])
def test_a_slice_is_a_path(path, part):
    sliced = path[part]
    assert isinstance(sliced, RegularizationPath)
    assert sliced.points == path.points[part]
    assert [number(clf) for clf in sliced] == list(range(5))[part]


def test_an_empty_slice_has_no_points_to_choose_from(path):
    none = path[:0]
    assert len(none) == len(none.to_frame()) == 0
    assert list(none.to_frame()) == list(path.to_frame())
    assert "0 points" in repr(none)
    for choose in (none.best, lambda: none.at(size=5)):
        with pytest.raises(ValueError, match="The path has no points"):
            choose()
    for choose in (none.best, none.smallest_within_one_se):
        with pytest.raises(ValueError):
            choose()


def test_each_call_gives_a_classifier_of_its_own(path):
    first, second = path[1], path[1]
    first.coef_[...] = 7
    first.set_params(n_wfsas=9)
    assert number(second) == number(path[1]) == 1
    assert path[1].n_wfsas == 2
    assert [clf.lambda_ for clf in path] == [point.lambda_ for point in path.points]


def test_the_template_is_neither_kept_nor_changed():
    class Silent:
        def setup(self, estimator, context): ...
        def teardown(self, estimator, context): ...
        def on_fit_task_begin(self, estimator, context): ...
        def on_fit_task_end(self, estimator, context): ...

    generator = np.random.RandomState(0)
    template = SparseRationalClassifier(n_wfsas=2, random_state=generator)
    template.set_callbacks(Silent())
    before = dict(vars(template))
    path = make_path([(4, 4)], [0.9], template=template)
    clf = path[0]
    assert vars(template) == before
    assert not any("callback" in name for name in vars(clf) | vars(path._template))
    assert clf.random_state is not generator
    template.set_params(n_wfsas=24)
    assert path[0].n_wfsas == 2


def test_the_frame_has_a_row_for_each_point(path):
    frame = path.to_frame()
    assert list(frame) == [
        "lambda_",
        "n_transitions",
        "n_wfsas",
        "n_parameters",
        "validation_score",
        "validation_error",
        "test_score",
        "seconds",
        "lengths",
    ]
    assert frame["n_transitions"].tolist() == [8, 6, 4, 1, 0]
    assert frame["n_wfsas"].tolist() == [2, 2, 2, 1, 0]
    # 5 features: 11 a state, the readout's one a WFSA and its bias.
    assert frame["n_parameters"].tolist() == [91, 69, 47, 13, 1]
    assert frame["lengths"].tolist() == [(4, 4), (4, 2), (3, 1), (1,), ()]
    assert frame["test_score"].isna().all()


def test_the_text_is_a_table():
    path = make_path([(4, 4), (1, 0)], [0.90123, 0.85])
    assert repr(path).splitlines() == [
        "2 points in 12.3 s",
        "lambda_  n_transitions  n_wfsas  validation_score  seconds",
        "  0.001              8        2            0.9012     0.00",
        "   0.01              1        1            0.8500     1.00",
    ]
    scored = make_path([(4, 4), (1, 0)], [0.9, 0.85], test_scores=[0.8, 0.7])
    assert "test_score" in repr(scored)


def test_a_point_has_the_counts_of_automata_under_their_names(path):
    point = path.points[0]
    assert {"n_transitions", "n_wfsas", "size"} <= {*dir(point)}
    assert point.size == point.n_transitions == point.structure.n_transitions
    assert not hasattr(point, "n_fixed_self_loops")


@pytest.mark.parametrize("size", ["6", 2.5, True, -1])
def test_sizes_are_integers(size):
    path = RegularizationPath(SparseRationalClassifier(), [], [], 0.0)
    for name in ("size", "n_transitions"):
        with pytest.raises(ValueError, match=f"^{name} is .*; expected an integer"):
            path.at(**{name: size})
    with pytest.raises(ValueError, match=r"^lambda_ is '1'; expected a number"):
        path.at(lambda_="1")


def test_places_on_the_path_are_integers_within_it():
    path = RegularizationPath(SparseRationalClassifier(), [], [], 0.0)
    with pytest.raises(IndexError, match=r"path\[99\] is not on the path, which has 0"):
        path[99]
    with pytest.raises(TypeError, match=r"path\['a'\]: a str; expected an integer"):
        path["a"]


def of_documents(scores, sizes):
    points = [
        PathPoint(i + 1.0, RationalStructure((9,), (k,), 5, 1), s.mean(), 0, 0, 0, s)
        for i, (s, k) in enumerate(zip(np.float32(scores), sizes, strict=True))
    ]
    return RegularizationPath(SparseRationalClassifier(), points, [{}] * len(sizes), 1)


def test_a_cross_fitted_score_is_that_of_what_the_others_chose():
    rng = np.random.default_rng(0)
    scores, sizes = rng.integers(2, size=(5, 30)), [9, 7, 5, 3, 1]
    path = of_documents(scores, sizes)
    by_hand = []
    for i in range(30):
        others = np.delete(scores, i, axis=1).sum(axis=1)
        best = max(range(5), key=lambda k: (others[k], -sizes[k]))
        by_hand.append(scores[best, i])
    assert path.cross_fitted_score(n_splits=30) == pytest.approx(np.mean(by_hand))
    small = of_documents(scores[2:], sizes[2:])
    assert path.cross_fitted_score(size=5) == small.cross_fitted_score()


def test_luck_does_not_flatter_a_cross_fitted_score():
    rng = np.random.default_rng(0)
    paths = [of_documents(rng.integers(2, size=(20, 200)), [5] * 20) for _ in range(20)]
    best = [max(p.validation_score for p in path.points) for path in paths]
    assert np.mean(best) > 0.55
    cross_fitted = [path.cross_fitted_score() for path in paths]
    assert np.mean(cross_fitted) == pytest.approx(0.5, abs=0.015)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "no point of the path is that small"),
        ({"size": -1}, "size"),
        ({"n_splits": 1}, "n_splits"),
        ({"n_splits": 31}, r"n_splits is 31; expected 2 to 30.* validation documents"),
        ({"random_state": "one"}, "random_state is 'one'; expected an integer"),
        ({"random_state": -1}, "random_state is -1; expected an integer"),
        ({"random_state": np.random.default_rng(0)}, "random_state is Generator"),
    ],
)
def test_what_cannot_be_cross_fitted_is_named(options, message):
    path = of_documents(np.ones((2, 30)), [2, 1])
    with pytest.raises(ValueError, match=message):
        path.cross_fitted_score(**options)


def test_a_path_of_an_earlier_version_cannot_be_cross_fitted(path):
    with pytest.raises(ValueError, match="an earlier version has followed it"):
        path.cross_fitted_score()
