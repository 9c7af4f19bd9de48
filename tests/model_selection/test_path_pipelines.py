import html.parser
import pickle

import numpy as np
import pytest
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_product_reviews
from skrational.model_selection import (
    RegularizationPathDisplay,
    SparseRationalClassifierCV,
    regularization_path,
)
from skrational.model_selection._path_run import PathRun

LAMBDAS = [1e-3, 1e-2, 3e-2]
REVIEWS = make_product_reviews(150, random_state=0)
TEXTS, LABELS = REVIEWS.texts[:110], REVIEWS.labels[:110]
OTHERS = {"X_test": REVIEWS.texts[110:], "y_test": REVIEWS.labels[110:]}


def quick(**params):
    defaults = {"n_wfsas": 3, "warmup_epochs": 1, "finetune_epochs": 2}
    return SparseRationalClassifier(**(defaults | {"random_state": 0} | params))


def follow(estimator, X=TEXTS, **options):
    options = {"lambdas": LAMBDAS, "epochs_per_lambda": 1} | options
    return regularization_path(estimator, X, LABELS, **options)


@pytest.fixture(scope="module")
def pipeline():
    return make_pipeline(WordVectorizer(n_features=8), quick())


@pytest.fixture(scope="module")
def path(pipeline):
    return follow(pipeline, **OTHERS)


def test_a_path_of_a_pipeline_is_that_of_its_classifier(pipeline, path):
    vectorizer = WordVectorizer(n_features=8).fit(TEXTS)
    others = OTHERS | {"X_test": vectorizer.transform(OTHERS["X_test"])}
    expected = follow(quick(), vectorizer.transform(TEXTS), **others)
    assert [p.size for p in path.points] == [p.size for p in expected.points]
    scores = [p.test_score for p in expected.points]
    assert [p.test_score for p in path.points] == scores
    for fitted, clf, point in zip(path, expected, path.points, strict=True):
        assert isinstance(fitted, Pipeline)
        assert list(fitted.named_steps) == list(pipeline.named_steps)
        np.testing.assert_array_equal(
            fitted.predict_proba(TEXTS), clf.predict_proba(vectorizer.transform(TEXTS))
        )
        assert fitted.score(OTHERS["X_test"], OTHERS["y_test"]) == pytest.approx(
            point.test_score
        )
        assert fitted[-1].lambda_ == point.lambda_


def test_what_is_chosen_is_a_pipeline_that_reads_texts(path):
    size = path.points[1].size
    for chosen in (
        path.best(),
        path.smallest_within_one_se(),
        path.at(size=size),
        path.at(n_transitions=size),
        path.at(lambda_=LAMBDAS[0]),
        path[1:][0],
        path[-1],
    ):
        assert chosen.predict(["It is not worth the money."]).shape == (1,)


def test_the_pipeline_that_is_given_stays_unfitted(pipeline, path):
    assert not hasattr(pipeline[0], "vocabulary_")
    assert not hasattr(pipeline[-1], "coef_")
    assert path[0][0] is path[1][0]
    assert path[0][-1] is not path[0][-1]


def test_a_path_of_pipelines_is_pickled(path):
    again = pickle.loads(pickle.dumps(path))
    np.testing.assert_array_equal(again[0].predict(TEXTS), path[0].predict(TEXTS))
    assert repr(again) == repr(path)


def test_validation_texts_are_transformed_too(pipeline):
    held_out = {"X_val": OTHERS["X_test"], "y_val": OTHERS["y_test"]}
    path = follow(pipeline, **held_out, **OTHERS)
    for point in path.points:
        assert point.validation_score == pytest.approx(point.test_score)


def test_other_steps_and_none_may_come_before(path):
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    longer = Pipeline(
        [
            ("lower", lower),
            ("none", None),
            ("words", WordVectorizer(n_features=8)),
            ("clf", quick()),
        ]
    )
    followed = follow(longer)
    assert list(followed[0].named_steps) == ["lower", "none", "words", "clf"]
    assert followed[0].predict(TEXTS[:2]).shape == (2,)
    X = WordVectorizer(n_features=8).fit_transform(TEXTS)
    alone = follow(make_pipeline(quick()), X)
    assert alone[0].predict(X).shape == (len(TEXTS),)


def test_a_pipeline_has_to_end_with_the_classifier():
    with pytest.raises(TypeError, match="last step of a pipeline"):
        follow(make_pipeline(WordVectorizer()))
    with pytest.raises(TypeError, match="got SparseRationalClassifierCV"):
        follow(make_pipeline(WordVectorizer(), SparseRationalClassifierCV()))


