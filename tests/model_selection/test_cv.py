import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import (
    GridSearchCV,
    LeaveOneGroupOut,
    PredefinedSplit,
    StratifiedKFold,
)
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from skrational import (
    SparseLSTMClassifier,
    SparseRationalClassifier,
    SparseRationalClassifierCV,
    SparseRationalRegressor,
    SparseRationalRegressorCV,
    WordVectorizer,
)
from skrational.datasets import make_planted_patterns
from skrational.model_selection import regularization_path

DATA = make_planted_patterns(n_documents=180, random_state=0)
LAMBDAS = [1e-3, 1e-2, 5e-2]
SMALL = SparseRationalClassifier(
    n_wfsas=4,
    n_states=2,
    min_steps_per_epoch=1,
    warmup_epochs=2,
    max_epochs=20,
    finetune_epochs=8,
)
QUICK = {
    "n_wfsas": 3,
    "max_epochs": 1,
    "warmup_epochs": 0,
    "finetune_epochs": 0,
    "min_steps_per_epoch": 1,
}


def search(**params):
    given = {"lambdas": LAMBDAS, "cv": 3, "random_state": 0, **params}
    return SparseRationalClassifierCV(SMALL, **given)


@pytest.fixture(scope="module")
def fitted():
    return search(refit="best").fit(DATA.X, DATA.y)


FULL_BATCH = SparseRationalClassifier(
    n_wfsas=4,
    n_states=2,
    max_epochs=30,
    finetune_epochs=40,
    batch_size=None,
    dropout=0.0,
    dtype="float64",
)


