"""From raw text through pipelines and searches, as a user runs them."""

import io

import joblib
import numpy as np
import pytest
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from skrational import SparseRationalClassifier, WordVectorizer
from skrational.datasets import make_planted_patterns


@pytest.fixture(scope="module")
def data():
    return make_planted_patterns(240, random_state=0)


@pytest.fixture(scope="module")
def vector_file(data, tmp_path_factory):
    path = tmp_path_factory.mktemp("vectors") / "planted.50d.txt"
    lines = (
        f"{word} {' '.join(f'{v:.6f}' for v in vector)}\n"
        for word, vector in data.vectors.items()
    )
    path.write_text("".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def pipeline(vector_file, tmp_path):
    return make_pipeline(
        WordVectorizer(vector_file, cache=tmp_path),
        SparseRationalClassifier(
            n_wfsas=4, n_states=3, max_epochs=3, finetune_epochs=2, random_state=0
        ),
    )


GRID = {"sparserationalclassifier__lambda_": [1e-4, 3e-3]}


def test_a_grid_search_gives_the_same_bits_on_one_and_on_two_workers(data, pipeline):
    searches = [
        GridSearchCV(pipeline, GRID, cv=2, n_jobs=n_jobs).fit(data.texts, data.y)
        for n_jobs in (1, 2)
    ]
    one, two = (search.cv_results_ for search in searches)
    np.testing.assert_array_equal(one["mean_test_score"], two["mean_test_score"])
    np.testing.assert_array_equal(
        *(search.predict_proba(data.texts) for search in searches)
    )


def test_a_vectorizer_in_a_worker_is_a_path_and_not_a_table(data, pipeline):
    pipeline.fit(data.texts, data.y)
    buffer = io.BytesIO()
    joblib.dump(pipeline[0], buffer)
    table = sum(v.nbytes for v in data.vectors.values())
    assert buffer.tell() < table / 4


def test_searching_on_sequences_splits_them_as_they_are(data):
    clf = SparseRationalClassifier(
        n_wfsas=4, n_states=2, max_epochs=2, finetune_epochs=1, random_state=0
    )
    packed = cross_val_score(clf, data.X, data.y, cv=3)
    listed = cross_val_score(clf, data.X.to_list(), data.y, cv=3)
    np.testing.assert_array_equal(packed, listed)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_progress_bar_follows_a_grid_search(data, pipeline, n_jobs, capsys):
    search = GridSearchCV(pipeline, GRID, cv=2, n_jobs=n_jobs)
    search.set_callbacks(ProgressBar(max_propagation_depth=None))
    search.fit(data.texts, data.y)
    printed = capsys.readouterr().out
    assert "GridSearchCV" in printed
    assert "regularize" in printed
    assert "finetune" in printed


def test_a_scoring_monitor_sees_every_epoch(data):
    monitor = ScoringMonitor(scoring="accuracy")
    clf = SparseRationalClassifier(
        n_wfsas=4, n_states=2, max_epochs=3, finetune_epochs=2, random_state=0
    )
    clf.set_callbacks(monitor)
    clf.fit(data.X, data.y)
    rows = monitor.get_logs().data
    epochs = [row for row in rows if row["task_name"] == "epoch"]
    assert len(epochs) == clf.n_iter_
    assert rows[-1]["accuracy"] == clf.score(data.X, data.y)
    assert not hasattr(clf, "_callback_fit_ctx")


def test_a_scoring_monitor_weighs_the_samples(data):
    monitor = ScoringMonitor(scoring="accuracy")
    clf = SparseRationalClassifier(
        n_wfsas=2, n_states=1, warmup_epochs=0, max_epochs=1, finetune_epochs=1
    )
    clf.set_params(random_state=0, lambda_=0).set_callbacks(monitor)
    weights = np.where(data.y == 1, 5.0, 1.0)
    clf.fit(data.X, data.y, weights)
    expected = clf.score(data.X, data.y, weights)
    assert expected != clf.score(data.X, data.y)
    rows = monitor.get_logs().data
    assert rows[-1]["accuracy"] == expected


def test_a_callback_can_stop_each_phase(data):
    class StopAfterTwoEpochs:
        def setup(self, estimator, context):
            pass

        def teardown(self, estimator, context):
            pass

        def on_fit_task_begin(self, estimator, context):
            pass

        def on_fit_task_end(self, estimator, context):
            return context.task_name == "epoch" and context.task_id == 1

    clf = SparseRationalClassifier(n_wfsas=4, n_states=2, random_state=0)
    clf.set_callbacks(StopAfterTwoEpochs())
    clf.fit(data.X, data.y)
    phases = [row["phase"] for row in clf.history_]
    assert phases == ["warmup"] * 2 + ["regularize"] * 2 + ["finetune"] * 2


def test_texts_given_to_the_classifier_name_the_vectorizer(data):
    with pytest.raises(TypeError, match="WordVectorizer"):
        SparseRationalClassifier().fit(data.texts, data.y)


@pytest.mark.filterwarnings("ignore:[0-9]+ of [0-9]+ texts hold no word")
def test_a_fitted_pipeline_survives_joblib_and_reads_new_words(
    data, pipeline, tmp_path
):
    pipeline.fit(data.texts, data.y)
    joblib.dump(pipeline, tmp_path / "pipeline.joblib")
    again = joblib.load(tmp_path / "pipeline.joblib")
    new = [*data.texts[:5], "words that never occurred", ""]
    np.testing.assert_array_equal(again.predict_proba(new), pipeline.predict_proba(new))
