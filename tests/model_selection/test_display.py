import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from skrational import SparseRationalClassifier
from skrational.model_selection._display import RegularizationPathDisplay

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

RING = "smallest within one standard error of the best"


def path(sizes, scores, test_scores=None, error=np.nan):
    """A path by the attributes that are drawn."""
    test_scores = np.full(len(sizes), np.nan) if test_scores is None else test_scores
    return SimpleNamespace(
        interrupted=False,
        points=tuple(
            SimpleNamespace(
                n_transitions=n,
                validation_score=v,
                validation_error=error,
                test_score=t,
            )
            for n, v, t in zip(sizes, scores, test_scores, strict=True)
        ),
    )


def frame_of(paths):
    return pd.concat(
        pd.DataFrame([vars(point) for point in path.points])
        .assign(lambda_=1e-3 * 2.0 ** np.arange(len(path.points)), seed=seed)
        .sample(frac=1, random_state=0)
        for seed, path in enumerate(paths)
    )


@pytest.fixture
def ax():
    return Figure().subplots()


@pytest.fixture
def paths():
    return [
        path([64, 20, 5, 0], [0.90, 0.91, 0.85, 0.5], [0.89, 0.90, 0.80, 0.5]),
        path([60, 16, 3], [0.88, 0.90, 0.84], [0.87, 0.91, 0.81]),
        path([62, 18, 4, 2], [0.89, 0.92, 0.83, 0.7], [0.90, 0.89, 0.82, 0.7]),
    ]


def spans(errorbar):
    """Half the length of the bars of each point, in x and in y."""
    return [
        np.array([np.ptp(ends[:, i]) / 2 for ends in bars.get_segments()])
        for i, bars in enumerate(errorbar.lines[2])
    ]


def test_points_are_means_and_bars_standard_deviations_of_the_runs(paths, ax):
    display = RegularizationPathDisplay.from_path(paths, ax=ax, log=False)
    # pandas divides by n - 1.
    points = frame_of(paths).groupby("lambda_")
    sizes, scores = points["n_transitions"], points["validation_score"]
    (line,) = display.lines_
    np.testing.assert_allclose(line.get_xdata(), sizes.mean())
    np.testing.assert_allclose(line.get_ydata(), scores.mean())
    x_span, y_span = spans(display.errorbars_[0])
    np.testing.assert_allclose(x_span, sizes.std().fillna(0))
    np.testing.assert_allclose(y_span, scores.std().fillna(0), atol=1e-12)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure


def test_a_logarithmic_axis_leaves_empty_models_out_and_says_who_counts(paths, ax):
    display = RegularizationPathDisplay.from_path(paths, ax=ax)
    np.testing.assert_array_equal(display.n_runs_[""], [3, 3, 3, 1])
    np.testing.assert_allclose(display.lines_[0].get_xdata()[-1], 2)
    np.testing.assert_allclose(display.lines_[0].get_ydata()[-1], 0.7)
    assert [text.get_text() for text in ax.texts] == ["1 of 3"]
    assert ax.get_xscale() == "log"


def test_models_that_are_all_empty_leave_an_axis_without_a_point(ax):
    display = RegularizationPathDisplay.from_path(path([0], [0.5]), ax=ax)
    np.testing.assert_array_equal(display.n_runs_[""], [0])
    ax.figure.canvas.draw()


@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(1, 99), st.floats(0, 1)), min_size=1, max_size=5
        ),
        min_size=1,
        max_size=4,
    )
)
def test_runs_of_any_lengths_count_where_they_are(runs):
    paths = [path(*zip(*run, strict=True)) for run in runs]
    display = RegularizationPathDisplay.from_path(paths, ax=Figure().subplots())
    longest = max(map(len, runs))
    expected = [sum(len(run) > i for run in runs) for i in range(longest)]
    assert display.n_runs_[""].tolist() == expected
    assert display.scores[""].shape == (len(runs), longest)
    means = [
        np.mean([run[i][1] for run in runs if len(run) > i]) for i in range(longest)
    ]
    sizes = [np.mean([r[i][0] for r in runs if len(r) > i]) for i in range(longest)]
    best = {}
    for x, y in zip(sizes, means, strict=True):
        best[x] = max(y, best.get(x, 0.0))
    line = display.lines_[0]
    np.testing.assert_allclose(line.get_xdata(), sorted(best, reverse=True))
    np.testing.assert_allclose(
        line.get_ydata(), [best[x] for x in sorted(best, reverse=True)]
    )
    assert len(display.others_[0].get_xdata()) == longest - len(best)