@parametrize_with_checks(
    [SparseRationalClassifierCV(FULL_BATCH, lambdas=[1e-4, 1e-3, 1e-2], cv=2)]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_scores_are_those_of_the_classifiers_on_the_folds(fitted):
    splits = StratifiedKFold(3).split(DATA.X, DATA.y)
    for i, (train, test) in enumerate(splits):
        path = fitted.paths_[i]
        sizes = [clf.n_transitions_ for clf in path]
        scores = [clf.score(DATA.X[test], DATA.y[test]) for clf in path]
        n = len(path)
        results = fitted.cv_results_
        np.testing.assert_allclose(results[f"split{i}_test_score"][:n], scores)
        np.testing.assert_array_equal(results[f"split{i}_n_transitions"][:n], sizes)
        assert len(train) + len(test) == 180


def test_summaries_are_those_of_numpy(fitted):
    results = fitted.cv_results_
    for name in ("test_score", "n_transitions"):
        folds = np.array([results[f"split{i}_{name}"] for i in range(3)])
        np.testing.assert_allclose(results[f"mean_{name}"], folds.mean(axis=0))
        np.testing.assert_allclose(results[f"std_{name}"], folds.std(axis=0))
    best = results["mean_test_score"].argmax()
    assert results["rank_test_score"][best] == 1
    assert fitted.best_index_ == best
    assert fitted.lambda_ == LAMBDAS[best] == fitted.best_estimator_.lambda_
    assert fitted.lambdas_.tolist() == results["lambda_"].tolist() == LAMBDAS


def test_the_last_path_is_a_regularization_path(fitted):
    # The validation data don't take part in training without early stopping.
    path = regularization_path(
        clone(SMALL).set_params(random_state=0),
        DATA.X,
        DATA.y,
        lambdas=LAMBDAS,
        X_val=DATA.X,
        y_val=DATA.y,
    )
    expected = path[fitted.best_index_]
    np.testing.assert_array_equal(
        fitted.decision_function(DATA.X), expected.decision_function(DATA.X)
    )


@pytest.mark.parametrize("limit", [2, 4, 8])
def test_the_best_model_within_a_limit(limit):
    within = search(refit="max_transitions", max_transitions=limit).fit(DATA.X, DATA.y)
    assert within.n_transitions_ <= limit
    means = within.cv_results_["mean_test_score"]
    full = regularization_path(
        clone(SMALL).set_params(random_state=0),
        DATA.X,
        DATA.y,
        lambdas=LAMBDAS,
        X_val=DATA.X,
        y_val=DATA.y,
    )
    allowed = [i for i, p in enumerate(full.points) if p.n_transitions <= limit]
    assert within.best_index_ == max(allowed, key=lambda i: means[i])


def test_one_standard_error_takes_a_smaller_one_that_is_level(fitted):
    level = search(refit="one_se").fit(DATA.X, DATA.y)
    results = fitted.cv_results_
    folds = np.array([results[f"split{i}_test_score"] for i in range(3)])
    means, best = folds.mean(axis=0), fitted.best_index_
    error = folds[:, best].std(ddof=1) / np.sqrt(3)
    assert means[level.best_index_] >= means[best] - error
    assert (
        results["mean_n_transitions"][level.best_index_]
        <= results["mean_n_transitions"][best]
    )


def test_more_jobs_give_the_same_bits(fitted):
    twice = search(refit="best", n_jobs=2).fit(DATA.X, DATA.y)
    for name, values in fitted.cv_results_.items():
        np.testing.assert_array_equal(values, twice.cv_results_[name])
    np.testing.assert_array_equal(
        fitted.decision_function(DATA.X), twice.decision_function(DATA.X)
    )


def test_folds_may_be_given():
    groups = np.arange(180) % 2
    splits = list(LeaveOneGroupOut().split(DATA.X, DATA.y, groups))
    given = search(cv=splits).fit(DATA.X, DATA.y)
    predefined = search(cv=PredefinedSplit(groups)).fit(DATA.X, DATA.y)
    assert len(given.paths_) == 2
    np.testing.assert_array_equal(
        given.cv_results_["mean_test_score"], predefined.cv_results_["mean_test_score"]
    )


@pytest.mark.parametrize(
    "estimator",
    [
        search(cv=LeaveOneGroupOut()),
        SparseRationalClassifierCV(
            SparseLSTMClassifier(
                n_units=3, max_epochs=1, warmup_epochs=0, finetune_epochs=0
            ),
            cv=LeaveOneGroupOut(),
            lambdas=[1e-3],
            random_state=0,
        ),
        SparseRationalRegressorCV(
            SparseRationalRegressor(**QUICK), cv=LeaveOneGroupOut(), lambdas=[1e-3],
            random_state=0,
        ),
    ],
)  # fmt: skip
def test_groups_are_told_to_the_splitter(estimator):
    groups = np.random.default_rng(0).integers(2, size=180)
    splits = list(LeaveOneGroupOut().split(DATA.X, DATA.y, groups))
    found = clone(estimator).fit(DATA.X, DATA.y, groups=groups)
    expected = clone(estimator).set_params(cv=splits).fit(DATA.X, DATA.y)
    for key in ("split0_test_score", "split1_test_score"):
        np.testing.assert_array_equal(found.cv_results_[key], expected.cv_results_[key])
    np.testing.assert_array_equal(found.predict(DATA.X), expected.predict(DATA.X))
    pipeline = make_pipeline(clone(estimator))
    step = pipeline.steps[0][0]
    pipeline.fit(DATA.X, DATA.y, **{f"{step}__groups": groups})
    np.testing.assert_array_equal(pipeline.predict(DATA.X), found.predict(DATA.X))
    with pytest.raises(ValueError, match="'groups' parameter should not be None"):
        clone(estimator).fit(DATA.X, DATA.y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        clone(estimator).fit(DATA.X, DATA.y, groups=groups[:-1])


def test_default_lambdas_are_found_on_the_data():
    found = search(lambdas=None, n_lambdas=4).fit(DATA.X, DATA.y).lambdas_
    assert len(found) == 4
    assert (np.diff(found) > 0).all()


def test_it_predicts_and_pickles_like_its_classifier(fitted):
    X = DATA.X[:20]
    copy, best = pickle.loads(pickle.dumps(fitted)), fitted.best_estimator_
    for method in ("predict", "predict_proba", "predict_log_proba", "transform"):
        expected = getattr(best, method)(X)
        np.testing.assert_array_equal(getattr(fitted, method)(X), expected)
        np.testing.assert_array_equal(getattr(copy, method)(X), expected)
    assert fitted.learned_structure_ == best.learned_structure_
    assert len(fitted.get_feature_names_out()) == fitted.transform(X).shape[1]
    assert fitted.score(DATA.X, DATA.y) == best.score(DATA.X, DATA.y)


def test_in_a_pipeline_with_string_labels_and_in_a_search():
    labels = np.array(["no", "yes"])[DATA.y]
    vectorizer = WordVectorizer(DATA.vectors, tokenizer=str.split)
    pipeline = make_pipeline(vectorizer, search())
    grid = {"sparserationalclassifiercv__estimator__dropout": [0.0, 0.4]}
    fitted = GridSearchCV(pipeline, grid, cv=2).fit(DATA.texts, labels)
    assert set(fitted.predict(DATA.texts[:5])) <= {"no", "yes"}


class Recorder:
    """A callback that writes down the tasks it sees."""

    def __init__(self):
        self.tasks = []

    def setup(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context, **kwargs):
        pass

    def on_fit_task_end(self, estimator, context, **kwargs):
        self.tasks.append(context.task_name)
        return False

    def teardown(self, estimator, context):
        pass


def test_callbacks_see_the_folds():
    recorder = Recorder()
    search().set_callbacks(recorder).fit(DATA.X, DATA.y)
    assert recorder.tasks == ["fold 0", "fold 1", "fold 2", "refit", "fit"]


def test_a_failed_refit_leaves_what_was_there(fitted):
    twin = clone(fitted).fit(DATA.X, DATA.y)
    before = twin.decision_function(DATA.X)
    with pytest.raises(ValueError, match="only one class"):
        twin.fit(DATA.X, np.zeros(180))
    np.testing.assert_array_equal(twin.decision_function(DATA.X), before)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"max_transitions": 3}, "go together; got max_transitions=3, refit='one_se'"),
        ({"refit": "max_transitions"}, "go together; got max_transitions=None"),
        ({"refit": "max_transitions", "max_transitions": 0}, "max_transitions"),
        (
            {"refit": "max_transitions", "max_transitions": 9},
            "max_transitions=9 is more than the dense network has; expected 1 to 8",
        ),
        (
            {"refit": "max_transitions", "max_transitions": 1, "lambdas": [0.0, 1e-5]},
            "the largest lambda, 1e-05, leaves .* Add larger ones",
        ),
        ({"refit": "smallest"}, "refit"),
        ({"lambdas": []}, "lambdas must be a sequence of at least one number"),
        ({"lambdas": [0.1, 0.01]}, "lambdas must rise"),
        ({"lambdas": [0.1, 0.1]}, "none of them twice"),
        ({"lambdas": [-1.0, 0.1]}, "at least 0"),
        ({"n_lambdas": 0}, "n_lambdas"),
        ({"cv": [(np.arange(90), np.arange(90, 180))]}, "needs a standard error"),
    ],
)
def test_what_cannot_be_is_refused(params, message):
    with pytest.raises(ValueError, match=message):
        search(**params).fit(DATA.X, DATA.y)


def test_before_fit_there_is_nothing():
    assert not hasattr(search(), "classes_")
    with pytest.raises(ValueError, match="not fitted"):
        search().predict(DATA.X)