def test_faults_are_found_before_the_steps_are_fitted():
    class Slow(WordVectorizer):
        def fit(self, X, y=None):
            raise AssertionError

    with pytest.raises(ValueError, match="n_lambdas"):
        follow(make_pipeline(Slow(), quick()), lambdas=None, n_lambdas=0)
    with pytest.raises(ValueError, match="n_wfsas"):
        follow(make_pipeline(Slow(), quick(n_wfsas=0)))


def test_a_checkpoint_of_a_pipeline_goes_on(pipeline, path, tmp_path):
    with interrupted(2), pytest.warns(UserWarning, match="after 2 of 3 points"):
        cut = follow(pipeline, checkpoint_dir=tmp_path, **OTHERS)
    assert cut.interrupted
    assert len(cut) == 2
    np.testing.assert_array_equal(cut[1].predict(TEXTS), path[1].predict(TEXTS))
    whole = follow(pipeline, checkpoint_dir=tmp_path, **OTHERS)
    assert not whole.interrupted
    for mine, expected in zip(whole, path, strict=True):
        np.testing.assert_array_equal(
            mine.predict_proba(TEXTS), expected.predict_proba(TEXTS)
        )


def interrupted(at, function="branch"):
    """Interrupt a path at a point."""
    patch = pytest.MonkeyPatch()
    whole = getattr(PathRun, function)
    calls = []

    def interrupting(self, *args):
        calls.append(args)
        if len(calls) > at:
            raise KeyboardInterrupt
        return whole(self, *args)

    class Patched:
        def __enter__(self):
            patch.setattr(PathRun, function, interrupting)

        def __exit__(self, *error):
            patch.undo()

    return Patched()


@pytest.mark.parametrize("function", ["regularize", "branch", "finetune", "state"])
def test_an_interrupted_path_holds_the_points_that_are_done(path, pipeline, function):
    with interrupted(1, function), pytest.warns(UserWarning, match="1 of 3") as caught:
        cut = follow(pipeline, **OTHERS)
    assert caught[0].filename == __file__
    assert len(cut) == 1
    assert [p.test_score for p in cut.points] == [path.points[0].test_score]
    assert "interrupted" in repr(cut)
    assert "interrupted" in cut._repr_html_()
    np.testing.assert_array_equal(cut[0].predict(TEXTS), path[0].predict(TEXTS))


def test_before_the_first_point_the_interrupt_goes_on(pipeline):
    with interrupted(0), pytest.raises(KeyboardInterrupt):
        follow(pipeline)


def test_the_paths_of_a_search_are_whole_or_not_there():
    X = WordVectorizer(n_features=8).fit_transform(TEXTS)
    search = SparseRationalClassifierCV(quick(), lambdas=LAMBDAS, cv=2)
    with interrupted(4, "finetune"), pytest.raises(KeyboardInterrupt):
        search.fit(X, LABELS)


def test_a_display_of_several_seeds_takes_a_pipeline_and_ends_at_an_interrupt(pipeline):
    options = {"lambdas": LAMBDAS, "epochs_per_lambda": 1, "random_states": (0, 1)}
    from matplotlib.figure import Figure

    display = RegularizationPathDisplay.from_estimator(
        pipeline, TEXTS, LABELS, ax=Figure().subplots(), **options
    )
    assert display.n_runs_[""].max() == 2
    with interrupted(2), pytest.warns(UserWarning, match="interrupted"):
        display = RegularizationPathDisplay.from_estimator(
            pipeline, TEXTS, LABELS, ax=Figure().subplots(), **options
        )
    assert display.n_runs_[""].max() == 1


class Tags(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.seen, self.said = [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.seen.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.said += data


def test_the_path_draws_itself_in_a_notebook(path):
    read = Tags(path._repr_html_())
    assert read.seen.count("svg") == 1
    assert read.seen.count("tr") == 1 + len(path)
    assert "validation_score" in read.said
    for point in path.points:
        assert f"{point.test_score:.4f}" in read.said
    assert "currentColor" in path._repr_html_()
    assert path._repr_html_() == path._repr_html_()


def test_without_matplotlib_the_table_is_left(path, monkeypatch):
    import builtins

    imported = builtins.__import__

    def without(name, *args):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return imported(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    read = Tags(path._repr_html_())
    assert "svg" not in read.seen
    assert read.seen.count("tr") == 1 + len(path)


def test_parts_without_a_curve_have_a_table(path):
    assert "svg" not in Tags(path[:1]._repr_html_()).seen
    assert "0 points" in Tags(path[:0]._repr_html_()).said