def test_the_score_on_test_data_is_drawn_where_there_is_one(paths, ax):
    display = RegularizationPathDisplay.from_path(paths[0], score="test", ax=ax)
    np.testing.assert_allclose(display.lines_[0].get_ydata(), [0.89, 0.90, 0.80])
    assert ax.get_ylabel() == "accuracy (test)"
    assert ax.get_xlabel() == "main-path transitions"
    with pytest.raises(ValueError, match="X_test and y_test"):
        RegularizationPathDisplay.from_path(path([3], [0.9]), score="test")


def test_curves_and_baselines_are_told_apart_and_named(paths, ax):
    display = RegularizationPathDisplay.from_path(
        {"kitchen": paths, "dvd": paths[0], "books": paths[:2]},
        baselines={
            "TF-IDF": np.float32(0.5),
            "pooling": (40, 0.8),
            "dense": (96, 0.9, 4, 0.01),
        },
        ax=ax,
    )
    looks = {(line.get_color(), line.get_marker()) for line in display.lines_}
    assert len(looks) == 3
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["kitchen", "dvd", "books", RING, "TF-IDF", "pooling", "dense"]
    line, marker, barred = display.baselines_
    np.testing.assert_array_equal(line.get_ydata(), [0.5, 0.5])
    np.testing.assert_array_equal(marker.lines[0].get_xydata(), [[40, 0.8]])
    assert not marker.lines[2]
    np.testing.assert_allclose(np.ravel(spans(barred)), [4, 0.01])


def test_a_second_display_on_the_axes_goes_on_with_the_looks(paths, ax):
    first = RegularizationPathDisplay.from_path(paths, name="prox", ax=ax)
    second = RegularizationPathDisplay.from_path(paths[0], name="subgradient", ax=ax)
    assert first.lines_[0].get_color() != second.lines_[0].get_color()
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["prox", "subgradient", RING]


def test_one_curve_without_a_name_has_no_legend_and_may_be_styled(paths, ax):
    display = RegularizationPathDisplay.from_path(
        paths, ax=ax, color="black", choose=None
    )
    assert ax.get_legend() is None
    assert display.lines_[0].get_color() == "black"
    assert display.rings_ == {}


def edges(band):
    """Lower and upper edge of a band, by rising size."""
    points = np.concatenate([p.vertices for p in band.get_paths()])
    columns = [points[points[:, 0] == x, 1] for x in np.unique(points[:, 0])]
    return [c.min() for c in columns], [c.max() for c in columns]


def test_the_band_of_one_run_is_the_error_of_its_documents(ax):
    one = path([8, 4, 2], [0.9, 0.8, 0.7], error=0.02)
    display = RegularizationPathDisplay.from_path(one, ax=ax)
    low, high = edges(display.bands_[0])
    np.testing.assert_allclose(low, [0.68, 0.78, 0.88])
    np.testing.assert_allclose(high, [0.72, 0.82, 0.92])


def test_the_band_of_several_runs_is_the_error_of_their_mean(ax):
    runs = [path([8, 4], [0.90, 0.80]), path([8, 4], [0.84, 0.80])]
    display = RegularizationPathDisplay.from_path(runs, ax=ax)
    low, high = edges(display.bands_[0])
    np.testing.assert_allclose(low, [0.80, 0.84])
    np.testing.assert_allclose(high, [0.80, 0.90])


def test_a_score_on_test_data_has_no_band_of_other_documents(ax):
    one = path([8, 4], [0.9, 0.8], [0.7, 0.6], error=0.02)
    display = RegularizationPathDisplay.from_path(one, score="test", ax=ax)
    assert not any(len(p.vertices) for p in display.bands_[0].get_paths())


def test_of_equal_sizes_the_line_goes_through_the_best_on_validation_data(ax):
    one = path([9, 4, 4, 4, 1], [0.9, 0.7, 0.8, 0.6, 0.5], [0.1, 0.4, 0.2, 0.3, 0.0])
    for score, best in (("validation", 0.8), ("test", 0.2)):
        display = RegularizationPathDisplay.from_path(one, score=score, ax=ax)
        x, y = display.lines_[0].get_data()
        assert x.tolist() == [9, 4, 1]
        assert y[1] == best
        assert display.others_[0].get_xdata().tolist() == [4, 4]


@pytest.mark.parametrize("score", ["validation", "test"])
def test_the_ring_is_around_the_smallest_within_one_standard_error(score, ax):
    scores = [0.90, 0.91, 0.895, 0.7]
    one = path([64, 20, 8, 2], scores, [0.1, 0.2, 0.3, 0.4], error=0.02)
    display = RegularizationPathDisplay.from_path(one, score=score, ax=ax)
    assert display.chosen == {"": 2}
    ring = display.rings_[""]
    assert ring.get_xydata().tolist() == [[8, 0.895 if score == "validation" else 0.3]]
    best = RegularizationPathDisplay.from_path(one, choose="best", ax=ax)
    assert best.chosen == {"": 1}
    assert best.rings_[""].get_label() == "best"


def test_several_runs_are_chosen_from_by_their_mean(ax):
    runs = [path([64, 20, 8], [0.9, 0.92, 0.9]), path([64, 20, 8], [0.9, 0.96, 0.86])]
    display = RegularizationPathDisplay.from_path(runs, ax=ax)
    # The means are .9, .94 and .88, the standard error of the best one is .02.
    assert display.chosen == {"": 1}


def test_without_standard_errors_nothing_is_chosen(ax):
    display = RegularizationPathDisplay.from_path(path([4, 2], [0.9, 0.8]), ax=ax)
    assert display.chosen == {} and display.rings_ == {}


def test_a_search_marks_its_own_choice(paths, ax):
    search = SimpleNamespace(paths_=paths, best_index_=2)
    display = RegularizationPathDisplay.from_estimator(search, ax=ax)
    assert display.chosen == {"": 2}
    assert display.rings_[""].get_label() == "chosen by the search"
    plain = RegularizationPathDisplay.from_estimator(search, choose=None, ax=ax)
    assert plain.rings_ == {}


def test_baselines_are_drawn_over_the_split_that_they_were_scored_on(paths):
    baselines = {
        "TF-IDF": {"validation": 0.88, "test": 0.90},
        "dense": {"test": (96, 0.91)},
        "majority": 0.5,
    }
    for score, labels in (
        ("validation", ["TF-IDF", "majority"]),
        ("test", ["TF-IDF", "dense", "majority"]),
    ):
        display = RegularizationPathDisplay.from_path(
            paths, score=score, baselines=baselines, ax=Figure().subplots()
        )
        assert list(display.baselines) == labels
        height = baselines["TF-IDF"][score]
        assert list(display.baselines_[0].get_ydata()) == [height, height]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"chosen": {"a": 2}}, r"chosen\['a'\] is 2, but .* 2 points"),
        ({"chosen": {"b": 0}}, r"chosen\['b'\] is 0, but .* 0 points"),
        ({"errors": {"a": [[1]]}}, r"errors\['a'\] has the shape \(1, 1\)"),
        ({"ranking": {"b": [[1, 2]]}}, r"ranking\['b'\] .* no curve of this name"),
    ],
)
def test_what_does_not_pair_up_with_the_curves_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        RegularizationPathDisplay({"a": [[4, 2]]}, {"a": [[0.9, 0.8]]}, **options)


def test_a_display_of_an_earlier_version_is_drawn(paths, ax):
    display = RegularizationPathDisplay.from_path(paths, ax=ax)
    names = "n_transitions", "scores", "score_name", "baselines", "size_label"
    old = RegularizationPathDisplay.__new__(RegularizationPathDisplay)
    old.__setstate__({name: getattr(display, name) for name in names})
    assert old.plot(Figure().subplots()).rings_ == {}


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("largest", [5, 40, 96, 1500])
def test_sizes_are_labelled_with_whole_numbers(log, largest, ax):
    sizes = np.unique(np.geomspace(largest / 5, largest, 5).round().astype(int))[::-1]
    RegularizationPathDisplay.from_path(path(sizes, sizes / 2000), ax=ax, log=log)
    ax.figure.canvas.draw()
    low, high = ax.get_xlim()
    ticks = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
    texts = [text.get_text() for at, text in ticks if low <= at <= high]
    assert len(texts) >= 2
    assert all(text.isdigit() for text in texts)


def test_a_figure_is_made_if_no_axes_are_given(paths):
    before = plt.get_fignums()
    display = RegularizationPathDisplay.from_path(paths)
    assert len(plt.get_fignums()) == len(before) + 1
    plt.close(display.figure_)
    RegularizationPathDisplay.from_path(paths, ax=Figure().subplots())
    assert plt.get_fignums() == before


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ([[]], {}, ValueError, "no path"),
        ([{}], {}, ValueError, "no curve"),
        ([["kitchen"]], {}, TypeError, "paths holds a str"),
        ([3], {}, TypeError, "paths holds a int"),
        ([{"a": path([1], [1])}], {"name": "b"}, ValueError, "name is 'b'"),
        ([path([1], [1])], {"score": "train"}, ValueError, "score is 'train'"),
        (
            [path([1], [1])],
            {"baselines": {"TF-IDF": (1, 2, 3)}},
            ValueError,
            r"baselines\['TF-IDF'\] is \(1, 2, 3\)",
        ),
        (
            [path([1], [1])],
            {"baselines": {"TF-IDF": "high"}},
            ValueError,
            r"baselines\['TF-IDF'\] is 'high'",
        ),
    ],
)
def test_what_cannot_be_drawn_is_named(arguments, options, error, message):
    with pytest.raises(error, match=message):
        RegularizationPathDisplay.from_path(*arguments, **options)


def test_arrays_that_do_not_pair_up_are_refused():
    with pytest.raises(ValueError, match=r"\['b'\].*\['a'\]"):
        RegularizationPathDisplay({"a": [[1]]}, {"b": [[1]]})
    with pytest.raises(ValueError, match=r"\(1, 2\) and \(1, 1\)"):
        RegularizationPathDisplay({"a": [[1, 2]]}, {"a": [[1]]})
    with pytest.raises(ValueError, match=r"expected \(n_runs, n_lambdas\)"):
        RegularizationPathDisplay({"a": [1, 2]}, {"a": [1, 2]})


def test_a_table_draws_what_its_paths_do(paths, ax):
    frame = pd.concat(
        [
            frame_of(paths).assign(dataset="kitchen"),
            frame_of(paths[1:]).assign(dataset="books"),
        ]
    )
    drawn = RegularizationPathDisplay.from_frame(frame, ax=ax, score="test")
    expected = RegularizationPathDisplay.from_path(
        {"kitchen": paths, "books": paths[1:]}, ax=Figure().subplots(), score="test"
    )
    assert list(drawn.scores) == ["kitchen", "books"]
    for name in drawn.scores:
        np.testing.assert_array_equal(drawn.scores[name], expected.scores[name])
        np.testing.assert_array_equal(
            drawn.n_transitions[name], expected.n_transitions[name]
        )


def test_a_table_of_one_path_needs_no_columns_beside_it(paths, ax):
    frame = frame_of(paths[:1]).drop(columns="seed")
    drawn = RegularizationPathDisplay.from_frame(frame, by=None, seed=None, ax=ax)
    assert drawn.n_transitions[""].tolist() == [[64, 20, 5, 0]]


def test_tables_with_a_column_missing_or_runs_mixed_up_are_refused(paths):
    frame = frame_of(paths)
    with pytest.raises(ValueError, match=r"no \['dataset'\]"):
        RegularizationPathDisplay.from_frame(frame)
    with pytest.raises(ValueError, match=r"several rows of .*'lambda_'"):
        RegularizationPathDisplay.from_frame(frame, by=None, seed=None)


@pytest.fixture
def fitted_paths(monkeypatch):
    """Replace what fits a path by a record of what it was asked for."""
    asked = []

    def regularization_path(estimator, X, y, **options):
        asked.append((estimator.random_state, X, y, options))
        return path([5, 2], [0.9, 0.8])

    module = ModuleType("_path_fit")
    module.regularization_path = regularization_path
    name = "skrational.model_selection._path_fit"
    monkeypatch.setitem(sys.modules, name, module)
    return asked


def test_an_unfitted_classifier_fits_a_path_with_each_seed(fitted_paths, ax):
    clf = SparseRationalClassifier(random_state=8)
    display = RegularizationPathDisplay.from_estimator(
        clf, "X", "y", random_states=range(2), name="books", X_val="X_val", ax=ax
    )
    assert fitted_paths == [(s, "X", "y", {"X_val": "X_val"}) for s in (0, 1)]
    assert display.scores["books"].shape == (2, 2)
    assert clf.random_state == 8


def test_without_seeds_the_classifier_has_its_own(fitted_paths, ax):
    clf = SparseRationalClassifier(random_state=8)
    RegularizationPathDisplay.from_estimator(clf, "X", "y", random_states=None, ax=ax)
    assert [seed for seed, *_ in fitted_paths] == [8]


def test_a_fitted_search_draws_its_folds(paths, ax):
    search = SimpleNamespace(paths_=paths)
    display = RegularizationPathDisplay.from_estimator(search, ax=ax)
    assert len(display.scores[""]) == 3
    with pytest.raises(ValueError, match="expected the estimator alone"):
        RegularizationPathDisplay.from_estimator(search, "X", "y")


def test_an_unfitted_classifier_needs_data_and_a_known_score(fitted_paths):
    clf = SparseRationalClassifier()
    with pytest.raises(ValueError, match=r"X or y is None.* no paths_"):
        RegularizationPathDisplay.from_estimator(clf)
    with pytest.raises(ValueError, match="score is 'train'"):
        RegularizationPathDisplay.from_estimator(clf, "X", "y", score="train")
    with pytest.raises(ValueError, match="choose is 'largest'"):
        RegularizationPathDisplay.from_estimator(clf, "X", "y", choose="largest")
    assert not fitted_paths


def test_drawing_without_matplotlib_says_what_to_install(monkeypatch, paths):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"skrational\[plots\]"):
        RegularizationPathDisplay.from_path(paths)
